"""Gift cards on the cashier page: sold, looked at, topped up, paid with, and why one does not pay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer
from tests.browser.pages import COFFEE, due, needs_browser, opened, priced, typed, wait_for_listener, watched
from tests.browser.serving import Web
from tests.browser.world import ANNA, WORLD, furnished, serving_world
from tests.gifts import on_card, sold_card
from tests.shop import Shop

pytestmark = needs_browser
LONG_COUPON = "12345678901234567890"
WITH_LONG_COUPON = (
    WORLD.replace("version = 2", "version = 3")
    + f"""
[[coupon]]
id = "long"
code = "{LONG_COUPON}"
[[rule]]
id = "by-long"
stage = "order"
when = [{{ is = "coupon", series = "long" }}]
then = [{{ do = "amount", amount = "50.00" }}]
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


def shown(page: Page, code: str, pin: str = "") -> None:
    """A card is presented in the dialog."""
    page.keyboard.press("F6")
    expect(page.locator("#gift-code")).to_be_focused()
    typed(page, code)
    if pin:
        expect(page.locator("#gift-pin")).to_be_focused()
        typed(page, pin)


def secret_of(card: GiftCardAnswer) -> str:
    assert card.code is not None
    return card.code


def test_a_card_is_sold_and_its_code_is_told_once(page: Page, shop: Shop) -> None:
    page.keyboard.press("F6")
    expect(page.locator("#gift-code")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.locator("#gift-series button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#gift")).to_be_hidden()
    due(page, "500,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#receipt")).to_contain_text("К ОПЛАТЕ")
    expect(page.locator("#done-gifts code")).to_be_hidden()
    page.locator("#done-gifts summary").click()
    expect(page.locator("#done-gifts code")).to_have_count(1)
    code = page.locator("#done-gifts code").inner_text()
    page.keyboard.press("F10")
    expect(page.locator("#done")).to_be_hidden()
    shown(page, code)
    expect(page.locator("#gift-card .held")).to_contain_text("500,00")
    assert verify(shop.db) == ()


def test_a_card_with_a_pin_is_sold_for_any_amount_between(page: Page, shop: Shop) -> None:
    page.keyboard.press("F6")
    field = page.locator("#gift-series input")
    field.fill("99")
    field.press("Enter")
    expect(page.locator("#gift .fault")).to_contain_text("на такую сумму нет")
    field.fill("123,45")
    field.press("Enter")
    due(page, "123,45 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-gifts")).to_be_visible()
    number, pin = page.locator("#done-gifts code").all_text_contents()
    page.keyboard.press("F10")
    priced(page, COFFEE)
    shown(page, number, "000000" if pin != "000000" else "111111")
    expect(page.locator("#gift .fault")).to_contain_text("is wrong")
    expect(page.locator("#gift-pin")).to_be_focused()
    typed(page, pin)
    expect(page.locator("#gift-card .held")).to_contain_text("123,45")
    page.keyboard.press("F9")
    due(page, "38,55 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-note")).to_contain_text("осталось 0,00")
    assert verify(shop.db) == ()


def test_twenty_digits_in_the_scan_box_are_a_coupon_or_a_gift_card_and_the_till_says_which(page: Page, shop: Shop) -> None:
    shop.publish(WITH_LONG_COUPON)
    page.keyboard.press("F6")
    page.locator("#gift-series input").fill("123,45")
    page.locator("#gift-series input").press("Enter")
    due(page, "123,45 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-gifts")).to_be_visible()
    number, pin = page.locator("#done-gifts code").all_text_contents()
    page.keyboard.press("F10")
    typed(page, number)
    expect(page.locator("#notice")).to_contain_text("Сначала товары")
    priced(page, COFFEE, LONG_COUPON)
    due(page, "112,00 ₽")
    typed(page, number)
    expect(page.locator("#gift .fault")).to_contain_text("нужен её ПИН")
    expect(page.locator("#gift-pin")).to_be_focused()
    expect(page.locator("#coupons li")).to_have_count(1)
    typed(page, pin)
    expect(page.locator("#gift-card .held")).to_contain_text("123,45")
    page.keyboard.press("F9")
    due(page, "0,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-note")).to_contain_text("осталось 11,45")
    assert shop.db.execute("SELECT COUNT(*) FROM txn WHERE payload LIKE '%' || ? || '%'", (number,)).fetchone() == (0,)
    assert verify(shop.db) == ()


def test_a_scanned_card_pays_its_part_and_the_rest_is_money(page: Page, web: Web, shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    priced(page, f"4*{COFFEE}")
    due(page, "648,00 ₽")
    wait_for_listener(web)
    web.scan("]Q1" + secret_of(card))
    due(page, "148,00 ₽")
    expect(page.locator("#gifts-pay")).to_contain_text("500,00")
    page.keyboard.press("F8")
    expect(page.locator("#done-note")).to_contain_text(f"На карте {card.label} осталось 0,00")
    tenders = shop.db.execute("SELECT tenders FROM sale WHERE sale_id <> 'card'").fetchone()[0]
    assert '"gift"' in str(tenders) and '"card"' in str(tenders)
    assert on_card(shop, card) == 0
    page.keyboard.press("F10")
    shown(page, secret_of(card))
    expect(page.locator("#gift-card")).to_contain_text("ничего не осталось")
    expect(page.locator("#gift-pay")).to_be_disabled()


def test_a_card_that_holds_more_pays_all_and_keeps_the_rest(page: Page, shop: Shop) -> None:
    card = sold_card(shop, 100_000)
    priced(page, COFFEE)
    shown(page, secret_of(card))
    expect(page.locator("#gift-card .held")).to_contain_text("1 000,00".replace(" ", "\u00a0"))
    page.keyboard.press("F9")
    expect(page.locator("#notice")).to_contain_text("заплатит 162,00")
    due(page, "0,00 ₽")
    page.keyboard.press("F6")
    expect(page.locator("#gift-code")).to_be_focused()
    page.keyboard.press("F4")
    due(page, "162,00 ₽")
    typed(page, secret_of(card))
    due(page, "0,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-note")).to_contain_text("осталось 838,00")
    assert on_card(shop, card) == 83_800


def test_money_is_added_to_a_card_and_no_card_pays_for_that(page: Page, shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    shown(page, secret_of(card))
    page.locator("#gift-amount").fill("700")
    page.keyboard.press("F8")
    expect(page.locator("#gift .fault")).to_contain_text("на такую сумму нет")
    page.locator("#gift-amount").fill("500")
    page.keyboard.press("F8")
    due(page, "500,00 ₽")
    typed(page, secret_of(card))
    expect(page.locator("#notice")).to_contain_text("заплатит 0,00")
    due(page, "500,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done-note")).to_contain_text("осталось 1 000,00".replace("1 000", "1\u00a0000"))
    assert on_card(shop, card) == 100_000
    assert verify(shop.db) == ()


def test_why_a_card_does_not_pay_is_said_where_it_was_typed(page: Page, shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    shop.till.freeze_gift_card(FreezeRequest(card=card.card_id, by=ANNA, reason="lost"), "freeze")
    priced(page, COFFEE)
    typed(page, secret_of(card))
    expect(page.locator("#alarm")).to_contain_text("заморожена")
    shown(page, secret_of(card))
    expect(page.locator("#gift-card .bad")).to_contain_text("заморожена")
    expect(page.locator("#gift-pay")).to_be_disabled()
    for n in range(10):
        page.locator("#gift-code").fill(f"PLG1|{'ABCDEFGHIJ'[n] * 26}")
        with page.expect_response("**/v1/gift-cards/lookup"):
            page.keyboard.press("Enter")
        expect(page.locator("#gift .fault")).to_contain_text("not known")
    page.keyboard.press("Enter")
    expect(page.locator("#gift .fault")).to_contain_text("Too many unknown gift cards")
    page.keyboard.press("Escape")
    due(page, "162,00 ₽")


def test_a_card_of_another_sale_that_spent_it_meanwhile_sells_nothing(page: Page, shop: Shop) -> None:
    card = sold_card(shop, 50_000)
    priced(page, COFFEE)
    typed(page, secret_of(card))
    due(page, "0,00 ₽")
    shop.till.freeze_gift_card(FreezeRequest(card=card.card_id, by=ANNA, reason="lost"), "freeze")
    page.keyboard.press("F9")
    expect(page.locator("#alarm")).to_contain_text("is frozen; take other money")
    page.keyboard.press("F6")
    expect(page.locator("#gift-code")).to_be_focused()
    page.keyboard.press("F4")
    due(page, "162,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
