"""One best application after another, each as often as it can: mode ``priority``, one offer alone, a floor for the search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, assert_never

from pos_loyalty.engine.applications import (
    Application,
    Counts,
    application_of,
    at_most,
    basket_groups_most,
    basket_option,
    counted,
    dearest_first,
    fill,
    gift_pool,
    kinds_of,
    set_of,
    shares_of,
    take,
    unit_of,
)
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, Packed, SetOf, Taken
from pos_loyalty.engine.regroup import basket_groups, taken_of

Better = Callable[[int, int, int, int], bool]
"""Whether (value, units) is better than (value, units)."""


class Use(NamedTuple):
    """One application as it is counted here: what it claims and is worth, which gifts it gives, its number of groups."""

    application: Application
    gifts: Counts
    groups: int


class Left:
    """What is left of one offer's limits while it acts again and again. ``order``: its kinds that are there, dearest first."""

    def __init__(self, kinds: Sequence[Kind], offer: Offer, order: list[int] | None = None) -> None:
        self.kinds, self.offer = kinds, offer
        self.times = offer.times
        self.money = offer.money
        self.order = dearest_first(kinds, kinds_of(offer)) if order is None else order
        self.is_over = False
        shape = offer.shape
        self.by_share = self.order
        self.offs: dict[int, int] = {}
        rate_bp = None if isinstance(shape, EachUnit) else shape.rate_bp
        if rate_bp is not None:
            self.offs = shares_of(kinds, self.order, rate_bp)
            self.by_share = sorted(self.order, key=self.offs.__getitem__, reverse=True)
        self.pool = gift_pool(kinds, shape, offer.times) if isinstance(shape, GiftOf) else None
        self.gifts = dict(self.pool.units) if self.pool else {}
        self.taken: list[tuple[Application, int]] = []

    def best(self, left: dict[int, int]) -> Use | None:
        """The application of the largest value among these units; None when none is worth anything."""
        if self.is_over or self.times == 0 or self.money == 0:
            return None
        use = _best(self, left)
        if use is None or use.application.value <= 0:
            return None
        return use if self.money is None or not self.offer.is_whole or use.application.value <= self.money else None

    def affordable(self) -> list[int]:
        """Kinds by what a share takes off them; without those that are more than the money left when none may be cut."""
        if self.money is None or not self.offer.is_whole:
            return self.by_share
        return [kind for kind in self.by_share if self.offs[kind] <= self.money]

    def use(self, use: Use, left: dict[int, int]) -> int:
        """Take it as often as it can be; what it brings within the money."""
        claimed = use.application.claimed
        often = min([left[kind] // count for kind, count in claimed] + [self.gifts[kind] // count for kind, count in use.gifts])
        if use.groups > 1 or _is_basket(self.offer):
            often, self.is_over = 1, True
        if self.times is not None:
            often = min(often, self.times // use.groups)
            self.times -= often * use.groups
        value = use.application.value
        if self.money is not None:
            often = min(often, self.money // value if self.offer.is_whole else -(-self.money // value))
        for kind, count in claimed:
            left[kind] -= count * often
        for kind, count in use.gifts:
            self.gifts[kind] -= count * often
        brought = value * often if self.money is None else min(value * often, self.money)
        self.money = self.money if self.money is None else self.money - brought
        self._note(use, often)
        return brought

    def _note(self, use: Use, often: int) -> None:
        shape = self.offer.shape
        if isinstance(shape, NOfGroup) and shape.is_basket:
            self.taken.extend(basket_groups(self.kinds, self.offer, use.groups))
        else:
            self.taken.append((use.application, often))


def _is_basket(offer: Offer) -> bool:
    return isinstance(offer.shape, NOfGroup) and offer.shape.is_basket


def _best(own: Left, left: dict[int, int]) -> Use | None:
    shape = own.offer.shape
    match shape:
        case EachUnit(values=values):
            most = own.money if own.offer.is_whole and own.money is not None else None
            there = [(value, -kind) for kind, value in values if left.get(kind, 0) and (most is None or value <= most)]
            value, negated = max(there, default=(0, 0))
            return Use(unit_of(-negated, value), (), 1) if value else None
        case NOfGroup(is_basket=True):
            return _best_option(own, shape, left)
        case NOfGroup():
            return _best_group(own, shape, left)
        case SetOf():
            return _best_set(own, shape, left)
        case GiftOf():
            return _best_gift(own, shape, left)
        case _:
            assert_never(shape)


def _best_option(own: Left, shape: NOfGroup, left: dict[int, int]) -> Use | None:
    """The most groups that fit: one group more claims the same units and others, and is worth no less."""
    low, high = 0, basket_groups_most(own.kinds, shape)
    if own.times is not None:
        high = min(high, own.times)
    best = None
    while low < high:
        groups = (low + high + 1) // 2
        one = application_of(own.offs, *basket_option(own.kinds, shape, groups))
        fits = all(left.get(kind, 0) >= count for kind, count in one.claimed)
        if fits and (own.money is None or not own.offer.is_whole or one.value <= own.money):
            low, best = groups, Use(one, (), groups)
        else:
            high = groups - 1
    return best


def _best_group(own: Left, shape: NOfGroup, left: dict[int, int]) -> Use | None:
    """Companions from the one end, so that the largest shares of all others can be had."""
    pay = shape.n - shape.k
    order = own.order[::-1] if shape.is_dearest else own.order
    if sum([left.get(kind, 0) for kind in order]) < (pay + 1 if shape.is_partial else shape.n):
        return None
    paid = take(order, left, pay)
    if sum([count for _, count in paid]) < pay:
        return None
    for kind, count in paid:
        left[kind] -= count
    rewarded = take(own.affordable(), left, shape.k)
    for kind, count in paid:
        left[kind] += count
    if not shape.is_partial and sum([count for _, count in rewarded]) < shape.k:
        return None
    return Use(application_of(own.offs, tuple(rewarded), tuple(paid)), (), 1) if rewarded else None


def _best_set(own: Left, shape: SetOf, left: dict[int, int]) -> Use | None:
    """The set of the dearest units, of those with most room, or of the cheapest where a dear one may be too much."""
    kinds = own.kinds
    orders = [own.by_share]
    if shape.rate_bp is None and any(kinds[kind].room < kinds[kind].price for kind in own.order):
        orders.append(sorted(own.order, key=lambda kind: (-kinds[kind].room, -kinds[kind].price, -kind)))
    most = own.money if own.offer.is_whole else None
    if most is not None:
        orders.append(own.order[::-1])
    best = None
    for order in orders:
        filled = fill(shape.slots, order, left)
        if filled is not None:
            one = set_of(kinds, shape, counted([pair for units in filled for pair in units]))
            if (best is None or one.value > best.value) and (most is None or one.value <= most):
                best = one
    return None if best is None else Use(best, (), 1)


def _best_gift(own: Left, shape: GiftOf, left: dict[int, int]) -> Use | None:
    assert own.pool is not None
    kinds = own.kinds
    can = {kind: min(count, left.get(kind, 0)) for kind, count in own.gifts.items()}
    by_share = [kind for kind in own.affordable() if kind in can]
    for qty in range(min(shape.qty, sum(can.values())), 0, -1):
        if qty < shape.qty and not own.pool.is_short:
            return None
        gifts = counted(take(by_share, can, qty))
        gone = dict(gifts)
        rest = {kind: left.get(kind, 0) - gone.get(kind, 0) for kind in own.order}
        order = sorted(own.order, key=lambda kind: (kind in can, -kinds[kind].price, -kind))
        bought = fill(shape.buy, order, rest)
        if bought is not None:
            goods = counted(pair for units in bought for pair in units)
            return Use(application_of(own.offs, gifts, goods), gifts, 1)
    return None


def pack_by_priority(kinds: Sequence[Kind], offers: Sequence[Offer]) -> Packed:
    """Offers act one after another, by priority and then id, each as often as it can, its best application first."""
    left = {number: kind.count for number, kind in enumerate(kinds)}
    taken: list[Taken] = []
    for number in in_order(offers):
        own = Left(kinds, offers[number])
        while (use := own.best(left)) is not None:
            own.use(use, left)
        taken.extend(taken_of(offers[number], number, own.taken))
    taken.sort(key=lambda one: (one.offer, -one.value, one.claimed))
    value = sum(one.value for one in taken)
    bound = max(value, _bound(kinds, offers))
    return Packed(taken=tuple(taken), value=value, bound=bound, proven=False, applications=len(taken), nodes=0)


def alone(kinds: Sequence[Kind], offer: Offer) -> int:
    """What an offer would bring if it had the receipt for itself, one best application after another."""
    left = {number: kind.count for number, kind in enumerate(kinds)}
    own = Left(kinds, offer)
    value = 0
    while (use := own.best(left)) is not None:
        value += own.use(use, left)
    return value


def in_order(offers: Sequence[Offer]) -> list[int]:
    """The places of offers, the highest priority first, then by id."""
    return sorted(range(len(offers)), key=lambda number: (-offers[number].priority, offers[number].id))


def by_value(value: int, units: int, best_value: int, best_units: int) -> bool:
    """The larger value is better."""
    return value > best_value


def by_density(value: int, units: int, best_value: int, best_units: int) -> bool:
    """The larger value for each unit claimed is better."""
    return value * best_units > best_value * units


def greedy(kinds: Sequence[Kind], offers: Sequence[tuple[int, Offer]], left: dict[int, int], better: Better) -> list[Taken]:
    """The best application of any offer again and again; ``left`` becomes what nobody claimed. Offers stand in their order.

    An application found before units went is worth no less than what can be found now, so it is looked for anew only when its
    turn comes and it does not fit any more.
    """
    own = [Left(kinds, offer) for _, offer in offers]
    uses = [one.best(left) for one in own]
    scores = [_score(use, one) for use, one in zip(uses, own, strict=True)]
    while True:
        chosen = 0
        for place, score in enumerate(scores):
            if better(*score, *scores[chosen]):
                chosen = place
        use = uses[chosen]
        if use is None:
            break
        if _fits(use, left):
            own[chosen].use(use, left)
        uses[chosen] = own[chosen].best(left)
        scores[chosen] = _score(uses[chosen], own[chosen])
    return [one for (number, offer), held in zip(offers, own, strict=True) for one in taken_of(offer, number, held.taken)]


def _fits(use: Use, left: dict[int, int]) -> bool:
    return all(left[kind] >= count for kind, count in use.application.claimed)


def _score(use: Use | None, own: Left) -> tuple[int, int]:
    """(value within the money, units); (0, 1) for nothing."""
    if use is None:
        return 0, 1
    value = use.application.value if own.money is None else min(use.application.value, own.money)
    return value, sum([count for _, count in use.application.claimed])


def _bound(kinds: Sequence[Kind], offers: Sequence[Offer]) -> int:
    """Every unit at the most that any offer can bring for it."""
    most = dict.fromkeys(range(len(kinds)), 0)
    for offer in offers:
        for kind, share in at_most(kinds, offer).items():
            most[kind] = max(most[kind], share)
    return sum(share * kinds[kind].count for kind, share in most.items())
