"""A connection to PostgreSQL that the store's functions use as they use SQLite's: same statements, rows and errors.

Only what the store files ask of a connection is here. psycopg is loaded with this file, when such a connection is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, Final

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper, TextBinaryLoader
from pysqlite3 import dbapi2

from pos_loyalty import log
from pos_loyalty.errors import StoreError
from pos_loyalty.store.facts import Fact
from sync.server.postgres_ahead import KINDS, Run, new_aside
from sync.server.postgres_dialect import translated
from sync.server.postgres_tables import MARK, MARK_MARK, NUL_MARK, SCHEMA_NAME

COMMIT: Final = "COMMIT"
PREPARE_AFTER: Final = 2
RUN_MIN: Final = 4
"""Facts of sales one after another for which it pays to read ahead."""
PREPARED_MAX: Final = 500
LOCK_WAIT_S: Final = 30
STATEMENT_WAIT_S: Final = 300
Params = Mapping[str, Any] | Sequence[Any]


class RaceError(dbapi2.OperationalError):  # type: ignore[misc]  # the library tells no types
    """Another connection changed what this transaction had read; nothing was written, and it may be tried again."""

    sqlite_errorcode = dbapi2.SQLITE_BUSY


class FullError(dbapi2.OperationalError):  # type: ignore[misc]
    """The server's disk is full."""

    sqlite_errorcode = dbapi2.SQLITE_FULL


class _Claim(psycopg.adapt.Dumper):
    """True and False are 1 and 0."""

    oid = Int8Dumper.oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _Text(StrDumper):
    """Text with the one sign that PostgreSQL's cannot hold written as two others."""

    def dump(self, obj: str) -> bytes:
        return obj.replace(MARK, MARK_MARK).replace("\0", NUL_MARK).encode()


class _TextLoader(TextBinaryLoader):
    """The same text again."""

    def load(self, data: Any) -> Any:
        text = super().load(data)
        assert isinstance(text, str)
        return text.replace(NUL_MARK, "\0").replace(MARK_MARK, MARK) if MARK in text else text


class _Nothing:
    """What a statement answers that PostgreSQL does not need."""

    rowcount = 0

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(())


class PostgresConnection:
    """See the head of this file. Not to be used by two threads at once. ``master_key`` as of ``store.db.Connection``."""

    def __init__(self, url: str) -> None:
        self.master_key: str | None = None
        self._is_undone = False
        self._aside = new_aside()
        self._expected: Sequence[Fact] = ()
        self._run: Run | None = None
        try:
            self.raw = psycopg.connect(url, autocommit=True, prepare_threshold=PREPARE_AFTER)
            self.raw.prepared_max = PREPARED_MAX
            self.raw.execute(f"SET search_path = {SCHEMA_NAME}, pg_catalog")
            self.raw.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'")
            self.raw.execute(f"SET statement_timeout = '{STATEMENT_WAIT_S}s'")
            self.raw.execute("SET synchronous_commit = on" if _is_lax(self.raw) else "SELECT 1")
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL cannot be reached: {_line(error)}") from error
        self.raw.adapters.register_dumper(int, Int8Dumper)
        self.raw.adapters.register_dumper(bool, _Claim)
        self.raw.adapters.register_dumper(str, _Text)
        self.raw.adapters.register_loader("text", _TextLoader)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, a failed one too. A COMMIT that lost a race counts until it is rolled back."""
        return self._is_undone or self.raw.info.transaction_status != TransactionStatus.IDLE

    def execute(self, sql: str, params: Params = ()) -> Any:
        """A cursor with the rows of one statement."""
        self._is_undone = False
        if self._run is not None:
            if self._run.holds(sql, [params]):
                return self._aside.execute(sql, params)
            self.land()
        text = translated(sql)
        if not text:
            return _Nothing()
        try:
            with _errors():
                return self.raw.cursor(binary=True).execute(text.encode(), params)
        except RaceError:
            self._is_undone = sql == COMMIT
            raise

    def executemany(self, sql: str, rows: Iterable[Params]) -> Any:
        """The statement for each row; one is no less than many."""
        many = list(rows)
        if not many:
            return _Nothing()
        if len(many) == 1:
            return self.execute(sql, many[0])
        if self._run is not None:
            if self._run.holds(sql, many):
                return self._aside.executemany(sql, many)
            self.land()
        with _errors():
            cursor = self.raw.cursor()
            cursor.executemany(translated(sql).encode(), many)
            return cursor

    def expect(self, facts: Sequence[Fact]) -> None:
        """As of ``sqlite.Ahead``, like those below."""
        self._expected = facts

    def turn(self, fact: Fact) -> None:
        """Begin a run with this fact, when it and those after it are of sales; end the one before."""
        if self._run is not None and self._run.is_about(fact):
            return
        self.land()
        begins = next((n for n, each in enumerate(self._expected) if each.id == fact.id), len(self._expected))
        facts = tuple(takewhile(lambda each: each.kind in KINDS, self._expected[begins:]))
        if len(facts) >= RUN_MIN:
            with _errors():
                self._run = Run(self.raw, self._aside, fact.till, facts)

    def land(self) -> None:
        """By COPY."""
        run, self._run = self._run, None
        if run is not None:
            with _errors():
                run.land()

    def drop(self) -> None:
        """After a failure too."""
        self._run, self._expected = None, ()

    def close(self) -> None:
        """Let go of the server; what was not committed is undone."""
        self._aside.close()
        self.raw.close()


@contextmanager
def _errors() -> Iterator[None]:
    """psycopg's errors as those that the store files know."""
    try:
        yield
    except (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable) as error:
        raise RaceError(_line(error)) from error
    except (pg.DiskFull, pg.OutOfMemory) as error:
        raise FullError(_line(error)) from error
    except psycopg.IntegrityError as error:
        raise dbapi2.IntegrityError(_line(error)) from error
    except (psycopg.DataError, pg.ProgramLimitExceeded) as error:
        raise dbapi2.DataError(_line(error)) from error
    except psycopg.Error as error:
        log.error("store.server_failed", code=error.sqlstate or "", reason=_line(error))
        raise dbapi2.OperationalError(_line(error)) from error


def _is_lax(raw: psycopg.Connection[Any]) -> bool:
    row = raw.execute("SHOW synchronous_commit").fetchone()
    return row is not None and row[0] == "off"


def _line(error: Exception) -> str:
    """Without the detail, which may hold rows of persons."""
    return str(error).split("\n", 1)[0]
