"""Head office's ledger in PostgreSQL: the store's own functions over a connection that speaks PostgreSQL.

One database is one head office. Its tables are in the schema ``pos_loyalty``; its text is ordered by bytes, as SQLite orders it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, cast

from pysqlite3 import dbapi2

from pos_loyalty import log
from pos_loyalty.errors import CommitUnknownError, StoreBusyError, StoreRaceError, StoreSchemaError
from pos_loyalty.store.db import Connection, Role, meta, write
from pos_loyalty.store.versions import FILE_VERSION, check_known, check_newest, step_up
from pos_loyalty.store.witness import watched
from sync.server.postgres_connection import PostgresConnection, RaceError
from sync.server.postgres_tables import READ_TEXT, SCHEMA_NAME, months, statements, statements_of
from sync.server.sqlite import SqliteLedgerStore
from sync.server.sqlite_rights import Policy

ROLE: Final[Role] = "head_office"
ALL_TILLS: Final = 0x504F534C
"""The lock that every batch shares, and one alone takes who has lost a race."""
MAKING: Final = ALL_TILLS + 1
IS_MADE_SELECT: Final = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = :name AND tablename = 'meta'"
ORDER_SELECT: Final = """SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"""
NEW_DATABASE: Final = "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"


class Claims:
    """Locks that last for a transaction, taken before it begins, so that it sees what was written before it had the lock."""

    def __init__(self, db: PostgresConnection) -> None:
        self._db = db
        self._is_alone = True
        """The first time, when the database is opened, and after a lost race: nobody else writes then."""

    @contextmanager
    def __call__(self, till: str | None) -> Iterator[None]:
        """One till's log, or none. Raises StoreRaceError when another writer was faster, StoreBusyError after a long wait, and
        CommitUnknownError when the server is gone, so that a new connection is made."""
        if self._db.raw.closed:
            raise CommitUnknownError("PostgreSQL went away; the next try makes a new connection.")
        self._lock(till)
        try:
            yield
            self._is_alone = False
        except StoreBusyError as error:
            if not isinstance(error.__cause__, RaceError):
                raise
            self._is_alone = True
            raise StoreRaceError(str(error)) from error
        finally:
            self._unlock()

    def _lock(self, till: str | None) -> None:
        try:
            self._db.execute(f"SELECT pg_advisory_lock{'' if self._is_alone else '_shared'}(?)", (ALL_TILLS,))
            if till is not None:
                self._db.execute("SELECT pg_advisory_lock(hashtextextended(?, 1))", (till,))
        except dbapi2.Error as error:
            self._unlock()
            raise StoreBusyError("Another process writes to head office's database for long; try again later.") from error

    def _unlock(self) -> None:
        """A connection that cannot even do this is let go: its locks go with it."""
        try:
            if not self._db.raw.closed:
                self._db.execute("SELECT pg_advisory_unlock_all()")
        except dbapi2.Error as error:
            log.error("store.unlock_failed", reason=str(error))
            self._db.close()


def open_ledger(url: str, master_key: bytes, owner: str, now: datetime, policy: Policy = "escrow") -> SqliteLedgerStore:
    """Open head office's database, its tables made when there are none. Raises StoreError, StoreSchemaError for another's."""
    db = open_postgres(url, owner, now)
    return SqliteLedgerStore(as_store(db), master_key, Claims(db), db, policy)


def open_postgres(url: str, owner: str, now: datetime) -> PostgresConnection:
    """Raises as ``open_ledger`` does. Makes the months of the log that are due."""
    db = PostgresConnection(url)
    try:
        if db.execute(ORDER_SELECT).fetchone() != ("C", "UTF8"):
            raise StoreSchemaError(f"This PostgreSQL database orders text by a language; make one with {NEW_DATABASE}.")
        db.raw.execute("SELECT pg_advisory_lock(%s)", (MAKING,))
        if not _is_made(db):
            _make(db, owner, now)
        _check(db, owner)
        db.raw.execute(READ_TEXT)  # a database that was made before may have another
        _bring_up(db)
        add_months(db, now)
        db.raw.execute("SELECT pg_advisory_unlock_all()")
    except BaseException:
        db.close()
        raise
    return db


def open_reader(url: str) -> PostgresConnection:
    """To read a head office's database that is there. Raises StoreSchemaError when there is none."""
    db = PostgresConnection(url)
    try:
        if not _is_made(db):
            raise StoreSchemaError("This PostgreSQL database holds no head office of pos_loyalty.")
        _check(db, meta(as_store(db), "owner") or "")
        check_newest(_version(db), HERE)
    except BaseException:
        db.close()
        raise
    return db


def as_store(db: PostgresConnection) -> Connection:
    """The connection as the store's functions call it."""
    return cast(Connection, db)


def add_months(db: PostgresConnection, now: datetime) -> None:
    """Months of the log ahead of time. A month whose facts lie in the rest already stays there."""
    with write(as_store(db)):
        for month in months(now):
            is_there, is_late = db.execute(MONTH_SELECT, month._asdict()).fetchone()
            if not is_there and not is_late:
                db.raw.execute(month.statement)


def _is_made(db: PostgresConnection) -> bool:
    return bool(db.execute(IS_MADE_SELECT, {"name": SCHEMA_NAME}).fetchone()[0])


def _make(db: PostgresConnection, owner: str, now: datetime) -> None:
    store = as_store(db)
    with write(store):
        db.raw.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA_NAME}")
        for statement in statements():
            db.raw.execute(statement)
        db.raw.execute(_numbered(FILE_VERSION))
        said = {"role": ROLE, "owner": owner, "epoch": "1", "made_at": now.isoformat()}
        with watched(store, "meta", "TRUE", ()):
            db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", said.items())
        with watched(store, "sync_state", "TRUE", ()):
            db.execute(STATE_INSERT, {"genesis": bytes(32)})


def _bring_up(db: PostgresConnection) -> None:
    """An older database goes up a version at a time, each in a transaction with its number."""

    def run(step: str) -> None:
        for statement in statements_of(step):
            db.raw.execute(statement)

    while (version := _version(db)) < FILE_VERSION:
        with write(as_store(db)):
            step_up(as_store(db), version, run)
            db.raw.execute(_numbered(version + 1))
        log.info("store.brought_up", from_version=version, to_version=FILE_VERSION)


def _version(db: PostgresConnection) -> int:
    """The number that the schema bears; 0 without one."""
    said = db.execute(NUMBER_SELECT, {"name": SCHEMA_NAME}).fetchone()[0]
    return int(said.removeprefix(NUMBERED)) if said and said.removeprefix(NUMBERED).isdigit() else 0


def _numbered(version: int) -> str:
    return f"COMMENT ON SCHEMA {SCHEMA_NAME} IS '{NUMBERED}{version}'"


def _check(db: PostgresConnection, owner: str) -> None:
    store = as_store(db)
    check_known(_version(db), meta(store, "build"), HERE)
    if (meta(store, "role"), meta(store, "owner")) != (ROLE, owner):
        raise StoreSchemaError(
            f"This is the database of {meta(store, 'role')} {meta(store, 'owner')}, not of head office {owner}."
        )


HERE: Final = "This PostgreSQL database"
NUMBERED: Final = "pos_loyalty tables "
NUMBER_SELECT: Final = "SELECT obj_description(to_regnamespace(:name), 'pg_namespace')"
MONTH_SELECT = """SELECT to_regclass(:name) IS NOT NULL,
  EXISTS (SELECT 1 FROM txn_rest WHERE id >= :first_id AND id < :end_id)"""
STATE_INSERT = "INSERT INTO sync_state (id, acked_seq, acked_hash, pulled_version) VALUES (1, 0, :genesis, 0)"
