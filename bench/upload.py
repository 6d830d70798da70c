"""Uploads with full apply: into SQLite, into PostgreSQL, and what PostgreSQL takes bare. Ratios of one run.

``python -m bench.upload [--facts N] [--rounds R] [--batch B]``. The bare figure is COPY of the same rows and no law at all:
the log's row, its chain, a sale with its lines and entries, the lot, then balances by one upsert;
no HTTP, no questions, no signature.
Durable in all three: PostgreSQL with fsync and synchronous_commit, SQLite with WAL and FULL.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from pos_loyalty.store.db import open_store
from pos_loyalty.store.verify import verify
from sync import push
from sync.local import next_batch
from sync.server import steps
from sync.server.ledger_store import LedgerStore
from sync.server.postgres import open_ledger
from sync.server.postgres_copy import copied
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import decode_batch
from tests.postgres import Server, started
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE_PUBLIC, Till

DURABLE = ("listen_addresses=", "shared_buffers=128MB", "max_wal_size=2GB")
MEMBERS = 40
TABLES = {
    "txn": "id bytea, till text, epoch bigint, seq bigint, kind text, wall_ms bigint, boot_id text, mono_ns bigint, hlc bigint, "
    "programme_version text, engine_version text, receipt_no text, cashier text, member text, sale_id text, reverses bytea, "
    "payload bytea, prev_hash bytea, hash bytea",
    "entry": "txn bytea, n bigint, kind text, debit_acct text, credit_acct text, amount bigint, unit text, lot text, "
    "member text, rule text",
    "lot": "id text, member text, origin_txn bytea, unit text, usable_from bigint, expires_at bigint, amount bigint, "
    "remaining bigint",
    "sale": "till text, sale_id text, txn bytea, state text, receipt_no text, store text, cashier text, member text, "
    "biz_day bigint, ts_s bigint, authorised_ms bigint, ended_ms bigint, gross_minor bigint, total_minor bigint, "
    "due_minor bigint, redeemed_centi bigint, offline_centi bigint, accrued_centi bigint, advance_minor bigint, "
    "progress_minor bigint, programme text, basket bytea, quote bytea, tenders bytea, fiscal bytea, completed_txn bytea, "
    "reversed_txn bytea",
    "sale_line": "till text, sale_id text, line_id text, sku text, name text, category text, brand text, tags text, "
    "quantity_milli bigint, gross_minor bigint, net_minor bigint, points_minor bigint, vat_minor bigint, cost_minor bigint",
}
KEYS = {"txn": "id", "entry": "txn, n", "lot": "id", "sale": "till, sale_id", "sale_line": "till, sale_id, line_id"}
BALANCE_UPSERT = """INSERT INTO balance VALUES (%s, %s, %s)
ON CONFLICT (account, unit) DO UPDATE SET amount = balance.amount + excluded.amount"""


def main(argv: Sequence[str]) -> None:
    """Print a line for each path, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--facts", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=500)
    args = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="upload"))
    server = started(DURABLE)
    try:
        batches = _batches(folder, args.facts, args.batch)
        meter = Meter(server)
        for n in range(args.rounds):
            office = folder / f"office{n}.db"
            meter.of("sqlite", lambda office=office: _into(_sqlite(office), batches))
            url = server.new_database()
            meter.of("postgres", lambda url=url: _into(open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW), batches))
            meter.of("bare", _bare(server, office, args.batch))
        _prove(url, folder)
        _tell(meter, args.facts, batches)
    finally:
        server.stop()
        shutil.rmtree(server.folder)
        shutil.rmtree(folder)


class Meter:
    """Seconds by the clock and of CPU, here and in the server: on a machine with other work only these compare."""

    def __init__(self, server: Server) -> None:
        self._postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        self.wall_s: dict[str, list[float]] = {}
        self.cpu_s: dict[str, list[float]] = {}

    def of(self, name: str, run: Callable[[], None]) -> None:
        """One round."""
        wall, cpu = time.perf_counter(), self._cpu()
        run()
        self.wall_s.setdefault(name, []).append(time.perf_counter() - wall)
        self.cpu_s.setdefault(name, []).append(self._cpu() - cpu)

    def _cpu(self) -> float:
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                words = stat.read_text().rsplit(")", 1)[1].split()
                own, children = sum(map(int, words[11:13])), sum(map(int, words[13:15]))
                if int(stat.parent.name) == self._postmaster:
                    ticks += own + children
                elif int(words[1]) == self._postmaster:
                    ticks += own
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _batches(folder: Path, facts: int, size: int) -> list[bytes]:
    """The log of a till that sold all day: half of its sales to members, one in ten paid in part by points."""
    till = Till(folder, "T1")
    for n in range(MEMBERS):
        till.enrol(f"M{n}", f"29{n:011d}")
    for n in range(facts - MEMBERS):
        member = f"M{n % MEMBERS}" if n % 2 else None
        spend = 100 if member and n % 10 == 5 and till.spendable(member) else 0
        till.sell(f"s{n}", member, earn=0 if member is None else 150, spend=spend)
    batches, seq = [], 0
    while (step := next_batch(till.db, till.here, push.begin(seq, size, NOW), NOW)).send is not None:
        batches.append(step.send)
        seq += decode_batch(step.send).header.count
    till.db.close()
    return batches


def _sqlite(path: Path) -> LedgerStore:
    return SqliteLedgerStore(open_store(path, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)


def _into(store: LedgerStore, batches: Sequence[bytes]) -> None:
    for batch in batches:
        steps.receive(store, "T1", batch, NOW, OFFICE_PUBLIC)
    store.close()


def _bare(server: Server, office: Path, size: int) -> Callable[[], None]:
    """COPY what SQLite's head office wrote, so many facts to a commit, and hash the chain again."""
    office_db = open_store(office, role="head_office", owner="head-office", now=NOW)
    rows = {table: office_db.execute(_select(table)).fetchall() for table in TABLES}
    moves = office_db.execute("SELECT txn, debit_acct, credit_acct, unit, amount FROM entry").fetchall()
    office_db.close()
    place = {row[0]: n // size for n, row in enumerate(rows["txn"])}
    of_sale = {(row[1], row[14]): place[row[0]] for row in rows["txn"]}
    parts = _parts(rows, moves, place, of_sale)
    db = psycopg.connect(server.new_database())
    for table, columns in TABLES.items():
        db.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({KEYS[table]}))".encode())
    db.execute("CREATE TABLE balance (account text, unit text, amount bigint, PRIMARY KEY (account, unit))")
    db.commit()

    def run() -> None:
        last = bytes(32)
        for part, moved in parts:
            for row in part["txn"]:
                last = sha256(last + row[16]).digest()
            _copy_part(db, part, moved)
            db.commit()
        db.close()

    return run


def _parts(
    rows: Any, moves: Any, place: dict[bytes, int], of_sale: dict[Any, int]
) -> list[tuple[dict[str, list[Any]], list[Any]]]:
    count = max(place.values()) + 1
    parts: list[tuple[dict[str, list[Any]], list[Any]]] = [({table: [] for table in TABLES}, []) for _ in range(count)]
    where: dict[str, Callable[[Any], int]] = {
        "txn": lambda row: place[row[0]], "entry": lambda row: place[row[0]], "lot": lambda row: place[row[2]],
        "sale": lambda row: place[row[2]], "sale_line": lambda row: of_sale[row[0], row[1]],
    }  # fmt: skip
    for table, found in rows.items():
        for row in found:
            parts[where[table](row)][0][table].append(row)
    for move in moves:
        parts[place[move[0]]][1].append(move)
    return parts


def _copy_part(db: psycopg.Connection[Any], part: dict[str, list[Any]], moved: list[Any]) -> None:
    with db.cursor() as cursor:
        for table, found in part.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in found:
                    copy.write_row(row)
        sums: dict[tuple[str, str], int] = {}
        for _, debit, credit, unit, amount in moved:
            sums[debit, unit] = sums.get((debit, unit), 0) - amount
            sums[credit, unit] = sums.get((credit, unit), 0) + amount
        cursor.executemany(BALANCE_UPSERT, [(*key, amount) for key, amount in sums.items()])


def _select(table: str) -> str:
    names = [part.split()[0] for part in TABLES[table].split(", ")]
    order = " ORDER BY till, seq" if table == "txn" else ""
    return f"SELECT {', '.join(names)} FROM {table}{order}"


def _prove(url: str, folder: Path) -> None:
    """A figure counts only when the ledger is right."""
    copied(url, folder / "proof.db", NOW)
    db = open_store(folder / "proof.db", role="head_office", owner="head-office", now=NOW)
    differences = verify(db)
    db.close()
    assert not differences, differences[:3]


def _tell(meter: Meter, facts: int, batches: Sequence[bytes]) -> None:
    for title, seconds in (("by the clock", meter.wall_s), ("by CPU, server's too", meter.cpu_s)):
        middle = {name: facts / statistics.median(found) for name, found in seconds.items()}
        print(title)
        for name, found in seconds.items():
            print(f"  {name:9} {middle[name]:8.0f} facts/s   rounds {', '.join(f'{facts / each:.0f}' for each in found)}")
        print("  postgres to " + ", to ".join(f"{peer} {middle['postgres'] / middle[peer]:.2f}" for peer in ("bare", "sqlite")))
    print(f"wire {sum(map(len, batches)) / facts:.0f} bytes a fact, in {len(batches)} batches")


if __name__ == "__main__":
    main(sys.argv[1:])
