"""Hints: what to add to the basket so that a refused rule applies, and what that would save. The engine is asked again for each.

An addition saves its own cost less the growth of the total. It is told when it saves at least the share that [hints] asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.decide import Weighed, weigh
from pos_loyalty.engine.effects import Act, Amount, Bundle, Gift, Ladder, NForM, Percent
from pos_loyalty.engine.gates import in_pilot
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


class Addition(Value):
    """A line that would make a rule hold, what it costs, and how a person is told of it."""

    rule: ReadyRule
    line: Line
    cost_minor: int
    add: HintAdd


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
    left = _left_of(asked.effort, weighed.priced.spent)
    if left is None or not weighed.priced.proven:
        return []
    before, listed = sum(weighed.priced.left_minor), _listed(weighed)
    hints: list[tuple[int, Hint]] = []
    additions = sorted(_additions(weighed), key=lambda each: (each.cost_minor, each.rule.id))
    for addition in additions[: min(TRIES_MAX, table.most)]:
        basket = replace(asked.basket, lines=(*asked.basket.lines, addition.line))
        with_it = weigh(replace(asked, basket=basket, effort=left))
        after = with_it.priced
        cost = _listed(with_it) - listed
        saves = cost - (sum(after.left_minor) - before)
        is_worth = saves > 0 and saves * BP_PER_UNIT >= table.worth * cost
        if is_worth and addition.rule.id in after.acting:
            hints.append((cost, Hint(rule=addition.rule.id, add=addition.add, saves_minor=Minor(saves))))
        next_left = _left_of(left, after.spent)
        if next_left is None:
            break
        left = next_left
    return hints


def _listed(weighed: Weighed) -> int:
    """What the basket costs as the price tags say."""
    return sum([line.list_minor for line in weighed.calc])


def _left_of(effort: Effort, spent: Effort) -> Effort | None:
    """What is left of an effort; None when more than half of it is gone."""
    applications, nodes = effort.applications - spent.applications, effort.nodes - spent.nodes
    if 2 * applications < effort.applications or 2 * nodes < effort.nodes:
        return None
    return Effort(applications=applications, nodes=nodes)


def _additions(weighed: Weighed) -> Iterator[Addition]:
    """One addition for each rule that lacks something a basket can hold, unless it cannot be worth it."""
    basket = weighed.asked.basket
    if len(basket.lines) >= LINES_MAX:
        return
    told: set[str] = set()
    for missing in weighed.priced.missing:
        rule = missing.rule
        if rule.id in told or not rule.money or rule.stage == "payment":
            continue
        line = _line(missing, weighed)
        if line is None:
            continue
        cost = int(sum_of(line.price_minor, line.quantity_milli))
        gross = sum([each.gross_minor for each in weighed.calc])
        if not cost or gross + cost > RECEIPT_MINOR_MAX or not _may_pay(rule, cost, weighed):
            continue
        told.add(rule.id)
        add = (
            HintAdd(amount_minor=Minor(missing.amount_minor))
            if missing.amount_minor
            else HintAdd(sku=line.sku, quantity_milli=line.quantity_milli)
        )
        yield Addition(rule=rule, line=line, cost_minor=cost, add=add)


def _line(missing: Missing, weighed: Weighed) -> Line | None:
    """More of the cheapest matching goods, or goods of so much money that the selector holds; None when none are known."""
    if missing.amount_minor:
        return _of_money(missing, weighed)
    like = _cheapest(weighed.question.found.get(missing.selector, ()), weighed)
    if like is None:
        return None
    quantity = missing.quantity_milli
    if like.measure == "piece":
        quantity = MILLI_PER_UNIT * up(quantity, MILLI_PER_UNIT)
    if quantity > QUANTITY_MAX:
        return None
    return replace(
        like,
        line_id=_new_id(weighed),
        quantity_milli=Thousandths(quantity),
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


def _cheapest(places: Sequence[int], weighed: Weighed) -> Line | None:
    lines = [weighed.calc[place].line for place in places if weighed.calc[place].line.price_minor]
    return min(lines, key=lambda line: (line.price_minor, line.sku, line.line_id), default=None)


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
    places = sorted({place for selector in {act.selector, *act.wanted} for place in weighed.question.found.get(selector, ())})
    taken = sum([off.off_minor for off in weighed.priced.offs if off.place in places]) * BP_PER_UNIT
    prices = sorted([cost_minor, *_unit_prices(places, weighed)])
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


def _unit_prices(places: Sequence[int], weighed: Weighed) -> list[int]:
    """What the units of some lines cost, none told more than so often as could matter."""
    prices: list[int] = []
    for place in places:
        line = weighed.calc[place]
        each = whole_in(line.list_minor, line.units)
        prices += [each] * min(line.units, UNITS_MAX)
    return prices


def _of_missing_goods(weighed: Weighed) -> Iterator[Hint]:
    """Gifts that are not in the basket, and rules that ask to be suggested."""
    short = [refusal for done in weighed.priced.dones for refusal in done.drafted.refusals]
    refused = {each.rule for each in short if each.condition == "goods"}
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
