"""The hub over HTTP, for the tills of its store: head office's routes, each question and each answer signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from pos_loyalty import log
from pos_loyalty.clock import Clock, new_id
from pos_loyalty.errors import CommitUnknownError, TokenError, WireError
from pos_loyalty.values import convert, decode, encode
from sync import hub_wire
from sync.hub.node import HubNode
from sync.hub_wire import Stamp
from sync.identity import Holder, Signer
from sync.right_round import COUPON, GIFT
from sync.rights import RightsAnswer, RightsRequest, lacks
from sync.server.app import _body, _guarded, _question
from sync.wire import SaleQuestion, deflate

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

T = TypeVar("T")
Answer = Callable[["Request", Stamp, bytes], Awaitable[bytes]]
PACKED_FROM_BYTES = 1024


class HubDesk:
    """The one thread of the hub's files. After an unknown COMMIT they are opened anew."""

    def __init__(self, open_node: Callable[[], HubNode]) -> None:
        self._open_node = open_node
        self._node: HubNode | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub")

    async def ask(self, step: Callable[[HubNode], T]) -> T:
        """Run a step in the thread, one after another."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, step)

    async def close(self) -> None:
        """Let the step at work end."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._forget)
        self._thread.shutdown()

    def _run(self, step: Callable[[HubNode], T]) -> T:
        self._node = self._node or self._open_node()
        try:
            return step(self._node)
        except CommitUnknownError:
            self._forget()
            raise

    def _forget(self) -> None:
        node, self._node = self._node, None
        if node is not None:
            node.close()


class Told(Protocol):
    """The hub's line to head office, as it is told of work."""

    def came(self) -> None:
        """A batch is there to bring."""

    def reserve(self, member_ids: Sequence[str]) -> None:
        """These members stand at a till, these cards (``gift:`` and a mark) or codes (``coupon:`` and the code) were presented
        there: whatever head office has free of them is wanted."""


def hub_app(open_node: Callable[[], HubNode], signer: Signer, clock: Clock, line: Told) -> Starlette:
    """The ASGI application."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    desk = HubDesk(open_node)

    async def receive(request: Request, asked: Stamp, body: bytes) -> bytes:
        till = request.path_params["till"]
        if request.headers.get("content-encoding", "").lower() != "gzip":
            raise WireError("a batch comes with Content-Encoding: gzip")
        ack = await desk.ask(lambda node: node.receive(till, body, clock()))
        log.info("hub.received", till=till, applied_seq=ack.applied_seq, bytes=len(body))
        line.came()
        return encode(ack)

    async def changes(request: Request, asked: Stamp, body: bytes) -> bytes:
        question = _question(request, Holder(till=asked.credential.till, epoch=asked.credential.epoch))
        return encode(await desk.ask(lambda node: node.changes(asked.credential, question, clock())))

    async def rights(request: Request, asked: Stamp, body: bytes) -> bytes:
        question = decode(body, RightsRequest, place="body")
        answer = await desk.ask(lambda node: node.rights(asked.credential, question, new_id, clock()))
        if standing := wanted(question, answer):
            line.reserve(standing)
        return encode(answer)

    async def sold(request: Request, asked: Stamp, body: bytes) -> bytes:
        question = convert(dict(request.query_params), SaleQuestion, place="query")
        return encode(await desk.ask(lambda node: node.sold(question)))

    async def healthz(request: Request) -> Response:
        health = await desk.ask(lambda node: node.health(clock()))
        return _answer(encode(health), 200, "application/json")

    signed = _Signed(desk, signer)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await desk.close()

    routes = [
        Route("/v1/tills/{till}/log", signed.route(receive), methods=["POST"]),
        Route("/v1/tills/{till}/changes", signed.route(changes), methods=["GET"]),
        Route("/v1/tills/{till}/rights", signed.route(rights), methods=["POST"]),
        Route("/v1/sales", signed.route(sold), methods=["GET"]),
        Route("/healthz", _guarded(healthz, None), methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class _Signed:
    """Routes for tills of the store alone; every answer to one bears the hub's signature, a refusal too."""

    def __init__(self, desk: HubDesk, signer: Signer) -> None:
        self._desk = desk
        self._signer = signer

    def route(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def known(request: Request) -> Response:
            body = await _body(request)
            query = request.scope["query_string"].decode("ascii", "replace")
            target = request.scope["raw_path"].decode("ascii", "replace") + (f"?{query}" if query else "")
            asked = await self._desk.ask(
                lambda node: node.asker(request.headers.get(hub_wire.ASKED), request.method, target, body)
            )
            if request.path_params.get("till", asked.credential.till) != asked.credential.till:
                raise TokenError(f"this is signed by till {asked.credential.till}")
            request.state.nonce = asked.nonce
            return _answer(await answer(request, asked, body), 200, "application/json")

        guarded = _guarded(known, None)

        async def stamped(request: Request) -> Response:
            response = await guarded(request)
            plain = bytes(response.body)
            if (nonce := getattr(request.state, "nonce", None)) is not None:
                response.headers[hub_wire.ANSWERED] = hub_wire.stamp_answer(self._signer, nonce, response.status_code, plain)
            if len(plain) >= PACKED_FROM_BYTES and response.status_code == 200:
                packed = deflate(plain)
                response.body = packed
                response.headers["Content-Encoding"] = "gzip"
                response.headers["Content-Length"] = str(len(packed))
            return response

        return stamped


def wanted(asked: RightsRequest, answer: RightsAnswer) -> list[str]:
    """For whom and for what the hub asks head office in its turn: members always, cards and codes that it could not give; for a
    till whose log is not taken nothing."""
    if answer.held_back == "frozen":
        return []
    members = [want.member_id for want in asked.wants if want.much == "all"]
    if answer.held_back == "hello" or not lacks(answer, asked):  # a hub that was put back from a backup gives nothing
        return members
    return [*members, *(GIFT + mark for mark in asked.gifts), *(COUPON + code for code in asked.coupons)]


def _answer(body: bytes, status: int, kind: str) -> Response:
    from starlette.responses import Response

    return Response(body, status_code=status, media_type=kind)
