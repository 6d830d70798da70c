"""What confirms a member's redemptions, sealed under the member's own key: destroying the key erases it. Tries are private."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.merges import SAME_PERSON
from pos_loyalty.values import Value


class Tries(Value):
    """Tries to confirm. ``used``: what was last confirmed with, for the sale ``used_for``."""

    attempts: int = 0
    locked_until_ms: int = 0
    code: bytes | None = None
    code_until_ms: int = 0
    codes_sent: int = 0
    codes_since_ms: int = 0
    used: bytes | None = None
    used_for: str | None = None


def sealed(db: Connection, member_id: str) -> bytes | None:
    """The sealed secret as stored; None when there is none."""
    row = db.execute("SELECT secret FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def follow(db: Connection, fact: Fact) -> None:
    """A change that brings a secret puts it in the place of the one before."""
    if fact.change is not None and fact.change.secret is not None:
        row = {"member": fact.change.member_id, "secret": b64decode(fact.change.secret)}
        db.execute("UPDATE member SET secret = :secret WHERE id = :member AND state <> 'erased'", row)


def differences(db: Connection) -> Iterator[str]:
    """Secrets that are not those of the last fact that brought one."""
    for member, stored, logged in db.execute(SECRETS_SELECT):
        if stored != (None if logged is None else b64decode(logged)):
            yield f"Member {member}: what confirms redemptions is not what the log says."


def phone_index(db: Connection, member_id: str) -> bytes | None:
    """The slow hash of the member's phone."""
    row = db.execute("SELECT phone_index FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def tries(db: Connection, member_id: str) -> Tries:
    """How confirming went so far."""
    row = db.execute(TRIES_SELECT, {"member": member_id}).fetchone()
    return Tries() if row is None else Tries(**dict(zip(FIELDS, row, strict=True)))


def put_tries(db: Connection, member_id: str, tries: Tries) -> None:
    """Note them in a commit of their own: a power cut gives no try away."""
    row = {name: getattr(tries, name) for name in FIELDS} | {"member": member_id}
    with write(db):
        db.execute(TRIES_UPSERT, row)


def redeemed_since(db: Connection, member_id: str, since: datetime) -> int:
    """Points that the member's sales here took since an instant of the till's own clock, reserved ones too."""
    key = {"member": member_id, "since": to_ms(since)}
    return int(db.execute(REDEEMED_SELECT, key).fetchone()[0])


FIELDS = ("attempts", "locked_until_ms", "code", "code_until_ms", "codes_sent", "codes_since_ms", "used", "used_for")
TRIES_SELECT = f"SELECT {', '.join(FIELDS)} FROM confirm_try WHERE member = :member"
TRIES_UPSERT = f"""INSERT INTO confirm_try (member, {", ".join(FIELDS)})
VALUES (:member, {", ".join(":" + name for name in FIELDS)})
ON CONFLICT (member) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIELDS)}"""
REDEEMED_SELECT = f"""SELECT coalesce(SUM(redeemed_centi), 0) FROM sale
WHERE member IN ({SAME_PERSON}) AND authorised_ms >= :since AND state IN ('authorised', 'completed')"""
SECRETS_SELECT = f"""SELECT m.id, m.secret, f.secret FROM member AS m LEFT JOIN (
  SELECT t.member, CAST(t.payload AS TEXT) ->> '$.change.secret' AS secret, MAX(t.rowid) FROM txn AS t
  WHERE t.kind = 'member.changed' AND t.{OF_ACTS} AND CAST(t.payload AS TEXT) ->> '$.change.secret' IS NOT NULL GROUP BY t.member
) AS f ON f.member = m.id
WHERE m.state <> 'erased' AND (m.secret IS NOT NULL OR f.secret IS NOT NULL)"""
"""The last fact is the one that came last: at head office facts of several tills interleave."""
