"""Laws of allocation: nothing lost, nothing made, no cap passed, nobody far from their share."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_loyalty.engine.money import (
    allocate,
    half_up,
    percent_of,
    percent_within,
    share_up,
    split_evenly,
    sum_of,
    unit_price_nearest,
    unit_price_within,
    up,
    vat_in,
    whole_in,
    with_margin,
)
from tests.property.seeded_worlds import effort

LAW = settings(max_examples=effort(few=60, some=200, many=2_000), deadline=None)
WEIGHTS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 10**9)), max_size=9)
AMOUNT = st.one_of(st.integers(0, 50), st.integers(0, 10**9))


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[int], int, list[int]]:
    weights = draw(WEIGHTS)
    caps = [draw(st.one_of(st.integers(0, 30), st.just(10**12))) for _ in weights]
    return weights, draw(AMOUNT), caps


@LAW
@given(splits())
def test_the_parts_sum_to_all_that_may_be_given(split: tuple[list[int], int, list[int]]) -> None:
    weights, amount, caps = split
    parts = allocate(weights, amount, caps)
    room = sum(cap for weight, cap in zip(weights, caps, strict=True) if weight)
    assert sum(parts) == min(amount, room)
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)


@LAW
@given(WEIGHTS, AMOUNT)
def test_without_caps_every_part_is_within_one_of_its_share(weights: list[int], amount: int) -> None:
    parts = allocate(weights, amount, [10**12] * len(weights))
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert not whole or abs(part - Fraction(amount * weight, whole)) < 1


@LAW
@given(splits())
def test_among_the_uncapped_a_larger_weight_never_gets_less(split: tuple[list[int], int, list[int]]) -> None:
    weights, amount, caps = split
    parts = allocate(weights, amount, caps)
    free = sorted((weight, part) for weight, part, cap in zip(weights, parts, caps, strict=True) if part < cap)
    assert all(b[1] - a[1] >= (0 if b[0] > a[0] else -1) for a, b in pairwise(free))


@LAW
@given(splits(), st.integers(1, 50))
def test_scaling_all_weights_changes_nothing(split: tuple[list[int], int, list[int]], factor: int) -> None:
    weights, amount, caps = split
    assert allocate([weight * factor for weight in weights], amount, caps) == allocate(weights, amount, caps)


@LAW
@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_half_up_is_the_nearest_whole_number(numerator: int, denominator: int) -> None:
    rest = half_up(numerator, denominator) - Fraction(numerator, denominator)
    assert Fraction(-1, 2) < rest <= Fraction(1, 2)


@LAW
@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_share_is_the_nearest_minor_unit(amount: int, rate: int) -> None:
    rest = percent_of(amount, rate) - Fraction(amount * rate, 10_000)
    assert Fraction(-1, 2) < rest <= Fraction(1, 2)


@LAW
@given(st.integers(0, 10**9), st.integers(1, 9999))
def test_prices_of_a_weight(total: int, milli: int) -> None:
    below = unit_price_within(total, milli)
    assert sum_of(below, milli) <= total < sum_of(below + 1, milli)
    if sum_of(below, milli) == total:
        assert sum_of(unit_price_nearest(total, milli), milli) == total


@LAW
@given(st.integers(0, 10**9), st.integers(1, 1000))
def test_pieces_multiply_out(total: int, pieces: int) -> None:
    price, dearer = split_evenly(total, pieces)
    assert (pieces - dearer) * price + dearer * (price + 1) == total
    assert 0 <= dearer < pieces


@LAW
@given(st.integers(0, 10**12), st.integers(0, 10_000), st.integers(1, 10**6))
def test_floors_round_up_and_limits_down_by_less_than_one(amount: int, rate: int, whole: int) -> None:
    part = min(rate, whole)
    exact = (
        (up(amount, whole), Fraction(amount, whole)),
        (with_margin(amount, rate), Fraction(amount * (10_000 + rate), 10_000)),
        (share_up(amount, part, whole), Fraction(amount * part, whole)),
    )
    assert all(0 <= rounded - value < 1 for rounded, value in exact)
    assert 0 <= Fraction(amount * rate, 10_000) - percent_within(amount, rate) < 1
    assert 0 <= Fraction(amount, whole) - whole_in(amount, whole) < 1


@LAW
@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_vat_and_what_is_without_it_make_the_sum(amount: int, rate: int) -> None:
    vat = vat_in(amount, rate)
    assert abs(vat - Fraction(amount * rate, 10_000 + rate)) <= Fraction(1, 2)
    assert vat_in(amount, None) == 0


def test_corners_of_a_split() -> None:
    assert allocate([], 5, []) == []
    assert allocate([0, 0], 5, [9, 9]) == [0, 0], "without a weight nobody takes"
    assert allocate([1, 1], 5, [0, 9]) == [0, 5], "without room neither"
    assert allocate([1, 1, 1], 2, [9, 9, 9]) == [1, 1, 0], "of equals the earlier"
    assert allocate([1, 3], 2, [9, 9]) == [0, 2], "of equal remainders the heavier"
    assert allocate([1, 1], 10, [3, 9]) == [3, 7], "what one cannot take goes to the other"
    assert allocate([1, 1], 6, [3, 3]) == [3, 3]
    assert allocate([5], 7, [4]) == [4]
    assert allocate([2, 1, 1], 4, [1, 9, 9]) == [1, 2, 1]
