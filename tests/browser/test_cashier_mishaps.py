"""What goes wrong at a till in a day, seen from the cashier page: restarts, dead coupons, wrong cards, forgotten weights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Route, expect

from pos_loyalty.engine.programme import Programme
from pos_loyalty.store.db import write
from pos_loyalty.web.page import Names
from tests.browser.pages import APPLES, COFFEE, CROISSANT, dropped, due, intercepted, needs_browser, opened, sales, typed, watched
from tests.browser.serving import Web, serving
from tests.ports import free_port
from tests.shop import CARD, MEMBER, OTHER_CARD, PROGRAMME, Shop

BANK_CARD = "4276380012345679"
COUPONS = """
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
""" + "".join(
    f"""
[[coupon]]
id = "{name}"
code = "{name.upper()}"
{dates}

[[rule]]
id = "{name}-rule"
stage = "order"
title = {{ ru = "По купону", en = "By coupon" }}
when = [{{ is = "coupon", series = "{name}" }}{more}]
then = [{{ do = "percent", percent = "5%" }}]
"""
    for name, dates, more in (
        ("good5", "", ""),
        ("past5", 'until = "2020-12-31"', ""),
        ("later5", 'since = "2099-01-01"', ""),
        ("member5", "", ', { is = "customer", member = true }'),
    )
)

pytestmark = needs_browser


@pytest.fixture
def coupon_page(browser: Browser, shop: Shop) -> Iterator[Page]:
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + COUPONS)
    with write(shop.db):
        shop.db.execute("UPDATE member SET tier = 'silver' WHERE id = ?", (MEMBER,))
    names = Names(tiers=lambda: programme(shop).tier_titles)
    with serving(shop.till, shop.till.rule_titles, names) as web, watched(opened(browser, web)) as page:
        yield page


def programme(shop: Shop) -> Programme:
    return shop.till._desk.shelf.current(shop.db)


def test_a_till_that_was_restarted_is_asked_again_by_itself(browser: Browser, shop: Shop) -> None:
    with serving(shop.till, port=free_port()) as web:
        page = opened(browser, web)
        typed(page, COFFEE)
        due(page, "162,00 ₽")
    typed(page, CROISSANT)
    expect(page.locator("#alarm")).to_contain_text("Спрашиваем кассу снова")
    expect(page.locator("#due")).to_have_text("—")
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("Спрашиваем кассу снова")
    expect(page.locator("#badges")).to_contain_text("не отвечает")
    shop.reopen()
    with serving(shop.till, port=web.port):
        due(page, "311,50 ₽")
        expect(page.locator("#notice")).to_contain_text("Касса снова отвечает. К оплате 311,50")
        page.keyboard.press("F9")
        expect(page.locator("#done")).to_be_visible()
        page.close()
    assert sales(shop) == [("completed", 31_150, 0)]


def test_a_quote_lost_in_a_restart_is_renewed_and_paid_at_one_press(browser: Browser, shop: Shop) -> None:
    with serving(shop.till, port=free_port()) as web:
        page = opened(browser, web)
        typed(page, COFFEE)
        due(page, "162,00 ₽")
    shop.reopen()
    with serving(shop.till, port=web.port):
        page.keyboard.press("F9")
        expect(page.locator("#done-title")).to_contain_text("162,00")
        page.close()
    assert sales(shop) == [("completed", 16_200, 0)]


def test_a_quote_that_only_ran_out_is_paid_without_a_word(page: Page, shop: Shop) -> None:
    typed(page, CARD)
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.keyboard.press("F2")
    due(page, "81,00 ₽")
    shop.now += timedelta(hours=1)
    page.keyboard.press("F8")
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 8_100, 8_100)]


def test_a_quote_that_runs_out_again_and_again_is_said(page: Page, web: Web, shop: Shop) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    tries: list[str] = []

    def stale(route: Route) -> None:
        tries.append(route.request.url)
        quote = web.post("/v1/quote", json.loads(quoted[-1])).json
        problem = {"type": "/problems/quote-stale", "title": "Расчёт устарел.", "status": 409, "detail": "Again.", "quote": quote}
        route.fulfill(status=409, content_type="application/problem+json", body=json.dumps(problem))

    quoted: list[str] = []
    page.on("request", lambda request: quoted.append(request.post_data or "") if request.url.endswith("/v1/quote") else None)
    typed(page, CROISSANT)
    due(page, "311,50 ₽")
    intercepted(page, re.compile("/v1/sales$"), stale)
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("Расчёт устарел")
    assert len(tries) == 2
    assert sales(shop) == []


@pytest.mark.parametrize("first", ["coupon", "product"])
def test_a_coupon_that_does_not_act_is_no_success(coupon_page: Page, first: str) -> None:
    page = coupon_page
    reasons = {
        "PAST5": "его срок истёк 31.12.2020",
        "LATER5": "он начнёт действовать 01.01.2099",
        "NOSUCH": "такого купона нет",
        "MEMBER5": "нужна карта участника",
    }
    for code, why in reasons.items():
        for text in (code.lower(), COFFEE) if first == "coupon" else (COFFEE, code.lower()):
            typed(page, text)
        expect(page.locator("#alarm")).to_contain_text(f"Купон {code} не действует: {why}")
        expect(page.locator("#notice")).to_have_text("")
        expect(page.locator("#coupons .void")).to_contain_text(f"Купон {code} не действует: {why}")
        expect(page.locator("#coupons s")).to_have_text(f"Купон {code}")
        dropped(page)


def test_a_coupon_acts_as_soon_as_it_may(coupon_page: Page) -> None:
    page = coupon_page
    typed(page, "GOOD5")
    expect(page.locator("#notice")).to_contain_text("проверится с первым товаром")
    typed(page, COFFEE)
    expect(page.locator("#notice")).to_have_text("Купон GOOD5 принят")
    due(page, "153,90 ₽")
    page.keyboard.press("F10")
    page.keyboard.press("F10")
    typed(page, COFFEE)
    typed(page, "MEMBER5")
    expect(page.locator("#coupons .void")).to_have_count(1)
    typed(page, CARD)
    due(page, "153,90 ₽")
    expect(page.locator("#coupons .void")).to_have_count(0)
    expect(page.locator("#member .who")).to_contain_text("Серебро")


LONG_NUMBERS = (
    (BANK_CARD, "•• 5679 — это банковская карта", "12345"),
    ("4276 3800 1234 5679", "•• 5679 — это банковская карта", "1234"),
    (f";{BANK_CARD}=29051011000", "•• 5679 — это банковская карта", "12345"),
    ("4276380012345674", "•• 5674: нет ни такого товара, ни карты", "12345"),
    (f"{BANK_CARD}*{COFFEE}", "«•• 5679» — не количество", "12345"),
    ("2200000000018", "•• 0018 неверный (контрольная цифра)", "00000"),
)


def test_a_long_number_is_never_shown_whole(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    for text, sentence, hidden in LONG_NUMBERS:
        sent.clear()
        typed(page, text)
        expect(page.locator("#alarm")).to_contain_text(sentence)
        assert hidden not in page.locator("body").inner_text()
        if "банковская" in sentence:
            assert not [body for body in sent if hidden in body], "it does not leave the page"
        dropped(page)


def test_a_phone_is_known_however_it_is_typed(page: Page) -> None:
    for text in ("+7 (916) 000-00-00", "8 916 000 00 00", "79160000000", "(916) 000 00 00"):
        with page.expect_request("**/v1/identify") as asked:
            typed(page, text)
        phone = json.loads(asked.value.post_data or "")["phone"]
        assert re.fullmatch(r"\+?\d+", phone)
        expect(page.locator("#alarm")).to_contain_text("Телефон не найден")
        dropped(page)


def test_a_product_by_weight_waits_for_its_weight(page: Page) -> None:
    typed(page, APPLES)
    expect(page.locator("#notice")).to_contain_text("Яблоки сезонные: введите вес")
    expect(page.locator("#lines tbody tr")).to_have_count(0)
    page.keyboard.press("F9")
    expect(page.locator("#notice")).to_contain_text("введите вес")
    typed(page, "0,345")
    due(page, "44,82 ₽")
    page.keyboard.type("яблок")
    page.keyboard.press("Enter")
    typed(page, "2*")
    due(page, "304,62 ₽")
    typed(page, APPLES)
    page.keyboard.press("Escape")
    typed(page, COFFEE)
    due(page, "466,62 ₽")


def test_a_second_card_says_that_it_replaces_the_first(page: Page, shop: Shop) -> None:
    shop.add_member("member-2", OTHER_CARD, 1_000)
    typed(page, CARD)
    expect(page.locator("#notice")).to_have_text("Карта принята")
    typed(page, CARD)
    expect(page.locator("#notice")).to_have_text("Эта карта уже принята")
    typed(page, OTHER_CARD)
    expect(page.locator("#notice")).to_have_text("Карта заменена: вместо •• 0019 теперь •• 0026")


def test_times_are_those_of_the_store(browser: Browser, web: Web, shop: Shop) -> None:
    shop.till.authorise(replace(shop.ask(), sale_id="before-the-cut"), "key")
    with watched(opened(browser, web, zone="America/New_York")) as page:
        expect(page.locator("#unfinished")).to_contain_text("от 12:30 на")


def test_unfinished_sales_are_all_counted(browser: Browser, web: Web, shop: Shop) -> None:
    for number in range(5):
        shop.till.authorise(replace(shop.ask(card=None), sale_id=f"cut:{number}~.x"), f"key {number}")
    with watched(opened(browser, web)) as page:
        expect(page.locator("#unfinished .row")).to_have_count(3)
        expect(page.locator("#unfinished")).to_contain_text("И ещё не завершено: 2")
        page.route("**/v1/sales/cut*0*", lambda route: route.fulfill(status=404, content_type="application/json", body="{}"))
        expect(page.locator("#unfinished")).to_contain_text("Продажа cut:0~.x не завершена, но прочитать её не удалось")
        page.keyboard.press("Shift+F8")
        expect(page.locator("#notice")).to_contain_text("завершён")
    assert [state for state, _, _ in sales(shop)].count("completed") == 1


def test_a_long_receipt_says_that_it_goes_on(page: Page) -> None:
    typed(page, CARD)
    for text in (COFFEE, CROISSANT, "4601234567909", *(f"0,{number}00*{APPLES}" for number in range(1, 9))):
        typed(page, text)
    due(page, "1\u00a0004,14 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#more")).to_contain_text("прокрутите")
    for _ in range(10):
        page.keyboard.press("PageDown")
    expect(page.locator("#more")).to_have_text("")
