"""The packing of offers on units by hand: every shape, limits, ties, many units, and the same bytes everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.applications import fill, gift_pool
from pos_loyalty.engine.packing import EachUnit, Effort, GiftOf, Kind, NOfGroup, Offer, Packed, SetOf, Slot, Solved, Taken
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from tests.oracles.problems import asked, beside, problem

ROOT = Path(__file__).parents[2]
SCALE = 10_000
USUAL = Effort(applications=4_000, nodes=2_000)
FREE = 10_000


def units(*prices: int) -> list[Kind]:
    """One unit of each price, in minor units, that may fall to nothing."""
    return [Kind(price=price * SCALE, room=price * SCALE, count=1) for price in prices]


def offer(shape: EachUnit | NOfGroup | SetOf | GiftOf, **limits: int | bool | None) -> Offer:
    return Offer(id="o", priority=0, shape=shape, **limits)  # type: ignore[arg-type]


def group(kinds: tuple[int, ...], n: int = 3, k: int = 1, **flags: bool) -> NOfGroup:
    return NOfGroup(kinds=kinds, n=n, k=k, rate_bp=FREE, **flags)


def value(kinds: list[Kind], *offers: Offer) -> int:
    """The best packing's value in minor units; it must be proven."""
    packed = pack(kinds, offers, USUAL)
    assert packed.proven and packed.bound == packed.value
    assert packed.value % SCALE == 0
    return packed.value // SCALE


def slot(count: int, *kinds: int) -> Slot:
    return Slot(kinds=kinds, count=count)


def test_nothing_to_pack_is_proven_to_be_nothing() -> None:
    nothing = Packed(taken=(), value=0, bound=0, proven=True, applications=0, nodes=0)
    assert pack([], [], USUAL) == nothing
    assert pack(units(5, 7), [], USUAL) == nothing
    assert pack(units(5, 7), [offer(group((0, 1)))], USUAL).value == 0


def test_single_units_take_the_best_offer_and_ties_go_to_priority_then_id() -> None:
    kinds = [Kind(price=9 * SCALE, room=9 * SCALE, count=4), *units(5)]
    first = Offer(id="a", priority=0, shape=EachUnit(values=((0, 3 * SCALE), (1, SCALE))))
    second = Offer(id="b", priority=1, shape=EachUnit(values=((0, 3 * SCALE),)))
    packed = pack(kinds, [first, second], USUAL)
    assert packed.taken == (
        Taken(offer=0, times=1, claimed=((1, 1),), parts=((1, 1, SCALE),), value=SCALE),
        Taken(offer=1, times=4, claimed=((0, 1),), parts=((0, 1, 3 * SCALE),), value=12 * SCALE),
    )
    assert packed.proven and packed.value == packed.bound == 13 * SCALE


def test_single_units_within_times_and_money() -> None:
    kinds = units(9, 8, 7)
    shape = EachUnit(values=((0, 3 * SCALE), (1, 4 * SCALE), (2, 5 * SCALE)))
    assert value(kinds, offer(shape, times=2)) == 9
    assert value(kinds, offer(shape, money=7 * SCALE)) == 7
    assert value(kinds, offer(shape, money=8 * SCALE, is_whole=True)) == 8
    assert value(kinds, offer(shape, money=11 * SCALE, is_whole=True)) == 9
    assert value(kinds, offer(shape, times=2, money=6 * SCALE)) == 6


def test_of_three_the_cheapest_groups_are_free_for_the_best() -> None:
    assert value(units(50, 40, 30, 20, 10, 5), offer(group((0, 1, 2, 3, 4, 5)))) == 35
    assert value(units(50, 40, 30, 20, 10), offer(group((0, 1, 2, 3, 4)))) == 30
    assert value(units(50, 40, 30, 20, 10, 5), offer(group((0, 1, 2, 3, 4, 5)), times=1)) == 30
    assert value(units(50, 40, 30), offer(group((0, 1, 2), is_dearest=True))) == 50


def test_a_last_group_may_be_partial() -> None:
    two_free = NOfGroup(kinds=(0, 1, 2, 3, 4), n=4, k=2, rate_bp=5000)
    kinds = units(100, 80, 60, 40, 20)
    assert value(kinds, offer(two_free)) == 50
    assert value(kinds[:3], offer(NOfGroup(kinds=(0, 1, 2), n=4, k=2, rate_bp=5000))) == 30
    assert value(kinds[:3], offer(NOfGroup(kinds=(0, 1, 2), n=4, k=2, rate_bp=5000, is_partial=False))) == 0


def test_a_group_of_the_dearest_is_whole_unless_it_may_be_partial() -> None:
    """Another offer on the units, however small, keeps them from the short way for an offer that is alone."""
    kinds = units(50, 40, 30, 20, 10)
    small = Offer(id="small", priority=0, shape=EachUnit(values=((4, SCALE),)))
    pair = NOfGroup(kinds=(0, 1, 2, 3, 4), n=3, k=2, rate_bp=FREE, is_dearest=True, is_partial=False)
    assert value(kinds, offer(pair), small) == 91
    assert value(kinds, offer(NOfGroup(kinds=(0, 1, 2, 3, 4), n=3, k=2, rate_bp=FREE, is_dearest=True)), small) == 120


def test_money_that_must_be_whole_is_compared_with_what_a_whole_set_brings() -> None:
    small = Offer(id="small", priority=0, shape=EachUnit(values=((0, SCALE),)))
    pair = SetOf(slots=(slot(2, 0, 1),), fixed=60 * SCALE)
    assert value(units(50, 40), offer(pair, money=30 * SCALE, is_whole=True), small) == 30
    assert value(units(50, 40), offer(pair, money=29 * SCALE, is_whole=True), small) == 1
    assert value(units(50, 40), offer(pair, money=29 * SCALE), small) == 29
    four = SetOf(slots=(slot(2, 0, 1, 2, 3),), fixed=145 * SCALE)
    assert value(units(125, 125, 65, 65), offer(four, money=90 * SCALE, is_whole=True)) == 90
    tight = [Kind(price=125 * SCALE, room=125 * SCALE, count=2), Kind(price=65 * SCALE, room=32 * SCALE, count=2)]
    both = SetOf(slots=(slot(2, 0, 1),), fixed=145 * SCALE)
    assert value(tight, offer(both, money=90 * SCALE, is_whole=True)) == 90


def test_within_whole_money_the_rewarded_units_need_not_be_the_dearest() -> None:
    kinds = units(20, 18, 18, 15, 1)
    half = NOfGroup(kinds=(0, 1, 2, 3, 4), n=2, k=1, rate_bp=5000)
    packed = pack(kinds, [offer(half, money=23 * SCALE // 2, is_whole=True)], USUAL)
    assert packed.proven and packed.value == 19 * SCALE // 2


def test_a_room_smaller_than_the_share_stops_it_and_another_unit_may_be_better() -> None:
    kinds = [*units(50, 40), Kind(price=30 * SCALE, room=0, count=1), *units(20)]
    assert value(kinds, offer(group((0, 1, 2, 3)))) == 20


def test_over_the_whole_basket_only_its_cheapest_are_rewarded() -> None:
    kinds = units(50, 40, 30, 20, 10, 5)
    assert value(kinds, offer(group((0, 1, 2, 3, 4, 5), is_basket=True))) == 15
    assert value(kinds, offer(group((0, 1, 2, 3, 4, 5), is_basket=True, is_dearest=True))) == 90
    assert value(kinds, offer(group((0, 1, 2, 3, 4, 5), is_basket=True), times=1)) == 5
    packed = pack(kinds, [offer(group((0, 1, 2, 3, 4, 5), is_basket=True))], USUAL)
    assert sum(one.times for one in packed.taken) == 2


def test_a_basket_option_claims_all_its_units_even_for_a_reward_worth_nothing() -> None:
    kinds = [Kind(price=100 * SCALE, room=0, count=2), *units(80, 75, 5, 4)]
    small = Offer(id="small", priority=0, shape=EachUnit(values=((3, SCALE),)))
    assert value(kinds, offer(group((0, 1, 2, 3, 4), n=2, is_basket=True, is_dearest=True)), small) == 80
    cut = offer(group((0, 1, 2, 3, 4), n=2, is_basket=True), money=3 * SCALE)
    assert value(kinds, cut, small) == 4


def test_sets_for_a_price_a_share_or_an_amount() -> None:
    kinds = units(50, 40, 30, 20)
    both = (slot(1, 0, 1), slot(1, 2, 3))
    assert value(kinds, offer(SetOf(slots=both, fixed=60 * SCALE))) == 20 + 0
    assert value(kinds, offer(SetOf(slots=both, rate_bp=1000))) == 14
    assert value(kinds, offer(SetOf(slots=both, amount=25 * SCALE))) == 50
    assert value(kinds, offer(SetOf(slots=(slot(2, 0, 1, 2, 3),), fixed=65 * SCALE))) == 25
    assert value(kinds, offer(SetOf(slots=(slot(4, 0, 1, 2, 3),), fixed=200 * SCALE))) == 0


def test_a_set_never_falls_below_the_floors_of_its_units() -> None:
    kinds = [Kind(price=50 * SCALE, room=5 * SCALE, count=2), *units(40, 30)]
    pair = (slot(2, 0, 1, 2),)
    assert value(kinds, offer(SetOf(slots=pair, fixed=10 * SCALE))) == 45 + 35
    assert value(kinds, offer(SetOf(slots=pair, amount=45 * SCALE))) == 45 + 35
    assert value(kinds[:1], offer(SetOf(slots=(slot(2, 0),), fixed=10 * SCALE))) == 10


def test_the_money_forms_of_a_set_leave_the_parts_to_the_caller() -> None:
    kinds = units(50, 30)
    (taken,) = pack(kinds, [offer(SetOf(slots=(slot(2, 0, 1),), fixed=70 * SCALE))], USUAL).taken
    assert taken == Taken(offer=0, times=1, claimed=((0, 1), (1, 1)), parts=(), value=10 * SCALE)
    (taken,) = pack(kinds, [offer(SetOf(slots=(slot(2, 0, 1),), rate_bp=1000))], USUAL).taken
    assert taken.parts == ((0, 1, 5 * SCALE), (1, 1, 3 * SCALE))


def test_a_unit_fills_one_slot_and_slots_are_rearranged_for_it() -> None:
    kinds = units(50, 40, 30)
    assert value(kinds, offer(SetOf(slots=(slot(1, 0, 1, 2), slot(1, 0)), rate_bp=FREE))) == 90
    assert fill([slot(1, 0, 1), slot(1, 0)], [0, 1], {0: 1, 1: 1}) == [((1, 1),), ((0, 1),)]
    assert fill([slot(1, 0, 1), slot(2, 0)], [0, 1], {0: 1, 1: 5}) is None


def test_gifts_are_the_first_that_stand_and_the_dearest_are_bought() -> None:
    kinds = units(50, 40, 30, 20, 10)
    every = (0, 1, 2, 3, 4)
    cheapest = GiftOf(buy=(slot(2, *every),), gifts=(4, 3, 2, 1, 0), qty=1, rate_bp=FREE)
    assert value(kinds, offer(cheapest)) == 10
    assert (
        value([*kinds, *units(60)], offer(GiftOf(buy=(slot(2, *every, 5),), gifts=(4, 3, 2, 1, 0, 5), qty=1, rate_bp=FREE))) == 30
    )
    apart = GiftOf(buy=(slot(1, 0, 1),), gifts=(4, 3, 2), qty=2, rate_bp=5000)
    assert value(kinds, offer(apart)) == 30
    assert value(kinds, offer(apart, times=1)) == 15
    assert gift_pool(kinds, apart, None) == ({4: 1, 3: 1, 2: 1}, True)
    assert gift_pool(kinds, apart, 1) == ({4: 1, 3: 1}, False)


def test_money_cuts_the_last_use_unless_it_must_be_whole() -> None:
    kinds = units(50, 40, 30, 20, 10, 5)
    shape = group((0, 1, 2, 3, 4, 5))
    packed = pack(kinds, [offer(shape, money=32 * SCALE)], USUAL)
    assert [one.value for one in packed.taken] == [30 * SCALE, 2 * SCALE]
    assert value(kinds, offer(shape, money=32 * SCALE, is_whole=True)) == 30
    assert value(kinds, offer(shape, money=12 * SCALE, is_whole=True)) == 10


def test_offers_that_compete_leave_the_best_together() -> None:
    """The dearest pair of the one offer would break the better pair of groups."""
    kinds = units(100, 100, 100, 90, 90, 90)
    three = Offer(id="three", priority=0, shape=group((0, 1, 2, 3)))
    pair = Offer(id="pair", priority=9, shape=SetOf(slots=(slot(1, 2), slot(1, 3)), amount=60 * SCALE))
    rest = Offer(id="rest", priority=0, shape=group((3, 4, 5)))
    assert value(kinds, three, pair, rest) == 190
    assert pack_by_priority(kinds, [three, pair, rest]).value == 60 * SCALE


def test_by_priority_every_offer_acts_as_often_as_it_can() -> None:
    kinds = units(50, 40, 30, 20, 10, 5)
    low = Offer(id="low", priority=0, shape=EachUnit(values=tuple((kind, SCALE) for kind in range(6))))
    high = Offer(id="high", priority=1, shape=group((0, 1, 2, 3, 4)))
    packed = pack_by_priority(kinds, [low, high])
    assert [(one.offer, one.times, one.value) for one in packed.taken] == [(0, 1, SCALE)] * 3 + [(1, 1, 30 * SCALE)]
    assert not packed.proven and packed.bound >= packed.value == 33 * SCALE
    assert packed.nodes == 0


def test_an_offer_alone_is_worth_its_best_uses() -> None:
    kinds = units(50, 40, 30, 20, 10, 5)
    assert alone(kinds, offer(group((0, 1, 2, 3, 4, 5)))) == 35 * SCALE
    assert alone(kinds, offer(SetOf(slots=(slot(2, 0, 1),), fixed=60 * SCALE), money=20 * SCALE)) == 20 * SCALE
    assert alone(kinds, offer(group((0,)))) == 0


def test_equal_packings_are_told_apart_by_priority_and_id_whatever_the_order() -> None:
    kinds = units(30, 20, 10)
    one = Offer(id="a", priority=1, shape=group((0, 1, 2)))
    two = Offer(id="b", priority=1, shape=SetOf(slots=(slot(3, 0, 1, 2),), amount=10 * SCALE))
    packed, turned = pack(kinds, [one, two], USUAL), pack(kinds, [two, one], USUAL)
    assert [taken.offer for taken in packed.taken] == [0]
    assert [taken.offer for taken in turned.taken] == [1]


@pytest.mark.parametrize("count", [300, 50_000, 10_000_000])
def test_very_many_units_are_answered_at_once_with_a_true_bound(count: int) -> None:
    kinds = [Kind(price=30 * SCALE, room=30 * SCALE, count=count), *units(40, 20)]
    three = Offer(id="three", priority=0, shape=group((0, 1)))
    pair = Offer(id="pair", priority=0, shape=SetOf(slots=(slot(2, 0, 2),), fixed=55 * SCALE))
    each = Offer(id="each", priority=0, shape=EachUnit(values=((0, SCALE), (2, SCALE))))
    packed = pack(kinds, [three, pair, each], USUAL)
    assert (count // 3) * 30 * SCALE <= packed.value <= packed.bound <= (count + 2) * 12 * SCALE
    assert all(one.times <= count for one in packed.taken)


def test_many_offers_on_the_same_units_stay_within_the_effort() -> None:
    kinds = units(*range(500, 560))
    offers = [Offer(id=f"o{n:02}", priority=n % 3, shape=group(tuple(range(n % 7, 60)), n=2 + n % 9)) for n in range(60)]
    packed = pack(kinds, offers, USUAL)
    assert packed.applications <= USUAL.applications and packed.nodes <= USUAL.nodes + 60
    assert packed.value >= max(alone(kinds, one) for one in offers)


SOLVE = """
from tests.unit.test_search import digest
print(digest())
"""


def digest() -> str:
    """A hash of what is said to many random problems."""
    said = hashlib.sha256()
    for seed in range(5_000, 5_036):
        kinds, offers = asked(problem(seed, 14))
        for effort in (USUAL, Effort(applications=80, nodes=20)):
            said.update(repr(pack(kinds, offers, effort)).encode())
        said.update(repr(pack_by_priority(kinds, offers)).encode())
    return said.hexdigest()


def test_the_same_bytes_under_every_hash_seed() -> None:
    said = set()
    for seed in ("0", "1", "77"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", SOLVE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        said.add(run.stdout)
    assert said == {digest() + "\n"}


def with_one_more(kinds: list[Kind], place: int) -> list[Kind]:
    """The same units and one more of a kind."""
    more = kinds[place]
    return [*kinds[:place], Kind(price=more.price, room=more.room, count=more.count + 1), *kinds[place + 1 :]]


def side_by_side(one: int, other: int) -> tuple[list[Kind], list[Offer]]:
    """Two random problems as one question, in which neither has to do with the other."""
    kinds, offers = asked(problem(one))
    told = problem(other)
    away = len(kinds)
    for offered in told["offers"]:
        offered["id"] += "b"
        for slot_ in (*offered.get("slots", ()), *offered.get("buy", ())):
            slot_["kinds"] = [kind + away for kind in slot_["kinds"]]
        for name in offered.keys() & {"kinds", "gifts"}:
            offered[name] = [kind + away for kind in offered[name]]
        if "values" in offered:
            offered["values"] = [(kind + away, off) for kind, off in offered["values"]]
    more_kinds, more_offers = asked(told)
    return kinds + more_kinds, offers + more_offers


@pytest.mark.parametrize("seed", range(60))
def test_what_was_answered_before_is_taken_over_and_changes_no_answer(seed: int) -> None:
    kinds, offers = side_by_side(seed, seed + 1_000)
    effort = Effort(applications=20_000, nodes=20_000)
    before = Solved(kinds=kinds, offers=offers, packed=pack(kinds, offers, effort))
    assert before.packed.proven
    for place in (0, len(kinds) - 1):
        now = with_one_more(kinds, place)
        anew, again = pack(now, offers, effort), pack(now, offers, effort, before)
        assert again.taken == anew.taken
        assert (again.value, again.bound, again.proven) == (anew.value, anew.bound, anew.proven)
        assert again.applications <= anew.applications and again.nodes <= anew.nodes


def test_offers_taken_over_cost_no_effort_whatever_their_numbers_are_now() -> None:
    kinds, offers = side_by_side(3, 4)
    packed = pack(kinds, offers, USUAL)
    assert packed.proven and packed.applications and packed.value
    before = Solved(kinds=kinds, offers=offers, packed=packed)
    assert pack(kinds, offers, USUAL, before) == replace(packed, applications=0, nodes=0)
    none = Kind(price=SCALE, room=SCALE, count=3)
    first = Offer(id=" ", priority=9, shape=EachUnit(values=((len(kinds), SCALE),)))
    again = pack([*kinds, none], [first, *offers], USUAL, before)
    assert again.applications == again.nodes == 0
    assert again.value == packed.value + 3 * SCALE
    assert {one.offer for one in again.taken} == {0, *(one.offer + 1 for one in packed.taken)}


def test_what_was_not_proven_before_is_looked_for_anew() -> None:
    kinds, offers = side_by_side(3, 4)
    hasty = pack(kinds, offers, Effort(applications=0, nodes=0))
    assert not hasty.proven
    assert pack(kinds, offers, USUAL, Solved(kinds=kinds, offers=offers, packed=hasty)) == pack(kinds, offers, USUAL)


HARD = (20, 22, 23, 24, 33, 37, 42)
"""Problems of sixteen units that take more than sixty nodes each."""


@pytest.mark.parametrize("nodes", [0, 7, 20, 40, 90])
def test_all_parts_together_visit_no_more_nodes_than_were_given(nodes: int) -> None:
    for one, other in pairwise(HARD):
        kinds, offers = asked(beside(problem(one, 16), problem(other, 16)))
        assert pack(kinds, offers, Effort(applications=8_000, nodes=nodes)).nodes <= nodes
        assert pack(kinds, offers, Effort(applications=8_000, nodes=2_000)).nodes > 90
