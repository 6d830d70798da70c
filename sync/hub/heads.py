"""How far a hub's own log had come when anybody was last told of it: a till by an answer, head office by a batch.

Rule: it is on disk, beside the file and no part of its backups, before the answer or the batch goes out. So a hub whose file was
put back finds out by itself, whatever of its log is missing: what it gave, and what it gave back and others may have by now.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from pos_loyalty.store import epochs, right_holds
from pos_loyalty.store.db import Connection
from pos_loyalty.store.till_facts import Place
from sync.server.right_desk import Mark, Told

_ONE_AT_A_TIME: Final = Lock()
"""The threads that answer tills, and the one of the line, have a mark each over one file."""


class Heads:
    """``mark``: where it is kept; ``hub``: whose log it is, for a new hub in an old one's folder begins anew."""

    def __init__(self, mark: Mark, hub: str) -> None:
        self._mark = mark
        self._hub = hub

    def read(self) -> Place | None:
        """The newest that anybody was told of; None for nothing. Raises StoreError."""
        told = self._mark.read()
        return None if told is None or told.tills not in ((), (self._hub,)) else told.head

    def note(self, db: Connection) -> None:
        """The end of the hub's own log is about to be told. A log that went on after it was put back moves no mark: by that it
        is known. Raises StoreError."""
        head = epochs.place_of(db)
        with _ONE_AT_A_TIME:
            known = self.read()
            if known is None or ((known.epoch, known.seq) < (head.epoch, head.seq) and _goes_on(db, known, head)):
                self._mark.put(Told(head=head, tills=(self._hub,)))


def _goes_on(db: Connection, known: Place, head: Place) -> bool:
    return known.epoch < head.epoch or right_holds.hash_of_own(db, known.epoch, known.seq) == known.hash
