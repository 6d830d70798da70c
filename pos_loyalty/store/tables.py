"""Ad-hoc tables through sqlite-utils, never in a process that sells. Rule: one SQLite, the stdlib's is aliased."""

from __future__ import annotations

import sys
from typing import Any

from pos_loyalty.store.db import Connection


def tables(db: Connection) -> Any:
    """sqlite-utils over a connection of ours. It joins a transaction of ``write()`` instead of making its own."""
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
    import sqlite_utils

    return sqlite_utils.Database(db, execute_plugins=False, recursive_triggers=False)
