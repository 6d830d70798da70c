"""Members in head office's SQLite file: imported, and told to tills by rising version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pos_loyalty.clock import from_ms, new_id, to_ms
from pos_loyalty.engine.model import Entry
from pos_loyalty.engine.tier_rules import to_day
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import epochs, ledger, member_changes, members
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.tiers import TierWord
from pos_loyalty.store.witness import watched
from sync import marks
from sync.server.ledger_store import Posting
from sync.wire import CardChange, LotChange, MemberChange, SalesSum
from sync.wire_members import CARDS_MAX

ADJUSTMENT = "adjustment"
ENTRIES_MAX = 2000
"""Of one fact: so many fit into its bytes whatever their names."""


def enrol(db: Connection, posting: Posting) -> bool:
    """The member that a fact brings, if it does; answers whether a member is erased by it, or was by another till before."""
    enrolment, change = posting.fact.enrolment, posting.fact.change
    if change is not None and member_changes.ERASED in change.changes:
        db.execute(ERASED_INSERT, {"member": change.member_id})
        return True
    if enrolment is None or not posting.adds_member:
        return False
    member = {"member": enrolment.member_id}
    told = db.execute("SELECT version FROM member WHERE id = :member", member).fetchone()
    db.execute("DELETE FROM member WHERE id = :member", member)
    add = members.add if posting.adds_card else members.add_without_card
    add(db, enrolment, None, posting.fact.at)
    if told is not None:  # of their erasure; no version is given twice
        db.execute("UPDATE member SET version = :version WHERE id = :member", member | {"version": told[0]})
    return member_changes.said_before(db, enrolment.member_id)


def is_taken(db: Connection, member_id: str) -> bool:
    """Whether somebody was enrolled or imported by this id; of whom only the erasure is known was not yet."""
    return db.execute(TAKEN_SELECT, {"member": member_id}).fetchone() is not None


def add(db: Connection, imported: Sequence[MemberChange], now: datetime) -> list[str]:
    """Import members who are not here yet, and say who they are. Opening lots come from the adjustment account."""
    fresh = [member for member in imported if not db.execute(IS_HERE_SELECT, {"member": member.member_id}).fetchone()]
    for member in fresh:
        for card in member.cards:
            holder = db.execute("SELECT member FROM card WHERE number = :card", {"card": card.number}).fetchone()
            if holder is not None:
                raise ConflictError(f"a card of member {member.member_id} belongs to member {holder[0]} already")
    members.put_pulled(db, [_base(member, now) for member in fresh], as_of_seq=0)
    entries = tuple(_opening(member.member_id, lot) for member in fresh for lot in member.lots if lot.centi)
    owner = meta(db, "owner") or ""
    for start in range(0, len(entries), ENTRIES_MAX):
        part = entries[start : start + ENTRIES_MAX]
        ledger.append(db, ledger.Draft(id=new_id(), kind="points.adjusted", store=owner, entries=part), now)
    return [member.member_id for member in fresh]


def changed(db: Connection, since: int, limit: int) -> tuple[MemberChange, ...]:
    """Members of a version above ``since``, by rising version, whole."""
    return tuple(change_of(member) for member in members.changed_since(db, since, limit))


def one(db: Connection, member_id: str) -> MemberChange:
    """A member who is here, whole."""
    return change_of(members.told_of(db, member_id))


def begin_mark(db: Connection) -> None:
    """From now on versions bear a new mark. Done at each opening: a file that was restored is surely opened anew."""
    _put_mark(db, members.newest_version(db) + 1)


def mark_anew(db: Connection) -> None:
    """The versions since the last opening bear a new mark: this is found out to be a file that was restored."""
    _put_mark(db, int(db.execute("SELECT MAX(from_version) FROM version_mark").fetchone()[0]))


def _put_mark(db: Connection, version: int) -> None:
    row = {"version": version, "mark": marks.made(epochs.epoch_of(db), new_id())}
    with watched(db, "version_mark", "from_version = :version", row):
        db.execute(MARK_UPSERT, row)


def mark_of(db: Connection, version: int) -> str | None:
    """The mark under which a version was given; None for 0."""
    row = db.execute(MARK_SELECT, {"version": version}).fetchone()
    return None if row is None or version == 0 else str(row[0])


def change_of(member: members.PulledMember) -> MemberChange:
    """A member as they go over the line, but for what counts towards their tier."""
    return MemberChange(
        member_id=member.member_id,
        version=member.version,
        tier=member.tier,
        segments=member.segments,
        birthday=member.birthday,
        birthday_set_at=_at(member.birthday_set_ms),
        referred_by=member.referred_by,
        joined_at=_at(member.joined_ms),
        sales=SalesSum(count=member.sales_count, spent_minor=member.spent_minor),
        owed_centi=member.owed_centi,
        staff=member.staff,
        state=member.state,
        merged_into=member.merged_into,
        cards=_told(tuple(CardChange(number=card.number, state=card.state) for card in member.cards)),
        lots=tuple(
            LotChange(
                lot_id=lot.lot_id,
                centi=lot.remaining_centi,
                amount_centi=lot.amount_centi,
                usable_from=_at(lot.usable_from_ms or None),
                expires_at=_at(lot.expires_at_ms),
            )
            for lot in member.lots
        ),
        phone_index=member.phone_index,
        phone_verified=member.phone_verified,
        referral_code=member.referral_code,
    )


def _told(cards: tuple[CardChange, ...]) -> tuple[CardChange, ...]:
    """As many as a page may hold of a member. Several tills may give more than one alone would: those that work first."""
    return cards if len(cards) <= CARDS_MAX else tuple(sorted(cards, key=lambda card: card.state == "lost")[:CARDS_MAX])


def _base(member: MemberChange, now: datetime) -> members.PulledMember:
    """The member as a base to count from: without lots, which are entries, and without a version, which is given later."""
    return members.PulledMember(
        member_id=member.member_id,
        version=0,
        state=member.state,
        tier=member.tier,
        segments=member.segments,
        birthday=member.birthday,
        birthday_set_ms=None if member.birthday_set_at is None else to_ms(member.birthday_set_at),
        referred_by=member.referred_by,
        joined_ms=None if member.joined_at is None else to_ms(member.joined_at),
        sales_count=member.sales.count,
        spent_minor=member.sales.spent_minor,
        owed_centi=member.owed_centi,
        staff=member.staff,
        phone_index=member.phone_index,
        phone_verified=member.phone_verified,
        referral_code=member.referral_code,
        cards=tuple(members.PulledCard(number=card.number, state=card.state) for card in member.cards),
        tier_word=None if member.tier is None else TierWord(tier=member.tier, biz_day=to_day(now.astimezone(UTC).date())),
    )


def _opening(member_id: str, lot: LotChange) -> Entry:
    return Entry(
        kind="accrue",
        debit=ADJUSTMENT,
        credit=f"member:{member_id}",
        amount=lot.centi,
        member_id=member_id,
        lot_id=lot.lot_id,
        usable_from=lot.usable_from,
        expires_at=lot.expires_at,
    )


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


MARK_UPSERT = """INSERT INTO version_mark (from_version, mark) VALUES (:version, :mark)
ON CONFLICT (from_version) DO UPDATE SET mark = excluded.mark"""
MARK_SELECT = "SELECT mark FROM version_mark WHERE from_version <= :version ORDER BY from_version DESC LIMIT 1"
ERASED_INSERT = "INSERT INTO member (id, state) VALUES (:member, 'erased') ON CONFLICT (id) DO NOTHING"
"""Of whom head office does not know, or lost with a restore, tills may hold what names them: they hear of the erasure."""
TAKEN_SELECT = """SELECT 1 FROM member AS m WHERE m.id = :member AND (
  m.state <> 'erased' OR EXISTS (SELECT 1 FROM member_word AS w WHERE w.member = m.id)
  OR EXISTS (SELECT 1 FROM txn AS t WHERE t.member = m.id AND t.kind = 'member.enrolled')
)"""
IS_HERE_SELECT = "SELECT 1 FROM member WHERE id = :member"
