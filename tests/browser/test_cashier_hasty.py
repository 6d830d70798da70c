"""A quick cashier at a slow till: keys are pressed before the page has heard what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from tests.browser.late import Late
from tests.browser.pages import COFFEE, due, needs_browser, opened, sales, typed, watched, window
from tests.browser.serving import Web
from tests.browser.world import WORLD, furnished, serving_world
from tests.shop import CARD, MEMBER, Shop

pytestmark = needs_browser
NAMES, PRODUCTS = "**/page/names.json", "**/page/products.json"


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving_world(furnished(shop)) as web:
        yield web


@contextmanager
def without(browser: Browser, web: Web, address: str) -> Iterator[tuple[Page, Callable[[], None]]]:
    """The page while this answer is on its way, and what lets it arrive."""
    with watched(window(browser)) as page:
        late = Late(page, address)
        page.goto(f"{web.url}/?language=ru")
        late.asked()
        expect(page.locator("#badges li").first).to_be_visible()
        yield page, late.arrive


@pytest.mark.parametrize("address", [NAMES, PRODUCTS])
def test_the_page_is_ready_when_it_knows_the_names_and_the_goods(browser: Browser, web: Web, address: str) -> None:
    with without(browser, web, address) as (page, arrive):
        expect(page.locator("body")).not_to_have_attribute("data-ready", "true")
        arrive()
        expect(page.locator("body")).to_have_attribute("data-ready", "true")


def test_what_is_sold_appears_in_the_gift_dialog_when_the_names_arrive(browser: Browser, web: Web) -> None:
    with without(browser, web, NAMES) as (page, arrive):
        page.keyboard.press("F6")
        expect(page.locator("#gift-code")).to_be_focused()
        expect(page.locator("#gift-series button")).to_have_count(0)
        arrive()
        expect(page.locator("#gift-series button")).to_have_count(3)
        page.keyboard.press("F2")
        page.keyboard.press("Enter")
        due(page, "500,00 ₽")


def test_goods_that_were_typed_before_the_page_knew_them_are_sold(browser: Browser, web: Web) -> None:
    with without(browser, web, PRODUCTS) as (page, arrive):
        typed(page, f"2*{COFFEE}")
        typed(page, CARD)
        arrive()
        due(page, "324,00 ₽")
        expect(page.locator("#member .balance")).to_be_visible()


def test_a_list_of_goods_that_was_lost_is_asked_for_again(browser: Browser, web: Web) -> None:
    with watched(window(browser)) as page:
        page.route(PRODUCTS, lambda route: route.abort(), times=1)
        page.goto(f"{web.url}/?language=ru")
        expect(page.locator("body")).to_have_attribute("data-ready", "true")
        typed(page, COFFEE)
        due(page, "162,00 ₽")


def test_a_new_programme_moves_what_is_sold_and_nothing_that_was_typed(browser: Browser, web: Web, shop: Shop) -> None:
    with watched(opened(browser, web)) as page:
        page.keyboard.press("F6")
        page.locator("#gift-series input").fill("123,45")
        expect(page.locator("#gift-series button")).to_have_count(3)
        shop.publish(WORLD.replace("version = 2", "version = 3").replace('["500", "1000"]', '["500", "1000", "3000"]'))
        expect(page.locator("#gift-series button")).to_have_count(4)
        expect(page.locator("#gift-series input")).to_have_value("123,45")
        expect(page.locator("#gift-series input")).to_be_focused()
        page.keyboard.press("Enter")
        due(page, "123,45 ₽")


def test_a_forgotten_card_needs_no_second_look_when_the_names_are_late(browser: Browser, web: Web, shop: Shop) -> None:
    shop.till.authorise(replace(shop.ask(card=None), sale_id="forgotten", complete=True), "forgotten")
    with without(browser, web, NAMES) as (page, arrive):
        page.keyboard.press("F7")
        expect(page.locator("#care-code")).to_be_focused()
        typed(page, "PL1|T1|forgotten")
        expect(page.locator("#care-receipt .who")).to_be_visible()
        typed(page, CARD)
        expect(page.locator("#care-claim")).to_be_enabled()
        expect(page.locator("#care .fault")).to_be_hidden()
        arrive()
        page.keyboard.press("F9")
        expect(page.locator("#senior")).to_be_visible()


@pytest.mark.parametrize("first", ["card", "goods"])
def test_nothing_is_paid_while_a_card_is_looked_up(browser: Browser, web: Web, shop: Shop, first: str) -> None:
    with watched(opened(browser, web)) as page:
        late = Late(page, "**/v1/identify")
        for text in (CARD, COFFEE) if first == "card" else (COFFEE, CARD):
            typed(page, text)
        late.asked()
        expect(page.locator("#due")).to_contain_text("162,00")
        page.keyboard.press("F9")
        expect(page.locator("#alarm")).to_contain_text("нажмите ещё раз")
        assert sales(shop) == []
        late.arrive()
        due(page, "162,00 ₽")
        expect(page.locator("#member .balance")).to_be_visible()
        page.keyboard.press("F9")
        expect(page.locator("#done")).to_be_visible()
        assert shop.db.execute("SELECT member FROM sale").fetchall() == [(MEMBER,)]
