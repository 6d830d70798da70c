"""What is held on a member besides points: state, phone, consents, sealed attributes, cards; in whatever state they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, cast

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.member_facts import Purpose
from pos_loyalty.store.members import MemberState
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

PhoneState = Literal["none", "unverified", "verified"]


class Profile(Value):
    """A member's own row."""

    member_id: str
    state: MemberState
    birthday: str | None
    birthday_set_at: datetime | None
    joined_at: datetime | None
    referred_by: str | None
    origin: str
    drive: str
    phone_index: bytes | None
    phone: PhoneState
    referral_code: str | None


class Consent(Value):
    """A consent given or withdrawn."""

    purpose: Purpose
    given: bool
    text_version: str
    channel: str
    at: datetime
    cashier: str


class HeldCard(Value):
    """A card and its state."""

    number: str
    state: Literal["active", "lost"]


class Attribute(Value):
    """A sealed field."""

    kind: Literal["attribute", "date", "self"]
    name: str
    sealed: bytes

    @property
    def place(self) -> str:
        """What it is sealed for."""
        return f"{self.kind}:{self.name}"


class SentCode(Value):
    """A code on its way to a phone. ``sent`` counts the codes since ``first_at``."""

    code_hash: bytes
    made_at: datetime
    tries: int
    sent: int
    first_at: datetime


def by_id(db: Connection, member_id: str) -> Profile | None:
    """The member with this id, blocked or erased ones too."""
    row = db.execute(PROFILE_SELECT, {"member": member_id}).fetchone()
    if row is None:
        return None
    seen = dict(zip(SEEN, row, strict=True))
    return Profile(
        member_id=member_id,
        state=cast(MemberState, seen["state"]),
        birthday=seen["birthday"],
        birthday_set_at=_at(seen["birthday_set_ms"]),
        joined_at=_at(seen["joined_ms"]),
        referred_by=seen["referred_by"],
        origin=seen["origin"],
        drive=seen["drive"],
        phone_index=seen["phone_index"],
        phone=_phone(seen),
        referral_code=seen["referral_code"],
    )


def phone_of(db: Connection, member_id: str) -> PhoneState:
    """Whether the member has a phone and whether its holder has shown that it is theirs."""
    row = db.execute(PHONE_SELECT, {"member": member_id}).fetchone()
    return "none" if row is None else _phone(dict(zip(("phone_index", "phone_verified", "waits"), row, strict=True)))


def by_card(db: Connection, number: str) -> str | None:
    """The id of who has this card, whatever became of both."""
    row = db.execute("SELECT member FROM card WHERE number = :card", {"card": number}).fetchone()
    return None if row is None else str(row[0])


def by_referral_code(db: Connection, code: str) -> str | None:
    """The id of the active member whose own code this is."""
    row = db.execute(CODE_SELECT, {"code": code}).fetchone()
    return None if row is None else str(row[0])


def cards_of(db: Connection, member_id: str) -> tuple[HeldCard, ...]:
    """All cards of a member, in order."""
    rows = db.execute("SELECT number, state FROM card WHERE member = :member ORDER BY number", {"member": member_id})
    return tuple(HeldCard(number=number, state=state) for number, state in rows)


def consents_of(db: Connection, member_id: str) -> tuple[Consent, ...]:
    """All that was given and withdrawn, oldest first."""
    rows = db.execute(CONSENTS_SELECT, {"member": member_id})
    return tuple(
        Consent(purpose=purpose, given=bool(given), text_version=text, channel=channel, at=from_ms(at_ms), cashier=cashier)
        for purpose, given, text, channel, at_ms, cashier in rows
    )


def consents_in_force(db: Connection, member_id: str) -> tuple[Purpose, ...]:
    """Purposes to which the newest word of the member is yes, in order."""
    last = {consent.purpose: consent.given for consent in consents_of(db, member_id)}
    return tuple(sorted(purpose for purpose, given in last.items() if given))


def attributes_of(db: Connection, member_id: str) -> tuple[Attribute, ...]:
    """Sealed fields, by kind and name."""
    rows = db.execute(ATTRIBUTES_SELECT, {"member": member_id})
    return tuple(Attribute(kind=kind, name=name, sealed=bytes(sealed)) for kind, name, sealed in rows)


def sent_code(db: Connection, member_id: str) -> SentCode | None:
    """The code that was sent last."""
    row = db.execute(SENT_SELECT, {"member": member_id}).fetchone()
    if row is None:
        return None
    code_hash, made_ms, tries, sent, first_ms = row
    return SentCode(code_hash=code_hash, made_at=from_ms(made_ms), tries=tries, sent=sent, first_at=from_ms(first_ms))


def put_code(db: Connection, member_id: str, code: SentCode) -> None:
    """Keep a code in the place of the one before."""
    row: dict[str, Any] = {"member": member_id, "code_hash": code.code_hash, "made_ms": to_ms(code.made_at), "tries": code.tries}
    db.execute(SENT_UPSERT, row | {"sent": code.sent, "first_ms": to_ms(code.first_at)})


def blank_answers(db: Connection, member_id: str) -> None:
    """Nobody may try out phones on what is kept of the requests about an erased member, or read a code in the answers."""
    with watched(db, "idempotency", ANSWERED, {"member": member_id}):
        db.execute(BLANK_UPDATE, {"member": member_id})


def _phone(seen: dict[str, Any]) -> PhoneState:
    if seen["phone_index"] is None and not seen["waits"]:
        return "none"
    return "verified" if seen["phone_verified"] else "unverified"


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


SEEN = (
    "state", "birthday", "birthday_set_ms", "joined_ms", "referred_by", "origin", "drive", "phone_index", "phone_verified",
    "referral_code", "waits",
)  # fmt: skip
WAITS = "EXISTS (SELECT 1 FROM phone_todo AS p WHERE p.member = member.id)"
PROFILE_SELECT = f"SELECT {', '.join(SEEN[:-1])}, {WAITS} FROM member WHERE id = :member"
PHONE_SELECT = f"SELECT phone_index, phone_verified, {WAITS} FROM member WHERE id = :member"
CODE_SELECT = "SELECT id FROM member WHERE referral_code = :code AND state = 'active' ORDER BY id LIMIT 1"
CONSENTS_SELECT = """SELECT purpose, given, text_version, channel, at_ms, cashier FROM member_consent
WHERE member = :member ORDER BY at_ms, txn, n"""
ATTRIBUTES_SELECT = "SELECT kind, name, sealed FROM member_attribute WHERE member = :member ORDER BY kind, name"
SENT_SELECT = "SELECT code_hash, made_ms, tries, sent, first_ms FROM phone_code WHERE member = :member"
SENT_UPSERT = """INSERT INTO phone_code (member, code_hash, made_ms, tries, sent, first_ms)
VALUES (:member, :code_hash, :made_ms, :tries, :sent, :first_ms)
ON CONFLICT (member) DO UPDATE SET code_hash = excluded.code_hash, made_ms = excluded.made_ms, tries = excluded.tries,
  sent = excluded.sent, first_ms = excluded.first_ms"""
ANSWERED = "CAST(answer AS TEXT) ->> '$.member_id' = :member"
BLANK_UPDATE = f"""UPDATE idempotency SET body_hash = zeroblob(32), answer = CAST(json_object('member_id', :member) AS BLOB)
WHERE {ANSWERED}"""
