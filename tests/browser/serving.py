"""A till's web on a free port of loopback, in a thread of this process, and a plain HTTP client for it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from drivers.ports import LiveView
from drivers.symbology import scan_of
from pos_loyalty.config import CardConfig
from pos_loyalty.values import Minor
from pos_loyalty.web.app import application
from pos_loyalty.web.page import Names, Titles
from pos_loyalty.web.scans import ScanBoard, scan_told
from pos_loyalty.web.serve import listen, run, server
from pos_loyalty.web.verbs import Product, Shop, Verbs

PRODUCTS = (
    Product(sku="4601234567893", name="Капучино 0,3 л", price_minor=Minor(18_000), category="drinks/coffee", brand="X"),
    Product(sku="4601234567909", name="Капучино 0,4 л на овсяном молоке", price_minor=Minor(25_000), category="drinks/coffee"),
    Product(sku="4601234567916", name="Круассан с миндалём", price_minor=Minor(14_950), category="bakery"),
    Product(sku="101", name="Яблоки сезонные", price_minor=Minor(12_990), category="fruit", measure="weight"),
)
CARDS = (CardConfig(prefix="22", length=13),)
SHOP = Shop(store="S1", till="T1", name="Кофейня на углу", cashier="C7", products=PRODUCTS, cards=CARDS)
JSON_HEADERS = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Web:
    """A client of one till's web."""

    def __init__(self, port: int, board: ScanBoard) -> None:
        self.port = port
        self.board = board
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def scan(self, raw: str) -> None:
        """A scanner of the till reads this: it goes through the parser and on to the pages."""
        self.board.publish(scan_told(scan_of(raw, SHOP.cards), "scanner"))

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object, key: str | None = None, **headers: str) -> Answer:
        """POST of JSON; with ``key``, as a writing request."""
        keyed = {} if key is None else {"Idempotency-Key": key}
        return self.ask("POST", path, json.dumps(body).encode(), JSON_HEADERS | keyed | headers)


@contextmanager
def serving(
    till: Verbs,
    titles: Titles | None = None,
    names: Names | None = None,
    *,
    port: int = 0,
    view: LiveView | None = None,
    slow_s: float = 0,
) -> Iterator[Web]:
    """The web of a till for as long as the block runs. ``slow_s``: so late is each answer to what a page asks of it."""
    board = ScanBoard(SHOP.cards, view)
    listener = listen("127.0.0.1", port)
    app = application(till, SHOP, scans=board, titles=titles, names=names)
    running = server(app if slow_s == 0 else late(app, slow_s))
    thread = threading.Thread(target=run, args=(running, listener), kwargs={"leaving": board.close}, name="web")
    thread.start()
    try:
        yield Web(listener.getsockname()[1], board)
    finally:
        running.should_exit = True
        thread.join()
        listener.close()


def late(app: ASGIApp, slow_s: float) -> ASGIApp:
    """The same, on a machine that is slow: whatever a page's script asks for takes its time."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            await asyncio.sleep(slow_s)
        await app(scope, receive, send)

    return answer
