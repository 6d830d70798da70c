"""Imports through sqlite-utils: in one transaction, over one SQLite, never in the process that sells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from pos_loyalty.errors import StoreError
from pos_loyalty.store import members
from pos_loyalty.store.db import meta, open_store
from pos_loyalty.store.tables import ImportedMember, import_members, tables
from pos_loyalty.store.verify import verify
from pos_loyalty.values import Points
from tests.unit.store_facts import NOW, till_store

ALONE = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from pos_loyalty.store.db import guard_single_copy, open_store
from pos_loyalty.store.tables import ImportedMember, import_members
db = open_store(Path(sys.argv[1]), role="till", owner="T1", now=datetime(2026, 11, 21, tzinfo=UTC))
assert "sqlite_utils" not in sys.modules and "sqlite3" not in sys.modules
import_members(db, [ImportedMember(member_id="M1", card="1001")])
guard_single_copy()
"""


def _members(count: int, centi: int = 0) -> list[ImportedMember]:
    return [ImportedMember(member_id=f"M{n}", card=f"29{n:011d}", centi=Points(centi and centi + n)) for n in range(count)]


def test_imported_members_are_found_and_the_file_verifies(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    assert import_members(db, _members(2500, centi=100)) == 2500
    found = members.by_card(db, "2900000001234")
    assert found is not None and (found.member_id, [lot.centi for lot in found.lots]) == ("M1234", [1334])
    assert verify(db) == ()
    db.close()


def test_an_import_is_all_or_nothing(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    with pytest.raises(StoreError):
        import_members(db, [*_members(1500), ImportedMember(member_id="X", card="2900000000007")])
    assert db.execute("SELECT (SELECT COUNT(*) FROM member), (SELECT COUNT(*) FROM card)").fetchone() == (0, 0)
    assert not db.in_transaction
    db.close()


def test_points_enter_head_office_only_as_facts(tmp_path: Path) -> None:
    db = open_store(tmp_path / "office.db", role="head_office", owner="HO", now=NOW)
    with pytest.raises(StoreError):
        import_members(db, _members(1, centi=5))
    assert import_members(db, _members(3)) == 3 and members.newest_version(db) == 3
    db.close()


def test_an_import_process_has_one_sqlite(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ALONE, str(tmp_path / "till.db")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ad_hoc_tables_stand_on_the_same_connection(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    names = tables(db)
    assert isinstance(names.conn, dbapi2.Connection) and names.conn is db
    assert next(names.query("SELECT value FROM meta WHERE key = 'owner'")) == {"value": meta(db, "owner")}
    db.close()
