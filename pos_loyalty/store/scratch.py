"""What an import has seen so far, in a private file of SQLite's own that is gone when it is closed: memory stays bounded.

Rule: keys stand in it only hashed under a key that lives as long as the process, so no card or phone reaches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import blake2b

from pysqlite3 import dbapi2

KEY_BYTES = 32
DIGEST_BYTES = 16


class Scratch:
    """Texts by kind and key. Close it when done."""

    def __init__(self) -> None:
        self._secret = os.urandom(KEY_BYTES)
        self._db = dbapi2.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE noted (key BLOB PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")

    def find(self, kind: str, key: str) -> str | None:
        """What was noted under this key."""
        row = self._db.execute("SELECT value FROM noted WHERE key = ?", (self._digest(kind, key),)).fetchone()
        return None if row is None else str(row[0])

    def note(self, kind: str, key: str, value: str) -> None:
        """Note; what was noted under the key before is forgotten."""
        self._db.execute("INSERT OR REPLACE INTO noted (key, value) VALUES (?, ?)", (self._digest(kind, key), value))

    def note_once(self, kind: str, pairs: Iterable[tuple[str, str]], several: str) -> None:
        """Note many keys with their values; a key that comes with different values gets ``several``."""
        rows = ((self._digest(kind, key), value, several) for key, value in pairs)
        self._db.executemany(ONCE_UPSERT, rows)

    def close(self) -> None:
        """Forget all of it."""
        self._db.close()

    def _digest(self, kind: str, key: str) -> bytes:
        return blake2b(f"{kind}\n{key}".encode(), digest_size=DIGEST_BYTES, key=self._secret).digest()


ONCE_UPSERT = """INSERT INTO noted (key, value) VALUES (?1, ?2)
ON CONFLICT (key) DO UPDATE SET value = CASE value WHEN ?2 THEN value ELSE ?3 END"""
