"""What the till says of a sale, as the cashier sees it: hints, choices, coupons issued, privileges, what may not be sold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import COFFEE, CROISSANT, due, needs_browser, opened, sales, typed, watched
from tests.browser.serving import serving
from tests.shop import CARD, PROGRAMME, Shop

RULES = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "next"
prefix = "N"
digits = 20
title = { ru = "−15 % на всё", en = "15% off everything" }

[[rule]]
id = "two-plus-one"
stage = "item"
title = { ru = "Три круассана по цене двух", en = "Three croissants for two" }
then = [{ do = "n_for_m", n = 3, k = 1, on = { category = "bakery" }, partial_group = false }]

[[rule]]
id = "gift"
stage = "item"
title = { ru = "Подарок к трём кофе", en = "A gift with three coffees" }
then = [{ do = "gift", buy = [{ on = { category = "drinks" }, count = 3 }], on = { category = "fruit" }, choice = "cashier" }]

[[rule]]
id = "issue"
title = { ru = "Купон за чек", en = "Coupon for a receipt" }
when = [{ is = "basket_amount", min = "300.00" }]
then = [{ do = "issue_coupon", series = "next", days = 30 },
        { do = "privilege", name = "queue", title = { ru = "Без очереди", en = "No queue" }, days = 30 },
        { do = "message", text = { ru = "Предложите пакет", en = "Offer a bag" }, where = "screen" },
        { do = "message", text = { ru = "Ждём в субботу", en = "See you on Saturday" }, where = "receipt" }]

[[rule]]
id = "by-coupon"
stage = "order"
title = { ru = "По купону", en = "By coupon" }
when = [{ is = "coupon", series = "next" }]
then = [{ do = "percent", percent = "15%" }]

[[rule]]
id = "secret"
stage = "order"
title = { ru = "Тайная проба", en = "Secret trial" }
control = "99.99%"
when = [{ is = "customer", member = true }]
then = [{ do = "percent", percent = "1%" }]

[[rule]]
id = "staff"
stage = "order"
title = { ru = "Для своих", en = "For staff" }
when = [{ is = "customer", staff = true }]
then = [{ do = "percent", percent = "30%" }]

[[rule]]
id = "card"
stage = "order"
title = { ru = "За оплату картой", en = "For paying by card" }
when = [{ is = "tender", kind = "card" }]
then = [{ do = "percent", percent = "2%" }]
"""
)

pytestmark = needs_browser


@pytest.fixture
def told(browser: Browser, shop: Shop, request: pytest.FixtureRequest) -> Iterator[Page]:
    language: Any = getattr(request, "param", "ru")
    shop.publish(RULES)
    assert "@2#" in shop.till.programme().name, shop.till._desk.shelf.fault
    with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web, language)) as page:
        yield page


def test_a_hint_says_what_one_more_would_save(told: Page) -> None:
    typed(told, f"2*{CROISSANT}")
    due(told, "299,00 ₽")
    expect(told.locator("#hints")).to_contain_text("Ещё 1 × Круассан с миндалём")
    expect(told.locator("#hints")).to_contain_text("149,50")
    typed(told, CROISSANT)
    due(told, "299,00 ₽")
    expect(told.locator("#hints")).to_be_hidden()


def test_refusals_are_sentences_and_a_control_group_is_never_shown(told: Page) -> None:
    typed(told, CARD)
    typed(told, COFFEE)
    due(told, "162,00 ₽")
    told.locator("#refusals summary").click()
    refusals = told.locator("#refusals ul")
    expect(refusals).to_contain_text("Для своих")
    shown = told.locator("body").inner_text()
    assert "Тайная" not in shown and "secret" not in shown and "control" not in shown
    assert not re.search(r"not_staff|tender:|coupon:next|none", shown)


def test_a_gift_is_chosen_by_key_and_taken_back(told: Page) -> None:
    typed(told, f"3*{COFFEE}")
    typed(told, "1,0*101")
    due(told, "615,90 ₽")
    expect(told.locator("#remarks")).to_contain_text("Shift+F4")
    expect(told.locator("#remarks")).to_contain_text("Яблоки сезонные")
    told.keyboard.press("Shift+F4")
    due(told, "540,00 ₽")
    told.keyboard.press("Shift+F4")
    due(told, "615,90 ₽")
    told.keyboard.press("Shift+F4")
    due(told, "540,00 ₽")
    told.keyboard.press("F4")
    due(told, "486,00 ₽")


def test_a_coupon_is_issued_shown_and_used_by_its_code(told: Page, shop: Shop) -> None:
    typed(told, CARD)
    typed(told, f"2*{COFFEE}")
    due(told, "324,00 ₽")
    expect(told.locator("#remarks")).to_contain_text("Предложите пакет")
    expect(told.locator("#remarks")).to_contain_text("−15 % на всё")
    expect(told.locator("#remarks")).not_to_contain_text("Ждём в субботу")
    assert told.locator("#remarks").inner_text().count("Без очереди") == 1
    told.keyboard.press("F9")
    expect(told.locator("#done")).to_be_visible()
    (code,) = shop.db.execute("SELECT code FROM issue WHERE code IS NOT NULL").fetchone()
    expect(told.locator("#done-note")).to_contain_text(f"Выдан купон {code}")
    expect(told.locator("#receipt")).to_contain_text(code)
    expect(told.locator("#receipt")).to_contain_text("Ждём в субботу")
    expect(told.locator("#receipt")).not_to_contain_text("Предложите пакет")
    assert told.locator("#receipt").inner_text().count("Без очереди") == 1
    told.keyboard.press("Enter")
    typed(told, CARD)
    expect(told.locator("#member .privilege")).to_contain_text("Без очереди")
    typed(told, COFFEE)
    typed(told, code)
    due(told, "137,70 ₽")
    expect(told.locator("#notice")).to_have_text(f"Купон {code} принят")
    told.keyboard.press("F9")
    expect(told.locator("#done")).to_be_visible()
    told.keyboard.press("Enter")
    typed(told, COFFEE)
    typed(told, code)
    expect(told.locator("#alarm")).to_contain_text("он уже использован")
    due(told, "162,00 ₽")


def test_paying_by_card_shows_its_price_before_it_is_taken(told: Page, shop: Shop) -> None:
    typed(told, COFFEE)
    due(told, "162,00 ₽")
    told.keyboard.press("F8")
    due(told, "158,76 ₽")
    expect(told.locator("#alarm")).to_contain_text("Сумма изменилась")
    assert sales(shop) == []
    told.keyboard.press("F8")
    expect(told.locator("#done")).to_be_visible()
    told.keyboard.press("Enter")
    typed(told, COFFEE)
    due(told, "162,00 ₽")
    told.keyboard.press("F9")
    expect(told.locator("#done")).to_be_visible()
    assert sorted(sales(shop)) == [("completed", 15_876, 0), ("completed", 16_200, 0)]


@pytest.mark.parametrize("told", ["en"], indirect=True)
def test_all_of_it_is_said_in_english(told: Page) -> None:
    typed(told, CARD)
    typed(told, f"2*{CROISSANT}")
    expect(told.locator("#hints")).to_contain_text("Add 1 ×")
    told.locator("#refusals summary").click()
    shown = " ".join(told.locator(place).inner_text() for place in ("#refusals", "#totals", "#member"))
    assert "For staff" in shown and not re.search("[а-яё]", shown, re.I)
