"""A scanner that types: told from a person by its speed, wherever the focus is; and what the page does with each kind of code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import APPLES, COFFEE, due, needs_browser, typed, wait_for_listener
from tests.browser.serving import Web
from tests.shop import CARD

pytestmark = needs_browser
VECTORS = json.loads((Path(__file__).parents[1] / "unit/wedge_vectors.json").read_text(encoding="utf-8"))
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


def test_a_code_under_the_russian_layout_finds_its_member(page: Page, web: Web) -> None:
    answer = web.post("/v1/scans", {"code": "ъУ0" + CARD}).json
    assert (answer["kind"], answer["code"], answer["symbology"]) == ("card", CARD, "ean13")


@pytest.mark.parametrize("code", [BANK, f";{BANK}=2512?", f"%B{BANK}^IVANOV/I^2512?"])
def test_a_bank_card_stands_nowhere_on_the_page(page: Page, code: str) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    typed(page, code)
    expect(page.locator("#alarm")).to_contain_text("•• 1111")
    expect(page.locator("#scan")).to_have_value("")
    assert BANK not in page.content()
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
