"""What an import asks of the store, and the facts that it books: members and opening balances, at head office or at a till alone.

Rule: an import writes facts like everybody else; rows follow from them, and the same row booked twice is refused by its own id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import TypeVar

from msgspec.structs import replace

from pos_loyalty.clock import new_id, to_ms
from pos_loyalty.engine.model import POINT, Entry
from pos_loyalty.errors import StoreError
from pos_loyalty.store import follow, members, profiles, seal
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.staff_facts import AdjustFact
from pos_loyalty.values import Points, Value

T = TypeVar("T")
ADJUSTMENT = "adjustment"
ID_SIGNS = 32


class Booking(Value):
    """Who imports, for which shop, and when. At head office the members get new versions, so that tills fetch them."""

    store: str
    by: str
    is_office: bool
    now: datetime


class Opening(Value):
    """Points to begin with: one lot. ``name`` tells one import of balances from the next."""

    member_id: str
    centi: Points
    name: str
    usable_from: datetime | None = None
    expires_at: datetime | None = None

    @property
    def lot_id(self) -> str:
        """Made of whose the points are and when they hold: one lot for each such key, however often it is imported."""
        dates = ("" if at is None else str(to_ms(at)) for at in (self.usable_from, self.expires_at))
        key = sha256("\n".join((self.member_id, *dates)).encode()).hexdigest()[:ID_SIGNS]
        return f"import:{self.name}:{key}"


def member_of_card(card: str) -> str:
    """The id of an imported member who is known by the card alone: the same at every import."""
    return sha256(f"import member of card {card}".encode()).hexdigest()[:ID_SIGNS]


def member_state(db: Connection, member_id: str) -> str | None:
    """active, blocked or erased; None for nobody."""
    row = db.execute("SELECT state FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None else str(row[0])


def card_holder(db: Connection, card: str) -> str | None:
    """Whose a card is, whatever its state."""
    row = db.execute("SELECT member FROM card WHERE number = :card", {"card": card}).fetchone()
    return None if row is None else str(row[0])


def opened_centi(db: Connection, opening: Opening) -> int | None:
    """With how much this opening was booked before; None when it was not."""
    row = db.execute("SELECT amount FROM lot WHERE id = :lot", {"lot": opening.lot_id}).fetchone()
    return None if row is None else int(row[0])


def phones(db: Connection, master_key: str) -> Iterator[tuple[str, str]]:
    """Phones with their members, opened one by one: at some 10 µs each this is far cheaper than a slow hash."""
    for (member_id,) in db.execute(PERSONS_SELECT):
        phone = person(db, member_id, master_key).phone
        if phone:
            yield seal.normal_phone(phone), member_id


def person(db: Connection, member_id: str, master_key: str) -> seal.Personal:
    """Name and phone of a member as they are now; empty where they are not kept here. Raises StoreError when no key opens."""
    keys = [seal.open_key(member_id, sealed, master_key) for sealed in members.sealed_keys(db, member_id)]
    sealed = members.personal(db, member_id)
    known = seal.Personal()
    if sealed is not None and keys:
        known = _opened(keys, partial(seal.open_personal, member_id, sealed))
    for name, field in db.execute(OWN_FIELDS_SELECT, {"member": member_id}):
        known = replace(known, **{name: _opened(keys, partial(seal.open_field, member_id, f"self:{name}", bytes(field)))})
    return known


def consents(db: Connection, member_id: str) -> tuple[str, ...]:
    """Purposes that the member agrees to now."""
    return profiles.consents_in_force(db, member_id)


def _opened(keys: Sequence[bytes], opening: Callable[[bytes], T]) -> T:
    """By the key that opens it: at head office a member may have one of each till."""
    for key in keys[:-1]:
        with suppress(StoreError):
            return opening(key)
    if not keys:
        raise StoreError("There is no key here that opens a sealed field.")
    return opening(keys[-1])


def enrol(db: Connection, enrolment: Enrolment, sealed_key: bytes, booking: Booking) -> None:
    """A member by a fact of our own. Raises ConflictError when the member or the card came meanwhile."""
    members.add(db, enrolment, sealed_key, booking.now)
    draft = Draft(
        id=new_id(),
        kind="member.enrolled",
        store=booking.store,
        cashier=booking.by,
        member=enrolment.member_id,
        body=enrolment,
    )
    follow.book(db, draft, booking.now)
    _tell(db, enrolment.member_id, booking)


def open_balance(db: Connection, opening: Opening, booking: Booking) -> None:
    """Points from the adjustment account as one lot, by a fact of our own; once."""
    if opened_centi(db, opening) is not None:
        return
    entry = Entry(
        kind="accrue",
        debit=ADJUSTMENT,
        credit=f"member:{opening.member_id}",
        amount=opening.centi,
        member_id=opening.member_id,
        lot_id=opening.lot_id,
        usable_from=opening.usable_from,
        expires_at=opening.expires_at,
    )
    draft = Draft(
        id=new_id(),
        kind="points.adjusted",
        store=booking.store,
        cashier=booking.by,
        member=opening.member_id,
        entries=(entry,),
        body=AdjustFact(reason=f"import {opening.name}", by=booking.by, centi=opening.centi),
    )
    follow.book(db, draft, booking.now)
    _tell(db, opening.member_id, booking)


def is_office(db: Connection) -> bool:
    """Whether this is head office's file."""
    return meta(db, "role") == "head_office"


def _tell(db: Connection, member_id: str, booking: Booking) -> None:
    if booking.is_office:
        members.touch(db, member_id)


class MemberOut(Value):
    """A member as exported."""

    member_id: str
    card: str | None
    tier: str | None
    segments: str
    birthday: str | None
    joined_ms: int | None
    referred_by: str | None
    state: str


def members_out(db: Connection) -> Iterator[MemberOut]:
    """Everybody who was not erased, by id, with the first of the active cards."""
    for row in db.execute(MEMBERS_OUT_SELECT):
        yield MemberOut(**dict(zip(MemberOut.__struct_fields__, row, strict=True)))


def cards_out(db: Connection) -> Iterator[tuple[str, str, str]]:
    """Number, member and state of all cards, by member and number."""
    yield from db.execute(CARDS_OUT_SELECT)


def balances_out(db: Connection) -> Iterator[tuple[str, str | None, int, int, int | None]]:
    """Member, first active card, points, usable from (0: at once) and expiry: lots of the same dates are one row."""
    yield from db.execute(BALANCES_OUT_SELECT, {"unit": POINT})


def gift_cards_out(db: Connection) -> Iterator[tuple[str, str, str, str, int | None, str, int]]:
    """All gift cards: id, kind, series, state, end, currency and what they hold. No code and nothing of it."""
    yield from db.execute(GIFT_CARDS_OUT_SELECT)


PERSONS_SELECT = """SELECT id FROM member AS m WHERE state <> 'erased'
AND EXISTS (SELECT 1 FROM member_key AS k WHERE k.member = m.id)"""
OWN_FIELDS_SELECT = """SELECT name, sealed FROM member_attribute
WHERE member = :member AND kind = 'self' AND name IN ('name', 'phone')"""
FIRST_CARD = "(SELECT MIN(c.number) FROM card AS c WHERE c.member = m.id AND c.state = 'active')"
MEMBERS_OUT_SELECT = f"""SELECT m.id, {FIRST_CARD}, m.tier, m.segments, m.birthday, m.joined_ms, m.referred_by, m.state
FROM member AS m WHERE m.state <> 'erased' ORDER BY m.id"""
CARDS_OUT_SELECT = """SELECT c.number, c.member, c.state FROM card AS c JOIN member AS m ON m.id = c.member
WHERE m.state <> 'erased' ORDER BY c.member, c.number"""
BALANCES_OUT_SELECT = f"""SELECT m.id, {FIRST_CARD}, SUM(l.remaining), l.usable_from, l.expires_at
FROM member AS m JOIN lot AS l ON l.member = m.id
WHERE l.remaining > 0 AND l.unit = :unit AND m.state <> 'erased'
GROUP BY m.id, l.usable_from, l.expires_at ORDER BY m.id, l.expires_at IS NULL, l.expires_at, l.usable_from"""
GIFT_CARDS_OUT_SELECT = """SELECT c.id, c.kind, c.series, c.state, c.expires_ms, c.currency, coalesce(b.amount, 0)
FROM gift_card AS c LEFT JOIN balance AS b ON b.account = 'gift:' || c.id AND b.unit = c.currency ORDER BY c.id"""
