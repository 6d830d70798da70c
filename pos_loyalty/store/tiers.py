"""Members' tiers as they stand: rows that follow from the facts of tiers, and head office's word on them.

Rule: the facts of a member count by their logical clocks, whatever order they came in; while a person's decision is frozen, no
other fact moves the tier. Of our own facts those count that head office's word does not hold yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pos_loyalty.engine.tiers import Reason
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

STAFF = "staff"
CLOCK_MAX = 2**62
"""A clock that ran away does not take the others with it."""


class TierRow(Value):
    """A stored move. Days are since 1970-01-01 in the store's zone. ``seq`` is its number in its till's log."""

    tier: str | None
    reason: Reason
    biz_day: int
    since: int
    until: int | None
    is_warned: bool
    frozen_until: int | None
    before: str | None
    ladder: str
    seq: int


class TierWord(Value):
    """Head office's word on a member's tier, as of a day there; ``have``: the measure in the window of that day."""

    tier: str | None
    biz_day: int
    since: int | None = None
    until: int | None = None
    is_warned: bool = False
    frozen_until: int | None = None
    have: int | None = None
    clock: int = 0
    """The logical clock of the last move that it knows."""


def add(db: Connection, fact: Fact) -> None:
    """The row of a move, and the member's tier after it."""
    assert fact.tier is not None
    db.execute(ROW_INSERT, _row_of(fact))
    refold(db, fact.tier.member_id)


def refold(db: Connection, member_id: str) -> None:
    """The member's tier as its moves and head office's word make it. Without either it stays."""
    word, rows = word_of(db, member_id), own_rows(db, member_id)
    if word is None and not rows:
        return
    tier = tier_after(word, rows)
    db.execute("UPDATE member SET tier = :tier WHERE id = :member", {"tier": tier, "member": member_id})


def tier_after(word: TierWord | None, rows: Iterable[TierRow]) -> str | None:
    """The last move that counts."""
    tier = None if word is None else word.tier
    for row in counting(word, rows):
        tier = row.tier
    return tier


def counting(word: TierWord | None, rows: Iterable[TierRow]) -> Iterator[TierRow]:
    """The moves that count, in order: none but a person's while a person's decision is frozen."""
    frozen = -1 if word is None or word.frozen_until is None else word.frozen_until
    for row in rows:
        if row.reason == STAFF:
            frozen = -1 if row.frozen_until is None else row.frozen_until
        elif row.biz_day <= frozen:
            continue
        yield row


def own_rows(db: Connection, member_id: str) -> list[TierRow]:
    """The moves that are not in head office's word yet, by their logical clocks; at head office all of them."""
    return [_row(fields) for fields in db.execute(OWN_ROWS_SELECT, {"member": member_id})]


def standing_of(db: Connection, member_id: str) -> tuple[bool, str | None]:
    """Whether the member is here, and their tier."""
    row = db.execute("SELECT tier FROM member WHERE id = :member", {"member": member_id}).fetchone()
    return row is not None, None if row is None else row[0]


def brought_by(db: Connection, till: str, sale_id: str, member_id: str) -> TierRow | None:
    """The move that stands in the log right after the fact that completed a sale; None when that brought none."""
    key = {"till": till, "sale_id": sale_id, "member": member_id}
    row = db.execute(BROUGHT_SELECT, key).fetchone()
    return None if row is None else _row(row)


def word_of(db: Connection, member_id: str) -> TierWord | None:
    """What head office last said; at head office itself: with what the member was imported."""
    row = db.execute(WORD_SELECT, {"member": member_id}).fetchone()
    return None if row is None else TierWord(**dict(zip(WORD, row, strict=True)) | {"is_warned": bool(row[4])})


def last_clock(db: Connection, member_id: str) -> int:
    """The logical clock of the last move of a member that is known here; 0 before the first."""
    return min(int(db.execute(LAST_CLOCK_SELECT, {"member": member_id}).fetchone()[0]), CLOCK_MAX)


def put_words(db: Connection, words: Iterable[tuple[str, TierWord]]) -> None:
    """Take head office's word on members; our own moves after it stay on top."""
    for member_id, word in words:
        row = {"member": member_id} | {name: getattr(word, name) for name in WORD}
        with watched(db, "tier_word", "member = :member", row):
            db.execute(WORD_UPSERT, row)
        refold(db, member_id)


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """A till moves a member whose tier a person froze, or one whom it does not name as its own."""
    assert fact.tier is not None
    tier = fact.tier
    if fact.member != tier.member_id:
        yield Doubt(reason="tier.member", detail=f"a move of member {tier.member_id} in a fact about member {fact.member}")
    rows = own_rows(db, tier.member_id)
    frozen = next((row.frozen_until for row in reversed(rows) if row.reason == STAFF), None)
    if tier.reason != STAFF and frozen is not None and tier.biz_day <= frozen:
        yield Doubt(reason="tier.frozen", detail=f"{tier.reason} {tier.tier} of member {tier.member_id}, whose tier is frozen")
    elif tier.reason == STAFF and frozen is not None and tier.biz_day <= frozen and not _is_after(db, fact):
        yield Doubt(
            reason="tier.twice", detail=f"two persons decided on the tier of member {tier.member_id}; the later one counts"
        )


def differences(db: Connection) -> Iterator[str]:
    """Rows against their facts, and members' tiers against the moves."""
    for (member,) in db.execute(ORPHANS_SELECT):
        yield f"Member {member}: a tier move stands here that no fact in the log made."
    for txn, payload_row in _facts(db):
        stored = db.execute(f"SELECT {', '.join(COLUMNS)} FROM member_tier WHERE txn = ?", (txn,)).fetchone()
        if stored is None or stored != payload_row:
            yield f"Member {payload_row[1]}: the tier move to {payload_row[2]} is not what the log says of it."
    for member, tier in db.execute(MEMBERS_SELECT):
        expected = tier_after(word_of(db, member), own_rows(db, member))
        if tier != expected:
            yield f"Member {member} stands in tier {tier}, by the log it is {expected}."


def _facts(db: Connection) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    for txn, payload in db.execute(f"SELECT id, payload FROM txn WHERE kind = 'member.tiered' AND {OF_ACTS}"):
        row = _row_of(fact_of(payload))
        yield txn, tuple(row[name] for name in COLUMNS)


def _is_after(db: Connection, fact: Fact) -> bool:
    """Whether the fact comes after every move here."""
    assert fact.tier is not None
    return fact.hlc > last_clock(db, fact.tier.member_id)


def _row_of(fact: Fact) -> dict[str, Any]:
    assert fact.tier is not None
    tier = fact.tier
    return {
        "txn": bytes.fromhex(fact.id),
        "member": tier.member_id,
        "tier": tier.tier,
        "reason": tier.reason,
        "biz_day": tier.biz_day,
        "since": tier.since,
        "until": tier.until,
        "is_warned": int(tier.is_warned),
        "frozen_until": tier.frozen_until,
        "before": tier.before,
        "ladder": tier.ladder,
        "decided_by": tier.by,
    }


def _row(fields: tuple[Any, ...]) -> TierRow:
    return TierRow(**dict(zip(ROW, fields, strict=True)) | {"is_warned": bool(fields[5])})


COLUMNS = (
    "txn", "member", "tier", "reason", "biz_day", "since", "until", "is_warned", "frozen_until", "before", "ladder", "decided_by",
)  # fmt: skip
ROW = ("tier", "reason", "biz_day", "since", "until", "is_warned", "frozen_until", "before", "ladder", "seq")
WORD = ("tier", "biz_day", "since", "until", "is_warned", "frozen_until", "have", "clock")
ROW_INSERT = f"INSERT INTO member_tier ({', '.join(COLUMNS)}) VALUES ({', '.join(':' + name for name in COLUMNS)})"
_FIELDS = ", ".join(f"m.{name}" for name in ROW[:-1])
OWN_ROWS_SELECT = f"""SELECT {_FIELDS}, t.seq FROM member_tier AS m JOIN txn AS t ON t.id = m.txn
WHERE m.member = :member AND t.seq > coalesce((SELECT base_seq FROM member WHERE id = :member), 0) ORDER BY t.hlc, t.till"""
BROUGHT_SELECT = f"""SELECT {_FIELDS}, t.seq FROM sale AS s JOIN txn AS c ON c.id = s.completed_txn
JOIN txn AS t ON t.till = c.till AND t.epoch = c.epoch AND t.seq = c.seq + 1 JOIN member_tier AS m ON m.txn = t.id
WHERE s.till = :till AND s.sale_id = :sale_id AND m.member = :member"""
WORD_SELECT = f"SELECT {', '.join(WORD)} FROM tier_word WHERE member = :member"
WORD_UPSERT = f"""INSERT INTO tier_word (member, {", ".join(WORD)}) VALUES (:member, {", ".join(":" + name for name in WORD)})
ON CONFLICT (member) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in WORD)}"""
LAST_CLOCK_SELECT = """SELECT max(
  coalesce((SELECT MAX(t.hlc) FROM member_tier AS m JOIN txn AS t ON t.id = m.txn WHERE m.member = :member), 0),
  coalesce((SELECT clock FROM tier_word WHERE member = :member), 0)
)"""
ORPHANS_SELECT = """SELECT m.member FROM member_tier AS m LEFT JOIN txn AS t ON t.id = m.txn
WHERE t.id IS NULL OR t.kind <> 'member.tiered'"""
MEMBERS_SELECT = """SELECT id, tier FROM member AS p WHERE EXISTS (SELECT 1 FROM tier_word AS w WHERE w.member = p.id)
OR EXISTS (SELECT 1 FROM member_tier AS m JOIN txn AS t ON t.id = m.txn WHERE m.member = p.id AND t.seq > p.base_seq)"""
