"""Conditions on what is in the basket: money, units, sets of goods, every nth unit."""

from __future__ import annotations

from pos_loyalty.engine.conditions import BasketAmount, BasketQty, Contains, Counter, Term, Wanted
from pos_loyalty.engine.figures import money_text, quantity_text
from pos_loyalty.engine.filling import Pile, units_taken
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.selectors import Selector
from pos_loyalty.engine.situation import Lack, Situation, nobody, unknown
from pos_loyalty.values import MILLI_PER_UNIT


def amount_lack(term: Term, condition: BasketAmount, situation: Situation) -> Lack | None:
    """Money of the matching lines, or of their matching units, lies in [min, max]."""
    on = condition.on
    if on.not_discounted or on.discounted:
        have = _partial_minor(term.selector, condition, situation)
    elif condition.base == "list":
        have = situation.list_sums.get(term.selector, 0)
    else:
        running = situation.running_minor
        have = sum([running[place] for place in situation.found.get(term.selector, ())])
    if condition.min is not None and have < condition.min:
        missing = 0 if on.discounted else condition.min - have
        return Lack(
            condition=term.word,
            have=money_text(have, situation.exponent),
            need=term.needs[0],
            selector=term.selector if missing else -1,
            amount_minor=missing,
        )
    if condition.max is not None and have > condition.max:
        return Lack(condition=term.word, have=money_text(have, situation.exponent), need=term.needs[1])
    return None


def _partial_minor(selector: int, condition: BasketAmount, situation: Situation) -> int:
    """Money of units that nothing reduced, or of the others. A unit that nothing reduced costs the same before and after."""
    places = situation.found.get(selector, ())
    clean = sum([situation.clean_minor_at(place) for place in places])
    if condition.on.not_discounted:
        return clean
    if condition.base == "list":
        return sum([situation.lines[place].list_minor for place in places]) - clean
    return sum([situation.running_minor[place] for place in places]) - clean


def qty_lack(term: Term, condition: BasketQty, situation: Situation) -> Lack | None:
    """At least so many units, or so much weight."""
    on, lines, places = condition.on, situation.lines, situation.found.get(term.selector, ())
    if condition.measure == "weight":
        weighed = [place for place in places if lines[place].line.measure == "weight" and _units_at(place, on, situation)]
        have = sum([lines[place].quantity_milli for place in weighed])
    else:
        have = _units(term.selector, on, situation) * MILLI_PER_UNIT
    if have >= condition.min:
        return None
    missing = 0 if on.discounted else condition.min - have
    return Lack(
        condition=term.word,
        have=token("weight", quantity_text(have)) if condition.measure == "weight" else quantity_text(have),
        need=term.needs[0],
        selector=term.selector if missing else -1,
        quantity_milli=missing,
    )


def _units(selector: int, on: Selector, situation: Situation) -> int:
    places = situation.found.get(selector, ())
    if on.not_discounted or on.discounted:
        return sum([_units_at(place, on, situation) for place in places])
    lines = situation.lines
    return sum([lines[place].units for place in places])


def _units_at(place: int, on: Selector, situation: Situation) -> int:
    """How many units of a line a selector means; a weighed line is one unit."""
    units = situation.lines[place].units
    if not (on.not_discounted or on.discounted):
        return units
    clean = situation.clean_units_at(place)
    return clean if on.not_discounted else units - clean


def counter_units(term: Term, situation: Situation) -> int:
    """How many units of this receipt are nth ones; 0 where the counter is not known. ``term`` is one of ``counter``."""
    condition = term.condition
    assert isinstance(condition, Counter)
    if situation.member is None or situation.member.counters is None:
        return 0
    before = max(0, situation.member.counters.get(condition.key, 0))
    after = situation.member.counters.get(condition.key, 0) + _units(term.selector, condition.on, situation)
    return max(0, whole_in(max(0, after), condition.n) - whole_in(before, condition.n))


def counter_lack(term: Term, condition: Counter, situation: Situation) -> Lack | None:
    """At least one unit is an nth one. What there is: the units since the last nth one, with those of this receipt."""
    if situation.member is None:
        return nobody(term.word, term.needs[0])
    if situation.member.counters is None:
        return unknown(term.word, term.needs[0])
    if counter_units(term, situation):
        return None
    before = situation.member.counters.get(condition.key, 0)
    last = whole_in(max(0, before), condition.n) * condition.n
    since = before - last + _units(term.selector, condition.on, situation)
    missing = 0 if condition.on.discounted else condition.n - since
    return Lack(
        condition=term.word,
        have=str(since),
        need=term.needs[0],
        selector=term.selector if missing else -1,
        quantity_milli=missing * MILLI_PER_UNIT,
    )


def contains_lack(term: Term, condition: Contains, situation: Situation) -> Lack | None:
    """Every entry is filled, and no unit fills two: a matching, found entry by entry, so that the first ones are filled first."""
    goods = condition.goods
    filled = [sum(row) for row in units_taken([wanted.count for wanted in goods], _piles(term, goods, situation))]
    short = [number for number, wanted in enumerate(goods) if filled[number] < wanted.count]
    if not short:
        return None
    first = short[0]
    is_far = len(short) > 1 or goods[first].on.discounted
    return Lack(
        condition=term.word,
        have=token("goods", *(str(count) for count in filled)),
        need=term.needs[0],
        selector=-1 if is_far else term.selectors[first],
        quantity_milli=0 if is_far else (goods[first].count - filled[first]) * MILLI_PER_UNIT,
    )


def _piles(term: Term, goods: tuple[Wanted, ...], situation: Situation) -> list[Pile]:
    """Lines that the same entries want stand together; units that were reduced and those that were not stand apart."""
    clean_bits: dict[int, int] = {}
    reduced_bits: dict[int, int] = {}
    for number, (selector, wanted) in enumerate(zip(term.selectors, goods, strict=True)):
        for place in situation.found.get(selector, ()):
            if not wanted.on.discounted:
                clean_bits[place] = clean_bits.get(place, 0) | 1 << number
            if not wanted.on.not_discounted:
                reduced_bits[place] = reduced_bits.get(place, 0) | 1 << number
    counts: dict[int, int] = {}
    for place in sorted(clean_bits.keys() | reduced_bits.keys()):
        units = situation.lines[place].units
        clean = situation.clean_units_at(place)
        for bits, count in ((clean_bits.get(place, 0), clean), (reduced_bits.get(place, 0), units - clean)):
            if bits and count:
                counts[bits] = counts.get(bits, 0) + count
    return [Pile(wanted_by=bits, count=count) for bits, count in counts.items()]
