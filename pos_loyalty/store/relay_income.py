"""At a store's hub: what its tills gave back to it, by their own logs, and up to which fact of each log it knows that.

Rule: a give-back counts once, by the fact that says so, whoever told of it: its till, or head office of what went past the hub.
A fact that head office will never have gave nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_facts import LogPart, RightHolder, RightLine
from pos_loyalty.store.witness import added, watched


def add(db: Connection, by: LogPart, lines: Iterable[RightLine], hub_epoch: int) -> None:
    """What the last fact of this part of a log gave back. Again changes nothing."""
    for line in lines:
        row = (by.till, by.epoch, by.seq, line.lot_id, line.member_id, line.centi, hub_epoch)
        if db.execute(INCOME_SELECT, row[:4]).fetchone() is None:
            db.execute(INCOME_INSERT, row)
            added(db, "relay_right", [row])


def drop(db: Connection, till: str, epoch: int, after: int) -> None:
    """Of this log head office takes no fact after a number that it has not got: it tells what it has got of them. What comes now
    goes on from what the hub heard before, so it closes no gap that this leaves."""
    where, key = "till = :till AND epoch = :epoch AND seq > :after", {"till": till, "epoch": epoch, "after": after}
    with watched(db, "relay_right", where, key):
        db.execute(f"DELETE FROM relay_right WHERE {where}", key)
    with watched(db, "relay_known", "till = :till AND epoch = :epoch", key):
        db.execute(f"UPDATE relay_known SET seq = :after WHERE {where}", key)


def logs_of(db: Connection, hub: RightHolder, lots: Iterable[str], but: str) -> tuple[LogPart, ...]:
    """By which logs, each up to which fact, the hub got points of these lots; without the log of one till."""
    last: dict[tuple[str, int], int] = {}
    for lot_id in lots:
        for till, epoch, seq in db.execute(LOGS_SELECT, {"lot": lot_id, "epoch": hub.epoch, "but": but}):
            last[till, epoch] = max(seq, last.get((till, epoch), 0))
    return tuple(LogPart(till=till, epoch=epoch, seq=seq) for (till, epoch), seq in sorted(last.items()))


def known_from(db: Connection, till: str) -> tuple[int, int] | None:
    """Epoch and number of the fact of a till up to which the hub knows all that its newest machine gave back to it; None before
    the till first asked for rights."""
    row = db.execute("SELECT epoch, seq FROM relay_start WHERE till = ?", (till,)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def put_known_from(db: Connection, till: str, epoch: int, seq: int) -> None:
    """It is known so far, of a machine that is new here; as far as the hub can tell: head office tells all of its log."""
    with watched(db, "relay_start", "till = ?", (till,)):
        db.execute("INSERT OR REPLACE INTO relay_start (till, epoch, seq) VALUES (?, ?, ?)", (till, epoch, seq))
    with watched(db, "relay_known", "till = ? AND epoch = ?", (till, epoch)):
        db.execute("INSERT OR IGNORE INTO relay_known (till, epoch, seq) VALUES (?, ?, 0)", (till, epoch))


def came(db: Connection, by: LogPart) -> None:
    """The till itself told what the last fact of this part gave back, and all since the fact from which the hub knows its log."""
    newest = known_from(db, by.till)
    if newest is None or newest[0] < by.epoch:
        put_known_from(db, by.till, by.epoch, by.seq)
    key = {"till": by.till, "epoch": by.epoch, "seq": by.seq}
    for table, sql in (("relay_known", GOES_ON_UPDATE), ("relay_start", START_UPDATE)):
        with watched(db, table, "till = :till AND epoch = :epoch", key):
            db.execute(sql, key)


class Known(NamedTuple):
    """Of a log: up to which fact all is known for sure that it gave back, and which fact is the last that gave something back as
    far as was heard (0: none)."""

    till: str
    epoch: int
    seq: int
    heard: int


def known(db: Connection, limit: int) -> list[Known]:
    """Of the machines that are the tills now and of those before, the newest epochs first."""
    rows = db.execute(KNOWN_SELECT, (limit,))
    return [Known(str(till), int(epoch), int(seq), int(heard)) for till, epoch, seq, heard in rows]


def now_known(db: Connection, till: str, epoch: int, seq: int) -> None:
    """Head office told all up to this fact."""
    key = {"till": till, "epoch": epoch, "seq": seq}
    with watched(db, "relay_known", "till = :till AND epoch = :epoch", key):
        db.execute(KNOWN_UPSERT, key)


INCOME_SELECT = "SELECT 1 FROM relay_right WHERE (till, epoch, seq, lot) = (?, ?, ?, ?)"
INCOME_INSERT = "INSERT INTO relay_right (till, epoch, seq, lot, member, centi, to_epoch) VALUES (?, ?, ?, ?, ?, ?, ?)"
LOGS_SELECT = """SELECT till, epoch, MAX(seq) FROM relay_right
WHERE lot = :lot AND to_epoch = :epoch AND till <> :but GROUP BY till, epoch"""
KNOWN_UPSERT = """INSERT INTO relay_known (till, epoch, seq) VALUES (:till, :epoch, :seq)
ON CONFLICT (till, epoch) DO UPDATE SET seq = max(seq, excluded.seq)"""
KNOWN_SELECT = """SELECT k.till, k.epoch, k.seq, coalesce((
  SELECT MAX(r.seq) FROM relay_right AS r WHERE r.till = k.till AND r.epoch = k.epoch
), 0) FROM relay_known AS k ORDER BY k.epoch DESC, k.till LIMIT ?"""
START_UPDATE = "UPDATE relay_start SET seq = :seq WHERE till = :till AND epoch = :epoch AND seq < :seq"
GOES_ON_UPDATE = """UPDATE relay_known SET seq = :seq WHERE till = :till AND epoch = :epoch AND seq < :seq
AND seq >= (SELECT s.seq FROM relay_start AS s WHERE s.till = :till AND s.epoch = :epoch)"""
"""Where what the hub knows for sure leaves no gap to what it hears now."""
