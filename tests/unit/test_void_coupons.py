"""A sale that is undone says what became of its coupons: those to ask for, those that were used, those that are good again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, CompleteRequest, SaleAnswer, VoidRequest
from pos_loyalty.values import Minor
from tests.shop import Shop
from tests.unit.test_returns_withdraw import ISSUING, bought, is_good
from tests.unit.test_till_returns import goods


@pytest.fixture
def issuing(shop: Shop) -> Shop:
    shop.publish(ISSUING)
    return shop


def used(shop: Shop, sale_id: str, code: str, *, complete: bool = True) -> SaleAnswer:
    request = shop.ask(goods(("cap", 50_000, "1"), coupons=(code,)))
    return shop.till.authorise(replace(request, sale_id=sale_id, complete=complete), f"key {sale_id}")


def void(shop: Shop, sale_id: str) -> SaleAnswer:
    return shop.till.void(sale_id, VoidRequest(cashier="C7"), f"void {sale_id}")


def test_a_void_names_the_coupons_to_ask_for(issuing: Shop) -> None:
    _, codes = bought(issuing)
    used(issuing, "s2", codes["next"][0])
    answer = void(issuing, "sale-1")
    assert set(answer.withdrawn) == {*codes["next"], *codes["thanks"]}
    assert (answer.withdrawn_used, answer.released, answer.coupons) == ((codes["next"][0],), (), ())
    assert not any(is_good(issuing, code) for code in answer.withdrawn)
    assert void(issuing, "sale-1") == answer
    slip = issuing.till.receipt_text("sale-1", "en")
    assert "COUPONS GOOD NO MORE" in slip and "GOOD AGAIN" not in slip
    assert all(slip.count(code) == 1 for code in answer.withdrawn) and slip.count("was used before") == 1
    assert verify(issuing.db) == ()


def test_a_void_names_the_coupons_that_are_good_again(issuing: Shop) -> None:
    _, codes = bought(issuing)
    code = codes["thanks"][0]
    taken = used(issuing, "s2", code)
    assert (taken.withdrawn, taken.released) == ((), ()) and not is_good(issuing, code)
    answer = void(issuing, "s2")
    assert answer.released == (code,) and is_good(issuing, code)
    assert "COUPONS GOOD AGAIN" in issuing.till.receipt_text("s2", "en")
    assert "КУПОНЫ СНОВА ДЕЙСТВУЮТ" in issuing.till.receipt_text("s2", "ru")


def test_a_cancelled_sale_names_them_too_and_asks_for_none(issuing: Shop) -> None:
    _, codes = bought(issuing)
    used(issuing, "s2", codes["thanks"][0], complete=False)
    answer = issuing.till.cancel("s2", CancelRequest(), "cancel")
    assert (answer.withdrawn, answer.released) == ((), (codes["thanks"][0],)), "its own coupons were never printed"


def test_a_coupon_of_a_voided_sale_or_past_its_day_is_not_called_good(issuing: Shop) -> None:
    _, codes = bought(issuing)
    first, second = codes["next"]
    used(issuing, "s2", first)
    used(issuing, "s3", second)
    void(issuing, "sale-1")
    assert void(issuing, "s2").released == (), "the sale that issued it is undone"
    assert not is_good(issuing, first)


def test_a_coupon_that_ran_out_in_the_meantime_is_not_called_good(issuing: Shop) -> None:
    _, codes = bought(issuing)
    used(issuing, "s2", codes["thanks"][0], complete=False)
    issuing.now += timedelta(days=31)
    assert issuing.till.cancel("s2", CancelRequest(), "cancel").released == ()


def test_the_slip_of_a_void_pays_out_what_was_paid(shop: Shop) -> None:
    request = shop.ask(goods(("cap", 50_000, "1")))
    shop.till.authorise(replace(request, sale_id="s1"), "k1")
    shop.till.complete("s1", CompleteRequest(tenders=(Tender(kind="cash", amount_minor=Minor(30_000)),)), "k2")
    void(shop, "s1")
    slip = shop.till.receipt_text("s1", "en")
    due = request.due_minor
    refund = next(line for line in slip.splitlines() if line.startswith("REFUND"))
    unpaid = next(line for line in slip.splitlines() if line.startswith("Was never paid"))
    assert "300.00" in refund and f"{(due - 30_000) / 100:.2f}" in unpaid
