"""The hub's own line to head office: what its tills sent goes up as it came, then the hub syncs as any till does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Final, Protocol

from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import HeadOfficeGoneError, SyncError
from pos_loyalty.store import relay
from pos_loyalty.store.db import Connection, checkpoint, write
from pos_loyalty.values import Value
from sync.daemon import Syncer, SyncReport
from sync.hub import keeping
from sync.hub.keeping import Hub
from sync.wire import Reply

BATCHES_MAX: Final = 10_000
STANDING_MAX: Final = 100


class Work:
    """What the threads of the hub tell its line, and it waits for."""

    def __init__(self) -> None:
        self._event = Event()
        self._standing: deque[str] = deque(maxlen=STANDING_MAX)

    def came(self) -> None:
        """Something is there to bring."""
        self._event.set()

    def reserve(self, member_ids: Sequence[str]) -> None:
        """These members stand at a till, these cards or codes were presented there."""
        self._standing.extend(member_ids)
        self._event.set()

    def wait(self, wait_s: float) -> None:
        """Until there is work, no longer than so many seconds."""
        self._event.wait(wait_s)
        self._event.clear()

    def take(self) -> tuple[str, ...]:
        """Who stands at a till, each once."""
        taken: dict[str, None] = {}
        while self._standing:
            taken[self._standing.popleft()] = None
        return tuple(taken)


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

    def go(self, clock: Clock, standing: Sequence[str] = ()) -> LineReport:
        """Bring all that waits, then sync, and ask for members who stand at a till. Head office's silence is in the report;
        StoreError is raised."""
        if keeping.is_restored(self._relay, self._hub):
            self._syncer.stand_back()
            standing = ()
        batches, trouble = 0, None
        waits: set[str] = set()
        for _ in range(BATCHES_MAX):
            waiting = keeping.next_up(self._relay, self._hub, waits)
            if waiting is None:
                break
            try:
                wait_s = keeping.brought(self._relay, waiting, self._office.carry(waiting.till, waiting.body))
            except HeadOfficeGoneError as error:
                trouble = str(error)
                break
            batches += 1
            if wait_s:
                waits.add(waiting.till)
        if waits and trouble is None:
            trouble = f"head office takes more of tills {', '.join(sorted(waits))} later"
        if trouble is not None:
            log.warning("hub.not_brought", reason=trouble)
        for member_id in standing if trouble is None else ():
            with suppress(SyncError):
                self._syncer.reserve(member_id, clock)
        return LineReport(batches=batches, trouble=trouble, own=self._syncer.once(clock))

    def rest(self, now: datetime) -> None:
        """Between goes."""
        with write(self._relay):
            relay.prune(self._relay, now)
        checkpoint(self._relay)
        self._syncer.rest()
