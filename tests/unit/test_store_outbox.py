"""The log as outbox: what is not confirmed is offered again, in order, in the very bytes that were hashed."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from pos_loyalty.errors import LogForkError
from pos_loyalty.store import ledger, outbox
from pos_loyalty.store.db import Connection, write
from tests.unit.store_facts import NOW, sell, till_store, uuid_of


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    db = till_store(tmp_path / "till.db")
    for n in range(1, 8):
        sell(db, n)
    return db


def _hash(db: Connection, seq: int) -> bytes:
    return bytes(db.execute("SELECT hash FROM txn WHERE seq = ?", (seq,)).fetchone()[0])


def test_unsent_rows_come_in_order_and_chained(db: Connection) -> None:
    rows = outbox.unsent(db, 3)
    assert [row.seq for row in rows] == [1, 2, 3]
    assert all(sha256(row.prev_hash + row.payload).digest() == row.hash for row in rows)
    assert [row.seq for row in outbox.since(db, 5, 100)] == [6, 7]


def test_only_a_confirmation_takes_rows_off(db: Connection) -> None:
    assert (outbox.unsent_count(db), outbox.unsent_count(db)) == (7, 7)
    with write(db):
        outbox.acked(db, 4, _hash(db, 4))
    assert (outbox.unsent_count(db), [row.seq for row in outbox.unsent(db, 9)]) == (3, [5, 6, 7])
    assert (outbox.state(db).acked_seq, outbox.state(db).acked_hash) == (4, _hash(db, 4))


def test_a_lower_watermark_on_our_chain_is_head_offices_restore(db: Connection) -> None:
    for seq in (6, 2, 0):
        with write(db):
            outbox.acked(db, seq, _hash(db, seq) if seq else bytes(32))
        assert outbox.unsent_count(db) == 7 - seq


def test_a_watermark_off_our_chain_is_a_fork_and_changes_nothing(db: Connection) -> None:
    for seq, hash_ in ((3, _hash(db, 4)), (8, _hash(db, 7)), (0, _hash(db, 1))):
        with pytest.raises(LogForkError), write(db):
            outbox.acked(db, seq, hash_)
    assert outbox.state(db).acked_seq == 0


def test_large_rows_are_read_a_batch_at_a_time(tmp_path: Path) -> None:
    db = till_store(tmp_path / "large.db")
    with write(db):
        for n in range(1, 6):
            ledger.append(db, ledger.Draft(id=uuid_of(n), kind="points.adjusted", store="S" * 4_000_000), NOW)
    assert [row.seq for row in outbox.since(db, 0, 500)] == [1, 2]
    assert [row.seq for row in outbox.since(db, 4, 500)] == [5]
    db.close()


def test_what_head_office_said_is_remembered(db: Connection) -> None:
    assert (outbox.state(db).heard_ms, outbox.state(db).pulled_version, outbox.state(db).trouble) == (None, 0, None)
    with write(db):
        outbox.heard(db, NOW + timedelta(milliseconds=7))
        outbox.pulled(db, 12, "ab" * 16)
        outbox.troubled(db, "another past")
    state = outbox.state(db)
    assert (state.heard_ms, state.pulled_version, state.pulled_mark) == (int(NOW.timestamp()) * 1000 + 7, 12, "ab" * 16)
    assert state.trouble == "another past"
    with write(db):
        outbox.troubled(db, None)
    assert outbox.state(db).trouble is None
