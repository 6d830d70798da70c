"""Head office's pages in a browser: both languages, light and dark, and a case that a person closes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from pos_loyalty.config import OfflineConfig, StoreConfig
from pos_loyalty.store.db import open_store
from pos_loyalty.store.verify import verify
from pos_loyalty.web.office import Pages, routes
from pos_loyalty.web.office_door import password_of
from sync.server import steps
from sync.server.app import head_office_app
from sync.server.desk import Beside
from sync.server.sqlite import SqliteLedgerStore
from tests.browser.pages import needs_browser, watched, window
from tests.shop import PROGRAMME
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE, HeadOffice, Till, pull_all, push_all

pytestmark = needs_browser
PASSWORD = password_of(OFFICE.token_secret)
ESCROW = OfflineConfig()
SHOP = StoreConfig(id="S1", name="Проба")


class Served:
    """Head office with its pages, on a free port of loopback."""

    def __init__(self, path: Path, offline: OfflineConfig = ESCROW) -> None:
        def opened() -> SqliteLedgerStore:
            return SqliteLedgerStore(open_store(path, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)

        pages = Pages(shop=SHOP, password=PASSWORD, offline=offline)
        app = head_office_app(opened, OFFICE, lambda: NOW, Beside(pages=lambda desk: routes(desk, pages, lambda: NOW)))
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        deadline = time.monotonic() + 60
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()


def filled(folder: Path) -> Path:
    """Three tills, a case, two versions, a stop, sales of the day."""
    office = HeadOffice(folder)
    steps.publish_programme(office.store, PROGRAMME.encode(), NOW)
    steps.publish_programme(office.store, PROGRAMME.replace("version = 1", "version = 2").encode(), NOW + timedelta(minutes=1))
    for n, name in enumerate(("T1", "T2", "T3")):
        till = Till(folder, name)
        till.enrol("M1", "2000000000015")
        for k in range(4 - n):
            till.sell(f"{name}-{k}", "M1", earn=1_000)
        push_all(till, office)
        if n < 2:
            pull_all(till, office)
        till.db.close()
    office.db.close()
    return office.path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(filled(tmp_path))
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(window(browser)) as page:
        yield page


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_manager_sees_the_chain(served: Served, page: Page, language: str, scheme: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{served.url}/manager?language={language}")
    told = page.inner_text("main")
    for word in ("T1", "T2", "T3", "member.twice", "S1", "900.00"):
        assert word in told, word
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    _shot(page, f"overview-{language}-{scheme}")
    page.goto(f"{served.url}/manager/cases?language={language}")
    assert "T2/1/1/member.twice" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    _shot(page, f"cases-{language}-{scheme}")


def test_a_manager_closes_a_case(served: Served, page: Page, tmp_path: Path) -> None:
    page.goto(f"{served.url}/manager/cases?language=en")
    before = page.locator("article").count()
    first = page.locator("article", has_text="T2/1/1/member.twice")
    first.get_by_label("What was done").fill("the same person, at two tills")
    first.get_by_label("Who").fill("M9")
    first.get_by_role("button").click()
    expect(page.locator("article")).to_have_count(before - 1)
    expect(page).to_have_url(f"{served.url}/manager/cases?language=en")
    page.get_by_role("link", name="Show the closed ones too").click()
    assert "Closed by M9" in page.inner_text("main")
    db = open_store(tmp_path / "head_office.db", role="head_office", owner="head-office", now=NOW)
    assert verify(db) == ()
    db.close()


def _shot(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
