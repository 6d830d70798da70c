"""Codes on their way from a scanner's thread to the pages that listen. Nothing is kept for those who come later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from msgspec import Meta

from drivers.ports import LiveView
from pos_loyalty.values import Value

LISTENERS_MAX = 16
WAITING_MAX = 64
"""Codes that a slow page may be behind; the oldest are dropped, as the cashier will scan again."""


class Scan(Value):
    """One code, as the scanner or the camera read it. ``symbology`` is empty when the device does not tell it."""

    code: Annotated[str, Meta(min_length=1, max_length=512)]
    symbology: str = ""
    device: str = ""


class ScanBoard:
    """Hands every code to each listening page. ``publish`` may be called from any thread. ``view``: the camera to show."""

    def __init__(self, view: LiveView | None = None) -> None:
        self.view = view
        self._endings: list[Callable[[], None]] = []
        self._listeners: dict[asyncio.Queue[Scan | None], asyncio.AbstractEventLoop] = {}

    @property
    def listeners(self) -> int:
        """How many pages listen."""
        return len(self._listeners)

    @property
    def is_full(self) -> bool:
        """Whether no more pages may listen."""
        return self.listeners >= LISTENERS_MAX

    def publish(self, scan: Scan) -> None:
        """Hand a code to all who listen now; without listeners it is gone."""
        self._hand(scan)

    def close(self) -> None:
        """Tell all who listen now that nothing more comes."""
        for end in self._endings:
            end()
        self._hand(None)

    def at_end(self, end: Callable[[], None]) -> None:
        """Call this too when the end comes, for other streams of the same till."""
        self._endings.append(end)

    def _hand(self, scan: Scan | None) -> None:
        for waiting, loop in tuple(self._listeners.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(_put, waiting, scan)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Scan | None]]:
        """A queue that fills with codes for as long as the block runs; None is the end."""
        waiting: asyncio.Queue[Scan | None] = asyncio.Queue(WAITING_MAX)
        self._listeners[waiting] = asyncio.get_running_loop()
        try:
            yield waiting
        finally:
            del self._listeners[waiting]


def _put(waiting: asyncio.Queue[Scan | None], scan: Scan | None) -> None:
    if waiting.full():
        waiting.get_nowait()
    waiting.put_nowait(scan)
