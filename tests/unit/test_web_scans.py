"""Scanned codes reach the pages that listen, from any thread, and nobody else."""

from __future__ import annotations

import asyncio
import json
import threading
from http.client import HTTPConnection, HTTPResponse

import pytest

from pos_loyalty.values import Thousandths
from pos_loyalty.web.scans import LISTENERS_MAX, WAITING_MAX, Scan, ScanBoard
from tests.browser.serving import Web, serving
from tests.shop import Shop


def opened(web: Web) -> tuple[HTTPConnection, HTTPResponse]:
    """A listener whose stream has begun, so that what is published from now on reaches it."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.request("GET", "/v1/scans")
    answer = connection.getresponse()
    if answer.status == 200:
        assert answer.readline().startswith(b"retry:")
        answer.readline()
    return connection, answer


def test_every_listening_page_hears_a_code(shop: Shop) -> None:
    with serving(shop.till) as web:
        web.board.publish(Scan(code="before anybody listens"))
        listeners = [opened(web) for _ in range(2)]
        thread = threading.Thread(
            target=web.board.publish, args=(Scan(code="2200000000019", symbology="ean13", device="scanner", kind="card"),)
        )
        thread.start()
        thread.join()
        for connection, answer in listeners:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.readline() == b"event: scan\n"
            scan = json.loads(answer.readline().removeprefix(b"data: "))
            assert scan["code"] == "2200000000019"
            assert (scan["symbology"], scan["device"], scan["kind"]) == ("ean13", "scanner", "card")
            answer.close()
            connection.close()


def test_a_label_by_weight_reaches_the_page(shop: Shop) -> None:
    with serving(shop.till) as web:
        connection, answer = opened(web)
        web.board.publish(Scan(code="2312345003453", kind="weight", sku="12345", quantity=Thousandths(345)))
        web.board.publish(Scan(code="4601234567893", kind="product"))
        assert answer.readline() == b"event: scan\n"
        assert json.loads(answer.readline().removeprefix(b"data: "))["quantity"] == "0.345"
        answer.readline()
        assert answer.readline() == b"event: scan\n"
        answer.close()
        connection.close()


def test_the_end_of_the_till_ends_every_stream(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with serving(shop.till) as web:
        connection, answer = opened(web)
    assert answer.read() == b""
    assert caplog.records == []
    connection.close()


def test_too_many_pages_are_told_so(shop: Shop) -> None:
    with serving(shop.till) as web:
        listeners = [opened(web) for _ in range(LISTENERS_MAX)]
        connection, answer = opened(web)
        assert answer.status == 503
        assert web.get("/healthz").status == 200
        connection.close()
        for each, stream in listeners:
            stream.close()
            each.close()


def test_a_slow_page_loses_the_oldest_codes() -> None:
    async def listen() -> list[str]:
        board = ScanBoard()
        async with board.listening() as waiting:
            for number in range(WAITING_MAX + 3):
                board.publish(Scan(code=str(number)))
            await asyncio.sleep(0)
            return [scan.code for _ in range(waiting.qsize()) if (scan := waiting.get_nowait()) is not None]

    assert asyncio.run(listen()) == [str(number) for number in range(3, WAITING_MAX + 3)]


def test_who_leaves_makes_room() -> None:
    async def come_and_go() -> bool:
        board = ScanBoard()
        for _ in range(LISTENERS_MAX + 1):
            async with board.listening():
                pass
        board.publish(Scan(code="1"))
        return board.is_full

    assert asyncio.run(come_and_go()) is False
