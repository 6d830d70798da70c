"""Head office over HTTP: a few routes over the steps. Bodies are streams within limits, every refusal a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pos_loyalty import log
from pos_loyalty.clock import Clock, new_id, read
from pos_loyalty.errors import (
    CommitUnknownError,
    InputError,
    LogForkError,
    LogGapError,
    LoyaltyError,
    StoreError,
    TokenError,
    WireError,
)
from pos_loyalty.values import convert, decode, encode
from sync import identity
from sync.identity import EnrolRequest, Holder, Office
from sync.rights import RightsRequest
from sync.server import enrol, steps
from sync.server.expiry import expire_due
from sync.server.ledger_store import LedgerStore
from sync.server.nightly import move_tiers
from sync.server.right_desk import NoMark, RightDesk
from sync.server.rights import RightTerms
from sync.wire import HEADER_BYTES_MAX, LONE_FACT_BYTES_MAX, ChangesRequest, ProblemKind, SaleQuestion, deflate, problem

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

BODY_BYTES_MAX: Final = LONE_FACT_BYTES_MAX + HEADER_BYTES_MAX
BODY_WAIT_S: Final = 60
BUSY_WAIT_S: Final = 5
EXPIRE_EVERY_S: Final = 3600
DIGITS_MAX: Final = 18

T = TypeVar("T")
Endpoint = Callable[["Request"], Awaitable["Response"]]


class TooLargeError(Exception):
    """A body over the limit; only within this file."""


class Desk:
    """The one thread that touches head office's database. After an unknown COMMIT the file is opened anew."""

    def __init__(self, open_store: Callable[[], LedgerStore]) -> None:
        self._open_store = open_store
        self._store: LedgerStore | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def ask(self, step: Callable[[LedgerStore], T]) -> T:
        """Run a step in the ledger's thread, one after another."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, step)

    async def close(self) -> None:
        """Let the step at work end, and let go of the database."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._forget)
        self._thread.shutdown()

    def _run(self, step: Callable[[LedgerStore], T]) -> T:
        if self._store is None:
            self._store = self._open_store()
        try:
            return step(self._store)
        except CommitUnknownError:
            self._forget()
            raise

    def _forget(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()


def head_office_app(
    open_store: Callable[[], LedgerStore], office: Office, build: str, clock: Clock, grants: RightDesk | None = None
) -> Starlette:  # fmt: skip
    """The ASGI application. ``open_store`` is called in the ledger's thread; ``office``: by which it knows its tills."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    granting, public_key = grants or RightDesk(RightTerms(), NoMark()), identity.public_of(office.private_key)
    desk = Desk(lambda: granting.opened(open_store(), clock()))

    async def enrol_till(request: Request) -> Response:
        asked = decode(await _body(request), EnrolRequest, place="body")
        answer = await desk.ask(lambda store: enrol.enrol(store, asked, office, clock()))
        log.info("till.enrolled", till=asked.till, epoch=answer.credential.epoch)
        return _json(encode(answer))

    async def receive(request: Request) -> Response:
        till = request.path_params["till"]
        if request.headers.get("content-encoding", "").lower() != "gzip":
            raise WireError("a batch comes with Content-Encoding: gzip")
        body = await _body(request)
        ack = await desk.ask(lambda store: steps.receive(store, till, body, clock(), build, public_key))
        log.info("batch.received", till=till, applied_seq=ack.applied_seq, suspended=len(ack.suspense), bytes=len(body))
        return _json(encode(ack))

    async def changes(request: Request) -> Response:
        asked = _question(request, request.state.holder)
        answer = await desk.ask(lambda store: steps.changes(store, asked, clock(), build))
        return _json(deflate(encode(answer)), {"Content-Encoding": "gzip"})

    async def rights(request: Request) -> Response:
        asked = decode(await _body(request), RightsRequest, place="body")
        answer = await desk.ask(lambda store: granting.answer(store, request.state.holder, asked, new_id, clock()))
        return _json(deflate(encode(answer)), {"Content-Encoding": "gzip"})

    async def sold(request: Request) -> Response:
        asked = convert(dict(request.query_params), SaleQuestion, place="query")
        found = await desk.ask(lambda store: steps.sold(store, asked, request.state.holder))
        return _json(deflate(encode(found)), {"Content-Encoding": "gzip"})

    async def healthz(request: Request) -> Response:
        version = await desk.ask(steps.newest_version)
        return _json(encode({"state": "ok", "version": version}))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        hourly = asyncio.create_task(_expire_hourly(desk, clock))
        yield
        hourly.cancel()
        await desk.close()

    routes = [
        Route("/v1/enrol", _guarded(enrol_till, None), methods=["POST"]),
        Route("/v1/tills/{till}/log", _guarded(receive, office), methods=["POST"]),
        Route("/v1/tills/{till}/changes", _guarded(changes, office), methods=["GET"]),
        Route("/v1/tills/{till}/rights", _guarded(rights, office), methods=["POST"]),
        Route("/v1/sales", _guarded(sold, office), methods=["GET"]),
        Route("/healthz", _guarded(healthz, None), methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _expire_hourly(desk: Desk, clock: Clock) -> None:
    """Book expired points, for as long as head office runs. A failure is told and tried again in an hour."""
    while True:
        try:
            members = await desk.ask(lambda store: expire_due(store, clock()) if store.is_time_sure(read(clock)) else None)
            if members is None:
                log.warning("points.expire_waits", reason="the clock has not proven itself")
            elif members:
                log.info("points.expired", members=members)
            moved = await desk.ask(lambda store: move_tiers(store, clock()))
            if moved:
                log.info("tiers.moved", members=moved)
        except LoyaltyError as error:
            log.error("points.expire_failed", reason=str(error))
        await asyncio.sleep(EXPIRE_EVERY_S)


def _guarded(endpoint: Endpoint, office: Office | None) -> Endpoint:
    """The endpoint behind the till's token, with each of our errors as its problem document."""

    async def answer(request: Request) -> Response:
        try:
            if office is not None:
                request.state.holder = _holder(request, office)
            return await endpoint(request)
        except TokenError as error:
            log.warning("till.refused", till=request.path_params.get("till"), reason=str(error))
            return _problem("token", 401, str(error), headers={"WWW-Authenticate": "Bearer"})
        except LogGapError as error:
            return _problem("log-gap", 409, str(error), expected_seq=error.expected_seq)
        except LogForkError as error:
            log.error("till.frozen", till=request.path_params.get("till"), reason=str(error))
            return _problem("log-fork", 409, str(error))
        except (WireError, InputError) as error:
            log.warning("batch.refused", till=request.path_params.get("till"), reason=str(error))
            return _problem("wire", 422, str(error))
        except TooLargeError:
            return _problem("too-large", 413, f"a body is at most {BODY_BYTES_MAX} bytes")
        except TimeoutError:
            return _problem("wire", 408, f"the body did not come within {BODY_WAIT_S} seconds")
        except StoreError as error:
            log.error("head_office.store_failed", reason=str(error))
            return _problem("busy", 503, str(error), headers={"Retry-After": str(BUSY_WAIT_S)})

    return answer


def _holder(request: Request, office: Office) -> Holder:
    """Who asks; a till speaks for itself alone. Raises TokenError."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    holder = identity.holder_of(token.strip() if kind.lower() == "bearer" else "", office.token_secret)
    if request.path_params.get("till", holder.till) != holder.till:
        raise TokenError(f"this token is of till {holder.till}")
    return holder


async def _body(request: Request) -> bytes:
    """The whole body, read no further than the limit."""
    parts, size = [], 0
    async with asyncio.timeout(BODY_WAIT_S):
        async for part in request.stream():
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise TooLargeError
            parts.append(part)
    return b"".join(parts)


def _question(request: Request, holder: Holder) -> ChangesRequest:
    params = request.query_params
    peer = {
        "till": holder.till,
        "epoch": holder.epoch,
        "build": params.get("build", ""),
        "protocol": _number(params.get("protocol"), "protocol"),
        "schema": _number(params.get("schema"), "schema"),
    }
    asked: dict[str, Any] = {
        "peer": peer,
        "since": _number(params.get("since"), "since"),
        "mark": params.get("mark"),
        "programme": params.get("programme"),
    }
    return convert(asked, ChangesRequest, place="query")


def _number(text: str | None, name: str) -> int:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise InputError(f"query.{name}", "is a whole number")
    return int(text)


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(body, media_type="application/json", headers=headers)


def _problem(
    kind: ProblemKind, status: int, detail: str, *, expected_seq: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    from starlette.responses import Response

    body = encode(problem(kind, status, detail, expected_seq))
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)
