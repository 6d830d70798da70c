"""What one application of an offer claims and is worth, and what any of them can be worth at most.

Units stand from the dearest to the cheapest; of equal prices the larger kind number counts as dearer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, assert_never

from pos_loyalty.engine.money import percent_within
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf, Slot

Counts = tuple[tuple[int, int], ...]
"""(kind, units), ascending by kind, units > 0."""


class Application(NamedTuple):
    """One use of an offer: the units that it claims, (kind, units, off each unit), and what it is worth without any limit."""

    claimed: Counts
    parts: tuple[tuple[int, int, int], ...]
    value: int


class Pool(NamedTuple):
    """The gifts of a GiftOf: how many units of each kind may be given; whether fewer than qty may be given at a time."""

    units: dict[int, int]
    is_short: bool


def share_of(kind: Kind, rate_bp: int) -> int:
    """What a share takes off one unit."""
    return min(percent_within(kind.price, rate_bp), kind.room)


def dearest_first(kinds: Sequence[Kind], numbers: Iterable[int]) -> list[int]:
    """Kinds that are there, from the dearest to the cheapest."""
    return sorted((number for number in numbers if kinds[number].count > 0), key=lambda number: (-kinds[number].price, -number))


def kinds_of(offer: Offer) -> list[int]:
    """The kinds whose units an offer may claim, each once, ascending."""
    match offer.shape:
        case EachUnit(values=values):
            return [kind for kind, _ in values]
        case NOfGroup(kinds=numbers):
            return list(numbers)
        case SetOf(slots=slots):
            return sorted({kind for slot in slots for kind in slot.kinds})
        case GiftOf(buy=buy, gifts=gifts):
            return sorted({kind for slot in buy for kind in slot.kinds} | set(gifts))
        case _:
            assert_never(offer.shape)


def joined(wants: Sequence[Sequence[int]]) -> list[list[int]]:
    """The places of wishes, those together that have a kind in common, directly or through others."""
    above = list(range(len(wants)))

    def top(member: int) -> int:
        while above[member] != member:
            above[member] = above[above[member]]
            member = above[member]
        return member

    first: dict[int, int] = {}
    for member, wanted in enumerate(wants):
        for kind in wanted:
            one, other = top(member), top(first.setdefault(kind, member))
            above[max(one, other)] = min(one, other)
    groups: dict[int, list[int]] = {}
    for member in range(len(wants)):
        groups.setdefault(top(member), []).append(member)
    return list(groups.values())


def merged(slots: Sequence[Slot]) -> list[Slot]:
    """Slots for the same kinds made one."""
    if len(slots) == 1:
        return list(slots)
    counts: dict[tuple[int, ...], int] = {}
    for slot in slots:
        counts[slot.kinds] = counts.get(slot.kinds, 0) + slot.count
    return [Slot(kinds=kinds, count=count) for kinds, count in counts.items()]


def counted(units: Iterable[tuple[int, int]]) -> Counts:
    """(kind, units) in any order, repeated or not, made one list."""
    sums: dict[int, int] = {}
    for kind, count in units:
        if count:
            sums[kind] = sums.get(kind, 0) + count
    return tuple(sorted(sums.items()))


def tallied(units: Iterable[int]) -> Counts:
    """The kinds of single units, in any order, made one list."""
    sums: dict[int, int] = {}
    for kind in units:
        sums[kind] = sums.get(kind, 0) + 1
    return tuple(sorted(sums.items()))


def shares_of(kinds: Sequence[Kind], numbers: Iterable[int], rate_bp: int) -> dict[int, int]:
    """What a share takes off one unit of each kind."""
    return {number: min(percent_within(kinds[number].price, rate_bp), kinds[number].room) for number in numbers}


def application_of(offs: Mapping[int, int], rewarded: Counts, others: Counts) -> Application:
    """``offs`` off some units, the others only claimed."""
    parts = tuple([(kind, count, offs[kind]) for kind, count in rewarded if offs[kind] > 0])
    return Application(counted(rewarded + others), parts, sum([count * off for _, count, off in parts]))


def set_of(kinds: Sequence[Kind], shape: SetOf, claimed: Counts) -> Application:
    """One set: the money forms have no parts, their value lies on all that is claimed."""
    if shape.rate_bp is not None:
        return application_of(shares_of(kinds, [kind for kind, _ in claimed], shape.rate_bp), claimed, ())
    price = sum(kinds[kind].price * count for kind, count in claimed)
    room = sum(kinds[kind].room * count for kind, count in claimed)
    return Application(claimed, (), max(0, min(_money_off(shape, price), room)))


def _money_off(shape: SetOf, price: int) -> int:
    if shape.fixed is not None:
        return price - shape.fixed
    assert shape.amount is not None
    return min(shape.amount, price)


def unit_of(kind: int, value: int) -> Application:
    """A fixed value off one unit."""
    return Application(((kind, 1),), ((kind, 1, value),), value)


def basket_option(kinds: Sequence[Kind], shape: NOfGroup, groups: int) -> tuple[Counts, Counts]:
    """(rewarded, companions) for so many groups: the k·m cheapest (dearest) of all that match, and the dearest others."""
    order = dearest_first(kinds, shape.kinds)
    left = {number: kinds[number].count for number in order}
    rewarded = counted(take(order if shape.is_dearest else order[::-1], left, shape.k * groups))
    for number, count in rewarded:
        left[number] -= count
    return rewarded, counted(take(order, left, (shape.n - shape.k) * groups))


def basket_groups_most(kinds: Sequence[Kind], shape: NOfGroup) -> int:
    """How many groups all matching units make."""
    return sum([kinds[number].count for number in shape.kinds]) // shape.n


def take(order: Iterable[int], left: dict[int, int], count: int) -> list[tuple[int, int]]:
    """The first ``count`` units in this order of what is left; fewer when there are no more."""
    taken = []
    for number in order:
        if count <= 0:
            break
        units = min(count, left.get(number, 0))
        if units:
            taken.append((number, units))
            count -= units
    return taken


def fill(slots: Sequence[Slot], order: Sequence[int], left: dict[int, int]) -> list[Counts] | None:
    """Units for every slot, those first in order preferred; None when some slot stays open.

    What can be claimed together is a matroid, so taking unit after unit in order whenever the slots can be rearranged for it
    gives the first that can be had.
    """
    if sum([left.get(number, 0) for number in order]) < sum([slot.count for slot in slots]):
        return None
    wanted = [frozenset(slot.kinds) for slot in slots]
    if sum([len(kinds) for kinds in wanted]) > len(frozenset().union(*wanted)):
        return _fill_overlapping(slots, order, left)
    filled = []
    for slot, kinds in zip(slots, wanted, strict=True):
        units = take([number for number in order if number in kinds], left, slot.count)
        if sum([count for _, count in units]) < slot.count:
            return None
        filled.append(counted(units))
    return filled


def _fill_overlapping(slots: Sequence[Slot], order: Sequence[int], left: dict[int, int]) -> list[Counts] | None:
    wanted = [frozenset(slot.kinds) for slot in slots]
    held: list[dict[int, int]] = [{} for _ in slots]
    free = [slot.count for slot in slots]
    missing = sum(free)
    for number in order:
        for _ in range(min(left.get(number, 0), missing)):
            if not _place(number, wanted, held, free):
                break
            missing -= 1
        if not missing:
            return [counted(units.items()) for units in held]
    return None


def _place(number: int, wanted: Sequence[frozenset[int]], held: list[dict[int, int]], free: list[int]) -> bool:
    """Put one unit into a slot, moving units between slots where needed; False when there is no way."""
    for place, fits in enumerate(wanted):
        if free[place] and number in fits:
            free[place] -= 1
            held[place][number] = held[place].get(number, 0) + 1
            return True
    came: dict[int, tuple[int, int]] = {place: (-1, number) for place in range(len(wanted)) if number in wanted[place]}
    line = list(came)
    for place in line:
        if free[place]:
            free[place] -= 1
            while place >= 0:
                before, moved = came[place]
                held[place][moved] = held[place].get(moved, 0) + 1
                if before >= 0:
                    held[before][moved] -= 1
                place = before
            return True
        for other in range(len(wanted)):
            movable = [kind for kind, count in held[place].items() if count and kind in wanted[other]]
            if other not in came and movable:
                came[other] = (place, movable[0])
                line.append(other)
    return False


def gift_pool(kinds: Sequence[Kind], shape: GiftOf, times: int | None) -> Pool:
    """The gifts that may be given at all: the first of what is left when the dearest common units are set aside as buy goods.

    As many buy groups count as each leave at least one gift for the last of them.
    """
    gifts = shape.gifts
    total = sum(kinds[number].count for number in gifts)
    most: dict[int, int] = {}
    low, high = 0, -(-total // shape.qty)
    if times is not None:
        high = min(high, times)
    while low < high:
        groups = (low + high + 1) // 2
        left = _after_buying(kinds, shape, groups)
        if left is not None and sum(left[number] for number in gifts) > (groups - 1) * shape.qty:
            low, most = groups, left
        else:
            high = groups - 1
    units = dict(take(gifts, most, low * shape.qty))
    return Pool(units, sum(units.values()) < low * shape.qty)


def _after_buying(kinds: Sequence[Kind], shape: GiftOf, groups: int) -> dict[int, int] | None:
    counts = {number: kinds[number].count for slot in shape.buy for number in slot.kinds}
    gifts = set(shape.gifts)
    order = sorted(counts, key=lambda number: (number in gifts, -kinds[number].price, -number))
    filled = fill([Slot(kinds=slot.kinds, count=slot.count * groups) for slot in shape.buy], order, counts)
    if filled is None:
        return None
    left = {number: kinds[number].count for number in shape.gifts}
    for units in filled:
        for kind, count in units:
            if kind in left:
                left[kind] -= count
    return left


def at_most(kinds: Sequence[Kind], offer: Offer) -> dict[int, int]:
    """A figure for each kind such that no application is worth more than those of its units together."""
    match offer.shape:
        case EachUnit(values=values):
            return dict(values)
        case NOfGroup(rate_bp=rate_bp, kinds=numbers, n=n, k=k) as shape:
            shares = {number: share_of(kinds[number], rate_bp) for number in numbers}
            order = [shares[number] for number in dearest_first(kinds, numbers)]
            if shape.is_dearest or shape.is_basket or not falls(order):
                return shares
            return {number: _ceil(k * share, n) for number, share in shares.items()}
        case SetOf(slots=slots) as shape:
            size = sum(slot.count for slot in slots)
            return {number: _set_share(kinds[number], shape, size) for number in kinds_of(offer)}
        case GiftOf(rate_bp=rate_bp, gifts=gifts):
            return {number: share_of(kinds[number], rate_bp) for number in gifts}
        case _:
            assert_never(offer.shape)


def _set_share(kind: Kind, shape: SetOf, size: int) -> int:
    if shape.rate_bp is not None:
        return share_of(kind, shape.rate_bp)
    if shape.fixed is not None:
        return kind.price - shape.fixed // size
    assert shape.amount is not None
    return _ceil(shape.amount, size)


def falls(figures: Sequence[int]) -> bool:
    """Whether no figure is larger than the one before it."""
    return all(before >= after for before, after in pairwise(figures))


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)
