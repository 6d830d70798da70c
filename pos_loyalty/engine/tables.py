"""Every way in which one offer may use the units of a receipt, listed once: place after place, what it may remember there.

What cannot be finished and what can gain nothing is left out; two memories with the same future are one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeVar, assert_never

from pos_loyalty.engine.applications import (
    application_of,
    at_most,
    basket_groups_most,
    basket_option,
    dearest_first,
    falls,
    gift_pool,
    kinds_of,
    merged,
    shares_of,
)
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf
from pos_loyalty.engine.steps import (
    BasketOption,
    Chain,
    CheapestOfGroup,
    DearestOfGroup,
    GiftsGiven,
    Place,
    SetsApart,
    Slots,
    SlotsFilled,
    Steps,
    WithinMoney,
)

S = TypeVar("S", bound=Hashable)
Way = tuple[int, int, int]
"""What is remembered next, the gain, the role of the unit."""
Found = tuple[int, list[Way]]
Row = tuple[int, tuple[Way, ...]]
"""What is remembered when the unit is left alone, -1 where it may not be; the ways to use it."""
NEVER = -1


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
    steps = _generous_steps(kinds, offer, order)
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


def steps_of(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> Steps[Any]:
    """How the offer steps over its units, which stand in this order, its limits included where they can bind."""
    steps: Steps[Any]
    times = _binding_times(kinds, offer, order)
    money = _binding_money(kinds, offer, order)
    match offer.shape:
        case EachUnit(values=values):
            steps = Chain([dict(values)], times, [0])
        case NOfGroup(is_basket=True):
            return _basket(kinds, offer, order)
        case NOfGroup() as shape:
            steps = _groups(kinds, shape, order, times)
        case SetOf() as shape:
            steps = _sets(kinds, shape, order, times)
        case GiftOf() as shape:
            pool = gift_pool(kinds, shape, offer.times)
            offs = shares_of(kinds, pool.units, shape.rate_bp)
            steps = GiftsGiven([(frozenset(slot.kinds), slot.count) for slot in merged(shape.buy)], offs, pool, shape.qty)
        case _:
            assert_never(offer.shape)
    return steps if money is None else WithinMoney(steps, money, _takes_back(kinds, offer), is_whole=offer.is_whole)


def _takes_back(kinds: Sequence[Kind], offer: Offer) -> int:
    """The most that a complete set takes back of what its units brought: nothing but at a fixed price."""
    shape = offer.shape
    if not isinstance(shape, SetOf) or shape.fixed is None:
        return 0
    floor = {kind: kinds[kind].price - kinds[kind].room for kind in kinds_of(offer) if kinds[kind].count}
    return max(shape.fixed, _most([(frozenset(slot.kinds), slot.count) for slot in shape.slots], floor))


def _generous_steps(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> Steps[Any] | None:
    """Steps without the limit by money, and sets as if no floor stopped them; None when that changes nothing."""
    if isinstance(offer.shape, NOfGroup | GiftOf) and offer.money is None:
        return None
    steps = steps_of(kinds, offer, order)
    if isinstance(steps, WithinMoney):
        steps = steps.steps
    elif not isinstance(steps, SetsApart):
        return None
    if not isinstance(steps, SetsApart):
        return steps
    shape = offer.shape
    assert isinstance(shape, SetOf)
    if shape.fixed is not None:
        return _filled(steps.slots, {kind: kinds[kind].price for kind in order}, -shape.fixed, steps.times)
    assert shape.amount is not None
    return _filled(steps.slots, dict.fromkeys(order, 0), shape.amount, steps.times)


def _binding_times(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> int | None:
    if offer.times is None:
        return None
    units = sum(kinds[kind].count for kind in order)
    match offer.shape:
        case EachUnit():
            most = units
        case NOfGroup(n=n, k=k, is_partial=is_partial):
            most = -(-units // max(1, n - k + 1)) if is_partial else units // n
        case SetOf(slots=slots):
            most = units // sum(slot.count for slot in slots)
        case GiftOf():
            return None
        case _:
            assert_never(offer.shape)
    return offer.times if offer.times < most else None


def _binding_money(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> int | None:
    if offer.money is None:
        return None
    shares = at_most(kinds, offer)
    return offer.money if sum(max(0, shares.get(kind, 0)) * kinds[kind].count for kind in order) > offer.money else None


def _groups(kinds: Sequence[Kind], shape: NOfGroup, order: Sequence[int], times: int | None) -> Steps[Any]:
    offs = shares_of(kinds, order, shape.rate_bp)
    pay, n, k = shape.n - shape.k, shape.n, shape.k
    if shape.is_dearest:
        return DearestOfGroup(offs, pay, k, times, is_partial=shape.is_partial)
    if not falls([offs[kind] for kind in order]):
        return CheapestOfGroup(offs, pay, k, times, is_partial=shape.is_partial)
    nothing = dict.fromkeys(order, 0)
    ends = range(n) if shape.is_partial else range(pay + 1)
    return Chain([nothing] * pay + [offs] * k, None if times is None else n * times, ends)


def _basket(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> BasketOption:
    assert isinstance(offer.shape, NOfGroup)
    offs = shares_of(kinds, order, offer.shape.rate_bp)
    claims, values = {}, {}
    for groups in range(1, basket_groups_most(kinds, offer.shape) + 1):
        one = application_of(offs, *basket_option(kinds, offer.shape, groups))
        value = one.value
        if offer.times is not None and groups > offer.times:
            break
        if offer.money is not None and value > offer.money:
            if offer.is_whole:
                break
            value = offer.money
        if value > 0:
            claims[groups] = dict(one.claimed)
            values[groups] = value
    return BasketOption(claims, values, order)


def _sets(kinds: Sequence[Kind], shape: SetOf, order: Sequence[int], times: int | None) -> Steps[Any]:
    slots = [(frozenset(slot.kinds), slot.count) for slot in merged(shape.slots)]
    room = {kind: kinds[kind].room for kind in order}
    floor = {kind: kinds[kind].price - kinds[kind].room for kind in order}
    if shape.rate_bp is not None:
        return _filled(slots, shares_of(kinds, order, shape.rate_bp), 0, times)
    if shape.amount is not None:
        amount = shape.amount
        if amount <= _least(slots, room):
            return _filled(slots, dict.fromkeys(order, 0), amount, times)
        return _filled(slots, room, 0, times) if amount >= _most(slots, room) else _apart_amount(slots, room, amount, times)
    assert shape.fixed is not None
    if shape.fixed <= _least(slots, floor):
        return _filled(slots, room, 0, times)
    if shape.fixed >= _most(slots, floor):
        return _filled(slots, {kind: kinds[kind].price for kind in order}, -shape.fixed, times)
    fixed = shape.fixed
    figures = {kind: (kinds[kind].price, floor[kind]) for kind in order}
    return SetsApart(slots, figures, lambda floors: -max(fixed, floors), (fixed, _most(slots, floor)), times)


def is_additive(kinds: Sequence[Kind], shape: SetOf) -> bool:
    """Whether a set is worth the sum of what its units bring, and one figure more, whatever units fill it."""
    if shape.rate_bp is not None:
        return True
    slots = [(frozenset(slot.kinds), slot.count) for slot in shape.slots]
    there = [kind for slot in shape.slots for kind in slot.kinds if kinds[kind].count]
    if shape.fixed is not None:
        figure, figures = shape.fixed, {kind: kinds[kind].price - kinds[kind].room for kind in there}
    else:
        figure, figures = shape.amount or 0, {kind: kinds[kind].room for kind in there}
    return figure <= _least(slots, figures) or figure >= _most(slots, figures)


def _filled(slots: Slots, gains: dict[int, int], whole: int, times: int | None) -> Steps[Any]:
    if len(slots) > 1:
        return SlotsFilled(slots, gains, whole, times)
    count = slots[0][1]
    last = {kind: gain + whole for kind, gain in gains.items()}
    return Chain([gains] * (count - 1) + [last], None if times is None else count * times, [0])


def _apart_amount(slots: Slots, room: dict[int, int], amount: int, times: int | None) -> Steps[Any]:
    figures = {kind: (0, most) for kind, most in room.items()}
    return SetsApart(slots, figures, lambda rooms: min(amount, rooms), (0, amount), times)


def _least(slots: Slots, figures: dict[int, int]) -> int:
    """The least that the figures of a set's units can sum to; kinds that are not there do not count."""
    return sum(count * min((figures[kind] for kind in fitting if kind in figures), default=0) for fitting, count in slots)


def _most(slots: Slots, figures: dict[int, int]) -> int:
    return sum(count * max((figures[kind] for kind in fitting if kind in figures), default=0) for fitting, count in slots)
