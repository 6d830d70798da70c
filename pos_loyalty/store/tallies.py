"""Whether tables hold exactly the rows that the log makes of them, without looking each row up: both sides are summed up.

Rule: a tally only says that all is well. Where it does not, ``verify`` looks at every row and names what differs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

import msgspec

from pos_loyalty.store import issues, ledger, sales
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact

TABLES = ("sale", "sale_line", "adjustment", "issue", "coupon_use", "entry", "lot")
"""Tables whose rows all follow from one fact each, but for the end of a sale and what a lot still holds."""
OF_SALES = TABLES[:5]
_sale_columns = itemgetter(*sales.COLUMNS)
_encode = msgspec.msgpack.Encoder().encode


class Tally:
    """The sum of rows in any order, each by a hash under a key of this run: with equal sums the rows are the same.

    The hash has 64 bits and is Python's own, SipHash: whoever does not know the key makes no two files of one sum.
    """

    def __init__(self, key: bytes) -> None:
        self._keyed = key.__add__
        self.sum = 0

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Count rows in."""
        self.sum += sum(map(hash, map(self._keyed, map(_encode, rows))))


class Tallies:
    """What the log makes of TABLES, summed up fact by fact."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._key = os.urandom(32)
        self._expected = {table: Tally(self._key) for table in TABLES}
        self.sums_lots = db.execute("SELECT 1 FROM lot WHERE base_seq > 0 LIMIT 1").fetchone() is None
        """Of a lot that head office spoke of, its word stands, not the log's: then each is looked at by itself."""

    def add_entries(self, fact: Fact) -> None:
        """The entries of a fact that nobody doubts, and the lots that they make."""
        txn = bytes.fromhex(fact.id)
        expected = self._expected
        expected["entry"].add([(txn, n, *ledger.entry_row(entry)) for n, entry in enumerate(fact.entries)])
        if self.sums_lots:
            expected["lot"].add(_lot_columns(ledger.lot_row(txn, entry)) for entry in fact.entries if ledger.makes_lot(entry))

    def add_entries_as_stored(self, fact: Fact) -> None:
        """The rows that stand for a fact whose entries were looked at by themselves, as it has a case."""
        txn = bytes.fromhex(fact.id)
        self._expected["entry"].add(self._db.execute(f"{_select('entry')} WHERE txn = ?", (txn,)))
        for lot_id in {entry.lot_id for entry in fact.entries if ledger.makes_lot(entry)} if self.sums_lots else ():
            self._expected["lot"].add(self._db.execute(f"{_select('lot')} WHERE id = ? AND origin_txn = ?", (lot_id, txn)))

    def add_award(self, fact: Fact) -> None:
        """What an award issues."""
        self._expected["issue"].add(issues.issue_rows(fact))

    def add_sale(self, fact: Fact, later: Iterable[Fact]) -> None:
        """The rows of a sale that nobody doubts. ``later``: the facts after it about the same sale, in order."""
        row = sales.sale_row(fact)
        for each in later:
            if each.end is not None:
                row = sales.moved(row, each)
        expected = self._expected
        expected["sale"].add((_sale_columns(row),))
        expected["sale_line"].add(sales.line_rows(fact))
        expected["adjustment"].add(sales.adjustment_rows(fact))
        assert fact.sale is not None
        if fact.sale.quote.issued:
            expected["issue"].add(issues.issue_rows(fact))
        if fact.sale.quote.coupons:
            expected["coupon_use"].add(issues.take_rows(fact))

    def add_as_stored(self, fact: Fact) -> None:
        """The rows that stand for a sale that was looked at by itself, as it has a case; none when another fact began it."""
        assert fact.sale is not None
        key = {"txn": bytes.fromhex(fact.id), "till": fact.till, "sale_id": fact.sale.sale_id}
        if self._db.execute("SELECT 1 FROM sale WHERE txn = :txn", key).fetchone() is None:
            return
        for table in OF_SALES:
            by = "txn = :txn" if table in ("sale", "issue") else "till = :till AND sale_id = :sale_id"
            self._expected[table].add(self._db.execute(f"{_select(table)} WHERE {by}", key))

    def differing(self) -> Iterator[str]:
        """Tables that hold other rows than the log makes of them."""
        for table, expected in self._expected.items():
            if table == "lot" and not self.sums_lots:
                continue
            stored = Tally(self._key)
            stored.add(self._db.execute(_select(table) + WHICH.get(table, "")))
            if stored.sum != expected.sum:
                yield table


def _select(table: str) -> str:
    return f"SELECT {', '.join(COLUMNS[table])} FROM {table}"


COLUMNS = {
    "sale": sales.COLUMNS,
    "sale_line": sales.LINE_COLUMNS,
    "adjustment": ("till", "sale_id", "line_id", "rule", "off_minor"),
    "issue": issues.ISSUE_COLUMNS,
    "coupon_use": ("code", "till", "sale_id"),
    "entry": ("txn", "n", "kind", "debit_acct", "credit_acct", "amount", "unit", "lot", "member", "rule"),
    "lot": ("id", "member", "origin_txn", "unit", "usable_from", "expires_at", "amount"),
}
_lot_columns = itemgetter(*COLUMNS["lot"])
WHICH = {"lot": " WHERE origin_txn IS NOT NULL"}
"""Only rows that the log makes: lots come from head office too."""
