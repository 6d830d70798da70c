"""Division of money: figures worked out by hand."""

from __future__ import annotations

import pytest

from pos_loyalty.engine.money import (
    allocate,
    half_up,
    percent_of,
    percent_within,
    split_evenly,
    sum_of,
    unit_price_nearest,
    unit_price_within,
    vat_in,
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"), [(0, 7, 0), (1, 2, 1), (3, 2, 2), (5, 10, 1), (4, 10, 0), (14, 3, 5)]
)
def test_a_half_goes_up(numerator: int, denominator: int, whole: int) -> None:
    assert half_up(numerator, denominator) == whole


def test_percentages_round_half_up() -> None:
    assert percent_of(1750, 300) == 53  # 52.5
    assert percent_of(1749, 300) == 52
    assert percent_of(999, 10_000) == 999
    assert percent_within(1799, 300) == 53  # 53.97 as a limit


def test_price_times_weight_rounds_half_up() -> None:
    assert sum_of(15_000, 2000) == 30_000
    assert sum_of(10_001, 500) == 5001  # 5000.5
    assert sum_of(89_990, 345) == 31_047  # 31046.55


def test_vat_is_taken_out_of_the_gross() -> None:
    assert vat_in(12_200, 2200) == 2200
    assert vat_in(10_000, 1000) == 909  # 909.09
    assert vat_in(10_000, 0) == 0
    assert vat_in(10_000, None) == 0


def test_the_price_of_a_weight_never_passes_the_sum() -> None:
    assert unit_price_within(31_047, 345) == 89_992  # 31047.24; 89993 would be 31047.585
    assert unit_price_within(1000, 3000) == 333  # 999
    assert unit_price_nearest(31_047, 345) == 89_991  # 31046.895
    assert unit_price_nearest(1000, 3000) == 333


def test_pieces_share_evenly() -> None:
    assert split_evenly(18_431, 2) == (9215, 1)
    assert split_evenly(900, 3) == (300, 0)
    assert split_evenly(0, 3) == (0, 0)


FREE = 10**9


@pytest.mark.parametrize(
    ("weights", "amount", "parts"),
    [
        ([4300, 1400, 2300], 299, [161, 52, 86]),
        ([4300, 1400, 2300], 300, [161, 53, 86]),
        ([1, 1, 1], 1000, [334, 333, 333]),
        ([123], 300, [300]),
        ([4000, 2000, 2000], 300, [150, 75, 75]),
        ([10, 20, 10, 30, 50, 20, 10, 40], 95, [5, 10, 5, 15, 25, 10, 5, 20]),
        ([10, 20, 10, 30, 50, 20, 10, 40], 93, [5, 10, 5, 15, 24, 10, 5, 19]),
        ([10, 0], 40, [40, 0]),
        ([], 40, []),
    ],
)
def test_allocation_without_caps(weights: list[int], amount: int, parts: list[int]) -> None:
    assert allocate(weights, amount, [FREE] * len(weights)) == parts


def test_what_a_cap_stops_goes_to_the_others() -> None:
    assert allocate([1, 1, 1], 300, [10, FREE, FREE]) == [10, 145, 145]
    assert allocate([1, 1, 2], 400, [50, 60, 500]) == [50, 60, 290]
    assert allocate([1, 1], 300, [10, 20]) == [10, 20]
    assert allocate([5, 5], 10, [0, 4]) == [0, 4]


def test_of_equal_remainders_the_larger_weight_then_the_earlier_place_comes_first() -> None:
    assert allocate([1, 3], 2, [FREE, FREE]) == [0, 2]  # 0.5 and 1.5
    assert allocate([2, 2, 2], 4, [FREE] * 3) == [2, 1, 1]
