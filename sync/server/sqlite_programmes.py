"""Programmes in head office's SQLite file: what was published, and who moves between tiers by the one in force."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.store import programmes, publications
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.tier_due import Place
from sync.wire import ProgrammeBody


def add(db: Connection, programme: ProgrammeBody, now: datetime, effective_from: datetime | None) -> None:
    """Publish. Raises ConflictError for the same version with another body."""
    programmes.add(db, programme.id, programme.version, programme.body, now)
    sha = bytes.fromhex(programme.sha256)
    if effective_from is None and publications.listed(db) and publications.in_force(db, now) == sha:
        return
    publications.add(db, sha, effective_from, now)


def body(db: Connection, sha: bytes) -> ProgrammeBody:
    """A stored programme."""
    found = programmes.by_sha(db, sha)
    return ProgrammeBody(id=found.id, version=found.version, sha256=found.sha256.hex(), body=found.body)


def place(db: Connection, sha: bytes) -> Place | None:
    """Where moves are booked by a programme; None for one that this build cannot read."""
    try:
        programme = load_programme(publications.body_of(db, sha))
    except ProgrammeError:
        return None
    return Place(store=meta(db, "owner") or "", zone=programme.zone, programme=programme, is_owner=True)
