"""Who may answer for acts at this till: a hash of each person's PIN, and wrong tries. Private to this file, never sent.

Rule: a try is counted in a commit of its own before the PIN is looked at, so that no power cut gives tries away.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

Role = Literal["cashier", "senior"]


class StaffRow(Value):
    """A person as stored."""

    person: str
    role: Role
    salt: bytes
    pin: bytes
    blocked: bool
    attempts: int
    locked_until_ms: int


def put(db: Connection, person: str, role: Role, salt: bytes, pin: bytes) -> None:
    """A new person, or a new PIN and role for one: free again, with no try counted."""
    with write(db), watched(db, "staff", "person = :person", {"person": person}):
        db.execute(PUT, {"person": person, "role": role, "salt": salt, "pin": pin})


def block(db: Connection, person: str) -> bool:
    """Whether there was such a person to block."""
    with write(db), watched(db, "staff", "person = :person", {"person": person}):
        return bool(db.execute("UPDATE staff SET blocked = 1 WHERE person = :person", {"person": person}).rowcount)


def everybody(db: Connection) -> tuple[StaffRow, ...]:
    """All, blocked ones too, by name."""
    return tuple(_row(row) for row in db.execute(f"{SELECT} ORDER BY person"))


def by_person(db: Connection, person: str) -> StaffRow | None:
    """The person of this name."""
    row = db.execute(f"{SELECT} WHERE person = :person", {"person": person}).fetchone()
    return None if row is None else _row(row)


def begin_try(db: Connection, person: str, attempts_max: int, locked_until: datetime) -> None:
    """Count a try that may fail; the last one allowed locks until then, and counting begins anew."""
    row = {"person": person, "most": attempts_max, "until": to_ms(locked_until)}
    with write(db):
        db.execute(TRY_UPDATE, row)


def succeeded(db: Connection, person: str) -> None:
    """The PIN was right: no try counts any more."""
    with write(db):
        db.execute("UPDATE staff SET attempts = 0, locked_until_ms = 0 WHERE person = :person", {"person": person})


def _row(row: tuple[str, str, bytes, bytes, int, int, int]) -> StaffRow:
    person, role, salt, pin, blocked, attempts, locked = row
    return StaffRow(
        person=person,
        role=cast(Role, role),
        salt=salt,
        pin=pin,
        blocked=bool(blocked),
        attempts=attempts,
        locked_until_ms=locked,
    )


SELECT = "SELECT person, role, salt, pin, blocked, attempts, locked_until_ms FROM staff"
PUT = """INSERT INTO staff (person, role, salt, pin) VALUES (:person, :role, :salt, :pin)
ON CONFLICT (person) DO UPDATE SET role = excluded.role, salt = excluded.salt, pin = excluded.pin, blocked = 0, attempts = 0,
  locked_until_ms = 0"""
TRY_UPDATE = """UPDATE staff SET
  locked_until_ms = CASE WHEN attempts + 1 >= :most THEN :until ELSE locked_until_ms END,
  attempts = CASE WHEN attempts + 1 >= :most THEN 0 ELSE attempts + 1 END
WHERE person = :person"""
