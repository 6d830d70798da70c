"""A proxy before head office that spoils what a test wants spoilt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import requests


class Proxy:
    """Between till and head office: passes all on, but what ``spoil`` makes of a path and its answer."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.spoil: Callable[[str, requests.Response], tuple[int, dict[str, str], bytes] | None] = lambda path, answer: None
        self.seen: list[tuple[str, str | None]] = []
        self.drip_s = 0.0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.0"

            def do_GET(self) -> None:
                passed = {name: self.headers[name] for name in ("Authorization", "Range") if name in self.headers}
                answer = requests.get(proxy.target + self.path, headers=passed | {"Accept-Encoding": "identity"}, timeout=30)
                proxy.seen.append((self.path, self.headers["Range"]))
                status, headers, body = proxy.spoil(self.path, answer) or (answer.status_code, {}, answer.content)
                self.send_response(status)
                kept = {
                    n.title(): v
                    for n, v in answer.headers.items()
                    if n.lower() in ("content-type", "content-range", "retry-after")
                }
                for name, value in (kept | {"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                step = 64 if proxy.drip_s else len(body) or 1
                for at in range(0, len(body), step):
                    self.wfile.write(body[at : at + step])
                    if proxy.drip_s:
                        time.sleep(proxy.drip_s)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
