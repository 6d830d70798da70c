"""Members against what their rows follow from: head office's word or the fact of their enrolment, and their changes since.

Rule: of what head office's word knows of, no fact before it is asked; what is sealed is compared where a key opens it.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import field

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import StoreError
from pos_loyalty.log import mask
from pos_loyalty.store import member_keys
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.member_changes import sealed_of
from pos_loyalty.store.member_facts import (
    BirthdayChange,
    CardAdded,
    CardStateChange,
    Change,
    PhoneChange,
    PhoneVerified,
    ReferralCode,
    SourceChange,
    StateChange,
)
from pos_loyalty.store.members import PulledMember, pulled_row
from pos_loyalty.values import Value, decode

SEALED = ("phone_index", "birthday", "birthday_set_ms")
"""Columns that an enrolment holds sealed."""
SEALED_BY: Mapping[type[Value], tuple[str, ...]] = {
    PhoneChange: ("phone_index", "phone_verified"),
    PhoneVerified: ("phone_verified",),
    BirthdayChange: ("birthday", "birthday_set_ms"),
    ReferralCode: ("referral_code",),
}
"""Changes that are plain in the table and sealed in the fact, with their columns: compared where a key opens them."""
ERASED: Mapping[str, Any] = dict.fromkeys(("phone_index", "birthday", "birthday_set_ms", "referral_code", "personal")) | {
    "phone_verified": 0
}
UNSAID: Mapping[str, Any] = {
    "segments": "[]", "birthday": None, "birthday_set_ms": None, "referred_by": None, "sales_count": 0, "spent_minor": 0,
    "owed_centi": 0, "staff": 0, "state": "active", "merged_into": None, "merged_seq": 0, "personal": None, "phone_index": None,
    "phone_verified": 0, "referral_code": None, "origin": "", "drive": "", "version": 0, "base_seq": 0,
}  # fmt: skip
"""A member of whom nothing more is said."""
OF_MERGE = ("state", "merged_into", "merged_seq")


def differences(db: Connection) -> Iterator[str]:
    """All but those who were enrolled here and never changed: the log is gone through for these anyway."""
    yield from _told(db)
    for (member,) in db.execute(CHANGED_SELECT):
        yield from of_member(db, member)
    for (member,) in db.execute(NOWHERE_SELECT):
        yield f"Member {member} stands here, and nothing in the log or from head office says so."
    for member, kind, name in db.execute(STRAY_ATTRIBUTES_SELECT):
        yield f"The {kind} {name} of member {member} names a fact that did not bring it."
    for (member,) in db.execute(LEFT_SELECT):
        yield f"Member {member} is erased, but something of them is left."


def of_enrolment(db: Connection, fact: Fact) -> Iterator[str]:
    """Somebody who was enrolled and of whom nothing was said since."""
    assert fact.enrolment is not None
    if db.execute(SPOKEN_OF_SELECT, {"member": fact.enrolment.member_id}).fetchone() is None:
        yield from of_member(db, fact.enrolment.member_id)


def of_member(db: Connection, member_id: str) -> Iterator[str]:
    """One member, with their cards' states and attributes."""
    try:
        found = [*_differences_of(db, member_id)]
    except StoreError as error:
        found = [f"Member {member_id}: what is sealed in the log cannot be opened. {error}"]
    if found and db.execute(DISPUTED_SELECT, {"member": member_id}).fetchone() is None:
        yield from found


def _told(db: Connection) -> Iterator[str]:
    """Most stand as they were told, and are passed over by one look."""
    is_office = meta(db, "role") == "head_office"
    for member_id, as_of_seq, word, spoken, *stored in db.execute(TOLD_SELECT):
        row = pulled_row(decode(word, PulledMember), as_of_seq)
        if is_office:
            row["version"] = stored[-1]
        if spoken or stored != [row[name] for name in TOLD]:
            yield from of_member(db, member_id)


class _Folded(Value):
    """What stands of one member by all that was said; filled as it is read. ``cards``: those that changes touched."""

    columns: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    attributes: dict[tuple[str, str], tuple[bytes, bytes]] = field(default_factory=dict)


def _differences_of(db: Connection, member_id: str) -> Iterator[str]:
    cursor = db.execute(MEMBER_SELECT, {"member": member_id})
    row = cursor.fetchone()
    if row is None:
        yield f"Member {member_id} was enrolled, told of or changed, and is missing."
        return
    stored = dict(zip((column[0] for column in cursor.description), row, strict=True))
    folded = _fold(db, member_id, stored)
    for name, value in folded.columns.items():
        if stored[name] != value:
            yield f"Member {member_id}: {name} is not what the log or head office's word makes of it."
    for card, state in folded.cards.items():
        found = db.execute("SELECT state FROM card WHERE number = ?", (card,)).fetchone()
        if found is None or found[0] != state:
            yield f"Card {mask(card)} of member {member_id} is not {state}, as the log has it."
    attributes = {(kind, name): (sealed, txn) for kind, name, sealed, txn in db.execute(ATTRIBUTES_SELECT, {"member": member_id})}
    if attributes != ({} if stored["state"] == "erased" else folded.attributes):
        yield f"Attributes of member {member_id} are not those of the log."


def _fold(db: Connection, member_id: str, stored: dict[str, Any]) -> _Folded:
    as_of_seq, columns = _base(db, member_id)
    folded = _Folded(columns=columns)
    for seq, payload in db.execute(FACTS_SELECT, {"member": member_id}):
        fact = fact_of(payload)
        for change in fact.change.changes if fact.change is not None else ():
            if folded.columns.get("state") == "erased":
                break
            _fold_sealed(folded, fact, change)
            erases = isinstance(change, StateChange) and change.state == "erased"
            if seq <= as_of_seq and not erases and not isinstance(change, SourceChange):  # head office tells no till of a source
                continue
            if type(change) in SEALED_BY and db.master_key is None:
                for name in SEALED_BY[type(change)]:
                    folded.columns.pop(name, None)
                continue
            _fold_change(db, folded, fact, change, stored)
    _leave_to_others(db, member_id, folded.columns, as_of_seq)
    return folded


def _leave_to_others(db: Connection, member_id: str, columns: dict[str, Any], as_of_seq: int) -> None:
    """Tiers and merges have checks of their own."""
    if db.execute(TIERED_SELECT, {"member": member_id}).fetchone() is not None:
        columns.pop("tier", None)
    if db.execute(MERGED_SELECT, {"member": member_id, "seq": as_of_seq}).fetchone() is not None:
        kept = columns.get("state") == "erased"
        for name in OF_MERGE[kept:]:
            columns.pop(name, None)
    elif columns.get("state") == "merged" or ("merged_into" in columns and columns["merged_into"] is not None):
        columns.pop("merged_seq", None)
    if meta(db, "role") == "head_office":
        columns.pop("version", None)


def _base(db: Connection, member_id: str) -> tuple[int, dict[str, Any]]:
    """Up to which number of our log head office's word knows, and what it or the enrolment makes of the member's columns."""
    said = db.execute(WORD_SELECT, {"member": member_id}).fetchone()
    row = db.execute(ENROLMENT_SELECT, {"member": member_id}).fetchone()
    fact = None if row is None else fact_of(row[0])
    enrolled = {} if fact is None else _enrolled(db, member_id, fact)
    if said is None:
        return 0, enrolled
    columns = dict(UNSAID) | {name: enrolled[name] for name in ("personal", "origin", "drive") if name in enrolled}
    columns |= pulled_row(decode(said[1], PulledMember), said[0])
    del columns["id"]
    return said[0], columns | dict(ERASED) if columns["state"] == "erased" else columns


def _enrolled(db: Connection, member_id: str, fact: Fact) -> dict[str, Any]:
    """The columns of a member as the fact of the enrolment makes them."""
    enrolment = fact.enrolment
    assert enrolment is not None
    joined_ms = to_ms(enrolment.joined_at or fact.at)
    columns = dict(UNSAID) | {
        "tier": enrolment.tier,
        "segments": json.dumps(enrolment.segments, ensure_ascii=False),
        "joined_ms": joined_ms,
        "referred_by": enrolment.referred_by,
        "personal": None if enrolment.personal is None else b64decode(enrolment.personal),
        "origin": enrolment.origin,
        "drive": enrolment.drive,
    }
    if enrolment.personal is None:
        return columns
    if db.master_key is None:
        return {name: value for name, value in columns.items() if name not in SEALED}
    known = member_keys.personal(db, member_id, enrolment.personal)
    return columns | {
        "phone_index": None if known.phone_index is None else bytes.fromhex(known.phone_index),
        "birthday": known.birthday,
        "birthday_set_ms": None if known.birthday is None else joined_ms,
    }


def _fold_sealed(folded: _Folded, fact: Fact, change: Change) -> None:
    found = sealed_of(change)
    if found is None:
        return
    kind, name, sealed = found
    folded.attributes.pop((kind, name), None)
    if sealed is not None:
        folded.attributes[kind, name] = sealed, bytes.fromhex(fact.id)


def _fold_change(db: Connection, folded: _Folded, fact: Fact, change: Change, stored: dict[str, Any]) -> None:
    assert fact.change is not None
    columns, member_id = folded.columns, fact.change.member_id
    match change:
        case PhoneChange(index=index, verified=verified):
            columns |= {"phone_index": member_keys.phone_index(db, member_id, index), "phone_verified": int(verified)}
        case PhoneVerified(index=index):
            opened = member_keys.phone_index(db, member_id, index)
            if opened is not None and columns.get("phone_index", stored["phone_index"]) == opened:
                columns["phone_verified"] = 1
        case BirthdayChange(sealed=sealed):
            birthday = member_keys.birthday(db, member_id, sealed)
            columns |= {"birthday": birthday, "birthday_set_ms": None if birthday is None else to_ms(fact.at)}
        case CardAdded(card=card):
            folded.cards[card] = "active"
        case CardStateChange(card=card, state=state):
            folded.cards[card] = state
        case StateChange(state=state):
            if state == "erased":
                columns |= ERASED
            if state == "erased" or columns.get("state") != "merged":
                columns["state"] = state
        case SourceChange(origin=origin, drive=drive):
            columns |= {"origin": origin, "drive": drive}
        case ReferralCode(sealed=sealed):
            columns["referral_code"] = member_keys.referral_code(db, member_id, sealed)
        case _:
            pass


CHANGED_SELECT = f"""SELECT DISTINCT member FROM txn WHERE kind = 'member.changed' AND {OF_ACTS} AND +member IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM member_word AS w WHERE w.member = txn.member)"""
OF_A_MEMBER = "('member.enrolled', 'member.changed', 'member.merged')"
TOLD = (
    "tier", "segments", "birthday", "birthday_set_ms", "referred_by", "joined_ms", "sales_count", "spent_minor", "owed_centi",
    "staff", "state", "merged_into", "phone_index", "phone_verified", "referral_code", "base_seq", "version",
)  # fmt: skip
TOLD_SELECT = f"""SELECT w.member, w.as_of_seq, w.word,
  m.personal IS NOT NULL OR m.origin <> '' OR m.drive <> '' OR m.merged_seq <> 0
    OR EXISTS (SELECT 1 FROM txn AS t WHERE t.member = w.member AND t.kind IN {OF_A_MEMBER}) AS spoken,
  {", ".join(f"m.{name}" for name in TOLD)}
FROM member_word AS w LEFT JOIN member AS m ON m.id = w.member"""
SPOKEN_OF_SELECT = """SELECT 1 FROM member_word WHERE member = :member
UNION ALL SELECT 1 FROM txn WHERE member = :member AND kind = 'member.changed' LIMIT 1"""
NOWHERE_SELECT = """SELECT id FROM member AS m WHERE NOT EXISTS (SELECT 1 FROM member_word AS w WHERE w.member = m.id)
AND NOT EXISTS (SELECT 1 FROM txn AS t WHERE t.member = m.id AND (
  t.kind = 'member.enrolled' OR (m.state = 'erased' AND t.kind = 'member.changed')))"""
"""Somebody may be erased whom head office does not know: the change itself is compared as any other."""
WORD_SELECT = "SELECT as_of_seq, word FROM member_word WHERE member = :member"
ENROLMENT_SELECT = """SELECT payload FROM txn AS t WHERE member = :member AND kind = 'member.enrolled' AND NOT EXISTS (
  SELECT 1 FROM suspense_case AS s WHERE (s.till, s.epoch, s.seq) = (t.till, t.epoch, t.seq)
) ORDER BY rowid LIMIT 1"""
TIERED_SELECT = """SELECT 1 FROM tier_word WHERE member = :member
UNION ALL SELECT 1 FROM member_tier WHERE member = :member LIMIT 1"""
MERGED_SELECT = "SELECT 1 FROM txn WHERE member = :member AND kind = 'member.merged' AND seq > :seq LIMIT 1"
FACTS_SELECT = "SELECT seq, payload FROM txn WHERE member = :member AND kind = 'member.changed' ORDER BY rowid"
"""In the order in which they came."""
MEMBER_SELECT = "SELECT * FROM member WHERE id = :member"
ATTRIBUTES_SELECT = "SELECT kind, name, sealed, txn FROM member_attribute WHERE member = :member"
STRAY_ATTRIBUTES_SELECT = """SELECT a.member, a.kind, a.name FROM member_attribute AS a LEFT JOIN txn AS t ON t.id = a.txn
WHERE t.kind IS NOT 'member.changed' OR t.member IS NOT a.member"""
LEFT_SELECT = """SELECT id FROM member WHERE state = 'erased' AND (
  personal IS NOT NULL OR phone_index IS NOT NULL OR birthday IS NOT NULL OR referral_code IS NOT NULL OR secret IS NOT NULL
  OR EXISTS (SELECT 1 FROM member_key AS k WHERE k.member = member.id)
  OR EXISTS (SELECT 1 FROM member_attribute AS a WHERE a.member = member.id)
  OR EXISTS (SELECT 1 FROM phone_todo AS p WHERE p.member = member.id)
  OR EXISTS (SELECT 1 FROM confirm_try AS c WHERE c.member = member.id)
)"""
DISPUTED_SELECT = """SELECT 1 FROM suspense_case AS c JOIN txn AS t ON (t.till, t.epoch, t.seq) = (c.till, c.epoch, c.seq)
WHERE t.member = :member AND t.kind LIKE 'member.%'
AND (c.reason LIKE 'member.%' OR c.reason LIKE 'card.%' OR c.reason LIKE 'merge.%')
LIMIT 1"""
"""Facts that were kept and changed nothing, or not all."""
