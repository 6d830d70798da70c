"""Ad-hoc tables through sqlite-utils: over one SQLite, never in the process that sells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pysqlite3 import dbapi2

from pos_loyalty.store.db import meta
from pos_loyalty.store.tables import tables
from tests.unit.store_facts import till_store

ALONE = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from pos_loyalty.store.db import guard_single_copy, open_store
from pos_loyalty.store.tables import tables
db = open_store(Path(sys.argv[1]), role="till", owner="T1", now=datetime(2026, 11, 21, tzinfo=UTC))
assert "sqlite_utils" not in sys.modules and "sqlite3" not in sys.modules
tables(db)["note"].insert({"id": 1})
guard_single_copy()
"""


def test_such_a_process_has_one_sqlite(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ALONE, str(tmp_path / "till.db")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ad_hoc_tables_stand_on_the_same_connection(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    names = tables(db)
    assert isinstance(names.conn, dbapi2.Connection) and names.conn is db
    assert next(names.query("SELECT value FROM meta WHERE key = 'owner'")) == {"value": meta(db, "owner")}
    db.close()
