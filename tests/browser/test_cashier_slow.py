"""A till that answers late: what the cashier typed, clicked or was told meanwhile stands as under a quick one."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from tests.browser.late import Late
from tests.browser.pages import APPLES, COFFEE, CROISSANT, due, needs_browser, opened, sales, typed, watched, window
from tests.browser.serving import Web, serving
from tests.shop import CARD, MEMBER, Shop

pytestmark = needs_browser
SLOW_S = 0.3
READ_MS = 2_500
"""A sentence is not taken away before somebody could read it."""
ALARMS = """() => {
  const alarm = document.getElementById("alarm");
  window.alarms = [];
  new MutationObserver(() => {
    const [text, last] = [alarm.hidden ? "" : alarm.textContent, window.alarms.at(-1)?.text ?? ""];
    if (text !== last) window.alarms.push({ text, ms: performance.now() });
  }).observe(alarm, { attributes: true, childList: true, characterData: true, subtree: true });
}"""


def in_the_box(page: Page, text: str) -> None:
    page.locator("#scan").fill(text)


def test_a_sale_by_mouse_at_a_slow_till(browser: Browser, shop: Shop) -> None:
    with serving(shop.till, shop.till.rule_titles, slow_s=SLOW_S) as web, watched(opened(browser, web)) as page:
        typed(page, CARD)
        in_the_box(page, "капуч")
        page.locator("#found li").first.click()
        in_the_box(page, "круас")
        page.locator("#found li").first.click()
        page.locator("#lines tbody tr").first.click()
        expect(page.locator("#member .balance")).to_be_visible()
        page.locator("#remove").click()
        in_the_box(page, "капуч")
        due(page, "149,50 ₽")
        page.locator("#found li").last.click()
        page.locator("#pay-card").click()
        expect(page.locator("#done")).to_be_visible()
        assert sales(shop) == [("completed", 14_950 + 22_500, 0)]


@pytest.mark.parametrize("address", ["**/v1/scans", "**/v1/identify"])
def test_no_answer_takes_the_offered_goods_away(page: Page, address: str) -> None:
    late = Late(page, address)
    typed(page, CARD)
    late.asked()
    in_the_box(page, "капуч")
    offered = page.locator("#found li")
    expect(offered).to_have_count(2)
    page.keyboard.press("ArrowDown")
    offered.first.hover()
    page.mouse.down()
    late.arrive()
    expect(page.locator("#member .balance")).to_be_visible()
    expect(offered).to_have_count(2)
    expect(offered.first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#scan")).to_have_value("капуч")
    page.mouse.up()
    due(page, "162,00 ₽")


def test_goods_are_offered_for_words_that_were_typed_before_the_page_knew_them(browser: Browser, web: Web) -> None:
    with watched(window(browser)) as page:
        late = Late(page, "**/page/products.json")
        page.goto(f"{web.url}/?language=ru")
        in_the_box(page, "капуч")
        expect(page.locator("#badges li").first).to_be_visible()
        late.arrive()
        expect(page.locator("#found li")).to_have_count(2)


def test_words_that_were_typed_while_a_sale_ends_find_their_goods_in_the_next(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    late = Late(page, re.compile(r"/complete$"))
    page.keyboard.press("F9")
    late.asked()
    in_the_box(page, "капуч")
    expect(page.locator("#found")).to_be_hidden()
    late.arrive()
    expect(page.locator("#done")).to_be_visible()
    page.keyboard.press("F10")
    expect(page.locator("#found li")).to_have_count(2)


def test_a_click_on_a_line_is_not_lost_when_its_price_comes(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    late = Late(page, "**/v1/quote")
    typed(page, CROISSANT)
    late.asked()
    line = page.locator("#lines tbody tr").first
    line.locator(".name").hover()
    page.mouse.down()
    late.arrive()
    due(page, "311,50 ₽")
    page.mouse.up()
    expect(line).to_have_attribute("aria-current", "true")


def test_a_click_on_a_sale_that_goes_is_none_on_the_next(browser: Browser, web: Web, shop: Shop) -> None:
    """The button of the one lies where that of the other lay."""
    for name in ("first", "second"):
        shop.till.authorise(replace(shop.ask(card=None), sale_id=name), name)
    with watched(opened(browser, web)) as page:
        rows = page.locator("#unfinished .row")
        expect(rows).to_have_count(2)
        rows.first.locator("button").last.hover()
        page.mouse.down()
        web.post("/v1/sales/first/cancel", {}, "first:cancel")
        expect(rows).to_have_count(1)
        page.mouse.up()
        page.keyboard.press("F7")
        expect(page.locator("#care-code")).to_be_focused()
        assert web.get("/v1/sales/second").json["state"] == "authorised"


def test_an_alarm_stands_until_it_can_be_read(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.evaluate(ALARMS)
    late = Late(page, "**/v1/scans")
    typed(page, CARD)
    late.asked()
    page.keyboard.press("F9")
    late.arrive()
    expect(page.locator("#member .balance")).to_be_visible()
    expect(page.locator("#alarm")).to_be_hidden()
    told, over = page.evaluate("window.alarms")
    assert "нажмите ещё раз" in told["text"]
    assert over["ms"] - told["ms"] >= READ_MS
    expect(page.locator("#notice")).to_have_text("Карта принята")


def test_an_alarm_goes_at_once_when_the_cashier_goes_on(page: Page) -> None:
    page.evaluate(ALARMS)
    typed(page, "999999")
    expect(page.locator("#alarm")).to_be_visible()
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    assert [alarm["text"] for alarm in page.evaluate("window.alarms")][-1] == ""


def test_what_is_to_be_weighed_is_still_asked_for_when_an_older_code_is_known(page: Page) -> None:
    late = Late(page, "**/v1/scans")
    typed(page, CARD)
    late.asked()
    typed(page, APPLES)
    expect(page.locator("#scan")).to_have_attribute("placeholder", re.compile("."))
    late.arrive()
    expect(page.locator("#member .balance")).to_be_visible()
    typed(page, "0,345")
    due(page, "44,82 ₽")


def test_a_card_of_a_sale_that_was_dropped_is_not_the_next_buyers(page: Page) -> None:
    identified: list[str] = []
    page.on("request", lambda request: identified.append(request.url) if request.url.endswith("/v1/identify") else None)
    typed(page, CROISSANT)
    due(page, "149,50 ₽")
    late = Late(page, "**/v1/scans")
    typed(page, CARD)
    late.asked()
    page.keyboard.press("F10")
    page.keyboard.press("F10")
    expect(page.locator("#empty")).to_be_visible()
    late.arrive()
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    assert identified == []
    expect(page.locator("#member")).to_contain_text("Без карты")


def test_a_card_is_the_sales_though_a_dialog_was_opened_meanwhile(page: Page) -> None:
    late = Late(page, "**/v1/scans")
    typed(page, CARD)
    late.asked()
    page.keyboard.press("F7")
    expect(page.locator("#care-code")).to_be_focused()
    late.arrive()
    expect(page.locator("#member .balance")).to_contain_text("500")
    expect(page.locator("#care-member .who")).to_have_count(0)


@pytest.mark.parametrize("key", ["F2", "F4", "F9"])
def test_a_key_that_means_what_is_looked_up_is_told_to_wait(page: Page, shop: Shop, key: str) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    late = Late(page, "**/v1/identify")
    typed(page, CARD)
    late.asked()
    page.keyboard.press(key)
    expect(page.locator("#alarm")).to_contain_text("нажмите ещё раз")
    late.arrive()
    expect(page.locator("#member .balance")).to_be_visible()
    expect(page.locator("#lines tbody tr")).to_have_count(1)
    assert sales(shop) == []
    due(page, "162,00 ₽")
    page.keyboard.press("F2")
    due(page, "81,00 ₽")


def test_a_count_that_was_typed_too_early_waits_in_the_box(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    late = Late(page, "**/v1/scans")
    typed(page, f"]C1010{CROISSANT}")  # a label that the page does not know: the till does
    late.asked()
    typed(page, "3*")
    expect(page.locator("#alarm")).to_contain_text("нажмите ещё раз")
    expect(page.locator("#scan")).to_have_value("3*")
    late.arrive()
    due(page, "311,50 ₽")
    page.keyboard.press("Enter")
    due(page, "610,50 ₽")


def newcomer(page: Page, late: Late) -> None:
    """The form is sent, and its answer is on its way."""
    page.locator("#enrol summary").click()
    page.locator("#enrol-card").fill("2200000000033")
    page.locator("#enrol-data").check()
    page.locator("#enrol-form button[type=submit]").click()
    late.asked()


def test_nothing_is_paid_while_a_member_is_enrolled(page: Page, shop: Shop) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    late = Late(page, "**/v1/members")
    newcomer(page, late)
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("нажмите ещё раз")
    late.arrive()
    expect(page.locator("#member .balance")).to_be_visible()
    due(page, "162,00 ₽")
    assert sales(shop) == []
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    assert shop.db.execute("SELECT count(*) FROM sale WHERE member IS NOT NULL AND member <> ?", (MEMBER,)).fetchone() == (1,)


def test_a_newcomer_of_a_sale_that_was_dropped_is_not_the_next_buyer(page: Page) -> None:
    typed(page, CROISSANT)
    due(page, "149,50 ₽")
    late = Late(page, "**/v1/members")
    newcomer(page, late)
    page.keyboard.press("F10")
    page.keyboard.press("F10")
    expect(page.locator("#empty")).to_be_visible()
    late.arrive()
    expect(page.locator("#notice")).not_to_be_empty()
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    expect(page.locator("#member")).to_contain_text("Без карты")
