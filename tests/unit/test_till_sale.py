"""The two steps of a sale: what is written, what is refused, and that nothing is written when it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, InputError, NotFoundError, QuoteStaleError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, CompleteRequest, IdentifyRequest, QuoteRequest, VoidRequest
from pos_loyalty.values import Minor, Points, encode
from tests.shop import CARD, MEMBER, OPENING_CENTI, PROGRAMME, Shop, make_basket


def test_one_sale_is_one_fact_with_all_of_it(shop: Shop) -> None:
    answer = shop.sell(redeem="max")
    # 2 × 150.00 less 10 % = 270.00; half of it in points = 135.00; 5 % of the 135.00 paid = 6.75 points
    assert (answer.state, answer.quote.total_minor, answer.quote.due_minor) == ("completed", 27_000, 13_500)
    assert answer.balance_centi == OPENING_CENTI - 13_500 + 675
    assert shop.usable_centi() == OPENING_CENTI - 13_500 + 675
    assert [row[0] for row in shop.db.execute("SELECT kind FROM txn ORDER BY seq")] == [
        "member.enrolled",
        "points.adjusted",
        "sale.completed",
    ]
    assert verify(shop.db) == ()


def test_two_steps_hold_the_points_between(shop: Shop) -> None:
    shop.sell(redeem="max", complete=False)
    assert shop.usable_centi() == OPENING_CENTI - 13_500
    assert shop.till.health().unfinished_sales == ("sale-1",)
    done = shop.till.complete("sale-1", CompleteRequest(), "key complete")
    assert done.state == "completed"
    assert shop.usable_centi() == OPENING_CENTI - 13_500 + 675
    assert verify(shop.db) == ()


def test_a_cancelled_sale_leaves_nothing(shop: Shop) -> None:
    shop.sell(redeem="max", complete=False)
    answer = shop.till.cancel("sale-1", CancelRequest(reason="card declined"), "key cancel")
    assert answer.state == "cancelled"
    assert shop.usable_centi() == OPENING_CENTI
    balances = dict(shop.db.execute("SELECT account, amount FROM balance"))
    assert balances == {f"member:{MEMBER}": OPENING_CENTI, "programme:test:issued": -OPENING_CENTI}
    assert verify(shop.db) == ()


def test_a_void_sale_leaves_nothing(shop: Shop) -> None:
    shop.sell(redeem="max")
    lots_before = shop.db.execute("SELECT id, expires_at FROM lot WHERE id LIKE 'opening%'").fetchall()
    answer = shop.till.void("sale-1", VoidRequest(cashier="C7"), "key void")
    assert answer.state == "reversed"
    assert shop.usable_centi() == OPENING_CENTI
    assert shop.db.execute("SELECT id, expires_at FROM lot WHERE id LIKE 'opening%'").fetchall() == lots_before
    assert verify(shop.db) == ()


def test_the_same_post_twice_is_one_sale(shop: Shop) -> None:
    request = replace(shop.ask(redeem="max"), complete=True)
    first = shop.till.authorise(request, "key")
    before = shop.rows()
    assert shop.till.authorise(request, "key") == first
    assert shop.rows() == before
    assert shop.till.authorise(request, "another key").receipt_no == first.receipt_no
    assert {table: rows for table, rows in shop.rows().items() if before[table] != rows}.keys() == {"idempotency"}


def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    request = replace(shop.ask(), complete=True)
    shop.till.authorise(request, "key")
    before = shop.rows()
    with pytest.raises(ConflictError, match="Idempotency-Key was used"):
        shop.till.authorise(replace(request, sale_id="sale-2"), "key")
    assert shop.rows() == before


def test_the_same_sale_id_for_another_sale_is_refused(shop: Shop) -> None:
    shop.sell()
    before = shop.rows()
    with pytest.raises(ConflictError, match="stands for another sale"):
        shop.till.authorise(replace(shop.ask(), complete=True), "another key")
    assert shop.rows() == before


def test_another_due_gets_a_new_quote_and_writes_nothing(shop: Shop) -> None:
    request = shop.ask()
    before = shop.rows()
    with pytest.raises(QuoteStaleError, match="due is not the one") as caught:
        shop.till.authorise(replace(request, due_minor=Minor(1)), "key")
    assert caught.value.quote is not None and b'"due_minor":27000' in caught.value.quote
    assert shop.rows() == before


def test_an_expired_quote_gets_a_new_one_and_writes_nothing(shop: Shop) -> None:
    request = shop.ask()
    before = shop.rows()
    shop.now += timedelta(seconds=601)
    with pytest.raises(QuoteStaleError, match="run out") as caught:
        shop.till.authorise(request, "key")
    assert caught.value.quote is not None
    assert shop.rows() == before


def test_a_changed_programme_gets_a_new_quote(shop: Shop) -> None:
    request = shop.ask()
    shop.publish(PROGRAMME.replace("version = 1", "version = 2").replace('percent = "10%"', 'percent = "20%"'))
    with pytest.raises(QuoteStaleError, match="programme has changed") as caught:
        shop.till.authorise(request, "key")
    assert caught.value.quote is not None and b'"due_minor":24000' in caught.value.quote


def test_points_are_redeemed_once_by_two_quotes(shop: Shop) -> None:
    rich = make_basket(redeem="max", price_minor=100_000, count="1")
    first, second = shop.ask(rich), replace(shop.ask(rich), sale_id="sale-2")
    shop.till.authorise(first, "key 1")
    with pytest.raises(QuoteStaleError, match="points have changed"):
        shop.till.authorise(second, "key 2")
    assert shop.usable_centi() == OPENING_CENTI - 45_000


def test_a_restart_between_the_steps_loses_nothing(shop: Shop) -> None:
    shop.sell(redeem="max", complete=False)
    till = shop.reopen()
    assert till.health().unfinished_sales == ("sale-1",)
    assert till.complete("sale-1", CompleteRequest(), "key complete").state == "completed"
    with pytest.raises(QuoteStaleError, match="not held here"):
        till.authorise(replace(shop.ask(), sale_id="sale-2", quote_id="0" * 32), "key 2")


def test_a_payment_after_a_cancel_is_accepted_with_a_case(shop: Shop) -> None:
    shop.sell(redeem="max", complete=False)
    shop.till.cancel("sale-1", CancelRequest(), "key cancel")
    answer = shop.till.complete("sale-1", CompleteRequest(), "key complete")
    assert answer.state == "completed"
    assert shop.usable_centi() == OPENING_CENTI + 675
    balances = dict(shop.db.execute("SELECT account, amount FROM balance"))
    assert balances["suspense"] == -13_500
    assert shop.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone() == (1,)
    assert verify(shop.db) == ()


def test_tenders_that_do_not_cover_the_due_are_a_case_not_a_refusal(shop: Shop) -> None:
    shop.sell(complete=False)
    answer = shop.till.complete("sale-1", CompleteRequest(tenders=(Tender(kind="cash", amount_minor=Minor(1)),)), "key complete")
    assert answer.state == "completed"
    (detail,) = shop.db.execute("SELECT detail FROM suspense_case").fetchone()
    assert "do not cover the due of 27000" in detail


def test_a_completed_sale_is_voided_not_cancelled(shop: Shop) -> None:
    shop.sell()
    with pytest.raises(ConflictError, match="Void it instead"):
        shop.till.cancel("sale-1", CancelRequest(), "key cancel")
    with pytest.raises(NotFoundError, match="not known at this till"):
        shop.till.void("sale-9", VoidRequest(), "key void")


def test_a_basket_of_another_till_is_refused(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"basket\.till"):
        shop.till.quote(QuoteRequest(basket=replace(make_basket(), till="T2")))


def test_an_unknown_card_is_one_sentence_without_the_number(shop: Shop) -> None:
    with pytest.raises(NotFoundError) as caught:
        shop.till.identify(IdentifyRequest(card="2200000000033"))
    assert "2200000000033" not in str(caught.value) and "0033" in str(caught.value)
    with pytest.raises(InputError, match="not a member card"):
        shop.till.identify(IdentifyRequest(card="4601234567893"))


def test_the_receipt_number_is_told_and_never_repeats(shop: Shop) -> None:
    numbers = {shop.sell(f"sale-{n}").receipt_no for n in range(5)}
    assert len(numbers) == 5


def test_identify_tells_what_may_be_redeemed(shop: Shop) -> None:
    member = shop.till.identify(IdentifyRequest(card=CARD))
    assert (member.balance_centi, member.redeemable_centi) == (Points(OPENING_CENTI), Points(OPENING_CENTI))
    assert CARD.encode() not in encode(member)


def test_a_void_gives_an_emptied_lot_back_and_never_takes_from_an_expired_one(shop: Shop) -> None:
    rich = make_basket(redeem="max", price_minor=120_000, count="1")
    request = replace(shop.ask(rich), complete=True)
    shop.till.authorise(request, "key")  # 500.00 of 540.00 … half of 1,080.00: the opening lot is emptied
    assert shop.db.execute("SELECT remaining FROM lot WHERE id LIKE 'opening%'").fetchone() == (0,)
    shop.now += timedelta(days=366)  # the opening lot is past its end, the points earned too
    shop.till.void("sale-1", VoidRequest(approval=shop.senior()), "key void")
    lots = dict(shop.db.execute("SELECT id, remaining FROM lot"))
    assert lots[f"opening-{MEMBER}"] == OPENING_CENTI
    assert sum(lots.values()) == OPENING_CENTI
    assert verify(shop.db) == ()
