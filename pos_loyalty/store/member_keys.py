"""Data keys of members in this file, and what facts hold sealed under them, opened where rows follow from it.

Rule: what no key here opens is read as nothing: after an erasure a fact folds as one that never held it.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from pos_loyalty.engine.model import MonthDay
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store import seal
from pos_loyalty.store.db import Connection
from pos_loyalty.store.member_facts import PhoneIndex
from pos_loyalty.store.witness import watched
from pos_loyalty.values import convert

INDEX_PLACE = "self:phone_index"
BIRTHDAY_PLACE = "self:birthday"
CODE_PLACE = "self:referral_code"
UNOPENED = (StoreError, InputError, ValueError)
"""How a field of another key, of another form or under a key of another length fails: a till may send anything."""


def add_key(db: Connection, member_id: str, sealed_key: bytes, till: str = "") -> None:
    """Keep a sealed data key of a member, unless that till's is here already. ``till`` is named at head office only."""
    row = {"member": member_id, "till": till, "sealed": sealed_key}
    with watched(db, "member_key", "member = :member", row):
        db.execute(KEY_INSERT, row)


def sealed_key(db: Connection, member_id: str) -> bytes | None:
    """The member's sealed data key that this file seals with, None when there is none here or it was destroyed."""
    row = db.execute("SELECT sealed FROM member_key WHERE member = :member AND till = ''", {"member": member_id}).fetchone()
    return None if row is None else bytes(row[0])


def sealed_keys(db: Connection, member_id: str) -> tuple[bytes, ...]:
    """All sealed data keys of a member: one of them opens each sealed field."""
    rows = db.execute("SELECT sealed FROM member_key WHERE member = :member ORDER BY till", {"member": member_id})
    return tuple(bytes(row[0]) for row in rows)


def keys_of(db: Connection, member_id: str) -> tuple[bytes, ...]:
    """The keys themselves. Raises StoreError when there are some and the file was opened without the master key."""
    sealed = sealed_keys(db, member_id)
    if sealed and db.master_key is None:
        raise StoreError("The file was opened without the key file, and holds sealed fields that are to be read.")
    return tuple(seal.open_key(member_id, each, db.master_key or "") for each in sealed)


def personal(db: Connection, member_id: str, sealed: str | None) -> seal.Personal:
    """What an enrolment holds of a person; an empty one when nothing stands there or no key opens it any more."""
    found = _bytes(sealed)
    for key in keys_of(db, member_id) if found else ():
        try:
            return seal.open_personal(member_id, found, key)
        except UNOPENED:
            continue
    return seal.Personal()


def phone_index(db: Connection, member_id: str, sealed: str | None) -> bytes | None:
    """The slow hash of a phone."""
    text = _field(db, member_id, INDEX_PLACE, sealed, PhoneIndex)
    return None if text is None else bytes.fromhex(text)


def birthday(db: Connection, member_id: str, sealed: str | None) -> str | None:
    """Month and day."""
    return _field(db, member_id, BIRTHDAY_PLACE, sealed, MonthDay)


def referral_code(db: Connection, member_id: str, sealed: str | None) -> str | None:
    """The member's own code."""
    return _field(db, member_id, CODE_PLACE, sealed, str)


def _field(db: Connection, member_id: str, place: str, sealed: str | None, kind: Any) -> str | None:
    """A field, where it opens and is what it should be."""
    found = _bytes(sealed)
    for key in keys_of(db, member_id) if found else ():
        try:
            return str(convert(seal.open_field(member_id, place, found, key), kind))
        except UNOPENED:
            continue
    return None


def _bytes(sealed: str | None) -> bytes:
    """Empty for nothing, and for what is no Base64."""
    try:
        return b64decode(sealed or "", validate=True)
    except (Base64Error, ValueError):
        return b""


KEY_INSERT = """INSERT INTO member_key (member, till, sealed) VALUES (:member, :till, :sealed)
ON CONFLICT (member, till) DO NOTHING"""
