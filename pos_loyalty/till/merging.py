"""Two members who are one person: lots with their dates, what is owed and cards go over; history is asked for under both ids.

Undo is another act (docs/acts.md), not a reversal of this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pos_loyalty.engine.by_hand import carry, takeable
from pos_loyalty.engine.ledger import owed_account
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.owed import settle_from_lots, settled_by
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import follow, lot_trails, members, merges
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import MergeFact
from pos_loyalty.till import answers, staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.holdings import held_lots_of, is_escrow
from pos_loyalty.till.nightly_model import JobDone
from pos_loyalty.till.person import check_reason
from pos_loyalty.till.staff_model import MergeAnswer, MergeRequest
from pos_loyalty.till.tiers import tier_facts_after
from pos_loyalty.values import Points

MEMBERS_MAX = 500
"""Of one run of the nightly job."""
CARRIED = "carried over after a later fact of the merged member"


def merge(desk: Desk, member_id: str, request: MergeRequest, keep: Keep[MergeAnswer]) -> MergeAnswer:
    """Member ``member_id`` goes over into another. Again: what reached them since is carried over.

    Raises NotAllowedError, NotFoundError, and ConflictError when one of them went over into somebody else.
    """
    if member_id == request.into:
        raise InputError("$.into", "is the same member; name the one who stays")
    for each in (member_id, request.into):
        check_reason(desk, each, request.reason)
    by, approved_by = staff.check_two(desk, request.by, request.approval)
    now = desk.now()
    with write(desk.db):
        _check(desk, member_id, request.into)
        cards = merges.cards_count(desk.db, member_id)
        fact = MergeFact(member_id=member_id, into=request.into, by=by, approved_by=approved_by, reason=request.reason)
        txn = desk.new_id()
        entries = _book(desk, fact, _entries(desk, fact, txn, members.owed_of(desk.db, member_id)), txn, now)
        tier_facts_after(desk.db, desk, request.into, now)
        moved = [entry for entry in entries if entry.kind == "accrue"]
        owed = sum(entry.amount for entry in entries if entry.debit == owed_account(request.into))
        answer = MergeAnswer(
            member_id=member_id,
            into=request.into,
            lots=len(moved),
            moved_centi=Points(sum(entry.amount for entry in moved)),
            owed_centi=Points(owed),
            cards=cards,
            balance_centi=answers.balance_of(desk, request.into) or Points(0),
            settled_centi=settled_by(entries, request.into),
        )
        return keep(answer)


def current(desk: Desk, member_id: str) -> str:
    """Who a member is now: themselves, or the one they went over into."""
    return merges.current(desk.db, member_id)


def carry_over(desk: Desk, entries: Iterable[Entry], cashier: str) -> None:
    """What these entries brought to members who went over into others goes on to those. Called inside their transaction."""
    now = desk.now()
    for member_id in sorted({entry.member_id for entry in entries if entry.member_id is not None}):
        into = merges.current(desk.db, member_id)
        if into == member_id:
            continue
        fact = MergeFact(member_id=member_id, into=into, by=cashier, reason=CARRIED)
        txn = desk.new_id()
        if entries := _entries(desk, fact, txn, members.owed_of(desk.db, member_id)):
            _book(desk, fact, entries, txn, now)


def carry_due(desk: Desk) -> JobDone:
    """What this till holds of members who went over into others while it was elsewhere goes on to those, a nightly job.

    Only under escrow, and only points: nobody else can carry the same then. What they owe several tills know of.
    """
    carried = 0
    for member_id in merges.with_points(desk.db, MEMBERS_MAX) if is_escrow(desk.config) else ():
        now, txn = desk.now(), desk.new_id()
        with write(desk.db):
            fact = MergeFact(member_id=member_id, into=merges.current(desk.db, member_id), by="", reason=CARRIED)
            entries = _entries(desk, fact, txn, owed_centi=0) if fact.into != member_id else ()
            if entries:
                _book(desk, fact, entries, txn, now)
                carried += 1
    return JobDone(count=carried)


def _check(desk: Desk, loser: str, winner: str) -> None:
    if members.by_id(desk.db, winner) is None:
        raise NotFoundError("The member who stays is not known here, or may not be used; read their card again.")
    state = members.state_of(desk.db, loser)
    if state is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    if state == "erased":
        raise ConflictError("This member was erased; there is nothing to carry over.")
    if state == "blocked":
        raise ConflictError("This member is blocked, and a merge would let their points and cards go on: let them in first.")
    if state == "merged" and merges.current(desk.db, loser) != winner:
        raise ConflictError(f"Member {loser} went over into {merges.current(desk.db, loser)} already; merge that one.")


def _book(desk: Desk, fact: MergeFact, entries: tuple[Entry, ...], txn: UUID, now: datetime) -> tuple[Entry, ...]:
    draft = Draft(
        id=txn,
        kind="member.merged",
        store=desk.config.store.id,
        entries=entries,
        cashier=fact.by,
        member=fact.member_id,
        body=fact,
    )
    return follow.book(desk.db, draft, now).entries


def _entries(desk: Desk, fact: MergeFact, txn: UUID, owed_centi: int) -> tuple[Entry, ...]:
    """``owed_centi``: what of a debt goes over too.

    By trusted time: a clock that is wrong neither carries dead lots over nor leaves live ones behind.
    """
    alive_at = desk.trusted().at
    lots = takeable(held_lots_of(desk, fact.member_id), alive_at)
    graced = lot_trails.had_grace(desk.db, [lot.lot_id for lot in lots])
    made = carry(fact.member_id, fact.into, lots, owed_centi, f"{desk.config.till.id}/{txn.hex}", graced)
    return made + _settled(desk, fact.into, made, owed_centi, alive_at) if made else ()


def _settled(desk: Desk, winner: str, carried: tuple[Entry, ...], owed_centi: int, alive_at: datetime) -> tuple[Entry, ...]:
    """What both owed is settled by the lots of both: those that were carried first, then the others, soonest to expire first."""
    brought = tuple(
        Lot(lot_id=entry.lot_id or "", centi=Points(entry.amount), usable_from=entry.usable_from, expires_at=entry.expires_at)
        for entry in carried
        if entry.kind == "accrue"
    )
    owed_centi += members.owed_of(desk.db, winner)
    lots = takeable(brought, alive_at) + takeable(held_lots_of(desk, winner), alive_at)
    return settle_from_lots(winner, lots, owed_centi) if owed_centi else ()
