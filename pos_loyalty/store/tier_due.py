"""Which moves between tiers are due: what the engine makes of a member's history, against what the log says already.

Rule: whoever owns the member (head office, or a till without one) asks the engine for every move since the last one that other
rules or a person made, and books those that are missing. So it does not matter how often it is asked, nor when: a night that was
missed is made up with the same facts. A till under a head office knows only a part: it raises a member when that part is enough,
takes back what it raised itself, and leaves all else to head office.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.tier_rules import TierRules, to_day, window_start
from pos_loyalty.engine.tiers import TierBase, TierMove, TierState, TierStep, next_above, next_look, tier_of, tier_steps
from pos_loyalty.store import follow, members, tiers
from pos_loyalty.store.db import Connection, meta, write
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.tier_facts import TierFact
from pos_loyalty.store.tier_history import moves_of
from pos_loyalty.store.tiers import STAFF, TierRow, TierWord
from pos_loyalty.values import Value

PAGE_MEMBERS = 200
Key = tuple[str | None, int, int | None, bool]


class Look(Value):
    """All that a move is decided by. ``recorded``: moves since the base, by the same rules.

    ``is_whole``: nobody else knows more of the member. ``is_told``: a move or head office says something of the tier.
    """

    member_id: str
    tier: str | None
    today: int
    base: TierBase
    recorded: tuple[TierRow, ...]
    history: tuple[TierMove, ...]
    frozen_until: int | None
    is_whole: bool
    is_told: bool

    @property
    def is_unfounded(self) -> bool:
        """Whether a tier is held of which neither the log nor head office says since when."""
        return self.is_whole and self.tier is not None and not self.is_told

    @property
    def is_frozen(self) -> bool:
        """Whether a person's decision stands."""
        return self.frozen_until is not None and self.today <= self.frozen_until


class Place(Value):
    """Where a move is booked: the store's id, its zone, the programme in force; whether this file owns the members."""

    store: str
    zone: ZoneInfo
    programme: Programme
    is_owner: bool


class Page(Value):
    """A page of members that were looked at: the last one's id, None when there is no more; and who moved."""

    last: str | None
    moved: tuple[str, ...]


def look_at(db: Connection, member_id: str, at: Place, today: int) -> Look | None:
    """The member as this file knows them; None for one who is not here, or when no programme moves members."""
    rules = at.programme.tier_rules
    row = db.execute(MEMBER_SELECT, {"member": member_id}).fetchone()
    if row is None or rules is None:
        return None
    tier, joined_ms, base_seq = row
    word = tiers.word_of(db, member_id)
    rows = list(tiers.counting(word, tiers.own_rows(db, member_id)))
    history = moves_of(db, member_id) if at.is_owner or word is None else _part(db, member_id, word, base_seq, rules, today)
    today = max([today, *(move.day for move in history if move.day == today + 1)])
    first = min([today, *(move.day for move in history)])
    joined = first if joined_ms is None else min(first, to_day(from_ms(joined_ms).astimezone(at.zone).date()))
    place = next((n for n in reversed(range(len(rows))) if rows[n].reason == STAFF or rows[n].ladder != rules.digest), None)
    anchor = word if place is None else rows[place]
    before = rows[0].before if rows else tier
    return Look(
        member_id=member_id,
        tier=tier,
        today=today,
        base=TierBase(tier=before, day=joined) if anchor is None else _base(anchor),
        recorded=tuple(rows if place is None else rows[place + 1 :]),
        history=history,
        frozen_until=None if anchor is None else anchor.frozen_until,
        is_whole=at.is_owner,
        is_told=word is not None or bool(rows),
    )


def moves_due(look: Look, rules: TierRules, steps: tuple[TierStep, ...]) -> tuple[TierStep, ...]:
    """Those of the engine's steps that the log does not say yet, in order."""
    if look.is_frozen:
        return ()
    if not look.is_whole:
        return _of_a_part(look, rules, steps)
    if not look.recorded:
        return steps
    last = _recorded(look.recorded[-1])
    place = next((n for n in reversed(range(len(steps))) if _key(steps[n]) == last), None)
    if place is not None:
        return steps[place + 1 :]
    final = _final(look, steps)
    return () if _key(final) == last else (_corrected(final, look, rules),)


def state_of(look: Look, rules: TierRules) -> TierState:
    """How the member stands, for people. Where only a part is known, head office's word and our own moves tell the dates."""
    state = tier_of(look.history, rules, look.today, look.base)
    if look.is_whole and not look.is_frozen:
        return state
    last = look.recorded[-1] if look.recorded else None
    until = look.frozen_until if look.is_frozen else look.base.until if last is None else last.until
    warned = look.base.is_warned if last is None else last.is_warned
    least, next_rank = next_above(rules, rules.rank(look.tier))
    return replace(
        state,
        tier=look.tier,
        since=look.base.since if last is None else last.since,
        until=until,
        warning_at=until - rules.warn_days if until is not None and warned and not look.is_frozen else None,
        reason=STAFF if look.is_frozen else None if last is None else last.reason,
        next_tier=rules.name(next_rank),
        missing=None if least is None else max(0, least - state.have),
        missing_to_keep=None,
    )


def book_moves(db: Connection, look: Look, at: Place, now: datetime, ids: Callable[[], UUID]) -> tuple[Fact, ...]:
    """Book what is due for a member. Called inside a transaction."""
    rules = at.programme.tier_rules
    assert rules is not None
    facts: list[Fact] = []
    if look.is_unfounded:
        facts.append(book(db, _founding(look), at, now, ids))
        look = look_at(db, look.member_id, at, look.today) or look
    before = look.tier
    steps = tier_steps(look.history, rules, look.today, look.base)
    for step in moves_due(look, rules, steps):
        body = TierFact(
            member_id=look.member_id,
            tier=step.tier,
            reason=step.reason,
            biz_day=step.day,
            since=step.since,
            until=step.until,
            is_warned=step.is_warned,
            before=before,
            ladder=rules.digest,
        )
        facts.append(book(db, body, at, now, ids))
        before = step.tier
    if look.is_whole:
        _note_look(db, look, rules, steps)
    return tuple(facts)


def _founding(look: Look) -> TierFact:
    """A tier that came with the member lasts a full period from the day on which it is first looked at."""
    day = look.today
    return TierFact(member_id=look.member_id, tier=look.tier, reason="recounted", biz_day=day, since=day, before=look.tier)


def book(db: Connection, body: TierFact, at: Place, now: datetime, ids: Callable[[], UUID]) -> Fact:
    """One move of a member as a fact of our own log."""
    draft = Draft(
        id=ids(),
        kind="member.tiered",
        store=at.store,
        programme=at.programme.name,
        cashier=body.by or None,
        member=body.member_id,
        after=tiers.last_clock(db, body.member_id),
        body=body,
    )
    return follow.book(db, draft, now)


def tiers_due(db: Connection, at: Place, now: datetime, ids: Callable[[], UUID]) -> int:
    """Book all that is due, some members to a transaction; answers how many moved. Again changes nothing."""
    moved, last = 0, ""
    while True:
        with write(db):
            page = page_due(db, at, now, ids, last)
        moved += len(page.moved)
        if page.last is None:
            return moved
        last = page.last


def page_due(db: Connection, at: Place, now: datetime, ids: Callable[[], UUID], after: str) -> Page:
    """Book what is due for the next members after an id. Called inside a transaction by who owns the members."""
    rules = at.programme.tier_rules
    if rules is None or not at.is_owner:
        return Page(last=None, moved=())
    today = to_day(now.astimezone(at.zone).date())
    key = {"after": after, "today": today, "ladder": rules.digest, "limit": PAGE_MEMBERS}
    found = [member for (member,) in db.execute(DUE_SELECT, key).fetchall()]
    moved = []
    for member in found:
        look = look_at(db, member, at, today)
        if look is None or not book_moves(db, look, at, now, ids):
            continue
        moved.append(member)
        if meta(db, "role") == "head_office":
            members.touch(db, member)
            _note_version(db, member)
    return Page(last=found[-1] if len(found) == PAGE_MEMBERS else None, moved=tuple(moved))


def _of_a_part(look: Look, rules: TierRules, steps: Sequence[TierStep]) -> tuple[TierStep, ...]:
    """Up when what is known here is enough; down only from where this till's own log had raised the member."""
    final = _final(look, steps)
    rank, reached = rules.rank(look.tier), rules.rank(final.tier)
    if reached > rank:
        return (replace(final, reason="reached"),)
    raised = look.recorded and look.recorded[-1].reason == "reached"
    return (_corrected(final, look, rules),) if raised and reached < rank and final.reason != "fell" else ()


def _part(db: Connection, member_id: str, word: TierWord, base_seq: int, rules: TierRules, today: int) -> tuple[TierMove, ...]:
    """Head office's figure with what was sold here since; our own sales alone when that figure is of another window."""
    same = word.biz_day == today if rules.window == "rolling" else _starts(rules, word.biz_day, today)
    if word.have is None or not same:
        return moves_of(db, member_id)
    figure = {"spent": "spent_minor", "visits": "visits", "points": "centi"}[rules.measure]
    told = TierMove(day=word.biz_day, told=word.biz_day, **{figure: word.have})
    return (told, *moves_of(db, member_id, base_seq))


def _starts(rules: TierRules, one: int, other: int) -> bool:
    return window_start(rules, one) == window_start(rules, other)


def _base(anchor: TierRow | TierWord) -> TierBase:
    if anchor.frozen_until is not None:
        return TierBase(tier=anchor.tier, day=anchor.frozen_until + 1, since=anchor.since, until=anchor.frozen_until)
    return TierBase(
        tier=anchor.tier, day=anchor.biz_day, since=anchor.since, until=anchor.until, is_warned=anchor.is_warned
    )  # fmt: skip


def _final(look: Look, steps: Sequence[TierStep]) -> TierStep:
    if steps:
        return steps[-1]
    base = look.base
    since = base.day if base.since is None else base.since
    return TierStep(day=base.day, tier=base.tier, since=since, until=base.until, is_warned=base.is_warned, reason="recounted")


def _corrected(final: TierStep, look: Look, rules: TierRules) -> TierStep:
    """What the log said before is not so any more: goods came back, or purchases came to light."""
    up = rules.rank(final.tier) - rules.rank(look.tier)
    return replace(final, day=look.today, reason="reached" if up > 0 else "returned" if up < 0 else "recounted")


def _key(step: TierStep) -> Key:
    return step.tier, step.since, step.until, step.is_warned


def _recorded(row: TierRow) -> Key:
    return row.tier, row.since, row.until, row.is_warned


def _note_look(db: Connection, look: Look, rules: TierRules, steps: tuple[TierStep, ...]) -> None:
    next_day = look.base.day if look.is_frozen else next_look(steps, rules, look.today, look.base)
    db.execute(LOOK_UPSERT, {"member": look.member_id, "next_day": next_day, "ladder": rules.digest})


def _note_version(db: Connection, member_id: str) -> None:
    db.execute(VERSION_UPDATE, {"member": member_id})


MEMBER_SELECT = "SELECT tier, joined_ms, base_seq FROM member WHERE id = :member"
DUE_SELECT = """SELECT m.id FROM member AS m LEFT JOIN tier_look AS l ON l.member = m.id
WHERE m.id > :after AND m.state = 'active'
AND (l.member IS NULL OR l.next_day <= :today OR l.ladder <> :ladder OR l.version < m.version)
ORDER BY m.id LIMIT :limit"""
LOOK_UPSERT = """INSERT INTO tier_look (member, next_day, ladder, version)
VALUES (:member, :next_day, :ladder, (SELECT version FROM member WHERE id = :member))
ON CONFLICT (member) DO UPDATE SET next_day = excluded.next_day, ladder = excluded.ladder, version = excluded.version"""
VERSION_UPDATE = "UPDATE tier_look SET version = (SELECT version FROM member WHERE id = :member) WHERE member = :member"
