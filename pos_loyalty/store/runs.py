"""How the till's last run ended: a row that is opened with the till and closed with it. One that stands open tells of a crash."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched


def opened(db: Connection, now: datetime) -> None:
    """The till is opened. What the run before left open is a crash."""
    with watched(db, "run", "id = 1", ()):
        db.execute(OPENED_UPSERT, {"now": to_ms(now)})


def closed(db: Connection, now: datetime) -> None:
    """The till is closed in order."""
    with watched(db, "run", "id = 1", ()):
        db.execute("UPDATE run SET closed_ms = :now WHERE id = 1", {"now": to_ms(now)})


def crashed_at(db: Connection, since: datetime) -> datetime | None:
    """When the run began that the last start found unclosed; None when it ended in order, or the start was before ``since``."""
    row = db.execute("SELECT crashed_ms FROM run WHERE id = 1 AND opened_ms >= :since", {"since": to_ms(since)}).fetchone()
    return None if row is None or row[0] is None else from_ms(row[0])


OPENED_UPSERT = """INSERT INTO run (id, opened_ms) VALUES (1, :now)
ON CONFLICT (id) DO UPDATE SET opened_ms = excluded.opened_ms, closed_ms = NULL,
  crashed_ms = CASE WHEN closed_ms IS NULL THEN opened_ms END"""
