"""Every way in which one offer may use the units of a receipt, listed once: place after place, what it may remember there.

What cannot be finished and what can gain nothing is left out; two memories with the same future are one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeVar

from pos_loyalty.engine.applications import basket_groups_most
from pos_loyalty.engine.asking import Asked
from pos_loyalty.engine.packing import Kind, NOfGroup, Offer
from pos_loyalty.engine.stepping import generous_steps, steps_of
from pos_loyalty.engine.steps import NEVER, Chain, Place, Steps

S = TypeVar("S", bound=Hashable)
Way = tuple[int, int, int]
"""What is remembered next, the gain, the role of the unit."""
Found = tuple[int, list[Way]]
Row = tuple[int, tuple[Way, ...]]
"""What is remembered when the unit is left alone, -1 where it may not be; the ways to use it."""
Either = tuple[int, int, int, int]
"""What is remembered when the unit is left alone; one way to use it: what is remembered, the gain, the role."""
LOST = -(1 << 200)
"""Less than any sum of gains."""
UNFINISHED = LOST >> 1
"""Less than any sum of gains, and more than LOST and any gain together."""


class Table(NamedTuple):
    """The ways of one offer. ``units``: (kind, nth) in each place; ``best``: the most it can gain.

    Gains are what an application brings over the fixed value that its units have anyway. Places without ways are left out.
    ``ways``: by place a list by memory, as many lists as a memory has ways; where it has fewer a way to gain nothing stands.
    ``loads``: how many ways a memory of the place usually has. ``ahead``: what can still be gained, by place and memory; one
    place more for the end; LOST where NEVER points to. ``is_exact``: the gains are what the ways bring; else they may bring less.
    """

    offer: int
    steps: Steps[Any]
    is_exact: bool
    units: list[tuple[int, int]]
    ways: list[list[list[Either]]]
    loads: list[int]
    ahead: list[list[int]]
    best: int
    size: int

    def grain(self) -> int:
        """A divisor of every gain that can be of use."""
        return gcd(*[gain for lists in self.ways for ways in lists for skip, name, gain, _ in ways if name != skip or gain > 0])


def list_ways(asked: Asked, number: int, most: int) -> Table | None:
    """The table of the offer at ``number``; None when it would list more than ``most`` ways."""
    kinds, offer, order = asked.kinds, asked.offers[number], asked.orders[number]
    if _least_ways(kinds, offer, order) > most:
        return None
    steps = steps_of(kinds, offer, order)
    units = [(kind, nth) for kind in order for nth in range(kinds[kind].count)]
    if isinstance(steps, Chain):
        raw = _chained(steps, units, asked.singles, most)
    else:
        raw = _forward(steps, _places(kinds, units), asked.singles, most)
    return None if raw is None else Table(number, steps, True, *_backward(raw, units), raw.size)


def list_generously(asked: Asked, number: int, most: int) -> Table | None:
    """A smaller table in which an offer may seem to bring more than it does: some limit of its worth is left out."""
    kinds, offer, order = asked.kinds, asked.offers[number], asked.orders[number]
    if _least_ways(kinds, offer, order) > most:
        return None
    steps = generous_steps(kinds, offer, order)
    units = [(kind, nth) for kind in order for nth in range(kinds[kind].count)]
    raw = None if steps is None else _forward(steps, _places(kinds, units), asked.singles, most)
    return None if raw is None or steps is None else Table(number, steps, False, *_backward(raw, units), raw.size)


def _least_ways(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> int:
    """So many ways there are at least, known without listing any; a basket's options are many and each is long."""
    units = sum([kinds[kind].count for kind in order])
    shape = offer.shape
    return units * basket_groups_most(kinds, shape) if isinstance(shape, NOfGroup) and shape.is_basket else units


def _places(kinds: Sequence[Kind], units: Sequence[tuple[int, int]]) -> list[Place]:
    return [Place(kind, nth, kinds[kind].count, len(units) - i) for i, (kind, nth) in enumerate(units, start=1)]


class _Raw(NamedTuple):
    """Rows as they were found, and which memories are good after the last place."""

    rows: list[list[Found]]
    ends: list[bool]
    size: int


class _Useful(NamedTuple):
    """The middle of a Table."""

    units: list[tuple[int, int]]
    ways: list[list[list[Either]]]
    loads: list[int]
    ahead: list[list[int]]
    best: int


def _forward(steps: Steps[S], places: Sequence[Place], singles: Sequence[int], most: int) -> _Raw | None:
    """All that may be remembered at each place, from the first to the last."""
    front: dict[S, int] = {steps.start: 0}
    rows, size = [], 0
    for place in places:
        single = singles[place.kind]
        ahead: dict[S, int] = {}
        found: list[Found] = []
        for state in front:
            skipped = steps.skip(state, place)
            skip = NEVER if skipped is None else ahead.setdefault(skipped, len(ahead))
            ways = [(ahead.setdefault(after, len(ahead)), gain - single, role) for after, gain, role in steps.ways(state, place)]
            size += len(ways)
            if size > most:
                return None
            found.append((skip, ways))
        rows.append(found)
        front = ahead
    return _Raw(rows, [steps.may_end(state) for state in front], size)


def _chained(steps: Chain, units: Sequence[tuple[int, int]], singles: Sequence[int], most: int) -> _Raw | None:
    """The same for a chain, whose memories are numbers already."""
    top = steps.size - 1 if steps.last is None else steps.last
    size = len(units) * (top + 1)
    if size > most:
        return None
    rows = []
    whole: dict[int, list[Found]] = {}
    for place, (kind, _) in enumerate(units):
        found = whole.get(kind)
        if found is None:
            single = singles[kind]
            gains = [gains[kind] - single for gains in steps.gains]
            found = [(state, [((state + 1) % (top + 1), gains[state % steps.size], 0)]) for state in range(top + 1)]
            if steps.last is not None:
                found[top] = (top, [])
            whole[kind] = found
        rows.append(found if place >= top else found[: place + 1])
    return _Raw(rows, [steps.may_end(state) for state in range(top + 1)], size)


def _backward(raw: _Raw, places: Sequence[tuple[int, int]]) -> _Useful:
    """What is of use: rows numbered anew from the last place to the first, without places where nothing can be gained.

    A way is left out when it cannot be finished, or when it gains nothing more where doing nothing more is good too.
    """
    names = [*[0 if may_end else NEVER for may_end in raw.ends], NEVER]
    best, floors = [0, LOST], [0, UNFINISHED]
    units, listed, loads, ahead = [], [], [], [best]
    for unit, found in zip(reversed(places), reversed(raw.rows), strict=True):
        seen: dict[Row, int] = {}
        named: list[int] = []
        bests: list[int] = []
        floors_here: list[int] = []
        widest = 0
        for skip, ways in found:
            skipped = names[skip]
            most, floor = best[skipped], floors[skipped]
            kept: list[Way] = []
            for after, gain, role in ways:
                name = names[after]
                whole = gain + best[name]
                if whole > floor:
                    kept.append((name, gain, role))
                    if whole > most:
                        most = whole
            if len(kept) > widest:
                widest = len(kept)
            elif not kept and skipped == NEVER:
                named.append(NEVER)
                continue
            row = (skipped, tuple(kept))
            name = seen.setdefault(row, len(bests))
            if name == len(bests):
                bests.append(most)
                floors_here.append(floor)
            named.append(name)
        if not widest:
            names = [*[names[skip] for skip, _ in found], NEVER]
            continue
        units.append(unit)
        listed.append([_nth_ways(seen, nth) for nth in range(widest)])
        loads.append(1 if widest == 1 else -(-sum([len(ways) for _, ways in seen]) // len(seen)))
        names, best, floors = [*named, NEVER], [*bests, LOST], [*floors_here, UNFINISHED]
        ahead.append(best)
    for each in (units, listed, loads, ahead):
        each.reverse()
    return _Useful(units, listed, loads, ahead, best[0])


def _nth_ways(rows: Iterable[Row], nth: int) -> list[Either]:
    return [(skip, *ways[nth]) if nth < len(ways) else (skip, skip, -1, 0) for skip, ways in rows]
