"""The one thread of head office's ledger, and what else head office does beside taking logs and telling changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pos_loyalty.clock import monotonic_ns
from pos_loyalty.errors import CommitUnknownError
from sync.server.ledger_store import LedgerStore
from sync.server.meter import Meter
from sync.server.right_desk import NoMark, RightDesk
from sync.server.rights import RightTerms
from sync.server.tries import again
from sync.wire import INT64_MAX

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from sync.server.snapshots import SnapshotShelf

IDLE_LOOK_S: Final = 0.02
NS_PER_S: Final = 1_000_000_000
QUIET_NS: Final = NS_PER_S // 10
QUIET_WAIT_NS: Final = NS_PER_S

T = TypeVar("T")


class Desk:
    """The one thread that touches head office's database. After an unknown COMMIT the file is opened anew."""

    def __init__(self, open_store: Callable[[], LedgerStore]) -> None:
        self._open_store = open_store
        self._store: LedgerStore | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self.meter = Meter()
        self._quiet_from_ns = 0

    async def ask(self, step: Callable[[LedgerStore], T]) -> T:
        """Run a step in the ledger's thread, one after another."""
        try:
            return await self.spare(step)
        finally:
            self._quiet_from_ns = monotonic_ns() + QUIET_NS

    async def spare(self, step: Callable[[LedgerStore], T]) -> T:
        """The same for what nobody outside waits for."""
        asked_ns = monotonic_ns()
        self.meter.waiting += 1
        try:
            began_ns, answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, step)
        finally:
            self.meter.waiting -= 1
        self.meter.stepped((began_ns - asked_ns) / NS_PER_S, (monotonic_ns() - began_ns) / NS_PER_S)
        return answer

    async def idle(self) -> None:
        """Wait until nobody waits for the ledger's thread, and none has for a moment: a till sends its batches one after another.

        Where somebody always comes back at once the moment is given up after a while, so that nothing is put off for ever.
        """
        await asyncio.sleep(0)
        latest_ns = monotonic_ns() + QUIET_WAIT_NS
        while self.meter.waiting or self._quiet_from_ns > monotonic_ns() < latest_ns:
            await asyncio.sleep(IDLE_LOOK_S)

    async def close(self) -> None:
        """Let the step at work end, and let go of the database."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._forget)
        self._thread.shutdown()

    def _timed(self, step: Callable[[LedgerStore], T]) -> tuple[int, T]:
        began_ns = monotonic_ns()
        return began_ns, self._run(step)

    def _run(self, step: Callable[[LedgerStore], T]) -> T:
        if self._store is None:
            self._store = self._open_store()
        try:
            return again(self._store, step)
        except CommitUnknownError:
            self._forget()
            raise

    def _forget(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()


def _no_pages(_: Desk) -> Sequence[BaseRoute]:
    return ()


NO_MARK: Final = RightDesk(RightTerms(), NoMark())


class Beside(NamedTuple):
    """``grants``: on which terms rights are given. With a ``shelf`` a till that is more than ``changes_max`` versions behind
    takes a snapshot.

    ``pages``: for people, over the ledger's thread.
    """

    grants: RightDesk = NO_MARK
    shelf: SnapshotShelf | None = None
    changes_max: int = INT64_MAX
    pages: Callable[[Desk], Sequence[BaseRoute]] = _no_pages


NOTHING: Final = Beside()
