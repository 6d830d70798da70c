"""Every way in which one offer may use the units of a receipt, listed once: place after place, what it may remember there.

What cannot be finished and what can gain nothing is left out; two memories with the same future are one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeVar

from pos_loyalty.engine.applications import (
    basket_groups_most,
    dearest_first,
    kinds_of,
)
from pos_loyalty.engine.packing import Kind, NOfGroup, Offer
from pos_loyalty.engine.stepping import generous_steps, steps_of
from pos_loyalty.engine.steps import (
    NEVER,
    Chain,
    Place,
    Steps,
)

S = TypeVar("S", bound=Hashable)
Way = tuple[int, int, int]
"""What is remembered next, the gain, the role of the unit."""
Found = tuple[int, list[Way]]
Row = tuple[int, tuple[Way, ...]]
"""What is remembered when the unit is left alone, -1 where it may not be; the ways to use it."""


class Table(NamedTuple):
    """The ways of one offer. ``units``: (kind, nth) in each place; ``rows``: by place and memory; ``best``: the most it can gain.

    Gains are what an application brings over the fixed value that its units have anyway. Places without ways are left out.
    ``is_exact``: the gains are what the ways bring; else they may bring less. ``plain``: (skip, name, gain) where every row of a
    place has one way at most, a copy that is faster to read; else None. ``grain``: a divisor of every gain.
    """

    offer: int
    steps: Steps[Any]
    is_exact: bool
    units: list[tuple[int, int]]
    rows: list[list[Row]]
    plain: list[list[Way] | None]
    best: int
    grain: int
    size: int


def list_ways(kinds: Sequence[Kind], offer: Offer, number: int, singles: Sequence[int], most: int) -> Table | None:
    """The table of an offer that stands at ``number``; None when it would list more than ``most`` ways.

    ``singles``: for each kind what a unit brings without this offer.
    """
    order = dearest_first(kinds, kinds_of(offer))
    if _least_ways(kinds, offer, order) > most:
        return None
    steps = steps_of(kinds, offer, order)
    units = [(kind, nth) for kind in order for nth in range(kinds[kind].count)]
    if isinstance(steps, Chain):
        raw = _chained(steps, units, singles, most)
    else:
        raw = _forward(steps, _places(kinds, units), singles, most)
    return None if raw is None else Table(number, steps, True, *_backward(raw, units), raw.size)


def list_generously(kinds: Sequence[Kind], offer: Offer, number: int, singles: Sequence[int], most: int) -> Table | None:
    """A smaller table in which an offer may seem to bring more than it does: some limit of its worth is left out."""
    order = dearest_first(kinds, kinds_of(offer))
    if _least_ways(kinds, offer, order) > most:
        return None
    steps = generous_steps(kinds, offer, order)
    units = [(kind, nth) for kind in order for nth in range(kinds[kind].count)]
    raw = None if steps is None else _forward(steps, _places(kinds, units), singles, most)
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
    rows: list[list[Row]]
    plain: list[list[Way] | None]
    best: int
    grain: int


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
    names = [0 if may_end else NEVER for may_end in raw.ends]
    best, idle = [0], [True]
    units, rows = [], []
    for unit, found in zip(reversed(places), reversed(raw.rows), strict=True):
        seen: dict[Row, int] = {}
        named: list[int] = []
        bests: list[int] = []
        is_useful = False
        for skip, ways in found:
            skipped = names[skip] if skip != NEVER else NEVER
            is_idle = skipped != NEVER and idle[skipped]
            most = best[skipped] if skipped != NEVER else None
            kept: list[Way] = []
            for after, gain, role in ways:
                name = names[after]
                if name == NEVER:
                    continue
                whole = gain + best[name]
                if whole > 0 or not is_idle:
                    kept.append((name, gain, role))
                    if most is None or whole > most:
                        most = whole
            if most is None:
                named.append(NEVER)
                continue
            if kept:
                is_useful = True
            row = (skipped, tuple(kept))
            name = seen.setdefault(row, len(bests))
            if name == len(bests):
                bests.append(most)
            named.append(name)
        if not is_useful:
            names = [names[skip] if skip != NEVER else NEVER for skip, _ in found]
            continue
        units.append(unit)
        rows.append(list(seen))
        names, best, idle = named, bests, [skip != NEVER and idle[skip] for skip, _ in seen]
    units.reverse()
    rows.reverse()
    grain = gcd(*[gain for found in rows for _, ways in found for _, gain, _ in ways])
    return _Useful(units, rows, [_plain(found) for found in rows], best[0], grain)


def _plain(rows: Sequence[Row]) -> list[Way] | None:
    plain = []
    for skip, ways in rows:
        if len(ways) > 1:
            return None
        plain.append((skip, ways[0][0], ways[0][1]) if ways else (skip, skip, -1))
    return plain
