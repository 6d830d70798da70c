"""Offers of a pool that need a search: which units each of them may claim, and which cannot act at all."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.chain import Strand
from pos_loyalty.engine.conditions import Counter
from pos_loyalty.engine.effects import Act, Bundle, Gift, Limited, NForM, Which
from pos_loyalty.engine.idle import set_refused, slots_filled, state_asked, state_refused
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.question import NO_LIMIT, Allowance, Missing, Question, Spot, room_each, spots_of
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.values import MILLI_PER_UNIT, Value

Units = dict[Spot, int]
"""How many units of each run an offer may claim."""


class Draft(Value):
    """One effect of a rule before its units are sorted into kinds. ``slots``: the units that may fill each slot.

    n_for_m has one slot; a bundle one for each of its own; a gift one for each buy entry and then that of the gifts.
    """

    rule: ReadyRule
    act: Act
    slots: tuple[Units, ...]
    allowance: Allowance


class Drafts(Value):
    """The effects that may act, why the others cannot, and what those would need."""

    drafts: tuple[Draft, ...]
    refusals: tuple[Refusal, ...]
    missing: tuple[Missing, ...]


class _Short(Value):
    """Why an effect cannot act, and the goods that would let it when those of one slot alone are missing."""

    refusal: Refusal
    missing: Missing | None = None


def drafts_of(rules: Sequence[ReadyRule], strands: Sequence[Strand], question: Question) -> Drafts:
    """Draft every effect. A rule is refused when none of its effects finds the units it needs."""
    drafts: list[Draft] = []
    refusals: list[Refusal] = []
    missing: list[Missing] = []
    for rule in rules:
        lacks: list[_Short] = []
        mine = len(drafts)
        for act in rule.money:
            lack = _short_of(rule, act, strands, question)
            slots = _slots(rule, act, strands, question) if lack is None else ()
            if lack is None and not slots[-1] and isinstance(act.effect, Gift):
                lack = _no_gift(rule, act, act.effect, question)
            if lack is not None:
                lacks.append(lack)
                continue
            drafts.append(Draft(rule=rule, act=act, slots=slots, allowance=question.allowances.get(rule.id, NO_LIMIT)))
        if len(drafts) == mine and lacks:
            refusals.append(lacks[0].refusal)
            missing += [lacks[0].missing] if lacks[0].missing is not None else []
    return Drafts(drafts=tuple(drafts), refusals=tuple(refusals), missing=tuple(missing))


def _slots(rule: ReadyRule, act: Act, strands: Sequence[Strand], question: Question) -> tuple[Units, ...]:
    effect = act.effect
    if isinstance(effect, Bundle):
        return tuple(_all(selector, strands, question) for selector in act.wanted)
    if isinstance(effect, Gift):
        gifts = _all(act.selector, strands, question)
        if effect.choice == "cashier":
            gifts = _chosen(gifts, question.choices.get(rule.id), question)
        return (*(_all(selector, strands, question) for selector in act.wanted), gifts)
    units = _all(act.selector, strands, question)
    if isinstance(effect, Limited):
        return (_picked(rule, effect, units, strands, question),)
    return (units,)


def _all(selector: int, strands: Sequence[Strand], question: Question) -> Units:
    return {spot: strands[spot[0]].runs[spot[1]][0] for spot in spots_of(selector, strands, question)}


def _chosen(gifts: Units, line_id: str | None, question: Question) -> Units:
    """Gifts of the line that the cashier chose; none until then."""
    if line_id is None:
        return {}
    places = {place for place, line in enumerate(question.lines) if line_id in line.line_ids}
    return {spot: count for spot, count in gifts.items() if spot[0] in places}


def _picked(rule: ReadyRule, effect: Limited, units: Units, strands: Sequence[Strand], question: Question) -> Units:
    """The units that a limited effect may act on: so many a line, so many in all, only every nth."""
    most, which = effect.max_units, effect.which
    if rule.counter is not None and isinstance(rule.counter.condition, Counter):
        nth = question.nths.get(rule.id, 0)
        counted = question.found.get(rule.counter.selector, ())
        units = {spot: count for spot, count in units.items() if spot[0] in counted}
        if most is None or nth < most:
            most, which = nth, rule.counter.condition.which
    if most is None and effect.max_units_per_line is None:
        return units
    order = sorted(units, key=lambda spot: _rank(spot, which, strands, question.lines))
    per_line: dict[int, int] = {}
    picked: Units = {}
    for spot in order:
        count = units[spot]
        if effect.max_units_per_line is not None:
            count = min(count, effect.max_units_per_line - per_line.get(spot[0], 0))
        if most is not None:
            count = min(count, most)
            most -= count
        if count > 0:
            per_line[spot[0]] = per_line.get(spot[0], 0) + count
            picked[spot] = count
    return picked


def _rank(spot: Spot, which: Which, strands: Sequence[Strand], lines: Sequence[CalcLine]) -> tuple[object, ...]:
    place, number = spot
    left = strands[place].runs[number][1]
    if which == "scanned":
        first = lines[place].line.line_id
        return (-len(first), _descending(first), place, number)
    room = room_each(lines[place], left, strands[place].scale)
    return (left if which == "cheapest" else -left, -room, place, number)


def _descending(text: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text)


def _short_of(rule: ReadyRule, act: Act, strands: Sequence[Strand], question: Question) -> _Short | None:
    """Whether there are too few units, by counting alone."""
    effect = act.effect
    if isinstance(effect, NForM):
        need = effect.n - effect.k + 1 if effect.partial_group and effect.pool == "group" else effect.n
        lack = _first_short(rule, (act.selector,), [need], strands, question)
        asked = state_asked(question.programme.selectors[act.selector])
        if lack is not None and asked and not spots_of(act.selector, strands, question):
            return replace(lack, refusal=state_refused(rule.id, asked))
        return lack
    if isinstance(effect, Bundle):
        return _first_short(rule, act.wanted, [slot.count for slot in effect.slots], strands, question)
    if isinstance(effect, Gift):
        return _first_short(rule, act.wanted, [slot.count for slot in effect.buy], strands, question)
    return None


def _no_gift(rule: ReadyRule, act: Act, effect: Gift, question: Question) -> _Short:
    if effect.choice == "cashier" and question.found.get(act.selector):
        chosen = question.choices.get(rule.id)
        have = "none" if chosen is None else token("line", chosen)
        return _Short(refusal=Refusal(rule=rule.id, condition="choice", have=have, need="line"))
    return _Short(refusal=Refusal(rule=rule.id, condition="goods", have="0", need=str(effect.qty)))


def _first_short(
    rule: ReadyRule, selectors: Sequence[int], needs: Sequence[int], strands: Sequence[Strand], question: Question
) -> _Short | None:
    """What the slots without enough units lack; units are told as missing only when one slot alone is short."""
    short: list[tuple[int, int, int]] = []
    for selector, need in zip(selectors, needs, strict=True):
        have = sum([strands[place].runs[run][0] for place, run in spots_of(selector, strands, question)])
        if have < need:
            short.append((have, need, selector))
    if not short:
        return None
    have, need, selector = short[0]
    filled = [have]
    if len(selectors) > 1:
        slots = [_all(each, strands, question) for each in selectors]
        filled = [sum(units.values()) for units in slots_filled(slots, needs, strands)]
    refusal = set_refused(rule.id, filled, needs)
    if len(short) > 1:
        return _Short(refusal=refusal)
    return _Short(refusal=refusal, missing=Missing(rule=rule, selector=selector, quantity_milli=MILLI_PER_UNIT * (need - have)))
