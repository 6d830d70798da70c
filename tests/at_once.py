"""New files for tests: what all migrations come to, as one script. Made step by step a file takes three times as long."""

from __future__ import annotations

from functools import cache

from pysqlite3 import dbapi2

from pos_loyalty.store.migrations import MIGRATIONS


@cache
def tables_at_once() -> tuple[str]:
    """The same tables and indexes; ``verify`` compares each file with what the steps make."""
    fresh = dbapi2.connect(":memory:")
    try:
        for step in MIGRATIONS:
            fresh.executescript(step)
        made = fresh.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
        return ("".join(f"{row[0]};\n" for row in made),)
    finally:
        fresh.close()
