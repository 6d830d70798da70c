"""What follows from changes to a member: consents, attributes, phone, cards, state. Rule: an erased member changes no more.

Of two tills' changes the one that comes later to head office stands, and a consent counts by the time of its fact.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import assert_never

from pos_loyalty.clock import to_ms
from pos_loyalty.store import member_keys, member_words, prints
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.member_facts import (
    AttributeChange,
    BirthdayChange,
    CardAdded,
    CardStateChange,
    Change,
    ConsentChange,
    DateChange,
    NameChange,
    PhoneChange,
    PhoneVerified,
    ReferralCode,
    SourceChange,
    StateChange,
)
from pos_loyalty.store.witness import watched

ConsentRow = tuple[bytes, int, str, str, int, str, str, int, str]
NAME, PHONE = "name", "phone"


def enrolled(db: Connection, fact: Fact) -> None:
    """The consents that an enrolment brings; the member's own row is another file's."""
    db.executemany(CONSENT_INSERT, list(consent_rows(fact)))


def changed(db: Connection, fact: Fact) -> None:
    """All that a change brings."""
    assert fact.change is not None
    db.executemany(CONSENT_INSERT, list(consent_rows(fact)))
    for change in fact.change.changes:
        if state_of(db, fact.change.member_id) in (None, "erased"):
            return
        _apply(db, fact, change)


def put_again(db: Connection, member_id: str, after_seq: int) -> None:
    """At a till, when head office has spoken of a member: our own changes that it does not know yet go on top. Whom we erased
    stays erased, also where it forgot them with a restore."""
    for seq, payload in db.execute(CHANGES_SELECT, {"member": member_id}).fetchall():
        fact = fact_of(payload)
        assert fact.change is not None
        for change in fact.change.changes:
            if (seq > after_seq or change == ERASED) and state_of(db, member_id) != "erased":
                _apply(db, fact, change)


def said_before(db: Connection, member_id: str) -> bool:
    """At head office, which heard what a till said of a member before it heard of the enrolment at another: their state and their
    cards are as that says, the rest is of keys that nobody has here. Answers whether they are erased by it."""
    for (payload,) in db.execute(SAID_SELECT, {"member": member_id}).fetchall():
        fact = fact_of(payload)
        for change in fact.change.changes if fact.change is not None else ():
            if isinstance(change, StateChange | CardAdded | CardStateChange) and state_of(db, member_id) != "erased":
                _apply(db, fact, change)
    return state_of(db, member_id) == "erased"


def forget(db: Connection, member_id: str) -> None:
    """Leave nothing here by which an erased member could be known. Consents stay, under the opaque id."""
    member = {"member": member_id}
    db.execute(FORGET_UPDATE, member)
    prints.wipe(db, member_id)
    for table in ("member_attribute", "phone_code", "confirm_try"):
        db.execute(f"DELETE FROM {table} WHERE member = :member", member)
    for table in ("member_key", "phone_todo"):
        with watched(db, table, "member = :member", member):
            db.execute(f"DELETE FROM {table} WHERE member = :member", member)
    member_words.forget_person(db, member_id)


def state_of(db: Connection, member_id: str) -> str | None:
    """The member's state; None when they are not known here."""
    row = db.execute("SELECT state FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None else str(row[0])


def consent_rows(fact: Fact) -> Iterator[ConsentRow]:
    """Rows of member_consent, in the order of the fact."""
    if fact.enrolment is not None:
        member, given = fact.enrolment.member_id, fact.enrolment.consents
    else:
        assert fact.change is not None
        member = fact.change.member_id
        given = tuple(change for change in fact.change.changes if isinstance(change, ConsentChange))
    for n, one in enumerate(given):
        at_ms, cashier = to_ms(fact.at), fact.cashier or ""
        yield bytes.fromhex(fact.id), n, member, one.purpose, int(one.given), one.text_version, one.channel, at_ms, cashier


def sealed_of(change: Change) -> tuple[str, str, bytes | None] | None:
    """Kind, name and bytes of the attribute that a change sets, bytes None when it takes it away; None for other changes."""
    match change:
        case NameChange(sealed=sealed):
            return "self", NAME, b64decode(sealed)
        case PhoneChange(sealed=str(sealed)):
            return "self", PHONE, b64decode(sealed)
        case AttributeChange(name=name, sealed=found):
            return "attribute", name, None if found is None else b64decode(found)
        case DateChange(name=name, sealed=found):
            return "date", name, None if found is None else b64decode(found)
        case _:
            return None


def _apply(db: Connection, fact: Fact, change: Change) -> None:
    assert fact.change is not None
    member_id = fact.change.member_id
    row: dict[str, object] = {"member": member_id, "at_ms": to_ms(fact.at)}
    match change:
        case ConsentChange():
            pass
        case NameChange() | AttributeChange() | DateChange():
            _put_sealed(db, fact, change)
        case PhoneChange(index=index, verified=verified):
            _put_sealed(db, fact, change)
            found = member_keys.phone_index(db, member_id, index)
            db.execute(PHONE_UPDATE, row | {"index": found, "verified": int(verified)})
            db.execute("DELETE FROM phone_code WHERE member = :member", row)
            with watched(db, "phone_todo", "member = :member", {"member": member_id}):
                db.execute("DELETE FROM phone_todo WHERE member = :member", row)
        case PhoneVerified(index=index):
            db.execute(VERIFIED_UPDATE, row | {"index": member_keys.phone_index(db, member_id, index)})
        case BirthdayChange(sealed=sealed):
            birthday = member_keys.birthday(db, member_id, sealed)
            db.execute(BIRTHDAY_UPDATE, row | {"birthday": birthday, "set_ms": None if birthday is None else row["at_ms"]})
        case CardAdded(card=card):
            db.execute(CARD_INSERT, row | {"card": card})
        case CardStateChange(card=card, state=state):
            db.execute(CARD_UPDATE, row | {"card": card, "state": state})
        case StateChange(state=state):
            db.execute(STATE_UPDATE, row | {"state": state})
            if state == "erased":
                forget(db, member_id)
        case SourceChange(origin=origin, drive=drive):
            db.execute(
                "UPDATE member SET origin = :origin, drive = :drive WHERE id = :member", row | {"origin": origin, "drive": drive}
            )
        case ReferralCode(sealed=sealed):
            code = member_keys.referral_code(db, member_id, sealed)
            db.execute("UPDATE member SET referral_code = :code WHERE id = :member", row | {"code": code})
        case _:
            assert_never(change)


def _put_sealed(db: Connection, fact: Fact, change: Change) -> None:
    found = sealed_of(change)
    if found is None or fact.change is None:
        return
    kind, name, sealed = found
    row = {"member": fact.change.member_id, "kind": kind, "name": name, "sealed": sealed, "txn": bytes.fromhex(fact.id)}
    db.execute(ATTRIBUTE_DELETE if sealed is None else ATTRIBUTE_UPSERT, row)


ERASED = StateChange(state="erased")
CONSENT_COLUMNS = ("txn", "n", "member", "purpose", "given", "text_version", "channel", "at_ms", "cashier")
CONSENT_INSERT = f"INSERT INTO member_consent ({', '.join(CONSENT_COLUMNS)}) VALUES ({', '.join('?' * len(CONSENT_COLUMNS))})"
CHANGES_SELECT = "SELECT seq, payload FROM txn WHERE member = :member AND kind = 'member.changed' ORDER BY epoch, seq"
SAID_SELECT = "SELECT payload FROM txn WHERE member = :member AND kind = 'member.changed' ORDER BY hlc, till"
FORGET_UPDATE = """UPDATE member SET personal = NULL, phone_index = NULL, phone_verified = 0, birthday = NULL,
birthday_set_ms = NULL, referral_code = NULL, secret = NULL WHERE id = :member"""
STATE_UPDATE = """UPDATE member SET state = :state
WHERE id = :member AND (state <> 'merged' OR :state = 'erased')"""
"""Who went over into another stays so, until they are erased with them."""
PHONE_UPDATE = "UPDATE member SET phone_index = :index, phone_verified = :verified WHERE id = :member"
VERIFIED_UPDATE = "UPDATE member SET phone_verified = 1 WHERE id = :member AND phone_index = :index"
BIRTHDAY_UPDATE = "UPDATE member SET birthday = :birthday, birthday_set_ms = :set_ms WHERE id = :member"
CARD_INSERT = "INSERT INTO card (number, member) VALUES (:card, :member) ON CONFLICT (number) DO NOTHING"
CARD_UPDATE = "UPDATE card SET state = :state WHERE number = :card AND member = :member"
ATTRIBUTE_UPSERT = """INSERT INTO member_attribute (member, kind, name, sealed, txn) VALUES (:member, :kind, :name, :sealed, :txn)
ON CONFLICT (member, kind, name) DO UPDATE SET sealed = excluded.sealed, txn = excluded.txn"""
ATTRIBUTE_DELETE = "DELETE FROM member_attribute WHERE member = :member AND kind = :kind AND name = :name"
