"""Under escrow a till takes from a lot only what it holds: shown balances stay whole, what is missing is refused or owed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import epochs, follow
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GiveBackFact, GrantFact, RightLine
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest
from pos_loyalty.till.reserving import Reserver, standing
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest
from pos_loyalty.values import Points
from tests.shop import CARD, CONFIG, MEMBER, OPENING_CENTI, PROGRAMME, Shop, make_basket

ESCROW = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\n[acts]\nalone_up_to_centi = 100000\n'
LOT = f"opening-{MEMBER}"


def line(centi: int, lot_id: str = LOT) -> RightLine:
    return RightLine(lot_id=lot_id, member_id=MEMBER, centi=Points(centi))


def gives_up(shop: Shop, centi: int, lot_id: str = LOT) -> None:
    """As the daemon does what head office asks for."""
    with write(shop.db):
        body = GiveBackFact(lines=(line(centi, lot_id),))
        follow.book(shop.db, Draft(id=shop.new_id(), kind="rights.returned", store="S1", body=body), shop.now)


def gets(shop: Shop, centi: int, days: int = 30) -> None:
    with write(shop.db):
        grant = GrantFact(
            grant_id=shop.new_id().hex, till="T1", epoch=epochs.epoch_of(shop.db), lease_until=shop.now + timedelta(days=days),
            lines=(line(centi),),
        )  # fmt: skip
        follow.book(shop.db, Draft(id=shop.new_id(), kind="rights.taken", store="S1", body=grant), shop.now)


@pytest.fixture
def held(make_shop: Callable[..., Shop]) -> Shop:
    """A member of 500 points, of which this till holds 100, on a lease."""
    shop = make_shop(ESCROW)
    gives_up(shop, OPENING_CENTI)
    gets(shop, 10_000)
    return shop


def test_the_whole_balance_is_shown_and_what_may_be_used_here(held: Shop) -> None:
    member = held.till.identify(IdentifyRequest(card=CARD))
    assert (member.balance_centi, member.usable_centi, member.redeemable_centi) == (OPENING_CENTI, OPENING_CENTI, 10_000)
    assert held.sell(redeem="max").balance_centi == OPENING_CENTI - 10_000 + 850, "170.00 of 270.00 are paid in money, 5 % of it"


def test_a_refusal_says_that_it_is_this_till(held: Shop) -> None:
    quote = held.till.quote(QuoteRequest(basket=make_basket(redeem=12_000), card=CARD))
    assert quote.redemption.centi == 10_000
    assert [(refusal.condition, refusal.have, refusal.need) for refusal in quote.refusals if refusal.rule == "redeem"] == [
        ("rights", "100.00", "120.00")
    ]


def test_what_went_back_between_quote_and_sale_is_not_redeemed(held: Shop) -> None:
    request = held.ask(redeem="max")
    gives_up(held, 4_000)
    with pytest.raises(ConflictError, match="points have changed"):
        held.till.authorise(request, "key")


def test_after_the_lease_only_what_was_earned_here_is_used(held: Shop) -> None:
    held.sell()
    held.now += timedelta(days=30)
    basket = replace(make_basket(redeem="max"), opened_at=held.now)
    assert held.till.quote(QuoteRequest(basket=basket, card=CARD)).redemption.centi == 1_350, "5 % of 270.00"
    assert held.till.identify(IdentifyRequest(card=CARD)).balance_centi == OPENING_CENTI + 1_350


def test_points_by_hand_are_taken_where_the_till_holds_them(held: Shop) -> None:
    senior = held.senior()
    request = AdjustRequest(centi=Points(-12_000), reason="a mistake", by=senior)
    with pytest.raises(ConflictError, match=r"This till holds 100\.00 points"):
        held.till.adjust(MEMBER, request, "key 1")
    owing = held.till.adjust(MEMBER, replace(request, owe=True), "key 2")
    assert (owing.owed_centi, owing.balance_centi) == (2_000, OPENING_CENTI - 10_000)


def test_points_of_goods_that_come_back_are_owed_where_another_till_holds_them(held: Shop) -> None:
    held.sell("sale-1")
    gives_up(held, 1_350, "T1/sale-1:base")
    gives_up(held, 10_000)
    answer = held.till.return_goods("sale-1", ReturnRequest(return_id="r1", all=True), "key r")
    assert (answer.owed_in_all_centi, answer.balance_centi) == (1_350, OPENING_CENTI + 1_350)
    assert held.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0


def test_nothing_is_forgiven_while_another_till_holds_points_of_the_member(held: Shop) -> None:
    held.publish(PROGRAMME.replace("version = 1", "version = 2").replace("[points]", '[points]\nowed = "forgive"'))
    held.sell("sale-1")
    gives_up(held, 1_350, "T1/sale-1:base")
    gives_up(held, 10_000)
    answer = held.till.return_goods("sale-1", ReturnRequest(return_id="r1", all=True), "key r")
    assert (answer.owed_in_all_centi, answer.balance_centi) == (1_350, OPENING_CENTI + 1_350)
    assert verify(held.db) == ()


def test_a_clock_that_is_wrong_by_more_than_a_day_lets_no_grant_be_used(held: Shop) -> None:
    held.till.identify(IdentifyRequest(card=CARD))
    held.sell()
    held.now -= timedelta(days=3)
    assert held.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0


def test_a_till_that_stands_alone_holds_everything(shop: Shop) -> None:
    gives_up(shop, OPENING_CENTI)
    assert shop.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == OPENING_CENTI


def test_more_is_asked_for_beside_the_checkout(held: Shop) -> None:
    asked: list[str] = []
    goes_on, done = threading.Event(), threading.Event()

    def ask(member_id: str) -> None:
        asked.append(member_id)
        assert goes_on.wait(10)

    desk = held.till._desk
    desk.reserver = reserver = Reserver(ask, done.set)
    assert held.till.identify(IdentifyRequest(card=CARD)).asking, "and the answer does not wait for it"
    assert held.till.identify(IdentifyRequest(card=CARD)).asking
    goes_on.set()
    reserver.close(10)
    assert done.wait(10) and asked == [MEMBER], "once, not with every look"
    assert not standing(desk, held.till.identify(IdentifyRequest(card=CARD))).asking
    desk.reserver = None
