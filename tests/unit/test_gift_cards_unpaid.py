"""Gift cards of a sale that was not paid in full: nothing pays with them until a senior says so, and the sale can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, NotAllowedError
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer, PayBackRequest
from pos_loyalty.till.model import CancelRequest, SaleAnswer, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Thousandths
from tests.gifts import (
    GIFT_PROGRAMME,
    IVANOVA,
    accounts,
    add_ivanova,
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
from tests.shop import CONFIG, Shop

FACE = 50_000
CASHIER = Approval(person="C7", pin="1234")
PRINTER = '[printer]\nkind = "file"\npath = "paper.bin"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = gift_shop(tmp_path)
    yield made
    made.close()


def paid_by(shop: Shop, sale_id: str, *tenders: Tender, **more: object) -> SaleAnswer:
    """A card of 500.00, authorised in cash, and then paid so."""
    sell(shop, basket_of(line("1", "GC", FACE)), sale_id, complete=False, **more)
    return completed(shop, sale_id, tenders)


def let_go(shop: Shop, card: GiftCardAnswer, by: Approval = IVANOVA) -> GiftCardAnswer:
    return shop.till.unfreeze_gift_card(FreezeRequest(card=card.card_id, by=by, reason="the rest came"), f"go {by.person}")


def spend(shop: Shop, card: GiftCardAnswer, sale_id: str = "goods") -> SaleAnswer:
    return sell(shop, basket_of(line("1", "4601", 10_000)), sale_id, (gift(9_000, card.card_id),))


@pytest.mark.parametrize("minor", [0, 1, FACE - 1])
def test_a_card_that_was_not_paid_in_full_pays_nothing_until_a_senior_lets_it_go(shop: Shop, minor: int) -> None:
    staff.add(shop.db, CASHIER.person, "cashier", CASHIER.pin, shop.till._desk.secrets.pepper)
    (card,) = paid_by(shop, "card", cash(minor)).gift_cards
    assert (card.state, card.balance_minor, card.code is None) == ("frozen", FACE, False)
    assert accounts(shop) == {"gifts:sold": -FACE} and len(shop.rows()["suspense_case"]) == 1
    with pytest.raises(ConflictError, match="frozen"):
        spend(shop, card)
    with pytest.raises(ConflictError, match="frozen"):
        shop.till.pay_back_gift_card(PayBackRequest(card=card.card_id, by=IVANOVA, reason="asked"), "cash out")
    with pytest.raises(ConflictError, match="frozen"):
        sell(shop, basket_of(line("1", "GC", FACE)), "top", top_ups={"1": card.card_id})
    with pytest.raises(NotAllowedError):
        let_go(shop, card, CASHIER)
    assert let_go(shop, card).state == "active"
    spend(shop, card)
    assert on_card(shop, card) == FACE - 9_000
    assert verify(shop.db) == ()


def test_a_card_that_was_paid_in_full_is_good_at_once(shop: Shop) -> None:
    for n, tenders in enumerate(((), (cash(FACE),), (cash(FACE + 50_000),), (cash(30_000), cash(20_000)))):
        (card,) = paid_by(shop, f"card-{n}", *tenders).gift_cards
        assert card.state == "active"
        spend(shop, card, f"goods-{n}")


def test_money_that_no_gift_card_had_loads_none(shop: Shop) -> None:
    """Another card is named at completion, on which nothing was set aside."""
    other = sold_card(shop)
    (card,) = paid_by(shop, "first", gift(FACE, other.code)).gift_cards
    assert card.state == "frozen" and accounts(shop)["suspense"] == -FACE
    (card,) = paid_by(shop, "second", Tender(kind="exchange", amount_minor=Minor(FACE))).gift_cards
    assert card.state == "frozen"
    assert verify(shop.db) == ()


def test_a_late_payment_that_is_short_holds_it_too(shop: Shop) -> None:
    sell(shop, basket_of(line("1", "GC", FACE)), "card", complete=False)
    shop.till.cancel("card", CancelRequest(), "cancel")
    (card,) = completed(shop, "card", (cash(1),)).gift_cards
    assert card.state == "frozen"


def test_every_card_of_the_sale_is_held(shop: Shop) -> None:
    """Which of them was paid nobody can say."""
    old = sold_card(shop)
    basket = basket_of(line("1", "GC", FACE, count=2), line("2", "GC", FACE), line("3", "4601", 10_000))
    sell(shop, basket, "cards", complete=False, top_ups={"2": old.code})
    answer = completed(shop, "cards", (cash(3 * FACE),))
    assert [card.state for card in answer.gift_cards] == ["frozen", "frozen"]
    with pytest.raises(ConflictError, match="frozen"):
        spend(shop, old)
    assert verify(shop.db) == ()


def test_the_sale_is_undone_without_letting_the_card_go(shop: Shop) -> None:
    (card,) = paid_by(shop, "card", cash(20_000)).gift_cards
    assert shop.till.void("card", VoidRequest(cashier="C7"), "void").state == "reversed"
    assert on_card(shop, card) == 0 and accounts(shop) == {}
    (end,) = shop.db.execute("SELECT CAST(payload AS TEXT) ->> '$.end.refund_minor' FROM txn WHERE kind = 'sale.reversed'")
    assert end == (20_000,)
    (card,) = paid_by(shop, "again", cash(20_000)).gift_cards
    part = LineBack(line_id="1", quantity_milli=Thousandths(1000))
    back = shop.till.return_goods("again", ReturnRequest(return_id="r1", lines=(part,), cashier="C7"), "r1")
    assert (back.refund_minor, on_card(shop, card)) == (20_000, 0)
    assert verify(shop.db) == ()


def test_a_card_that_a_person_stopped_afterwards_stops_the_void(shop: Shop) -> None:
    (card,) = paid_by(shop, "card", cash(20_000)).gift_cards
    let_go(shop, card)
    shop.till.freeze_gift_card(FreezeRequest(card=card.card_id, by=IVANOVA, reason="stolen"), "stop")
    with pytest.raises(ConflictError, match="frozen"):
        shop.till.void("card", VoidRequest(cashier="C7"), "void")
    assert verify(shop.db) == ()


def test_money_that_was_on_the_card_before_waits_for_the_senior(shop: Shop) -> None:
    old = sold_card(shop)
    paid_by(shop, "top", cash(1), top_ups={"1": old.code})
    shop.till.void("top", VoidRequest(cashier="C7"), "void")
    assert on_card(shop, old) == 100_000
    with pytest.raises(ConflictError, match="frozen"):
        spend(shop, old)
    let_go(shop, old)
    spend(shop, old)
    assert verify(shop.db) == ()


def test_the_same_completion_again_holds_once(shop: Shop) -> None:
    first = paid_by(shop, "card", cash(1))
    txns = shop.rows()["txn"]
    assert replace(completed(shop, "card", (cash(1),)), gift_cards=()) == replace(first, gift_cards=())
    assert shop.rows()["txn"] == txns


def test_the_slip_says_that_it_is_not_good_yet(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG + PRINTER, GIFT_PROGRAMME)
    add_ivanova(shop)
    for sale_id, minor, times in (("good", FACE, 0), ("short", 1, 1)):
        paid_by(shop, sale_id, cash(minor))
        (body,) = shop.db.execute("SELECT body FROM print_job WHERE kind = 'gift_card' AND sale_id = ?", (sale_id,)).fetchone()
        assert body.count("не действует".encode("cp866")) == times, sale_id
    shop.close()
