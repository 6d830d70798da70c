"""What head office does by night: moves between tiers. A missed night changes nothing, as each move follows from the history."""

from __future__ import annotations

from datetime import datetime

from sync.server.ledger_store import LedgerStore


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
