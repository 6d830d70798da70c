"""Gifts that goods paid for: kept with the sale, and charged when those goods come back and the gift stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pos_loyalty.engine.model import Quote, QuoteLine
from pos_loyalty.engine.money import up, whole_in
from pos_loyalty.engine.pools import PoolDone
from pos_loyalty.engine.returnable import GiftGiven, UnitsOf
from pos_loyalty.engine.returned_lines import Back, Shape, share, units_back
from pos_loyalty.engine.spread import LineMoney

Part = tuple[QuoteLine, Shape, Back]
"""A line of the sale, its shape, and what of it is back."""


def gifts_given(dones: Iterable[PoolDone], money: Sequence[LineMoney], acting: frozenset[str]) -> tuple[GiftGiven, ...]:
    """The gifts of the rules that act, by rule. Equal goods of several lines pay in the order of ``money``."""
    bought: dict[str, dict[int, int]] = {}
    times: dict[str, int] = {}
    for done in dones:
        for each in done.laid.bought:
            mine = bought.setdefault(each.rule, {})
            mine[each.place] = mine.get(each.place, 0) + each.units
        if done.laid.bought:
            times |= done.times
    on_lines = {rule: _on_lines(units, money) for rule, units in bought.items() if rule in acting}
    return tuple([GiftGiven(rule=rule, times=times[rule], bought=on_lines[rule]) for rule in sorted(on_lines) if on_lines[rule]])


def _on_lines(units: dict[int, int], money: Sequence[LineMoney]) -> tuple[UnitsOf, ...]:
    left = dict(units)
    made = []
    for line in money:
        part = min(line.units, left.get(line.place, 0))
        if part:
            left[line.place] -= part
            made.append(UnitsOf(line_id=line.line.line_id, units=part))
    return tuple(made)


def charge_for_gifts(quote: Quote, parts: Sequence[Part]) -> int:
    """What gifts that are kept would have cost more, without the goods that paid for them and are back.

    Units that paid for nothing are taken to come back first. A gift stays free while its group of goods is complete.
    """
    charge = 0
    for gift in quote.gifts:
        wanted = {each.line_id: each.units for each in gift.bought}
        kept = sum([min(wanted.get(line.line_id, 0), shape.units - units_back(shape, back)) for line, shape, back in parts])
        groups = whole_in(gift.times * kept, sum(wanted.values()))
        given = kept_off = 0
        for line, shape, back in parts:
            for off in line.adjustments:
                if off.rule == gift.rule:
                    given += off.off_minor
                    kept_off += off.off_minor - share(off.off_minor, shape, back)
        charge += max(0, kept_off - up(given * groups, gift.times))
    return charge
