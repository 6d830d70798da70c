"""Tables that no fact proves: what this program writes there is summed up as it writes, and ``verify`` sums it up again.

Rule: who writes to a table of WATCHED does it under ``watched``, in the same transaction. The sums know no secret: they tell of
a hand, a tool or a bug that changed rows past this program, not of somebody who makes the sums anew as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import msgspec
from pysqlite3 import dbapi2

WATCHED: Mapping[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "sync_state": (
        "id", "heard_ms", "pulled_version", "pulled_mark", "trouble", "ask_id", "told_head", "asked_version", "asked_seq",
        "hub_head", "idle_seq", "coupon_idle_seq", "hub_life",
    ),
    "attempt": ("sale_id", "txn", "opened_ms", "content_hash"),
    "idempotency": ("key", "verb", "body_hash", "answer", "at_ms"),
    "print_job": (
        "id", "sale_id", "receipt_no", "kind", "copy", "state", "body", "is_made", "queued_ms", "moved_ms", "attempts", "note",
    ),
    "drawer_kick": ("id", "sale_id", "cashier", "reason", "state", "asked_ms", "moved_ms", "note"),
    "programme": ("arrival", "id", "version", "sha256", "body", "received_ms"),
    "publication": ("number", "sha256", "effective_ms"),
    "snapshot_apply": ("id", "manifest", "as_of_seq", "chunk", "line", "after"),
    "member_word": ("member", "as_of_seq", "word"),
    "member_key": ("member", "till", "sealed"),
    "tier_word": (
        "member", "tier", "biz_day", "since", "until", "is_warned", "frozen_until", "have", "clock",
    ),
    "coupon_word": ("code", "series", "is_live", "usable_from", "expires_at", "taken_till", "taken_sale"),
    "phone_todo": ("member", "sealed", "verified"),
    "staff": ("person", "role", "salt", "pin", "blocked"),
    "trusted_time": (
        "id", "at_ms", "boot", "ran_ns", "server_ms", "server_boot", "server_ran_ns", "offset_ms", "steady_ns",
    ),
    "run": ("id", "opened_ms", "closed_ms", "crashed_ms"),
    "till": ("id", "frozen"),
    "version_mark": ("from_version", "mark"),
    "enrol_code": ("hash", "till", "until_ms", "used_key"),
    "hello_due": ("till", "waited"),
    "hub_wait": ("till", "waited"),
    "even_due": ("txn",),
    "told": ("till", "epoch", "own_epoch", "own_seq"),
    "relay_start": ("till", "epoch", "seq"),
    "relay_known": ("till", "epoch", "seq"),
    "relay_right": ("till", "epoch", "seq", "lot", "member", "centi", "to_epoch"),
    "relay_card": ("id", "code_hash", "word", "state", "state_hlc", "state_till"),
    "relay_rest": ("lot", "since_ms"),
    "recompute_mark": ("till", "epoch", "seq", "agreed", "partly", "unknown", "differs"),
    "sale_recomputed": ("till", "epoch", "seq", "detail"),
    "suspense_case": ("id", "till", "epoch", "seq", "reason", "detail", "closed_ms"),
}  # fmt: skip
"""Columns that are summed up. Others of these tables follow from the log, or are counters that may be lost."""
ONLY = {"till": "frozen IS NOT NULL"}
"""Rows of which there is something to tell."""
SUM_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


@contextmanager
def watched(db: dbapi2.Connection, table: str, where: str, key: Mapping[str, Any] | Sequence[Any]) -> Iterator[None]:
    """Writes to rows of a table. ``where`` with ``key`` names these rows, before they are written and after."""
    select = f"{_select(table)}{' AND ' if table in ONLY else ' WHERE '}{where}"
    before, count_before = _summed(db.execute(select, key))
    yield
    after, count_after = _summed(db.execute(select, key))
    if after != before:
        _move(db, table, after - before, count_after - count_before)


def added(db: dbapi2.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """New rows, just written, each with the columns of WATCHED in their order."""
    total, count = _summed(rows)
    if count:
        _move(db, table, total, count)


def differences(db: dbapi2.Connection) -> Iterator[str]:
    """Tables in which other rows stand than were written there."""
    written = {name: (int.from_bytes(sum_), count) for name, count, sum_ in db.execute("SELECT name, count, sum FROM witness")}
    for table in WATCHED:
        total, count = _summed(db.execute(_select(table)))
        expected, written_count = written.pop(table, (0, 0))
        if count != written_count:
            yield f"Table {table} holds {count} rows; {written_count} were written there."
        elif total % MODULUS != expected:
            yield f"Table {table} holds a row that is not as it was written."
    for name in written:
        yield f"A sum of rows names {name}, which has none."


def sums_agree(db: dbapi2.Connection, table: str) -> bool:
    """Whether the rows are as they were written, of the columns that there are: a step of an older file may add others."""
    total, count = _summed(db.execute(_select(table, _columns_here(db, table))))
    stood = db.execute("SELECT count, sum FROM witness WHERE name = ?", (table,)).fetchone()
    return (count, total % MODULUS) == ((0, 0) if stood is None else (stood[0], int.from_bytes(stood[1])))


def sums_anew(db: dbapi2.Connection, table: str) -> None:
    """Sum up all rows of a table that has got other columns, and was as it was written before that. A later step may add more."""
    db.execute("DELETE FROM witness WHERE name = ?", (table,))
    total, count = _summed(db.execute(_select(table, _columns_here(db, table))))
    if count:
        _move(db, table, total, count)


def _columns_here(db: dbapi2.Connection, table: str) -> list[str]:
    """The columns that are summed up and stand in the table."""
    here = {column for column, *_ in db.execute(f"SELECT * FROM {table} LIMIT 0").description}
    return [column for column in WATCHED[table] if column in here]


def _select(table: str, columns: Sequence[str] = ()) -> str:
    named = ", ".join(columns or WATCHED[table])
    return f"SELECT {named} FROM {table}" + (f" WHERE {ONLY[table]}" if table in ONLY else "")


def _summed(rows: Iterable[Sequence[Any]]) -> tuple[int, int]:
    total = count = 0
    for row in rows:
        total += int.from_bytes(blake2b(_encode(row), digest_size=SUM_BYTES).digest())
        count += 1
    return total, count


def _move(db: dbapi2.Connection, table: str, step: int, rows: int) -> None:
    stood = db.execute("SELECT sum FROM witness WHERE name = ?", (table,)).fetchone()
    total = (step + (0 if stood is None else int.from_bytes(stood[0]))) % MODULUS
    db.execute(UPSERT, (table, rows, total.to_bytes(SUM_BYTES)))


MODULUS = 1 << (8 * SUM_BYTES)
UPSERT = """INSERT INTO witness (name, count, sum) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET count = witness.count + excluded.count, sum = excluded.sum"""
