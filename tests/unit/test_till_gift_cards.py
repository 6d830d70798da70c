"""Gift cards at the till: sold at face value, reserved and settled, released, given back; never more than was paid for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, InputError, LoyaltyError, NotFoundError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardRequest, IssueRequest, PayBackRequest
from pos_loyalty.till.model import CancelRequest, QuoteRequest, VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest, UnsoldLine
from pos_loyalty.values import Minor, Thousandths
from tests.gifts import (
    GIFT_PROGRAMME,
    IVANOVA,
    accounts,
    asked,
    basket_of,
    cash,
    completed,
    gift,
    gift_shop,
    line,
    on_card,
    sell,
    sold_card,
)
from tests.shop import Shop

GOODS = basket_of(line("1", "4601", 50_000))
DUE = 45_000
"""500.00 less 10 %."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = gift_shop(tmp_path)
    yield made
    made.close()


def test_a_card_is_sold_at_its_face_and_nothing_else(shop: Shop) -> None:
    answer = sell(shop, basket_of(line("1", "GC", 100_000), line("2", "4601", 50_000)), "s")
    face, goods = answer.quote.lines
    assert (face.net_minor, face.adjustments, goods.net_minor) == (100_000, (), DUE)
    assert [position.kind for position in face.fiscal] == ["advance"]
    (card,) = answer.gift_cards
    assert card.code is not None and card.code.startswith("PLG1|") and len(card.code) == 31
    assert (card.state, card.balance_minor, on_card(shop, card)) == ("active", 100_000, 100_000)
    assert accounts(shop) == {"gifts:sold": -100_000}
    assert verify(shop.db) == ()


def test_a_card_is_good_only_once_it_is_paid(shop: Shop) -> None:
    answer = sell(shop, basket_of(line("1", "GC", 50_000, count=2)), "s", complete=False)
    assert answer.gift_cards == () and shop.db.execute("SELECT COUNT(*) FROM gift_card").fetchone() == (0,)
    cards = completed(shop, "s").gift_cards
    assert len({card.code for card in cards}) == 2 and [card.balance_minor for card in cards] == [50_000, 50_000]
    assert verify(shop.db) == ()


def test_a_price_that_is_no_face_is_not_sold(shop: Shop) -> None:
    for basket in (basket_of(line("1", "GC", 70_000)), basket_of(replace(line("1", "GC", 100_000), prior_off_minor=Minor(1)))):
        quote = shop.till.quote(QuoteRequest(basket=basket))
        assert [refused.reason for refused in quote.line_refusals] == ["gift_card"]
        with pytest.raises(ConflictError, match="face value"):
            sell(shop, basket, "s")


def test_it_pays_in_part_and_again_until_nothing_is_left(shop: Shop) -> None:
    card = sold_card(shop)
    first = sell(shop, GOODS, "one", (gift(DUE, card.code),))
    assert first.gift_balances == {card.card_id: 55_000} and first.tenders[0].fiscal == "advance_tender"
    sell(shop, GOODS, "two", (gift(30_000, card.code), cash(DUE - 30_000)))
    third = sell(shop, GOODS, "three", (gift(25_000, card.card_id), cash(DUE - 25_000)))
    assert third.gift_balances == {card.card_id: 0} and on_card(shop, card) == 0
    assert shop.till.gift_card(GiftCardRequest(card=card.code or "")).state == "spent"
    assert accounts(shop) == {"gifts:sold": -100_000, "gifts:redeemed": 100_000}
    assert verify(shop.db) == ()


def test_several_cards_pay_one_sale(shop: Shop) -> None:
    one, two = sold_card(shop, 50_000, sale_id="c1"), sold_card(shop, 50_000, sale_id="c2")
    sell(shop, basket_of(line("1", "4601", 100_000)), "s", (gift(50_000, one.code), gift(40_000, two.code)))
    assert (on_card(shop, one), on_card(shop, two)) == (0, 10_000)
    assert verify(shop.db) == ()


def test_money_is_set_aside_between_the_steps(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(shop, GOODS, "s", (gift(DUE, card.code),), complete=False)
    assert on_card(shop, card) == 5_000 and accounts(shop)["gifts:held:T1/s"] == DUE
    with pytest.raises(ConflictError, match="holds 5000"):
        sell(shop, GOODS, "other", (gift(DUE, card.code),))
    assert verify(shop.db) == ()
    completed(shop, "s")
    assert accounts(shop) == {"gifts:sold": -50_000, "gifts:redeemed": DUE} and verify(shop.db) == ()


def test_a_cancel_gives_it_back(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(shop, GOODS, "s", (gift(DUE, card.code),), complete=False)
    shop.till.cancel("s", CancelRequest(), "cancel")
    assert on_card(shop, card) == 50_000 and accounts(shop) == {"gifts:sold": -50_000} and verify(shop.db) == ()


def test_a_void_gives_it_back_to_the_card(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(30_000, card.code), cash(DUE - 30_000)))
    shop.till.void("s", VoidRequest(), "void")
    assert on_card(shop, card) == 100_000 and accounts(shop) == {"gifts:sold": -100_000} and verify(shop.db) == ()


def test_what_is_paid_otherwise_in_the_end_goes_back_to_the_card(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(DUE, card.code),), complete=False)
    completed(shop, "s", (gift(20_000, card.code), cash(DUE - 20_000)))
    assert on_card(shop, card) == 80_000 and accounts(shop) == {"gifts:sold": -100_000, "gifts:redeemed": 20_000}
    assert verify(shop.db) == ()


def test_complete_is_never_refused(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(shop, GOODS, "more", (gift(40_000, card.code), cash(5_000)), complete=False)
    completed(shop, "more", (gift(DUE, card.code),))
    sell(shop, GOODS, "late", complete=False)
    shop.till.cancel("late", CancelRequest(), "cancel")
    completed(shop, "late", (gift(DUE, "nobody's"),))
    assert on_card(shop, card) == 10_000
    assert accounts(shop) == {"gifts:sold": -50_000, "gifts:redeemed": 2 * DUE, "suspense": -5_000 - DUE}
    assert shop.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone() == (2,)
    assert verify(shop.db) == ()


def test_a_late_payment_after_a_cancel_makes_the_card_and_a_void_undoes_all(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(
        shop,
        basket_of(line("1", "GC", 50_000), line("2", "4601", 50_000)),
        "s",
        (gift(DUE, card.code), cash(50_000)),
        complete=False,
    )
    shop.till.cancel("s", CancelRequest(), "cancel")
    assert len(completed(shop, "s").gift_cards) == 1
    assert on_card(shop, card) == 50_000 and accounts(shop)["suspense"] == -DUE
    shop.till.void("s", VoidRequest(), "void")
    assert accounts(shop) == {"gifts:sold": -50_000} and verify(shop.db) == ()


def test_it_pays_at_most_the_due_and_never_for_a_gift_card(shop: Shop) -> None:
    card = sold_card(shop)
    with pytest.raises(ConflictError, match="at most 45000"):
        sell(shop, GOODS, "s", (gift(DUE + 1, card.code),))
    both = basket_of(line("1", "GC", 50_000), line("2", "4601", 50_000))
    with pytest.raises(ConflictError, match="never for another gift card"):
        sell(shop, both, "s", (gift(DUE + 1, card.code), cash(50_000)))
    sell(shop, both, "t", (gift(DUE, card.code), cash(50_000)))
    assert on_card(shop, card) == 100_000 - DUE


def test_a_refused_sale_writes_nothing_of_a_sale(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    before = shop.rows()
    for tenders in ((gift(60_000, card.code),), (gift(DUE, None),), (gift(DUE, "PLG1|" + "A" * 26),)):
        with pytest.raises(LoyaltyError):
            sell(shop, GOODS, "s", tenders)
    changed = {table for table, rows in shop.rows().items() if before[table] != rows}
    assert changed <= {"attempt", "gift_try", "witness"}


def test_a_void_of_its_sale_cancels_a_card_that_is_not_spent(shop: Shop) -> None:
    card = sold_card(shop)
    shop.till.void("card", VoidRequest(), "void")
    assert shop.till.gift_card(GiftCardRequest(card=card.code or "")).state == "void"
    assert on_card(shop, card) == 0 and accounts(shop) == {} and verify(shop.db) == ()
    with pytest.raises(ConflictError, match="void"):
        sell(shop, GOODS, "s", (gift(1, card.code), cash(DUE - 1)))


def test_a_sale_of_a_card_that_is_spent_in_part_stands(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(1, card.code), cash(DUE - 1)))
    before = shop.rows()
    with pytest.raises(ConflictError, match="spent in part"):
        shop.till.void("card", VoidRequest(), "void")
    assert shop.rows() == before
    shop.till.void("s", VoidRequest(), "void s")
    assert shop.till.void("card", VoidRequest(), "void again").state == "reversed" and verify(shop.db) == ()


def test_a_top_up_is_a_line_of_a_sale(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    answer = sell(shop, basket_of(line("7", "GC", 100_000)), "top", top_ups={"7": card.code})
    assert answer.gift_cards == () and answer.gift_balances == {card.card_id: 150_000} and on_card(shop, card) == 150_000
    sell(shop, GOODS, "s", (gift(DUE, card.code),))
    shop.till.void("top", VoidRequest(), "void")
    assert on_card(shop, card) == 50_000 - DUE and verify(shop.db) == ()
    with pytest.raises(InputError, match="sells no gift card"):
        sell(shop, GOODS, "x", top_ups={"1": card.code})
    secret = sold_card(shop, 50_000, "GC-PIN", "pin")
    with pytest.raises(ConflictError, match="cannot be topped up"):
        sell(shop, basket_of(line("7", "GC", 100_000)), "y", top_ups={"7": secret.code})


def test_a_top_up_that_was_spent_is_not_undone(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(shop, basket_of(line("7", "GC", 50_000)), "top", top_ups={"7": card.code})
    sell(shop, basket_of(line("1", "4601", 100_000)), "s", (gift(60_000, card.code), cash(30_000)))
    with pytest.raises(ConflictError, match="spent in part"):
        shop.till.void("top", VoidRequest(), "void")


def test_a_card_with_money_of_a_top_up_is_not_cancelled_with_its_sale(shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    sell(shop, basket_of(line("7", "GC", 50_000)), "top", top_ups={"7": card.code})
    sell(shop, basket_of(line("1", "4601", 50_000)), "goods", (gift(45_000, card.code),))
    before = shop.rows()
    with pytest.raises(ConflictError, match="was topped up since: undo the top-up first"):
        shop.till.void("card", VoidRequest(), "v1")
    assert shop.rows() == before, "50.00 of the buyer's would stand on a void card"
    shop.till.void("goods", VoidRequest(), "v2")
    shop.till.void("top", VoidRequest(), "v3")
    assert shop.till.void("card", VoidRequest(), "v4").state == "reversed"
    assert (on_card(shop, card), accounts(shop)) == (0, {})
    assert verify(shop.db) == ()


def test_a_card_does_not_come_back_without_its_receipt(shop: Shop) -> None:
    shop.publish(GIFT_PROGRAMME.replace("version = 1", "version = 2") + '[returns]\nwithout_receipt = "approved"\n')
    card = sold_card(shop)
    goods = (UnsoldLine(line_id="1", sku="GC", quantity_milli=Thousandths(1000), price_minor=Minor(100_000)),)
    with pytest.raises(ConflictError, match="does not come back without its receipt"):
        shop.till.return_by_receipt(ReturnRequest(return_id="u1", goods=goods, cashier="C7", approval=IVANOVA), "u1")
    assert on_card(shop, card) == 100_000


def test_a_frozen_card_pays_nothing_until_it_is_let_go(shop: Shop) -> None:
    card = sold_card(shop)
    request = FreezeRequest(card=card.code or "", by=IVANOVA, reason="lost")
    assert shop.till.freeze_gift_card(request, "f").state == "frozen"
    assert shop.till.freeze_gift_card(request, "f2").state == "frozen"
    with pytest.raises(ConflictError, match="frozen"):
        sell(shop, GOODS, "s", (gift(DUE, card.code),))
    with pytest.raises(ConflictError, match="frozen"):
        shop.till.void("card", VoidRequest(), "void")
    assert shop.till.unfreeze_gift_card(request, "u").state == "active"
    sell(shop, GOODS, "s2", (gift(DUE, card.code),))
    assert [row[0] for row in shop.db.execute("SELECT kind FROM txn WHERE kind = 'gift_card.changed'")] == [
        "gift_card.changed"
    ] * 3
    assert verify(shop.db) == ()


def test_unspent_money_is_paid_back_once(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(DUE, card.code),))
    request = PayBackRequest(card=card.code or "", by=IVANOVA, reason="asked for it")
    answer = shop.till.pay_back_gift_card(request, "p")
    assert (answer.paid_minor, answer.balance_minor) == (100_000 - DUE, 0)
    assert shop.till.pay_back_gift_card(request, "p") == answer
    with pytest.raises(ConflictError, match="holds nothing"):
        shop.till.pay_back_gift_card(request, "p2")
    assert accounts(shop)["gifts:paid_back"] == 100_000 - DUE and verify(shop.db) == ()


def test_a_gratis_card_is_given_by_a_person_and_runs_out_once(shop: Shop) -> None:
    request = IssueRequest(series="thanks", amount_minor=Minor(30_000), by=IVANOVA, reason="a broken cup")
    card = shop.till.issue_gift_card(request, "i")
    assert shop.till.issue_gift_card(request, "i") == card and card.code is not None
    with pytest.raises(ConflictError, match="given, not bought"):
        shop.till.pay_back_gift_card(PayBackRequest(card=card.code, by=IVANOVA, reason="r"), "p")
    sell(shop, GOODS, "s", (gift(10_000, card.code), cash(DUE - 10_000)))
    assert card.expires_at is not None
    shop.now = card.expires_at - timedelta(milliseconds=1)
    assert shop.till.gift_card(GiftCardRequest(card=card.code)).state == "active" and shop.till.expire_gift_cards() == 0
    shop.now = card.expires_at
    assert shop.till.gift_card(GiftCardRequest(card=card.code)).state == "expired"
    with pytest.raises(ConflictError, match="has run out"):
        sell(shop, GOODS, "t", (gift(1, card.code), cash(DUE - 1)))
    assert (shop.till.expire_gift_cards(), shop.till.expire_gift_cards()) == (1, 0)
    assert accounts(shop) == {"gifts:gratis": -30_000, "gifts:redeemed": 10_000, "gifts:expired": 20_000}
    assert verify(shop.db) == ()
    for wrong in (replace(request, series="standard"), replace(request, amount_minor=Minor(1)), replace(request, series="no")):
        with pytest.raises((InputError, NotFoundError)):
            shop.till.issue_gift_card(wrong, f"wrong {wrong}")


def test_money_for_a_gift_card_counts_for_no_member(shop: Shop) -> None:
    from tests.shop import CARD, MEMBER

    basket = basket_of(line("1", "GC", 100_000), line("2", "4601", 50_000))
    quote = shop.till.quote(QuoteRequest(basket=basket, card=CARD))
    assert sum(accrual.centi for accrual in quote.accruals) == DUE * 5 // 100
    from pos_loyalty.store import habits, members
    from pos_loyalty.till.model import SaleRequest

    assert quote.quote_id is not None
    request = SaleRequest(sale_id="m", quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True)
    shop.till.authorise(request, "m")
    (day,) = habits.days_of(shop.db, MEMBER, 0)
    member = members.by_id(shop.db, MEMBER)
    assert day.net_minor == DUE and member is not None and member.sales is not None and member.sales.spent_minor == DUE


def test_the_same_request_again_sells_and_pays_once(shop: Shop) -> None:
    request = asked(shop, basket_of(line("1", "GC", 100_000)), "card", complete=True)
    first = shop.till.authorise(request, "k")
    assert shop.till.authorise(request, "k") == first and shop.till.authorise(request, "k2") == first
    card = first.gift_cards[0]
    paying = asked(shop, GOODS, "s", (gift(DUE, card.code),), complete=True)
    shop.till.authorise(paying, "p")
    shop.till.authorise(paying, "p")
    shop.till.authorise(paying, "p2")
    assert on_card(shop, card) == 100_000 - DUE and shop.db.execute("SELECT COUNT(*) FROM gift_card").fetchone() == (1,)
