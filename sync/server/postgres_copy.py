"""Head office's PostgreSQL tables as one SQLite file, as of one instant: what ``verify``, reports and exports read, and a backup.

Rule: nothing is left out and nothing is made anew. The file is the one that head office would have written, had it kept SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pos_loyalty.errors import StoreError
from pos_loyalty.store.db import Connection, meta, open_store, snapshot, write
from sync.server.postgres import ROLE, as_store, open_reader
from sync.server.postgres_connection import PostgresConnection
from sync.server.postgres_dialect import NEVER_NULL

ROWS_AT_ONCE: Final = 2000
ARRIVAL: Final = {"txn": "rowid"}
"""Rows that stand in the order in which they came."""


def copied(url: str, target: Path, now: datetime) -> None:
    """Copy a head office's database, while it works, to a new file. Raises StoreError, also when there is such a file."""
    if target.exists():
        raise StoreError(f"{target} exists already; name a new file.")
    source = open_reader(url)
    try:
        copy_tables(source, target, now)
    finally:
        source.close()


def copy_tables(source: PostgresConnection, target: Path, now: datetime) -> None:
    """See ``copied``."""
    owner = meta(as_store(source), "owner") or ""
    copy = open_store(target, role=ROLE, owner=owner, now=now)
    try:
        copy.execute("PRAGMA foreign_keys = OFF")
        with snapshot(as_store(source)), write(copy):
            for table in tables_of(copy):
                copy.execute(f"DELETE FROM {table}")
                _copy(source, copy, table)
    finally:
        copy.close()


def tables_of(db: Connection) -> tuple[str, ...]:
    """Ours, by name."""
    return tuple(name for (name,) in db.execute(TABLES_SELECT))


def _copy(source: PostgresConnection, copy: Connection, table: str) -> None:
    columns = [name for _, name, *_ in copy.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" for _ in columns)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    said = [f"nullif({name}, '')" if NEVER_NULL.get(table) == name else name for name in columns]
    order = f" ORDER BY {ARRIVAL[table]}" if table in ARRIVAL else ""
    for rows in _pages(source, f"SELECT {', '.join(said)} FROM {table}{order}"):
        copy.executemany(insert, rows)


def _pages(source: PostgresConnection, select: str) -> Iterator[list[tuple[Any, ...]]]:
    """By a cursor of the server's: no table need fit into memory."""
    with source.raw.cursor("copying", binary=True) as cursor:
        cursor.execute(select.encode())
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield rows


TABLES_SELECT: Final = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
