"""Redeeming while head office answers, and while it does not: refused, or under the cap that the shop set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import QuoteStaleError
from pos_loyalty.reports.exposure import exposure_report
from pos_loyalty.store import outbox
from pos_loyalty.store.db import write
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest
from tests.shop import CARD, CONFIG, Shop, make_basket

KNOWS = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\nanswers_for_s = 60.0\n'
ONLINE = KNOWS + '\n[offline]\npolicy = "refuse"\n'
ALLOWANCE = KNOWS + '\n[offline]\npolicy = "allowance"\ncap_per_member_day = "100.00"\n'


def _heard(shop: Shop) -> None:
    with write(shop.db):
        outbox.heard(shop.db, shop.now)


def test_nothing_is_redeemed_while_head_office_is_silent(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ONLINE)
    assert shop.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0
    assert shop.sell(redeem="max").quote.redemption.centi == 0
    _heard(shop)
    assert shop.sell("sale-2", redeem="max").quote.redemption.centi == 13_500
    shop.now += timedelta(seconds=61)
    assert shop.sell("sale-3", redeem="max").quote.redemption.centi == 0


def test_a_clock_turned_back_does_not_make_head_office_answer(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ONLINE)
    _heard(shop)
    shop.now -= timedelta(seconds=5)
    assert shop.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0


def test_the_allowance_is_a_cap_for_a_member_and_a_day(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ALLOWANCE)
    first = shop.sell("sale-1", redeem=6_000)
    second = shop.sell("sale-2", redeem="max")
    third = shop.sell("sale-3", redeem="max")
    assert [answer.quote.redemption.centi for answer in (first, second, third)] == [6_000, 4_000, 0]
    assert shop.till.health().offline_redeemed_centi == 10_000
    assert shop.till.health().exposure_centi == 10_000, "one member, once a day"
    report = exposure_report(shop.folder / "till.db", shop.till._desk.config)
    assert (report.policy, report.members, report.exposure_centi, report.open_centi) == ("allowance", 1, 10_000, 10_000)


@pytest.mark.parametrize("config", [CONFIG, ONLINE, KNOWS])
def test_nothing_is_exposed_under_another_policy(make_shop: Callable[..., Shop], config: str) -> None:
    shop = make_shop(config)
    shop.sell("sale-1", redeem=6_000)
    assert shop.till.health().exposure_centi == 0
    report = exposure_report(shop.folder / "till.db", shop.till._desk.config)
    assert (report.exposure_centi, report.open_centi) == (0, 0)


def test_two_quotes_do_not_share_one_allowance(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ALLOWANCE)
    first, second = shop.ask(redeem="max"), replace(shop.ask(redeem="max"), sale_id="sale-2")
    shop.till.authorise(first, "key 1")
    with pytest.raises(QuoteStaleError, match="without head office"):
        shop.till.authorise(second, "key 2")


def test_a_quote_made_on_line_is_asked_again_when_the_line_is_cut(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ONLINE)
    _heard(shop)
    request = shop.ask(redeem="max")
    shop.now += timedelta(seconds=120)
    with pytest.raises(QuoteStaleError, match="without head office") as caught:
        shop.till.authorise(request, "key")
    assert caught.value.quote is not None and b'"due_minor":27000' in caught.value.quote


def test_a_host_that_dates_its_basket_otherwise_gets_no_second_allowance(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ALLOWANCE)
    shop.sell("sale-1", redeem="max")
    other_day = replace(make_basket(redeem="max"), opened_at=shop.now - timedelta(days=3))
    assert shop.till.quote(QuoteRequest(basket=other_day, card=CARD)).redemption.centi == 0
    shop.now += timedelta(days=1)
    assert shop.sell("sale-2", redeem="max").quote.redemption.centi == 10_000


def test_a_host_that_dates_its_basket_otherwise_revives_no_lot(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.now += timedelta(days=400)  # the opening lot has expired
    old = make_basket(redeem="max")
    assert shop.till.quote(QuoteRequest(basket=old, card=CARD)).redemption.centi == 0
