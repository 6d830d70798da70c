"""What a till's question for changes shows: whether all that it wrote is here, and of what it was told.

Rule: an answer may be lost. A till has heard it when it asks from a version that the answer told it, by its mark.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from sync.server.ledger_store import LedgerStore, TillHold
from sync.wire import ChangesRequest


def note_question(store: LedgerStore, asked: ChangesRequest, hold: TillHold | None, since: int, now: datetime) -> None:
    """Of a till whose log is held so far. ``since``: the version that it has, 0 where head office gave no such."""
    till, is_all = asked.peer.till, _is_all_here(store, asked, hold)
    store.asked(till, now if is_all else None)
    if is_all and asked.head is not UNSET:
        store.rights.has_no_more(till)
    if is_all:
        has_nothing = asked.since == asked.head == 0  # all that it will ever know of members it is told from now on
        store.rights.note_knows(till, store.version() if has_nothing else since, now)


def _is_all_here(store: LedgerStore, asked: ChangesRequest, hold: TillHold | None) -> bool:
    """Whether the till's whole log is here: what it sent to its store's hub may not be. In the version before were no hubs.

    Of one that knows less than is here the file was put back: it has forgotten what else it wrote.
    """
    if isinstance(asked.head, UnsetType):
        key = store.keys.key(asked.peer.till, asked.peer.epoch)
        return key is None or not store.rights.has_hub(key.store)
    return (hold.applied_seq if hold else 0) == asked.head
