"""Head office over HTTP: a few routes over the steps. Bodies are streams within limits, every refusal a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pos_loyalty import log
from pos_loyalty.clock import Clock, new_id, read
from pos_loyalty.errors import (
    HeadOfficeGoneError,
    InputError,
    LogForkError,
    LogGapError,
    LoyaltyError,
    PeerError,
    SnapshotGoneError,
    SnapshotNeededError,
    StoreError,
    TokenError,
    WireError,
)
from pos_loyalty.values import convert, decode, encode
from sync import identity
from sync.identity import EnrolRequest, Holder, Office
from sync.protocols import check_versions
from sync.rights import RightsRequest
from sync.server import enrol, steps
from sync.server.desk import NOTHING, Beside, Desk
from sync.server.expiry import expire_due
from sync.server.ledger_store import LedgerStore
from sync.server.nightly import move_tiers, while_sure
from sync.server.snapshot_app import SnapshotDesk
from sync.server.truth import Judged, Recomputer
from sync.wire import (
    HEADER_BYTES_MAX,
    INT64_MAX,
    LONE_FACT_BYTES_MAX,
    Ack,
    ChangesRequest,
    ProblemKind,
    SaleQuestion,
    deflate,
    problem,
)

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute, Route

BODY_BYTES_MAX: Final = LONE_FACT_BYTES_MAX + HEADER_BYTES_MAX
BODY_WAIT_S: Final = 60
BUSY_WAIT_S: Final = 5
EXPIRE_EVERY_S: Final = 3600
DIGITS_MAX: Final = 18
RECOMPUTE_WAIT_S: Final = 60

Endpoint = Callable[["Request"], Awaitable["Response"]]


class TooLargeError(Exception):
    """A body over the limit; only within this file."""


def head_office_app(
    open_store: Callable[[], LedgerStore], office: Office, clock: Clock, beside: Beside = NOTHING
) -> Starlette:  # fmt: skip
    """The ASGI application. ``open_store`` is called in the ledger's thread; ``office``: by which it knows its tills."""
    from starlette.routing import Route

    granting, came = beside.grants, asyncio.Event()
    desk = Desk(lambda: granting.opened(open_store(), clock()))
    public_key = identity.public_of(office.private_key)
    told_max = INT64_MAX if beside.shelf is None else beside.changes_max
    snapshots = None if beside.shelf is None else SnapshotDesk(beside.shelf, desk.ask, clock, told_max)

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
        ack = await desk.ask(lambda store: _receive(store, request, body, clock(), public_key))
        log.info("batch.received", till=till, applied_seq=ack.applied_seq, suspended=len(ack.suspense), bytes=len(body))
        desk.meter.took(len(body), len(ack.suspense))
        came.set()
        return _json(encode(ack))

    async def changes(request: Request) -> Response:
        asked = _question(request, request.state.holder)
        answer = await desk.ask(lambda store: steps.changes(store, asked, clock(), office.private_key, told_max))
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

    routes = [
        Route("/v1/enrol", _guarded(enrol_till, None), methods=["POST"]),
        Route("/v1/tills/{till}/log", _guarded(receive, office, may_carry=True), methods=["POST"]),
        Route("/v1/tills/{till}/changes", _guarded(changes, office), methods=["GET"]),
        Route("/v1/tills/{till}/rights", _guarded(rights, office), methods=["POST"]),
        Route("/v1/sales", _guarded(sold, office), methods=["GET"]),
        Route("/healthz", _guarded(healthz, None), methods=["GET"]),
        *beside.pages(desk),
    ]
    routes += _snapshot_routes(snapshots, office)
    return _app(routes, _lifespan(desk, clock, came, snapshots))


def _app(routes: list[BaseRoute], lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]]) -> Starlette:
    from starlette.applications import Starlette

    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _no_route, 405: _no_route})
    app.router.redirect_slashes = False  # a till follows no redirect
    return app


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    said = f"head office has no {request.method} {request.url.path}: see docs/sync.md, or install the same pos-loyalty on both"
    return _problem("route", status, said, headers=dict(getattr(error, "headers", None) or {}))


def _receive(store: LedgerStore, request: Request, body: bytes, now: datetime, public_key: str) -> Ack:
    """A till's own batch, or one that a hub brings."""
    holder, till = request.state.holder, request.path_params["till"]
    if holder.till == till:
        return steps.receive(store, till, body, now, public_key)
    return steps.receive_carried(store, till, holder, body, now, public_key)


def _snapshot_routes(snapshots: SnapshotDesk | None, office: Office) -> list[Route]:
    from starlette.routing import Route

    if snapshots is None:
        return []
    return [
        Route("/v1/snapshot", _guarded(snapshots.manifest, office), methods=["GET"]),
        Route("/v1/snapshot/{id}/{n}", _guarded(snapshots.chunk, office), methods=["GET"]),
    ]


def _lifespan(
    desk: Desk, clock: Clock, came: asyncio.Event, snapshots: SnapshotDesk | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """What goes on beside the requests."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        came.set()
        chores = [asyncio.create_task(_expire_hourly(desk, clock)), asyncio.create_task(_recompute(desk, came))]
        if snapshots is not None:
            chores.append(asyncio.create_task(snapshots.keep_ready()))
        yield
        for chore in chores:
            chore.cancel()
        await desk.close()

    return lifespan


async def _expire_hourly(desk: Desk, clock: Clock) -> None:
    """Book expired points, for as long as head office runs. A failure is told and tried again in an hour."""
    while True:
        try:
            members = await desk.ask(lambda store: while_sure(store, read(clock), expire_due))
            if members is None:
                log.warning("points.expire_waits", reason="the clock has not proven itself")
            elif members:
                log.info("points.expired", members=members)
            if moved := await desk.ask(lambda store: while_sure(store, read(clock), move_tiers)):
                log.info("tiers.moved", members=moved)
        except LoyaltyError as error:
            log.error("points.expire_failed", reason=str(error))
        await asyncio.sleep(EXPIRE_EVERY_S)


async def _recompute(desk: Desk, came: asyncio.Event) -> None:
    """Ask the engine again about what came, whenever nobody waits for the ledger. A failure is told and tried again."""
    recomputer = Recomputer()
    while True:
        await came.wait()
        came.clear()
        try:
            await desk.idle()
            while (turn := await desk.spare(recomputer.gather)) is not None:
                judged = await asyncio.to_thread(recomputer.judge, turn)
                await desk.idle()
                await desk.spare(partial(_noted, recomputer, judged))
                await desk.idle()
        except LoyaltyError as error:
            log.error("sale.recompute_waits", reason=str(error))
            await asyncio.sleep(RECOMPUTE_WAIT_S)
            came.set()


def _noted(recomputer: Recomputer, judged: Judged, store: LedgerStore) -> None:
    recomputer.note(store, judged)


def _guarded(endpoint: Endpoint, office: Office | None, *, may_carry: bool = False) -> Endpoint:
    """The endpoint behind the till's token, with each of our errors as its problem document. ``may_carry``: a hub may speak for
    another till, whose own signature stands in the body."""

    async def answer(request: Request) -> Response:
        try:
            if office is not None:
                request.state.holder = _holder(request, office, may_carry=may_carry)
            return await endpoint(request)
        except TokenError as error:
            log.warning("till.refused", till=request.path_params.get("till"), reason=str(error))
            return _problem("token", 401, str(error), headers={"WWW-Authenticate": "Bearer"})
        except LogGapError as error:
            return _problem("log-gap", 409, str(error), expected_seq=error.expected_seq)
        except LogForkError as error:
            log.error("till.frozen", till=request.path_params.get("till"), reason=str(error))
            return _problem("log-fork", 409, str(error))
        except SnapshotNeededError as error:
            return _problem("snapshot", 410, str(error))
        except SnapshotGoneError as error:
            return _problem("snapshot-gone", 404, str(error))
        except HeadOfficeGoneError as error:
            return _problem("busy", 503, str(error), headers={"Retry-After": str(error.retry_after_s or BUSY_WAIT_S)})
        except (WireError, InputError) as error:
            log.warning("batch.refused", till=request.path_params.get("till"), reason=str(error))
            return _problem("peer" if isinstance(error, PeerError) else "wire", 422, str(error))
        except TooLargeError:
            return _problem("too-large", 413, f"a body is at most {BODY_BYTES_MAX} bytes")
        except TimeoutError:
            return _problem("wire", 408, f"the body did not come within {BODY_WAIT_S} seconds")
        except StoreError as error:
            log.error("head_office.store_failed", reason=str(error))
            return _problem("busy", 503, str(error), headers={"Retry-After": str(BUSY_WAIT_S)})

    return answer


def _holder(request: Request, office: Office, *, may_carry: bool) -> Holder:
    """Who asks; a till speaks for itself alone. Raises TokenError."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    holder = identity.holder_of(token.strip() if kind.lower() == "bearer" else "", office.token_secret)
    if not may_carry and request.path_params.get("till", holder.till) != holder.till:
        raise TokenError(f"this token is of till {holder.till}")
    return holder


async def _body(request: Request) -> bytes:
    """The whole body, read no further than the limit."""
    from starlette.requests import ClientDisconnect

    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            async for part in request.stream():
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise TooLargeError
                parts.append(part)
    except ClientDisconnect as error:
        raise WireError("the body was cut off") from error
    return b"".join(parts)


def _question(request: Request, holder: Holder) -> ChangesRequest:
    params = request.query_params
    peer: dict[str, Any] = {
        "till": holder.till,
        "epoch": holder.epoch,
        "build": params.get("build"),
        "protocol": _number(params.get("protocol"), "protocol"),
        "schema": _number(params.get("schema"), "schema"),
    }
    check_versions(peer["protocol"], peer["schema"])
    asked: dict[str, Any] = {
        "peer": peer,
        "since": _number(params.get("since"), "since"),
        "mark": params.get("mark"),
        "programmes": params.get("programmes"),
    }
    if "head" in params:
        asked["head"] = _number(params["head"], "head")
    if params.get("is_hub") == "1":
        asked["is_hub"] = True
    if "waiting" in params:
        asked["waiting"] = _number(params["waiting"], "waiting")
    if "hub_life" in params:
        asked["hub"] = {"life": params["hub_life"], "n": _number(params.get("hub_n"), "hub_n")}
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
