"""Which steps of steps.py are right for an offer: for each shape, its floors and its limits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, assert_never

from pos_loyalty.engine.applications import (
    application_of,
    at_most,
    basket_groups_most,
    basket_option,
    falls,
    gift_pool,
    kinds_of,
    merged,
    shares_of,
)
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf
from pos_loyalty.engine.steps import (
    NEVER,
    BasketOption,
    Chain,
    CheapestOfGroup,
    DearestOfGroup,
    GiftsGiven,
    SetsApart,
    Slots,
    SlotsFilled,
    Steps,
    WithinMoney,
)


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
            if isinstance(steps, Chain) and money is not None and offer.is_whole:
                steps = _any_groups(kinds, shape, order, times)
        case SetOf() as shape:
            if shape.fixed is not None and money is not None and offer.is_whole:
                return WithinMoney(_sets_at_once(kinds, shape, order, times), money, _nothing, is_whole=True)
            steps = _sets(kinds, shape, order, times)
        case GiftOf() as shape:
            pool = gift_pool(kinds, shape, offer.times)
            offs = shares_of(kinds, pool.units, shape.rate_bp)
            steps = GiftsGiven([(frozenset(slot.kinds), slot.count) for slot in merged(shape.buy)], offs, pool, shape.qty)
        case _:
            assert_never(offer.shape)
    return steps if money is None else WithinMoney(steps, money, _takes_back(kinds, offer, steps), is_whole=offer.is_whole)


def _takes_back(kinds: Sequence[Kind], offer: Offer, steps: Steps[Any]) -> Callable[[Any], int]:
    """By what is remembered: the most that complete sets take back of what their units brought, nothing but at a fixed price."""
    shape = offer.shape
    if not isinstance(shape, SetOf) or shape.fixed is None:
        return _nothing
    assert isinstance(steps, Chain | SlotsFilled | SetsApart)
    begun = steps.begun
    floor = {kind: kinds[kind].price - kinds[kind].room for kind in kinds_of(offer) if kinds[kind].count}
    most = max(shape.fixed, _most([(frozenset(slot.kinds), slot.count) for slot in shape.slots], floor))
    return lambda state: most * begun(state)


def _nothing(state: Hashable) -> int:
    return 0


def generous_steps(kinds: Sequence[Kind], offer: Offer, order: Sequence[int]) -> Steps[Any] | None:
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
        return _any_groups(kinds, shape, order, times)
    nothing = dict.fromkeys(order, 0)
    ends = range(n) if shape.is_partial else range(pay + 1)
    return Chain([nothing] * pay + [offs] * k, None if times is None else n * times, ends)


def _any_groups(kinds: Sequence[Kind], shape: NOfGroup, order: Sequence[int], times: int | None) -> Steps[Any]:
    """Every way to choose the rewarded units: right also where more is not better, because a sum must stay within money."""
    offs = shares_of(kinds, order, shape.rate_bp)
    return CheapestOfGroup(offs, shape.n - shape.k, shape.k, times, is_partial=shape.is_partial)


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


def _sets_at_once(kinds: Sequence[Kind], shape: SetOf, order: Sequence[int], times: int | None) -> Steps[Any]:
    """Sets at a fixed price that bring all they are worth when complete; their sum holds both the prices and the rooms."""
    slots = [(frozenset(slot.kinds), slot.count) for slot in merged(shape.slots)]
    base = 1 + sum(count for _, count in slots) * max(kinds[kind].room for kind in order)
    figures = {kind: (0, kinds[kind].price * base + kinds[kind].room) for kind in order}
    fixed = shape.fixed or 0

    def worth(sums: int) -> int:
        price, room = divmod(sums, base)
        return max(0, min(price - fixed, room))

    return SetsApart(slots, figures, worth, (NEVER, 1 << 200), times)


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
