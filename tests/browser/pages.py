"""A browser on the cashier page, and what a cashier does and sees there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.serving import Web
from tests.shop import CARD, NOW, Shop

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 60_000
"""What is seen is waited for so long: a machine under load is slow, not wrong."""
COFFEE, CROISSANT, APPLES = "4601234567893", "4601234567916", "101"

WINDOWS: WeakKeyDictionary[Browser, dict[tuple[str, str | None], BrowserContext]] = WeakKeyDictionary()

needs_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing")


def opened(browser: Browser, web: Web, language: str = "ru", scheme: str = "light", zone: str | None = None) -> Page:
    """The page in a tab of its own, ready for the first key. ``zone`` is that of the computer."""
    page = window(browser, scheme, zone)
    page.goto(f"{web.url}/?language={language}")
    expect(page.locator("body[data-ready]")).to_be_attached()
    return page


def window(browser: Browser, scheme: str = "light", zone: str | None = None) -> Page:
    """A page that shows nothing yet. Its day is that of the till's clock, whatever day it is.

    It is a tab of a window that stays: to open one costs as much as all that a test does in it. Tabs share nothing that our pages
    keep: each till has a port of its own, and what a page keeps of a session is the tab's.
    """
    windows = WINDOWS.setdefault(browser, {})
    if (scheme, zone) not in windows:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, timezone_id=zone)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        context.clock.set_fixed_time(NOW)
        context.new_page()  # without a tab the window would close
        windows[scheme, zone] = context
    return windows[scheme, zone].new_page()


@contextmanager
def watched(page: Page) -> Iterator[Page]:
    """The page for as long as the block runs; its script may not fail meanwhile."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert faults == []


def intercepted(page: Page, address: str | re.Pattern[str], answers: Callable[[Route], None], times: int | None = None) -> None:
    """From the page's next request on. A page that is open keeps its old way out for a moment: it is asked until then."""
    probe = "**/?intercepted"
    page.route(address, answers, times=times)
    if page.url == "about:blank":
        return
    page.route(probe, lambda route: route.fulfill(body="yes"))
    until = time.monotonic() + PATIENCE_MS / 1000
    while page.evaluate("fetch('/?intercepted').then((answer) => answer.text())") != "yes":
        assert time.monotonic() < until, f"requests to {address} are not intercepted"
    page.unroute(probe)


def typed(page: Page, text: str) -> None:
    """What the cashier types, and Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def dropped(page: Page) -> None:
    """The sale is dropped, and the page is as it was opened: the next of many tries needs no till and no page of its own."""
    page.keyboard.press("F10")
    page.keyboard.press("F10")
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#alarm")).to_be_hidden()
    expect(page.locator("#member")).to_contain_text("Без карты")


def due(page: Page, text: str) -> None:
    """Wait until this is to be paid."""
    expect(page.locator("#due")).to_have_text(text.replace(" ₽", "\u00a0₽"))
    expect(page.locator("#totals")).not_to_have_class(re.compile("stale"))


def priced(page: Page, *codes: str) -> None:
    """These are typed, each is answered, and the price stands."""
    for code in codes:
        typed(page, code)
        expect(page.locator("#scan")).to_have_value("")
        expect(page.locator("#notice, #alarm:visible").first).not_to_be_empty()
        if code == CARD:
            expect(page.locator("#member .balance")).to_be_visible()
    expect(page.locator("#totals")).not_to_have_class(re.compile("stale"))
    expect(page.locator("#pay-cash")).to_be_enabled()


def sales(shop: Shop) -> list[tuple[str, int, int]]:
    """State, due and points of every sale that is stored."""
    return [
        tuple(row) for row in shop.db.execute("SELECT state, due_minor, redeemed_centi FROM sale ORDER BY authorised_ms, sale_id")
    ]


def wait_for_listener(web: Web) -> None:
    """Until the page's stream of scans has reached the till; asked by a request of the same server, never by sleeping."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while not web.board.listeners:
        assert time.monotonic() < until, "the page does not listen"
        web.get("/healthz")
