"""The door of head office's pages: this machine may look; anybody else shows the password that follows from the key file."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pos_loyalty.errors import InputError, LoyaltyError
from pos_loyalty.web.guard import HEADERS, LOCAL_HOSTS

FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy says of whom it asks for."""

Endpoint = Callable[[Request], Awaitable[Response]]


def password_of(secret: str) -> str:
    """The managers' password, out of head office's key file: 160 bits, in groups."""
    digest = hmac.digest(bytes.fromhex(secret), b"pos-loyalty manager 1", "sha256")
    text = base64.b32encode(digest[:20]).decode("ascii")
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def guarded(endpoint: Endpoint, password: str) -> Endpoint:
    """The endpoint behind the door; our errors as a line of text."""

    async def answer(request: Request) -> Response:
        if not (_is_here(request) or _knows(request, password)):
            headers = {"WWW-Authenticate": 'Basic realm="pos-loyalty head office", charset="UTF-8"'} | HEADERS
            return PlainTextResponse("The password is told by: pos-loyalty keys password\n", 401, headers)
        if request.method == "POST" and not _is_own_page(request):
            return PlainTextResponse("A page from another place may not do this.\n", 403, dict(HEADERS))
        try:
            return await endpoint(request)
        except InputError as error:
            return PlainTextResponse(f"{error}\n", 422, dict(HEADERS))
        except LoyaltyError as error:
            return PlainTextResponse(f"{error}\n", 503, dict(HEADERS))

    return answer


def _is_here(request: Request) -> bool:
    """Whether the asker is this machine, under its own name: neither another site's name for it nor a proxy's client."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        is_loopback = ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return is_loopback and _host(request) in LOCAL_HOSTS


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None


def _knows(request: Request, password: str) -> bool:
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    try:
        shown = base64.b64decode(coded.strip(), validate=True).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except ValueError:
        return False
    return hmac.compare_digest(shown.strip().upper().encode(), password.encode())


def _is_own_page(request: Request) -> bool:
    """A form of ours: browsers tell where it stood."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
