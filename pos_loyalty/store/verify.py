"""Whether a file agrees with itself: the log is read again from its payloads, and all that follows from it is compared.

Rule: it reads only, beside a working till, in memory that does not grow with the file, and says one sentence a difference.
"""

from __future__ import annotations

import gc
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain as chained
from itertools import islice
from typing import Any

from msgspec.structs import replace
from pysqlite3 import dbapi2

from pos_loyalty.engine.by_hand import is_carrying
from pos_loyalty.engine.lapsed import EXPIRED, GIVEN
from pos_loyalty.engine.ledger import ADJUSTMENT, owed_account
from pos_loyalty.engine.model import Entry
from pos_loyalty.engine.owed import is_settling, is_unsettling
from pos_loyalty.errors import InputError
from pos_loyalty.store import issues, ledger, lot_words, member_folds, sales
from pos_loyalty.store.chain_checks import LogRow, chain_differences, head_differences
from pos_loyalty.store.db import Connection, snapshot
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.folds import CACHE_CHECKS, FACTLESS_SALES_SELECT
from pos_loyalty.store.follow import DIFFERENCES
from pos_loyalty.store.migrations import MIGRATIONS
from pos_loyalty.store.tallies import OF_SALES, TABLES, Tallies

DIFFERENCES_MAX = 1000
CACHE_KB = 8_192
SUSPENSE = "suspense"


def verify(db: Connection) -> tuple[str, ...]:
    """A sentence for each difference, at most DIFFERENCES_MAX; none when the file agrees with itself."""
    db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    with snapshot(db), _values_freed_by_count():
        return tuple(islice(_differences(db), DIFFERENCES_MAX))


@contextmanager
def _values_freed_by_count() -> Iterator[None]:
    """Decoded facts hold no cycles: looking for them would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _differences(db: Connection) -> Iterator[str]:
    for check in (_file_differences, _schema_differences, _log_differences, head_differences, *CACHE_CHECKS, *DIFFERENCES):
        try:
            yield from check(db)
        except dbapi2.DatabaseError as error:
            yield f"SQLite cannot read all of the file: {error}."
        except InputError as error:
            yield f"Something that is stored cannot be read: {error}"


def _schema_differences(db: Connection) -> Iterator[str]:
    """Tables and indexes are as this build makes them; tables of others may stand beside them."""
    stored = _schema(db)
    for kind, name, sql in _schema_made():
        if stored.get((kind, name)) != sql:
            yield f"The {kind} {name} is missing or not as this build makes it."


@cache
def _schema_made() -> tuple[tuple[str, str, str], ...]:
    """Kind, name and statement of all that this build makes."""
    fresh = dbapi2.connect(":memory:")
    try:
        for step in MIGRATIONS:
            fresh.executescript(step)
        made = _schema(fresh)
    finally:
        fresh.close()
    return tuple((kind, name, sql) for (kind, name), sql in made.items())


def _schema(db: Connection) -> dict[tuple[str, str], str]:
    """By kind and name; what SQLite makes by itself is left out."""
    return {(kind, name): _plain(sql) for kind, name, sql in db.execute(SCHEMA_SELECT)}


@lru_cache(1024)
def _plain(sql: str) -> str:
    """A statement without comments and line ends, which opening a file takes out."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


def _file_differences(db: Connection) -> Iterator[str]:
    for (answer,) in db.execute("PRAGMA integrity_check(100)"):
        if answer != "ok":
            yield f"SQLite finds damage: {answer}."


def _log_differences(db: Connection) -> Iterator[str]:
    """The log, and the tables whose rows follow from single facts: these are summed up, and looked at only when sums differ."""
    before: LogRow | None = None
    tallies = Tallies(db)
    for fields in db.execute(LOG_SELECT):
        row = _row(fields)
        yield from chain_differences(db, before, row)
        try:
            fact = fact_of(row.payload)
        except InputError as error:
            yield f"{row.place}: the payload cannot be read: {error}."
        else:
            yield from _fact_differences(db, row, fact)
            yield from _entries_tallied(db, row, fact, tallies)
            yield from _sale_tallied(db, row, fact, tallies)
        before = row
    differing = tuple(tallies.differing())
    if differing:
        yield from _one_by_one(db, differing)
    if "lot" in differing or not tallies.sums_lots:
        for (lot,) in db.execute(UNMADE_SELECT):
            yield f"Lot {lot} was made by no entry of the fact that it names."
    yield from _key_differences(db, () if differing else TABLES)


def _row(fields: tuple[Any, ...]) -> LogRow:
    till, epoch, seq, hlc, payload, prev_hash, hash_, *columns, has_case, is_shared = fields
    return LogRow(till, epoch, seq, hlc, payload, prev_hash, hash_, tuple(columns), bool(has_case), bool(is_shared))


def _entries_tallied(db: Connection, row: LogRow, fact: Fact, tallies: Tallies) -> Iterator[str]:
    """A fact that has a case is looked at here and now; any other is only counted in."""
    if row.has_case:
        yield from _entry_differences(db, row, fact)
        tallies.add_entries_as_stored(fact)
        return
    tallies.add_entries(fact)
    if not tallies.sums_lots:
        yield from _lots_differences(db, row, fact)


def _sale_tallied(db: Connection, row: LogRow, fact: Fact, tallies: Tallies) -> Iterator[str]:
    """A sale that has a case is looked at here and now; any other is only counted in."""
    if fact.award is not None:
        tallies.add_award(fact)
    if fact.sale is None:
        return
    if fact.receipt_no is None:
        yield f"{row.place}: sale {fact.sale.sale_id} has no receipt number."
    later = ledger.sale_facts_after(db, fact) if row.is_shared else ()
    if row.has_case or any(_has_case(db, each) for each in later):
        yield from _sale_differences(db, row, fact)
        yield from _issue_differences(db, row, fact)
        tallies.add_as_stored(fact)
    else:
        tallies.add_sale(fact, later)


def _one_by_one(db: Connection, differing: tuple[str, ...]) -> Iterator[str]:
    """Every fact looked at by itself: slow, and only for a file in which something is wrong."""
    found = False
    for fields in db.execute(LOG_SELECT):
        row = _row(fields)
        try:
            fact = fact_of(row.payload)
        except InputError:
            continue
        if row.has_case:
            looks: tuple[Iterator[str], ...] = (_issue_differences(db, row, fact),)
        else:
            looks = (_entry_differences(db, row, fact), _sale_differences(db, row, fact), _issue_differences(db, row, fact))
        for difference in chained(*looks):
            found = True
            yield difference
    for till, sale_id in db.execute(FACTLESS_SALES_SELECT):
        found = True
        yield f"Till {till}, sale {sale_id}: no fact in the log began it."
    unexplained = [table for table in differing if table in OF_SALES]  # of the others one fact may rightly have other rows
    if unexplained and not found:
        yield f"Rows of {', '.join(unexplained)} follow from no fact."


def _key_differences(db: Connection, sound: tuple[str, ...]) -> Iterator[str]:
    """Rows that name missing ones; tables that were found to hold what the log makes of them need no look."""
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        if name in sound:
            continue
        for table, _, parent, _ in db.execute("SELECT * FROM pragma_foreign_key_check(?)", (name,)):
            yield f"A row of {table} names a row of {parent} that is missing."


def _fact_differences(db: Connection, row: LogRow, fact: Fact) -> Iterator[str]:
    expected = ledger.columns_of(fact)
    if tuple(expected.values()) != row.columns:
        yield from _column_differences(row.place, expected, dict(zip(TXN_COLUMNS, row.columns, strict=True)))
    if fact.end is not None and sales.end_columns(db, fact.till, fact.end.sale_id) is None and not _has_case(db, fact):
        yield f"{row.place}: it ends sale {fact.end.sale_id}, which is missing."
    if fact.enrolment is not None and not _exists(db, "member", fact.enrolment.member_id):
        yield f"{row.place}: it enrols member {fact.enrolment.member_id}, who is missing."
    elif fact.enrolment is not None and not row.has_case:
        yield from member_folds.of_enrolment(db, fact)


def _issue_differences(db: Connection, row: LogRow, fact: Fact) -> Iterator[str]:
    issues_here = fact.award is not None or (fact.sale is not None and _is_booked(db, fact))
    if issues_here and list(issues.issue_rows(fact)) != db.execute(ISSUES_SELECT, (bytes.fromhex(fact.id),)).fetchall():
        yield f"{row.place}: what it issued is not what the payload says."


def _column_differences(place: str, expected: dict[str, Any], stored: dict[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        if stored[name] != value:
            yield f"{place}: {name} is {_shown(stored[name])}, by the log it is {_shown(value)}."


def _entry_differences(db: Connection, row: LogRow, fact: Fact) -> Iterator[str]:
    stored = db.execute(ENTRIES_SELECT, {"txn": bytes.fromhex(fact.id)}).fetchall()
    may_lack = _may_lack if row.has_case else _is_never
    numbered = db.execute("SELECT coalesce(MAX(n) + 1, 0) FROM entry WHERE txn = :txn", {"txn": bytes.fromhex(fact.id)})
    if numbered.fetchone()[0] != len(stored):
        yield f"{row.place}: its entries are not numbered from 0 without gaps."
    if stored != list(map(ledger.entry_row, fact.entries)) and not _entries_agree(fact.entries, stored, may_lack):
        yield f"{row.place}: its entries are not those of the payload."
    else:
        yield from _lots_differences(db, row, fact)


def _lots_differences(db: Connection, row: LogRow, fact: Fact) -> Iterator[str]:
    for entry in fact.entries:
        if ledger.makes_lot(entry):
            yield from _lot_differences(db, row, fact, entry)


def _entries_agree(expected: tuple[Entry, ...], stored: list[tuple[Any, ...]], may_lack: Callable[[Entry], bool]) -> bool:
    """Each entry is stored whole, or in parts of which suspense took the member's place where a lot could not give or take;
    what goods took back after its lot had ended comes from where head office had booked it.

    ``may_lack``: entries that may be stored in part, or not at all.
    """
    rows = deque(stored)
    for entry in expected:
        left = int(entry.amount)
        while left > 0 and rows and rows[0][3] <= left and _is_part(rows[0], entry):
            left -= rows.popleft()[3]
        if left > 0 and not may_lack(entry):
            return False
    return not rows


def _is_part(row: tuple[Any, ...], entry: Entry) -> bool:
    owed = owed_account(entry.member_id or "")
    is_back = entry.kind == "reverse" and entry.debit.startswith(ledger.MEMBER)
    is_lost = is_back and (row[1].endswith(EXPIRED) or row[1] in (ADJUSTMENT, owed))
    entry = replace(entry, lot_id=None) if is_lost and row[1] == owed else entry
    kind, debit, credit, _, *rest = ledger.entry_row(entry)
    return (row[0], *row[4:]) == (kind, *rest) and (is_lost or _side_agrees(debit, row[1])) and _side_agrees(credit, row[2])


def _may_lack(entry: Entry) -> bool:
    """Head office settles, carries over and gives back no more than is there."""
    return is_settling(entry) or is_carrying(entry) or entry.rule == GIVEN or is_unsettling(entry)


def _is_never(entry: Entry) -> bool:
    return False


def _side_agrees(expected: str, stored: str) -> bool:
    return stored == expected or (stored == SUSPENSE and expected.startswith((ledger.MEMBER, ledger.GIFT)))


def _lot_differences(db: Connection, row: LogRow, fact: Fact, entry: Entry) -> Iterator[str]:
    """A lot is as its accrue entry made it, unless head office has spoken of it since."""
    stored = db.execute(LOT_SELECT, {"lot": entry.lot_id}).fetchone()
    if stored is None:
        if not _has_case(db, fact):
            yield f"{row.place}: lot {entry.lot_id} is missing."
        return
    base_seq, *fields = stored
    made = ledger.lot_row(bytes.fromhex(fact.id), entry)
    expected = [made[name] for name in LOT_COLUMNS]
    if fields != expected and not _has_case(db, fact) and (base_seq < row.seq or not lot_words.is_told(db, entry.lot_id)):
        yield f"{row.place}: lot {entry.lot_id} has another member, term, amount or origin than its entry."


def _sale_differences(db: Connection, row: LogRow, fact: Fact) -> Iterator[str]:
    if fact.sale is None:
        return
    key = {"till": fact.till, "sale_id": fact.sale.sale_id}
    stored = db.execute(SALE_SELECT, key).fetchone()
    if stored is None:
        if not _has_case(db, fact):
            yield f"{row.place}: sale {fact.sale.sale_id} is missing."
        return
    expected = sales.sale_row(fact)
    disputed = False
    for later in ledger.sale_facts(db, fact.till, fact.sale.sale_id):
        disputed = disputed or _has_case(db, later)
        if later.end is not None:
            expected = sales.moved(expected, later)
    place = f"{row.place}, sale {fact.sale.sale_id}"
    if not disputed:
        yield from _column_differences(place, expected, dict(zip(sales.COLUMNS, stored, strict=True)))
    if list(sales.line_rows(fact)) != db.execute(LINES_SELECT, key).fetchall():
        yield f"{place}: its lines are not those of the payload."
    if list(issues.take_rows(fact)) != db.execute(TAKEN_SELECT, key).fetchall():
        yield f"{place}: the coupons that it took are not those of the payload."
    if list(sales.adjustment_rows(fact)) != db.execute(ADJUSTMENTS_SELECT, key).fetchall():
        yield f"{place}: its adjustments are not those of the payload."


def _is_booked(db: Connection, fact: Fact) -> bool:
    """Whether a sale is here by this very fact: one that came twice is a case, and issues nothing."""
    return db.execute("SELECT 1 FROM sale WHERE txn = ?", (bytes.fromhex(fact.id),)).fetchone() is not None


def _has_case(db: Connection, fact: Fact) -> bool:
    """Whether a person has, or had, this fact to settle: then its rows may rightly differ."""
    return db.execute(CASE_SELECT, {"till": fact.till, "epoch": fact.epoch, "seq": fact.seq}).fetchone() is not None


def _exists(db: Connection, table: str, key: str) -> bool:
    return db.execute(f"SELECT 1 FROM {table} WHERE id = :key", {"key": key}).fetchone() is not None


def _shown(value: object) -> str:
    """A value short enough for a sentence; bytes only by their length."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)[:80]


SCHEMA_SELECT = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
LOG_COLUMNS = ("till", "epoch", "seq", "hlc", "payload", "prev_hash", "hash")
TXN_COLUMNS = (
    "id", "till", "epoch", "seq", "kind", "wall_ms", "boot_id", "mono_ns", "hlc", "programme_version", "engine_version",
    "receipt_no", "cashier", "member", "sale_id", "reverses",
)  # fmt: skip
SHARED = """sale_id IS NOT NULL
  AND 1 < (SELECT COUNT(*) FROM txn AS same WHERE same.till = txn.till AND same.sale_id = txn.sale_id)"""
BOOKS_OTHERWISE = "EXISTS (SELECT 1 FROM meta WHERE key = 'role' AND value = 'head_office')"
"""A case of head office's books a fact otherwise than it says; a till's own tells a person something, and changes no row."""
LOG_SELECT = f"""SELECT {", ".join(LOG_COLUMNS + TXN_COLUMNS)},
  {BOOKS_OTHERWISE} AND EXISTS (
    SELECT 1 FROM suspense_case AS c WHERE c.till = txn.till AND c.epoch = txn.epoch AND c.seq = txn.seq
  ), {SHARED}
FROM txn ORDER BY till, epoch, seq"""
UNMADE_SELECT = """SELECT id FROM lot WHERE origin_txn IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM entry AS e WHERE e.txn = lot.origin_txn AND e.kind = 'accrue' AND e.lot = lot.id)"""
ENTRIES_SELECT = """SELECT kind, debit_acct, credit_acct, amount, unit, lot, member, rule
FROM entry WHERE txn = :txn ORDER BY n"""
LOT_COLUMNS = ("member", "origin_txn", "unit", "usable_from", "expires_at", "amount")
LOT_SELECT = f"SELECT base_seq, {', '.join(LOT_COLUMNS)} FROM lot WHERE id = :lot"
SALE_SELECT = f"SELECT {', '.join(sales.COLUMNS)} FROM sale WHERE till = :till AND sale_id = :sale_id"
LINES_SELECT = f"""SELECT {", ".join(sales.LINE_COLUMNS)} FROM sale_line
WHERE till = :till AND sale_id = :sale_id ORDER BY line_id"""
ADJUSTMENTS_SELECT = """SELECT till, sale_id, line_id, rule, off_minor FROM adjustment
WHERE till = :till AND sale_id = :sale_id ORDER BY line_id, rule"""
ISSUES_SELECT = f"SELECT {', '.join(issues.ISSUE_COLUMNS)} FROM issue WHERE txn = ? ORDER BY n"
TAKEN_SELECT = "SELECT code, till, sale_id FROM coupon_use WHERE till = :till AND sale_id = :sale_id ORDER BY code"
CASE_SELECT = f"SELECT 1 FROM suspense_case WHERE till = :till AND epoch = :epoch AND seq = :seq AND {BOOKS_OTHERWISE}"
