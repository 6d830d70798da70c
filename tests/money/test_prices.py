"""Money laws of a price: what comes off, what points pay and what they bring. The engine alone, figures reckoned by hand."""

from __future__ import annotations

from datetime import timedelta

from pos_loyalty.engine import load_programme
from pos_loyalty.engine import quote as price
from pos_loyalty.engine.model import Lot, Member, Quote, State
from pos_loyalty.values import Points
from tests.money.corner import PROGRAMME, Goods, basket_of
from tests.shop import NOW

DAY = timedelta(days=1)


def answer(*goods: Goods, member: Member | None = None, redeem: int | str | None = None) -> Quote:
    return price(basket_of(*goods, redeem=redeem), member, load_programme(PROGRAMME.encode()), State(uses={}), NOW)


def anna(*lots: Lot, owed_centi: int = 0) -> Member:
    return Member(member_id="anna", lots=lots, owed_centi=Points(owed_centi))


def lot(name: str, points: int, first: timedelta, end: timedelta) -> Lot:
    return Lot(lot_id=name, centi=Points(100 * points), usable_from=NOW + first, expires_at=NOW + end)


def good(points: int) -> Lot:
    return lot("good", points, -DAY, DAY)


def test_ten_rubles_off_three_plates_are_ten_rubles() -> None:
    """Three plates at 100.00, 10.00 off them all: 3.34 + 3.33 + 3.33, and 290.00 to pay. 9.99 would be a kopeck lost."""
    quote = answer(*((f"plate-{each}", 10_000, "1") for each in "abc"))
    assert sorted(off.off_minor for line in quote.lines for off in line.adjustments) == [333, 333, 334]
    assert (quote.gross_minor, quote.total_minor, quote.due_minor) == (30_000, 29_000, 29_000)


def test_half_a_kopeck_of_a_percentage_goes_up() -> None:
    """10 % of 10.05 is 1.005: 1.01 comes off and 9.04 is paid, on one product as on the receipt."""
    assert answer(("coffee", 1_005, "1")).total_minor == 904
    assert answer(("jam", 1_005, "1")).total_minor == 904


def test_points_of_a_receipt_are_rounded_once() -> None:
    """5 % of 0.99 is 0.0495 of a point on each of three lines: 0.1485, so 0.14. Line by line it would be 0.04 × 3 = 0.12."""
    quote = answer(("a", 99, "1"), ("b", 99, "1"), ("c", 99, "1"), member=anna())
    assert [accrual.centi for accrual in quote.accruals] == [14]


def test_money_that_points_paid_brings_no_points() -> None:
    """Of 300.00 points pay 150.00, the limit of 50 %; 5 % of the other 150.00 are 7.50 points."""
    quote = answer(("book", 30_000, "1"), member=anna(good(500)), redeem="max")
    assert (quote.redemption.off_minor, quote.due_minor) == (15_000, 15_000)
    assert [accrual.centi for accrual in quote.accruals] == [750]


def test_a_ruble_is_always_left_to_pay() -> None:
    """Of 1.50 half would be 0.75, but 1.00 must be paid in money: points pay 0.50."""
    quote = answer(("match", 150, "1"), member=anna(good(500)), redeem="max")
    assert (quote.redemption.centi, quote.due_minor) == (50, 100)


def test_what_is_lost_first_is_redeemed_first() -> None:
    """10 points are lost in five days and 10 in nine: 12 points take all of the first and 2 of the second."""
    late, soon = lot("late", 10, -DAY, 9 * DAY), lot("soon", 10, -DAY, 5 * DAY)
    quote = answer(("book", 30_000, "1"), member=anna(late, soon), redeem=1_200)
    assert [(use.lot_id, use.centi) for use in quote.redemption.lots] == [("soon", 1_000), ("late", 200)]


def test_dead_and_unborn_points_pay_nothing() -> None:
    """Of 40 points 10 were lost yesterday, 10 are lost this second, 10 begin tomorrow: 10 may be redeemed."""
    lots = lot("dead", 10, -9 * DAY, -DAY), lot("dying", 10, -9 * DAY, 0 * DAY), lot("unborn", 10, DAY, 9 * DAY), good(10)
    quote = answer(("book", 30_000, "1"), member=anna(*lots), redeem="max")
    assert (quote.redemption.centi, quote.redemption.max_centi) == (1_000, 1_000)


def test_who_owes_may_redeem_so_much_less() -> None:
    """100 points are there and 30 are owed: 70 may be redeemed."""
    quote = answer(("book", 30_000, "1"), member=anna(good(100), owed_centi=3_000), redeem="max")
    assert quote.redemption.centi == 7_000
