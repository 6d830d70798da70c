"""A browser for the tests of the page, and a till's web with a page open on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.pages import CHROMIUM, PATIENCE_MS, opened, watched
from tests.browser.serving import Web, serving
from tests.shop import Shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    """The web of the shop's till."""
    with serving(shop.till, shop.till.rule_titles) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    """The cashier page, in Russian."""
    with watched(opened(browser, web)) as page:
        yield page
