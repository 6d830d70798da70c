"""Money laws of gift cards and coupons: money paid in advance becomes neither less nor more, and a code is good once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import follow
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from pos_loyalty.till.model import CancelRequest, CompleteRequest, QuoteRequest, SaleAnswer, VoidRequest
from pos_loyalty.values import Minor
from tests.money.corner import TENTH_OFF_ALL, Corner, Goods, basket_of, cash
from tests.shop import CARD, MEMBER, OPENING_CENTI

CARD_OF_1000 = ("gift-card", 100_000, "1")


def gift(minor: int, card: GiftCardAnswer) -> Tender:
    return Tender(kind="gift", amount_minor=Minor(minor), card=card.card_id)


def bought_card(corner: Corner) -> GiftCardAnswer:
    return corner.buys("gc", CARD_OF_1000, card=None).gift_cards[0]


def pays(corner: Corner, sale_id: str, goods: Goods, *tenders: Tender, complete: bool = True) -> SaleAnswer:
    request = replace(corner.priced(sale_id, goods, card=None), tenders=tenders, complete=complete)
    return corner.till.authorise(request, f"pay {sale_id}")


def holds(corner: Corner, card: GiftCardAnswer) -> int:
    return corner.account(f"gift:{card.card_id}")


def test_a_gift_card_costs_its_face_and_brings_nothing(make_corner: Callable[..., Corner]) -> None:
    """10 % off everything, 5 % in points, 500 points to redeem: 1,000.00 is paid in money, and no point comes or goes."""
    corner = make_corner(TENTH_OFF_ALL)
    answer = corner.buys("s", CARD_OF_1000, redeem="max")
    assert (answer.quote.total_minor, answer.quote.due_minor) == (100_000, 100_000)
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI
    assert holds(corner, answer.gift_cards[0]) == 100_000


def test_a_gift_card_pays_no_more_than_it_holds(corner: Corner) -> None:
    """600.00 of 1,000.00 are gone; another 600.00 are not there, nor 2 × 300.00 in one sale: 400.00 are left."""
    card = bought_card(corner)
    pays(corner, "s1", ("coat", 60_000, "1"), gift(60_000, card))
    with pytest.raises(ConflictError):
        pays(corner, "s2", ("coat", 60_000, "1"), gift(60_000, card))
    with pytest.raises(ConflictError):
        pays(corner, "s3", ("coat", 60_000, "1"), gift(30_000, card), gift(30_000, card))
    assert holds(corner, card) == 40_000
    assert verify(corner.db) == ()


def test_a_gift_card_that_was_not_paid_pays_nothing(corner: Corner) -> None:
    """1,000.00 are due and 0.01 comes: the sale stands, for it happened, and the card buys no coat of 600.00."""
    asked = replace(corner.priced("gc", CARD_OF_1000, card=None), tenders=(cash(100_000),), complete=False)
    corner.till.authorise(asked, "authorise")
    (card,) = corner.till.complete("gc", CompleteRequest(tenders=(cash(1),)), "complete").gift_cards
    with pytest.raises(ConflictError):
        pays(corner, "s", ("coat", 60_000, "1"), gift(60_000, card))
    assert holds(corner, card) == 100_000
    assert verify(corner.db) == ()


def test_what_a_gift_card_paid_goes_back_to_the_gift_card(corner: Corner) -> None:
    """A coat of 600.00, by a card 500.00, 100.00 in cash. It comes back: 500.00 onto the card, 100.00 in cash."""
    card = bought_card(corner)
    pays(corner, "s", ("coat", 60_000, "1"), gift(50_000, card), cash(10_000))
    answer = corner.brings_back("s")
    assert [(tender.kind, tender.amount_minor) for tender in answer.tenders] == [("gift", 50_000), ("cash", 10_000)]
    assert holds(corner, card) == 100_000
    assert verify(corner.db) == ()


def test_a_cancelled_sale_gives_the_gift_card_its_money_back(corner: Corner) -> None:
    """600.00 are set aside, the rest of the payment fails: 1,000.00 stand on the card again."""
    card = bought_card(corner)
    pays(corner, "s", ("coat", 60_000, "1"), gift(60_000, card), complete=False)
    assert holds(corner, card) == 40_000
    corner.till.cancel("s", CancelRequest(), "cancel")
    assert holds(corner, card) == 100_000


def test_a_coupon_is_good_once(corner: Corner) -> None:
    """20.00 off 300.00 with a code: 280.00. The same code again: 300.00. The first is voided: 280.00 again."""
    with write(corner.db):
        codes = CouponsFact(series="paper", codes=("CODE-1",))
        follow.book(corner.db, Draft(id=corner.new_id(), kind="coupons.added", store="S1", body=codes), corner.now)

    def costs() -> int:
        basket = basket_of(("book", 30_000, "1"), coupons=("CODE-1",))
        return corner.till.quote(QuoteRequest(basket=basket, card=CARD)).total_minor

    assert corner.buys("s", ("book", 30_000, "1"), coupons=("CODE-1",)).quote.total_minor == 28_000
    assert costs() == 30_000
    corner.till.void("s", VoidRequest(), "void")
    assert costs() == 28_000
