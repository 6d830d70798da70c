"""How old a receipt is goes by trusted time: a clock turned back makes none of them young again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, NotAllowedError
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.returns_model import LineBack, ReturnRequest, UnsoldLine
from pos_loyalty.till.staff_model import ClaimRequest
from pos_loyalty.values import Minor, Points, Thousandths
from tests.shop import MEMBER, NOW, OTHER_CARD, PROGRAMME, Shop, make_basket

BORIS = Approval(person="S1", pin="998877")
WINDOWS = (
    PROGRAMME.replace("version = 1", "version = 2").replace("[points]", "[points]\nclaim_days = 14")
    + '[returns]\ndays = 14\nwithout_receipt = "approved"\n'
)
ONE = (LineBack(line_id="1", quantity_milli=Thousandths(1000)),)


@pytest.fixture
def windows(shop: Shop) -> Shop:
    """A receipt of nobody's is twenty days old, the till has seen it, and then the clock goes back to the day of the sale."""
    shop.publish(WINDOWS)
    staff.add(shop.db, BORIS.person, "senior", BORIS.pin, shop.till._desk.secrets.pepper)
    shop.till.authorise(replace(shop.ask(card=None), complete=True), "sell")
    shop.now = NOW + timedelta(days=20)
    shop.till.nightly()
    shop.now = NOW + timedelta(hours=1)
    return shop


def test_an_old_receipt_is_not_claimed(windows: Shop) -> None:
    with pytest.raises(ConflictError, match="too old"):
        windows.till.claim("sale-1", ClaimRequest(member_id=MEMBER, by="C7", approval=BORIS), "claim")


def test_an_old_sale_comes_back_on_a_seniors_word_only(windows: Shop) -> None:
    request = ReturnRequest(return_id="r1", lines=ONE, cashier="C7")
    with pytest.raises(NotAllowedError, match="more than 14 days"):
        windows.till.return_goods("sale-1", request, "r1")
    assert windows.till.return_goods("sale-1", replace(request, approval=BORIS), "r1").refund_minor == 13_500


def test_a_receipt_of_a_clock_that_was_ahead_is_claimed_while_it_is(windows: Shop) -> None:
    windows.now = NOW + timedelta(days=3_000)
    asked = windows.ask(replace(make_basket(), opened_at=windows.now), card=None)
    windows.till.authorise(replace(asked, sale_id="sale-2", complete=True), "sell 2")
    claimed = windows.till.claim("sale-2", ClaimRequest(member_id=MEMBER, by="C7", approval=BORIS), "claim")
    assert claimed.accrued_centi == 1_350


def test_dead_points_pay_for_nothing_that_comes_back_without_a_receipt(windows: Shop) -> None:
    windows.add_member("member-2", OTHER_CARD, 1_000)
    windows.now = NOW + timedelta(days=400)
    windows.till.authorise(replace(windows.ask(card=None), sale_id="sale-2", complete=True), "sell 2")
    windows.now = NOW
    goods = UnsoldLine(line_id="1", sku="x", quantity_milli=Thousandths(1000), price_minor=Minor(5_000))
    request = ReturnRequest(
        return_id="u1", goods=(goods,), member_id="member-2", take_back_centi=Points(300), cashier="C7", approval=BORIS
    )
    answer = windows.till.return_goods(None, request, "u1")
    assert answer.owed_centi == 300, "the opening lot ended before"
    assert windows.usable_centi("member-2") == 1_000
    assert verify(windows.db) == ()
