"""Dialogs at a till that answers late: the last code that was typed counts, and no answer comes to the next buyer's dialog."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.late import Late
from tests.browser.pages import COFFEE, CROISSANT, due, needs_browser, opened, typed, watched
from tests.browser.serving import Web
from tests.browser.world import ANNA, furnished, serving_world
from tests.gifts import sold_card
from tests.shop import CARD, OTHER_CARD, Shop

pytestmark = needs_browser


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving_world(furnished(shop)) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    with watched(opened(browser, web)) as page:
        yield page


def opened_by(page: Page, key: str, field: str) -> None:
    page.keyboard.press(key)
    expect(page.locator(field)).to_be_focused()


def code_of(shop: Shop, amount_minor: int, sale_id: str) -> str:
    """The code of a gift card that was sold just now."""
    code = sold_card(shop, amount_minor, sale_id=sale_id).code
    assert code is not None
    return code


def test_the_last_gift_card_that_was_typed_pays_not_the_last_that_was_answered(page: Page, shop: Shop) -> None:
    first, last = code_of(shop, 50_000, "first"), code_of(shop, 100_000, "last")
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    opened_by(page, "F6", "#gift-code")
    late = Late(page, "**/v1/gift-cards/lookup", times=1)
    typed(page, first)
    late.asked()
    page.locator("#gift-code").fill(last)
    page.locator("#gift-code").press("Enter")
    held = page.locator("#gift-card .held")
    expect(held).to_contain_text("1\u00a0000,00")
    late.arrive()
    expect(held).to_contain_text("1\u00a0000,00")
    page.keyboard.press("F9")
    expect(page.locator("#notice")).to_contain_text("останется 838,00")


def test_a_gift_card_of_the_buyer_before_is_not_shown_to_the_next(page: Page, shop: Shop) -> None:
    code = code_of(shop, 50_000, "first")
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    opened_by(page, "F6", "#gift-code")
    late = Late(page, "**/v1/gift-cards/lookup")
    typed(page, code)
    late.asked()
    page.keyboard.press("Escape")
    expect(page.locator("#gift")).to_be_hidden()
    opened_by(page, "F6", "#gift-code")
    late.arrive()
    page.keyboard.press("F9")
    expect(page.locator("#gift-code")).to_be_focused()
    expect(page.locator("#gift-card")).to_be_hidden()
    page.keyboard.press("Escape")
    due(page, "162,00 ₽")


def test_a_code_that_is_typed_while_a_gift_card_is_looked_up_stays(page: Page, shop: Shop) -> None:
    code = code_of(shop, 50_000, "first")
    opened_by(page, "F6", "#gift-code")
    late = Late(page, "**/v1/gift-cards/lookup")
    typed(page, code)
    late.asked()
    page.locator("#gift-code").fill("ABC")
    late.arrive()
    expect(page.locator("#gift-card .held")).to_contain_text("500,00")
    expect(page.locator("#gift-code")).to_have_value("ABC")


@pytest.fixture
def care(page: Page, shop: Shop) -> Page:
    """The dialog about a member, and two members."""
    shop.add_member("member-2", OTHER_CARD, 10_000)
    opened_by(page, "F7", "#care-code")
    return page


@pytest.mark.parametrize("address", ["**/v1/scans", "**/v1/identify"])
def test_the_last_member_counts_not_the_last_answer(care: Page, address: str) -> None:
    late = Late(care, address, times=1)
    typed(care, CARD)
    late.asked()
    typed(care, OTHER_CARD)
    who = care.locator("#care-member .who")
    if address.endswith("identify"):
        expect(who).to_contain_text("0026")
    late.arrive()
    expect(who).to_contain_text("0026")
    expect(care.locator("#care-member .row p")).to_have_text("•• 0026")


def test_the_cards_that_are_shown_are_the_members_own(care: Page) -> None:
    late = Late(care, "**/v1/members/member-1")
    typed(care, CARD)
    late.asked()
    typed(care, OTHER_CARD)
    card = care.locator("#care-member .row p")
    expect(card).to_have_text("•• 0026")
    late.arrive()
    expect(card).to_have_text("•• 0026")


def test_a_code_that_is_typed_while_a_receipt_is_looked_up_stays(page: Page, shop: Shop) -> None:
    shop.sell()
    opened_by(page, "F3", "#return-code")
    late = Late(page, "**/v1/returns/preview")
    typed(page, "sale-1")
    late.asked()
    page.locator("#return-code").fill("abc")
    late.arrive()
    expect(page.locator("#return-head")).to_be_visible()
    expect(page.locator("#return-code")).to_have_value("abc")
    expect(page.locator("#return-code")).to_be_focused()


def test_a_yes_before_it_is_counted_what_comes_back_is_told_to_wait(page: Page, shop: Shop) -> None:
    shop.sell()
    opened_by(page, "F3", "#return-code")
    typed(page, "sale-1")
    count = page.locator("#return-lines input")
    expect(count).to_be_focused()
    late = Late(page, "**/v1/returns/preview")
    page.keyboard.type("1")
    late.asked()
    page.keyboard.press("F9")
    expect(page.locator("#return .fault")).to_contain_text("нажмите ещё раз")
    late.arrive()
    expect(page.locator("#return-would .due")).to_be_visible()
    page.keyboard.press("F9")
    expect(page.locator("#return-done")).to_be_visible()


def test_goods_of_the_next_buyer_stay_when_those_in_the_basket_came_back(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    opened_by(page, "F3", "#return-code")
    page.keyboard.press("F3")
    expect(page.locator("#return-would .due")).to_be_visible()
    late = Late(page, "**/v1/returns")
    page.keyboard.press("F9")
    page.locator("#senior-name").fill(ANNA.person)
    page.locator("#senior-pin").fill(ANNA.pin)
    page.keyboard.press("Enter")
    late.asked()
    page.keyboard.press("Escape")
    expect(page.locator("#return")).to_be_hidden()
    typed(page, f"2*{COFFEE}")
    typed(page, CROISSANT)
    due(page, "635,50 ₽")
    late.arrive()
    expect(page.locator("#return-done")).to_be_visible()
    page.keyboard.press("Escape")
    due(page, "473,50 ₽")
