"""Members of a snapshot, as rows: what head office tells, in the order of ids; and who stands here and is not told any more.

Rule: who is new here gets the same rows as by ``members.put_pulled``, written in bulk. All others go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from pos_loyalty.clock import to_ms
from pos_loyalty.store import ledger, member_keys, members, tiers
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.members import PulledCard, PulledMember
from pos_loyalty.store.witness import added
from pos_loyalty.values import encode


def put(db: Connection, told: Sequence[PulledMember], as_of_seq: int) -> None:
    """Take these members, by rising id; our own facts after ``as_of_seq`` stay on top."""
    if not told:
        return
    between = {"first": told[0].member_id, "last": told[-1].member_id}
    known = {member for (member,) in db.execute(KNOWN_SELECT, between)}
    fresh = [member for member in told if member.member_id not in known and member.state != "erased"]
    if len(fresh) < len(told):
        names = {member.member_id for member in fresh}
        members.put_pulled(db, [member for member in told if member.member_id not in names], as_of_seq)
    _put_new(db, fresh, as_of_seq)


def unnamed(db: Connection, after: str, last: str | None, named: frozenset[str], limit: int) -> list[str]:
    """Members here above ``after`` and up to ``last`` (None: all) whom head office does not name; the first of them."""
    here = db.execute(BETWEEN_SELECT, {"after": after, "last": last})
    return list(islice((member for (member,) in here if member not in named), limit))


def take_back(db: Connection, ids: Sequence[str], as_of_seq: int) -> None:
    """Head office does not know these members: what it told of them before is of a past that it lost.

    They are blocked until it tells of them again; one whom our own log enrolled after ``as_of_seq`` is as enrolled. An erased one
    stays erased.
    """
    words = []
    for member in ids:
        state, has_word = db.execute(STANDING_SELECT, {"member": member}).fetchone()
        if state == "erased":
            continue
        enrolled = _enrolled(db, member, as_of_seq)
        if enrolled is None:
            words.append(PulledMember(member_id=member, version=0, state="blocked"))
        elif has_word:
            words.append(enrolled)
    members.put_pulled(db, words, as_of_seq)


def _put_new(db: Connection, fresh: Sequence[PulledMember], as_of_seq: int) -> None:
    if not fresh:
        return
    rows = [members.pulled_row(member, as_of_seq) for member in fresh]
    insert = f"INSERT INTO member ({', '.join(rows[0])}) VALUES (?{', ?' * (len(rows[0]) - 1)})"
    db.executemany(insert, [tuple(row.values()) for row in rows])
    db.executemany(members.CARD_UPSERT, [(card.number, one.member_id, card.state) for one in fresh for card in one.cards])
    lots = [members.lot_row(member, lot, as_of_seq) for member in fresh for lot in member.lots]
    db.executemany(members.LOT_UPSERT, lots)
    moved = db.execute(MOVED_SELECT, (encode([row["id"] for row in lots]).decode(),)).fetchall()
    db.executemany(FOLD_UPDATE, moved)
    words = [(member.member_id, as_of_seq, encode(member)) for member in fresh]
    db.executemany(WORD_INSERT, words)
    added(db, "member_word", words)
    told = [(one.member_id, *tiers.word_row(one.tier_word)) for one in fresh if one.tier_word is not None]
    db.executemany(TIER_INSERT, told)
    added(db, "tier_word", told)


def _enrolled(db: Connection, member: str, as_of_seq: int) -> PulledMember | None:
    """The member as our own log enrolled them after a number; None when it did not."""
    row = db.execute(ENROLLED_SELECT, {"member": member, "seq": as_of_seq, "till": meta(db, "owner")}).fetchone()
    if row is None:
        return None
    fact = fact_of(row[0])
    enrolment = fact.enrolment
    assert enrolment is not None
    known = member_keys.personal(db, member, enrolment.personal)
    joined_ms = to_ms(enrolment.joined_at or fact.at)
    return PulledMember(
        member_id=member,
        version=0,
        tier=enrolment.tier,
        segments=enrolment.segments,
        birthday=known.birthday,
        birthday_set_ms=None if known.birthday is None else joined_ms,
        referred_by=enrolment.referred_by,
        joined_ms=joined_ms,
        phone_index=known.phone_index,
        cards=() if enrolment.card is None else (PulledCard(number=enrolment.card),),
    )


KNOWN_SELECT = """SELECT id FROM member WHERE id >= :first AND id <= :last
UNION SELECT member FROM member_word WHERE member >= :first AND member <= :last
UNION SELECT member FROM tier_word WHERE member >= :first AND member <= :last
UNION SELECT member FROM lot WHERE member >= :first AND member <= :last
UNION SELECT member FROM txn WHERE member IS NOT NULL AND member >= :first AND member <= :last
UNION SELECT member FROM member_tier WHERE member >= :first AND member <= :last"""
BETWEEN_SELECT = "SELECT id FROM member WHERE id > :after AND (:last IS NULL OR id <= :last) ORDER BY id"
STANDING_SELECT = """SELECT state, EXISTS (SELECT 1 FROM member_word AS w WHERE w.member = m.id) FROM member AS m
WHERE m.id = :member"""
ENROLLED_SELECT = """SELECT payload FROM txn WHERE member = :member AND kind = 'member.enrolled' AND till = :till AND seq > :seq
ORDER BY seq LIMIT 1"""
FOLD_UPDATE = f"UPDATE lot SET remaining = max(0, min(amount, {ledger.LOT_FOLD})) WHERE id = ?"
MOVED_SELECT = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM entry WHERE lot = value)"
WORD_INSERT = "INSERT INTO member_word (member, as_of_seq, word) VALUES (?, ?, ?)"
TIER_INSERT = f"""INSERT INTO tier_word (member, {", ".join(tiers.WORD)}) VALUES (?{", ?" * len(tiers.WORD)})"""
