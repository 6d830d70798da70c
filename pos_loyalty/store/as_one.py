"""Head office brings a member who was at several tills to what one till would have left them; tills know only a part each.

Rule: what is booked is the difference between that and what the ledger says, so what is left hangs on the set of facts alone. It
is taken only from what no till holds; what a till holds stays, and as much waits until it is free: the sum is right at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.clock import NewId, to_ms
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.lapsed import EVENED, EXPIRED, ISSUED
from pos_loyalty.engine.ledger import ADJUSTMENT, GRACE, SUSPENSE, member_account, owed_account
from pos_loyalty.engine.lots import in_order, is_expired
from pos_loyalty.engine.model import Entry, Instant, Lot
from pos_loyalty.store import evened_lots, ledger, lot_trails, merges, publications
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.one_till import OneTill, sale_of
from pos_loyalty.store.reach import Reach
from pos_loyalty.values import Points

FACTS_MAX: Final = 2_000
"""Of one member. Who has more is evened out lot by lot."""
INT64_MAX: Final = 2**63 - 1
BACK: Final = ("sale.returned", "sale.reversed", "sale.cancelled")

Told = tuple[Fact, tuple[Entry, ...]]
"""A fact as a till told it, and the member's entries of it as they were booked."""
Dates = tuple[Instant | None, Instant | None]


class Move(NamedTuple):
    """Points that go from an account or come to one, out of a lot where one is named. ``new``: the dates of a lot to be made."""

    account: str
    centi: int
    lot_id: str | None = None
    new: Dates | None = None


class Work(NamedTuple):
    """A member in the ledger and as one till would have left them. ``accounts``: what the ledger has of the member in each."""

    reach: Reach
    member_id: str
    one: OneTill
    accounts: Counter[str]


def is_of_several(db: Connection, member_id: str) -> bool:
    """Whether several tills know a part each of what became of a member's points, and it can be counted again."""
    count, tills = db.execute(COUNT_SELECT, {"member": member_id}).fetchone()
    if (tills < 2 and not was_evened(db, member_id)) or count > FACTS_MAX or merges.ids_of(db, member_id) != (member_id,):
        return False
    if merges.current(db, member_id) != member_id:
        return False
    return db.execute(STRAY_SELECT, {"member": member_id}).fetchone() is None


def evened(reach: Reach, member_id: str, store: str, new_id: NewId, now: datetime) -> bool | None:
    """Book the difference; answers whether there was one, None where it cannot be counted. Called inside a transaction."""
    if not is_of_several(reach.db, member_id):
        return None
    facts = _facts_of(reach.db, member_id)
    if not any(fact.kind in BACK for fact, _ in facts) and not was_evened(reach.db, member_id):
        return False
    one = _played(reach.db, member_id, facts)
    work = Work(reach, member_id, one, _accounts(facts))
    if one.accounts[SUSPENSE] != work.accounts[SUSPENSE]:  # somebody decides by hand who bears it
        return None
    entries = tuple(_entries(work, store))
    if entries:
        draft = ledger.Draft(id=new_id(), kind="points.settled", store=store, member=member_id, entries=entries)
        ledger.append(reach.db, draft, now)
    return bool(entries)


def was_evened(db: Connection, member_id: str) -> bool:
    """Whether this was done to a member: then whatever happens may change what they ought to have."""
    return db.execute(WAS_SELECT, {"member": member_id, "rule": EVENED}).fetchone() is not None


def lifted_centi(db: Connection, member_id: str) -> int:
    """What this took off a member's debt, less what it laid on it."""
    return int(db.execute(LIFTED_SELECT, {"member": member_id, "rule": EVENED}).fetchone()[0])


def evened_before(db: Connection, since: datetime, until: datetime) -> tuple[str, ...]:
    """Members to whom this was done and of whose lots one ended between."""
    key = {"rule": EVENED, "since": to_ms(since), "until": to_ms(until)}
    return tuple(member for (member,) in db.execute(EVENED_SELECT, key))


def _facts_of(db: Connection, member_id: str) -> list[Told]:
    """All facts that move the member's points, or bring goods of theirs back, with the entries as they were booked, in order."""
    found: dict[str, tuple[Fact, tuple[Entry, ...]]] = {}
    lots = {lot.lot_id: lot for lot in ledger.all_lots_of(db, member_id)}
    todo = [UUID(bytes=txn) for (txn,) in db.execute(TXNS_SELECT, {"member": member_id})]
    while todo:
        txn = todo.pop()
        if txn.hex in found:
            continue
        told = ledger.by_id(db, txn)
        assert told is not None
        booked = lot_trails.as_booked(db, told)
        own = (entry for entry in booked.entries if entry.member_id == member_id and entry.unit == "point")
        found[told.id] = told, tuple(_dated(entry, lots) for entry in own)
        if told.sale is not None or told.claim is not None:
            todo += lot_trails.undone_by(db, *sale_of(told))
    return [found[fact.id] for fact in lot_trails.in_log_order(told for told, _ in found.values())]


def _dated(entry: Entry, lots: Mapping[str, Lot]) -> Entry:
    lot = lots.get(entry.lot_id or "") if entry.kind == "accrue" else None
    return entry if lot is None else replace(entry, usable_from=lot.usable_from, expires_at=lot.expires_at)


def _played(db: Connection, member_id: str, facts: Sequence[Told]) -> OneTill:
    def grace_days(fact: Fact) -> int | None:
        """By the till's own fact, else by the programme, else by what another fact of the member tells."""
        own, body = _told_days(fact), publications.body_in_force(db, fact.at)
        if own is not None:
            return own
        if body is None:
            return next((found for told, _ in facts if (found := _told_days(told)) is not None), None)
        return _grace_days_of(body)

    one = OneTill(db, member_id, grace_days)
    for told, booked in _in_order(facts):
        one.play(told, booked)
    return one


@lru_cache(maxsize=8)
def _grace_days_of(body: bytes) -> int | None:
    """Of a programme: reading one takes longer than the rest, and head office asks for each member of each batch."""
    return load_programme(body).points.grace_days


def _in_order(facts: Sequence[Told]) -> Iterator[Told]:
    """By their time, but nothing is taken or brought back before it came, whatever the clocks said."""
    whence: dict[str, int] = {}
    for n, (fact, booked) in enumerate(facts):
        made = {entry.lot_id or "" for entry in booked if entry.kind == "accrue"} | ({_ref(fact)} if fact.sale else set())
        whence = {**dict.fromkeys(made, n), **whence}
    seen: set[int] = set()
    done: set[int] = set()
    for first in range(len(facts)):
        todo = [first]
        while todo:
            fact, booked = facts[todo[-1]]
            needs = {entry.lot_id or "" for entry in booked if entry.kind != "accrue"} | {_ref(fact)}
            before = {whence[name] for name in needs if name in whence} - seen - done - {todo[-1]}
            seen |= {todo[-1], *before}
            todo += sorted(before, reverse=True)
            if not before and todo[-1] not in done:
                done.add(todo[-1])
                yield facts[todo.pop()]
            elif not before:
                todo.pop()


def _ref(fact: Fact) -> str:
    """The sale that a fact is about; a name that is no lot's."""
    till, sale_id = sale_of(fact)
    return f" {till}/{sale_id}"


def _told_days(fact: Fact) -> int | None:
    made = (entry for entry in fact.entries if entry.kind == "accrue" and entry.rule == GRACE)
    return next(((entry.expires_at - fact.at).days for entry in made if entry.expires_at is not None), None)


def _accounts(facts: Iterable[Told]) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in (entry for _, booked in facts for entry in booked):
        found[entry.debit] -= entry.amount
        found[entry.credit] += entry.amount
    return found


def _entries(work: Work, owner: str) -> Iterator[Entry]:
    """What takes the ledger to what one till would have left. ``owner``: of the log in which it will stand."""
    db, now, who = work.reach.db, work.reach.now, work.member_id
    account, debt = member_account(who), owed_account(who)
    lots = ledger.all_lots_of(db, who)
    over, short = _differences(lots, work.one.lots_of(who), now)
    free = {lot.lot_id: max(0, lot.centi) for lot in work.reach.cut(lots)}
    goes = [Move(account, min(lot.centi, free[lot.lot_id]), lot.lot_id) for lot in over]
    waits = sum(lot.centi for lot in over) - sum(go.centi for go in goes)
    rooms = {lot: int(centi) for lot, centi in db.execute(TAKEN_SELECT, {"member": who, "rule": EVENED})}
    gets: list[Move] = []
    for lot in reversed(short):
        part = min(waits, lot.centi)
        waits -= part
        gets += _into(account, replace(lot, centi=Points(lot.centi - part)), rooms)
    owes = work.one.owed_centi + ledger.balance_of(db, debt) + waits
    goes.append(Move(debt, max(0, owes)))
    gets.append(Move(debt, max(0, -owes)))
    missing = sum(get.centi for get in gets) - sum(go.centi for go in goes)
    others = tuple(_others(work, lots, free, -1 if missing > 0 else 1))
    (goes if missing > 0 else gets).extend(_up_to(abs(missing), others))
    yield from _paired(work, goes, gets, owner)


def _differences(have: Sequence[Lot], want: Sequence[Lot], now: datetime) -> tuple[list[Lot], list[Lot]]:
    """Lots that live and hold too much, and too little; those with the same dates stand for each other."""
    dates: dict[str, Dates] = {lot.lot_id: (lot.usable_from, lot.expires_at) for lot in (*want, *have)}
    each: Counter[str] = Counter()
    by_dates: Counter[Dates] = Counter()
    for lots, sign in ((have, 1), (want, -1)):
        for lot in lots:
            if not is_expired(lot, now):
                each[lot.lot_id] += sign * lot.centi
                by_dates[dates[lot.lot_id]] += sign * lot.centi
    found: tuple[list[Lot], list[Lot]] = [], []
    for lot_id in sorted(each):
        centi, of_date = each[lot_id], by_dates[dates[lot_id]]
        part = min(abs(centi), abs(of_date)) if centi * of_date > 0 else 0
        if part:
            by_dates[dates[lot_id]] -= part if centi > 0 else -part
            usable_from, expires_at = dates[lot_id]
            found[centi < 0].append(Lot(lot_id=lot_id, centi=Points(part), usable_from=usable_from, expires_at=expires_at))
    return list(in_order(found[0])), list(in_order(found[1]))


def _into(account: str, lot: Lot, rooms: Mapping[str, int]) -> tuple[Move, Move]:
    """Where it comes to: what head office took from the lot before goes back there, else a new lot with its dates is made.

    Never more into the lot itself: its room is for what tills bring back to it, who may not have heard of this.
    """
    part = min(int(lot.centi), max(0, rooms.get(lot.lot_id, 0)))
    return Move(account, part, lot.lot_id), Move(account, lot.centi - part, lot.lot_id, (lot.usable_from, lot.expires_at))


def _others(work: Work, lots: Sequence[Lot], free: Mapping[str, int], sign: int) -> Iterator[Move]:
    """Accounts that hold too much as one till would have written (``sign`` -1), or too little (1); the rest is adjusted."""
    one, now = work.one, work.reach.now
    dead = {lot.lot_id: lot.centi - _left(one, lot.lot_id) for lot in lots if is_expired(lot, now)}
    lost = sum(int(lot.centi) for lot in one.lots.values() if is_expired(lot, now))
    lost -= sum(_left(one, lot_id) + centi for lot_id, centi in dead.items())
    for account in sorted(work.accounts.keys() | one.accounts.keys()):
        if account.endswith(ISSUED):
            yield Move(account, max(0, sign * (one.accounts[account] - work.accounts[account])))
    for lot_id, centi in dead.items():
        yield Move(member_account(work.member_id), max(0, min(centi, free[lot_id])) if sign < 0 else 0, lot_id)
    for account, centi in sorted(work.accounts.items()):
        if account.endswith(EXPIRED):
            yield Move(account, max(0, min(centi, centi - lost)) if sign < 0 else max(0, lost - centi))
    yield Move(ADJUSTMENT, INT64_MAX)


def _left(one: OneTill, lot_id: str) -> int:
    return one.lots[lot_id].centi if lot_id in one.lots else 0


def _up_to(centi: int, moves: Iterable[Move]) -> Iterator[Move]:
    for move in moves:
        part = min(centi, move.centi)
        centi -= part
        yield move._replace(centi=part)


def _paired(work: Work, goes: Iterable[Move], gets: Iterable[Move], owner: str) -> Iterator[Entry]:
    sources, sinks = ([move for move in moves if move.centi] for moves in (goes, gets))
    taken = {lot.lot_id for lot in ledger.all_lots_of(work.reach.db, work.member_id)}
    while sources and sinks:
        go, get = sources[0], sinks[0]
        part = min(go.centi, get.centi)
        sources[:1] = [go._replace(centi=go.centi - part)] if part < go.centi else []
        sinks[:1] = [get._replace(centi=get.centi - part)] if part < get.centi else []
        through = ADJUSTMENT if go.lot_id is not None and get.lot_id is not None else None
        entry = Entry(
            kind="adjust", debit=go.account, credit=through or get.account, amount=Points(part), member_id=work.member_id,
            lot_id=go.lot_id if get.lot_id is None or through else get.lot_id, rule=EVENED,
        )  # fmt: skip
        if through:
            yield entry
            entry = replace(entry, debit=through, credit=get.account, lot_id=get.lot_id)
        if get.new is not None:
            usable_from, expires_at = get.new
            made = Lot(lot_id=get.lot_id or "", centi=Points(part), usable_from=usable_from, expires_at=expires_at)
            name = evened_lots.name(owner, work.member_id, made, taken)
            taken.add(name)
            entry = replace(entry, kind="accrue", lot_id=name, usable_from=usable_from, expires_at=expires_at)
        yield entry
    assert not sources and not sinks


COUNT_SELECT = """SELECT COUNT(*), COUNT(DISTINCT till) FILTER (WHERE till IS NOT (SELECT value FROM meta WHERE key = 'owner'))
FROM txn WHERE id IN (SELECT e.txn FROM lot JOIN entry AS e ON e.lot = lot.id WHERE lot.member = :member)"""
STRAY_SELECT = """SELECT 1 FROM lot WHERE member = :member AND NOT EXISTS (
  SELECT 1 FROM entry AS e WHERE e.lot = lot.id AND e.kind = 'accrue'
)"""
TXNS_SELECT = """SELECT e.txn FROM lot JOIN entry AS e ON e.lot = lot.id WHERE lot.member = :member
UNION SELECT txn FROM entry WHERE member = :member AND (debit_acct GLOB 'owed:*' OR credit_acct GLOB 'owed:*')"""
WAS_SELECT = """SELECT 1 FROM lot JOIN entry AS e ON e.lot = lot.id WHERE lot.member = :member AND e.rule = :rule
UNION ALL SELECT 1 FROM entry WHERE member = :member AND (debit_acct GLOB 'owed:*' OR credit_acct GLOB 'owed:*') AND rule = :rule
LIMIT 1"""
TAKEN_SELECT = """SELECT e.lot, SUM(CASE WHEN e.debit_acct GLOB 'member:*' THEN e.amount ELSE -e.amount END)
FROM lot JOIN entry AS e ON e.lot = lot.id
WHERE lot.member = :member AND e.rule = :rule AND e.kind = 'adjust'
AND (e.debit_acct GLOB 'member:*' OR e.credit_acct GLOB 'member:*') GROUP BY e.lot"""
LIFTED_SELECT = """SELECT coalesce(SUM(CASE WHEN credit_acct GLOB 'owed:*' THEN amount ELSE -amount END), 0) FROM entry
WHERE member = :member AND (debit_acct GLOB 'owed:*' OR credit_acct GLOB 'owed:*') AND rule = :rule"""
EVENED_SELECT = """SELECT DISTINCT lot.member FROM lot
WHERE lot.expires_at > :since AND lot.expires_at <= :until AND EXISTS (
  SELECT 1 FROM txn AS t JOIN entry AS e ON e.txn = t.id
  WHERE t.member = lot.member AND t.kind = 'points.settled' AND e.rule = :rule
) ORDER BY 1"""
