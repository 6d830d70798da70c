"""What head office has not got yet. The log is the outbox: a row leaves it when head office says that it holds it."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import LogForkError
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import GENESIS, PAYLOAD_BYTES_MAX
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

ROWS_BYTES_MAX = 2 * PAYLOAD_BYTES_MAX


class Row(Value):
    """One row of the log, as it is sent."""

    epoch: int
    seq: int
    payload: bytes
    prev_hash: bytes
    hash: bytes


class SyncState(Value):
    """How far head office holds our log, and what we have from it.

    ``heard_ms``: when we last had all of head office's changes, None for never. ``pulled_mark``: the mark that head office put on
    ``pulled_version``. ``trouble``: a sentence about what a person has to mend before the sync goes on, None when nothing.
    """

    acked_seq: int
    acked_hash: bytes
    heard_ms: int | None
    pulled_version: int
    pulled_mark: str | None
    trouble: str | None


def unsent(db: Connection, limit: int) -> tuple[Row, ...]:
    """The oldest rows that head office has not confirmed, in order."""
    return since(db, state(db).acked_seq, limit)


def since(db: Connection, seq: int, limit: int) -> tuple[Row, ...]:
    """Rows of our own log after ``seq``, in order, as many as may go into one batch: head office may ask for older ones again.

    All of one epoch.
    """
    rows: list[Row] = []
    size = 0
    place = {"epoch": _epoch_of(db, seq), "seq": seq, "limit": limit}
    for epoch, number, payload, prev_hash, hash_ in db.execute(SINCE_SELECT, place):
        size += len(payload)
        if rows and (size > ROWS_BYTES_MAX or epoch != rows[0].epoch):
            break
        rows.append(Row(epoch=epoch, seq=number, payload=payload, prev_hash=prev_hash, hash=hash_))
    return tuple(rows)


def has_after(db: Connection, seq: int) -> bool:
    """Whether our own log goes on after a number."""
    return db.execute(AFTER_SELECT, {"epoch": _epoch_of(db, seq), "seq": seq}).fetchone() is not None


def last_of(db: Connection, epoch: int) -> int | None:
    """The number of the last fact of our own log in an epoch; None where it has none of that epoch."""
    last = db.execute(LAST_SELECT, {"epoch": epoch}).fetchone()[0]
    return None if last is None else int(last)


def acked(db: Connection, seq: int, hash: bytes) -> None:
    """Head office holds our log up to ``seq``, whose hash it names; lower than before is right after its restore.

    Raises LogForkError when that is not our log.
    """
    check_ours(db, seq, hash)
    db.execute(ACKED_UPDATE, {"epoch": _epoch_of(db, seq), "seq": seq, "hash": hash})


def check_ours(db: Connection, seq: int, hash: bytes) -> None:
    """Raises LogForkError unless our fact of this number has this hash."""
    if _hash_at(db, seq) != hash:
        raise LogForkError(
            f"Head office holds another log of this till at number {seq}; sales go on, call support before a sync."
        )


def state(db: Connection) -> SyncState:
    """Where the exchange with head office stands."""
    return SyncState(**dict(zip(STATE, db.execute(STATE_SELECT).fetchone(), strict=True)))


def heard(db: Connection, now: datetime) -> None:
    """At this instant we have all that head office has to tell. An ack alone does not say so: balances may be old."""
    with watched(db, "sync_state", "id = 1", ()):
        db.execute("UPDATE sync_state SET heard_ms = :now WHERE id = 1", {"now": to_ms(now)})


def pulled(db: Connection, version: int, mark: str | None) -> None:
    """We hold all changes of head office up to ``version``, which bears this mark."""
    before = state(db)
    if (before.pulled_version, before.pulled_mark) == (version, mark):
        return
    with watched(db, "sync_state", "id = 1", ()):
        db.execute(PULLED_UPDATE, {"version": version, "mark": mark})


def hub_life(db: Connection) -> str | None:
    """Which life of a hub's file told us last of the store's other tills; None for none."""
    found = db.execute("SELECT hub_life FROM sync_state WHERE id = 1").fetchone()[0]
    return None if found is None else str(found)


def put_hub_life(db: Connection, life: str) -> None:
    """This one does now."""
    with watched(db, "sync_state", "id = 1", ()):
        db.execute("UPDATE sync_state SET hub_life = :life WHERE id = 1", {"life": life})


def troubled(db: Connection, trouble: str | None) -> None:
    """What a person has to mend before the sync goes on; None when nothing."""
    with watched(db, "sync_state", "id = 1", ()):
        db.execute("UPDATE sync_state SET trouble = :trouble WHERE id = 1", {"trouble": trouble})


def unsent_count(db: Connection) -> int:
    """How many facts head office has not confirmed: the log has no gaps."""
    return int(db.execute(COUNT_SELECT).fetchone()[0])


def _hash_at(db: Connection, seq: int) -> bytes | None:
    if seq == 0:
        return GENESIS
    row = db.execute(HASH_SELECT, {"epoch": _epoch_of(db, seq), "seq": seq}).fetchone()
    return None if row is None else bytes(row[0])


def _epoch_of(db: Connection, seq: int) -> int:
    """The epoch that our own fact of this number is in: epochs are few, and later ones count on. 1 for what is not there."""
    epoch = int(meta(db, "epoch") or 1)
    while epoch > 1 and db.execute(HASH_SELECT, {"epoch": epoch, "seq": seq}).fetchone() is None:
        epoch = db.execute(BEFORE_SELECT, {"epoch": epoch}).fetchone()[0] or 1
    return epoch


OURS = "till = (SELECT value FROM meta WHERE key = 'owner')"
SINCE_SELECT = f"""SELECT epoch, seq, payload, prev_hash, hash FROM txn
WHERE {OURS} AND (epoch, seq) > (:epoch, :seq) ORDER BY epoch, seq LIMIT :limit"""
AFTER_SELECT = f"SELECT 1 FROM txn WHERE {OURS} AND (epoch, seq) > (:epoch, :seq) LIMIT 1"
LAST_SELECT = f"SELECT MAX(seq) FROM txn WHERE {OURS} AND epoch = :epoch"
HASH_SELECT = f"SELECT hash FROM txn WHERE {OURS} AND epoch = :epoch AND seq = :seq"
BEFORE_SELECT = f"SELECT MAX(epoch) FROM txn WHERE {OURS} AND epoch < :epoch"
ACKED_UPDATE = """UPDATE sync_state SET acked_epoch = :epoch, acked_seq = :seq, acked_hash = :hash
WHERE id = 1 AND (acked_epoch, acked_seq, acked_hash) IS NOT (:epoch, :seq, :hash)"""
COUNT_SELECT = f"""SELECT coalesce((SELECT seq FROM txn WHERE {OURS} ORDER BY epoch DESC, seq DESC LIMIT 1), 0) - acked_seq
FROM sync_state WHERE id = 1"""
STATE = ("acked_seq", "acked_hash", "heard_ms", "pulled_version", "pulled_mark", "trouble")
STATE_SELECT = f"SELECT {', '.join(STATE)} FROM sync_state WHERE id = 1"
PULLED_UPDATE = "UPDATE sync_state SET pulled_version = :version, pulled_mark = :mark WHERE id = 1"
