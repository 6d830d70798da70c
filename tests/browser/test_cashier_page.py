"""The cashier page in a real browser, over a real till: by keyboard alone, by mouse, with answers lost and totals moved."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.pages import (
    COFFEE,
    CROISSANT,
    dropped,
    due,
    intercepted,
    needs_browser,
    opened,
    sales,
    typed,
    wait_for_listener,
)
from tests.browser.serving import Web, serving
from tests.shop import CARD, CONFIG, PROGRAMME, Shop

OFFLINE = CONFIG + '[head_office]\nurl = "http://127.0.0.1:9"\n'
CONTRAST_MIN = 4.5

pytestmark = needs_browser


def test_a_sale_by_keyboard_alone(page: Page, shop: Shop) -> None:
    expect(page.locator("#scan")).to_be_focused()
    typed(page, CARD)
    expect(page.locator("#member .balance")).to_contain_text("500")
    expect(page.locator("#member")).not_to_contain_text(CARD)
    typed(page, f"2*{COFFEE}")
    due(page, "324,00 ₽")
    expect(page.locator(".reason")).to_have_text("Кофе -10%: −36,00")
    typed(page, "круас")
    due(page, "473,50 ₽")
    typed(page, "0,345*101")
    due(page, "518,32 ₽")
    page.keyboard.press("F2")
    due(page, "259,16 ₽")
    expect(page.locator("#redeem")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("F9")
    expect(page.locator("#done-title")).to_contain_text("259,16")
    expect(page.locator("#receipt")).to_contain_text("К ОПЛАТЕ")
    assert sales(shop) == [("completed", 25_916, 25_916)]
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_be_hidden()
    expect(page.locator("#member")).to_contain_text("Без карты")
    expect(page.locator("#scan")).to_be_focused()
    due(page, "0,00 ₽")


def test_the_same_by_mouse(page: Page, shop: Shop) -> None:
    typed(page, CARD)
    page.locator("#scan").fill("капуч")
    page.locator("#found li").first.click()
    due(page, "162,00 ₽")
    page.locator("#redeem").click()
    due(page, "81,00 ₽")
    page.locator("#redeem-amount").fill("50")
    page.locator("#redeem-amount").press("Enter")
    due(page, "112,00 ₽")
    expect(page.locator("#scan")).to_be_focused()
    page.locator("#pay-card").click()
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 11_200, 5_000)]
    page.locator("#next").click()
    expect(page.locator("#done")).to_be_hidden()


def test_an_amount_that_was_typed_counts_before_the_key_acts(page: Page, shop: Shop) -> None:
    typed(page, CARD)
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.locator("#redeem-amount").fill("50")
    page.keyboard.press("F9")
    due(page, "112,00 ₽")
    expect(page.locator("#scan")).to_be_focused()
    assert sales(shop) == []
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 11_200, 5_000)]


@pytest.mark.parametrize("hand", ["keys", "mouse"])
def test_points_that_nobody_can_read_are_not_paid_with_others(page: Page, shop: Shop, hand: str) -> None:
    """Ten are redeemed, the cashier means others and mistypes: the sale is not paid in that breath, and then as it shows."""
    typed(page, CARD)
    typed(page, COFFEE)
    page.locator("#redeem-amount").fill("10")
    page.locator("#redeem-amount").press("Enter")
    due(page, "152,00 ₽")
    pay = page.locator("#pay-cash").click if hand == "mouse" else lambda: page.keyboard.press("F9")
    page.locator("#redeem-amount").fill("5o")
    pay()
    expect(page.locator("#alarm")).to_be_visible()
    expect(page.locator("#redeem-amount")).to_have_value("10")
    assert sales(shop) == []
    pay()
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 15_200, 1_000)]


def test_lines_are_changed_and_removed(page: Page) -> None:
    typed(page, COFFEE)
    typed(page, CROISSANT)
    due(page, "311,50 ₽")
    page.keyboard.press("ArrowUp")
    typed(page, "3*")
    due(page, "635,50 ₽")
    page.keyboard.press("F4")
    due(page, "149,50 ₽")
    page.keyboard.press("F10")
    expect(page.locator("#notice")).to_contain_text("ещё раз")
    page.keyboard.press("F10")
    expect(page.locator("#empty")).to_be_visible()


def test_what_is_wrong_is_one_sentence_and_selling_goes_on(page: Page) -> None:
    sentences = {
        "2200000000033": "Карта не найдена",
        "999999": "нет ни такого товара, ни карты",
        "+79160000000": "Телефон не найден",
        "0*4601234567893": "не количество",
        "0,5*4601234567893": "целыми штуками",
        "2*": "Сначала выберите строку",
    }
    for text, sentence in sentences.items():
        typed(page, text)
        expect(page.locator("#alarm")).to_contain_text(sentence)
        typed(page, COFFEE)
        expect(page.locator("#alarm")).to_be_hidden()
        due(page, "162,00 ₽")
        dropped(page)


def test_a_lost_answer_is_asked_for_again_and_nothing_is_sold_twice(page: Page, shop: Shop) -> None:
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if route.request.url in lost:
            route.continue_()
            return
        route.fetch()  # the till has done it; only the answer goes missing
        lost.append(route.request.url)
        route.abort()

    intercepted(page, re.compile(r"/v1/sales($|/[^/]+/complete$)"), lose_once)

    sent: dict[str, set[tuple[str, str | None]]] = {"/v1/sales": set(), "/complete": set()}
    page.on("request", lambda request: [asked.add(said(request)) for end, asked in sent.items() if request.url.endswith(end)])
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("F9 ещё раз")
    typed(page, CROISSANT)
    expect(page.locator("#alarm")).to_contain_text("Сначала завершите оплату")
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("F9 ещё раз")
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    assert len(lost) == 2
    assert [len(asked) for asked in sent.values()] == [1, 1], "the same key and the same body each time"
    assert sales(shop) == [("completed", 16_200, 0)]


def said(request: Request) -> tuple[str, str | None]:
    return request.headers["idempotency-key"], request.post_data


def test_an_answer_that_comes_late_does_not_cover_a_newer_one(page: Page) -> None:
    held: list[Route] = []
    intercepted(page, "**/v1/quote", lambda route: held.append(route), times=1)
    typed(page, COFFEE)
    expect(page.locator("#lines tbody tr")).to_have_count(1)
    typed(page, CROISSANT)
    due(page, "311,50 ₽")
    with page.expect_response("**/v1/quote"):
        held[0].continue_()
    due(page, "311,50 ₽")
    expect(page.locator("#lines")).not_to_contain_text("…")


def test_a_moved_total_is_shown_before_it_is_paid(page: Page, shop: Shop) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    shop.publish(PROGRAMME.replace("version = 1", "version = 2").replace('percent = "10%"', 'percent = "20%"'))
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("Сумма изменилась")
    due(page, "144,00 ₽")
    assert sales(shop) == []
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 14_400, 0)]


def test_an_unfinished_sale_is_asked_about(browser: Browser, web: Web, shop: Shop) -> None:
    shop.till.authorise(replace(shop.ask(redeem="max"), sale_id="before-the-cut"), "key")
    page = opened(browser, web)
    expect(page.locator("#unfinished")).to_contain_text("Деньги получены?")
    page.keyboard.press("Shift+F9")
    expect(page.locator("#unfinished")).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("отменён")
    page.close()
    assert [state for state, _, _ in sales(shop)] == ["cancelled"]
    assert shop.usable_centi() == 50_000


def test_a_scanner_on_the_till_works_like_the_keyboard(page: Page, web: Web) -> None:
    expect(page.locator("#badges")).not_to_contain_text("не отвечает")
    wait_for_listener(web)
    web.scan("]E0" + CARD)
    expect(page.locator("#member .balance")).to_contain_text("500")
    web.scan("]E0" + COFFEE)
    due(page, "162,00 ₽")


def test_a_silent_head_office_is_a_calm_badge(browser: Browser, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(OFFLINE)
    with serving(shop.till) as web:
        page = opened(browser, web)
        badge = page.locator("#badges .offline")
        expect(badge).to_contain_text("Без связи с офисом")
        expect(page.locator("#badges .failed")).to_have_count(0)
        typed(page, CARD)
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        page.keyboard.press("F9")
        expect(page.locator("#done")).to_be_visible()
        page.close()


def test_the_page_speaks_english(browser: Browser, web: Web) -> None:
    page = opened(browser, web, "en", "dark")
    typed(page, CARD)
    typed(page, COFFEE)
    expect(page.locator("#due")).to_have_text("162.00\u00a0RUB")
    expect(page.locator(".reason")).to_have_text("Coffee 10% off: −18.00")
    page.keyboard.press("F8")
    expect(page.locator("#receipt")).to_contain_text("TO PAY")
    assert not re.search("[а-яё]", page.locator("body").inner_text().replace("Русский", "").replace("Капучино 0,3 л", "")
                         .replace("Кофейня на углу", "").replace("Проба", ""), re.I)  # fmt: skip
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_and_nothing_scrolls(browser: Browser, web: Web, scheme: str) -> None:
    page = opened(browser, web, "ru", scheme)
    for text in (CARD, COFFEE, "0,345*101", "SPRING15"):
        typed(page, text)
    expect(page.locator("#coupons .void")).to_be_visible()
    page.keyboard.press("F2")
    due(page, "103,41 ₽")
    typed(page, "999999")
    expect(page.locator("#alarm")).to_be_visible()
    faint = page.evaluate(CONTRASTS)
    assert [each for each in faint if each["contrast"] < CONTRAST_MIN] == []
    assert len(faint) > 20
    assert page.evaluate(
        "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
    )
    unnamed = page.evaluate("[...document.querySelectorAll('button')].filter((one) => !one.textContent.trim()).length")
    assert unnamed == 0
    page.close()


def test_every_button_is_reached_by_tab_and_shows_it(page: Page) -> None:
    typed(page, CARD)
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
        assert page.evaluate(
            "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineWidth !== '0px'"
        )
    assert {"redeem", "redeem-amount", "pay-cash", "pay-card", "remove", "clear"} <= reached


CONTRASTS = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const shown = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && one.offsetWidth > 2 &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return shown.map((one) => {
    const [a, b] = [light(numbers(getComputedStyle(one).color)), light(ground(one))];
    return { text: one.textContent.trim().slice(0, 30), contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
  });
}"""
