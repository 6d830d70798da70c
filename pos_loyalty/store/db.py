"""Opening the SQLite file, and the one way to write to it. Rule: only pysqlite3 opens our files, and fails closed.

**Source:** the WAL-reset bug (https://www.sqlite.org/wal.html#walresetbug) decides which library may use WAL; two copies of
SQLite in one process drop each other's locks (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from pysqlite3 import dbapi2

from pos_loyalty import log
from pos_loyalty.errors import CommitUnknownError, StoreBusyError, StoreError, StoreFullError, StoreSchemaError
from pos_loyalty.store.guard import check_local, refuse_stdlib_opens
from pos_loyalty.store.guard import guard_single_copy as guard_single_copy
from pos_loyalty.store.guard import own as own
from pos_loyalty.store.migrations import APPLICATION_ID, MIGRATIONS
from pos_loyalty.store.versions import FILE_VERSION, check_known, check_newest, statements, step_up
from pos_loyalty.store.witness import watched

Role = Literal["till", "head_office"]

BUSY_TIMEOUT_MS = 5000
SCRUB_WAIT_MS = 250
CHECKPOINT_PAGES = 16_384
"""SQLite itself checkpoints above 64 MB of WAL; until then the till does it when it is idle."""
STATEMENTS_MAX = 256
BACKUP_PAGES = 1024
PRIMARY_CODE = 0xFF
NOT_SURE = "It is not known whether this was stored ({reason}); look it up before trying again."
META_SELECT = "SELECT value FROM meta WHERE key = :key"
ROLE_WORDS = {"till": "till", "head_office": "head office"}


class Connection(dbapi2.Connection):  # type: ignore[misc]  # the library tells no types
    """A connection. ``master_key``: opens the data keys of members; None for who folds nothing that is sealed. ``is_doubtful``:
    a COMMIT failed, and nobody may ask this connection whether it stands."""

    master_key: str | None = None
    is_doubtful: bool = False


def open_store(path: Path, *, role: Role, owner: str, now: datetime, master_key: str | None = None) -> Connection:
    """Open the file, made when absent, brought up when it is of an older version.

    Raises StoreSchemaError for another's file or a newer one, StoreBusyError, StoreFullError, StoreError.

    The connection may move between threads, but is never used by two at once.
    """
    check_local(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    refuse_stdlib_opens(path)
    with _sentences(path):
        db = _connect(f"{path.absolute().as_uri()}?mode=rwc")
        try:
            _check_ours(db, path)
            _set_pragmas(db)
            if not _is_made(db):
                _make(db, role=role, owner=owner, now=now)
            _check_meta(db, path, role=role, owner=owner)
            _bring_up(db, path)
        except BaseException:
            db.close()
            raise
    db.master_key = master_key
    return db


def open_aside(path: Path, tables: str) -> Connection:
    """A small file with tables of its own beside a store's, as durable as one. It may be lost: nothing stands in it alone.

    Raises as ``open_store`` does.
    """
    check_local(path)
    refuse_stdlib_opens(path)
    with _sentences(path):
        db = _connect(f"{path.absolute().as_uri()}?mode=rwc")
        try:
            _set_pragmas(db)
            db.executescript(tables)
        except BaseException:
            db.close()
            raise
    return db


def open_to_write(path: Path, *, now: datetime, master_key: str | None = None) -> Connection:
    """Open a file that is there, whoever's it is. Raises as ``open_store`` does."""
    reader = open_any(path)
    try:
        role, owner = meta(reader, "role"), meta(reader, "owner") or ""
    finally:
        reader.close()
    named: Role = "head_office" if role == "head_office" else "till"
    return open_store(path, role=named, owner=owner, now=now, master_key=master_key)


def open_reader(path: Path, *, master_key: str | None = None) -> Connection:
    """A connection that cannot write, beside those that do. Raises StoreSchemaError when there is none of this version."""
    db = open_any(path, master_key=master_key)
    try:
        check_newest(_pragma(db, "user_version"), str(path))
    except BaseException:
        db.close()
        raise
    return db


def open_any(path: Path, *, master_key: str | None = None) -> Connection:
    """As ``open_reader``, of an older version too: for who copies the file, or asks whose it is."""
    if not path.is_file():
        raise StoreSchemaError(f"There is no database at {path}.")
    refuse_stdlib_opens(path)
    with _sentences(path):
        db = _connect(f"{path.absolute().as_uri()}?mode=ro")
        try:
            _check_ours(db, path)
            if not _is_made(db):
                raise StoreSchemaError(f"{path} is an empty database, not one of pos_loyalty.")
            db.execute("PRAGMA query_only = ON")
            check_known(_pragma(db, "user_version"), meta(db, "build"), str(path))
        except BaseException:
            db.close()
            raise
    db.master_key = master_key
    return db


@contextmanager
def write(db: Connection) -> Iterator[None]:
    """One transaction: BEGIN IMMEDIATE … COMMIT, or nothing at all. Does not nest.

    Raises StoreBusyError and StoreFullError when surely nothing was written, CommitUnknownError when COMMIT itself failed:
    then the connection must be closed, the file opened again and the id looked up.
    """
    assert not db.in_transaction, "write() does not nest"
    try:
        db.execute("BEGIN IMMEDIATE")
    except dbapi2.Error as error:
        raise _translated(error) from error
    try:
        yield
    except dbapi2.Error as error:
        _roll_back(db)
        raise _translated(error) from error
    except BaseException:
        _roll_back(db)
        raise
    try:
        db.execute("COMMIT")
    except dbapi2.Error as error:
        _commit_failed(db, error)


@contextmanager
def snapshot(db: Connection) -> Iterator[None]:
    """Several reads of one state of the file, whatever others write meanwhile. Within a transaction that is so already."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        _roll_back(db)


@contextmanager
def reads() -> Iterator[None]:
    """For who reads outside of a transaction and goes on when that fails: what SQLite raises comes as a StoreError."""
    try:
        yield
    except dbapi2.Error as error:
        raise _translated(error) from error


def was_full(error: StoreError) -> bool:
    """Whether a full disk was the cause."""
    return isinstance(error, StoreFullError) or _code(error.__cause__) == dbapi2.SQLITE_FULL


def checkpoint(db: Connection) -> int:
    """Move what it can from the WAL into the file without waiting for anybody; answers how many pages are left in the WAL.

    Raises StoreError.
    """
    try:
        _, in_wal, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except dbapi2.Error as error:
        raise _translated(error) from error
    return max(0, int(in_wal) - int(moved))


def make_sure(db: Connection) -> None:
    """After a failed COMMIT that stands all the same: what a failed sync left in memory alone goes to the disk once more.

    Without this the answer, and every later one, would be gone with the power. Raises CommitUnknownError.
    """
    try:
        busy, in_wal, moved = db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    except dbapi2.Error as error:
        raise CommitUnknownError(NOT_SURE.format(reason=error)) from error
    if busy or in_wal != moved:
        raise CommitUnknownError(NOT_SURE.format(reason="another process reads the file"))


def scrub(db: Connection) -> bool:
    """Empty the WAL, so that what was deleted lies nowhere any more. False while somebody else reads, or when the disk fails: try
    again later. A till that sells does not wait long for a reader."""
    try:
        db.execute(f"PRAGMA busy_timeout = {SCRUB_WAIT_MS}")
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except dbapi2.Error as error:
        log.error("store.scrub_failed", reason=str(error))
        return False
    finally:
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return not busy


def backup(db: Connection, target: Path) -> None:
    """A whole, consistent copy beside a working till. ``target`` must not exist. Raises StoreError."""
    if target.exists():
        raise StoreError(f"{target} exists already; name a new file for the backup.")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with _sentences(target):
        copy = dbapi2.connect(str(part), isolation_level=None)
        try:
            db.backup(copy, pages=BACKUP_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
    os.replace(part, target)


def file_of(db: Connection) -> Path:
    """Where the file lies."""
    return Path(db.execute("PRAGMA database_list").fetchone()[2])


def meta(db: Connection, key: str) -> str | None:
    """What the file says of itself: role, owner, epoch, made_at."""
    row = db.execute(META_SELECT, {"key": key}).fetchone()
    return None if row is None else str(row[0])


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite is free of the WAL-reset bug: fixed in 3.51.3, and in the branches 3.50.7 and 3.44.6."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)


def sqlite_in_use() -> tuple[int, int, int]:
    """The version of the one SQLite that opens our files; Python's own is another."""
    version: tuple[int, int, int] = dbapi2.sqlite_version_info
    return version


def _connect(uri: str) -> Connection:
    db: Connection = dbapi2.connect(
        uri,
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_MS / 1000,
        cached_statements=STATEMENTS_MAX,
        check_same_thread=False,
        factory=Connection,
    )
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA secure_delete = ON")  # a key that was destroyed may lie nowhere in the file
    return db


def _check_ours(db: Connection, path: Path) -> None:
    mark = _pragma(db, "application_id")
    tables = db.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
    if mark != APPLICATION_ID and (mark or tables):
        raise StoreSchemaError(f"{path} is a database of another program; name another file.")


def _is_made(db: Connection) -> bool:
    return bool(db.execute("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'meta'").fetchone()[0])


def _set_pragmas(db: Connection) -> None:
    """WAL and FULL, or DELETE and EXTRA with a library that would break WAL. What was set is read back."""
    safe = wal_is_safe(dbapi2.sqlite_version_info)
    journal, synchronous = ("wal", "FULL") if safe else ("delete", "EXTRA")
    if not safe:
        log.warning("store.wal_refused", sqlite=dbapi2.sqlite_version, journal=journal, synchronous=synchronous)
    got = str(db.execute(f"PRAGMA journal_mode = {journal}").fetchone()[0]).lower()
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if got != journal or _pragma(db, "synchronous") != {"FULL": 2, "EXTRA": 3}[synchronous] or _pragma(db, "foreign_keys") != 1:
        raise StoreError(f"The file system does not let SQLite use journal {journal} with {synchronous} (it says {got}).")


def _make(db: Connection, *, role: Role, owner: str, now: datetime) -> None:
    """All tables in one transaction; another process may have been faster."""
    with write(db):
        if _is_made(db):
            return
        for step in MIGRATIONS:
            for statement in statements(step):
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FILE_VERSION}")
        said = {"role": role, "owner": owner, "epoch": "1", "made_at": now.isoformat()}
        with watched(db, "meta", "TRUE", ()):
            db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", said.items())
        with watched(db, "sync_state", "TRUE", ()):
            db.execute("INSERT INTO sync_state (id, acked_seq, acked_hash, pulled_version) VALUES (1, 0, zeroblob(32), 0)")


def _bring_up(db: Connection, path: Path) -> None:
    """A version at a time; another process may have been faster, or may have gone further."""

    def run(step: str) -> None:
        for statement in statements(step):
            db.execute(statement)

    while _pragma(db, "user_version") != FILE_VERSION:
        with write(db):
            version = _pragma(db, "user_version")
            check_known(version, meta(db, "build"), str(path))
            if version < FILE_VERSION:
                step_up(db, version, run)
                db.execute(f"PRAGMA user_version = {version + 1}")
        log.info("store.brought_up", from_version=version, to_version=FILE_VERSION)


def _check_meta(db: Connection, path: Path, *, role: Role, owner: str) -> None:
    check_known(_pragma(db, "user_version"), meta(db, "build"), str(path))
    has_role, has_owner = meta(db, "role"), meta(db, "owner")
    if (has_role, has_owner) != (role, owner):
        has = f"{ROLE_WORDS.get(has_role or '', 'nobody')} {has_owner}"
        raise StoreSchemaError(f"{path} is the database of {has}, not of {ROLE_WORDS[role]} {owner}; name another file.")


def _pragma(db: Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except dbapi2.Error as error:
        if _code(error) == dbapi2.SQLITE_NOTADB:
            raise StoreSchemaError(f"{path} is not a database.") from error
        raise _translated(error, path) from error


def _translated(error: Exception, path: Path | None = None) -> StoreError:
    where = f" ({path})" if path else ""
    match _code(error):
        case dbapi2.SQLITE_FULL:
            return StoreFullError(f"The disk is full; nothing was written. Free some space and try again{where}.")
        case dbapi2.SQLITE_BUSY | dbapi2.SQLITE_LOCKED:
            return StoreBusyError(f"Another process is writing to the database; nothing was written, try again{where}.")
        case dbapi2.SQLITE_READONLY | dbapi2.SQLITE_CANTOPEN | dbapi2.SQLITE_PERM:
            return StoreError(f"The database cannot be opened for writing; check the folder and its rights{where}.")
        case dbapi2.SQLITE_CORRUPT:
            return StoreError(f"The database is damaged; stop, and restore it from a backup{where}.")
        case _:
            return StoreError(f"The database failed; nothing was written: {error}{where}.")


def _commit_failed(db: Connection, error: Exception) -> None:
    """A busy COMMIT is surely undone by ROLLBACK; any other failed COMMIT may yet stand."""
    if _code(error) == dbapi2.SQLITE_BUSY and db.in_transaction:
        _roll_back(db)
        raise _translated(error) from error
    db.is_doubtful = True
    reason = "the disk is full" if _code(error) == dbapi2.SQLITE_FULL else str(error)
    raise CommitUnknownError(NOT_SURE.format(reason=reason)) from error


def _roll_back(db: Connection) -> None:
    if db.in_transaction:
        try:
            db.execute("ROLLBACK")
        except dbapi2.Error as error:
            log.error("store.rollback_failed", reason=str(error))


def _code(error: BaseException | None) -> int:
    """SQLite's primary result code of an error, or 0."""
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, dbapi2.Error) else None
    return int(code) & PRIMARY_CODE if code is not None else 0
