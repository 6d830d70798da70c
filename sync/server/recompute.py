"""Head office asks the engine again: what a till quoted, by the programme that the sale is pinned to. Values in, a verdict out.

What head office cannot know as it stood at the till (the member's past, uses, budgets, coupons) is left out of the question, and
the engine refuses the rules that ask for it. Where the same rules acted, every figure must be the same; where others acted for
such a reason, the arithmetic of the lines must hold all the same. Rule: only what no till could have quoted differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final, Literal

from msgspec.structs import replace

from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.effects import Ladder
from pos_loyalty.engine.fiscal import positions
from pos_loyalty.engine.gift_cards import advance
from pos_loyalty.engine.ledger import reserve, settle
from pos_loyalty.engine.model import POINT, Basket, CouponState, Entry, Line, Lot, Member, Quote, QuoteLine, State
from pos_loyalty.engine.money import sum_of, vat_in
from pos_loyalty.engine.owed import is_settling
from pos_loyalty.engine.paid_part import as_paid
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.redeem import COUNTER_PROVISION
from pos_loyalty.engine.returnable import Earning
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.store.facts import Fact, SaleEnd, SaleFact
from pos_loyalty.values import Minor, Value

Verdict = Literal["agreed", "partly", "unknown", "differs"]
ON_THE_BASKET: Final = ("basket_amount", "basket_qty", "contains", "when", "store", "till", "tender", "stopped")
"""Conditions that hang on nothing but what the fact itself holds: such a refusal is the same at head office."""
FIGURES: Final = (
    "at", "member_id", "gross_minor", "total_minor", "due_minor", "redemption", "accruals", "earning", "counters", "uses",
    "gifts", "tier_progress_minor", "issued", "tenders", "applied", "line_refusals", "lines",
)  # fmt: skip
"""What is compared when all is known, the plainest first."""
DETAIL_SIGNS_MAX: Final = 200


class Recomputed(Value):
    """What came of one fact. ``detail``: which figure differs, without personal data; empty unless it does."""

    verdict: Verdict
    detail: str = ""


UNKNOWN: Final = Recomputed(verdict="unknown")
AGREED: Final = Recomputed(verdict="agreed")
PARTLY: Final = Recomputed(verdict="partly")


class Sold(Value):
    """A fact about a sale with all that it is judged by. ``begun``: the sale as it was authorised, in this fact or before."""

    fact: Fact
    begun: SaleFact
    stopped: tuple[str, ...]
    """Rules that were stopped at the till then."""
    member: Member | None
    """What head office knows of the member now and the till may have known then."""


def recomputed(sold: Sold, programme: Programme) -> Recomputed:
    """The verdict on one fact of a sale: its entries, and where it begins the sale also its quote."""
    detail = _strange_entries(sold)
    if detail is None and sold.fact.sale is not None:
        return _of_quote(sold, programme)
    return AGREED if detail is None else _differs(sold, detail)


def _of_quote(sold: Sold, programme: Programme) -> Recomputed:
    told = sold.begun.quote
    detail = next(_strange_sums(told, sold.begun.basket), None)
    if detail is not None:
        return _differs(sold, detail)
    try:
        if _figure_that_differs(told, _ask(sold, programme, _newcomer(sold), _fresh(sold, programme))) is None:
            return AGREED
        ours = _ask(sold, programme, _stranger(sold), _state(sold))
    except LoyaltyError as error:
        return _differs(sold, f"the engine takes no such basket ({type(error).__name__})")
    figure = _figure_that_differs(told, ours)
    if figure is None:
        return AGREED
    return PARTLY if _hangs_on_the_past(told, ours, programme) else _differs(sold, figure)


def _ask(sold: Sold, programme: Programme, member: Member | None, state: State) -> Quote:
    return ask_engine(sold.begun.basket, member, programme, state, sold.begun.basket.opened_at)


def _stranger(sold: Sold) -> Member | None:
    """The member with the very points that were used, and with an unknown past."""
    told = sold.begun.quote
    if told.member_id is None:
        return None
    known = sold.member or Member(member_id=told.member_id)
    return Member(
        member_id=told.member_id,
        tier=known.tier,
        segments=known.segments,
        joined_at=known.joined_at,
        lots=tuple(Lot(lot_id=use.lot_id, centi=use.centi) for use in told.redemption.lots),
        referred_by=next((each.member_id for each in told.accruals if each.member_id is not None), None),
        staff=known.staff,
    )


def _newcomer(sold: Sold) -> Member | None:
    """The same one without a past: whose first sale of the day it is, and who has used up nothing, is told apart so."""
    member = _stranger(sold)
    return None if member is None else replace(member, days=(), counters={}, purchases=())


def _state(sold: Sold) -> State:
    taken = sold.begun.quote.coupons
    states = {name: CouponState(series=each.series, usable=True) for each in taken for name in (each.code, spelled(each.code))}
    return State(uses=None, coupons=states, stopped=sold.stopped)


def _fresh(sold: Sold, programme: Programme) -> State:
    budgets = {rule.id: rule.budget for rule in programme.rules if rule.budget is not None and rule.budget >= 0}
    return replace(_state(sold), uses={}, budgets=budgets)


def _hangs_on_the_past(told: Quote, ours: Quote, programme: Programme) -> bool:
    """Whether the difference may come from what head office does not know."""
    rules = {rule.id: rule for rule in programme.rules}
    for rule in _acting(told) ^ _acting(ours):
        because = {each.condition for quote in (told, ours) for each in quote.refusals if each.rule == rule}
        if rule in rules and not (because and because <= set(ON_THE_BASKET)):
            return True
    has_day_limit = programme.points.per_day is not None or (
        programme.redeem is not None and programme.redeem.per_day is not None
    )
    climbs = any(_climbs(rules[rule]) for rule in _acting(told) | _acting(ours) if rule in rules)
    return climbs or has_day_limit or bool(told.redemption.things) or not (told.proof.proven and ours.proof.proven)


def _climbs(rule: ReadyRule) -> bool:
    """Whether a rule gives more for what was bought before."""
    return any(isinstance(act.effect, Ladder) and act.effect.by != "basket" for act in (*rule.money, *rule.points))


def _acting(quote: Quote) -> frozenset[str]:
    """Rules that held: they acted, or lost to a better one."""
    return frozenset((*quote.applied, *(beaten.rule for beaten in quote.beaten)))


def _figure_that_differs(told: Quote, ours: Quote) -> str | None:
    for name in FIGURES:
        one, other = _comparable(told, name), _comparable(ours, name)
        if one == other:
            continue
        if isinstance(one, int) and isinstance(other, int):
            return f"{name} is {one}, the pinned programme gives {other}"
        if name == "redemption":
            return f"redemption is {told.redemption.centi}, the pinned programme gives {ours.redemption.centi}"
        if name == "accruals":
            return f"accruals are {_points(told)}, the pinned programme gives {_points(ours)}"
        if name == "lines":
            return _line_that_differs(one, other)  # type: ignore[arg-type]
        return f"{name} differs from what the pinned programme gives"
    return None


def _comparable(quote: Quote, name: str) -> object:
    """A figure without what hangs on more than the sale: rights, plans, what a friend gets, rules that gave nothing."""
    giving = {each.rule for each in quote.accruals if each.member_id is None}
    match name:
        case "redemption":
            lots = tuple(sorted(quote.redemption.lots, key=lambda use: use.lot_id))
            return replace(quote.redemption, max_centi=quote.redemption.centi, lots=lots)
        case "accruals":
            return tuple(each for each in quote.accruals if each.member_id is None)
        case "issued":
            return tuple(each for each in quote.issued if each.kind != "plan")
        case "earning":
            return _given(quote.earning, giving)
        case "lines":
            return tuple(_given_line(line, giving) for line in quote.lines)
        case _:
            return getattr(quote, name)


def _given(earning: Earning | None, giving: Set[str]) -> Earning | None:
    if earning is None or not giving:
        return None
    fixed = tuple(each for each in earning.fixed if each.rule in giving)
    return replace(earning, fixed=fixed, most=tuple(each for each in earning.most if each.rule in giving))


def _given_line(line: QuoteLine, giving: Set[str]) -> QuoteLine:
    earned = tuple(each for each in line.earned if each.rule in giving)
    return replace(line, earned=earned, earning_minor=line.earning_minor if earned else Minor(0))


def _points(quote: Quote) -> int:
    return sum(each.centi for each in quote.accruals if each.member_id is None)


def _line_that_differs(told: Sequence[QuoteLine], ours: Sequence[QuoteLine]) -> str:
    for number, (one, other) in enumerate(zip(told, ours, strict=False), start=1):
        for name in ("gross_minor", "net_minor", "points_minor", "vat_minor", "earning_minor"):
            if getattr(one, name) != getattr(other, name):
                return f"{name} of line {number} is {getattr(one, name)}, the pinned programme gives {getattr(other, name)}"
        if one != other:
            return f"line {number} differs from what the pinned programme gives"
    return f"there are {len(told)} lines, the pinned programme gives {len(ours)}"


def _strange_sums(told: Quote, basket: Basket) -> Iterator[str]:
    """Sums that no programme makes: of lines, adjustments, points, VAT and fiscal positions."""
    lines = {line.line_id: line for line in basket.lines}
    if sorted(lines) != [line.line_id for line in told.lines]:
        yield "the lines are not those of the basket"
        return
    for number, line in enumerate(told.lines, start=1):
        yield from (f"line {number}: {what}" for what in _strange_line(line, lines[line.line_id], told))
    if told.gross_minor != sum(line.gross_minor for line in told.lines):
        yield f"gross_minor is {told.gross_minor}, the lines make {sum(line.gross_minor for line in told.lines)}"
    if told.total_minor != sum(line.net_minor for line in told.lines):
        yield f"total_minor is {told.total_minor}, the lines make {sum(line.net_minor for line in told.lines)}"
    if told.due_minor != told.total_minor - sum(line.points_minor for line in told.lines):
        yield f"due_minor is {told.due_minor}, the lines make {told.total_minor - sum(line.points_minor for line in told.lines)}"
    if told.redemption.centi != sum(use.centi for use in told.redemption.lots):
        yield f"redemption is {told.redemption.centi}, its lots make {sum(use.centi for use in told.redemption.lots)}"
    if told.redemption.off_minor != sum(line.points_minor for line in told.lines):
        yield f"points pay {told.redemption.off_minor}, on the lines {sum(line.points_minor for line in told.lines)}"


def _strange_line(told: QuoteLine, line: Line, quote: Quote) -> Iterator[str]:
    gross = sum_of(line.price_minor, line.quantity_milli)
    off = sum(each.off_minor for each in told.adjustments)
    is_tender = any(tender.kind == COUNTER_PROVISION for tender in quote.tenders)
    pays = told.net_minor if is_tender else Minor(told.net_minor - told.points_minor)
    if told.gross_minor != gross:
        yield f"gross_minor is {told.gross_minor}, price and quantity make {gross}"
    if told.net_minor != told.gross_minor - off:
        yield f"net_minor is {told.net_minor}, the adjustments leave {told.gross_minor - off}"
    if not 0 <= told.points_minor <= told.net_minor:
        yield f"points_minor is {told.points_minor} of {told.net_minor}"
        return
    if told.vat_minor != vat_in(pays, line.vat_bp):
        yield f"vat_minor is {told.vat_minor}, in {pays} there is {vat_in(pays, line.vat_bp)}"
    made = positions(line, pays)
    if told.fiscal not in (made, advance(made)):
        yield f"the fiscal positions do not make {pays} as the law asks"


def _strange_entries(sold: Sold) -> str | None:
    """Points that move otherwise than the quote says. What settles a debt follows; of a contradiction that was told only what
    the sale brought is judged, when it brought anything."""
    fact, told = sold.fact, sold.begun.quote
    if fact.end is not None and fact.end.reason:
        return _strange_accruals(fact, fact.end, sold.begun)
    ref = f"{fact.till}/{sold.begun.sale_id}"
    made = [entry for entry in fact.entries if entry.unit == POINT and not is_settling(entry)]
    due: tuple[Entry, ...] = reserve(told, ref) if fact.sale is not None else ()
    if fact.sale is None or fact.sale.completed:
        due += settle(told, ref, fact.at)
    if made == list(due):
        return None
    return f"entries move {sum(each.amount for each in made)} hundredths of a point, the quote {sum(each.amount for each in due)}"


def _strange_accruals(fact: Fact, end: SaleEnd, begun: SaleFact) -> str | None:
    due = settle(as_paid(begun.quote, end.tenders or begun.tenders), f"{fact.till}/{begun.sale_id}", fact.at)
    made = [entry for entry in fact.entries if entry.unit == POINT and entry.kind == "accrue"]
    if not made or made == [entry for entry in due if entry.kind == "accrue"]:
        return None
    return f"entries bring {sum(each.amount for each in made)} hundredths of a point, more or less than what was paid brings"


def _differs(sold: Sold, detail: str) -> Recomputed:
    return Recomputed(verdict="differs", detail=f"sale {sold.begun.sale_id}: {detail}"[:DETAIL_SIGNS_MAX])
