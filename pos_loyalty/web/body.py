"""Reading a request: its body within limits, its Idempotency-Key, its language. Everything from outside is checked here."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar, cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pos_loyalty.config import Language
from pos_loyalty.engine.model import LINES_MAX, Basket
from pos_loyalty.errors import InputError
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import Value, decode

BODY_BYTES_MAX = 4 * 1024 * 1024
BODY_TIMEOUT_S = 10
KEY_PATTERN = re.compile(r"[\x20-\x7e]{1,128}", re.ASCII)
TOO_LARGE = f"The request is too large: at most {BODY_BYTES_MAX // 1024 // 1024} MiB are read."

V = TypeVar("V", bound=Value)


class _Peek(msgspec.Struct):
    """Just enough of a quote's body to see which of its two forms it has, and how many lines."""

    basket: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    lines: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


async def read(request: Request, kind: type[V], *, optional: bool) -> V:
    """The body as a value. Raises InputError with its place; HTTPException 400 when it is not JSON at all."""
    data = await _bytes_of(request)
    if not data and optional:
        return decode(b"{}", kind)
    try:
        if kind is QuoteRequest:
            return cast(V, _quote_request(data))
        return decode(data, kind)
    except InputError as error:
        if not isinstance(error.__cause__, msgspec.ValidationError | None):
            raise HTTPException(400, f"The request {error.message}") from error
        raise


def key_of(request: Request) -> str:
    """The Idempotency-Key of a writing request. Raises HTTPException 400 when it is missing or unfit."""
    keys = request.headers.getlist("idempotency-key")
    if not keys or not keys[0]:
        raise HTTPException(400, "This request writes: send a header Idempotency-Key, the same for every try of one act.")
    if len(keys) > 1 or not KEY_PATTERN.fullmatch(keys[0]):
        raise HTTPException(400, "Idempotency-Key must be one header of 1 to 128 printable ASCII signs.")
    return keys[0]


def language_of(request: Request, languages: tuple[Language, ...]) -> Language | None:
    """The ``language`` of a query, None when it is absent. Raises InputError when the shop does not have it."""
    wanted = request.query_params.get("language")
    if wanted is None:
        return None
    for language in languages:
        if language == wanted:
            return language
    raise InputError("language", f"this shop has {', '.join(languages)}; ask for one of them")


async def _bytes_of(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise HTTPException(413, TOO_LARGE)
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > BODY_BYTES_MAX:
                    raise HTTPException(413, TOO_LARGE)
    except TimeoutError as error:
        raise HTTPException(408, f"The request did not arrive within {BODY_TIMEOUT_S} seconds; send it again.") from error
    if data and not _is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "Send the body as Content-Type: application/json.")
    return bytes(data)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _quote_request(data: bytes) -> QuoteRequest:
    """Either form of a quote's body. A bare basket has lines where a request has a basket."""
    try:
        outer = msgspec.json.decode(data, type=_Peek)
        inner = outer if isinstance(outer.basket, msgspec.UnsetType) else msgspec.json.decode(outer.basket, type=_Peek)
    except msgspec.ValidationError:
        return decode(data, QuoteRequest)  # says what is wrong, and where
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("$", f"is not JSON: {error}") from error
    is_bare = outer is inner and not isinstance(outer.lines, msgspec.UnsetType)
    if not isinstance(inner.lines, msgspec.UnsetType) and len(inner.lines) > LINES_MAX:
        raise InputError(
            "basket.lines", f"{len(inner.lines)} lines are too many for one sale: at most {LINES_MAX}; split the basket"
        )
    return QuoteRequest(basket=decode(data, Basket, place="basket")) if is_bare else decode(data, QuoteRequest)
