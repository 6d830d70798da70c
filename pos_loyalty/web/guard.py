"""The door: who may talk to this till at all, and the headers of every answer.

A page from elsewhere must not reach a till through the cashier's browser: not by its own name pointed at 127.0.0.1 (Host), not
by asking across origins (Origin, Sec-Fetch-Site).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pos_loyalty.web import problems

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def guarded(app: ASGIApp, allowed_hosts: tuple[str, ...]) -> ASGIApp:
    """The app behind the door. ``allowed_hosts`` are names or addresses without a port."""
    allowed = frozenset(host.lower() for host in allowed_hosts)

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        reason = _refusal(Headers(scope=scope), scope["path"], allowed)
        if reason is None:
            await app(scope, receive, _dressed(send, scope["path"]))
            return
        status, detail = reason
        problem = problems.of_status(status, detail, problems.language_of(Request(scope)))
        await problems.answer(problem)(scope, receive, _dressed(send, scope["path"]))

    return door


def _refusal(headers: Headers, path: str, allowed: frozenset[str]) -> tuple[int, str] | None:
    """Status and sentence when the request must not come in; None when it may."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name(hosts[0]) not in allowed:
        return 421, "This till answers only under its own address; open it by the address that it printed at its start."
    origin = headers.get("origin")
    if origin is not None and origin.lower() not in (f"http://{hosts[0]}".lower(), f"https://{hosts[0]}".lower()):
        return 403, "A page from another place may not use this till."
    if path != "/" and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return 403, "A page from another place may not use this till."
    encodings = headers.getlist("content-encoding")
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        return 415, f"This till reads no compressed bodies ({encodings[0][:32]}): send it as it is, without Content-Encoding."
    return None


def _name(host: str) -> str | None:
    """The name in a Host header, without its port; None when it is not one."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.path == "" and "@" not in host else None
    except ValueError:
        return None


def _dressed(send: Send, path: str) -> Send:
    """Send with the headers that every answer carries."""

    async def dressing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-cache" if path.startswith("/static/") else "no-store")
        await send(message)

    return dressing
