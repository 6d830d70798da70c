"""A snapshot of one history is the same over every store, and an erased member is in none that stays."""

from __future__ import annotations

import gzip
from pathlib import Path

from pos_loyalty.store.db import open_store
from sync.server.postgres import open_ledger
from sync.server.postgres_copy import copied
from sync.server.snapshots import Copied, SnapshotShelf, build
from sync.server.sqlite import SqliteLedgerStore
from sync.server.steps import import_members, publish_programme
from tests.contract.test_ledger_stores import member, posting, sale
from tests.postgres import Server
from tests.shop import PROGRAMME
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE

MEMBERS = 1_200


def filled(store: SqliteLedgerStore) -> None:
    publish_programme(store, PROGRAMME.encode(), NOW)
    import_members(store, [member(f"M{n}", f"20000000{n:05}", 100 + n) for n in range(MEMBERS)], NOW)
    with store.write():
        store.add(posting(store, sale(1, "S1", earn=70)))
        store.touch(["M1"])


def lines_of(database: Path | Copied, folder: Path) -> dict[str, list[bytes]]:
    """By kind of chunk, what a till reads."""
    manifest = build(database, folder, OFFICE.private_key, NOW)
    shelf = SnapshotShelf(database, OFFICE.private_key, folder)
    found: dict[str, list[bytes]] = {}
    for chunk in manifest.chunks:
        _, path = shelf.chunk(manifest.id, chunk.n)
        found.setdefault(chunk.kind, []).extend(gzip.decompress(path.read_bytes()).splitlines())
    assert manifest.members == MEMBERS
    found["holds"] = [line for line in found["holds"] if b'"head-office"' not in line]  # its own facts have ids of chance
    return found


def test_both_stores_give_the_same_snapshot(tmp_path: Path, postgres: Server) -> None:
    file, url = tmp_path / "head_office.db", postgres.new_database()
    in_file = SqliteLedgerStore(open_store(file, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)
    in_postgres = open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW)
    for store in (in_file, in_postgres):
        filled(store)
    source = Copied(url, copied)
    assert lines_of(file, tmp_path / "a") == lines_of(source, tmp_path / "b")
    shelf = SnapshotShelf(source, OFFICE.private_key, tmp_path / "b")
    shelf.build(NOW)
    newest = shelf.newest()
    assert newest is not None and newest.members == MEMBERS, "in a process of its own too"
    in_postgres.snapshots = tmp_path / "b"
    in_postgres._forget_snapshots()
    assert shelf.newest() is None
    for store in (in_file, in_postgres):
        store.close()
