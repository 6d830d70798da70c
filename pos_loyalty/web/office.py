"""Head office's pages for a manager: read only, but for closing a case. Rendered whole, without a script.

This machine may look; anybody else shows the password that follows from head office's key file.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pos_loyalty import gauges
from pos_loyalty.clock import Clock
from pos_loyalty.config import StoreConfig
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.errors import ConflictError, InputError, LoyaltyError, NotFoundError
from pos_loyalty.i18n import SIGNS, Language, tr
from pos_loyalty.store.cases import name_of
from pos_loyalty.values import Value
from pos_loyalty.web.guard import HEADERS, LOCAL_HOSTS
from pos_loyalty.web.office_view import view_of
from sync.server import truth
from sync.server.app import Desk

HOME: Final = Path(__file__).parent
EPOCH_DAY: Final = date(1970, 1, 1)
CASES_SHOWN: Final = 200
FORM_BYTES_MAX: Final = 16 * 1024
FORM_FIELDS_MAX: Final = 8
NOTE_SIGNS_MAX: Final = 256
BY_SIGNS_MAX: Final = 128
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Pages(Value):
    """What the pages are made with. ``password``: for whoever is not this machine."""

    shop: StoreConfig
    password: str


def routes(desk: Desk, pages: Pages, clock: Clock) -> list[BaseRoute]:
    """The pages and the figures for a monitor."""
    shop, zone = pages.shop, ZoneInfo(pages.shop.timezone)
    loader = Environment(loader=FileSystemLoader(HOME / "templates"), autoescape=True, undefined=StrictUndefined)

    def rendered(name: str, language: Language, **values: Any) -> Response:
        others = [other for other in shop.languages if other != language]
        words = {"tr": partial(tr, language), "language": language, "shop": shop, "other_languages": others}
        sign = SIGNS.get(shop.currency, shop.currency) if language == "ru" else shop.currency
        return HTMLResponse(loader.get_template(name).render(**words, sign=sign, **values), headers=dict(HEADERS))

    async def overview(request: Request) -> Response:
        now, language = clock(), _language(request, shop)
        today = now.astimezone(zone).date()
        seen = await _asked(desk, lambda store: store.truth.overview((today - EPOCH_DAY).days))
        return rendered(
            "office.html",
            language,
            seen=view_of(seen, language, zone, now, EXPONENTS.get(shop.currency, 2)),
            today=today.isoformat(),
            at=_at(now, zone),
        )

    async def cases(request: Request) -> Response:
        return await listed(request, "")

    async def listed(request: Request, fault: str, status: int = 200) -> Response:
        language, wants_all = _language(request, shop), request.query_params.get("all") == "1"

        def found(store: Any) -> Any:
            return (store.truth.all_cases if wants_all else store.truth.cases)(CASES_SHOWN + 1)

        told = await _asked(desk, found)
        at = partial(_at, zone=zone)
        answer = rendered(
            "office_cases.html", language, cases=told[:CASES_SHOWN], more=len(told) > CASES_SHOWN, all=wants_all, fault=fault,
            at=at, shown=CASES_SHOWN,
        )  # fmt: skip
        answer.status_code = status
        return answer

    async def close(request: Request) -> Response:
        form = await _form(request)
        note, by = form.get("note", "").strip(), form.get("by", "").strip()
        try:
            if not (0 < len(note) <= NOTE_SIGNS_MAX and 0 < len(by) <= BY_SIGNS_MAX):
                raise InputError("case", "say what was done about it, and who you are")
            name = name_of(form.get("case", ""))
            await desk.ask(lambda store: truth.close_case(store, name, note, by, clock()))
        except (InputError, NotFoundError, ConflictError) as error:
            return await listed(request, str(error), 409 if isinstance(error, ConflictError) else 422)
        return RedirectResponse(f"/manager/cases?language={_language(request, shop)}", status_code=303, headers=dict(HEADERS))

    async def metrics(request: Request) -> Response:
        from sync.server.meter import figures

        seen = await _asked(desk, lambda store: store.truth.overview(0))
        return Response(gauges.text_of(figures(desk.meter, seen, clock())), media_type=gauges.MEDIA)

    guarded = partial(_guarded, password=pages.password)
    return [
        Route("/manager", guarded(overview)),
        Route("/manager/cases", guarded(cases), methods=["GET"]),
        Route("/manager/cases", guarded(close), methods=["POST"]),
        Route("/metrics", guarded(metrics)),
        Mount("/static", StaticFiles(directory=HOME / "static")),
    ]


def password_of(secret: str) -> str:
    """The managers' password, out of head office's key file: 160 bits, in groups."""
    digest = hmac.digest(bytes.fromhex(secret), b"pos-loyalty manager 1", "sha256")
    text = base64.b32encode(digest[:20]).decode("ascii")
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def _guarded(endpoint: Endpoint, password: str) -> Endpoint:
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


async def _asked(desk: Desk, question: Callable[[Any], T]) -> T:
    """One state of the ledger."""

    def inside(store: Any) -> T:
        with store.write():
            return question(store)

    return await desk.ask(inside)


async def _form(request: Request) -> Mapping[str, str]:
    """A small form. Raises InputError."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise InputError("form", f"is larger than {FORM_BYTES_MAX} bytes")
    try:
        fields = parse_qs(body.decode("utf-8"), max_num_fields=FORM_FIELDS_MAX, encoding="utf-8", errors="strict")
    except ValueError as error:
        raise InputError("form", "is no form") from error
    return {name: values[-1] for name, values in fields.items()}


def _language(request: Request, shop: StoreConfig) -> Language:
    wanted = request.query_params.get("language")
    return next((each for each in shop.languages if each == wanted), shop.languages[0])


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
