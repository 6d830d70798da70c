"""What an earlier question has answered already: groups of offers that stand now, but for their numbers, as they stood then."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import assert_never

from pos_loyalty.engine.applications import joined, kinds_of
from pos_loyalty.engine.asking import Asked, Shape, with_singles
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf, Solved, Taken


def taken_before(asked: Asked, rest: Sequence[int], before: Solved) -> tuple[list[Taken], list[int]]:
    """What the offers of ``rest`` take that were asked the same before, and those that were not, in their order.

    Offers that may claim a kind in common, directly or through others, are asked together. Only what was proven is taken over.
    """
    if not before.packed.proven:
        return [], list(rest)
    earlier, acted = with_singles(before.kinds, before.offers)
    known = {key: (offers, kinds) for key, offers, kinds in _groups(earlier, acted)}
    taken: dict[int, list[Taken]] = {}
    for one in before.packed.taken:
        taken.setdefault(one.offer, []).append(one)
    again: list[Taken] = []
    same: set[int] = set()
    for key, offers, kinds in _groups(asked, rest):
        if key not in known:
            continue
        same.update(offers)
        their_offers, their_kinds = known[key]
        place = dict(zip(their_kinds, kinds, strict=True))
        for then, now in zip(their_offers, offers, strict=True):
            again += [_renumbered(one, now, place) for one in taken.get(then, ())]
    return again, [number for number in rest if number not in same]


def _groups(asked: Asked, numbers: Sequence[int]) -> list[tuple[Hashable, list[int], list[int]]]:
    """Of each group of offers what is asked, in numbers of its own; its offers in their order, its kinds ascending."""
    wants = [kinds_of(asked.offers[number]) for number in numbers]
    groups: list[tuple[Hashable, list[int], list[int]]] = []
    for members in joined(wants):
        kinds = sorted({kind for member in members for kind in wants[member]})
        offers = [numbers[member] for member in members]
        place = {kind: i for i, kind in enumerate(kinds)}
        units = [_unit(asked.kinds[kind], asked.singles[kind]) for kind in kinds]
        claims = [_claim(asked.offers[number], place) for number in offers]
        groups.append(((tuple(units), tuple(claims)), offers, kinds))
    return groups


def _unit(kind: Kind, single: int) -> Hashable:
    return kind.price, kind.room, kind.count, single


def _claim(offer: Offer, place: Mapping[int, int]) -> Hashable:
    return _form(offer.shape, place), offer.times, offer.money, offer.is_whole


def _form(shape: Shape, place: Mapping[int, int]) -> Hashable:
    match shape:
        case EachUnit(values=values):
            return tuple([(place[kind], value) for kind, value in values])
        case NOfGroup(kinds=kinds) as group:
            flags = (group.is_dearest, group.is_partial, group.is_basket)
            return tuple([place[kind] for kind in kinds]), group.n, group.k, group.rate_bp, flags
        case SetOf(slots=slots):
            wanted = [(tuple([place[kind] for kind in slot.kinds]), slot.count) for slot in slots]
            return tuple(wanted), shape.fixed, shape.rate_bp, shape.amount
        case GiftOf(buy=buy, gifts=gifts):
            wanted = [(tuple([place[kind] for kind in slot.kinds]), slot.count) for slot in buy]
            return "gift", tuple(wanted), tuple([place[kind] for kind in gifts]), shape.qty, shape.rate_bp
        case _:
            assert_never(shape)


def _renumbered(one: Taken, offer: int, place: Mapping[int, int]) -> Taken:
    return Taken(
        offer=offer,
        times=one.times,
        claimed=tuple([(place[kind], units) for kind, units in one.claimed]),
        parts=tuple([(place[kind], units, off) for kind, units, off in one.parts]),
        value=one.value,
    )
