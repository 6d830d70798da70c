"""For ``verify``: whether each log is one chain of numbers and hashes, and ends where head office and till say that it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pos_loyalty.errors import InputError
from pos_loyalty.store import ledger, till_keys
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import GENESIS, chain, fact_of
from pos_loyalty.store.till_facts import Place


class LogRow(NamedTuple):
    """A row of the log, before its payload is trusted."""

    till: str
    epoch: int
    seq: int
    hlc: int
    payload: bytes
    prev_hash: bytes
    hash: bytes
    columns: tuple[Any, ...]
    """As TXN_COLUMNS names them."""
    has_case: bool
    is_shared: bool
    """Other facts are about the same sale."""

    @property
    def place(self) -> str:
        """How a sentence names the row."""
        return f"Till {self.till}, fact {self.seq}"


def chain_differences(db: Connection, before: LogRow | None, row: LogRow) -> Iterator[str]:
    """Whether a row lies where the one before it says."""
    if before is not None and (before.till, before.epoch) == (row.till, row.epoch):
        expected_seq, expected_hash = before.seq + 1, before.hash
        if row.hlc <= before.hlc:
            yield f"{row.place}: its logical clock does not come after that of the fact before."
    else:
        expected_seq, expected_hash = _beginning(db, before, row)
    if row.seq != expected_seq:
        yield f"Till {row.till}: fact {expected_seq} is missing; the next one is {row.seq}."
    elif row.prev_hash != expected_hash:
        yield f"{row.place}: it does not continue the hash of the fact before."
    if chain(row.prev_hash, row.payload) != row.hash:
        yield f"{row.place}: the payload is not the one that was hashed."


def head_differences(db: Connection) -> Iterator[str]:
    """Whether the logs end where it was confirmed that they do."""
    state = db.execute("SELECT acked_epoch, acked_seq, acked_hash FROM sync_state").fetchone()
    epoch, acked_seq, acked_hash = state or (1, 0, GENESIS)
    head = db.execute(HASH_AT_SELECT, {"till": meta(db, "owner"), "epoch": epoch, "seq": acked_seq}).fetchone()
    if (GENESIS if not acked_seq else None if head is None else head[0]) != acked_hash or epoch < 1:
        yield f"Head office confirmed fact {acked_seq} of this log, which is missing or another one."
    own = db.execute(ledger.LAST_SELECT, {"till": meta(db, "owner")}).fetchone()
    if own is not None and str(own[0]) != meta(db, "epoch"):
        yield f"This log goes on in epoch {meta(db, 'epoch')}, and no fact says from where."
    for till, epoch, seq, hash_ in db.execute("SELECT id, epoch, applied_seq, applied_hash FROM till ORDER BY id"):
        last = db.execute(ledger.LAST_SELECT, {"till": till}).fetchone()
        if (seq or last) and (last is None or last[:3] != (epoch, seq, hash_)):
            yield f"Till {till}: its log here does not end at fact {seq}, which was confirmed to it."
    for (till,) in db.execute(UNCONFIRMED_SELECT):
        yield f"Till {till}: its log is here, and nothing says how far it was confirmed."


def _beginning(db: Connection, before: LogRow | None, row: LogRow) -> tuple[int, bytes]:
    """Where the first fact of an epoch must lie: at head office as the enrolment says, at the till after the fact before it."""
    key = till_keys.key_of(db, row.till, row.epoch)
    if key is None and (row.seq, row.prev_hash) == (1, GENESIS) and meta(db, "role") == "head_office":
        return 1, GENESIS  # restored, it forgot the enrolment of a machine that began with an empty file, and has its log
    place = _told(row) if key is None and meta(db, "role") == "head_office" else None
    if key is None and place is None and before is not None and before.till == row.till:
        return before.seq + 1, before.hash
    place = place if key is None else key.continues
    if place is None:
        return 1, GENESIS
    if None in (place.epoch, place.seq, place.hash):  # a hand was at the row: no fact lies there
        return 0, b""
    found = db.execute(HASH_AT_SELECT, {"till": row.till, "epoch": place.epoch, "seq": place.seq}).fetchone()
    return place.seq + 1, GENESIS if found is None and place.seq == 0 else bytes(found[0]) if found else b""


def _told(row: LogRow) -> Place | None:
    """What the first fact of an epoch says that it goes on from, of whose enrolment a restored head office does not know."""
    try:
        began = fact_of(row.payload).began
    except InputError:
        return None
    return None if began is None else began.continues


HASH_AT_SELECT = "SELECT hash FROM txn WHERE till = :till AND epoch = :epoch AND seq = :seq"
UNCONFIRMED_SELECT = """WITH RECURSIVE logs (till) AS (
  SELECT MIN(till) FROM txn
  UNION ALL SELECT (SELECT MIN(till) FROM txn WHERE txn.till > logs.till) FROM logs WHERE logs.till IS NOT NULL
) SELECT till FROM logs WHERE till IS NOT NULL AND till <> (SELECT value FROM meta WHERE key = 'owner')
AND NOT EXISTS (SELECT 1 FROM till AS t WHERE t.id = logs.till)"""
