"""Whose points pay when goods came back at tills that did not know of each other: head office holds every entry and evens it out.

Rule: what the tills booked stands. What is wanting or too much by the law of ``engine.lapsed`` is booked after it, by one fact
for each lot that a sale brought; where nothing is, nothing is written, so doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.clock import NewId, to_ms
from pos_loyalty.engine.lapsed import (
    EVENED,
    GIVEN,
    TWICE,
    Trail,
    expires,
    had_centi,
    is_handing_back,
    overpaid_centi,
    take_lapsed,
    taken_again,
)
from pos_loyalty.engine.ledger import ADJUSTMENT, forgive, member_account, owed_account
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.owed import gainers, settle_from_lots, settle_owed
from pos_loyalty.store import as_one, claims, ledger, lot_trails, members, sales
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.forgiving import owing
from pos_loyalty.store.lapsed import StoredLots, given_on, trail_of
from pos_loyalty.store.reach import Reach
from pos_loyalty.values import Points

BRINGS_BACK: Final = ("sale.returned", "sale.reversed", "sale.cancelled", "rights.returned")


class Place(NamedTuple):
    """Whose log the facts stand in, and when. ``reach``: what may be taken here, as of when lots have ended."""

    store: str
    new_id: NewId
    now: datetime
    reach: Reach


def even_out(reach: Reach, facts: Iterable[Fact], also: Iterable[str], store: str, new_id: NewId) -> tuple[str, ...]:
    """Book what is wanting or too much after these facts of tills; answers whose points moved. Called inside a transaction.

    ``also``: members whom these facts brought to mind.
    """
    facts = tuple(facts)
    back = [fact for fact in facts if fact.kind in BRINGS_BACK]
    roots = dict.fromkeys(root for fact in back for root in _roots(reach.db, fact))
    # What had ended by the clock of the till that took the goods back had ended.
    ended = reach._replace(now=max([reach.now, *(fact.at for fact in back)]))
    at = Place(store=store, new_id=new_id, now=reach.now, reach=ended)
    others = {entry.member_id for fact in facts for entry in fact.entries if entry.member_id is not None} | set(also)
    return _all_evened(roots, at, [who for who in sorted(others) if as_one.was_evened(reach.db, who)])


def bearing(db: Connection, facts: Iterable[Fact], also: Iterable[str]) -> Iterator[Fact]:
    """Those of the facts that ``even_out`` would look at."""
    known = dict.fromkeys(also, True)
    for fact in facts:
        members = {entry.member_id for entry in fact.entries if entry.member_id is not None}
        for who in members - known.keys():
            known[who] = as_one.was_evened(db, who)
        if fact.kind in BRINGS_BACK or any(known[who] for who in members):
            yield fact


def even_out_lots(reach: Reach, lots: Iterable[str], store: str, new_id: NewId) -> tuple[str, ...]:
    """The same for lots of which something may be taken that was not free before."""
    roots = dict.fromkeys(lot_trails.root_of(reach.db, lot) for lot in lots)
    return _all_evened(roots, Place(store=store, new_id=new_id, now=reach.now, reach=reach))


def even_out_members(reach: Reach, member_ids: Iterable[str], store: str, new_id: NewId) -> tuple[str, ...]:
    """The same for members, after lots of theirs ended."""
    return _all_evened((), Place(store=store, new_id=new_id, now=reach.now, reach=reach), member_ids)


def settle_ended(reach: Reach, ended: Mapping[str, Sequence[Lot]], store: str, new_id: NewId) -> tuple[str, ...]:
    """Lots that ended settle what their members owed while they lived: a till that did not hold them could not take them for it.

    Answers whose points moved. Called inside a transaction, before the lots are booked as expired.
    """
    moved = []
    for member_id, lots in ended.items():
        if as_one.is_of_several(reach.db, member_id):
            continue
        owed = int(members.owed_of(reach.db, member_id))
        made: tuple[Entry, ...] = ()
        for lot in reach.cut(lots) if owed else ():
            assert lot.expires_at is not None
            part = min(owed, lot.centi - _asked_of(reach.db, lot.lot_id), _owed_at(reach.db, member_id, lot.expires_at))
            if part > 0:
                made += settle_from_lots(member_id, (lot,), part)
                owed -= part
        if made:
            draft = ledger.Draft(id=new_id(), kind="points.settled", store=store, member=member_id, entries=made)
            ledger.append(reach.db, draft, reach.now)
            moved.append(member_id)
    return tuple(moved)


def _asked_of(db: Connection, lot_id: str) -> int:
    """What goods that came back ask of a lot and did not get: it was lost for them."""
    trail = trail_of(db, lot_id, {}, ())
    return 0 if trail is None else max(0, min(trail.asked_centi, trail.accrual.amount) - had_centi(trail))


def _owed_at(db: Connection, member_id: str, at: datetime) -> int:
    key = {"member": member_id, "owed": owed_account(member_id), "at": to_ms(at)}
    return int(db.execute(OWED_SELECT, key).fetchone()[0])


def _all_evened(roots: Iterable[str], at: Place, others: Iterable[str] = ()) -> tuple[str, ...]:
    """Members of several tills as one till would have left them, others lot by lot. ``others``: besides those of the lots."""
    db = at.reach.db
    whose = {root: "" if (made := lot_trails.made_by(db, root)) is None else made.member_id or "" for root in roots}
    by_member = {
        who: as_one.evened(at.reach, who, at.store, at.new_id, at.now) for who in dict.fromkeys((*whose.values(), *others))
    }
    moved = [who for who, is_moved in by_member.items() if is_moved]
    alone = [root for root, who in whose.items() if by_member[who] is None]
    return tuple(dict.fromkeys([*moved, *(member for root in alone for member in _even_out(root, at))]))


def lost_of(db: Connection, fact: Fact) -> dict[str, tuple[tuple[str, int], ...]]:
    """Of lots from which goods take points back: what was booked as expired, or taken by head office for a debt or to even the
    member out, in which accounts, less what did not stay so."""
    lots = {entry.lot_id for entry in fact.entries if entry.lot_id is not None} if fact.kind in BRINGS_BACK else set()
    found = {lot: db.execute(LOST_SELECT, {"lot": lot}).fetchall() for lot in sorted(lots)}
    return {lot: tuple((account, int(centi)) for account, centi in rows) for lot, rows in found.items() if rows}


def make_room(reach: Reach, doubled: Iterable[tuple[Entry, Entry]], store: str, new_id: NewId) -> bool:
    """Take back what head office gave to lots that paid, as far as a till gives it too; answers whether anything was booked.

    ``doubled``: what the till took from a lot, and gave to one that has no room for it. What a till gives it holds from then on
    and may redeem: so what it says must stand, and what head office said gives way.
    """
    lots = StoredLots(reach)
    made: tuple[Entry, ...] = ()
    for given, got in doubled:
        left = int(given.amount)
        for gave, came, centi in _given_before(reach.db, given, got):
            payer = lots.of(got.member_id or "", made).get(got.lot_id or "")
            part = min(left, centi, payer.centi if payer else 0)
            if part > 0:
                made += taken_again(gave, came, part)
                left -= part
        part = min(left, as_one.lifted_centi(reach.db, got.member_id or "")) if got.lot_id is None else 0
        if part > 0:
            made += (replace(got, kind="adjust", debit=got.credit, credit=ADJUSTMENT, amount=Points(part), rule=EVENED),)
    if not made:
        return False
    member_id = next(entry.member_id for entry in made)
    draft = ledger.Draft(id=new_id(), kind="points.settled", store=store, member=member_id, entries=made)
    ledger.append(reach.db, draft, reach.now)
    return True


def _given_before(db: Connection, given: Entry, got: Entry) -> Iterator[tuple[Entry, Entry, int]]:
    """What head office gave of the same accrual to the same lot, the newest first, less what it took back."""
    lots = lot_trails.lots_from(db, lot_trails.root_of(db, given.lot_id or ""))
    facts = [fact for fact in lot_trails.facts_about(db, lots) if fact.kind == "points.settled"]
    pairs = [pair for fact in lot_trails.in_log_order(facts) for pair in pairwise(fact.entries)]
    again = sum(
        back.amount
        for back, came in pairs
        if back.rule == came.rule == TWICE and back.lot_id == got.lot_id and came.lot_id in lots
    )
    for gave, came in reversed(pairs):
        if is_handing_back(gave, came) and gave.lot_id in lots and came.lot_id == got.lot_id:
            part = max(0, gave.amount - again)
            again = max(0, again - gave.amount)
            yield gave, came, part


def _roots(db: Connection, fact: Fact) -> Iterator[str]:
    """The lots in which the points began that the fact moved or asked for."""
    named = {entry.lot_id for entry in fact.entries if entry.lot_id is not None}
    about = fact.returned
    sale = (fact.till, fact.end.sale_id) if fact.end else None if about is None else (about.sale_till, about.sale_id or "")
    if fact.give_back is not None:
        named |= {line.lot_id for line in fact.give_back.lines}
    if sale is not None:
        sold = (*ledger.sale_entries(db, *sale), *claims.entries_of(db, *sale))
        named |= {entry.lot_id for entry in sold if entry.kind == "accrue" and entry.lot_id is not None}
    yield from (lot_trails.root_of(db, lot) for lot in sorted(named))


def _even_out(root: str, at: Place) -> frozenset[str]:
    db = at.reach.db
    undone = lot_trails.undone(db, root)
    trail = trail_of(db, root, {}, ()) if undone is not None else None
    if undone is None or trail is None:
        return frozenset()
    origin, facts = undone
    trail = replace(trail, asked_centi=Points(min(trail.asked_centi, trail.accrual.amount)))
    lots = StoredLots(at.reach)
    is_too_much = overpaid_centi(trail) > 0
    entries = _given(at.reach, trail, lots) if is_too_much else _taken(at.reach, origin, trail, lots)
    if not entries or not _is_there(db, entries):
        return frozenset()
    last = lot_trails.in_log_order(facts)[-1]
    draft = ledger.Draft(
        id=at.new_id(),
        kind="points.settled",
        store=at.store,
        member=trail.accrual.member_id,
        reverses=UUID(last.id),
        entries=_with_owed(at.reach, entries),
    )
    ledger.append(db, draft, at.now)
    return frozenset(entry.member_id for entry in draft.entries if entry.member_id is not None)


def _taken(reach: Reach, origin: lot_trails.Origin, trail: Trail, lots: StoredLots) -> tuple[Entry, ...]:
    """What the tills did not take, because another till knew where the points went."""
    holder = trail.accrual.member_id or ""
    held, whole = tuple(lots.of(holder, ()).values()), lots.whole_of(holder, ())
    taken = take_lapsed(trail, trail.asked_centi - had_centi(trail), held, reach.now, whole=whole)
    sold = sales.by_id(reach.db, origin.sale_till, origin.sale_id)
    earning = None if sold is None else sold.quote.earning
    is_letting = earning is not None and earning.owed == "forgive"
    return owing(reach, (), taken + forgive(taken)) if is_letting else taken


def _given(reach: Reach, trail: Trail, lots: StoredLots) -> tuple[Entry, ...]:
    """What came back at one till goes to those who paid at another; what ran out meanwhile comes back for it."""
    db = reach.db
    holders = {lot: made.member_id or "" for lot in sorted(trail.lots) if (made := lot_trails.made_by(db, lot)) is not None}
    whole = {lot.lot_id: lot for holder in sorted(set(holders.values())) for lot in lots.whole_of(holder, ())}
    held = sum(whole[lot].centi for lot in holders if lot in whole)
    revived = tuple(_revived(trail, overpaid_centi(trail) - held))
    given = given_on(reach, revived, {}, lots, list(holders.items()))
    return given if len(given) > len(revived) else ()


def _revived(trail: Trail, centi: int) -> Iterator[Entry]:
    for lot, account, ended in expires(trail):
        part = min(centi, ended)
        centi -= max(0, part)
        if part > 0:
            member_id = account.member_id or ""
            yield replace(
                account, kind="adjust", debit=account.credit, credit=member_account(member_id), amount=Points(part), lot_id=lot,
                rule=GIVEN,
            )  # fmt: skip


def _with_owed(reach: Reach, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries, and after them what they settle of what a member owes for something else."""
    db = reach.db
    owed = {member: centi for member in gainers(entries) if (centi := members.owed_of(db, member))}
    dead = {lot.lot_id for member in owed for lot in ledger.all_lots_of(db, member) if is_expired(lot, reach.now)}
    return entries + settle_owed(entries, owed, dead)


def _is_there(db: Connection, entries: Iterable[Entry]) -> bool:
    """Whether every lot holds what is taken from it: else nothing is booked, for a till's log must not wait for it."""
    held: dict[str, Lot] = {}
    for entry in entries:
        account = member_account(entry.member_id or "")
        if entry.lot_id is None or account not in (entry.debit, entry.credit):
            continue
        if entry.lot_id not in held:
            held.update({lot.lot_id: lot for lot in ledger.all_lots_of(db, entry.member_id or "")})
        lot = held.get(entry.lot_id)
        centi = -1 if lot is None else lot.centi + (entry.amount if entry.credit == account else -entry.amount)
        if lot is None or centi < 0:
            return False
        held[lot.lot_id] = replace(lot, centi=Points(centi))
    return True


LOST_SELECT = """SELECT account, SUM(amount) FROM (
  SELECT e.credit_acct AS account, e.amount FROM entry AS e JOIN txn AS t ON t.id = e.txn
  WHERE e.lot = :lot AND (e.kind = 'expire' OR (
    t.kind = 'points.settled' AND e.kind = 'adjust' AND e.rule IN ('points.owed', 'points.evened')
    AND e.debit_acct GLOB 'member:*'
  ))
  UNION ALL SELECT debit_acct, -amount FROM entry
  WHERE lot = :lot AND (debit_acct GLOB 'programme:*:expired' OR (debit_acct = 'adjustment' AND kind = 'reverse') OR (
    kind = 'adjust' AND rule IN ('points.owed', 'points.evened') AND credit_acct GLOB 'member:*'
  ))
) AS went GROUP BY account HAVING SUM(amount) > 0 ORDER BY account DESC"""
OWED_SELECT = """SELECT coalesce(SUM(CASE WHEN e.debit_acct = :owed THEN e.amount ELSE -e.amount END), 0)
FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE e.member = :member AND (e.debit_acct = :owed OR e.credit_acct = :owed) AND t.wall_ms < :at"""
