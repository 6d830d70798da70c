"""The page while head office is asked for the right to a unique code: nobody waits, and the coupon counts when the right came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from playwright.sync_api import Browser, expect

from pos_loyalty.store import coupon_words, epochs, follow, outbox
from pos_loyalty.store.coupon_rights import line_of
from pos_loyalty.store.coupon_words import KnownCoupon
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GrantFact
from pos_loyalty.till.reserving import Reserver
from tests.browser.pages import COFFEE, due, needs_browser, opened, typed, watched
from tests.browser.serving import serving
from tests.shop import CONFIG, PROGRAMME, Shop

pytestmark = needs_browser
ESCROW = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\n[coupons]\noffline = "escrow"\n'
COUPONS = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "flyer"
[[rule]]
id = "flyer-coupon"
stage = "order"
title = { ru = "Листовка", en = "Flyer" }
when = [{ is = "coupon", series = "flyer" }]
then = [{ do = "amount", amount = "20.00" }]
"""
)
CODE = "FLYER-17"


class Office:
    """Head office as the till's own thread asks it; it answers when the test lets it."""

    def __init__(self, shop: Shop, *, gives: bool) -> None:
        self.shop, self.gives = shop, gives
        self.may_answer, self.asked = threading.Event(), threading.Event()

    def ask(self, whom: str) -> None:
        assert whom == f"coupon:{CODE}"
        self.asked.set()
        assert self.may_answer.wait(60)
        if not self.gives:
            return
        now = self.shop.now
        with closing(open_store(self.shop.folder / "till.db", role="till", owner="T1", now=now)) as db, write(db):
            until = now + timedelta(days=9)
            grant = GrantFact(grant_id="a" * 32, till="T1", epoch=epochs.epoch_of(db), lease_until=until, lines=(line_of(CODE),))
            follow.book(db, Draft(id=self.shop.new_id(), kind="rights.taken", store="S1", body=grant), now)


def asks_for_the_code(make_shop: Callable[..., Shop], browser: Browser, *, gives: bool, then_due: str, told: str) -> None:
    shop = make_shop(ESCROW)
    shop.publish(COUPONS)
    known = KnownCoupon(code=CODE, series="flyer", is_live=True, is_ours=False, usable_from=None, expires_at=None)
    with write(shop.db):
        outbox.heard(shop.db, shop.now)
        coupon_words.put_words(shop.db, [known])
    office = Office(shop, gives=gives)
    shop.till._desk.reserver = Reserver(office.ask, lambda: None)
    with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web)) as page:
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        typed(page, CODE)
        assert office.asked.wait(10)
        expect(page.locator("#coupons li")).to_contain_text("спрашивают офис")
        due(page, "162,00 ₽")
        office.may_answer.set()
        expect(page.locator("#notice" if gives else "#alarm")).to_contain_text(told, timeout=10_000)
        due(page, then_due)
    office.may_answer.set()


def test_the_coupon_counts_when_its_right_came(make_shop: Callable[..., Shop], browser: Browser) -> None:
    asks_for_the_code(make_shop, browser, gives=True, then_due="142,00 ₽", told=f"Купон {CODE} принят")


def test_a_code_that_another_till_holds_is_refused_in_a_sentence(make_shop: Callable[..., Shop], browser: Browser) -> None:
    asks_for_the_code(make_shop, browser, gives=False, then_due="162,00 ₽", told="не даёт его этой кассе")
