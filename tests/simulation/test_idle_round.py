"""A round of the sync in which nothing is new: what the daemon costs all day, on the till's disk and on head office's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.store.db import Connection
from tests.simulation.escrow import World

READS = ("SELECT", "WITH")
TILL_STATEMENTS_MAX, OFFICE_STATEMENTS_MAX = 46, 33


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, 0)
    made.quiet(4)
    yield made
    made.close()


def _told(db: Connection, world: World) -> list[str]:
    """What SQLite is told in one round of till T1, a second after the one before."""
    world.now += timedelta(seconds=1)
    world.office.now = world.now
    said: list[str] = []
    db.set_trace_callback(said.append)
    try:
        world.counters["T1"].go()
    finally:
        db.set_trace_callback(None)
    return said


def _writes(said: list[str]) -> list[str]:
    return [" ".join(sql.split()[:3]) for sql in said if not sql.lstrip().startswith((*READS, "BEGIN", "COMMIT", "PRAGMA", "--"))]


def test_a_till_writes_what_it_asked_and_when_it_heard(world: World) -> None:
    said = _told(world.counters["T1"].db, world)
    written = {sql for sql in _writes(said) if "witness" not in sql}
    assert written <= {"UPDATE sync_state SET", "INSERT INTO trusted_time"}, written
    assert sum("UPDATE sync_state" in sql for sql in said) == 3, "what it asked, when it heard, and an ack that says nothing new"
    assert len(said) <= TILL_STATEMENTS_MAX, len(said)


def test_head_office_writes_who_asked(world: World) -> None:
    said = _told(world.office.db, world)
    assert _writes(said) == ["INSERT INTO till", "UPDATE till SET"], "when the till asked last, and that it knows all"
    assert len(said) <= OFFICE_STATEMENTS_MAX, len(said)
