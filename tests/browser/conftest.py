"""A browser for the tests of the page, and a till's web with a page open on it."""

from __future__ import annotations

from asyncio.events import AbstractEventLoop, _get_running_loop, _set_running_loop
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.pages import CHROMIUM, PATIENCE_MS, opened, watched
from tests.browser.serving import Web, serving
from tests.shop import Shop


class Chromium(NamedTuple):
    """The browser, and the event loop by which it is spoken to."""

    browser: Browser
    loop: AbstractEventLoop | None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One for all files of a process: to start it and open a first page takes as long as three tests."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        started = Chromium(browser, _get_running_loop())
        _set_running_loop(None)
        yield started
        _set_running_loop(started.loop)
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Chromium, as it is installed. While a file has it, its loop is this thread's; other tests run loops of their own."""
    _set_running_loop(chromium.loop)
    yield chromium.browser
    _set_running_loop(None)


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
