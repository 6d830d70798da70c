"""Where a report reads: one database file through Ibis, read only. Ibis gets pysqlite3, so one SQLite is mapped, not two.

**Source:** two copies of SQLite in one process drop each other's POSIX locks (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
A report therefore runs in a process of its own, never inside a till.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pos_loyalty.store.db import open_reader


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """An Ibis backend over the file while the till or head office works on it. Raises StoreError."""
    db = open_reader(path)
    try:
        yield ibis().sqlite.from_connection(db)
    finally:
        db.close()


def ibis() -> Any:
    """Ibis over pysqlite3, for a process that makes reports."""
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
    import ibis

    return ibis


def rows(backend: Any, expression: Any) -> list[tuple[Any, ...]]:
    """What one expression answers, as plain tuples: whole numbers stay whole."""
    cursor = backend.raw_sql(expression.compile())
    try:
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
