"""Changes to members against what is known: what contradicts at head office, and consents that are not those of the log."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.errors import InputError
from pos_loyalty.store import member_keys
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.member_changes import CONSENT_COLUMNS, consent_rows, state_of
from pos_loyalty.store.member_facts import (
    CardAdded,
    CardStateChange,
    PhoneChange,
    ReferralCode,
    StateChange,
)

CONSENT_MARK = b'"change":"consent"'
"""A payload without these bytes holds no consent."""
ERASES = StateChange(state="erased")


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


def _consents(payload: bytes) -> Iterator[tuple[object, ...]]:
    try:
        yield from consent_rows(fact_of(payload))
    except InputError:
        return


def _phone_doubts(db: Connection, member_id: str, index: bytes | None) -> Iterator[Doubt]:
    row = db.execute(SAME_PHONE_SELECT, {"index": index, "member": member_id}).fetchone()
    if row is not None:
        yield Doubt(reason="phone.taken", detail=f"member {member_id} has the phone of member {row[0]}")


def _one(db: Connection, select: str, key: str | None) -> str | None:
    row = db.execute(select, {"key": key}).fetchone()
    return None if row is None else str(row[0])


CONSENTS_SELECT = f"SELECT {', '.join(CONSENT_COLUMNS)} FROM member_consent WHERE txn = :txn ORDER BY n"
STRAY_CONSENTS_SELECT = """SELECT c.member, c.txn FROM member_consent AS c LEFT JOIN txn AS t ON t.id = c.txn
WHERE t.kind IS NULL OR t.kind NOT IN ('member.enrolled', 'member.changed')"""
SAME_PHONE_SELECT = "SELECT id FROM member WHERE phone_index = :index AND id <> :member AND state <> 'erased' LIMIT 1"
