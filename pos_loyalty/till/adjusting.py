"""Points given or taken by hand. A senior answers for it; above the shop's limit two persons do."""

from __future__ import annotations

from pos_loyalty.engine.by_hand import give, life_by_hand, take_away, takeable
from pos_loyalty.engine.figures import points_text
from pos_loyalty.engine.model import CENTI_MAX, Entry
from pos_loyalty.engine.owed import settled_by
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import follow, members
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.staff_facts import AdjustFact
from pos_loyalty.till import answers, staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.holdings import held_lots_of, is_escrow
from pos_loyalty.till.person import check_reason
from pos_loyalty.till.settling import with_owed
from pos_loyalty.till.staff_model import AdjustAnswer, AdjustRequest
from pos_loyalty.values import Points


def adjust(desk: Desk, member_id: str, request: AdjustRequest, keep: Keep[AdjustAnswer]) -> AdjustAnswer:
    """Give or take. Raises NotAllowedError, NotFoundError; ConflictError when there is not so much to take, unless it is owed."""
    if not 0 < abs(request.centi) <= CENTI_MAX:
        raise InputError("$.centi", "is the points to give (more than 0) or to take (less than 0), in hundredths")
    if members.by_id(desk.db, member_id) is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    check_reason(desk, member_id, request.reason)
    by, approved_by = _persons(desk, request)
    now, txn = desk.now(), desk.new_id()
    programme = desk.shelf.current(desk.db)
    alive_at = desk.trusted().at
    life = life_by_hand(programme, now, alive_at)
    with write(desk.db):
        if request.centi > 0:
            lot_id = f"{desk.config.till.id}/{txn.hex}:by-hand"
            entries = with_owed(desk, give(member_id, request.centi, lot_id, life))
        else:
            entries = take_away(member_id, held_lots_of(desk, member_id), -request.centi, alive_at)
        owed_centi = _owed(entries)
        if owed_centi and not request.owe:
            held = sum(lot.centi for lot in takeable(held_lots_of(desk, member_id), alive_at))
            who = "This till holds" if is_escrow(desk.config) else "The member has"
            raise ConflictError(
                f"{who} {points_text(held)} points, {points_text(-request.centi)} cannot be taken: "
                "take no more than there is, or send owe to have the rest owed."
            )
        fact = AdjustFact(
            reason=request.reason, by=by, approved_by=approved_by, centi=request.centi, owed_centi=Points(owed_centi)
        )
        draft = Draft(
            id=txn,
            kind="points.adjusted",
            store=desk.config.store.id,
            entries=entries,
            programme=programme.name,
            cashier=by,
            member=member_id,
            body=fact,
        )
        follow.book(desk.db, draft, now)
        answer = AdjustAnswer(
            adjust_id=txn.hex,
            member_id=member_id,
            centi=request.centi,
            owed_centi=Points(owed_centi),
            expires_at=life.expires_at if request.centi > 0 else None,
            balance_centi=answers.balance_of(desk, member_id) or Points(0),
            settled_centi=settled_by(entries, member_id),
            owed_in_all_centi=members.owed_of(desk.db, member_id),
        )
        return keep(answer)


def _persons(desk: Desk, request: AdjustRequest) -> tuple[str, str]:
    """Who answers for it, and the second person; empty where a senior may do it alone."""
    if abs(request.centi) > desk.config.acts.alone_up_to_centi or request.approval is not None:
        return staff.check_two(desk, request.by, request.approval)
    return staff.check(desk, request.by, senior=True), ""


def _owed(entries: tuple[Entry, ...]) -> int:
    return sum(entry.amount for entry in entries if entry.debit.startswith("owed:"))
