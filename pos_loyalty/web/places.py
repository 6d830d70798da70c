"""HTTP connections, each with a place that it may not hold for nothing: a client that says nothing silences nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WAIT_S = 10
"""So long a whole request head may take: from the connection's begin, or from the first byte after an answer."""


class Place(H11Protocol):
    """uvicorn's connection with an end to every wait for a request.

    When all places are taken, one that waits for a request is given to who comes: first those that never said anything, then the
    one that has waited longest. So silent ones take no line from who speaks, who may be about to ask again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since = 0.0
        self._head_wait: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place."""
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._await_head()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give it back."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, or of a body; who answers a request sees to the time of its body."""
        super().data_received(data)
        if not self.is_idle:
            self._stop_waiting()
        elif self._head_wait is None and not self.transport.is_closing():
            self._await_head()

    def on_response_complete(self) -> None:
        """The place is idle again."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered here."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None before the first

    def leave(self) -> None:
        """Close, and count no more."""
        self.connections.discard(self)
        self.transport.close()

    def _make_room(self) -> None:
        limit = self.limit_concurrency
        while limit is not None and len(self.connections) >= limit:
            idle = [each for each in self.connections if isinstance(each, Place) and each is not self and each.is_idle]
            if not idle:
                return
            min(idle, key=lambda each: (each.cycle is not None, each._idle_since)).leave()

    def _await_head(self) -> None:
        self._head_wait = self.loop.call_later(HEAD_WAIT_S, self.leave)

    def _stop_waiting(self) -> None:
        if self._head_wait is not None:
            self._head_wait.cancel()
            self._head_wait = None
