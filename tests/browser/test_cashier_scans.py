"""A scanner that types: told from a person by its speed, wherever the focus is; and what the page does with each kind of code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.pages import APPLES, COFFEE, CROISSANT, dropped, due, intercepted, needs_browser, typed, wait_for_listener
from tests.browser.serving import Web
from tests.shop import CARD

pytestmark = needs_browser
VECTORS = json.loads((Path(__file__).parents[1] / "unit/wedge_vectors.json").read_text(encoding="utf-8"))
PAUSE_MS = 150
BANK = "4111111111111111"
READ_KEYS = """async (vectors) => {
  const { Wedge } = await import("/static/wedge.js");
  return vectors.map(({ keys }) => {
    const [wedge, told] = [new Wedge(), []];
    let waiting = [];
    for (const [ms, key, us] of keys) {
      waiting.push(key);
      const text = wedge.press({ ms, key, us: us ?? "" });
      if (text === null) continue;
      const begin = waiting.length - wedge.length;
      if (begin) told.push({ typed: waiting.slice(0, begin) });
      told.push({ scanned: text, keys: waiting.slice(begin) });
      waiting = [];
    }
    return waiting.length ? [...told, { typed: waiting }] : told;
  });
}"""


def test_the_page_tells_scans_from_typing_as_the_parser_in_python_does(page: Page) -> None:
    for vector, told in zip(VECTORS, page.evaluate(READ_KEYS, VECTORS), strict=True):
        assert told == vector["out"], vector["name"]


def test_a_card_scanned_into_any_field_is_a_member_and_the_field_is_as_before(page: Page) -> None:
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    amount = page.locator("#enrol-name")
    page.locator("#enrol summary").click()
    amount.fill("Иван")
    amount.focus()
    typed(page, CARD)
    expect(page.locator("#enrol-card")).to_have_value(CARD)
    expect(amount).to_have_value("Иван")


def test_a_person_loses_no_key(page: Page) -> None:
    for sign in "капуч":
        page.keyboard.type(sign)
        page.wait_for_timeout(120)
    expect(page.locator("#scan")).to_have_value("капуч")


def test_a_count_typed_before_a_scan_counts(page: Page) -> None:
    page.keyboard.type("3*")
    page.wait_for_timeout(200)
    typed(page, COFFEE)
    due(page, "486,00 ₽")


def torn(page: Page, code: str, at: int, end: str = "Enter") -> None:
    """A scanner's code with a pause in it, as a slow computer makes one."""
    page.keyboard.type(code[:at])
    page.wait_for_timeout(PAUSE_MS)
    page.keyboard.type(code[at:])
    page.keyboard.press(end)


@pytest.mark.parametrize("end", ["Enter", "Tab"])
def test_a_pause_in_a_code_loses_no_line(page: Page, end: str) -> None:
    for at in (1, 2, 3, 5, 7, 9, 12):
        torn(page, COFFEE, at, end)
        due(page, "162,00 ₽")
        expect(page.locator("#scan")).to_have_value("")
        typed(page, CROISSANT)
        due(page, "311,50 ₽")
        dropped(page)


def test_two_codes_with_pauses_while_the_till_thinks_are_two_lines(page: Page) -> None:
    held: list[Route] = []
    intercepted(page, "**/v1/scans", lambda route: held.append(route) if is_thinking else route.continue_())
    for at in (1, 2, 6):
        is_thinking = True
        torn(page, COFFEE, at)
        torn(page, CROISSANT, at)
        typed(page, COFFEE)
        is_thinking = False
        for route in held:
            route.continue_()
        held.clear()
        due(page, "473,50 ₽")
        expect(page.locator("#scan")).to_have_value("")
        dropped(page)


def test_nothing_is_paid_while_a_long_code_is_judged_that_was_typed(page: Page, web: Web) -> None:
    """Else a coupon would be left out of the sale that it was typed for."""
    held: list[Route] = []
    is_thinking = True
    intercepted(page, "**/v1/scans", lambda route: held.append(route) if is_thinking else route.continue_())
    typed(page, COFFEE)
    due(page, "162,00 ₽")
    page.locator("#scan").fill("N00000000000000000006")
    page.locator("#scan-form").evaluate("(form) => form.requestSubmit()")
    expect(page.locator("#pay-cash")).to_be_disabled()
    page.keyboard.press("F9")
    is_thinking = False
    for route in held:
        route.continue_()
    expect(page.locator("#pay-cash")).to_be_enabled()
    expect(page.locator("#done")).to_be_hidden()


@pytest.mark.parametrize("code", [BANK, "4276 3800 1234 5679", ";4276380012345679=29051011000"])
@pytest.mark.parametrize("end", ["Enter", "Tab"])
def test_no_part_of_a_torn_bank_card_leaves_the_page(page: Page, code: str, end: str) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    for at in (1, 2, 4, 7):
        torn(page, code, at, end)
        expect(page.locator("#alarm")).to_contain_text("банковская карта")
        expect(page.locator("#scan")).to_have_value("")
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        dropped(page)
    tail = code.partition("=")[0][-4:]
    assert not [body for body in sent if tail in body]


@pytest.mark.parametrize(("name", "left"), [("Иван", "Иван"), ("", "")])
def test_a_torn_bank_card_stands_in_no_other_field(page: Page, name: str, left: str) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.locator("#enrol summary").click()
    page.locator("#enrol-name").fill(name)
    page.locator("#enrol-name").focus()
    torn(page, "4276 3800 1234 5679", 2)
    expect(page.locator("#alarm")).to_contain_text("•• 5679 — это банковская карта")
    expect(page.locator("#enrol-name")).to_have_value(left)
    assert not [body for body in sent if "5679" in body]


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_bank_card_in_a_dialog_does_not_leave_the_page(page: Page, is_filled: bool) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    for key, field in (("F3", "#return-code"), ("F6", "#gift-code"), ("F7", "#care-code")):
        page.keyboard.press(key)
        expect(page.locator(field)).to_be_focused()
        if is_filled:
            page.locator(field).fill("4276 3800 1234 5679")
            page.keyboard.press("Enter")
        else:
            torn(page, "4276 3800 1234 5679", 1)
        expect(page.locator("dialog[open] .fault")).to_contain_text("•• 5679 — это банковская карта")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    assert not [body for body in sent if "5679" in body]


def test_the_tail_of_a_code_is_nobody_s_card(page: Page) -> None:
    for head in ("A1B", "QR|77|"):
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        torn(page, head + CARD, len(head))
        expect(page.locator("#alarm")).not_to_be_empty()
        expect(page.locator("#scan")).to_have_value("")
        due(page, "162,00 ₽")
        expect(page.locator("#member .balance")).to_have_count(0)
        dropped(page)


def test_a_code_under_the_russian_layout_finds_its_member(page: Page, web: Web) -> None:
    answer = web.post("/v1/scans", {"code": "ъУ0" + CARD}).json
    assert (answer["kind"], answer["code"], answer["symbology"]) == ("card", CARD, "ean13")


def test_a_bank_card_stands_nowhere_on_the_page(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    for code in (BANK, f";{BANK}=2512?", f"%B{BANK}^IVANOV/I^2512?"):
        typed(page, code)
        expect(page.locator("#alarm")).to_contain_text("•• 1111")
        expect(page.locator("#scan")).to_have_value("")
        assert BANK not in page.content()
        dropped(page)
    assert not [body for body in sent if BANK in body]


def test_a_mark_makes_a_line_of_its_own_and_is_taken_once(page: Page, web: Web) -> None:
    wait_for_listener(web)
    mark = f"010{COFFEE}21abcdefghijklm\x1d91EE05\x1d92x"
    web.scan("]d2" + mark)
    due(page, "162,00 ₽")
    web.scan("]d2" + mark)
    expect(page.locator("#alarm")).to_contain_text("уже в чеке")
    web.scan("]d2" + mark.replace("klm", "kln"))
    due(page, "324,00 ₽")


def test_goods_by_the_gs1_weight_of_their_label(page: Page, web: Web) -> None:
    assert APPLES == "101"
    answer = web.post("/v1/scans", {"code": f"]C1010{COFFEE}3103001500"}).json
    assert (answer["kind"], answer["sku"], answer["quantity"]) == ("product", COFFEE, "1.5")


def test_a_badge_names_the_person_and_proves_nothing(page: Page) -> None:
    page.evaluate("""async () => { window.answer = (await import("/static/persons.js")).askSenior("?"); }""")
    page.evaluate("""async () => (await import("/static/dialogs.js")).uppermost().scanned({ kind: "staff", code: "Анна" })""")
    expect(page.locator("#senior-name")).to_have_value("Анна")
    expect(page.locator("#senior-pin")).to_be_focused()
