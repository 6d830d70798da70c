"""From when on which programme is in force: what head office published, in its own order. Bodies stand in ``programmes``.

Rule: of what is in force at an instant the one dated latest counts, and of several of one date the one published last. That
follows from the list alone, so every till that has it and the same time sells by the same programme. A till that has no list, or
nothing of it in force yet, sells by the body that came last and is not on the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value


class Publication(Value):
    """The ``number``-th publication: a body and the instant from which it is in force; 0 for at once."""

    number: int
    sha256: bytes
    effective_ms: int


def in_force(db: Connection, now: datetime) -> bytes | None:
    """SHA-256 of the programme in force; None when there is none."""
    row = db.execute(f"{IN_FORCE_SELECT} LIMIT 1", {"now": to_ms(now)}).fetchone()
    row = row or db.execute(f"{UNLISTED_SELECT} LIMIT 1").fetchone()
    return None if row is None else bytes(row[0])


def bodies_in_force(db: Connection, now: datetime) -> Iterator[bytes]:
    """Bodies to sell by, the one in force first: when it cannot be sold by, the one before can."""
    seen = set()
    for select in (IN_FORCE_SELECT, UNLISTED_SELECT):
        for (sha,) in db.execute(select, {"now": to_ms(now)} if select == IN_FORCE_SELECT else {}).fetchall():
            if sha not in seen:
                seen.add(sha)
                yield body_of(db, sha)


def body_in_force(db: Connection, now: datetime) -> bytes | None:
    """The first of them; None when there is none."""
    return next(bodies_in_force(db, now), None)


def body_of(db: Connection, sha: bytes) -> bytes:
    """The bytes of a stored programme."""
    return bytes(db.execute("SELECT body FROM programme WHERE sha256 = :sha", {"sha": sha}).fetchone()[0])


def listed(db: Connection) -> tuple[Publication, ...]:
    """All that is on the list, by number."""
    rows = db.execute("SELECT number, sha256, effective_ms FROM publication ORDER BY number")
    return tuple(Publication(number=number, sha256=bytes(sha), effective_ms=at) for number, sha, at in rows)


def add(db: Connection, sha: bytes, effective_from: datetime | None, now: datetime) -> Publication:
    """At head office: publish a stored body, from an instant on or at once.

    At once means with the date of the one in force, and later in order: so no clock decides between what was not dated.
    """
    if effective_from is None:
        row = db.execute(DATE_SELECT, {"now": to_ms(now)}).fetchone()
        effective_ms = 0 if row is None else int(row[0])
    else:
        effective_ms = to_ms(effective_from)
    number = int(db.execute("SELECT coalesce(MAX(number), 0) + 1 FROM publication").fetchone()[0])
    made = Publication(number=number, sha256=sha, effective_ms=effective_ms)
    _put(db, [made])
    return made


def put_list(db: Connection, told: Iterable[Publication]) -> None:
    """At a till: head office's list in the place of what was here; its bodies are stored already."""
    rows = tuple(told)
    if rows == listed(db):
        return
    with watched(db, "publication", "TRUE", ()):
        db.execute("DELETE FROM publication")
        db.executemany(INSERT, [_row(one) for one in rows])


def of_interest(published: Iterable[Publication], now: datetime, ahead_max: int) -> tuple[Publication, ...]:
    """What a till needs of the list: the one in force, the one it came after, and the next dated ones. By number."""
    now_ms = to_ms(now)
    by_date = sorted(published, key=lambda one: (one.effective_ms, one.number))
    begun = [one for one in by_date if one.effective_ms <= now_ms]
    coming = [one for one in by_date if one.effective_ms > now_ms]
    return tuple(sorted((*begun[-2:], *coming[:ahead_max]), key=lambda one: one.number))


def _put(db: Connection, rows: Iterable[Publication]) -> None:
    for one in rows:
        with watched(db, "publication", "number = :number", _row(one)):
            db.execute(INSERT, _row(one))


def _row(one: Publication) -> dict[str, object]:
    return {"number": one.number, "sha256": one.sha256, "effective_ms": one.effective_ms}


IN_FORCE_SELECT = "SELECT sha256 FROM publication WHERE effective_ms <= :now ORDER BY effective_ms DESC, number DESC"
UNLISTED_SELECT = """SELECT sha256 FROM programme WHERE sha256 NOT IN (SELECT sha256 FROM publication) ORDER BY arrival DESC"""
DATE_SELECT = "SELECT effective_ms FROM publication WHERE effective_ms <= :now ORDER BY effective_ms DESC LIMIT 1"
INSERT = "INSERT INTO publication (number, sha256, effective_ms) VALUES (:number, :sha256, :effective_ms)"
