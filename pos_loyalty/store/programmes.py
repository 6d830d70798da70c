"""Programmes as they were published, byte for byte. One that has come is never changed, only followed by another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import ConflictError
from pos_loyalty.store.db import Connection
from pos_loyalty.values import Value

NEWEST = "FROM programme ORDER BY received_ms DESC, version DESC, id LIMIT 1"
INSERT = "INSERT INTO programme (id, version, sha256, body, received_ms) VALUES (:id, :version, :sha256, :body, :now)"


class Published(Value):
    """A stored programme."""

    id: str
    version: int
    sha256: bytes
    body: bytes


def newest(db: Connection) -> bytes | None:
    """The body of the programme that came last; the higher version when two came at once."""
    row = db.execute(f"SELECT body {NEWEST}").fetchone()
    return None if row is None else bytes(row[0])


def newest_sha(db: Connection) -> bytes | None:
    """SHA-256 of the newest body, to see cheaply whether it changed."""
    row = db.execute(f"SELECT sha256 {NEWEST}").fetchone()
    return None if row is None else bytes(row[0])


def newest_first(db: Connection) -> Iterator[bytes]:
    """All bodies, the newest first: when it cannot be sold by, the one before can."""
    for row in db.execute("SELECT body FROM programme ORDER BY received_ms DESC, version DESC, id"):
        yield bytes(row[0])


def newest_published(db: Connection) -> Published | None:
    """The newest programme with its id and version."""
    row = db.execute(f"SELECT id, version, sha256, body {NEWEST}").fetchone()
    return None if row is None else Published(id=row[0], version=row[1], sha256=row[2], body=row[3])


def add(db: Connection, id: str, version: int, body: bytes, now: datetime) -> None:
    """Store a programme; the same one again changes nothing. Raises ConflictError for the same version with another body."""
    row = {"id": id, "version": version, "sha256": sha256(body).digest(), "body": body, "now": to_ms(now)}
    known = db.execute("SELECT sha256 FROM programme WHERE id = :id AND version = :version", row).fetchone()
    if known is None:
        db.execute(INSERT, row)
    elif known[0] != row["sha256"]:
        raise ConflictError(f"Programme {id} has another version {version} already; publish it under a higher version.")
