"""No value of any column may change, no row go and none come, without ``verify`` saying so; what may is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from tests.faults.rich import RichWorld

ALL = "*"
UNSEEN: dict[str, tuple[str, ...]] = {
    "staff": ("attempts", "locked_until_ms"),  # counters of tries: nothing proves them, and they change at every wrong PIN
    "phone_code": (ALL,),  # the same, and a code that lives ten minutes
    "gift_try": (ALL,),
    "confirm_try": (ALL,),
    "tier_look": (ALL,),  # a cache that may be lost
    "till": ("heard_ms", "asked_ms", "hub_waiting", "told_version", "told_ms", "knows_ms"),  # when it was there, and told what
    "sync_state": ("road", "road_ms", "hub_ms"),  # by which road a till was last answered
}
UNSEEN_AT_HEAD_OFFICE = {"member": ("version",), "coupon_version": (ALL,)}  # numbers by which tills ask
NOT_FILLED = {
    "till": {
        "phone_code", "gift_try", "confirm_try", "till", "version_mark", "coupon_version", "suspense_case", "till_key",
        "enrol_code", "hello_due", "hub_wait", "relay_right", "relay_start", "relay_known", "relay_card", "relay_rest",
        "case_closed", "recompute_mark", "sale_recomputed", "snapshot_apply", "told", "even_due",
    },
    "head office": {
        "phone_code", "gift_try", "confirm_try", "attempt", "idempotency", "print_job", "drawer_kick", "staff", "run",
        "trusted_time", "hub_wait", "relay_right", "relay_start", "relay_known", "relay_card", "relay_rest", "phone_todo",
        "coupon_word", "tier_look", "snapshot_apply",
    },
}  # fmt: skip
"""Tables of the other side, or of tries."""
SECURITY = Path("docs/security.md")
Row = dict[str, object]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RichWorld]:
    made = RichWorld(tmp_path_factory.mktemp("rich"))
    yield made
    made.shut()


def tables(db: Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]


def unseen(file: str, table: str) -> tuple[str, ...]:
    return UNSEEN.get(table, ()) + (UNSEEN_AT_HEAD_OFFICE.get(table, ()) if file == "head office" else ())


def keys_of(db: Connection, table: str) -> list[str]:
    columns = db.execute(f"PRAGMA table_info({table})").fetchall()
    return [name for _, name, _, _, _, place in columns if place] or [name for _, name, *_ in columns]


def unique_of(db: Connection, table: str) -> set[str]:
    indexes = [name for _, name, unique, *_ in db.execute(f"PRAGMA index_list({table})") if unique]
    return set(keys_of(db, table)) | {column for name in indexes for _, _, column in db.execute(f"PRAGMA index_info({name})")}


def some_rows(db: Connection, table: str) -> list[Row]:
    """The one in the middle and the last: of what both sides know, and what only one does."""
    cursor = db.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys_of(db, table))}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return [rows[n] for n in sorted({len(rows) // 2, len(rows) - 1})] if rows else []


def others(db: Connection, table: str, column: str, value: object) -> list[object]:
    """Other values that the column could hold, the likeliest first."""
    kind = next(row[2] for row in db.execute(f"PRAGMA table_info({table})") if row[1] == column)
    if kind == "INTEGER":
        return [1 - int(value), int(value) + 1, int(value) + 1_000_000] if isinstance(value, int) else [1]
    if kind == "BLOB":
        if not isinstance(value, bytes) or not value:
            return [b"x" * 16, b"x" * 32, b"{}"]
        other_digit = re.sub(rb"\d", lambda found: b"%d" % ((int(found[0]) + 1) % 10), value, count=1)
        return [new for new in (other_digit, bytes([value[0] ^ 1]) + value[1:]) if new != value]
    sql = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    listed = re.search(rf"\b{column} TEXT[^,]*?CHECK \({column} IN\s*\(([^)]*)\)", sql)
    words = re.findall(r"'(\w+)'", listed[1]) if listed else []
    return [word for word in words if word != value] or [f"{value or ''}x"]


def is_seen(db: Connection, sql: str, values: list[object]) -> bool | None:
    """Whether verify says anything after a write; None when the tables themselves refuse it."""
    db.execute("SAVEPOINT forged")
    try:
        if db.execute(sql, values).rowcount != 1:
            return None
        return bool(verify(db))
    except (dbapi2.IntegrityError, dbapi2.OperationalError, dbapi2.DataError):
        return None
    finally:
        db.execute("ROLLBACK TO forged")
        db.execute("RELEASE forged")


def where(row: Row, keys: list[str]) -> tuple[str, list[object]]:
    return " AND ".join(f"{key} IS ?" for key in keys), [row[key] for key in keys]


@pytest.mark.parametrize("file", ["till", "head office"])
def test_every_table_holds_something_and_the_file_is_sound(world: RichWorld, file: str) -> None:
    db = world.files()[file]
    assert verify(db) == ()
    empty = {table for table in tables(db) if not some_rows(db, table)}
    assert empty == NOT_FILLED[file]


@pytest.mark.parametrize("file", ["till", "head office"])
def test_every_change_of_a_value_is_seen(world: RichWorld, file: str) -> None:
    db = world.files()[file]
    db.execute("PRAGMA foreign_keys = OFF")
    missed, tried = [], 0
    for table in tables(db):
        keys, hidden = keys_of(db, table), unseen(file, table)
        for row in some_rows(db, table) if ALL not in hidden else []:
            clause, values = where(row, keys)
            for column in row.keys() - set(hidden):
                candidates = others(db, table, column, row[column])
                found = (is_seen(db, f"UPDATE {table} SET {column} = ? WHERE {clause}", [new, *values]) for new in candidates)
                seen = next((answer for answer in found if answer is not None), None)
                tried += seen is not None
                if seen is False:
                    missed.append(f"{table}.{column} of {values}")
    assert not missed
    assert tried > 300


@pytest.mark.parametrize("file", ["till", "head office"])
def test_no_row_goes_or_comes_unseen(world: RichWorld, file: str) -> None:
    db = world.files()[file]
    db.execute("PRAGMA foreign_keys = OFF")
    missed = []
    for table in tables(db):
        if ALL in unseen(file, table):
            continue
        keys, unique = keys_of(db, table), unique_of(db, table)
        for row in some_rows(db, table):
            clause, values = where(row, keys)
            if is_seen(db, f"DELETE FROM {table} WHERE {clause}", values) is not True:
                missed.append(f"DELETE FROM {table} {values}")
            copy = [others(db, table, name, value)[-1] if name in unique else value for name, value in row.items()]
            if is_seen(db, f"INSERT INTO {table} VALUES ({', '.join('?' * len(copy))})", copy) is False:
                missed.append(f"INSERT INTO {table} like {values}")
    assert not missed


def test_what_goes_unseen_is_told_to_who_reads_the_docs() -> None:
    told = SECURITY.read_text(encoding="utf-8").partition("## What verify does not see")[2].partition("\n## ")[0]
    for listed in (UNSEEN, UNSEEN_AT_HEAD_OFFICE):
        for table, columns in listed.items():
            for column in columns:
                assert f"`{table}`" in told if column == ALL else f"`{table}.{column}`" in told, (table, column)
