"""Points of goods that come back were redeemed first, and their lot has ended since: they are taken back all the same, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import quantity
from tests.shop import MEMBER, OPENING_CENTI, PROGRAMME, Shop
from tests.unit.test_till_returns import goods, sell

SHORT = PROGRAMME.replace("version = 1", "version = 2").replace("lifetime_days = 180", "lifetime_days = 7")


@pytest.fixture
def short(shop: Shop) -> Shop:
    """Ten pens of 100.00 brought 50 points for seven days; 30 of them paid for something else; on the eighth day 20 are lost."""
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    assert shop.db.execute("SELECT remaining FROM lot WHERE id = 'T1/sale-1:base'").fetchone() == (2_000,)
    shop.now += timedelta(days=9)
    assert live(shop) == OPENING_CENTI
    return shop


def back(shop: Shop, return_id: str, count: int) -> int:
    """So many pens come back; answers what is taken for them, from wherever."""
    lines = (LineBack(line_id="pen", quantity_milli=quantity(str(count))),)
    request = ReturnRequest(return_id=return_id, lines=lines, cashier="C7")
    return shop.till.return_goods("sale-1", request, return_id).taken_back_centi


def live(shop: Shop) -> int:
    """Lots that live, less what is owed."""
    at_ms = int(shop.now.timestamp() * 1000)
    lots = shop.db.execute("SELECT SUM(remaining) FROM lot WHERE member = ? AND expires_at > ?", (MEMBER, at_ms)).fetchone()
    owed = shop.db.execute("SELECT -coalesce(SUM(amount), 0) FROM balance WHERE account = ?", (f"owed:{MEMBER}",)).fetchone()
    return int(lots[0] or 0) - int(owed[0])


@pytest.mark.parametrize("is_booked", [False, True])
@pytest.mark.parametrize("parts", [(10,), (4, 6), (1,) * 10])
def test_what_was_redeemed_of_a_lot_that_ended_is_taken_back_once(short: Shop, parts: tuple[int, ...], is_booked: bool) -> None:
    if is_booked:
        short.till.nightly()
    for n, count in enumerate(parts):
        back(short, f"r{n}", count)
    assert live(short) == OPENING_CENTI - 3_000, "30 points were redeemed for goods that are back; 20 were lost already"
    assert verify(short.db) == ()


def test_a_return_before_and_one_after_the_end(shop: Shop) -> None:
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    assert back(shop, "r1", 5) == 2_500
    shop.now += timedelta(days=9)
    assert back(shop, "r2", 5) == 2_500
    assert live(shop) == OPENING_CENTI - 2_500, "the first 5 of the 30 that were used came out of points that have ended since"
    assert verify(shop.db) == ()


def test_a_void_takes_it_back_too(short: Shop) -> None:
    short.till.void("sale-1", VoidRequest(), "v")
    assert live(short) == OPENING_CENTI - 3_000
    assert verify(short.db) == ()


def test_points_that_nobody_used_are_lost_and_not_taken_again(shop: Shop) -> None:
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    shop.now += timedelta(days=9)
    shop.till.nightly()
    back(shop, "r1", 10)
    assert live(shop) == OPENING_CENTI
    assert verify(shop.db) == ()
