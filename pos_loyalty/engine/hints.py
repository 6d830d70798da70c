"""Hints: what to add to the basket so that a refused rule applies, and what that would save. The engine is asked again for each.

An addition saves its own cost less the growth of the total. It is told when it saves at least the share that [hints] asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from pos_loyalty.engine.again import Again, again, listed_of
from pos_loyalty.engine.decide import Weighed
from pos_loyalty.engine.effects import Act, Amount, Bundle, Gift, Ladder, NForM, Percent
from pos_loyalty.engine.gates import in_pilot
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import LINES_MAX, RECEIPT_MINOR_MAX, Hint, HintAdd, Line
from pos_loyalty.engine.money import percent_of, sum_of, up, whole_in
from pos_loyalty.engine.packing import Effort
from pos_loyalty.engine.question import Missing
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.selectors import Selector, found_by, names_of
from pos_loyalty.engine.stages import held_of
from pos_loyalty.values import BP_PER_UNIT, MILLI_PER_UNIT, Minor, Thousandths, Value

TRIES_MAX = 2
UNITS_MAX = 20
ADDED = "+"
QUANTITY_MAX = 1_000_000


class Addition(Value, gc=False):
    """What would make a rule hold, and what it costs. ``like``: where the same goods stand; None for goods of so much money."""

    cost_minor: int
    missing: Missing
    like: int | None
    quantity_milli: int


def hints_of(weighed: Weighed) -> tuple[Hint, ...]:
    """The cheapest additions that are worth telling, at most as many as the programme wants; sorted by rule."""
    table = weighed.asked.programme.hints
    pilot, member = weighed.asked.programme.pilot, weighed.asked.member
    if not table.most or not weighed.calc or (pilot is not None and not in_pilot(pilot, weighed.asked.programme.id, member)):
        return ()
    hints: list[tuple[int, Hint]] = [(0, hint) for hint in _of_missing_goods(weighed)]
    hints += _tried(weighed)
    hints.sort(key=lambda each: (each[0], each[1].rule))
    return tuple(sorted([hint for _, hint in hints[: table.most]], key=lambda hint: hint.rule))


def _tried(weighed: Weighed) -> list[tuple[int, Hint]]:
    """Hints with what they cost. They share the effort of the quote: where it was used up nothing is tried."""
    asked, table = weighed.asked, weighed.asked.programme.hints
    if not weighed.priced.proven:
        return []
    left = _left_of(asked.effort, weighed.priced.spent)
    before, listed = sum(weighed.priced.left_minor), listed_of(weighed.calc)
    hints: list[tuple[int, Hint]] = []
    tried: dict[Line, Again] = {}  # rules may lack the same goods
    for addition, line in islice(_worth_trying(weighed), min(TRIES_MAX, table.most)):
        if left is None:
            break
        if line not in tried:
            tried[line] = again(weighed, line, left)
        after = tried[line].priced
        cost = tried[line].listed_minor - listed
        saves = cost - (sum(after.left_minor) - before)
        rule = addition.missing.rule.id
        is_worth = saves > 0 and saves * BP_PER_UNIT >= table.worth * cost
        if is_worth and after.proven and rule in after.acting:  # what is not proven might not come true
            hints.append((cost, Hint(rule=rule, add=_said(addition, line), saves_minor=Minor(saves))))
        left = _left_of(left, after.spent)
    return hints


def _left_of(effort: Effort, spent: Effort) -> Effort | None:
    """What is left of an effort; None when more than half of it is gone."""
    applications, nodes = effort.applications - spent.applications, effort.nodes - spent.nodes
    if 2 * applications < effort.applications or 2 * nodes < effort.nodes:
        return None
    return Effort(applications=applications, nodes=nodes)


def _said(addition: Addition, line: Line) -> HintAdd:
    if addition.missing.amount_minor:
        return HintAdd(amount_minor=Minor(addition.missing.amount_minor))
    return HintAdd(sku=line.sku, quantity_milli=line.quantity_milli)


def _worth_trying(weighed: Weighed) -> Iterator[tuple[Addition, Line]]:
    """Additions that may be worth it, as lines; the cheapest first."""
    for addition in sorted(_additions(weighed), key=lambda each: (each.cost_minor, each.missing.rule.id)):
        if _may_pay(addition.missing.rule, addition.cost_minor, weighed):
            line = _line(addition, weighed)
            if line is not None:
                yield addition, line


def _additions(weighed: Weighed) -> list[Addition]:
    """One for each rule that lacks what a basket can hold: more of the cheapest matching goods, or goods of so much money."""
    if len(weighed.asked.basket.lines) >= LINES_MAX:
        return []
    found, calc = weighed.question.found, weighed.calc
    room = RECEIPT_MINOR_MAX - sum([each.gross_minor for each in calc])
    likes: dict[int, int | None] = {}
    additions: list[Addition] = []
    for missing in weighed.priced.missing:
        if not missing.rule.money or missing.rule.stage == "payment":
            continue
        cost, like, quantity = missing.amount_minor, None, MILLI_PER_UNIT
        if not cost:
            selector, quantity = missing.selector, missing.quantity_milli
            if selector not in likes:
                likes[selector] = _cheapest(found.get(selector, ()), calc)
            like = likes[selector]
            if like is None:
                continue
            line = calc[like].line
            if line.measure == "piece":
                quantity = MILLI_PER_UNIT * up(quantity, MILLI_PER_UNIT)
            cost = sum_of(line.price_minor, quantity) if quantity <= QUANTITY_MAX else 0
        if 0 < cost <= room:
            additions.append(Addition(cost_minor=cost, missing=missing, like=like, quantity_milli=quantity))
    return additions


def _cheapest(places: Sequence[int], calc: Sequence[CalcLine]) -> int | None:
    """The place of the cheapest goods; None when none cost anything."""
    priced = [(line.price_minor, line.sku, line.line_id, place) for place in places if (line := calc[place].line).price_minor]
    return min(priced)[-1] if priced else None


def _line(addition: Addition, weighed: Weighed) -> Line | None:
    """The line to be added; None when the selector would not hold goods of so much money."""
    if addition.like is None:
        return _of_money(addition.missing, weighed)
    return replace(
        weighed.calc[addition.like].line,
        line_id=_new_id(weighed),
        quantity_milli=Thousandths(addition.quantity_milli),
        prior_off_minor=Minor(0),
        marks=(),
    )


def _of_money(missing: Missing, weighed: Weighed) -> Line | None:
    """Goods that are nothing but what the selector asks for, so that no other offer for goods comes in."""
    programme = weighed.asked.programme
    on = programme.selectors[missing.selector]
    like = weighed.calc[0].line
    line = Line(
        line_id=_new_id(weighed),
        sku=ADDED,
        quantity_milli=Thousandths(MILLI_PER_UNIT),
        price_minor=Minor(missing.amount_minor),
        vat_bp=like.vat_bp,
    )
    named = (("category", on.category), ("brand", on.brand), ("sku", on.sku))
    word = next(((field, names_of(names)[0]) for field, names in named if names), None)
    if word is not None:
        line = replace(line, **{word[0]: word[1]})
    elif on.tag:
        line = replace(line, tags=(names_of(on.tag)[0],))
    return line if missing.selector in found_by(programme.index, [line]) else None


def _new_id(weighed: Weighed) -> str:
    taken = {line.line_id for line in weighed.asked.basket.lines}
    line_id = ADDED
    while line_id in taken:
        line_id += ADDED
    return line_id


def _may_pay(rule: ReadyRule, cost_minor: int, weighed: Weighed) -> bool:
    """Whether the rule could save enough at all: at most its shares and sums, less what acts on a group's units already."""
    bound = 0
    for act in rule.money:
        effect = act.effect
        if isinstance(effect, NForM | Bundle | Gift):
            bound += _group_bound(act, cost_minor, weighed)
            continue
        matching = sum([weighed.calc[place].list_minor for place in weighed.question.found.get(act.selector, ())]) + cost_minor
        if isinstance(effect, Percent):
            bound += matching * effect.percent
        elif isinstance(effect, Ladder):
            bound += max([matching * (step.percent or 0) + (step.amount or 0) * BP_PER_UNIT for step in effect.steps])
        elif isinstance(effect, Amount):
            bound += effect.amount * BP_PER_UNIT
        else:
            return True
    return bound >= weighed.asked.programme.hints.worth * cost_minor


def _group_bound(act: Act, cost_minor: int, weighed: Weighed) -> int:
    """What one group with the added unit could bring more than what its units have already, in basis points of a minor unit."""
    found = weighed.question.found
    places = {place for selector in {act.selector, *act.wanted} for place in found.get(selector, ())}
    taken = sum([off.off_minor for off in weighed.priced.offs if off.place in places]) * BP_PER_UNIT
    prices = sorted([cost_minor, *_unit_prices(places, weighed.calc)])
    effect = act.effect
    if isinstance(effect, NForM):
        return sum(prices[: effect.k] if effect.which == "cheapest" else prices[-effect.k :]) * effect.percent - taken
    if isinstance(effect, Gift):
        return sum(prices[-effect.qty :]) * effect.percent - taken
    assert isinstance(effect, Bundle)
    dearest = sum(prices[-sum([slot.count for slot in effect.slots]) :])
    if effect.fixed is not None:
        return (dearest - effect.fixed) * BP_PER_UNIT - taken
    if effect.amount is not None:
        return effect.amount * BP_PER_UNIT - taken
    return dearest * (effect.percent or 0) - taken


def _unit_prices(places: Collection[int], calc: Sequence[CalcLine]) -> list[int]:
    """What the units of some lines cost, none told more than so often as could matter."""
    prices: list[int] = []
    for place in places:
        line = calc[place]
        prices += [whole_in(line.list_minor, line.units)] * min(line.units, UNITS_MAX)
    return prices


def _of_missing_goods(weighed: Weighed) -> Iterator[Hint]:
    """Gifts that are not in the basket, and rules that ask to be suggested."""
    short = [refusal for done in weighed.priced.dones for refusal in done.drafted.refusals]
    refused = {each.rule for each in short if each.condition == "goods" and each.have == "0"}
    for rule in weighed.priced.held:
        if rule.id in refused:
            for act in rule.money:
                if isinstance(act.effect, Gift):
                    add = _named(weighed.asked.programme.selectors[act.selector], act.effect.qty)
                    yield Hint(rule=rule.id, add=add, saves_minor=Minor(_gift_worth(act.effect)))
    programme = weighed.asked.programme
    found = weighed.question.found
    absent = [rule for rule in programme.suggesting if not any(act.selector in found for act in rule.money)]
    for rule in held_of(absent, weighed.situation, programme, {}).rules:
        selector = programme.selectors[rule.money[0].selector]
        yield Hint(rule=rule.id, add=_named(selector, 1), saves_minor=Minor(0))


def _gift_worth(gift: Gift) -> int:
    return int(percent_of((gift.worth or 0) * gift.qty, gift.percent))


def _named(selector: Selector, units: int) -> HintAdd:
    skus = names_of(selector.sku)
    return HintAdd(sku=min(skus) if skus else None, quantity_milli=Thousandths(units * MILLI_PER_UNIT))
