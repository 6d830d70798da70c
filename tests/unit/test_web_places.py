"""Raw bytes at head office's door: what is no HTTP, waits without end or says nothing at all keeps nobody else out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pos_loyalty.store.db import open_store
from pos_loyalty.web import places
from pos_loyalty.web.serve import listen, run, server
from sync.server.app import BODY_BYTES_MAX, head_office_app
from sync.server.sqlite import SqliteLedgerStore
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE

PLACES = 12
HOST = b"Host: x\r\n"
ENROL = b"POST /v1/enrol HTTP/1.1\r\n" + HOST
WAIT_S = 0.3


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Head office with few places and little patience."""
    monkeypatch.setattr(places, "HEAD_WAIT_S", WAIT_S)
    monkeypatch.setattr("sync.server.app.BODY_WAIT_S", WAIT_S)

    def store() -> SqliteLedgerStore:
        db = open_store(tmp_path / "head_office.db", role="head_office", owner="head-office", now=NOW)
        return SqliteLedgerStore(db, HEAD_OFFICE_KEY)

    running = server(head_office_app(store, OFFICE, lambda: NOW), PLACES)
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=run, args=(running, listener), kwargs={"leaving": None})
    thread.start()
    yield listener.getsockname()[1]
    running.should_exit = True
    thread.join(60)
    listener.close()


def say(port: int, data: bytes, *, ends: bool = False) -> bytes:
    """All that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        heard = b""
        try:
            line.sendall(data)
            if ends:
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(65536):
                heard += part
        except ConnectionError:
            pass
        return heard


def is_well(port: int) -> bool:
    return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\xff" * 100 + b"\r\n\r\n", b"400"),
        (bytes.fromhex("160301020001000001fc0303") + b"x" * 200, b"400"),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", b"400"),
        (ENROL + b"Content-Length: -5\r\n\r\n", b"400"),
        (ENROL + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", b"400"),
        (ENROL + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n", b"4"),
        (ENROL + b"Content-Length: 10000000000\r\nConnection: close\r\n\r\n{}", b"408"),
        (ENROL + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n", b"408"),
        (ENROL + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", b"422"),
        (ENROL + b"Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\x1f\x8b", b"422"),
        ("GET /v1/tills/Щ/changes HTTP/1.1\r\n".encode() + HOST + b"\r\n", b"400"),
        (b"GET /v1/tills/%ff%00%2f/changes HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"404"),
        (b"GET /v1/sales HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \xff.1.x\r\nConnection: close\r\n\r\n", b"401"),
        (b"DELETE /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"405"),
        (b"GET /\r\n", b""),
        (b"", b""),
        (ENROL, b""),
    ],
)  # fmt: skip
def test_bytes_that_are_no_question_get_an_end(port: int, data: bytes, status: bytes) -> None:
    heard = say(port, data)
    assert heard.startswith(b"HTTP/1.1 " + status) if status else heard == b""
    if status not in (b"400", b"4", b""):
        assert b"application/problem+json" in heard and b'"detail":"' in heard
    assert is_well(port)


def test_a_body_that_never_ends_is_read_no_further_than_the_limit(port: int) -> None:
    heard = say(port, ENROL + b"Transfer-Encoding: chunked\r\n\r\n" + b"100000\r\n" + b"0" * 0x100000 + b"\r\n", ends=True)
    assert b" 5" not in heard[:14]
    whole = b"".join([b"100000\r\n" + b"0" * 0x100000 + b"\r\n"] * (BODY_BYTES_MAX // 0x100000 + 2))
    assert say(port, ENROL + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + whole).startswith(b"HTTP/1.1 413")
    assert is_well(port)


def test_a_head_that_drips_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        began, cut = time.monotonic(), False
        while not cut and time.monotonic() < began + 60:
            try:
                line.sendall(b"G")
                line.settimeout(WAIT_S / 10)
                cut = line.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                cut = True
        assert cut
    assert is_well(port)


def test_silent_connections_keep_nobody_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "HEAD_WAIT_S", 3600)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(10 * PLACES)]
    spoken = requests.Session()
    for _ in range(3):
        assert spoken.get(f"http://127.0.0.1:{port}/healthz", timeout=30).status_code == 200
        silent += [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(PLACES)]
    assert is_well(port)
    for line in silent:
        line.close()
    spoken.close()


def test_silent_connections_take_no_line_from_who_has_spoken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their next question may be on its way already, and would be cut off."""
    monkeypatch.setattr(places, "HEAD_WAIT_S", 3600)
    question = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        for _ in range(3):
            line.sendall(question)
            heard = b""
            while not heard.endswith(b"}") and (part := line.recv(65536)):
                heard += part
            assert heard.startswith(b"HTTP/1.1 200")
            silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(2 * PLACES)]
            assert is_well(port)
            for each in silent:
                each.close()


def test_who_left_in_the_middle_of_a_body_is_no_crash(port: int, caplog: pytest.LogCaptureFixture) -> None:
    say(port, ENROL + b"Content-Length: 50\r\n\r\n{}", ends=True)
    assert is_well(port)
    assert "Traceback" not in caplog.text
