"""Head office's word on members, kept whole: what stands here of a member they told of is compared with it.

Rule: a word is kept as it was told. Only cards that an older word told and no newer one gave to somebody else stay in it, and an
erasure takes out what could name the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import encode


def put(db: Connection, told: Mapping[str, bytes], as_of_seq: int) -> None:
    """Keep what was told of members, by id, when their rows have been written; the bytes are JSON."""
    key = (encode(tuple(told)).decode(),)
    before = dict(db.execute(f"SELECT member, word FROM member_word WHERE {AMONG}", key).fetchall())
    rows = [(member, as_of_seq, _with_older_cards(db, word, before.get(member))) for member, word in told.items()]
    with watched(db, "member_word", AMONG, key):
        db.executemany(UPSERT, rows)


def told(db: Connection, member_id: str) -> bytes | None:
    """The word on one member; None for one of whom nothing was told."""
    row = db.execute("SELECT word FROM member_word WHERE member = ?", (member_id,)).fetchone()
    return None if row is None else bytes(row[0])


def version_of(db: Connection, member_id: str) -> int:
    """Of head office's last word on a member; 0 for one that it did not tell of."""
    row = db.execute("SELECT version FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return 0 if row is None else int(row[0])


def forget_person(db: Connection, member_id: str) -> None:
    """Take out of the word on a member what could name them."""
    word = told(db, member_id)
    if word is None:
        return
    fields: dict[str, Any] = msgspec.json.decode(word)
    kept = encode({name: value for name, value in fields.items() if name not in OF_THE_PERSON})
    with watched(db, "member_word", "member = ?", (member_id,)):
        db.execute("UPDATE member_word SET word = ? WHERE member = ?", (kept, member_id))


def _with_older_cards(db: Connection, word: bytes, before: bytes | None) -> bytes:
    older = {} if before is None else {card["number"]: card for card in msgspec.json.decode(before).get("cards", ())}
    if not older:
        return word
    fields: dict[str, Any] = msgspec.json.decode(word)
    cards = fields.get("cards", [])
    told = {card["number"] for card in cards}
    kept = [card for number, card in older.items() if number not in told and _holder(db, number) == fields["member_id"]]
    return encode(fields | {"cards": cards + kept}) if kept else word


def _holder(db: Connection, number: str) -> str | None:
    row = db.execute("SELECT member FROM card WHERE number = ?", (number,)).fetchone()
    return None if row is None else str(row[0])


OF_THE_PERSON = frozenset({"phone_index", "phone_verified", "birthday", "birthday_set_ms", "referral_code"})
AMONG = "member IN (SELECT value FROM json_each(?))"
UPSERT = """INSERT INTO member_word (member, as_of_seq, word) VALUES (?, ?, ?)
ON CONFLICT (member) DO UPDATE SET as_of_seq = excluded.as_of_seq, word = excluded.word"""
