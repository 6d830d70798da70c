"""Errors as RFC 9457 problem documents. One table says which error is which status; nothing technical leaves the till."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import (
    CommitUnknownError,
    ConflictError,
    EarlierDayError,
    InputError,
    LoyaltyError,
    MemberBlockedError,
    NotAllowedError,
    NotFoundError,
    PaidShortError,
    PersonLockedError,
    QuoteStaleError,
    StoreBusyError,
    StoreFullError,
    WrongPinError,
)
from pos_loyalty.i18n import Language, tr
from pos_loyalty.payment_cards import without_numbers
from pos_loyalty.till.model import Problem
from pos_loyalty.values import decode, encode

PROBLEM_MEDIA = "application/problem+json"
CALM = "Something in the till program went wrong. What was sold before is safe; try again, then call the person in charge."

# The first row that fits counts: a subclass stands above its base.
TABLE: tuple[tuple[type[LoyaltyError], int, str], ...] = (
    (InputError, 422, "input"),
    (NotFoundError, 404, "not-found"),
    (EarlierDayError, 403, "earlier-day"),
    (WrongPinError, 403, "wrong-pin"),
    (PersonLockedError, 403, "locked"),
    (NotAllowedError, 403, "not-allowed"),
    (QuoteStaleError, 409, "quote-stale"),
    (MemberBlockedError, 409, "blocked"),
    (PaidShortError, 409, "paid-short"),
    (ConflictError, 409, "conflict"),
    (StoreFullError, 507, "store-full"),
    (StoreBusyError, 503, "store-busy"),
    (CommitUnknownError, 503, "commit-unknown"),
)
BY_STATUS = {
    400: "request", 403: "foreign-page", 404: "not-found", 405: "method", 408: "timeout", 413: "too-large", 415: "media",
    421: "foreign-host", 503: "store-busy",
}  # fmt: skip
UNKNOWN = "unknown"
NEEDS: tuple[Literal["approval", "pin", "code", "qr"], ...] = ("approval", "pin", "code", "qr")
NAMES = tuple(sorted({name for _, _, name in TABLE} | set(BY_STATUS.values()) | {UNKNOWN}))
"""Every problem's name: the last part of its ``type``, and the key of its title."""


def of_error(error: LoyaltyError, language: Language) -> Problem:
    """The problem that a raised error is."""
    for kind, status, name in TABLE:
        if isinstance(error, kind):
            problem = _problem(name, status, str(error), language)
            return replace(problem, place=_place(error), quote=_quote(error), needs=_needs(error))
    return _problem(UNKNOWN, 500, CALM, language)


def of_status(status: int, detail: str, language: Language) -> Problem:
    """A problem of HTTP itself: a wrong path, method, header or size."""
    return _problem(BY_STATUS.get(status, UNKNOWN), status, detail, language)


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem on its way out."""
    return Response(encode(problem), problem.status, media_type=PROBLEM_MEDIA, headers=headers)


async def on_loyalty_error(request: Request, error: Exception) -> Response:
    """What the till raised on purpose."""
    assert isinstance(error, LoyaltyError)
    headers = {"Retry-After": "1"} if isinstance(error, StoreBusyError | CommitUnknownError) else None
    return answer(of_error(error, language_of(request)), headers)


async def on_http_error(request: Request, error: Exception) -> Response:
    """What HTTP refused."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        thing = "method" if error.status_code == 405 else "address"
        detail = f"There is no such {thing} here; /openapi.json lists what there is."
    return answer(of_status(error.status_code, detail, language_of(request)), dict(error.headers or {}))


async def on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours: a calm sentence; the server's log has the rest."""
    return answer(_problem(UNKNOWN, 500, CALM, language_of(request)))


def language_of(request: Request) -> Language:
    """The language of titles: the first of Accept-Language, English unless it is Russian."""
    return "ru" if request.headers.get("accept-language", "").lower().startswith("ru") else "en"


def _place(error: LoyaltyError) -> str | None:
    return error.place or None if isinstance(error, InputError) else None


def _quote(error: LoyaltyError) -> Quote | None:
    return decode(error.quote, Quote) if isinstance(error, QuoteStaleError) and error.quote is not None else None


def _needs(error: LoyaltyError) -> Literal["approval", "pin", "code", "qr"] | None:
    if not isinstance(error, NotAllowedError):
        return None
    return next((each for each in NEEDS if each == error.needs), None)


def _problem(name: str, status: int, detail: str, language: Language) -> Problem:
    told = without_numbers(detail)
    return Problem(type=f"/problems/{name}", title=tr(language, f"problem.{name}"), status=status, detail=told)
