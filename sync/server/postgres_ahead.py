"""Facts of sales are booked beside PostgreSQL and then written at once: round trips would be most of the work.

A run of such facts reads what they touch in a few questions into a small SQLite database, where the store's own functions book
them; then the rows that changed go over by COPY. Rule: a statement that is not in ALLOWED, or asks for a row that was not read,
ends the run: what is booked goes over first, and the statement goes to PostgreSQL itself. So nothing is answered out of a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from pysqlite3 import dbapi2

from pos_loyalty.store import coupon_words, ledger, returned, sales, uses
from pos_loyalty.store.db import META_SELECT
from pos_loyalty.store.facts import Fact, FactKind
from pos_loyalty.store.migrations import MIGRATIONS
from sync.server import sqlite
from sync.server.postgres_dialect import NEVER_NULL

KINDS: Final[frozenset[FactKind]] = frozenset({"sale.authorised", "sale.completed", "sale.cancelled"})
Rows = Sequence[Any]
Guard = Callable[["Reach", Any], bool]


class Reach:
    """What a run may ask for: by these names everything was read."""

    def __init__(self, till: str, facts: Sequence[Fact]) -> None:
        entries = [entry for fact in facts for entry in fact.entries]
        named = {fact.member for fact in facts} | {entry.member_id for entry in entries}
        about = [fact.sale or fact.end for fact in facts]
        self.till = till
        self.ids = {bytes.fromhex(fact.id) for fact in facts}
        self.members = {member for member in named if member is not None}
        self.lots = {entry.lot_id for entry in entries if entry.lot_id is not None}
        self.sales = {each.sale_id for each in about if each is not None}
        self.accounts = {entry.debit for entry in entries} | {entry.credit for entry in entries} | {"suspense"}
        self.days = {str(fact.sale.biz_day) for fact in facts if fact.sale is not None}

    def widen(self, found: Iterable[tuple[str | None, int]]) -> None:
        """By whose the sales are that stand already, and of which days."""
        for member, day in found:
            self.members |= set() if member is None else {member}
            self.days.add(str(day))

    @property
    def keys(self) -> set[str]:
        """Of ``rule_use``."""
        return self.members | self.days | {""}

    def names(self) -> dict[str, Any]:
        """For the questions."""
        return {
            "till": self.till, "ids": list(self.ids), "members": list(self.members), "lots": list(self.lots),
            "sales": list(self.sales), "accounts": list(self.accounts), "keys": list(self.keys),
        }  # fmt: skip


class Change(NamedTuple):
    """What became of a table's rows; of those that are gone the keys."""

    new: list[Any]
    other: list[Any]
    gone: list[Any]


class Run:
    """Facts that are being booked beside PostgreSQL."""

    def __init__(self, raw: psycopg.Connection[Any], aside: dbapi2.Connection, till: str, facts: Sequence[Fact]) -> None:
        self._raw, self._aside = raw, aside
        self._reach = Reach(till, facts)
        self._forget()  # a run that failed leaves its rows
        self._before: dict[str, set[Any]] = {table: set() for table in WRITTEN}
        self._read(FIRST)
        self._reach.widen(aside.execute("SELECT member, biz_day FROM sale").fetchall())
        self._read(SECOND)

    def is_about(self, fact: Fact) -> bool:
        """Whether this fact was read ahead for."""
        return bytes.fromhex(fact.id) in self._reach.ids

    def holds(self, sql: str, rows: Rows) -> bool:
        """Whether this statement with all these parameters is answered here."""
        guard = ALLOWED.get(sql)
        return guard is not None and all(guard(self._reach, row) for row in rows)

    def land(self) -> None:
        """Write the rows that changed."""
        changes = {table: self._changed(table) for table in WRITTEN}
        with self._raw.pipeline(), self._raw.cursor() as cursor:
            for table, change in changes.items():
                if change.other:
                    cursor.executemany(UPDATES[table].encode(), [(*row, *_key(table, row)) for row in change.other])
                if change.gone:
                    cursor.executemany(DELETES[table].encode(), change.gone)
        with self._raw.cursor() as cursor:
            for table, change in changes.items():
                _copy(cursor, table, COLUMNS[table], change.new)
            place = [COLUMNS["txn"].index(name) for name in PLACE]
            _copy(cursor, "txn_place", PLACE, [tuple(row[at] for at in place) for row in changes["txn"].new])
        self._forget()

    def _forget(self) -> None:
        for table in TABLES:
            self._aside.execute(f"DELETE FROM {table}")

    def _read(self, questions: Sequence[tuple[str, str]]) -> None:
        names = self._reach.names()
        with self._raw.pipeline():
            asked = [self._raw.cursor(binary=True).execute(_question(*each).encode(), names) for each in questions]
        for (table, _), cursor in zip(questions, asked, strict=True):
            rows = cursor.fetchall()
            marks = ", ".join("?" * len(COLUMNS[table]))
            self._aside.executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks})", rows)
            if table in self._before:
                self._before[table] |= set(rows)

    def _changed(self, table: str) -> Change:
        before = self._before[table]
        after = self._aside.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table}").fetchall()
        stood = {_key(table, row) for row in before}
        moved = [row for row in after if row not in before]
        kept = {_key(table, row) for row in after} if before else set()
        return Change(
            new=[row for row in moved if _key(table, row) not in stood],
            other=[row for row in moved if _key(table, row) in stood],
            gone=[key for key in stood if key not in kept],
        )


def _key(table: str, row: Any) -> tuple[Any, ...]:
    return tuple(row[at] for at in KEYS[table])


def _copy(cursor: psycopg.Cursor[Any], table: str, columns: Sequence[str], rows: Rows) -> None:
    if not rows:
        return
    nobody = columns.index(NEVER_NULL[table]) if table in NEVER_NULL else -1
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row if nobody < 0 or row[nobody] is not None else (*row[:nobody], "", *row[nobody + 1 :]))


def _question(table: str, where: str) -> str:
    said = (f"nullif({name}, '')" if NEVER_NULL.get(table) == name else name for name in COLUMNS[table])
    return f"SELECT {', '.join(said)} FROM {table} WHERE {where}"


def _where(table: str) -> str:
    return " AND ".join(f"{COLUMNS[table][at]} = %s" for at in KEYS[table])


def new_aside() -> dbapi2.Connection:
    """A SQLite database in memory with our tables, empty."""
    db = dbapi2.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=len(ALLOWED) * 2)
    for step in MIGRATIONS:
        db.executescript(step)
    return db


def _shape() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[int, ...]]]:
    """Of the tables of a run: their columns, and where their keys stand among these."""
    columns, keys = {}, {}
    db = new_aside()
    for table in TABLES:
        found = db.execute(f"PRAGMA table_info({table})").fetchall()
        columns[table] = tuple(name for _, name, *_ in found)
        keys[table] = tuple(at for _, at in sorted((key, at) for at, _, _, _, _, key in found if key))
    db.close()
    return columns, keys


def _by(name: str, of: str) -> Guard:
    return lambda reach, row: row[name] in getattr(reach, of)


def _of_sale(reach: Reach, row: Any) -> bool:
    return bool(row["till"] == reach.till and row["sale_id"] in reach.sales)


def _of_line(reach: Reach, row: Any) -> bool:
    return bool(row[0] == reach.till and row[1] in reach.sales)


OF_FILE: Final = ("role", "owner")
ALLOWED: Final[Mapping[str, Guard]] = {
    sqlite.ID_SELECT: _by("id", "ids"),
    sqlite.MEMBER_SELECT: lambda reach, row: row["member"] is None or row["member"] in reach.members,
    sqlite.LOT_SELECT: lambda reach, row: row["lot"] is None or row["lot"] in reach.lots,
    sqlite.SALE_SELECT: _of_sale,
    sqlite.LENT_SELECT: _of_sale,
    ledger.TXN_INSERT: _by("id", "ids"),
    ledger.ENTRY_INSERT: lambda reach, row: row[0] in reach.ids and (row[7] is None or row[7] in reach.lots),
    ledger.LOT_INSERT: _by("id", "lots"),
    ledger.LOT_FOLD_SELECT: _by("lot", "lots"),
    ledger.LOT_UPDATE: _by("lot", "lots"),
    ledger.BALANCE_SELECT: _by("account", "accounts"),
    ledger.BALANCE_UPSERT: lambda reach, row: row[0] in reach.accounts,
    ledger.BALANCE_DELETE: lambda reach, row: row[0] in reach.accounts,
    sales.SALE_INSERT: _of_sale,
    sales.LINE_INSERT: _of_line,
    sales.ADJUSTMENT_INSERT: _of_line,
    sales.ENDS_SELECT: _of_sale,
    sales.ENDS_UPDATE: _of_sale,
    sales.USED_SELECT: _of_sale,
    uses.USE_UPSERT: lambda reach, row: row[1] in reach.keys,
    uses.USE_DELETE: lambda reach, row: row[1] in reach.keys,
    uses.COUNTER_UPSERT: lambda reach, row: row[0] in reach.members,
    uses.COUNTER_DELETE: lambda reach, row: row[0] in reach.members,
    returned.BODIES_SELECT: lambda reach, row: row["sale_till"] == reach.till and row["sale_id"] in reach.sales,
    coupon_words.OF_SALE_SELECT: _of_sale,
    META_SELECT: lambda reach, row: row["key"] in OF_FILE,
}
"""Statements that a run answers, each with what must have been read for it. The texts are the store's own."""
OF_SALES: Final = "till = %(till)s AND sale_id = ANY(%(sales)s)"
RETURNS: Final = "sale_till = %(till)s AND sale_id = ANY(%(sales)s)"
TOUCHED: Final = (
    f"id IN (SELECT id FROM txn WHERE {OF_SALES} UNION ALL SELECT txn FROM entry WHERE lot = ANY(%(lots)s) "
    f"UNION ALL SELECT txn FROM sale_return WHERE {RETURNS})"
)
FIRST: Final = (
    ("meta", f"key IN {OF_FILE}"),
    ("txn", "id = ANY(%(ids)s)"),
    ("txn", TOUCHED),
    ("entry", TOUCHED.replace("id IN", "txn IN", 1)),
    ("lot", "id = ANY(%(lots)s)"),
    ("balance", "account = ANY(%(accounts)s)"),
    ("sale", OF_SALES),
    ("sale_return", RETURNS),
    ("coupon_use", OF_SALES),
    ("issue", f"txn IN (SELECT txn FROM sale WHERE {OF_SALES})"),
)
SECOND: Final = (
    ("member", "id = ANY(%(members)s)"),
    ("rule_use", "key = ANY(%(keys)s)"),
    ("member_counter", "member = ANY(%(members)s)"),
)
WRITTEN: Final = ("txn", "entry", "lot", "balance", "sale", "sale_line", "adjustment", "rule_use", "member_counter")
"""In the order in which one refers to another."""
TABLES: Final = tuple(dict.fromkeys((*(table for table, _ in (*FIRST, *SECOND)), *WRITTEN)))
PLACE: Final = ("till", "epoch", "seq", "id", "receipt_no")
COLUMNS, KEYS = _shape()
UPDATES: Final = {
    table: f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in COLUMNS[table])} WHERE {_where(table)}" for table in WRITTEN
}
DELETES: Final = {table: f"DELETE FROM {table} WHERE {_where(table)}" for table in WRITTEN}
