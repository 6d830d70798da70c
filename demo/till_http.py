"""The till as a host POS sees it: JSON over HTTP on one kept connection, and codes of the scanner as server-sent events."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from demo.processes import DemoError
from pos_loyalty.engine.model import Basket
from pos_loyalty.values import encode

ANSWER_S = 60.0
SCAN_S = 30.0
STALE = 409

Json = dict[str, Any]


class Till:
    """Calls of the till's HTTP. ``answered_ms`` is how long each one took."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered_ms: list[float] = []
        self._line = HTTPConnection(urlsplit(url).netloc, timeout=ANSWER_S)

    def __enter__(self) -> Till:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._line.close()

    def identify(self, card: str) -> Json:
        """Who holds the card."""
        return self.post("/v1/identify", {"card": card})

    def quote(self, basket: Basket, card: str | None) -> Json:
        """Price a basket."""
        return self.post("/v1/quote", {"basket": json.loads(encode(basket)), "card": card})

    def health(self) -> Json:
        """How the till is."""
        status, answer = self._ask("GET", "/healthz", None, {})
        return self._good(status, answer, "/healthz")

    def post(self, path: str, body: Json, key: str | None = None) -> Json:
        """A POST that must be answered well. Raises DemoError with the till's own sentence."""
        status, answer = self.try_post(path, body, key)
        return self._good(status, answer, path)

    def try_post(self, path: str, body: Json, key: str | None = None) -> tuple[int, bytes]:
        """A POST with the bytes of its answer, whatever it is."""
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        return self._ask("POST", path, json.dumps(body).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        begun = time.perf_counter()
        try:
            self._line.request(method, path, body, headers)
            response = self._line.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            raise DemoError(f"the till does not answer {method} {path}: {error}") from error
        self.answered_ms.append(1000 * (time.perf_counter() - begun))
        return response.status, answer

    @staticmethod
    def _good(status: int, answer: bytes, path: str) -> Json:
        if status != 200:
            raise DemoError(f"the till answered {path} with {status}: {answer.decode(errors='replace')[:500]}")
        said: Json = json.loads(answer)
        return said


class Scans:
    """What the till hears from its scanner, as the cashier page would get it."""

    def __init__(self, url: str) -> None:
        self._codes: queue.Queue[str] = queue.Queue()
        self._line = HTTPConnection(urlsplit(url).netloc, timeout=ANSWER_S)
        self._line.request("GET", "/v1/scans")
        self._response: HTTPResponse = self._line.getresponse()
        if self._response.status != 200 or not self._response.readline().startswith(b"retry:"):
            raise DemoError(f"the till gives no scans (HTTP {self._response.status})")
        self._socket: socket.socket = self._line.sock
        self._socket.settimeout(None)
        threading.Thread(target=self._listen, daemon=True, name="scans").start()

    def __enter__(self) -> Scans:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def next_code(self) -> str:
        """The next code that was scanned. Raises DemoError when none comes."""
        try:
            return self._codes.get(timeout=SCAN_S)
        except queue.Empty:
            raise DemoError("a code went into the scanner and did not come out of the till") from None

    def _listen(self) -> None:
        with suppress(OSError, ValueError, HTTPException):
            while line := self._response.readline():
                if line.startswith(b"data:"):
                    self._codes.put(json.loads(line.removeprefix(b"data:"))["code"])
