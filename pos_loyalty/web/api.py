"""The till's HTTP: each operation reads, calls one verb in the till's thread, and answers. It decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pos_loyalty.config import Language
from pos_loyalty.values import Value, encode
from pos_loyalty.web.body import key_of, language_of, read
from pos_loyalty.web.camera_view import CameraView
from pos_loyalty.web.display import BuyerScreen
from pos_loyalty.web.operations import OPERATIONS, Operation
from pos_loyalty.web.scans import ScanBoard
from pos_loyalty.web.verbs import Verbs

JSON = "application/json"
HEARTBEAT_S = 15.0
RETRY_MS = 1000

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Worker:
    """The one thread in which the till lives: its verbs come one after another, and the loop goes on meanwhile."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="till")

    async def run(self, verb: Callable[..., T], *arguments: object) -> T:
        """Call a verb when the till is free. A client that goes away does not stop it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, verb, *arguments)

    def stop(self) -> None:
        """Let the verb that runs end, and take no more."""
        self._pool.shutdown(wait=True)


def routes(till: Verbs, worker: Worker, scans: ScanBoard, languages: tuple[Language, ...]) -> list[Route]:
    """The routes of OPERATIONS, in its order."""
    verbs: dict[str, Callable[..., Any]] = {
        "quote": till.quote, "authorise": till.authorise, "sale": till.sale, "complete": till.complete, "cancel": till.cancel,
        "return_goods": till.return_goods, "return_by_receipt": till.return_by_receipt,
        "preview_return": till.preview_return, "return_text": till.return_text,
        "print_return": till.print_return, "erase": till.erase,
        "void": till.void, "identify": till.identify, "enrol": till.enrol, "award": till.award, "set_tier": till.set_tier,
        "receipt_text": till.receipt_text,
        "profile": till.profile, "change": till.change,
        "let_in": till.let_in, "change_cards": till.change_cards, "send_code": till.send_code, "code_state": till.code_state,
        "verify_phone": till.verify_phone,
        "gift_card": till.gift_card, "issue_gift_card": till.issue_gift_card, "freeze_gift_card": till.freeze_gift_card,
        "unfreeze_gift_card": till.unfreeze_gift_card, "pay_back_gift_card": till.pay_back_gift_card,
        "receipt_png": till.receipt_png, "print_again": till.print_again, "open_drawer": till.open_drawer,
        "shift_text": till.own_slips.shift_text, "print_shift": till.own_slips.print_shift,
        "print_self_test": till.own_slips.print_self_test, "health": till.health,
        "adjust": till.adjust, "claim": till.claim, "merge": till.merge, "set_secret": till.set_secret,
        "send_confirmation": till.send_confirmation, "acts": till.acts, "understand": scans.understand,
        "clear_display": till.buyer.clear,
    }  # fmt: skip
    camera = CameraView(scans.view)
    scans.at_end(camera.end)
    screen = BuyerScreen(till.buyer)
    scans.at_end(screen.end)
    streams: dict[str, Endpoint] = {"scans": _listen(scans), "camera": camera.answer, "display": screen.answer}
    return [
        Route(
            operation.path,
            streams.get(operation.name) or _endpoint(operation, verbs[operation.name], worker, languages),
            methods=[operation.method],
            name=operation.name,
        )
        for operation in OPERATIONS
    ]


def _endpoint(operation: Operation, verb: Callable[..., Any], worker: Worker, languages: tuple[Language, ...]) -> Endpoint:
    """Arguments in the order that every verb has: sale_id, request, key, language."""

    async def endpoint(request: Request) -> Response:
        arguments: list[object] = list(request.path_params.values())
        key = [key_of(request)] if operation.writes else []
        if operation.body is not None:
            arguments.append(await read(request, operation.body, optional=operation.body_optional))
        arguments += key
        if operation.in_languages:
            arguments.append(language_of(request, languages))
        return _answer(await worker.run(verb, *arguments), operation.media)

    return endpoint


def _answer(value: object, media: str) -> Response:
    if isinstance(value, Value):
        return Response(encode(value), media_type=JSON)
    assert isinstance(value, str | bytes)
    return Response(value, media_type=media)


def _listen(scans: ScanBoard) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if scans.is_full:
            raise HTTPException(503, "Too many pages listen to the scanner; close some.")
        return StreamingResponse(_events(scans), media_type="text/event-stream")

    return endpoint


async def _events(scans: ScanBoard) -> AsyncIterator[bytes]:
    """Server-sent events: one for each code, a comment when there is nothing, so that a dead line is noticed."""
    async with scans.listening() as waiting:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    scan = await waiting.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if scan is None:
                return
            yield b"event: scan\ndata: " + encode(scan) + b"\n\n"
