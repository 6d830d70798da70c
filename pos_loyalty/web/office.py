"""Head office's pages for a manager: read only, but for closing a case. Rendered whole, without a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pos_loyalty import gauges
from pos_loyalty.clock import Clock
from pos_loyalty.config import OfflineConfig, StoreConfig
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.i18n import SIGNS, Language, tr
from pos_loyalty.store.cases import name_of
from pos_loyalty.values import Points, Value
from pos_loyalty.web.guard import HEADERS
from pos_loyalty.web.office_door import guarded
from pos_loyalty.web.office_view import policy_of, view_of
from pos_loyalty.web.shown import shown
from sync.server import truth
from sync.server.desk import Desk
from sync.server.ledger_store import LedgerStore
from sync.server.meter import figures

HOME: Final = Path(__file__).parent
EPOCH_DAY: Final = date(1970, 1, 1)
CASES_SHOWN: Final = 200
FORM_BYTES_MAX: Final = 16 * 1024
FORM_FIELDS_MAX: Final = 8
NOTE_SIGNS_MAX: Final = 256
BY_SIGNS_MAX: Final = 128

T = TypeVar("T")


class Pages(Value):
    """What the pages are made with. ``password``: for whoever is not this machine; ``offline``: what tills do while cut off."""

    shop: StoreConfig
    password: str
    offline: OfflineConfig = OfflineConfig()


def routes(desk: Desk, pages: Pages, clock: Clock) -> list[BaseRoute]:
    """The pages and the figures for a monitor."""
    office, door = Office(desk, pages, clock), partial(guarded, password=pages.password)
    return [
        Route("/manager", door(office.overview)),
        Route("/manager/cases", door(office.cases), methods=["GET"]),
        Route("/manager/cases", door(office.close), methods=["POST"]),
        Route("/metrics", door(office.metrics)),
        Mount("/static", StaticFiles(directory=HOME / "static")),
    ]


class Office:
    """The endpoints, over the ledger's thread."""

    def __init__(self, desk: Desk, pages: Pages, clock: Clock) -> None:
        self._desk = desk
        self._shop = shop = pages.shop
        self._offline = pages.offline
        self._clock = clock
        self._zone = ZoneInfo(shop.timezone)
        self._loader = Environment(
            loader=FileSystemLoader(HOME / "templates"), autoescape=True, undefined=StrictUndefined, finalize=shown
        )

    async def overview(self, request: Request) -> Response:
        """Tills, cases, points, the day, programmes."""
        now, language = self._clock(), self._language(request)
        today = now.astimezone(self._zone).date()
        cap_centi = self._offline.cap_centi if self._offline.policy == "allowance" else Points(0)
        told = await self._asked(lambda store: store.truth.overview((today - EPOCH_DAY).days, now, cap_centi))
        seen = view_of(told, language, self._zone, now, EXPONENTS.get(self._shop.currency, 2))
        seen["policy"] = policy_of(self._offline, told.exposure, language)
        return self._rendered("office.html", language, {"seen": seen, "today": today.isoformat(), "at": self._at(now)})

    async def cases(self, request: Request) -> Response:
        """Cases, those that wait or all."""
        return await self._listed(request, "")

    async def close(self, request: Request) -> Response:
        """A person has settled a case."""
        form = await _form(request)
        note, by = form.get("note", "").strip(), form.get("by", "").strip()
        try:
            if not (0 < len(note) <= NOTE_SIGNS_MAX and 0 < len(by) <= BY_SIGNS_MAX):
                raise InputError("case", "say what was done about it, and who you are")
            name = name_of(form.get("case", ""))
            await self._desk.ask(lambda store: truth.close_case(store, name, note, by, self._clock()))
        except (InputError, NotFoundError, ConflictError) as error:
            answer = await self._listed(request, str(error))
            answer.status_code = 409 if isinstance(error, ConflictError) else 422
            return answer
        address = f"/manager/cases?language={self._language(request)}"
        return RedirectResponse(address, status_code=303, headers=dict(HEADERS))

    async def metrics(self, request: Request) -> Response:
        """Figures."""
        seen = await self._asked(lambda store: store.truth.watch())
        return Response(gauges.text_of(figures(self._desk.meter, seen, self._clock())), media_type=gauges.MEDIA)

    async def _listed(self, request: Request, fault: str) -> Response:
        wants_all = request.query_params.get("all") == "1"
        told = await self._asked(
            lambda store: store.truth.all_cases(CASES_SHOWN + 1) if wants_all else store.truth.cases(CASES_SHOWN + 1)
        )
        more = len(told) > CASES_SHOWN
        values = {
            "cases": told[:CASES_SHOWN],
            "more": more,
            "shown": CASES_SHOWN,
            "all": wants_all,
            "fault": fault,
            "at": self._at,
        }
        return self._rendered("office_cases.html", self._language(request), values)

    def _rendered(self, name: str, language: Language, values: Mapping[str, Any]) -> Response:
        shop = self._shop
        words = {
            "tr": partial(tr, language),
            "language": language,
            "other_languages": [other for other in shop.languages if other != language],
            "sign": SIGNS.get(shop.currency, shop.currency) if language == "ru" else shop.currency,
        }
        return HTMLResponse(self._loader.get_template(name).render(**words, **values), headers=dict(HEADERS))

    async def _asked(self, question: Callable[[LedgerStore], T]) -> T:
        """One state of the ledger."""

        def inside(store: LedgerStore) -> T:
            with store.write():
                return question(store)

        return await self._desk.ask(inside)

    def _language(self, request: Request) -> Language:
        wanted = request.query_params.get("language")
        return next((each for each in self._shop.languages if each == wanted), self._shop.languages[0])

    def _at(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"


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
