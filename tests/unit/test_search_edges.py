"""The packing of offers on units where figures are equal, as small as they can be, or at a limit. Worked out by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.applications import unit_of
from pos_loyalty.engine.greedy import by_density, by_value, greedy
from pos_loyalty.engine.packing import EachUnit, Effort, GiftOf, Kind, NOfGroup, Offer, SetOf, Slot, Taken
from pos_loyalty.engine.regroup import regroup, taken_of
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from pos_loyalty.engine.steps import DearestOfGroup

USUAL = Effort(applications=4_000, nodes=2_000)
FREE = 10_000
Shape = EachUnit | NOfGroup | SetOf | GiftOf


def units(*prices: int) -> list[Kind]:
    """One unit of each price, in the finest amounts there are, that may fall to nothing."""
    return [Kind(price=price, room=price, count=1) for price in prices]


def offer(shape: Shape, name: str = "o", **limits: int | bool) -> Offer:
    return Offer(id=name, priority=0, shape=shape, **limits)  # type: ignore[arg-type]


def two(*kinds: int, **flags: bool) -> NOfGroup:
    """One of two is free."""
    return NOfGroup(kinds=kinds, n=2, k=1, rate_bp=FREE, **flags)


def value(kinds: list[Kind], *offers: Offer) -> int:
    packed = pack(kinds, offers, USUAL)
    assert packed.proven
    return packed.value


@pytest.mark.parametrize(("money", "brought"), [(1, 0), (10, 10), (19, 10), (20, 20), (30, 30), (39, 30), (40, 40), (50, 40)])
def test_groups_of_a_basket_within_whole_money(money: int, brought: int) -> None:
    """Eight units of 10 make four groups, each worth 10."""
    basket = offer(two(0, is_basket=True), money=money, is_whole=True)
    kinds = [Kind(price=10, room=10, count=8)]
    assert (alone(kinds, basket), value(kinds, basket)) == (brought, brought)


@pytest.mark.parametrize(("times", "brought"), [(1, 10), (2, 20), (3, 30), (4, 40), (5, 40)])
def test_groups_of_a_basket_so_many_times(times: int, brought: int) -> None:
    basket = offer(two(0, is_basket=True), times=times)
    kinds = [Kind(price=10, room=10, count=8)]
    assert (alone(kinds, basket), value(kinds, basket)) == (brought, brought)


def test_groups_of_a_basket_stand_one_by_one_as_far_as_the_money_lasts() -> None:
    kinds = [Kind(price=10, room=10, count=4)]

    def taken(money: int) -> list[tuple[int, int]]:
        return [(one.times, one.value) for one in pack_by_priority(kinds, [offer(two(0, is_basket=True), money=money)]).taken]

    assert taken(20) == [(2, 20)]
    assert taken(19) == [(1, 19)]


def test_what_is_worth_the_least_there_is_is_taken() -> None:
    assert value(units(1, 1), offer(two(0, 1))) == 1
    assert value(units(1), offer(EachUnit(values=((0, 1),)))) == 1
    assert value(units(1), offer(EachUnit(values=((0, 1),)), times=1)) == 1
    assert value(units(1, 1), offer(SetOf(slots=(Slot(kinds=(0, 1), count=2),), amount=1))) == 1
    assert value(units(1, 1), offer(GiftOf(buy=(Slot(kinds=(0,), count=1),), gifts=(1,), qty=1, rate_bp=FREE))) == 1
    both = (offer(two(0, 1), "a"), offer(two(1, 2), "b"))
    assert value(units(1, 1, 1), *both) == 1
    assert value(units(1, 1, 1, 1), *both, offer(two(2, 3), "c")) == 2
    assert pack_by_priority(units(1, 1, 1), both).value == 1


def test_units_that_are_gone_are_no_companions() -> None:
    kinds = [Kind(price=9, room=9, count=0), *units(5)]
    assert alone(kinds, offer(two(0, 1))) == value(kinds, offer(two(0, 1))) == 0
    gift = GiftOf(buy=(Slot(kinds=(0,), count=1),), gifts=(1,), qty=1, rate_bp=FREE)
    assert alone(kinds, offer(gift)) == value(kinds, offer(gift)) == 0


def taken_by(better: object, kinds: list[Kind], *offers: Offer) -> list[int]:
    """The places of the offers that act."""
    left = {number: kind.count for number, kind in enumerate(kinds)}
    taken: list[Taken] = greedy(kinds, list(enumerate(offers)), left, better)  # type: ignore[arg-type]
    return [one.offer for one in taken]


def test_the_best_next_use_by_its_value_or_by_its_value_for_a_unit() -> None:
    """A pair brings 10, a unit 6; of two that are as good the first one acts, and what cannot act stops nobody."""
    kinds = units(20, 10)
    pair = offer(SetOf(slots=(Slot(kinds=(0, 1), count=2),), amount=10))
    single, other = (offer(EachUnit(values=((0, each),)), times=1) for each in (6, 5))
    assert taken_by(by_value, kinds, single, pair) == [1]
    assert taken_by(by_density, kinds, single, pair) == [0]
    assert taken_by(by_density, kinds, other, pair) == [0]
    assert taken_by(by_density, kinds, pair, other) == [0]
    assert taken_by(by_value, kinds, other, single) == [1]
    assert taken_by(by_value, units(1), offer(two(0)), offer(EachUnit(values=((0, 1),)), times=1)) == [1]
    assert taken_by(by_value, units(1), offer(two(0))) == []


def test_dearest_groups_that_are_not_full_stay_apart() -> None:
    """Two of three at the most, at least one: reward and companion in turn are three groups, not one that grows."""
    kinds = [Kind(price=10, room=10, count=6)]
    shape = NOfGroup(kinds=(0,), n=3, k=2, rate_bp=FREE, is_dearest=True)
    steps = DearestOfGroup({0: 10}, 1, 2, None, is_partial=True)

    def groups(*roles: int) -> list[tuple[int, int]]:
        found = regroup(kinds, offer(shape), steps, [(0, role) for role in roles])
        return [(one.value, sum(count for _, count in one.claimed)) for one, _ in found]

    assert groups(1, 0, 1, 0, 1, 0) == [(10, 2)] * 3
    assert groups(1, 0, 1, 0, 1, 1, 0) == [(10, 2), (10, 2), (20, 3)]
    assert groups(1, 1, 0, 1, 0) == [(20, 3), (10, 2)]


@pytest.mark.parametrize(("fixed", "brought"), [(0, 30), (9, 21), (10, 20), (11, 19), (29, 1), (30, 0), (31, 0)])
def test_a_set_at_a_price_between_its_floors_and_its_prices(fixed: int, brought: int) -> None:
    """Units of 10 and 20 may each fall to half; a price below what is left of them stops there."""
    kinds = [Kind(price=10, room=5, count=1), Kind(price=20, room=10, count=1)]
    one = offer(SetOf(slots=(Slot(kinds=(0,), count=1), Slot(kinds=(1,), count=1)), fixed=fixed))
    assert value(kinds, one) == min(brought, 15)
    assert value([*kinds, *units(20)], one, offer(two(1, 2), "b")) == max(min(brought, 15), 10)


@pytest.mark.parametrize(("amount", "brought"), [(0, 0), (1, 1), (14, 14), (15, 15), (16, 15), (40, 15)])
def test_a_set_for_less_by_an_amount_as_far_as_its_floors_let_it(amount: int, brought: int) -> None:
    kinds = [Kind(price=10, room=5, count=1), Kind(price=20, room=10, count=1)]
    one = offer(SetOf(slots=(Slot(kinds=(0,), count=1), Slot(kinds=(1,), count=1)), amount=amount))
    assert value(kinds, one) == brought
    assert value([*kinds, *units(20)], one, offer(two(1, 2), "b")) == max(brought, 10)


@pytest.mark.parametrize(("limits", "times", "brought"), [({}, 5, 50), ({"money": 25}, 3, 25), ({"money": 20}, 2, 20)])
def test_of_a_use_so_often_only_what_the_money_lasts_for_is_taken(limits: dict[str, int], times: int, brought: int) -> None:
    """Five units of 10: the third is cut to fit, unless it must be whole."""
    found = [(unit_of(0, 10), 5), (unit_of(1, 0), 9)]
    one = offer(EachUnit(values=((0, 10),)), **limits)
    assert [(each.times, each.value) for each in taken_of(one, 0, found)] == [(times, brought)]
    whole = replace(one, is_whole=True)
    assert [(each.times, each.value) for each in taken_of(whole, 0, found)] == [(brought // 10, brought // 10 * 10)]
    assert taken_of(replace(one, money=0), 0, found) == taken_of(replace(whole, money=9), 0, found) == []


def test_offers_that_stand_apart_cost_of_the_same_effort() -> None:
    """Two offers that nobody competes with are listed first; the others share what is left."""
    kinds = units(30, 20, 10, 7, 6, 5, 4)
    apart = (offer(two(3, 4), "x"), offer(two(5, 6), "y"))
    shared = (offer(two(0, 1), "a"), offer(two(1, 2), "b"), offer(two(0, 2), "c"))
    spent = [pack(kinds, [*shared, *apart], Effort(applications=most, nodes=100)).applications for most in range(2, 30)]
    assert all(listed <= most for most, listed in enumerate(spent, start=2))
    assert spent[0] == 2 and spent[-1] > 10
