"""Snapshots over HTTP: the manifest of the newest that is of use, and its files, from any byte on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import HeadOfficeGoneError, LoyaltyError, SnapshotGoneError
from pos_loyalty.values import encode
from sync.identity import Holder
from sync.server import enrol
from sync.server.ledger_store import LedgerStore
from sync.server.snapshots import SnapshotShelf
from sync.snapshot_wire import Manifest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

WAIT_S: Final = 5
READY_EVERY_S: Final = 600
PIECE_BYTES: Final = 64 * 1024
DIGITS_MAX: Final = 9

T = TypeVar("T")
Ask = Callable[[Callable[[LedgerStore], T]], Awaitable[T]]


class SnapshotDesk:
    """Gives snapshots and has them built, one at a time. ``changes_max``: a till that is further behind takes one."""

    def __init__(self, shelf: SnapshotShelf, ask: Ask[bool], clock: Clock, changes_max: int) -> None:
        self._shelf = shelf
        self._ask = ask
        self._clock = clock
        self._changes_max = changes_max
        self._building: asyncio.Task[None] | None = None

    async def manifest(self, request: Request) -> Response:
        """The newest one from which changes lead on; 503 while it is built."""
        from starlette.responses import Response

        holder: Holder = request.state.holder
        await self._ask(lambda store: self._note_asked(store, holder))
        newest = await asyncio.to_thread(self._shelf.newest)
        if newest is None or not await self._ask(lambda store: self._is_of_use(store, newest, self._changes_max)):
            self._begin()
            raise HeadOfficeGoneError("head office gets a snapshot ready", WAIT_S)
        return Response(encode(newest), media_type="application/json")

    async def chunk(self, request: Request) -> Response:
        """A file of a snapshot, from the byte that ``Range`` names."""
        from starlette.responses import Response, StreamingResponse

        name, number = request.path_params["id"], request.path_params["n"]
        if not (number.isascii() and number.isdigit() and len(number) <= DIGITS_MAX):
            raise SnapshotGoneError("no such file of a snapshot")
        holder: Holder = request.state.holder
        await self._ask(lambda store: _may_ask(store, holder))
        chunk, path = await asyncio.to_thread(self._shelf.chunk, name, int(number))
        etag = f'"{chunk.sha256}"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        start = _start_of(request.headers.get("range"))
        if request.headers.get("if-range", etag) != etag:
            start = None
        if start is not None and start >= chunk.bytes:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{chunk.bytes}"})
        first = start or 0
        headers["Content-Length"] = str(chunk.bytes - first)
        if start is not None:
            headers["Content-Range"] = f"bytes {first}-{chunk.bytes - 1}/{chunk.bytes}"
        status = 200 if start is None else 206
        return StreamingResponse(_pieces(path, first), status_code=status, headers=headers, media_type="application/gzip")

    async def keep_ready(self) -> None:
        """For as long as head office runs: where changes may not tell all, a snapshot is there before it is asked for."""
        while True:
            try:
                await self._look()
            except LoyaltyError as error:
                log.error("snapshot.failed", reason=str(error))
            await asyncio.sleep(READY_EVERY_S)

    async def _look(self) -> None:
        newest = await asyncio.to_thread(self._shelf.newest)
        if not await self._ask(lambda store: self._is_ready(store, newest)):
            self._begin()

    def _begin(self) -> None:
        if self._building is None or self._building.done():
            self._building = asyncio.create_task(self._build())

    async def _build(self) -> None:
        try:
            await asyncio.to_thread(self._shelf.build, self._clock())
        except (LoyaltyError, OSError) as error:
            log.error("snapshot.failed", reason=str(error))

    def _is_ready(self, store: LedgerStore, newest: Manifest | None) -> bool:
        with store.write():
            if store.version() <= self._changes_max:
                return True
        return newest is not None and self._is_of_use(store, newest, self._changes_max // 2)

    @staticmethod
    def _is_of_use(store: LedgerStore, manifest: Manifest, behind_max: int) -> bool:
        """Whether it is of this database's past, and near enough that changes lead on from it."""
        with store.write():
            behind = store.version() - manifest.version
            return 0 <= behind <= behind_max and store.mark(manifest.version) == manifest.mark

    def _note_asked(self, store: LedgerStore, holder: Holder) -> bool:
        """A till that takes a snapshot sells by it: it is waited for until it asks for changes. Raises TokenError."""
        with store.write():
            enrol.check_epoch(store, holder.till, holder.epoch)
            store.asked(holder.till, None)
        return True


def _may_ask(store: LedgerStore, holder: Holder) -> bool:
    with store.write():
        enrol.check_epoch(store, holder.till, holder.epoch)
    return True


def _start_of(range_header: str | None) -> int | None:
    """The first byte of ``bytes=N-``; None for no range, and for any other, which is answered whole."""
    unit, _, span = (range_header or "").partition("=")
    first, _, last = span.partition("-")
    if unit.strip() != "bytes" or last or not (first.isascii() and first.isdigit() and len(first) <= DIGITS_MAX):
        return None
    return int(first)


def _pieces(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(PIECE_BYTES):
            yield piece
