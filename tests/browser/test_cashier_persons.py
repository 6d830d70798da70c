"""Whose word counts, on the cashier page; what is done there for a member, and what the member's box says."""

from __future__ import annotations

from base64 import b32decode
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from pos_loyalty.config import Config
from pos_loyalty.till import staff
from pos_loyalty.till.staff_model import AdjustRequest, SecretRequest
from pos_loyalty.till.totp import code_of
from pos_loyalty.values import Points
from tests.browser.pages import COFFEE, due, needs_browser, opened, priced, sales, typed, watched
from tests.browser.serving import Web
from tests.browser.world import ANNA, WORLD, furnished, serving_world
from tests.shop import CARD, MEMBER, OTHER_CARD, Shop

pytestmark = needs_browser
FREE_CARD = "2200000000033"


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving_world(furnished(shop)) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    with watched(opened(browser, web)) as page:
        yield page


def said(page: Page, pin: str) -> None:
    """The senior's word."""
    expect(page.locator("#senior")).to_be_visible()
    page.locator("#senior-name").fill(ANNA.person)
    page.locator("#senior-pin").fill(pin)
    page.keyboard.press("Enter")


def confirmed_by(shop: Shop, kind: str) -> None:
    """The programme asks the holder so."""
    text = WORLD.replace("version = 2", "version = 3").replace("[redeem]\n", f'[redeem]\nconfirm = "{kind}"\n')
    shop.publish(text)


def test_who_asked_for_a_word_first_does_not_wait_for_ever(page: Page) -> None:
    """Two answers of the till ask for one: that of a return that was on its way, and that of a dialog that was opened since."""
    page.evaluate("""async () => {
      const { askSenior } = await import("/static/persons.js");
      window.words = Promise.all([askSenior("first"), askSenior("second")]);
    }""")
    said(page, ANNA.pin)
    assert page.evaluate("window.words") == [None, {"person": ANNA.person, "pin": ANNA.pin}]


def test_the_holders_pin_is_asked_where_it_is_paid(page: Page, shop: Shop) -> None:
    confirmed_by(shop, "pin")
    shop.till.set_secret(MEMBER, SecretRequest(pin="2580", by=shop.senior()), "pin")
    priced(page, CARD, COFFEE)
    page.keyboard.press("F2")
    due(page, "81,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#holder-word")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#notice")).to_contain_text("Не оплачено")
    due(page, "81,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#holder-word")).to_be_focused()
    typed(page, "1111")
    expect(page.locator("#holder .fault")).to_contain_text("not right")
    assert sales(shop) == []
    expect(page.locator("#holder-word")).to_have_attribute("type", "password")
    typed(page, "2580")
    expect(page.locator("#done-title")).to_contain_text("81,00")
    assert sales(shop) == [("completed", 8_100, 8_100)]


def test_without_their_word_the_sale_goes_on_without_points(page: Page, shop: Shop) -> None:
    confirmed_by(shop, "code")
    priced(page, CARD, COFFEE)
    page.keyboard.press("F2")
    due(page, "81,00 ₽")
    page.keyboard.press("F8")
    expect(page.locator("#holder-phone")).to_be_focused()
    page.locator("#holder-phone").fill("+79001234567")
    page.keyboard.press("F8")
    expect(page.locator("#holder .fault")).to_contain_text("No gateway sends codes")
    page.keyboard.press("F2")
    due(page, "162,00 ₽")
    page.keyboard.press("F8")
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 16_200, 0)]


def test_a_rotating_qr_is_scanned(page: Page, web: Web, shop: Shop) -> None:
    confirmed_by(shop, "qr")
    shop.till.set_secret(MEMBER, SecretRequest(qr=True, by=shop.senior()), "qr")
    secret = parse_qs(urlsplit(shop.till.qr_uri(MEMBER)).query)["secret"][0]
    key = b32decode(secret + "=" * (-len(secret) % 8))
    priced(page, CARD, COFFEE)
    page.keyboard.press("F2")
    due(page, "81,00 ₽")
    page.keyboard.press("F9")
    expect(page.locator("#holder-word")).to_be_focused()
    web.scan(f"]Q1PLQ1|{MEMBER}|{code_of(key, int(shop.now.timestamp()) // 30)}")
    expect(page.locator("#done")).to_be_visible()
    assert sales(shop) == [("completed", 8_100, 8_100)]


def test_a_forgotten_card_gets_its_points_from_the_receipt(page: Page, shop: Shop) -> None:
    priced(page, COFFEE)
    page.keyboard.press("F9")
    expect(page.locator("#receipt")).to_contain_text("К ОПЛАТЕ")
    page.keyboard.press("F7")
    expect(page.locator("#care-receipt")).to_contain_text("162,00")
    typed(page, CARD)
    expect(page.locator("#care-member")).to_contain_text("•• 0019")
    page.keyboard.press("F9")
    said(page, "1111")
    expect(page.locator("#senior .fault")).to_contain_text("ПИН не подходят")
    said(page, ANNA.pin)
    expect(page.locator("#care-told")).to_contain_text("Начислено: 8,1")
    assert shop.db.execute("SELECT COUNT(*) FROM txn WHERE kind = 'sale.claimed'").fetchone() == (1,)
    (sale,) = shop.db.execute("SELECT sale_id FROM sale").fetchone()
    typed(page, f"PL1|T1|{sale}")
    expect(page.locator("#care .fault")).to_contain_text("уже на карте участника")


def test_a_lost_card_finds_nobody_and_a_new_one_takes_over(page: Page, shop: Shop) -> None:
    priced(page, CARD, COFFEE)
    page.keyboard.press("F7")
    page.locator("#care-member button").click()
    expect(page.locator("#care-told")).to_contain_text("больше не действует")
    expect(page.locator("#care-member .bad")).to_contain_text("потеряна")
    page.locator("#care-code").fill(FREE_CARD)
    page.locator("#care-code").press("Enter")
    expect(page.locator("#care .fault")).to_contain_text("•• 0033")
    page.keyboard.press("F8")
    expect(page.locator("#care-told")).to_contain_text("дана карта •• 0033")
    page.keyboard.press("Escape")
    typed(page, CARD)
    expect(page.locator("#alarm")).to_contain_text("is lost")
    typed(page, FREE_CARD)
    expect(page.locator("#notice")).to_contain_text("уже принята")


def test_a_found_card_is_good_again_on_a_persons_word(page: Page, shop: Shop) -> None:
    priced(page, CARD, COFFEE)
    page.keyboard.press("F7")
    page.locator("#care-member button").click()
    expect(page.locator("#care-member .bad")).to_contain_text("потеряна")
    page.locator("#care-member button").click()
    expect(page.locator("#senior .fault")).to_contain_text("Потерянная карта снова будет действовать")
    page.keyboard.press("Escape")
    expect(page.locator("#care-member .bad")).to_contain_text("потеряна")
    page.locator("#care-member button").click()
    said(page, ANNA.pin)
    expect(page.locator("#care-told")).to_contain_text("снова действует")
    expect(page.locator("#care-member .bad")).to_have_count(0)
    assert [card.state for card in shop.till.profile(MEMBER).cards] == ["active"]
    act = shop.till.acts().acts[0]
    assert (act.kind, act.by) == ("member.changed", ANNA.person)


def test_a_blocked_member_leaves_the_sale_and_is_let_in_by_a_persons_word(page: Page, shop: Shop) -> None:
    priced(page, CARD, COFFEE)
    page.keyboard.press("F7")
    expect(page.locator("#care-block")).to_be_enabled()
    page.keyboard.press("F4")
    expect(page.locator("#senior-title")).to_have_text("Кто отвечает за это?")
    said(page, "1111")
    expect(page.locator("#senior .fault")).to_contain_text("ПИН не подходят")
    expect(page.locator("#senior-pin")).to_be_focused()
    expect(page.locator("#senior-pin")).to_have_value("")
    said(page, ANNA.pin)
    expect(page.locator("#care-member")).to_contain_text("заблокирован")
    page.keyboard.press("Escape")
    expect(page.locator("#member")).to_have_text("Без карты")
    typed(page, CARD)
    expect(page.locator("#alarm")).to_contain_text("F7, ещё раз карта, F4")
    due(page, "162,00 ₽")
    page.keyboard.press("F7")
    typed(page, CARD)
    expect(page.locator("#care-member")).to_have_text("Карта •• 0019: участник заблокирован")
    page.keyboard.press("F4")
    said(page, ANNA.pin)
    expect(page.locator("#care-told")).to_contain_text("разблокирован")
    expect(page.locator("#care-member")).to_contain_text("500")
    page.keyboard.press("Escape")
    priced(page, CARD)
    told = shop.db.execute("SELECT payload ->> '$.change.by' FROM txn WHERE kind = 'member.changed'").fetchall()
    assert told == [(ANNA.person,)] * 2


def test_a_name_that_waits_is_said_plainly_and_another_may_answer(page: Page, shop: Shop) -> None:
    staff.add(shop.db, "Олег", "cashier", "4321", shop.till._desk.secrets.pepper)
    priced(page, CARD, COFFEE)
    page.keyboard.press("F7")
    expect(page.locator("#care-block")).to_be_enabled()
    page.keyboard.press("F4")
    for _ in range(5):
        said(page, "1111")
        expect(page.locator("#senior .fault")).to_contain_text("ПИН не подходят")
        expect(page.locator("#senior-pin")).to_have_value("")
    said(page, ANNA.pin)
    expect(page.locator("#senior .fault")).to_contain_text("заперто")
    expect(page.locator("#senior-pin")).to_have_value("")
    page.locator("#senior-name").fill("Олег")
    page.locator("#senior-pin").fill("4321")
    page.keyboard.press("Enter")
    expect(page.locator("#care-member")).to_contain_text("заблокирован")


def test_the_box_says_the_tier_what_keeps_it_and_what_is_owed(page: Page, shop: Shop) -> None:
    priced(page, CARD, f"3*{COFFEE}")
    expect(page.locator("#member")).to_contain_text("До уровня Серебро ещё 300,00")
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    page.keyboard.press("F10")
    (centi,) = shop.db.execute("SELECT SUM(remaining) FROM lot WHERE member = ?", (MEMBER,)).fetchone()
    more = AdjustRequest(centi=Points(-centi - 3_000), reason="taken back", by=ANNA, approval=None, owe=True)
    shop.till._desk.config = alone(shop.till._desk.config)
    shop.till.adjust(MEMBER, more, "take")
    typed(page, CARD)
    member = page.locator("#member")
    expect(member).to_contain_text("Серебро")
    expect(member).to_contain_text("за покупки")
    expect(member).to_contain_text("чтобы сохранить, ещё 300,00")
    expect(member).to_contain_text("До уровня Золото ещё 4\u00a0514,00")
    expect(member.locator(".owed")).to_have_text("Долг по баллам: 30\u00a0баллов")
    priced(page, COFFEE)
    page.keyboard.press("F9")
    expect(page.locator("#done-note")).to_contain_text("В счёт долга: 8,1\u00a0балла. Долг по баллам: 21,9")
    page.keyboard.press("F10")
    typed(page, OTHER_CARD)
    expect(page.locator("#alarm")).to_contain_text("Карта не найдена")


def alone(config: Config) -> Config:
    """A senior alone answers for any number of points."""
    return replace(config, acts=replace(config.acts, alone_up_to_centi=10**8))


def test_a_wrong_key_in_a_dialog_loses_nothing(page: Page, shop: Shop) -> None:
    priced(page, CARD, COFFEE)
    for name in ("F3", "F6", "F7"):
        page.keyboard.press(name)
        expect(page.locator("dialog[open]")).to_have_count(1)
        for key in ("F10", "F8", "F2", "F4") if name == "F3" else ("F10", "F3"):
            page.keyboard.press(key)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator("#scan")).to_be_focused()
        due(page, "162,00 ₽")
    assert sales(shop) == []
