"""What head office does by night: moves between tiers, and when. A missed night changes nothing: each follows from the history.

Rule: neither they nor the end of points are booked by a clock that has not proven itself, as at a till: who fell too early is
looked at again with the next sale, which was priced without the tier.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pos_loyalty.clock import Reading
from sync.server.ledger_store import LedgerStore

Job = Callable[[LedgerStore, datetime], int]


def while_sure(store: LedgerStore, clocks: Reading, job: Job) -> int | None:
    """How many members a job was about; None while head office's clock has not proven itself: it waits."""
    return job(store, clocks.wall) if store.is_time_sure(clocks) else None


def move_tiers(store: LedgerStore, now: datetime) -> int:
    """Book all moves that are due, some members to a transaction; answers how many moved. Again changes nothing."""
    moved, after = 0, ""
    while True:
        with store.write():
            page = store.move_tiers(after, now)
        moved += len(page.moved)
        if page.last is None:
            return moved
        after = page.last
