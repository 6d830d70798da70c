"""Changes to members against what is known: what contradicts at head office, and rows that are not what the log makes of them.

Rule: in a till's file only changes that head office has not spoken of since are compared: of the others it knows more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import field
from pysqlite3.dbapi2 import Cursor

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.log import mask
from pos_loyalty.store import member_keys
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.member_changes import CONSENT_COLUMNS, consent_rows, sealed_of, state_of
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
from pos_loyalty.values import Value

CONSENT_MARK = b'"change":"consent"'
"""A payload without these bytes holds no consent."""
ERASES = StateChange(state="erased")
SealedChange = PhoneChange | PhoneVerified | BirthdayChange | ReferralCode
"""Changes of columns that are plain in the table and sealed in the fact: compared where the file was opened with the keys."""


def doubts_of_enrolment(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """A phone that another member has: two tills, or two people of one phone."""
    if fact.enrolment is not None:
        member_id = fact.enrolment.member_id
        index = member_keys.personal(db, member_id, fact.enrolment.personal).phone_index
        yield from _phone_doubts(db, member_id, None if index is None else bytes.fromhex(index))


def doubts_of_change(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """An unknown or erased member, a card or a referral code of another, a phone that another has."""
    assert fact.change is not None
    member_id = fact.change.member_id
    state = state_of(db, member_id)
    if state in (None, "erased"):
        yield Doubt(reason=f"member.{state or 'unknown'}", detail=f"{fact.kind} of member {member_id}")
        return
    if state == "merged" and ERASES not in fact.change.changes:
        yield Doubt(reason="member.merged", detail=f"{fact.kind} of member {member_id}")
    for change in fact.change.changes:
        match change:
            case CardAdded(card=card) | CardStateChange(card=card):
                holder = _one(db, "SELECT member FROM card WHERE number = :key", card)
                if holder not in (None, member_id):
                    yield Doubt(reason="card.taken", detail=f"a card of member {member_id} belongs to member {holder}")
                elif holder is None and isinstance(change, CardStateChange):
                    yield Doubt(reason="card.unknown", detail=f"a card of member {member_id} is not known")
            case PhoneChange(index=index):
                yield from _phone_doubts(db, member_id, member_keys.phone_index(db, member_id, index))
            case ReferralCode(sealed=sealed):
                code = member_keys.referral_code(db, member_id, sealed)
                holder = _one(db, "SELECT id FROM member WHERE referral_code = :key", code)
                if holder not in (None, member_id):
                    yield Doubt(reason="referral_code.taken", detail=f"the code of member {member_id} is that of member {holder}")
            case _:
                pass


def consent_differences(db: Connection) -> Iterator[str]:
    """Each consent stands as its fact has it, and none stands without one."""
    for id_, payload in db.execute("SELECT id, payload FROM txn WHERE kind IN ('member.enrolled', 'member.changed')"):
        stored = db.execute(CONSENTS_SELECT, {"txn": id_}).fetchall()
        expected = list(_consents(payload)) if CONSENT_MARK in payload else []
        if stored != expected:
            yield f"Consents of fact {id_.hex()} are not those of the payload."
    for member, id_ in db.execute(STRAY_CONSENTS_SELECT):
        yield f"A consent of member {member} names fact {id_.hex()}, which brought none."


def member_differences(db: Connection) -> Iterator[str]:
    """Members with changes of their own stand as these leave them; of an erased one nothing is left."""
    for (member,) in db.execute(CHANGED_SELECT):
        try:
            found = [*_differences_of(db, member)]
        except StoreError as error:
            found = [f"Member {member}: what is sealed in the log cannot be opened. {error}"]
        if found and db.execute(DISPUTED_SELECT, {"member": member}).fetchone() is None:
            yield from found
    for member, kind, name in db.execute(STRAY_ATTRIBUTES_SELECT):
        yield f"The {kind} {name} of member {member} names a fact that did not bring it."
    for (member,) in db.execute(LEFT_SELECT):
        yield f"Member {member} is erased, but something of them is left."


class _Folded(Value):
    """What the changes of one member leave; filled as they are read. ``columns`` and ``cards``: those that they touched."""

    columns: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    attributes: dict[tuple[str, str], tuple[bytes, bytes]] = field(default_factory=dict)


def _differences_of(db: Connection, member_id: str) -> Iterator[str]:
    row = db.execute(MEMBER_SELECT, {"member": member_id})
    stored = _named(row)
    if stored is None:
        yield f"Member {member_id} was changed and is missing."
        return
    folded = _fold(db, member_id, stored)
    for name, value in folded.columns.items():
        if stored[name] != value:
            yield f"Member {member_id}: {name} is not what the log makes of it."
    for card, state in folded.cards.items():
        if _one(db, "SELECT state FROM card WHERE number = :key", card) != state:
            yield f"Card {mask(card)} of member {member_id} is not {state}, as the log has it."
    attributes = {(kind, name): (sealed, txn) for kind, name, sealed, txn in db.execute(ATTRIBUTES_SELECT, {"member": member_id})}
    if attributes != ({} if stored["state"] == "erased" else folded.attributes):
        yield f"Attributes of member {member_id} are not those of the log."


def _fold(db: Connection, member_id: str, stored: dict[str, Any]) -> _Folded:
    folded = _Folded()
    for seq, payload in db.execute(FACTS_SELECT, {"member": member_id}):
        fact = fact_of(payload)
        for change in fact.change.changes if fact.change is not None else ():
            if folded.columns.get("state") == "erased":
                break
            _fold_sealed(folded, fact, change)
            if isinstance(change, SealedChange) and db.master_key is None:
                continue
            if seq > stored["base_seq"] or (isinstance(change, StateChange) and change.state == "erased"):
                _fold_change(db, folded, fact, change, stored)
    return folded


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
            columns["state"] = state
            if state == "erased":
                columns |= dict.fromkeys(("phone_index", "birthday", "birthday_set_ms", "referral_code")) | {"phone_verified": 0}
        case SourceChange(origin=origin, drive=drive):
            columns |= {"origin": origin, "drive": drive}
        case ReferralCode(sealed=sealed):
            columns["referral_code"] = member_keys.referral_code(db, member_id, sealed)
        case _:
            pass


def _consents(payload: bytes) -> Iterator[tuple[object, ...]]:
    try:
        yield from consent_rows(fact_of(payload))
    except InputError:
        return


def _phone_doubts(db: Connection, member_id: str, index: bytes | None) -> Iterator[Doubt]:
    row = db.execute(SAME_PHONE_SELECT, {"index": index, "member": member_id}).fetchone()
    if row is not None:
        yield Doubt(reason="phone.taken", detail=f"member {member_id} has the phone of member {row[0]}")


def _named(cursor: Cursor) -> dict[str, Any] | None:
    row = cursor.fetchone()
    return None if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))


def _one(db: Connection, select: str, key: str | None) -> str | None:
    row = db.execute(select, {"key": key}).fetchone()
    return None if row is None else str(row[0])


CONSENTS_SELECT = f"SELECT {', '.join(CONSENT_COLUMNS)} FROM member_consent WHERE txn = :txn ORDER BY n"
STRAY_CONSENTS_SELECT = """SELECT c.member, c.txn FROM member_consent AS c LEFT JOIN txn AS t ON t.id = c.txn
WHERE t.kind IS NULL OR t.kind NOT IN ('member.enrolled', 'member.changed')"""
CHANGED_SELECT = f"SELECT DISTINCT member FROM txn WHERE kind = 'member.changed' AND {OF_ACTS} AND member IS NOT NULL"
FACTS_SELECT = "SELECT seq, payload FROM txn WHERE member = :member AND kind = 'member.changed' ORDER BY rowid"
"""In the order in which they came."""
MEMBER_SELECT = """SELECT state, birthday, birthday_set_ms, phone_index, phone_verified, referral_code, origin, drive, base_seq
FROM member WHERE id = :member"""
ATTRIBUTES_SELECT = "SELECT kind, name, sealed, txn FROM member_attribute WHERE member = :member"
STRAY_ATTRIBUTES_SELECT = """SELECT a.member, a.kind, a.name FROM member_attribute AS a LEFT JOIN txn AS t ON t.id = a.txn
WHERE t.kind IS NOT 'member.changed' OR t.member IS NOT a.member"""
SAME_PHONE_SELECT = "SELECT id FROM member WHERE phone_index = :index AND id <> :member AND state <> 'erased' LIMIT 1"
LEFT_SELECT = """SELECT id FROM member WHERE state = 'erased' AND (
  personal IS NOT NULL OR phone_index IS NOT NULL OR birthday IS NOT NULL OR referral_code IS NOT NULL OR secret IS NOT NULL
  OR EXISTS (SELECT 1 FROM member_key AS k WHERE k.member = member.id)
  OR EXISTS (SELECT 1 FROM member_attribute AS a WHERE a.member = member.id)
  OR EXISTS (SELECT 1 FROM phone_todo AS p WHERE p.member = member.id)
  OR EXISTS (SELECT 1 FROM confirm_try AS c WHERE c.member = member.id)
)"""
DISPUTED_SELECT = """SELECT 1 FROM suspense_case AS c JOIN txn AS t ON (t.till, t.epoch, t.seq) = (c.till, c.epoch, c.seq)
WHERE t.member = :member AND t.kind LIKE 'member.%'
UNION ALL SELECT 1 FROM txn WHERE kind = 'member.merged' AND (
  CAST(payload AS TEXT) ->> '$.merge.member_id' = :member OR CAST(payload AS TEXT) ->> '$.merge.into' = :member
) LIMIT 1"""
