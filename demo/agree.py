"""Do till and head office agree? Plain SQL on both files and SHA-256 over the log; none of the project's own code.

``python -m demo.agree TILL.db HEAD_OFFICE.db`` prints every compared figure and ends with 1 when one differs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

SHOWN_MAX = 5
"""So many of a group's differences are named."""
WIDTH = 46


@dataclass(frozen=True, kw_only=True)
class Single:
    """A figure that each file tells in its own way."""

    title: str
    till: str
    head_office: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Figures by key: key first, figures after it. ``total`` is the place of the figure to add up, or None."""

    title: str
    query: str
    total: int | None = None


SINGLES = (
    Single(
        title="last fact head office has confirmed",
        till="SELECT max(seq) FROM txn WHERE till = :till",
        head_office="SELECT applied_seq FROM till WHERE id = :till",
    ),
    Single(
        title="the same, as the till was told",
        till="SELECT acked_seq FROM sync_state",
        head_office="SELECT max(seq) FROM txn WHERE till = :till",
    ),
    Single(
        title="hash of the log's head",
        till="SELECT lower(hex(hash)) FROM txn WHERE till = :till ORDER BY epoch DESC, seq DESC LIMIT 1",
        head_office="SELECT lower(hex(applied_hash)) FROM till WHERE id = :till",
    ),
)
SAME_QUERY = (
    ("facts in the log", "SELECT count(*) FROM txn WHERE till = :till"),
    ("sales", "SELECT count(*) FROM sale WHERE till = :till"),
    ("gross of completed sales, kopecks", "SELECT sum(gross_minor) FROM sale WHERE till = :till AND state = 'completed'"),
    ("saved in them, kopecks", "SELECT sum(gross_minor - total_minor) FROM sale WHERE till = :till AND state = 'completed'"),
    ("due in money, kopecks", "SELECT sum(due_minor) FROM sale WHERE till = :till AND state = 'completed'"),
    ("points redeemed, hundredths", "SELECT sum(redeemed_centi) FROM sale WHERE till = :till AND state = 'completed'"),
    ("of them while cut off, hundredths", "SELECT sum(offline_centi) FROM sale WHERE till = :till AND state = 'completed'"),
    ("points accrued, hundredths", "SELECT sum(accrued_centi) FROM sale WHERE till = :till AND state = 'completed'"),
    ("sale lines", "SELECT count(*) FROM sale_line WHERE till = :till"),
    ("net of all lines, kopecks", "SELECT sum(net_minor) FROM sale_line WHERE till = :till"),
    ("members", "SELECT count(*) FROM member"),
)
GROUPS = (
    Group(title="facts by kind", query="SELECT kind, count(*) FROM txn WHERE till = :till GROUP BY kind", total=0),
    Group(
        title="every entry, hundredths",
        query="""SELECT hex(txn) || '/' || n, amount, entry.kind, debit_acct, credit_acct, lot
                 FROM entry JOIN txn ON txn.id = entry.txn WHERE till = :till""",
        total=0,
    ),
    Group(
        title="every sale: state, gross, total, due, points",
        query="""SELECT sale_id, state, gross_minor, total_minor, due_minor, redeemed_centi, offline_centi, accrued_centi
                 FROM sale WHERE till = :till""",
    ),
    Group(
        title="money off by rule, kopecks",
        query="SELECT rule, sum(off_minor) FROM adjustment WHERE till = :till GROUP BY rule",
        total=0,
    ),
    Group(
        title="moved by the log, by member, hundredths",
        query="""SELECT account, sum(amount) FROM (
                   SELECT credit_acct AS account, amount, till FROM entry JOIN txn ON txn.id = entry.txn
                   UNION ALL SELECT debit_acct, -amount, till FROM entry JOIN txn ON txn.id = entry.txn
                 ) WHERE till = :till AND account LIKE 'member:%' GROUP BY account HAVING sum(amount) <> 0""",
        total=0,
    ),
    Group(
        title="points held, by member, hundredths",
        query="SELECT member, sum(remaining) FROM lot GROUP BY member HAVING sum(remaining) <> 0",
        total=0,
    ),
    Group(
        title="points left, by lot, hundredths",
        query="SELECT id, remaining, usable_from, expires_at FROM lot WHERE remaining <> 0",
        total=0,
    ),
)
LOTS_QUERY = "SELECT id, remaining FROM lot WHERE remaining <> 0"
FOLD_QUERY = """SELECT lot, sum(CASE WHEN credit_acct LIKE 'member:%' THEN amount
                                WHEN debit_acct LIKE 'member:%' THEN -amount ELSE 0 END) AS centi
                FROM entry WHERE lot IS NOT NULL GROUP BY lot HAVING centi <> 0"""
ZEROS = (
    ("entries of the log, debit less credit", "SELECT coalesce(sum(amount), 0) FROM balance"),
    ("points held for unfinished sales", "SELECT coalesce(sum(abs(amount)), 0) FROM balance WHERE account LIKE 'held:%'"),
    ("unfinished sales", "SELECT count(*) FROM sale WHERE state = 'authorised'"),
    ("contradictions (suspense)", "SELECT count(*) FROM suspense_case"),
)
LOG_QUERY = "SELECT seq, payload, prev_hash, hash FROM txn WHERE till = :till ORDER BY epoch, seq"


class Tally:
    """Compares, prints, and counts the differences."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.compared = 0
        self.differences = 0

    def figure(self, title: str, ours: object, theirs: object) -> None:
        """One figure of both files."""
        if ours == theirs:
            self._line("AGREE", title, _shown(ours))
        else:
            self._line("DIFFER", title, f"till {_shown(ours)}, head office {_shown(theirs)}")

    def nothing(self, title: str, ours: object, theirs: object) -> None:
        """A figure that must be 0 in both files."""
        if ours == theirs == 0:
            self._line("AGREE", title, "0")
        else:
            self._line("DIFFER", title, f"till {_shown(ours)}, head office {_shown(theirs)}, must be 0")

    def group(self, title: str, ours: dict[Any, Any], theirs: dict[Any, Any], total: int | None) -> None:
        """Figures by key, all of them."""
        wrong = sorted(str(key) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
        if not wrong:
            added = "" if total is None else f", together {sum(row[total] for row in ours.values())}"
            self._line("AGREE", title, f"{len(ours)} compared{added}")
            return
        self._line("DIFFER", title, f"{len(wrong)} of {len(ours.keys() | theirs.keys())}")
        for key in wrong[:SHOWN_MAX]:
            self._say(f"           {key}: till {_shown(ours.get(key))}, head office {_shown(theirs.get(key))}")

    def _line(self, verdict: str, title: str, figures: str) -> None:
        self.compared += 1
        self.differences += verdict == "DIFFER"
        self._say(f"  {verdict:<6}  {title:<{WIDTH}} {figures}")


def compare(till_path: Path, head_office_path: Path, say: Callable[[str], None] = print) -> int:
    """Print every compared figure; gives how many differ."""
    tally = Tally(say)
    with _opened(till_path) as ours, _opened(head_office_path) as theirs:
        till = ours.execute("SELECT value FROM meta WHERE key = 'owner'").fetchone()[0]
        own = {"till": till}
        _compare_logs(tally, ours, theirs, own)
        for single in SINGLES:
            tally.figure(single.title, _one(ours, single.till, own), _one(theirs, single.head_office, own))
        for title, query in SAME_QUERY:
            tally.figure(title, _one(ours, query, own), _one(theirs, query, own))
        for group in GROUPS:
            tally.group(group.title, _rows(ours, group.query, own), _rows(theirs, group.query, own), group.total)
        added_up = _rows(theirs, FOLD_QUERY, own)
        tally.group("the same, added up from head office's entries", _rows(ours, LOTS_QUERY, own), added_up, 0)
        for title, query in ZEROS:
            tally.nothing(title, _one(ours, query, own), _one(theirs, query, own))
    verdict = "AGREE in all" if not tally.differences else f"DIFFER in {tally.differences} of"
    say(f"  till {till} and head office {verdict} {tally.compared} comparisons")
    return tally.differences


def main() -> int:
    """The exit status: 0 when both agree, else 1."""
    parser = argparse.ArgumentParser(prog="python -m demo.agree", description="Compare a till's file with head office's, by SQL.")
    parser.add_argument("till", type=Path, help="the till's SQLite file")
    parser.add_argument("head_office", type=Path, help="head office's SQLite file")
    args = parser.parse_args()
    return 1 if compare(args.till, args.head_office) else 0


def _compare_logs(tally: Tally, ours: Any, theirs: Any, own: dict[str, str]) -> None:
    """The chain is computed anew from the payloads of each file, and both must be one chain."""
    sent, held = (_chained(db.execute(LOG_QUERY, own)) for db in (ours, theirs))
    tally.group("log, byte by byte, hashed anew", sent, held, None)
    tally.nothing("links of the log that do not hold", *(sum(not holds for _, holds in log.values()) for log in (sent, held)))


def _chained(rows: Any) -> dict[int, tuple[str, bool]]:
    """By number: the SHA-256 of previous hash and payload, and whether both stored hashes are the right ones."""
    chained: dict[int, tuple[str, bool]] = {}
    before = bytes(32)
    for seq, payload, prev_hash, stored in rows:
        fresh = hashlib.sha256(before + payload).digest()
        chained[seq] = (fresh.hex(), prev_hash == before and stored == fresh)
        before = fresh
    return chained


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file, for reading only."""
    if not path.is_file():
        sys.exit(f"{path} is not there")
    db = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        yield db
    finally:
        db.close()


def _one(db: Any, query: str, own: dict[str, str]) -> object:
    return db.execute(query, own).fetchone()[0]


def _rows(db: Any, query: str, own: dict[str, str]) -> dict[Any, Any]:
    return {row[0]: tuple(row[1:]) for row in db.execute(query, own)}


def _shown(figure: object) -> str:
    if isinstance(figure, tuple):
        return " ".join(map(str, figure))
    return "none" if figure is None else str(figure)


if __name__ == "__main__":
    sys.exit(main())
