"""Programmes as they were published, byte for byte. One that has come is never changed, only followed by another.

Rule: which is in force follows from the order in which they came, never from a clock.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import ConflictError
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

NEWEST = "FROM programme ORDER BY arrival DESC LIMIT 1"
INSERT = """INSERT INTO programme (arrival, id, version, sha256, body, received_ms)
VALUES ((SELECT coalesce(MAX(arrival), 0) + 1 FROM programme), :id, :version, :sha256, :body, :now)
ON CONFLICT (sha256) DO UPDATE SET arrival = excluded.arrival, received_ms = excluded.received_ms"""
BODIES_SELECT = "SELECT body FROM programme WHERE id = :id AND version = :version ORDER BY arrival DESC"
OTHERS_SELECT = "SELECT sha256 FROM programme WHERE id = :id AND version = :version"


class Published(Value):
    """A stored programme."""

    id: str
    version: int
    sha256: bytes
    body: bytes


def newest(db: Connection) -> bytes | None:
    """The body of the programme that came last."""
    row = db.execute(f"SELECT body {NEWEST}").fetchone()
    return None if row is None else bytes(row[0])


def newest_sha(db: Connection) -> bytes | None:
    """SHA-256 of the newest body, to see cheaply whether it changed."""
    row = db.execute(f"SELECT sha256 {NEWEST}").fetchone()
    return None if row is None else bytes(row[0])


def newest_first(db: Connection) -> Iterator[bytes]:
    """All bodies, the newest first: when it cannot be sold by, the one before can."""
    for row in db.execute("SELECT body FROM programme ORDER BY arrival DESC"):
        yield bytes(row[0])


def newest_published(db: Connection) -> Published | None:
    """The newest programme with its id and version."""
    row = db.execute(f"SELECT id, version, sha256, body {NEWEST}").fetchone()
    return None if row is None else Published(id=row[0], version=row[1], sha256=row[2], body=row[3])


def bodies_of(db: Connection, id: str, version: int) -> tuple[bytes, ...]:
    """All bodies that came under one version, the newest first."""
    rows = db.execute(BODIES_SELECT, {"id": id, "version": version})
    return tuple(bytes(body) for (body,) in rows)


def highest_version(db: Connection, id: str) -> int | None:
    """The highest version of a programme that ever came; None when none did."""
    version: int | None = db.execute("SELECT MAX(version) FROM programme WHERE id = :id", {"id": id}).fetchone()[0]
    return version


def add(db: Connection, id: str, version: int, body: bytes, now: datetime) -> None:
    """Store a programme; the same one again changes nothing. Raises ConflictError for the same version with another body."""
    row = _row(id, version, body, now)
    known = {bytes(sha) for (sha,) in db.execute(OTHERS_SELECT, row)}
    if not known:
        _put(db, row)
    elif row["sha256"] not in known:
        raise ConflictError(f"Programme {id} has another version {version} already; publish it under a higher version.")


def put_pulled(db: Connection, id: str, version: int, body: bytes, now: datetime) -> None:
    """Put a body in force whatever is here under its version: what head office says to a till, or brings back itself."""
    _put(db, _row(id, version, body, now))


def differences(db: Connection) -> Iterator[str]:
    """Bodies that are not of their hash, or not of the name that stands beside them."""
    for arrival, id_, version, sha, body in db.execute("SELECT arrival, id, version, sha256, body FROM programme"):
        if sha256(body).digest() != sha:
            yield f"Programme {id_} version {version}: its bytes are not those of its hash."
        elif _named(body) not in (None, (id_, version)):
            yield f"Programme {id_} version {version} (arrival {arrival}) names itself otherwise."


def _named(body: bytes) -> tuple[object, object] | None:
    """None for a body that is no TOML: nobody sells by it."""
    try:
        text = tomllib.loads(body.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return text.get("id"), text.get("version")


def _put(db: Connection, row: dict[str, Any]) -> None:
    with watched(db, "programme", "sha256 = :sha256", row):
        db.execute(INSERT, row)


def _row(id: str, version: int, body: bytes, now: datetime) -> dict[str, Any]:
    return {"id": id, "version": version, "sha256": sha256(body).digest(), "body": body, "now": to_ms(now)}
