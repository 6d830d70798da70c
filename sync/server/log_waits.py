"""How often a till's log was waited for at head office, by which a hub got what it gave: in its SQLite file.

Rule: another till's fact waits for such a log while more of it may come, and not for ever.
"""

from __future__ import annotations

from typing import Final

from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched

WAITS_MAX: Final = 600
"""So often other logs wait for one that does not move on; then they are booked without it."""


def count(db: Connection, till: str) -> bool:
    """Whether this till's log may be waited for once more."""
    key = {"till": till, "waits_max": WAITS_MAX}
    with watched(db, "hub_wait", "till = :till", key):
        db.execute("INSERT INTO hub_wait (till, waited) VALUES (:till, 0) ON CONFLICT (till) DO NOTHING", key)
        moved = db.execute(COUNT_UPDATE, key).rowcount
    return bool(moved)


def end(db: Connection, till: str) -> None:
    """All that this till wrote is here: it is waited for in vain, until it is known to have all here the next time.

    From then on what waits for it may wait for what it wrote since.
    """
    row = db.execute("SELECT waited FROM hub_wait WHERE till = ?", (till,)).fetchone()
    if row is None:
        return
    if int(row[0]) >= WAITS_MAX:
        forget(db, till)
        return
    key = {"till": till, "waits_max": WAITS_MAX}
    with watched(db, "hub_wait", "till = :till", key):
        db.execute("UPDATE hub_wait SET waited = :waits_max WHERE till = :till", key)


def forget(db: Connection, till: str) -> None:
    """More of this till's log is here."""
    with watched(db, "hub_wait", "till = :till", {"till": till}):
        db.execute("DELETE FROM hub_wait WHERE till = :till", {"till": till})


COUNT_UPDATE = "UPDATE hub_wait SET waited = waited + 1 WHERE till = :till AND waited < :waits_max"
