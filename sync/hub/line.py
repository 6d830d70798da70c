"""The hub's own line to head office: what its tills sent goes up as it came, then the hub syncs as any till does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store import relay
from pos_loyalty.store.db import Connection, checkpoint, write
from pos_loyalty.values import Value
from sync.daemon import Syncer, SyncReport
from sync.hub import keeping
from sync.hub.keeping import Hub
from sync.wire import Reply

BATCHES_MAX: Final = 10_000


class Carrier(Protocol):
    """Head office as it takes batches of other tills."""

    def carry(self, till: str, batch: bytes) -> Reply:
        """Bring a batch as it came. Raises HeadOfficeGoneError when no whole answer came."""


class LineReport(Value):
    """What one go did. ``trouble``: why not all was brought; ``own``: of the hub's own sync, None when head office is silent."""

    batches: int
    trouble: str | None = None
    own: SyncReport | None = None


class Line:
    """Over connections of its own. Not for two threads at once."""

    def __init__(self, hub: Hub, relay_db: Connection, syncer: Syncer, office: Carrier, close: Callable[[], None]) -> None:
        self._hub = hub
        self._relay = relay_db
        self._syncer = syncer
        self._office = office
        self.close = close

    def go(self, clock: Clock) -> LineReport:
        """Bring all that waits, then sync. Head office's silence is in the report; StoreError is raised."""
        batches, trouble = 0, None
        for _ in range(BATCHES_MAX):
            waiting = keeping.next_up(self._relay, self._hub)
            if waiting is None:
                break
            try:
                wait_s = keeping.brought(self._relay, waiting, self._office.carry(waiting.till, waiting.body))
            except HeadOfficeGoneError as error:
                trouble = str(error)
                break
            batches += 1
            if wait_s:
                trouble = f"head office takes the log of till {waiting.till} later"
                break
        if trouble is not None:
            log.warning("hub.not_brought", reason=trouble)
        return LineReport(batches=batches, trouble=trouble, own=self._syncer.once(clock))

    def rest(self, now: datetime) -> None:
        """Between goes."""
        with write(self._relay):
            relay.prune(self._relay, now)
        checkpoint(self._relay)
        self._syncer.rest()
