"""Members and their cards. Figures are head office's as of a number of our log, with our own facts since then added when read."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, cast

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.model import POINT, Member, SalesSoFar
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import ledger, member_changes, member_keys, member_words, merges, tiers
from pos_loyalty.store.coupon_words import NEWEST_VERSION
from pos_loyalty.store.db import Connection, snapshot
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.member_keys import add_key as add_key
from pos_loyalty.store.member_keys import sealed_key as sealed_key
from pos_loyalty.store.member_keys import sealed_keys as sealed_keys
from pos_loyalty.values import Minor, Points, Value, encode

MemberState = Literal["active", "blocked", "erased", "merged"]
CardState = Literal["unknown", "active", "lost", "blocked", "erased", "merged"]


class PulledCard(Value, omit_defaults=True):
    """A card as head office has it."""

    number: str
    state: Literal["active", "lost"] = "active"


class PulledLot(Value, omit_defaults=True):
    """A lot as head office has it: what it was made with and what it holds. Instants are milliseconds since 1970."""

    lot_id: str
    amount_centi: Points
    remaining_centi: Points
    usable_from_ms: int = 0
    expires_at_ms: int | None = None


class PulledMember(Value, omit_defaults=True):
    """A member as head office has them, with all lots that hold something."""

    member_id: str
    version: int
    state: MemberState = "active"
    tier: str | None = None
    segments: tuple[str, ...] = ()
    birthday: str | None = None
    birthday_set_ms: int | None = None
    referred_by: str | None = None
    joined_ms: int | None = None
    sales_count: int = 0
    spent_minor: Minor = Minor(0)
    owed_centi: Points = Points(0)
    staff: bool = False
    phone_index: str | None = None
    """Hex."""
    phone_verified: bool = False
    referral_code: str | None = None
    merged_into: str | None = None
    cards: tuple[PulledCard, ...] = ()
    lots: tuple[PulledLot, ...] = ()
    tier_word: tiers.TierWord | None = None


def by_card(db: Connection, card: str) -> Member | None:
    """The active member with this active card, lots included; ``card_state`` says why there is none."""
    return _member(db, BY_CARD_SELECT, card) or _merged_holder(db, card)


def by_id(db: Connection, member_id: str) -> Member | None:
    """The active member with this id, lots included."""
    return _member(db, BY_ID_SELECT, member_id)


def by_phone_index(db: Connection, phone_index: bytes) -> Member | None:
    """The active member with this phone. Raises ConflictError when two members share it."""
    with snapshot(db):
        ids = {merges.current(db, id_) for (id_,) in db.execute(BY_PHONE_SELECT, {"phone_index": phone_index})}
        if len(ids) > 1:
            raise ConflictError("Several members share this phone; ask for the card.")
        return by_id(db, ids.pop()) if ids else None


def state_of(db: Connection, member_id: str) -> MemberState | None:
    """How a member stands; None when they are not known here."""
    row = db.execute("SELECT state FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None else cast(MemberState, row[0])


def owed_of(db: Connection, member_id: str) -> Points:
    """What a member owes, whatever their state; nothing when they are not known here."""
    row = db.execute(f"SELECT {_FIELDS} FROM member AS m WHERE m.id = :member", {"member": member_id}).fetchone()
    return Points(0) if row is None else _owed(db, dict(zip(SEEN, row, strict=True)))


def count(db: Connection) -> int:
    """How many members this file knows, whatever their state."""
    return int(db.execute("SELECT COUNT(*) FROM member").fetchone()[0])


def card_state(db: Connection, card: str) -> CardState:
    """Whether a card may be used, and if not, why."""
    row = db.execute(CARD_STATE_SELECT, {"card": card}).fetchone()
    if row is None:
        return "unknown"
    return cast(CardState, row[0] if row[0] != "active" else row[1])


def cards_of(db: Connection, member_id: str) -> tuple[str, ...]:
    """Active cards of a member, in order."""
    rows = db.execute(CARDS_SELECT, {"member": member_id})
    return tuple(row[0] for row in rows)


def add(db: Connection, enrolment: Enrolment, sealed_key: bytes | None, joined_at: datetime) -> None:
    """A new member with a card. ``sealed_key`` None: their key is here already, or nowhere. Raises ConflictError."""
    if enrolment.card is not None and card_state(db, enrolment.card) != "unknown":
        raise ConflictError("This card belongs to a member already; take another card.")
    add_without_card(db, enrolment, sealed_key, joined_at)
    if enrolment.card is not None:
        row = {"card": enrolment.card, "member": enrolment.member_id}
        db.execute("INSERT INTO card (number, member) VALUES (:card, :member)", row)


def add_without_card(db: Connection, enrolment: Enrolment, sealed_key: bytes | None, joined_at: datetime) -> None:
    """A new member whose card is another's: head office keeps them for a person to settle."""
    joined_at = enrolment.joined_at or joined_at
    if sealed_key is not None:
        add_key(db, enrolment.member_id, sealed_key)
    known = member_keys.personal(db, enrolment.member_id, enrolment.personal)
    row = {
        "member": enrolment.member_id,
        "tier": enrolment.tier,
        "segments": json.dumps(enrolment.segments, ensure_ascii=False),
        "joined_ms": to_ms(joined_at),
        "birthday": known.birthday,
        "birthday_set_ms": None if known.birthday is None else to_ms(joined_at),
        "referred_by": enrolment.referred_by,
        "personal": None if enrolment.personal is None else b64decode(enrolment.personal),
        "phone_index": None if known.phone_index is None else bytes.fromhex(known.phone_index),
        "origin": enrolment.origin,
        "drive": enrolment.drive,
    }
    if db.execute(ENROL_INSERT, row).rowcount == 0:
        raise ConflictError(f"Member {enrolment.member_id} exists already.")
    tiers.refold(db, enrolment.member_id)


def personal(db: Connection, member_id: str) -> bytes | None:
    """The member's sealed personal fields."""
    row = db.execute("SELECT personal FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def put_pulled(db: Connection, pulled: Iterable[PulledMember], as_of_seq: int) -> None:
    """Take members from head office, whose figures count our own log up to ``as_of_seq``; our facts after it are added on top."""
    members = tuple(pulled)
    db.executemany(PULLED_UPSERT, [pulled_row(member, as_of_seq) for member in members])
    db.executemany(CARD_UPSERT, [(card.number, member.member_id, card.state) for member in members for card in member.cards])
    db.executemany(OWN_MERGES_UPDATE, [(member.member_id, as_of_seq) for member in members])
    ids = [(member.member_id,) for member in members]
    db.executemany("UPDATE lot SET base_remaining = 0, base_seq = ? WHERE member = ?", [(as_of_seq, id_) for (id_,) in ids])
    db.executemany(LOT_UPSERT, [lot_row(member, lot, as_of_seq) for member in members for lot in member.lots])
    db.executemany(f"UPDATE lot SET remaining = max(0, min(amount, {ledger.LOT_FOLD})) WHERE member = ?", ids)
    member_words.put(db, {member.member_id: encode(member) for member in members}, as_of_seq)
    for member in members:
        if member.state == "erased":
            member_changes.forget(db, member.member_id)
        else:
            member_changes.put_again(db, member.member_id, as_of_seq)
    tiers.put_words(db, [(member.member_id, member.tier_word) for member in members if member.tier_word is not None])


def touch(db: Connection, member_id: str) -> None:
    """At head office: give a changed member the next version, so that tills pull it."""
    db.execute(TOUCH_UPDATE, {"member": member_id})


def touch_all(db: Connection, member_ids: Iterable[str]) -> None:
    """The same for several, each its own, in this order."""
    db.executemany(TOUCH_UPDATE, [{"member": member_id} for member_id in member_ids])


def changed_since(db: Connection, version: int, limit: int) -> tuple[PulledMember, ...]:
    """At head office: members changed after a version, in the order of versions, with the lots that hold something."""
    rows = db.execute(CHANGED_SELECT, {"version": version, "limit": limit}).fetchall()
    return tuple(_as_pulled(db, dict(zip(CHANGED, row, strict=True))) for row in rows)


def told_of(db: Connection, member_id: str) -> PulledMember:
    """At head office: a member who is here, as it tells of them."""
    row = db.execute(f"SELECT {', '.join(CHANGED)} FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return _as_pulled(db, dict(zip(CHANGED, row, strict=True)))


def newest_version(db: Connection) -> int:
    """At head office: the version of the last change of a member or a coupon, 0 before the first."""
    return int(db.execute(f"SELECT {NEWEST_VERSION}").fetchone()[0])


def _member(db: Connection, select: str, key: str) -> Member | None:
    """Figures and lots of one state of the file: the daemon may put a page between two reads."""
    with snapshot(db):
        return _member_now(db, select, key)


def _member_now(db: Connection, select: str, key: str) -> Member | None:
    row = db.execute(select, {"key": key}).fetchone()
    if row is None:
        return None
    seen = dict(zip(SEEN, row, strict=True))
    lots = ledger.lots_of(db, seen["id"])
    return Member(
        member_id=seen["id"],
        tier=seen["tier"],
        segments=tuple(json.loads(seen["segments"])),
        birthday=seen["birthday"],
        birthday_set_at=_at(seen["birthday_set_ms"]),
        joined_at=_at(seen["joined_ms"]),
        referred_by=seen["referred_by"],
        sales=_sales(db, seen),
        lots=lots,
        owed_centi=_owed(db, seen),
        staff=bool(seen["staff"]),
    )


def _merged_holder(db: Connection, card: str) -> Member | None:
    """Who holds an active card of somebody who went over into them; head office may tell of the cards later."""
    row = db.execute("SELECT member FROM card WHERE number = :card AND state = 'active'", {"card": card}).fetchone()
    return None if row is None else by_id(db, merges.current(db, row[0]))


def _sales(db: Connection, seen: dict[str, Any]) -> SalesSoFar:
    """Of the member and of all who went over into them."""
    count, spent = seen["sales_count"], seen["spent_minor"]
    for part in merges.parts_of(db, seen["id"], seen["base_seq"]):
        select = OWN_SALES_SELECT if part.seq else ALL_SALES_SELECT
        own_count, own_spent = db.execute(select, {"member": part.member_id, "seq": part.seq}).fetchone()
        gone, refunded = db.execute(OWN_RETURNS_SELECT, {"member": part.member_id, "seq": part.seq}).fetchone()
        count, spent = count + part.count + own_count - gone, spent + part.spent_minor + own_spent - refunded
    return SalesSoFar(count=max(0, count), spent_minor=Minor(max(0, spent)))


def _owed(db: Connection, seen: dict[str, Any]) -> Points:
    key = {"member": seen["id"], "account": f"owed:{seen['id']}", "seq": seen["base_seq"]}
    own = db.execute(OWN_OWED_SELECT, key).fetchone()[0]
    return Points(max(0, seen["owed_centi"] + own))


def _as_pulled(db: Connection, seen: dict[str, Any]) -> PulledMember:
    sales = _sales(db, seen)
    cards = db.execute("SELECT number, state FROM card WHERE member = :id ORDER BY number", {"id": seen["id"]})
    lots = db.execute(PULLED_LOTS_SELECT, {"id": seen["id"]})
    return PulledMember(
        member_id=seen["id"],
        version=seen["version"],
        state=cast(MemberState, seen["state"]),
        tier=seen["tier"],
        segments=tuple(json.loads(seen["segments"])),
        birthday=seen["birthday"],
        birthday_set_ms=seen["birthday_set_ms"],
        referred_by=seen["referred_by"],
        joined_ms=seen["joined_ms"],
        sales_count=sales.count,
        spent_minor=Minor(sales.spent_minor),
        owed_centi=_owed(db, seen),
        staff=bool(seen["staff"]),
        phone_index=None if seen["phone_index"] is None else bytes(seen["phone_index"]).hex(),
        phone_verified=bool(seen["phone_verified"]),
        referral_code=seen["referral_code"],
        merged_into=seen["merged_into"],
        cards=tuple(PulledCard(number=number, state=state) for number, state in cards),
        lots=tuple(
            PulledLot(lot_id=lot, amount_centi=amount, remaining_centi=held, usable_from_ms=usable, expires_at_ms=expires)
            for lot, amount, held, usable, expires in lots
        ),
    )


def pulled_row(member: PulledMember, as_of_seq: int) -> dict[str, Any]:
    """The columns of a member as head office tells them."""
    return {
        "id": member.member_id,
        "tier": member.tier,
        "segments": json.dumps(member.segments, ensure_ascii=False) if member.segments else "[]",
        "birthday": member.birthday,
        "birthday_set_ms": member.birthday_set_ms,
        "referred_by": member.referred_by,
        "joined_ms": member.joined_ms,
        "sales_count": member.sales_count,
        "spent_minor": member.spent_minor,
        "owed_centi": member.owed_centi,
        "staff": int(member.staff),
        "state": member.state,
        "merged_into": member.merged_into,
        "phone_index": None if member.phone_index is None else bytes.fromhex(member.phone_index),
        "phone_verified": int(member.phone_verified),
        "referral_code": member.referral_code,
        "version": member.version,
        "base_seq": as_of_seq,
    }


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def lot_row(member: PulledMember, lot: PulledLot, as_of_seq: int) -> dict[str, Any]:
    """The columns of a lot as head office tells it."""
    return {
        "id": lot.lot_id,
        "member": member.member_id,
        "unit": POINT,
        "usable_from": lot.usable_from_ms,
        "expires_at": lot.expires_at_ms,
        "amount": lot.amount_centi,
        "remaining": min(lot.remaining_centi, lot.amount_centi),
        "base": lot.remaining_centi,
        "seq": as_of_seq,
    }


SEEN = (
    "id", "tier", "segments", "birthday", "birthday_set_ms", "joined_ms", "referred_by", "sales_count", "spent_minor",
    "owed_centi", "staff", "base_seq",
)  # fmt: skip
_FIELDS = ", ".join(f"m.{name}" for name in SEEN)
BY_CARD_SELECT = f"""SELECT {_FIELDS} FROM card AS c JOIN member AS m ON m.id = c.member
WHERE c.number = :key AND c.state = 'active' AND m.state = 'active'"""
BY_ID_SELECT = f"SELECT {_FIELDS} FROM member AS m WHERE m.id = :key AND m.state = 'active'"
CHANGED = (*SEEN, "state", "phone_index", "phone_verified", "referral_code", "version", "merged_into")
CHANGED_SELECT = f"""SELECT {", ".join(CHANGED)} FROM member
WHERE version > :version ORDER BY version LIMIT :limit"""
TOUCH_UPDATE = f"UPDATE member SET version = {NEWEST_VERSION} + 1 WHERE id = :member"
CARDS_SELECT = "SELECT number FROM card WHERE member = :member AND state = 'active' ORDER BY number"
BY_PHONE_SELECT = "SELECT id FROM member WHERE phone_index = :phone_index AND state IN ('active', 'merged') LIMIT 64"
CARD_STATE_SELECT = "SELECT c.state, m.state FROM card AS c JOIN member AS m ON m.id = c.member WHERE c.number = :card"
ENROL_INSERT = """INSERT INTO member (
  id, tier, segments, birthday, birthday_set_ms, joined_ms, referred_by, personal, phone_index, origin, drive
) VALUES (
  :member, :tier, :segments, :birthday, :birthday_set_ms, :joined_ms, :referred_by, :personal, :phone_index, :origin, :drive
) ON CONFLICT (id) DO NOTHING"""
CARD_UPSERT = """INSERT INTO card (number, member, state) VALUES (?, ?, ?)
ON CONFLICT (number) DO UPDATE SET member = excluded.member, state = excluded.state"""
PULLED_UPSERT = """INSERT INTO member (
  id, tier, segments, birthday, birthday_set_ms, joined_ms, referred_by, sales_count, spent_minor, owed_centi, staff, state,
  merged_into, phone_index, phone_verified, referral_code, version, base_seq
) VALUES (
  :id, :tier, :segments, :birthday, :birthday_set_ms, :joined_ms, :referred_by, :sales_count, :spent_minor, :owed_centi, :staff,
  :state, :merged_into, :phone_index, :phone_verified, :referral_code, :version, :base_seq
) ON CONFLICT (id) DO UPDATE SET
  tier = excluded.tier, segments = excluded.segments, birthday = excluded.birthday,
  birthday_set_ms = excluded.birthday_set_ms, joined_ms = excluded.joined_ms, referred_by = excluded.referred_by,
  sales_count = excluded.sales_count, spent_minor = excluded.spent_minor, owed_centi = excluded.owed_centi,
  staff = excluded.staff,
  state = CASE WHEN member.merged_seq > excluded.base_seq THEN member.state ELSE excluded.state END,
  merged_into = CASE WHEN member.merged_seq > excluded.base_seq THEN member.merged_into ELSE excluded.merged_into END,
  merged_seq = CASE WHEN (excluded.state = 'merged' AND excluded.merged_into = member.merged_into)
    OR member.merged_seq > excluded.base_seq THEN member.merged_seq ELSE 0 END,
  phone_index = excluded.phone_index, phone_verified = excluded.phone_verified, referral_code = excluded.referral_code,
  version = excluded.version, base_seq = excluded.base_seq"""
LOT_UPSERT = """INSERT INTO lot (id, member, unit, usable_from, expires_at, amount, remaining, base_remaining, base_seq)
VALUES (:id, :member, :unit, :usable_from, :expires_at, :amount, :remaining, :base, :seq)
ON CONFLICT (id) DO UPDATE SET
  member = excluded.member, usable_from = excluded.usable_from, expires_at = excluded.expires_at, amount = excluded.amount,
  remaining = excluded.remaining, base_remaining = excluded.base_remaining, base_seq = excluded.base_seq"""
PULLED_LOTS_SELECT = """SELECT id, amount, remaining, usable_from, expires_at FROM lot
WHERE member = :id AND remaining > 0 ORDER BY id"""
OWN_SALES_SELECT = """SELECT
  coalesce(SUM(CASE kind WHEN 'sale.completed' THEN 1 ELSE -1 END), 0),
  coalesce(SUM(CASE kind WHEN 'sale.completed' THEN total_minor - advance_minor ELSE advance_minor - total_minor END), 0)
FROM txn AS t JOIN sale AS s ON s.till = t.till AND s.sale_id = t.sale_id
WHERE t.member = :member AND t.seq > :seq AND t.id IN (s.completed_txn, s.reversed_txn)"""
"""Only facts that moved their sale count: one that completes it again is about nothing new."""
OWN_MERGES_UPDATE = """UPDATE card SET member = (SELECT merged_into FROM member WHERE id = card.member)
WHERE member = ? AND EXISTS (SELECT 1 FROM member WHERE id = card.member AND state = 'merged' AND merged_seq > ?)"""
"""A merge of our own that head office does not hold yet: its cards are not given back."""
OWN_RETURNS_SELECT = """SELECT
  COUNT(DISTINCT CASE WHEN r.is_last = 1 THEN r.sale_till || '/' || r.sale_id END),
  coalesce(SUM(r.refund_minor + r.points_minor - r.advance_minor), 0)
FROM sale_return AS r JOIN txn AS t ON t.id = r.txn WHERE r.member = :member AND r.is_claimed = 0 AND t.seq > :seq"""
"""What came back, in money and in the points that had paid; a sale of which nothing is kept is none."""
ALL_SALES_SELECT = """SELECT COUNT(*), coalesce(SUM(total_minor - advance_minor), 0) FROM sale
WHERE member = :member AND state = 'completed'"""
"""The same when head office has said nothing: out of one index, however long the member's past is."""
OWN_OWED_SELECT = """SELECT coalesce(SUM(CASE WHEN e.debit_acct = :account THEN e.amount ELSE -e.amount END), 0)
FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE e.member = :member AND (e.debit_acct GLOB 'owed:*' OR e.credit_acct GLOB 'owed:*') AND t.seq > :seq
AND (e.debit_acct = :account OR e.credit_acct = :account)"""
"""The fact may be about another member: a friend whose first purchase is voided."""
