"""Imported phones that wait for their slow hash. Until then their members are found by card; a stop loses nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from pos_loyalty.clock import NewId
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store import follow, members, seal
from pos_loyalty.store.db import Connection, meta, open_to_write, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_changes import PHONE
from pos_loyalty.store.member_facts import ChangeFact, PhoneChange
from pos_loyalty.store.member_keys import INDEX_PLACE
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

PLACE = f"self:{PHONE}"


class Hashing(Value):
    """One go: phones that were hashed, those that could not be, and how many wait."""

    hashed: int
    refused: int
    waiting: int


def put_phone_todo(db: Connection, member_id: str, sealed_phone: bytes, *, verified: bool = False) -> None:
    """Note an imported phone, sealed under the member's own key (``seal.seal_field`` with the place ``PLACE``)."""
    row = {"member": member_id, "sealed": sealed_phone, "verified": int(verified)}
    with watched(db, "phone_todo", "member = :member", row):
        db.execute(TODO_INSERT, row)


def waiting(db: Connection) -> int:
    """How many phones wait."""
    return int(db.execute("SELECT COUNT(*) FROM phone_todo").fetchone()[0])


def hash_in_file(path: Path, keys: tuple[str, str], limit: int, now: datetime, new_id: NewId) -> Hashing:
    """``hash_some`` in a till's or head office's file, beside who works on it."""
    db = open_to_write(path, now=now, master_key=keys[1])
    try:
        return hash_some(db, keys, limit, now, new_id)
    finally:
        db.close()


def hash_some(db: Connection, keys: tuple[str, str], limit: int, now: datetime, new_id: NewId) -> Hashing:
    """Hash at most ``limit`` phones, each a fact of its own. ``keys``: pepper and master key. Takes some 100 ms a phone."""
    pepper, master_key = keys
    todo = db.execute("SELECT member, sealed, verified FROM phone_todo ORDER BY member LIMIT :limit", {"limit": limit}).fetchall()
    hashed = 0
    for member_id, sealed, verified in todo:
        index = _index(db, member_id, bytes(sealed), pepper, master_key)
        with write(db):
            if _take(db, member_id, sealed):
                hashed += _book(db, member_id, index, bool(verified), now, new_id())
    return Hashing(hashed=hashed, refused=len(todo) - hashed, waiting=waiting(db))


def _take(db: Connection, member_id: str, sealed: bytes) -> bool:
    """Whether the phone still waited."""
    row = {"member": member_id, "sealed": sealed}
    with watched(db, "phone_todo", "member = :member", row):
        return bool(db.execute("DELETE FROM phone_todo WHERE member = :member AND sealed = :sealed", row).rowcount)


def _index(db: Connection, member_id: str, sealed: bytes, pepper: str, master_key: str) -> str | None:
    """The hash, sealed under the key that opens the phone. None when no key does any more, or it is none."""
    for sealed_key in members.sealed_keys(db, member_id):
        try:
            key = seal.open_key(member_id, sealed_key, master_key)
            phone = seal.open_field(member_id, PLACE, sealed, key)
            return seal.seal_field(member_id, INDEX_PLACE, seal.phone_index(phone, pepper).hex(), key)
        except (StoreError, InputError):
            continue
    return None


def _book(db: Connection, member_id: str, index: str | None, verified: bool, now: datetime, id_: UUID) -> int:
    if index is None:
        return 0
    body = ChangeFact(member_id=member_id, changes=(PhoneChange(index=index, verified=verified),))
    follow.book(db, Draft(id=id_, kind="member.changed", store=meta(db, "owner") or "", member=member_id, body=body), now)
    if meta(db, "role") == "head_office":
        members.touch(db, member_id)
    return 1


TODO_INSERT = """INSERT INTO phone_todo (member, sealed, verified) VALUES (:member, :sealed, :verified)
ON CONFLICT (member) DO UPDATE SET sealed = excluded.sealed, verified = excluded.verified"""
