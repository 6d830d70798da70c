"""The badges of a till whose store has a hub: by the hub, past it, cut off. They change by themselves while the cashier sells."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from pos_loyalty.store import outbox, roads
from pos_loyalty.store.db import write
from tests.browser.pages import COFFEE, due, needs_browser, opened, sales, typed, watched
from tests.browser.serving import serving
from tests.shop import CARD, CONFIG, NOW, Shop

pytestmark = needs_browser
WITH_OFFICE = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\n'
WITH_HUB = WITH_OFFICE + '\n[hub]\nurl = "http://127.0.0.1:2"\n'
ROAD = re.compile("узе?л")
MINUTE = timedelta(minutes=1)


def heard(shop: Shop) -> None:
    """The till has all that head office has to tell, as of now."""
    with write(shop.db):
        outbox.heard(shop.db, shop.now)


def roads_told(page: Page, *texts: str) -> None:
    """Badges about the road, and no others about it."""
    expect(page.locator("#badges li").filter(has_text=ROAD)).to_have_text(list(texts))


def test_the_badge_follows_the_road_while_the_cashier_sells(browser: Browser, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(WITH_HUB)
    roads.note(shop.db, "hub", NOW, NOW)
    heard(shop)
    with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web)) as page:
        roads_told(page, "Через узел магазина")
        expect(page.locator("#badges")).to_contain_text("Офис на связи")
        expect(page.locator("#badges .offline, #badges .failed")).to_have_count(0)

        typed(page, CARD)
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        shop.now += 20 * MINUTE
        roads.note(shop.db, "straight", NOW + MINUTE, shop.now)
        heard(shop)
        roads_told(page, "Мимо узла магазина с 12:50 · узел отвечал в 12:31")
        expect(page.locator("#badges .offline")).to_have_count(1)
        expect(page.locator("#badges")).to_contain_text("Офис на связи")

        shop.now += 60 * MINUTE
        expect(page.locator("#badges")).to_contain_text("Без связи с офисом, касса продаёт · последний раз в 12:50")
        roads_told(page, "Мимо узла магазина с 12:50 · узел отвечал в 12:31")
        expect(page.locator("#badges .failed")).to_have_count(0)
        expect(page.locator("#due")).to_have_text("162,00\u00a0₽")
        page.keyboard.press("F9")
        expect(page.locator("#done")).to_be_visible()
        assert [state for state, _, _ in sales(shop)] == ["completed"]

        roads.note(shop.db, "hub", shop.now, shop.now)
        heard(shop)
        roads_told(page, "Через узел магазина")
        expect(page.locator("#badges .offline")).to_have_count(0)


def test_a_hub_that_never_answered_is_said_to_be_so_in_english_too(browser: Browser, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(WITH_HUB)
    roads.note(shop.db, "straight", None, NOW)
    with serving(shop.till) as web, watched(opened(browser, web, "en")) as page:
        badge = page.locator("#badges .offline").filter(has_text="hub")
        expect(badge).to_contain_text(re.compile(r"^Past the store's hub since 12:30( PM)? · the hub never answered$"))


def test_a_till_without_a_hub_says_nothing_of_one(browser: Browser, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(WITH_OFFICE)
    roads.note(shop.db, "straight", NOW, NOW)
    heard(shop)
    with serving(shop.till) as web, watched(opened(browser, web)) as page:
        expect(page.locator("#badges")).to_contain_text("Офис на связи")
        roads_told(page)
