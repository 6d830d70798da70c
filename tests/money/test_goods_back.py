"""Money laws of goods that come back: what was paid for them is refunded, and points follow the money, to the kopeck."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, quantity
from tests.money.corner import Corner, basket_of, cash
from tests.shop import CARD, MEMBER, OPENING_CENTI, OTHER_CARD

COFFEES = ("coffee", 15_000, "2")
"""Two at 150.00 less 10 %: 135.00 each, 270.00 in all, which bring 13.50 points."""


def test_one_of_two_coffees_comes_back_for_what_it_cost(corner: Corner) -> None:
    """135.00 was paid for it, not 150.00; and the discount of the one that is back does not move to the one that stays."""
    corner.buys("s", COFFEES)
    assert corner.brings_back("s", ("coffee", "1")).refund_minor == 13_500
    assert corner.brings_back("s").refund_minor == 13_500
    assert verify(corner.db) == ()


def test_one_coffee_comes_back_for_what_it_cost(corner: Corner) -> None:
    """A line of one: 135.00 again, though 150.00 stood on the shelf."""
    corner.buys("s", ("coffee", 15_000, "1"))
    assert corner.brings_back("s").refund_minor == 13_500


def test_three_plates_come_back_one_by_one_for_what_all_three_cost(corner: Corner) -> None:
    """290.00 was paid: 96.66 + 96.67 + 96.67, in any order."""
    corner.buys("s", *((f"plate-{each}", 10_000, "1") for each in "abc"))
    refunds = [corner.brings_back("s", (f"plate-{each}", "1")).refund_minor for each in "bca"]
    assert sorted(refunds) == [9_666, 9_667, 9_667]


def test_cheese_in_three_parts_loses_no_kopeck(corner: Corner) -> None:
    """0.345 kg at 999.90 is 344.97. A third, 0.115 kg, is 114.9885: 114.99, three times, and that is all of it."""
    corner.buys("s", ("cheese", 99_990, "0.345"))
    refunds = [corner.brings_back("s", ("cheese", "0.115"), return_id=f"r{n}").refund_minor for n in range(3)]
    assert refunds == [11_499, 11_499, 11_499] and sum(refunds) == 34_497


def test_ten_small_returns_take_as_many_points_as_one_large(corner: Corner) -> None:
    """Ten at 1.10 less 10 % are 9.90 and bring 0.49 (5 % is 0.495). Nine stay: 8.91 would bring 0.44, so the first takes 0.05.

    Each by itself rounds to 0.04, and 0.09 would be left for goods that nobody bought; by the price on the shelf nine would
    still be worth 9.90, and nothing would be taken.
    """
    corner.buys("s", ("coffee", 110, "10"))
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI + 49
    taken = [corner.brings_back("s", ("coffee", "1"), return_id=f"r{n}").taken_back_centi for n in range(10)]
    assert taken[0] == 5 and sum(taken) == 49
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI
    assert verify(corner.db) == ()


def test_points_are_taken_back_for_the_receipt_and_not_line_by_line(corner: Corner) -> None:
    """Three lines at 0.99 brought 0.14. Two stay, 1.98, which bring 0.09: 0.05 is taken. By lines 0.04 × 2 would stay."""
    corner.buys("s", ("a", 99, "1"), ("b", 99, "1"), ("c", 99, "1"))
    assert corner.brings_back("s", ("a", "1")).taken_back_centi == 5


def test_points_that_paid_go_back_to_where_they_came_from(corner: Corner) -> None:
    """100 of the 500 points pay 100.00 of 270.00; 170.00 bring 8.50. One of two back: 85.00, 50 points, and 4.25 are taken.

    The 50 are good for a year, as they were, and not for ever.
    """
    corner.buys("s", COFFEES, redeem=10_000)
    answer = corner.brings_back("s", ("coffee", "1"))
    assert (answer.refund_minor, answer.restored_centi, answer.taken_back_centi) == (8_500, 5_000, 425)
    assert corner.lots() == [(425, 179), (45_000, 365)]
    corner.brings_back("s")
    assert corner.lots() == [(50_000, 365)]
    assert verify(corner.db) == ()


def test_bought_redeemed_and_brought_back_leaves_a_debt(corner: Corner) -> None:
    """Boris has 1 point. 2,000.00 bring 100; 101 pay for a coat of 400.00, whose 299.00 bring 14.95. Then the first comes back.

    100 are taken: 14.95 are there, 85.05 are owed. The next 2,000.00 bring 100: 85.05 of them settle it, 14.95 are left.
    """
    corner.add_member("boris", OTHER_CARD, 100)
    corner.buys("s1", ("sofa", 200_000, "1"), card=OTHER_CARD)
    corner.buys("s2", ("coat", 40_000, "1"), card=OTHER_CARD, redeem="max")
    answer = corner.brings_back("s1")
    assert (answer.taken_back_centi, answer.owed_centi) == (10_000, 8_505)
    assert corner.account("owed:boris") == -8_505 and corner.account("member:boris") == 0
    corner.buys("s3", ("bed", 200_000, "1"), card=OTHER_CARD)
    seen = corner.till.identify(IdentifyRequest(card=OTHER_CARD))
    assert (seen.usable_centi, seen.owed_centi, seen.redeemable_centi) == (1_495, 0, 1_495)
    last = corner.till.quote(QuoteRequest(basket=basket_of(("coat", 40_000, "1"), redeem="max"), card=OTHER_CARD))
    assert last.redemption.centi == 1_495
    assert verify(corner.db) == ()


def test_a_void_leaves_nothing_of_the_sale(corner: Corner) -> None:
    """150 points pay half of 300.00, the rest brings 7.50. After the void there are 500 points again, and no others."""
    corner.buys("s", ("book", 30_000, "1"), redeem="max")
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI - 15_000 + 750
    corner.till.void("s", VoidRequest(), "void")
    assert corner.lots() == [(OPENING_CENTI, 365)]
    assert corner.account("programme:test:redeemed") == 0
    assert verify(corner.db) == ()


def test_goods_that_came_back_are_not_paid_for_again_by_a_void(corner: Corner) -> None:
    """135.00 of 270.00 went out; a void would pay out 270.00 more."""
    corner.buys("s", COFFEES)
    corner.brings_back("s", ("coffee", "1"))
    with pytest.raises(ConflictError):
        corner.till.void("s", VoidRequest(), "void")
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI + 675


def test_no_more_comes_back_than_was_sold(corner: Corner) -> None:
    """Two were sold and two came back; the same two again would be 270.00 for nothing."""
    corner.buys("s", COFFEES)
    corner.brings_back("s", ("coffee", "2"))
    with pytest.raises(InputError):
        corner.brings_back("s", ("coffee", "2"), return_id="again")


def test_counted_cups_go_down_with_the_cups(corner: Corner) -> None:
    """Two cups counted, one back, one counted; else the free sixth cup is had for cups that nobody drank."""
    corner.buys("s", COFFEES)
    corner.brings_back("s", ("coffee", "1"))
    assert corner.db.execute("SELECT key, units FROM member_counter").fetchall() == [("cups", 1)]


@pytest.mark.parametrize("undone", ["return", "void"])
def test_a_use_that_was_undone_is_free_again(corner: Corner, undone: str) -> None:
    """10.00 off tea at 90.00, once: 80.00, then 90.00 for the next; when the first is undone, 80.00 again."""

    def tea_costs() -> int:
        return corner.till.quote(QuoteRequest(basket=basket_of(("tea", 9_000, "1")), card=CARD)).total_minor

    corner.buys("s", ("tea", 9_000, "1"))
    assert tea_costs() == 9_000
    if undone == "return":
        corner.brings_back("s")
    else:
        corner.till.void("s", VoidRequest(), "void")
    assert tea_costs() == 8_000


def test_an_exchange_for_free_goods_tells_the_refund(corner: Corner) -> None:
    """A coat of 600.00 comes back for a bag that costs nothing: whoever sells hears that 600.00 go out."""
    corner.buys("s", ("coat", 60_000, "1"), card=None)
    given = ReturnRequest(return_id="x", sale_id="s", all=True, cashier="C7")
    free = replace(corner.priced("n", ("bag", 0, "1"), card=None), complete=True, returns=given)
    answer = corner.till.authorise(free, "n")
    assert answer.returned is not None and answer.returned.refund_minor == 60_000


def test_an_exchange_pays_the_difference_the_right_way(corner: Corner) -> None:
    """A coffee of 135.00 for a pen of 100.00: 35.00 goes out. Another for a book of 200.00: 65.00 comes in."""
    corner.buys("s", COFFEES)
    one_back = ReturnRequest(return_id="x1", sale_id="s", lines=(LineBack(line_id="coffee", quantity_milli=quantity("1")),))
    pen = replace(corner.priced("pen", ("pen", 10_000, "1")), tenders=(), returns=one_back)
    swapped = corner.till.authorise(pen, "pen")
    assert swapped.returned is not None
    assert swapped.returned.tenders == (Tender(kind="exchange", amount_minor=Minor(10_000)), cash(3_500))
    book = replace(
        corner.priced("book", ("book", 20_000, "1")), tenders=(cash(6_500),), returns=replace(one_back, return_id="x2")
    )
    assert corner.till.authorise(book, "book").tenders == (cash(6_500), Tender(kind="exchange", amount_minor=Minor(13_500)))
    assert verify(corner.db) == ()
