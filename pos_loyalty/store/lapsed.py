"""Goods come back whose points were used, or whose lot has ended: who pays, and what the payers get when those come back too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pos_loyalty.engine.lapsed import (
    FORGIVEN,
    GIVEN,
    OWED,
    Trail,
    after,
    give_back,
    lots_after,
    overpaid_centi,
    paid_by,
    steps_of,
    take_lapsed,
    to_payer,
)
from pos_loyalty.engine.ledger import ADJUSTMENT, forgive, member_account, owed_account
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.owed import SETTLES, unsettle
from pos_loyalty.store import ledger, lot_trails, members, merges
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.forgiving import owing
from pos_loyalty.store.reach import Past, Reach
from pos_loyalty.values import Points


def with_lapsed(reach: Reach, done: tuple[Entry, ...], taking: Sequence[Entry], *, forgives: bool = False) -> tuple[Entry, ...]:
    """``done``, and what is taken besides. ``taking``: accruals that are undone, as far as they are.

    ``forgives``: what is owed by what is taken here is let go. Called in the transaction that writes the entries.
    """
    asked = {entry.lot_id or "": entry for entry in taking}
    past, now, lots = past_of(reach), reach.now, StoredLots(reach)
    for accrual in asked.values():
        own = lots.of(accrual.member_id or "", done).get(accrual.lot_id or "")
        if own is not None and is_expired(own, now):
            trail = past.trail_of(own.lot_id, asked, done)
            assert trail is not None
            given = sum(step.entry.amount for step in steps_of(trail, done, is_asked=True) if _is_own_in(trail, step.entry))
            held = tuple(lots.of(accrual.member_id or "", done).values())
            whole = lots.whole_of(accrual.member_id or "", done)
            taken = take_lapsed(trail, accrual.amount - given, held, now, whole=whole)
            done += owing(reach, done, taken + forgive(taken)) if forgives else taken
    return given_on(reach, done, asked, lots)


def _is_own_in(trail: Trail, entry: Entry) -> bool:
    return entry.kind == "reverse" and entry.lot_id in trail.lots and entry.rule == trail.accrual.rule


class FilePast:
    """The Past that a file tells."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def trail_of(self, lot_id: str, asked: Mapping[str, Entry], done: Sequence[Entry]) -> Trail | None:
        """By all facts of the file that touch it."""
        return trail_of(self._db, lot_id, asked, done)

    def lots_of(self, member_id: str) -> tuple[Lot, ...]:
        """By the ledger."""
        return ledger.all_lots_of(self._db, member_id)

    def amount_of(self, lot_id: str) -> int:
        """By its row."""
        made = lot_trails.made_by(self._db, lot_id)
        return 0 if made is None else int(made.amount)

    def owed_of(self, member_id: str) -> int:
        """By the ledger."""
        return int(members.owed_of(self._db, member_id))

    def settled_from(self, member_id: str) -> Iterator[tuple[str, int]]:
        """By the entries."""
        return lot_trails.settled_from(self._db, member_id, SETTLES)

    def current(self, member_id: str) -> str:
        """By the merges."""
        return merges.current(self._db, member_id)


def past_of(reach: Reach) -> Past:
    """What is known where lots are taken from."""
    return FilePast(reach.db) if reach.past is None else reach.past


class StoredLots:
    """The members' lots as they are stored, each read once."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self.past = past_of(reach)
        self._stored: dict[str, tuple[Lot, ...]] = {}
        self._held: dict[str, tuple[Lot, ...]] = {}

    def of(self, member_id: str, done: Sequence[Entry]) -> dict[str, Lot]:
        """As far as they may be taken from here, after entries that are not written yet."""
        self._read(member_id)
        return {lot.lot_id: lot for lot in lots_after(self._held[member_id], done)}

    def whole_of(self, member_id: str, done: Sequence[Entry]) -> tuple[Lot, ...]:
        """With what others hold of them."""
        self._read(member_id)
        return lots_after(self._stored[member_id], done)

    def room_of(self, member_id: str, lot_id: str, done: Sequence[Entry]) -> int:
        """What a lot can take: head office, or another till, may have brought back to it what a till was to give."""
        lot = next((lot for lot in self.whole_of(member_id, done) if lot.lot_id == lot_id), None)
        return 0 if lot is None else max(0, self.past.amount_of(lot_id) - lot.centi)

    def _read(self, member_id: str) -> None:
        if member_id not in self._stored:
            self._stored[member_id] = self.past.lots_of(member_id)
            self._held[member_id] = self._reach.cut(self._stored[member_id])


def with_given_back(reach: Reach, done: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """``done``, points that come back, and what their lots give to those who paid for them.

    Called before anything is taken from these lots: else two of them could be had for each other.
    """
    return given_on(reach, done, {}, StoredLots(reach))


def given_on(
    reach: Reach, done: tuple[Entry, ...], asked: Mapping[str, Entry], lots: StoredLots, late: Sequence[tuple[str, str]] = ()
) -> tuple[Entry, ...]:
    """Each lot that gains by the entries gives to those who paid for points of its accrual; what gains by that gives on.

    ``late``: lots, and whose, that give all the same, even those that have ended. It ends: a turn that gives lessens by as much
    what all payers together are still to get back, which nothing here raises; a turn that gives nothing has one lot less to do.
    """
    past, now = past_of(reach), reach.now
    gaining = [(entry.lot_id or "", entry.member_id or "") for entry in done if _gains(entry)]
    todo = list(dict.fromkeys([*gaining, *_paid_by_others(asked, done), *late]))
    late_lots = {lot_id for lot_id, _ in late}
    while todo:
        lot_id, holder = todo.pop(0)
        trail = past.trail_of(lot_id, asked, done)
        if trail is None:
            continue
        held = lots.of(holder, done)
        for source in sorted(trail.lots & held.keys()):
            lot = held[source]
            if source not in late_lots and is_expired(lot, now):  # what it held when it ended is lost
                lot = replace(lot, centi=Points(min(lot.centi, _gained_centi(source, done))))
            if lot.centi > 0:
                given = _given_from(lots, lot, holder, trail, done)
                trail = after(trail, given, is_asked=False)
                done += given
                todo += [(entry.lot_id or "", entry.member_id or "") for entry in given if _gains(entry)]
    return done


def _given_from(lots: StoredLots, lot: Lot, holder: str, trail: Trail, done: Sequence[Entry]) -> tuple[Entry, ...]:
    """What a lot of the accrual gives to those who paid, the last one first."""
    made: tuple[Entry, ...] = ()
    left = min(overpaid_centi(trail), lot.centi)
    for payer, centi in reversed(paid_by(trail).items()):
        part = min(left, centi)
        given = _give(lots, Source(lot.lot_id, holder), payer, part, trail, (*done, *made)) if part > 0 else ()
        left -= sum(entry.amount for entry in given if entry.lot_id == lot.lot_id and entry.credit == ADJUSTMENT)
        made += given
    return made


def _gained_centi(lot_id: str, done: Sequence[Entry]) -> int:
    """What came back to a lot by these entries and is there still."""
    own = (entry for entry in done if entry.lot_id == lot_id)
    return max(0, sum(entry.amount * (_gains(entry) - (entry.debit == member_account(entry.member_id or ""))) for entry in own))


def _gains(entry: Entry) -> bool:
    is_coming = entry.kind == "reverse" or entry.rule in (GIVEN, SETTLES)
    return is_coming and entry.lot_id is not None and entry.credit == member_account(entry.member_id or "")


def _paid_by_others(asked: Mapping[str, Entry], done: Sequence[Entry]) -> list[tuple[str, str]]:
    """Lots of whose accrual something was had elsewhere: a grace may have moved points on that are nearer."""
    return [
        (lot_id, accrual.member_id or "")
        for lot_id, accrual in asked.items()
        if any(
            entry.kind == "reverse" and (entry.rule, entry.credit) == (accrual.rule, accrual.debit) and entry.lot_id != lot_id
            for entry in done
        )
    ]


class Source(NamedTuple):
    """A lot that gives, and whose it is."""

    lot_id: str
    member_id: str


def _give(lots: StoredLots, source: Source, payer: str, centi: int, trail: Trail, done: Sequence[Entry]) -> tuple[Entry, ...]:
    if payer == FORGIVEN:
        return give_back(*source, None, centi)
    member_id = trail.accrual.member_id or ""
    past = lots.past
    if payer != OWED:
        centi = min(centi, lots.room_of(member_id, payer, done))
        return give_back(*source, to_payer(member_account(member_id), payer, member_id, centi), centi) if centi > 0 else ()
    debtor = past.current(member_id)
    account = owed_account(debtor)
    moves = sum(entry.amount * ((entry.debit == account) - (entry.credit == account)) for entry in done)
    part = min(centi, max(0, past.owed_of(debtor) + moves))
    made = give_back(*source, to_payer(account, None, debtor, part), part) if part else ()
    return made + _to_settlers(lots, source, debtor, centi - part, done)


def _to_settlers(lots: StoredLots, source: Source, debtor: str, centi: int, done: Sequence[Entry]) -> tuple[Entry, ...]:
    """What was owed has been settled since: the lots that settled it get it back, the last one first."""
    made: tuple[Entry, ...] = ()
    for settler, room in lots.past.settled_from(debtor) if centi else ():
        undone = sum(entry.amount for entry in done if entry.rule == SETTLES and entry.lot_id == settler and _gains(entry))
        part = min(centi, room - undone, lots.room_of(debtor, settler, (*done, *made)))
        if part > 0:
            made += give_back(*source, to_payer(owed_account(debtor), None, debtor, part), part)
            made += (unsettle(debtor, settler, part),)
            centi -= part
    return made


def trail_of(db: Connection, lot_id: str, asked: Mapping[str, Entry], done: Sequence[Entry]) -> Trail | None:
    """The trail of the accrual that a lot's points began with; None when nothing of it was ever asked back."""
    root = lot_trails.root_of(db, lot_id)
    before = lot_trails.undone(db, root)
    made = lot_trails.made_by(db, root)
    if made is None or (before is None and root not in asked):
        return None
    origin, facts = before or (None, ())
    accrual = replace(asked[root], amount=made.amount) if root in asked else made
    if origin is not None and root not in asked:
        accrual = replace(accrual, rule=origin.rule)
    asked_before = sum(_asked_by(fact, origin, made.amount) for fact in facts if origin is not None)
    now_asked = asked[root].amount if root in asked else 0
    trail = Trail(accrual=accrual, asked_centi=Points(asked_before + now_asked), lots=lot_trails.lots_from(db, root))
    own = (*facts, *lot_trails.settled_later(db, root, facts))
    ids = {fact.id for fact in own}
    for fact in lot_trails.in_log_order((*own, *lot_trails.facts_about(db, trail.lots))):
        trail = after(trail, fact.entries, is_asked=fact.id in ids)
    return after(trail, done, is_asked=root in asked)


def _asked_by(fact: Fact, origin: lot_trails.Origin | None, amount: int) -> int:
    """How much of the accrual a return or a void of its sale asked back."""
    if fact.returned is None or origin is None:
        return amount
    taken = fact.returned.returned.taken_back
    return sum(each.centi for each in taken if (each.rule, each.member_id) == (origin.rule, origin.whose))
