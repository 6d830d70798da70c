"""Goods that come back on the cashier page: told before the yes, paid back, exchanged, voided, taken without a receipt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pos_loyalty.engine.model import Tender
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CompleteRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, quantity
from tests.browser.pages import APPLES, COFFEE, CROISSANT, due, intercepted, needs_browser, opened, priced, sales, typed, watched
from tests.browser.serving import Web
from tests.browser.world import ANNA, WORLD, furnished, serving_world
from tests.shop import CARD, Shop

pytestmark = needs_browser
ISSUING = (
    WORLD.replace("version = 2", "version = 3")
    + """
[[coupon]]
id = "next"
prefix = "N"
digits = 20
title = { ru = "−15 % на всё", en = "15% off everything" }
[[rule]]
id = "issue"
title = { ru = "Купоны за чек", en = "Coupons for a receipt" }
when = [{ is = "basket_amount", min = "300.00" }]
then = [{ do = "issue_coupon", series = "next", days = 30, count = 2 }]
[[rule]]
id = "by-coupon"
stage = "order"
title = { ru = "По купону", en = "By coupon" }
when = [{ is = "coupon", series = "next" }]
then = [{ do = "percent", percent = "15%" }]
"""
)


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving_world(furnished(shop)) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    with watched(opened(browser, web)) as page:
        yield page


def sold(page: Page, *codes: str, key: str = "F9") -> str:
    """A sale that is paid; its id stands in the address of its picture. The page goes on to the next."""
    priced(page, *codes)
    page.keyboard.press(key)
    expect(page.locator("#done")).to_be_visible()  # until then the receipt is that of the sale before
    expect(page.locator("#receipt")).to_contain_text("К ОПЛАТЕ")
    address = page.locator("#picture").get_attribute("href") or ""
    page.keyboard.press("F10")
    expect(page.locator("#done")).to_be_hidden()
    return address.split("/")[3].split(".")[0]


def counts(page: Page) -> list[str]:
    """What is typed in the lines."""
    return [field.input_value() for field in page.locator("#return-lines input").all()]


def said(page: Page, pin: str) -> None:
    """The senior's word."""
    expect(page.locator("#senior")).to_be_visible()
    page.locator("#senior-name").fill(ANNA.person)
    page.locator("#senior-pin").fill(pin)
    page.keyboard.press("Enter")


def test_two_of_three_come_back_and_all_is_told_before_the_yes(page: Page, shop: Shop) -> None:
    sale = sold(page, CARD, f"3*{COFFEE}", "0,345*101")
    typed(page, f"PL1|T1|{sale}")
    expect(page.locator("#return-head")).to_contain_text("касса T1")
    expect(page.locator("#return-paid")).to_contain_text("530,82")
    page.keyboard.type("2")
    would = page.locator("#return-would")
    expect(would).to_contain_text("324,00")
    expect(would).to_contain_text("−16,2")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("0,1")
    expect(would).to_contain_text("336,99")
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (0,)
    page.keyboard.press("F9")
    expect(page.locator("#return-done-title")).to_contain_text("выдайте 336,99")
    expect(page.locator("#return-slip")).to_contain_text("К ВОЗВРАТУ")
    assert shop.db.execute("SELECT refund_minor FROM sale_return").fetchall() == [(33_699,)]
    page.keyboard.press("F9")
    expect(page.locator("#return")).to_be_hidden()
    page.keyboard.press("F3")
    page.keyboard.press("F2")
    expect(page.locator("#return-lines input").first).to_be_focused()
    page.keyboard.press("F8")
    expect(would).to_contain_text("193,83")
    assert counts(page) == ["1", "0,245"]
    page.keyboard.press("F9")
    expect(page.locator("#return-done-title")).to_contain_text("выдайте 193,83")
    assert verify(shop.db) == ()


def test_coupons_that_go_with_the_goods_are_told_before_and_after(page: Page, shop: Shop) -> None:
    shop.publish(ISSUING)
    sale = sold(page, CARD, f"2*{COFFEE}")
    unused, used = (coupon.code for coupon in shop.till.sale(sale).coupons)
    sold(page, CROISSANT, used)
    typed(page, f"PL1|T1|{sale}")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.type("1")
    would = page.locator("#return-would")
    expect(would).to_contain_text("162,00")
    expect(would.locator(".codes")).to_have_text([
        f"Заберите купоны, они больше не действуют{unused}",
        f"Уже использованы, скидка по ним остаётся{used}",
    ])  # fmt: skip
    assert shop.db.execute("SELECT COUNT(*) FROM withdrawn").fetchone() == (0,)
    page.keyboard.press("F9")
    told = page.locator("#return-done-coupons li")
    expect(told.first).to_have_text(f"Заберите купоны, они больше не действуют: {unused}")
    expect(told.last).to_have_text(f"Уже использованы, скидка по ним остаётся: {used}")
    expect(page.locator("#return-slip")).to_contain_text(unused)
    page.keyboard.press("F9")
    expect(page.locator("#return")).to_be_hidden()
    typed(page, f"PL1|T1|{sale}")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.press("F8")
    expect(would).to_contain_text("ничего не останется")
    expect(would.locator(".codes")).to_have_count(0)
    assert verify(shop.db) == ()


def test_more_than_there_is_is_said_and_what_was_typed_outlives_esc(page: Page, shop: Shop) -> None:
    sold(page, f"2*{COFFEE}")
    page.keyboard.press("F3")
    page.keyboard.press("F2")
    expect(page.locator("#return-lines input")).to_be_focused()
    for wrong in ("3", "1,5", "x"):
        page.locator("#return-lines input").fill(wrong)
        expect(page.locator("#return .fault")).to_contain_text("не больше 2")
    page.keyboard.press("F9")
    expect(page.locator("#return .fault")).to_contain_text("укажите, что возвращают")
    page.locator("#return-lines input").fill("1")
    expect(page.locator("#return-yes-name")).to_contain_text("162,00")
    page.keyboard.press("Escape")
    expect(page.locator("#return")).to_be_hidden()
    expect(page.locator("#scan")).to_be_focused()
    page.keyboard.press("F3")
    expect(page.locator("#return-yes-name")).to_contain_text("162,00")
    assert counts(page) == ["1"]
    page.locator("#return-code").fill("nobody-knows")
    page.locator("#return-code").press("Enter")
    expect(page.locator("#return .fault")).to_contain_text("not in this till")
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (0,)


def test_a_lost_answer_is_asked_for_again_and_paid_back_once(page: Page, shop: Shop) -> None:
    sold(page, COFFEE)
    tries: list[str | None] = []

    def lose_first(route: Route) -> None:
        tries.append(route.request.post_data)
        if len(tries) > 1:
            return route.continue_()
        route.fetch()
        return route.abort()

    intercepted(page, re.compile("/v1/returns$"), lose_first)
    page.keyboard.press("F3")
    page.keyboard.press("F2")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.press("F8")
    expect(page.locator("#return-yes-name")).to_contain_text("162,00")
    page.keyboard.press("F9")
    expect(page.locator("#return .fault")).to_contain_text("деньги не вернутся дважды")
    expect(page.locator("#return-lines input")).to_be_disabled()
    page.keyboard.press("Escape")
    page.keyboard.press("F3")
    page.keyboard.press("F9")
    expect(page.locator("#return-done-title")).to_contain_text("162,00")
    assert len(tries) == 2 and tries[0] == tries[1]
    assert shop.db.execute("SELECT refund_minor FROM sale_return").fetchall() == [(16_200,)]


def test_a_late_return_waits_for_a_seniors_word(page: Page, shop: Shop) -> None:
    sale = sold(page, COFFEE)
    shop.now += timedelta(days=30)
    typed(page, f"PL1|T1|{sale}")
    expect(page.locator("#return-late")).to_contain_text("нужно слово старшего")
    page.keyboard.press("F8")
    expect(page.locator("#return-yes-name")).to_contain_text("162,00")
    page.keyboard.press("F9")
    said(page, "1111")
    expect(page.locator("#senior .fault")).to_contain_text("ПИН не подходят")
    page.keyboard.press("Escape")
    expect(page.locator("#return .fault")).to_contain_text("Возврат не сделан")
    page.keyboard.press("F9")
    said(page, ANNA.pin)
    expect(page.locator("#return-done-title")).to_contain_text("162,00")
    row = shop.db.execute("SELECT payload ->> '$.returned.approved_by' FROM txn WHERE kind = 'sale.returned'").fetchall()
    assert row == [(ANNA.person,)]


def test_a_name_that_is_locked_is_said_plainly(page: Page, shop: Shop) -> None:
    sold(page, COFFEE)
    priced(page, CROISSANT)
    page.keyboard.press("F3")
    page.keyboard.press("F3")
    expect(page.locator("#return-yes-name")).to_contain_text("149,50")
    page.keyboard.press("F9")
    for _ in range(5):
        said(page, "1111")
        expect(page.locator("#senior .fault")).to_contain_text("ПИН не подходят")
        expect(page.locator("#senior-pin")).to_have_value("")
    said(page, ANNA.pin)
    expect(page.locator("#senior .fault")).to_contain_text("is locked until")
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (0,)


def test_goods_without_a_receipt_come_back_at_their_lowest_price(page: Page, shop: Shop) -> None:
    sold(page, COFFEE)
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.keyboard.press("F3")
    page.keyboard.press("F3")
    expect(page.locator("#return-head")).to_have_text("Возврат без чека")
    expect(page.locator("#return-would")).to_contain_text("162,00")
    page.keyboard.press("F9")
    said(page, ANNA.pin)
    expect(page.locator("#return-done-title")).to_contain_text("выдайте 162,00")
    page.keyboard.press("F9")
    expect(page.locator("#empty")).to_be_visible()
    tenders = shop.db.execute("SELECT payload ->> '$.returned.tenders[0].kind' FROM txn WHERE kind = 'sale.returned'").fetchone()
    assert tenders == ("cash",)


def test_an_exchange_takes_the_difference(page: Page, shop: Shop) -> None:
    sold(page, CROISSANT)
    page.keyboard.press("F3")
    page.keyboard.press("F2")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.press("F8")
    expect(page.locator("#return-would")).to_contain_text("149,50")
    page.keyboard.press("F6")
    expect(page.locator("#notice")).to_contain_text("Обмен на 149,50")
    typed(page, COFFEE)
    due(page, "12,50 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-title")).to_contain_text("12,50")
    expect(page.locator("#done-note")).to_contain_text("Обмен: возврат")
    assert shop.db.execute("SELECT refund_minor FROM sale_return").fetchall() == [(14_950,)]
    assert verify(shop.db) == ()


def test_a_cheaper_exchange_hands_the_rest_out(page: Page, shop: Shop) -> None:
    sold(page, COFFEE)
    page.keyboard.press("F3")
    page.keyboard.press("F2")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.press("F8")
    expect(page.locator("#return-would")).to_contain_text("162,00")
    page.keyboard.press("F6")
    typed(page, CROISSANT)
    expect(page.locator("#due-name")).to_have_text("Выдать")
    due(page, "12,50 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-title")).to_contain_text("выдайте 12,50")
    assert verify(shop.db) == ()


def test_the_last_sale_is_voided_at_the_second_press(page: Page, shop: Shop) -> None:
    typed(page, CARD)
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#receipt")).to_contain_text("К ОПЛАТЕ")
    page.keyboard.press("F3")
    expect(page.locator("#return-lines input")).to_be_focused()
    page.keyboard.press("F4")
    expect(page.locator("#return .fault")).to_contain_text("Точно?")
    expect(page.locator("#return-would")).to_contain_text("162,00")
    page.keyboard.press("F9")
    page.keyboard.press("Escape")
    page.keyboard.press("F3")
    expect(page.locator("#return-void-name")).to_have_text("Отменить весь чек")
    page.keyboard.press("F4")
    expect(page.locator("#return-void-name")).to_contain_text("Да")
    assert [state for state, _, _ in sales(shop)] == ["completed"]
    page.keyboard.press("F4")
    expect(page.locator("#return-done-title")).to_contain_text("отменён: выдайте 162,00")
    expect(page.locator("#return-slip")).to_contain_text("ВОЗВРАТ ВСЕГО ЧЕКА")
    assert [state for state, _, _ in sales(shop)] == ["reversed"]
    assert shop.usable_centi() == 50_000


@pytest.mark.parametrize(("language", "why"), [("ru", "Чек не сегодняшний"), ("en", "of an earlier day")])
def test_a_receipt_of_yesterday_is_voided_with_a_senior(browser: Browser, web: Web, shop: Shop, language: str, why: str) -> None:
    sale = shop.sell("yesterday")
    shop.now += timedelta(days=1)
    with watched(opened(browser, web, language=language)) as page:
        page.keyboard.press("F3")
        page.locator("#return-code").fill(f"PL1|T1|{sale.sale_id}")
        page.keyboard.press("Enter")
        expect(page.locator("#return-lines input")).to_be_focused()
        page.keyboard.press("F4")
        expect(page.locator("#return-void-name")).to_contain_text("Да" if language == "ru" else "Yes")
        page.keyboard.press("F4")
        expect(page.locator("#senior .fault")).to_contain_text(why)
        page.locator("#senior-name").fill(ANNA.person)
        page.locator("#senior-pin").fill(ANNA.pin)
        page.keyboard.press("Enter")
        expect(page.locator("#return-done-title")).to_contain_text("270")
    assert shop.till.sale(sale.sale_id).state == "reversed"
    assert shop.till.acts().acts[0].approved_by == ANNA.person


@pytest.mark.parametrize(("language", "why"), [("ru", "Не было оплачено"), ("en", "Was never paid")])
def test_what_was_never_paid_is_told_before_the_yes(browser: Browser, web: Web, shop: Shop, language: str, why: str) -> None:
    shop.sell("short", complete=False)
    shop.till.complete("short", CompleteRequest(tenders=(Tender(kind="cash", amount_minor=Minor(20_000)),)), "short")
    with watched(opened(browser, web, language=language)) as page:
        page.keyboard.press("F3")
        page.locator("#return-code").fill("PL1|T1|short")
        page.keyboard.press("Enter")
        expect(page.locator("#return-lines input")).to_be_focused()
        page.keyboard.press("F8")
        expect(page.locator("#return-would")).to_contain_text(why)
        expect(page.locator("#return-would .due")).to_contain_text("200")
        page.keyboard.press("F9")
        expect(page.locator("#return-done-title")).to_contain_text("200")
        expect(page.locator("#return-slip")).to_contain_text(why)


def test_a_receipt_of_which_nothing_is_left_says_so(page: Page, web: Web, shop: Shop) -> None:
    sale = sold(page, COFFEE)
    lines = (LineBack(line_id="1", quantity_milli=quantity("1")),)
    shop.till.return_goods(sale, ReturnRequest(return_id="r1", lines=lines), "r1")
    page.keyboard.press("F3")
    expect(page.locator("#return-code")).to_be_focused()
    web.scan(f"]Q1PL1|T1|{sale}")
    expect(page.locator("#return .fault")).to_contain_text("уже всё вернули")
    expect(page.locator("#return-lines input")).to_be_disabled()


@pytest.mark.parametrize(("language", "width"), [("en", 1024), ("ru", 1366)])
def test_the_dialog_fits_the_screen_and_speaks_one_language(browser: Browser, web: Web, language: str, width: int) -> None:
    with watched(opened(browser, web, language)) as page:
        page.set_viewport_size({"width": width, "height": 768})
        priced(page, CARD, COFFEE, CROISSANT, f"0,345*{APPLES}")
        page.keyboard.press("F9")
        expect(page.locator("#picture")).to_have_attribute("href", re.compile("/v1/receipts/"))
        page.keyboard.press("F3")
        expect(page.locator("#return-lines input").first).to_be_focused()
        page.keyboard.press("F8")
        expect(page.locator("#return-would .due")).to_contain_text("356")
        box = page.locator("#return").bounding_box()
        assert box is not None and box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= 768
        form = page.locator("#return-form")
        assert form.evaluate("(one) => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth")
        goods = "Капучино 0,3 л|Яблоки сезонные|Круассан с миндалём"
        shown = re.sub(goods, "", page.locator("#return").inner_text())
        assert bool(re.search("[а-яё]", shown, re.I)) is (language == "ru")
        assert not re.search("(?:undefined|null|NaN|\\{)", shown)
