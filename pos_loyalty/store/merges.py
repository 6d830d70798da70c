"""Members who went over into others. History stays under the id it was made with; reading asks for all ids of one person.

Rule: a merge marks the member and moves the cards; points move by entries. What contradicts (A into B, B into A) changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.member_facts import MergeFact
from pos_loyalty.values import Value

CHAIN_MAX = 64
"""So many merges in a row are followed; a person who was merged more often than that is looked at by hand."""
SAME_PERSON = """WITH RECURSIVE same (id) AS (
  SELECT :member UNION SELECT m.id FROM same JOIN member AS m ON m.merged_into = same.id
) SELECT id FROM same"""
"""A member and all who went over into them. UNION, not UNION ALL: a ring would not end."""


class Part(Value):
    """One id of a person: our facts about it count after ``seq``; ``count`` and ``spent_minor`` come on top, where head office's
    figures of the member do not hold them yet."""

    member_id: str
    seq: int
    count: int
    spent_minor: int


def parts_of(db: Connection, member_id: str, base_seq: int) -> tuple[Part, ...]:
    """The member first, without figures on top, then all who went over into them."""
    rows = db.execute(PARTS_SELECT, {"member": member_id, "seq": base_seq})
    return tuple(Part(member_id=id_, seq=seq, count=count, spent_minor=spent) for id_, seq, count, spent in rows)


def current(db: Connection, member_id: str) -> str:
    """Who the member is now: themselves, or the one they went over into."""
    seen = member_id
    for _ in range(CHAIN_MAX):
        row = db.execute("SELECT merged_into FROM member WHERE id = :member", {"member": seen}).fetchone()
        if row is None or row[0] is None or row[0] == member_id:
            return seen
        seen = str(row[0])
    return seen


def ids_of(db: Connection, member_id: str) -> tuple[str, ...]:
    """The member first, then all who went over into them."""
    return tuple(id_ for (id_,) in db.execute(SAME_PERSON, {"member": member_id}))


def with_points(db: Connection, limit: int) -> tuple[str, ...]:
    """Members who went over into others and whose lots still hold something, by id, at most so many."""
    return tuple(id_ for (id_,) in db.execute(WITH_POINTS_SELECT, {"limit": limit}))


def cards_count(db: Connection, member_id: str) -> int:
    """How many cards the member has, lost ones too."""
    return int(db.execute("SELECT COUNT(*) FROM card WHERE member = :member", {"member": member_id}).fetchone()[0])


def follow(db: Connection, fact: Fact) -> None:
    """The member is marked and the cards change hands, unless that was done before or contradicts what was.

    Where the one who stays went over into a third one before, whom the till had not heard of, the cards are the third one's.
    """
    merge, stays = _merge(fact), stays_after(db, fact)
    if merge.member_id in (merge.into, stays) or not (_is_there(db, merge.into) and _is_there(db, stays)):
        return
    row = {"member": merge.member_id, "into": merge.into, "seq": fact.seq}
    if db.execute(MERGE_UPDATE, row).rowcount:
        db.execute("UPDATE card SET member = :stays WHERE member = :member", {"member": merge.member_id, "stays": stays})


def stays_after(db: Connection, fact: Fact) -> str:
    """Who a merge's member is from then on."""
    return current(db, _merge(fact).into)


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """Members who are not there, are blocked, or went over into others."""
    merge = _merge(fact)
    here, there = _state(db, merge.member_id), _state(db, merge.into)
    for member, state in ((merge.member_id, here), (merge.into, there)):
        if state is None or state == "erased":
            yield Doubt(
                reason=f"member.{state or 'unknown'}",
                detail=f"member {merge.member_id} goes over into {merge.into}: {member} is not there",
            )
        elif state == "blocked":
            yield Doubt(
                reason="member.blocked", detail=f"member {merge.member_id} goes over into {merge.into}: {member} is blocked"
            )
    now_here, now_there = current(db, merge.member_id), current(db, merge.into)
    if merge.member_id == merge.into or now_there == merge.member_id:
        yield Doubt(
            reason="merge.contradicted",
            detail=f"member {merge.member_id} goes over into {merge.into}, who went over into them before",
        )
    elif here == "merged" and now_here != now_there:
        yield Doubt(
            reason="merge.contradicted",
            detail=f"member {merge.member_id} goes over into {merge.into}, and went over into {now_here} before",
        )
    elif there == "merged" and here != "merged":
        yield Doubt(
            reason="member.merged", detail=f"member {merge.member_id} goes over into {merge.into}, who went over into {now_there}"
        )


def differences(db: Connection) -> Iterator[str]:
    """Marks that no fact made, merges that left no mark, and cards that stayed behind."""
    for member, into, state in db.execute(FORGED_SELECT):
        yield f"Member {member} is {state} into {into}, and no fact in the log says so."
    for till, seq, member, into in db.execute(UNMARKED_SELECT):
        if current(db, member) != current(db, into):
            yield f"Till {till}, fact {seq}: member {member} went over into {into}, but is not marked so."
    for (member,) in db.execute(CARDS_SELECT):
        yield f"Member {member} went over into another, and a card stayed behind."


def _merge(fact: Fact) -> MergeFact:
    if fact.merge is None:
        raise ValueError("a fact of a merge without its body")
    return fact.merge


def _state(db: Connection, member_id: str) -> str | None:
    row = db.execute("SELECT state FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return None if row is None else str(row[0])


def _is_there(db: Connection, member_id: str) -> bool:
    return _state(db, member_id) not in (None, "erased")


PARTS_SELECT = """WITH RECURSIVE same (id, seq, count, spent) AS (
  SELECT :member, CAST(:seq AS INTEGER), CAST(0 AS INTEGER), CAST(0 AS INTEGER)
  UNION
  SELECT m.id, CASE WHEN m.merged_seq > same.seq THEN m.base_seq ELSE same.seq END,
    CASE WHEN m.merged_seq > same.seq THEN m.sales_count ELSE 0 END,
    CASE WHEN m.merged_seq > same.seq THEN m.spent_minor ELSE 0 END
  FROM same JOIN member AS m ON m.merged_into = same.id
) SELECT id, seq, count, spent FROM same"""
WITH_POINTS_SELECT = """SELECT DISTINCT m.id FROM member AS m JOIN lot AS l ON l.member = m.id
WHERE m.merged_into IS NOT NULL AND l.remaining > 0 ORDER BY m.id LIMIT :limit"""
MERGE_UPDATE = """UPDATE member SET state = 'merged', merged_into = :into, merged_seq = :seq
WHERE id = :member AND state IN ('active', 'blocked')"""
FORGED_SELECT = """SELECT m.id, m.merged_into, m.state FROM member AS m
WHERE (m.state = 'merged' AND m.merged_into IS NULL) OR (m.merged_into IS NOT NULL AND m.state NOT IN ('merged', 'erased'))
OR (m.state = 'merged' AND (
  m.merged_seq > 0 OR (SELECT value FROM meta WHERE key = 'role') = 'head_office'
) AND NOT EXISTS (
  SELECT 1 FROM txn AS t WHERE t.kind = 'member.merged' AND t.member = m.id AND t.seq = m.merged_seq
  AND CAST(t.payload AS TEXT) ->> '$.merge.into' = m.merged_into
))"""
"""At a till a merge that head office told of has no fact here."""
UNMARKED_SELECT = f"""SELECT t.till, t.seq, t.member, CAST(t.payload AS TEXT) ->> '$.merge.into'
FROM txn AS t LEFT JOIN member AS m ON m.id = t.member
WHERE t.kind = 'member.merged' AND t.{OF_ACTS} AND coalesce(m.base_seq, 0) < t.seq
AND NOT EXISTS (SELECT 1 FROM suspense_case AS s WHERE s.till = t.till AND s.epoch = t.epoch AND s.seq = t.seq)"""
CARDS_SELECT = """SELECT DISTINCT m.id FROM member AS m JOIN card AS c ON c.member = m.id
WHERE m.state = 'merged' AND m.merged_seq > m.base_seq"""
