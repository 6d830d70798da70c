"""The shift dialog of the cashier page: the report is read, and both slips are printed by key and by button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import needs_browser, opened, watched
from tests.browser.serving import serving
from tests.shop import CONFIG, Shop

pytestmark = needs_browser


@pytest.fixture
def printing(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, CONFIG + '[printer]\nkind = "file"\npath = "slips"\n')
    yield shop
    shop.close()


@pytest.fixture
def page(browser: Browser, printing: Shop) -> Iterator[Page]:
    with serving(printing.till, printing.till.rule_titles) as web, watched(opened(browser, web)) as page:
        yield page


def test_the_report_is_read_and_printed_once_for_each_press(page: Page, printing: Shop) -> None:
    page.keyboard.press("Shift+F3")
    expect(page.locator("#shift-text")).to_contain_text("T1")
    page.keyboard.press("F9")
    expect(page.locator("#shift-note")).to_have_text("Отправлено на печать")
    page.keyboard.press("Escape")
    expect(page.locator("#shift")).to_be_hidden()
    page.locator("#open-shift").click()
    expect(page.locator("#shift-note")).to_have_text("")
    page.locator("#shift-test").click()
    expect(page.locator("#shift-note")).to_have_text("Отправлено на печать")
    kinds = [kind for (kind,) in printing.db.execute("SELECT kind FROM print_job ORDER BY id")]
    assert kinds == ["shift", "self_test"]


def test_without_a_printer_the_report_is_shown_and_the_reason_told(browser: Browser, shop: Shop) -> None:
    with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web)) as page:
        page.keyboard.press("Shift+F3")
        expect(page.locator("#shift-text")).to_contain_text("T1")
        page.keyboard.press("F9")
        expect(page.locator("#shift .fault")).to_be_visible()
        expect(page.locator("#shift-note")).to_have_text("")
