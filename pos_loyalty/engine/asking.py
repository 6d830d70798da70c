"""What is asked of the search, made ready: the fixed value of units, and the offers that can make a difference."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, assert_never

from pos_loyalty.engine.applications import at_most, falls, kinds_of, share_of
from pos_loyalty.engine.greedy import in_order
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf
from pos_loyalty.engine.stepping import is_additive

Shape = EachUnit | NOfGroup | SetOf | GiftOf


class Asked(NamedTuple):
    """What is asked, and what is left over for units that no other offer claims: for each kind a value and the offer, or -1.

    ``ranks``: for each kind how many are cheaper; of equal prices the larger number counts as dearer. ``orders``: for each
    offer that can act the kinds that it may claim and that are there, dearest first.
    """

    kinds: Sequence[Kind]
    offers: Sequence[Offer]
    singles: list[int]
    givers: list[int]
    has_singles: bool
    ranks: list[int]
    orders: dict[int, list[int]]

    def dearest_first(self, numbers: Iterable[int]) -> list[int]:
        """Kinds from the dearest to the cheapest."""
        return sorted(numbers, key=self.ranks.__getitem__, reverse=True)


def with_singles(kinds: Sequence[Kind], offers: Sequence[Offer]) -> tuple[Asked, list[int]]:
    """Offers on single units without limits become the fixed value of a unit; the others, in their order, that can act at all."""
    singles, givers = [0] * len(kinds), [-1] * len(kinds)
    rest = []
    for number in in_order(offers):
        offer = offers[number]
        shape = offer.shape
        if not isinstance(shape, EachUnit) or not _is_unlimited(kinds, offer, shape):
            rest.append(number)
            continue
        for kind, value in shape.values:
            if value > singles[kind]:
                singles[kind], givers[kind] = value, number
    asked = Asked(kinds, offers, singles, givers, any(singles), _ranks(kinds), {})
    for number in rest:
        there = [kind for kind in kinds_of(offers[number]) if kinds[kind].count]
        if there and _can_act(asked, offers[number], there):
            asked.orders[number] = asked.dearest_first(there)
    rest = list(asked.orders)
    claims = {tuple(order) for order in asked.orders.values()}
    return asked, _undominated(offers, rest) if len(claims) < len(rest) else rest


def _ranks(kinds: Sequence[Kind]) -> list[int]:
    prices = [kind.price for kind in kinds]
    ranks = [0] * len(prices)
    for rank, kind in enumerate(sorted(range(len(prices)), key=prices.__getitem__)):
        ranks[kind] = rank
    return ranks


def _is_unlimited(kinds: Sequence[Kind], offer: Offer, shape: EachUnit) -> bool:
    """Whether no limit of an offer on single units can bind."""
    if offer.times is not None and sum(kinds[kind].count for kind, _ in shape.values) > offer.times:
        return False
    return offer.money is None or sum(value * kinds[kind].count for kind, value in shape.values) <= offer.money


def _can_act(asked: Asked, offer: Offer, there: Sequence[int]) -> bool:
    """Whether an offer has units enough, and brings more than they bring anyway."""
    if offer.times == 0 or offer.money == 0:
        return False
    kinds, singles = asked.kinds, asked.singles
    units = sum([kinds[kind].count for kind in there])
    shape = offer.shape
    if isinstance(shape, NOfGroup):
        least = shape.n - shape.k + 1 if shape.is_partial and not shape.is_basket else shape.n
    elif isinstance(shape, SetOf):
        least = sum([slot.count for slot in shape.slots])
    else:
        least = 1
    if units < least or not asked.has_singles:
        return units >= least
    return any(share > singles[kind] for kind, share in at_most(kinds, offer).items() if kinds[kind].count)


def _undominated(offers: Sequence[Offer], numbers: Sequence[int]) -> list[int]:
    """Of offers with the same goods and groups the one that gives most, when it has no limit, makes the others useless."""
    best: dict[Hashable, int] = {}
    forms = {number: _form(offers[number].shape) for number in numbers}
    for number in numbers:
        form, worth = forms[number]
        is_free = offers[number].times is None and offers[number].money is None
        if is_free and (form not in best or worth > forms[best[form]][1]):
            best[form] = number
    return [
        number
        for number in numbers
        if (form := forms[number][0]) not in best or best[form] == number or forms[best[form]][1] < forms[number][1]
    ]


def _form(shape: Shape) -> tuple[Hashable, int]:
    """A shape without its figure, and the figure, the larger the better."""
    match shape:
        case EachUnit():
            return shape, 0
        case NOfGroup():
            return (shape.kinds, shape.n, shape.k, shape.is_dearest, shape.is_partial, shape.is_basket), shape.rate_bp
        case SetOf(rate_bp=int(rate_bp)):
            return ("rate", shape.slots), rate_bp
        case SetOf(amount=int(amount)):
            return ("amount", shape.slots), amount
        case SetOf(fixed=fixed):
            return ("fixed", shape.slots), -(fixed or 0)
        case GiftOf():
            return (shape.buy, shape.gifts, shape.qty), shape.rate_bp
        case _:
            assert_never(shape)


def alone_and_shared(asked: Asked, numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Offers whose units nobody else wants and which one best application after another serves best; the others."""
    wanted = [0] * len(asked.kinds)
    for number in numbers:
        for kind in asked.orders[number]:
            wanted[kind] += 1
    apart: list[int] = []
    shared: list[int] = []
    for number in numbers:
        is_free = True
        for kind in asked.orders[number]:
            if wanted[kind] > 1 or asked.singles[kind]:
                is_free = False
                break
        (apart if is_free and _is_greedy_best(asked, number) else shared).append(number)
    return apart, shared


def _is_greedy_best(asked: Asked, number: int) -> bool:
    """Whether the best application, again and again, is the best that an offer alone can do."""
    kinds, offer, order = asked.kinds, asked.offers[number], asked.orders[number]
    if offer.is_whole and offer.money is not None:
        return False
    match offer.shape:
        case EachUnit():
            return True
        case NOfGroup(is_basket=False) as shape:
            return falls([share_of(kinds[kind], shape.rate_bp) for kind in order])
        case NOfGroup():
            return True
        case SetOf(slots=slots):
            is_apart = sum([len(slot.kinds) for slot in slots]) == len(order)
            return is_apart and is_additive(kinds, offer.shape)
        case GiftOf(buy=buy, gifts=gifts):
            numbers = [kind for slot in buy for kind in slot.kinds]
            return len({*numbers, *gifts}) == len(numbers) + len(gifts)
