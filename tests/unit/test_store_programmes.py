"""Programmes as published: the last one that came is in force, and none is ever changed."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import programmes, publications
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.publications import Publication
from tests.unit.store_facts import NOW, till_store


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def _add(db: Connection, version: int, body: bytes, hours: int = 0) -> None:
    with write(db):
        programmes.add(db, "shop", version, body, NOW + timedelta(hours=hours))


def test_none_at_first(db: Connection) -> None:
    assert programmes.newest(db) is programmes.newest_sha(db) is publications.in_force(db, NOW) is None


def test_the_last_to_come_is_in_force(db: Connection) -> None:
    _add(db, 1, b"one")
    _add(db, 3, b"three")
    assert programmes.newest(db) == publications.body_in_force(db, NOW) == b"three"
    _add(db, 2, b"two", hours=-1)
    assert (programmes.newest(db), programmes.newest_sha(db)) == (b"two", sha256(b"two").digest())
    assert list(publications.bodies_in_force(db, NOW)) == [b"two", b"three", b"one"]


def test_what_head_office_says_is_in_force_whatever_is_here_under_that_version(db: Connection) -> None:
    _add(db, 1, b"seeded")
    for number, body in enumerate((b"published", b"published", b"seeded", b"published"), 1):
        with write(db):
            programmes.keep(db, "shop", 1, body, NOW)
            publications.put_list(db, [Publication(number=number, sha256=sha256(body).digest(), effective_ms=0)])
        assert publications.body_in_force(db, NOW) == body
    assert list(publications.bodies_in_force(db, NOW)) == [b"published", b"seeded"]
    _add(db, 1, b"seeded")
    assert publications.body_in_force(db, NOW) == b"published", "what is here already is not published again"
    with pytest.raises(ConflictError):
        _add(db, 1, b"third")


def test_the_same_again_changes_nothing_and_another_body_is_refused(db: Connection) -> None:
    _add(db, 1, b"one")
    _add(db, 2, b"two")
    _add(db, 1, b"one", hours=5)
    assert programmes.newest(db) == b"two"
    with pytest.raises(ConflictError):
        _add(db, 2, b"TWO", hours=6)
    assert db.execute("SELECT COUNT(*) FROM programme").fetchone() == (2,)
