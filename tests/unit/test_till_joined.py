"""Where one part of the till meets another: returns and gift cards, returns and claims, merged members and what comes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store import habits, members
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import IssueRequest
from pos_loyalty.till.member_model import ChangeRequest, EraseRequest, SetName
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, QuoteRequest, SaleRequest
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest
from pos_loyalty.till.staff_model import ClaimRequest, MergeRequest, SecretRequest
from pos_loyalty.values import Minor, quantity
from tests.gifts import IVANOVA, add_ivanova, basket_of, cash, gift, gift_shop, line, on_card, sell, sold_card
from tests.shop import CARD, MEMBER, OTHER_CARD, Shop
from tests.unit.test_till_acts import ANNA, BORIS, CLAIMS, staffed

GOODS = basket_of(line("1", "4601", 50_000), line("2", "4602", 50_000))
"""Under the programme's tenth off: 900.00."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = gift_shop(tmp_path)
    yield made
    made.close()


def take(shop: Shop, return_id: str, *lines: tuple[str, str], sale_id: str = "s", **more: object) -> ReturnAnswer:
    parts = tuple(LineBack(line_id=line_id, quantity_milli=quantity(count)) for line_id, count in lines)
    request = ReturnRequest(return_id=return_id, lines=parts, cashier="C7", **more)  # type: ignore[arg-type]
    return shop.till.return_goods(sale_id, request, f"key {return_id}")


def test_a_refund_goes_onto_the_gift_card_first_and_never_out_in_cash(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(60_000, card.code), cash(30_000)))
    one = take(shop, "r1", ("1", "1"))
    assert [(each.kind, each.amount_minor, each.card) for each in one.tenders] == [("gift", 45_000, card.card_id)]
    assert on_card(shop, card) == 100_000 - 60_000 + 45_000
    with pytest.raises(InputError, match="by themselves"):
        take(shop, "r2", ("2", "1"), tenders=(gift(45_000, card.code),))
    two = take(shop, "r2", ("2", "1"), tenders=(cash(30_000),))
    assert [(each.kind, each.amount_minor) for each in two.tenders] == [("gift", 15_000), ("cash", 30_000)]
    assert on_card(shop, card) == 100_000 and verify(shop.db) == ()


def test_the_rest_of_a_mixed_payment_goes_back_as_it_was_paid(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(60_000, card.code), replace(cash(30_000), kind="card")))
    answer = take(shop, "r1", all=True)
    assert [(each.kind, each.amount_minor) for each in answer.tenders] == [("gift", 60_000), ("card", 30_000)]


def test_goods_paid_by_gift_card_are_returned_and_not_exchanged(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(60_000, card.code), cash(30_000)))
    quote = shop.till.quote(QuoteRequest(basket=replace(GOODS, basket_id="n")))
    assert quote.quote_id is not None
    back = ReturnRequest(return_id="r1", sale_id="s", all=True, cashier="C7")
    request = SaleRequest(sale_id="n", quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True, returns=back)
    with pytest.raises(ConflictError, match="gift card"):
        shop.till.authorise(request, "n")


def test_gift_cards_that_come_back_are_void_and_were_never_a_purchase(shop: Shop) -> None:
    basket = basket_of(line("1", "GC", 100_000, 2), line("2", "4601", 50_000))
    quote = shop.till.quote(QuoteRequest(basket=basket, card=CARD))
    assert quote.quote_id is not None
    request = SaleRequest(
        sale_id="s", quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=(cash(quote.due_minor),), complete=True
    )
    first, _ = shop.till.authorise(request, "s").gift_cards
    with pytest.raises(ConflictError, match="all together"):
        take(shop, "r1", ("1", "1"))
    assert take(shop, "r1", ("1", "2")).refund_minor == 200_000
    assert on_card(shop, first) == 0
    (state,) = shop.db.execute("SELECT DISTINCT state FROM gift_card").fetchone()
    assert state == "void"
    member = members.by_id(shop.db, MEMBER)
    assert member is not None and member.sales is not None and member.sales.spent_minor == 45_000
    assert [day.net_minor for day in habits.days_of(shop.db, MEMBER, 0)] == [45_000]
    assert verify(shop.db) == ()


def test_a_sale_that_nobody_ends_gives_the_gift_card_its_money_again(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(60_000, card.code), cash(30_000)), complete=False)
    assert on_card(shop, card) == 40_000
    shop.now += timedelta(days=4)
    assert {job.job: job.count for job in shop.till.nightly().jobs}["reservations"] == 1
    assert on_card(shop, card) == 100_000 and verify(shop.db) == ()


def test_the_night_ends_gift_cards(shop: Shop) -> None:
    request = IssueRequest(series="thanks", amount_minor=Minor(30_000), by=IVANOVA, reason="a broken cup")
    card = shop.till.issue_gift_card(request, "i")
    shop.now += timedelta(days=40)
    counts = {job.job: job.count for job in shop.till.nightly().jobs}
    assert (counts["gift_cards"], on_card(shop, card)) == (1, 0) and verify(shop.db) == ()


def test_a_card_that_was_spent_keeps_its_line(shop: Shop) -> None:
    card = sold_card(shop, sale_id="card")
    sell(shop, GOODS, "s", (gift(1_000, card.code), cash(89_000)))
    with pytest.raises(ConflictError, match="spent in part"):
        take(shop, "r1", ("1", "1"), sale_id="card")


def test_what_was_claimed_later_is_taken_back_with_the_goods(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    shop.publish(CLAIMS)
    request = replace(shop.ask(card=None), complete=True)
    shop.till.authorise(request, "s")
    claimed = shop.till.claim("sale-1", ClaimRequest(card=CARD, by="C7", approval=BORIS), "c").accrued_centi
    before = shop.usable_centi()
    half = take(shop, "r1", ("1", "1"), sale_id="sale-1")
    assert half.member_id == MEMBER and claimed and half.taken_back_centi == claimed // 2
    assert take(shop, "r2", ("1", "1"), sale_id="sale-1").taken_back_centi == claimed - claimed // 2
    assert shop.usable_centi() == before - claimed
    member = members.by_id(shop.db, MEMBER)
    assert member is not None and member.sales is not None and (member.sales.count, member.sales.spent_minor) == (0, 0)
    assert verify(shop.db) == ()
    shop.close()


def test_what_a_return_brings_to_a_merged_member_goes_on_to_the_one_who_stays(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    shop.sell(redeem=5_000)
    other = shop.till.enrol(EnrolRequest(card=OTHER_CARD), "e").member_id
    merge = MergeRequest(into=other, reason="one person", by=ANNA, approval=BORIS)
    shop.till.merge(MEMBER, merge, "m")
    before = shop.usable_centi(other)
    answer = take(shop, "r1", all=True, sale_id="sale-1")
    assert answer.restored_centi == 5_000
    assert shop.usable_centi(MEMBER) == 0
    assert shop.usable_centi(other) == before + 5_000 - answer.taken_back_centi
    winner = members.by_id(shop.db, other)
    assert winner is not None and winner.sales is not None and (winner.sales.count, winner.sales.spent_minor) == (0, 0)
    assert verify(shop.db) == ()
    shop.close()


def test_who_erases_a_person_erases_all_that_went_over_into_them(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    loser = shop.till.enrol(EnrolRequest(card="2200000000033", name="Анна", phone="+7 900 000-00-01"), "e1").member_id
    winner = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name="Анна"), "e2").member_id
    shop.till.set_secret(loser, SecretRequest(pin="2580", by=BORIS), "p1")
    shop.till.merge(loser, MergeRequest(into=winner, reason="one person", by=ANNA, approval=BORIS), "m")
    with pytest.raises(ConflictError, match="went over into"):
        shop.till.erase(loser, EraseRequest(by=BORIS, reason="asked"), "x1")
    with pytest.raises(ConflictError, match="went over into"):
        shop.till.change(loser, ChangeRequest(changes=(SetName(name="Ольга"),)), "n")
    assert shop.till.erase(winner, EraseRequest(by=BORIS, reason="asked"), "x2").is_clean
    for member_id in (loser, winner):
        row = shop.db.execute("SELECT state, personal, phone_index, secret FROM member WHERE id = ?", (member_id,)).fetchone()
        assert row == ("erased", None, None, None)
        assert shop.db.execute("SELECT COUNT(*) FROM member_key WHERE member = ?", (member_id,)).fetchone() == (0,)
    assert verify(shop.db) == ()
    shop.close()


def test_a_card_found_by_a_member_who_merged_leads_to_the_one_who_stays(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    add_ivanova(shop)
    other = shop.till.enrol(EnrolRequest(card=OTHER_CARD), "e").member_id
    shop.till.merge(MEMBER, MergeRequest(into=other, reason="one person", by=ANNA, approval=IVANOVA), "m")
    assert shop.till.identify(IdentifyRequest(card=CARD)).member_id == other
    assert verify(shop.db) == ()
    shop.close()
