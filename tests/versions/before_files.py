"""The set of files that the version before left: a till's and head office's database, and what it said on the wire.

They were written by that version's own code (make_before.py, run in its tree), and are never changed.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

FOLDER = Path(__file__).parent / "before"
SAID: dict[str, str] = json.loads((FOLDER / "said.json").read_text())
MASTER_KEY = bytes.fromhex(SAID["master_key"])
OWNERS = {"till.db": ("till", "T1"), "office.db": ("head_office", "head-office")}


def read(name: str) -> bytes:
    """One of them, as it was."""
    data = (FOLDER / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def put(name: str, folder: Path) -> Path:
    """A database of the version before, to be opened."""
    path = folder / name
    path.write_bytes(read(f"{name}.gz"))
    return path


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, by plain SQL."""
    db = dbapi2.connect(str(path))
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    rows = {table: sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in tables}
    db.close()
    return rows
