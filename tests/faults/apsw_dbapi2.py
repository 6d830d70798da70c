"""pysqlite3's ``dbapi2`` over apsw, for a process of its own: the same store code over a disk that fails when it is told to.

Only what our store asks of the module stands here. ``install`` must come before the first import of pos_loyalty: from then on
the process has one SQLite, apsw's, and every file of ours is opened through the file system named ``VFS``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import apsw

VFS = "faulty"
SAFE = (3, 53, 4)
"""A library that is free of the WAL-reset bug: then the store uses WAL."""
UNSAFE = (3, 45, 0)
"""One that is not: then the store uses a rollback journal."""
DEFENSIVE_CODES = ("FULL", "BUSY", "LOCKED", "READONLY", "CANTOPEN", "PERM", "CORRUPT", "NOTADB", "IOERR")


class Error(Exception):
    """As in dbapi2."""

    sqlite_errorcode: int


class DatabaseError(Error):
    """As in dbapi2."""


class OperationalError(DatabaseError):
    """As in dbapi2."""


class IntegrityError(DatabaseError):
    """As in dbapi2."""


class DataError(DatabaseError):
    """As in dbapi2."""


KINDS = {apsw.ConstraintError: IntegrityError, apsw.TooBigError: DataError, apsw.MismatchError: IntegrityError}


def _call(what: Callable[..., Any], *args: Any) -> Any:
    try:
        return what(*args)
    except apsw.Error as error:
        ours = KINDS.get(type(error), OperationalError)(str(error))
        ours.sqlite_errorcode = error.extendedresult
        raise ours from error


class Cursor:
    """The rows of one statement."""

    def __init__(self, db: Connection, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self.rowcount = db.inner.changes()
        self.lastrowid = db.inner.last_insert_rowid()

    @property
    def description(self) -> Any:
        """Names of the columns, each first in its tuple."""
        return self._cursor.description

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row: tuple[Any, ...] = _call(next, self._cursor)
        return row

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return next(self, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self)


class Connection:
    """One open file."""

    is_doubtful = False
    """As of ``store.db.Connection``."""

    def __init__(self, inner: apsw.Connection) -> None:
        self.inner = inner

    @property
    def in_transaction(self) -> bool:
        """As in dbapi2."""
        return self.inner.in_transaction

    def execute(self, sql: str, values: Any = None) -> Cursor:
        """One statement, run to its first row."""
        return Cursor(self, _call(self.inner.execute, sql, values))

    def executemany(self, sql: str, rows: Iterable[Any]) -> Cursor:
        """One statement for each row."""
        return Cursor(self, _call(self.inner.executemany, sql, rows))

    def executescript(self, sql: str) -> Cursor:
        """Several statements."""
        return self.execute(sql)

    def close(self) -> None:
        """SQLite closes a file whatever fails meanwhile; apsw would tell what the checkpoint met."""
        try:
            self.inner.close(True)
        except apsw.Error as error:
            assert "open cursors" not in str(error), error


def connect(path: str, **asked: Any) -> Connection:
    """Through the file system that fails; what SQLite keeps for itself (":memory:", "") through the usual one."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    inner = _call(lambda: apsw.Connection(path, flags, VFS if path.startswith("file:") else None))
    inner.set_busy_timeout(int(asked.get("timeout", 5.0) * 1000))
    return Connection(inner)


def complete_statement(text: str) -> bool:
    """Whether a statement ends here."""
    return bool(apsw.complete(text))


def install(version: tuple[int, int, int] = SAFE) -> None:
    """Stand in for pysqlite3 in this process, as a library of this version."""
    assert "pysqlite3" not in sys.modules, "install() comes before the first import of the store"
    ours = sys.modules[__name__]
    package, library, dbapi2 = ModuleType("pysqlite3"), ModuleType("pysqlite3._sqlite3"), ModuleType("pysqlite3.dbapi2")
    library.__file__ = apsw.__file__
    names = ("Error", "DatabaseError", "OperationalError", "IntegrityError", "DataError", "Connection", "Cursor", "connect")
    for name in (*names, "complete_statement"):
        setattr(dbapi2, name, getattr(ours, name))
    for code in DEFENSIVE_CODES:
        setattr(dbapi2, f"SQLITE_{code}", getattr(apsw, f"SQLITE_{code}"))
    for name, value in (("sqlite_version_info", version), ("sqlite_version", ".".join(map(str, version)))):
        setattr(dbapi2, name, value)
    for name, value in (("dbapi2", dbapi2), ("_sqlite3", library)):
        setattr(package, name, value)
    sys.modules |= {"pysqlite3": package, "pysqlite3._sqlite3": library, "pysqlite3.dbapi2": dbapi2}
