"""A service that sends codes to phones, standing in for a real one: an HTTP server on loopback that keeps what it was sent.

It is an emulator: no SMS service was asked. ``answers`` says what it does next: take the message, refuse it, or never answer.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

WAIT_S = 60.0


class CodeGateway:
    """A context manager: the server runs while the block does."""

    def __init__(self) -> None:
        self.answers: Literal["taken", "refused", "never"] = "taken"
        self.messages: list[tuple[dict[str, str], str]] = []
        self._came = threading.Condition()
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="gateway")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/send"

    def wait(self, count: int) -> str:
        """The body of the n-th message, when it has come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.messages) >= count, WAIT_S), "no message came"
            return self.messages[count - 1][1]

    def __enter__(self) -> CodeGateway:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
                if gateway.answers == "never":
                    gateway._stop.wait(WAIT_S)
                    return
                with gateway._came:
                    gateway.messages.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    gateway._came.notify_all()
                self.send_response(200 if gateway.answers == "taken" else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: the tests look at the messages."""

        return Handler
