"""Laws that every quote keeps, each by arithmetic of its own: a law gives a sentence when it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations
from math import ceil, floor

from pos_loyalty.engine.model import Quote
from pos_loyalty.values import decode, encode
from tests.brute.answer import relation
from tests.brute.figures import Row, UnsureError, money, rows_of, share
from tests.property.seeded_worlds import Table, World

NOT_RULES = {"prior", "manual", "fiscal"}
FISCAL_SLACK = 10
"""A weighed line may move by so many kopecks to be written down."""


def broken_laws(world: World, answer: Quote) -> Iterator[str]:
    """Every law that the quote breaks."""
    for law in LAWS:
        found = law(world, answer)
        if found:
            yield f"{law.__name__}: {found}"


def sums(world: World, answer: Quote) -> str | None:
    """Every kopeck off stands on a line, and lines make the total."""
    given = {line["line_id"]: line for line in world.basket["lines"]}
    for each in answer.lines:
        line = given[each.line_id]
        gross = floor(Fraction(line["price_minor"]) * Fraction(line["quantity"]) + Fraction(1, 2))
        if each.gross_minor != gross:
            return f"{each.line_id} gross {each.gross_minor}, not {gross}"
        if each.gross_minor - each.net_minor != sum(a.off_minor for a in each.adjustments):
            return f"{each.line_id}: adjustments do not make the net"
        if not 0 <= each.points_minor <= each.net_minor <= each.gross_minor:
            return f"{each.line_id}: points {each.points_minor}, net {each.net_minor}, gross {each.gross_minor}"
        if any((a.off_minor <= 0 and a.rule != "fiscal") or not a.off_minor for a in each.adjustments):
            return f"{each.line_id}: an adjustment of nothing"
        if len({a.rule for a in each.adjustments}) != len(each.adjustments):
            return f"{each.line_id}: a rule stands twice"
    if answer.gross_minor != sum(each.gross_minor for each in answer.lines):
        return "gross"
    if answer.total_minor != sum(each.net_minor for each in answer.lines):
        return "total"
    if answer.due_minor != answer.total_minor - sum(each.points_minor for each in answer.lines):
        return "due"
    return None if answer.redemption.off_minor == sum(each.points_minor for each in answer.lines) else "points"


def order(world: World, answer: Quote) -> str | None:
    """Lines by line_id, all else by rule id."""
    if [each.line_id for each in answer.lines] != sorted(line["line_id"] for line in world.basket["lines"]):
        return "lines"
    if list(answer.applied) != sorted(set(answer.applied)):
        return "applied"
    for name in ("refusals", "beaten", "accruals", "uses", "issued", "messages"):
        rules = [each.rule for each in getattr(answer, name)]
        if rules != sorted(rules):
            return name
    for each in answer.lines:
        rules = [a.rule for a in each.adjustments]
        if rules != sorted(rules):
            return f"adjustments of {each.line_id}"
    spoken = [*answer.applied, *(each.rule for each in answer.refusals), *(each.rule for each in answer.beaten)]
    mine = [rule for rule in spoken if rule not in ("redeem", "coupon", "prior", "manual")]  # one answer a code or a line
    return None if len(mine) == len(set(mine)) else "two answers for a rule"


def fiscal(world: World, answer: Quote) -> str | None:
    """Positions multiply out to what is paid and hold all units."""
    given = {line["line_id"]: line for line in world.basket["lines"]}
    for each in answer.lines:
        paid = each.net_minor - each.points_minor
        written = sum(floor(Fraction(p.price_minor * p.quantity_milli, 1000) + Fraction(1, 2)) for p in each.fiscal)
        if written != paid or any(p.price_minor < 0 for p in each.fiscal):
            return f"{each.line_id}: written {written}, paid {paid}"
        if sum(p.quantity_milli for p in each.fiscal) != Fraction(given[each.line_id]["quantity"]) * 1000:
            return f"{each.line_id}: quantity"
        rate = given[each.line_id].get("vat_bp") or 0
        if abs(each.vat_minor * (10_000 + rate) - paid * rate) * 2 > 10_000 + rate:
            return f"{each.line_id}: VAT {each.vat_minor} in {paid}"
    moved = sum(a.off_minor for each in answer.lines for a in each.adjustments if a.rule == "fiscal")
    weighed = any(line.get("measure") == "weight" for line in world.basket["lines"])
    return "rule fiscal moves money of pieces" if moved and not weighed else None


def floors(world: World, answer: Quote) -> str | None:
    """No line lies below its floor (shop, law, margin) but by the host's own hand; restricted goods are not touched."""
    quoted = {each.line_id: each for each in answer.lines}
    tags = {table["id"] for table in world.programme.get("price_list", ())}
    for line in world.basket["lines"]:
        try:
            (row,) = rows_of(world.basket | {"lines": [{**line, "quantity": "1"}]}, world.programme)
        except UnsureError:
            continue
        each = quoted[line["line_id"]]
        if not any(a.rule not in {"prior", "fiscal"} | tags for a in each.adjustments) and not each.points_minor:
            continue
        if row.is_outlawed:
            return f"{each.line_id} is restricted and has {[a.rule for a in each.adjustments]}, points {each.points_minor}"
        lowest = min(
            _lowest(line, row), each.gross_minor - sum(a.off_minor for a in each.adjustments if a.rule in {"prior"} | tags)
        )
        slack = FISCAL_SLACK if row.is_weight else 0
        if each.net_minor - each.points_minor + slack < lowest:
            return f"{each.line_id} pays {each.net_minor - each.points_minor}, floor {lowest}"
    return None


def _lowest(line: Table, row: Row) -> int:
    """Of the whole line; a kopeck of a weighed line is left to the rounding of its sum."""
    return floor(row.floor * Fraction(line["quantity"]))


def names(world: World, answer: Quote) -> str | None:
    """Only rules that applied take money or give points."""
    tags = {table["id"] for table in world.programme.get("price_list", ())}
    acting = {a.rule for each in answer.lines for a in each.adjustments} - NOT_RULES - tags
    giving = {each.rule for each in (*answer.accruals, *answer.issued, *answer.messages)} - {"referral"}
    plans = {plan["id"] for plan in world.programme.get("plan", ())}
    if (acting | giving) - set(answer.applied) - plans:
        return f"{sorted((acting | giving) - set(answer.applied))} did not apply"
    known = {rule["id"] for rule in world.programme["rule"]}
    return None if set(answer.applied) <= known else "an unknown rule"


def limits(world: World, answer: Quote) -> str | None:
    """No rule gives more than its ``max_amount`` or its budget, or acts more often than its limits let it."""
    given = off_by_rule(answer)
    uses = {each.rule: each.times for each in answer.uses}
    for rule in world.programme["rule"]:
        effects = [each for each in rule["then"] if each["do"] in MONEY_WORDS]
        if effects and all("max_amount" in each for each in effects):
            most = sum(money(each["max_amount"]) for each in effects)
            if given.get(rule["id"], 0) > most:
                return f"{rule['id']} gives {given[rule['id']]}, at most {most}"
        purse = world.state["budgets"].get(rule["id"], 0) if "budget" in rule and world.state else None
        if purse is not None and given.get(rule["id"], 0) > purse:
            return f"{rule['id']} gives {given[rule['id']]} of a budget of {purse}"
        mine = world.state.get("uses", {}).get(rule["id"], {})
        for key, told in (("member", "member"), ("day", "today"), ("total", "total")):
            if key in rule.get("limits", {}) and uses.get(rule["id"], 0) > max(0, rule["limits"][key] - mine.get(told, 0)):
                return f"{rule['id']} is used {uses[rule['id']]} times"
    return None


MONEY_WORDS = (
    "percent",
    "amount_each",
    "fixed_price",
    "n_for_m",
    "bundle",
    "gift",
    "amount",
    "ladder",
    "redeem_for",
    "round_total",
)


def off_by_rule(answer: Quote) -> dict[str, int]:
    """What each rule takes off the receipt."""
    given: dict[str, int] = {}
    for each in answer.lines:
        for a in each.adjustments:
            given[a.rule] = given.get(a.rule, 0) + a.off_minor
    return given


def caps(world: World, answer: Quote) -> str | None:
    """Discounts and points together keep the cap of the receipt."""
    table = world.programme.get("caps", {})
    tags = {each["id"] for each in world.programme.get("price_list", ())}
    before = answer.gross_minor - sum(off for rule, off in off_by_rule(answer).items() if rule in {"prior"} | tags)
    off = before - answer.due_minor
    slack = sum(FISCAL_SLACK for line in world.basket["lines"] if line.get("measure") == "weight")
    most = [ceil(share(table["percent"]) * answer.gross_minor)] if "percent" in table else []
    most += [money(table["amount"])] if "amount" in table else []
    return f"{off} off, at most {min(most)}" if most and off > min(most) + slack else None


def rivals(world: World, answer: Quote) -> str | None:
    """Rules that exclude one another never both take money; nor do those of which the receipt takes the better."""
    acting = set(off_by_rule(answer))
    rules = [
        rule for rule in world.programme["rule"] if rule["id"] in acting and rule.get("stage") in ("item", "customer", "order")
    ]
    for one, other in combinations(rules, 2):
        found = relation(one, other, world.programme)
        if found == "exclusive" or (found == "best_of" and "order" in (one["stage"], other["stage"])):
            return f"{one['id']} and {other['id']} are {found}"
    return None


def points(world: World, answer: Quote) -> str | None:
    """Points are paid from lots that the member holds, and nobody earns without a card."""
    member, redemption = world.member, answer.redemption
    if member is None:
        return "nobody's points" if answer.accruals or redemption.centi or redemption.max_centi else None
    held = {lot["lot_id"]: lot["centi"] for lot in member.get("lots", ())}
    if any(not 0 < use.centi <= held[use.lot_id] for use in redemption.lots):
        return "a lot gives what it has not"
    paid = redemption.centi - sum(thing.centi for thing in redemption.things)
    if paid < 0 or redemption.centi != sum(use.centi for use in redemption.lots) or paid > redemption.max_centi:
        return "lots do not make the points"
    wish = world.basket.get("redeem")
    if wish is None and paid:
        return "points that nobody wanted to pay"
    if any(each.centi <= 0 for each in answer.accruals):
        return "an accrual of nothing"
    least = money(world.programme.get("redeem", {}).get("minimum_money", "0"))
    return "the least money" if redemption.off_minor and answer.due_minor < least else None


def proof(world: World, answer: Quote) -> str | None:
    """The value reached is never above its bound; what is proven has reached it."""
    told = answer.proof
    if not 0 <= told.value_minor <= told.bound_minor:
        return f"value {told.value_minor}, bound {told.bound_minor}"
    if told.proven and told.value_minor != told.bound_minor:
        return "proven, and yet below its bound"
    is_by_priority = world.programme.get("search", {}).get("mode") == "priority"
    return "priority order proves nothing" if told.proven and is_by_priority and told.value_minor else None


def json(world: World, answer: Quote) -> str | None:
    """A quote goes through JSON and back."""
    return None if decode(encode(answer), Quote) == answer else "another quote came back"


LAWS: tuple[Callable[[World, Quote], str | None], ...] = (
    sums,
    order,
    fiscal,
    floors,
    names,
    limits,
    caps,
    rivals,
    points,
    proof,
    json,
)
