"""A forgotten card: points accrued later from the stored receipt, on a senior's word. Once for a sale, and only what was kept."""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty.engine import load_programme
from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.claim import Claimed, claim_of
from pos_loyalty.engine.ledger import accrue_entry, programme_id_of
from pos_loyalty.engine.model import Member, MemberDay
from pos_loyalty.engine.owed import settled_by
from pos_loyalty.engine.paid_part import earning_as_paid
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import claims, follow, members, programmes, returned
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.store.staff_facts import ClaimedLine, ClaimFact
from pos_loyalty.till import answers, enrolment, known, staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.till.settling import with_owed
from pos_loyalty.till.staff_model import ClaimAnswer, ClaimRequest
from pos_loyalty.till.wants import wants_of
from pos_loyalty.values import Points


def claim(desk: Desk, sale_id: str, request: ClaimRequest, keep: Keep[ClaimAnswer]) -> ClaimAnswer:
    """Accrue later. Raises NotAllowedError, NotFoundError, InputError; ConflictError with the reason when it brings nothing."""
    stored = answers.stored_sale(desk, sale_id)
    member = _member(desk, request)
    approved_by = staff.check(desk, request.approval, senior=True)
    now = desk.now()
    with write(desk.db):
        _check(desk, stored, member)
        programme = _programme_of(desk, stored)
        claimed = _claimed(desk, stored, member, programme)
        if not claimed.accruals:
            raise ConflictError(f"Receipt {stored.receipt_no} brings this member no points by the rules of its day.")
        ref = f"{stored.till}/{stored.sale_id}"
        fact = ClaimFact(
            sale_till=stored.till,
            sale_id=stored.sale_id,
            accruals=claimed.accruals,
            biz_day=desk.business_day(now),
            by=request.by,
            approved_by=approved_by,
            lines=tuple(
                ClaimedLine(line_id=line.line_id, earned=line.earned, earning_minor=line.earning_minor) for line in claimed.lines
            ),
            earning=claimed.earning,
        )
        programme_id = programme_id_of(stored.quote)
        accrued = tuple(accrue_entry(accrual, member.member_id, ref, programme_id) for accrual in claimed.accruals)
        draft = Draft(
            id=desk.new_id(),
            kind="sale.claimed",
            store=desk.config.store.id,
            entries=with_owed(desk, accrued),
            programme=stored.quote.programme,
            cashier=request.by,
            member=member.member_id,
            body=fact,
        )
        booked = follow.book(desk.db, draft, now)
        answer = ClaimAnswer(
            sale_id=sale_id,
            receipt_no=stored.receipt_no,
            member_id=member.member_id,
            accruals=claimed.accruals,
            accrued_centi=Points(sum(accrual.centi for accrual in claimed.accruals)),
            balance_centi=answers.balance_of(desk, member.member_id) or Points(0),
            settled_centi=settled_by(booked.entries, member.member_id),
            owed_centi=members.owed_of(desk.db, member.member_id),
        )
        return keep(answer)


def holder_of(desk: Desk, stored: StoredSale) -> str | None:
    """Whose points a sale brought: its member, or who claimed it later."""
    if stored.quote.member_id is not None:
        return stored.quote.member_id
    made = claims.by_sale(desk.db, stored.till, stored.sale_id)
    return None if made is None else made.member_id


def _member(desk: Desk, request: ClaimRequest) -> Member:
    if (request.card is None) == (request.member_id is None):
        raise InputError("$", 'send exactly one of "card" and "member_id"')
    if request.card is not None:
        return enrolment.find(desk, IdentifyRequest(card=request.card))
    member = members.by_id(desk.db, request.member_id or "")
    if member is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    return member


def _check(desk: Desk, stored: StoredSale, member: Member) -> None:
    days = desk.shelf.current(desk.db).points.claim_days
    if not days:
        raise ConflictError("The programme gives no points for a receipt afterwards (points.claim_days).")
    if stored.state != "completed":
        raise ConflictError(f"Sale {stored.sale_id} is {stored.state}; only a completed one brings points.")
    if stored.quote.member_id is not None:
        raise ConflictError(f"Receipt {stored.receipt_no} was sold to a member already; it brings points once.")
    if claims.by_sale(desk.db, stored.till, stored.sale_id) is not None:
        raise ConflictError(f"Receipt {stored.receipt_no} was claimed already; it brings points once.")
    today = desk.business_day(desk.trusted().at)
    if today - stored.biz_day > days or stored.biz_day > max(today, desk.business_day(desk.now())):
        raise ConflictError(f"Receipt {stored.receipt_no} is too old: points are given for {days} days after the purchase.")
    if member.joined_at is not None and member.joined_at > stored.authorised_at:
        raise ConflictError("The member joined after this purchase; a forgotten card is one that was there.")


def _programme_of(desk: Desk, stored: StoredSale) -> Programme:
    """The very programme that the sale was priced by. Raises NotFoundError when it is not here."""
    name = stored.quote.programme
    id_, _, rest = name.partition("@")
    for body in programmes.bodies_of(desk.db, id_, int(rest.partition("#")[0])):
        programme = load_programme(body)
        if programme.name == name:
            return programme
    raise NotFoundError("The programme of that purchase is not here any more; ask head office to adjust the points.")


def _claimed(desk: Desk, stored: StoredSale, member: Member, programme: Programme) -> Claimed:
    basket = replace(stored.basket, redeem=None)
    wants = wants_of(programme)
    state = known.state_of(desk.db, basket, member.member_id, stored.biz_day, wants)
    asking = _with_claims(desk, known.with_past(desk.db, member, stored.biz_day, wants), stored, programme)
    asked = ask_engine(basket, asking, programme, state, basket.opened_at)
    asked = replace(asked, earning=earning_as_paid(asked.earning, stored.quote, stored.tenders))
    before = [each.returned for each in returned.of_sale(desk.db, stored.till, stored.sale_id)]
    return claim_of(stored.quote, asked, basket.lines, before, programme, desk.trusted().at)


def _with_claims(desk: Desk, member: Member, stored: StoredSale, programme: Programme) -> Member:
    """What was claimed for that day before counts against the day's limit."""
    claimed = claims.claimed_on(desk.db, member.member_id, stored.biz_day)
    if member.days is None or not claimed:
        return member
    day = stored.basket.opened_at.astimezone(programme.zone).date().isoformat()
    return replace(member, days=(*member.days, MemberDay(day=day, earned_centi=claimed)))
