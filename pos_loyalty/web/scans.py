"""Codes on their way from a scanner's thread to the pages that listen. Nothing is kept for those who come later."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from msgspec import Meta

from drivers.ports import LiveView
from drivers.symbology import Kind, scan_of
from drivers.symbology import Scan as Read
from pos_loyalty.config import CardConfig, CodeConfig
from pos_loyalty.values import Thousandths, Value

LISTENERS_MAX = 16
WAITING_MAX = 16_384
"""Codes that a slow page may be behind; the oldest are dropped, as the cashier will scan again."""


class Scan(Value):
    """One code, as the scanner or the camera read it, and what it is. ``symbology`` is empty when the device does not tell it."""

    code: Annotated[str, Meta(max_length=4096)]
    """Empty for a payment card, of which nothing is kept."""
    symbology: str = ""
    device: str = ""
    kind: Kind = "code"
    sku: str = ""
    """Of a product or a label by weight."""
    quantity: Thousandths | None = None
    """Kilograms, where the label or the code tells them."""
    price_minor: int | None = None
    """Of the whole package, where the label tells it."""
    mark: str = ""
    """«Честный знак»: the whole code of the unit."""
    is_mistyped: bool = False
    """It would be one of ours but for its check digit."""


class ScanRequest(Value):
    """A code that somebody typed, or a scanner that is a keyboard."""

    code: Annotated[str, Meta(min_length=1, max_length=4096)]


SPACING = re.compile(r"[\s()\u2010-\u2015-]")


def scan_told(read: Read, device: str) -> Scan:
    """What the pages hear of a code."""
    return Scan(
        code=read.text, symbology=read.symbology or "", device=device, kind=read.kind, sku=read.sku,
        quantity=None if read.quantity_milli is None else Thousandths(read.quantity_milli),
        price_minor=read.price_minor, mark=read.mark, is_mistyped=read.is_mistyped,
    )  # fmt: skip


class ScanBoard:
    """Hands every code to each listening page. ``publish`` may be called from any thread.

    ``rules``: the shop's nomenclature. ``view``: the camera to show.
    """

    def __init__(self, rules: Sequence[CodeConfig | CardConfig] = (), view: LiveView | None = None) -> None:
        self.view = view
        self._rules = rules
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

    def understand(self, request: ScanRequest) -> Scan:
        """What a code is, as for a scanner's; a person may have put spaces and dashes into it."""
        read = scan_of(request.code, self._rules)
        if read.kind == "code":
            bare = scan_of(SPACING.sub("", request.code), self._rules)
            read = bare if bare.kind != "code" or bare.is_mistyped else read
        return scan_told(read, "")

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
