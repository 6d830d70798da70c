"""Goods that come back: one transaction with the fact, its rows, entries, print job and kept answer.

Rule: what stays costs what it cost. The engine counts from the quote that was sold; nobody is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from msgspec.structs import replace

from pos_loyalty.engine.gift_ledger import GIFT
from pos_loyalty.engine.grace import graced
from pos_loyalty.engine.lapsed import lots_after
from pos_loyalty.engine.ledger import repay, settle_return, undone_by
from pos_loyalty.engine.model import Entry, Tender
from pos_loyalty.engine.paid_part import missing_minor, refund_of
from pos_loyalty.engine.returns import Returned, ReturnLine, return_of
from pos_loyalty.engine.rules import ReturnsTable
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from pos_loyalty.store import follow, ledger, returned
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.forgiving import owing
from pos_loyalty.store.lapsed import with_given_back, with_lapsed
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.return_facts import ReturnFact
from pos_loyalty.store.sold import SoldSale
from pos_loyalty.till import (
    answers,
    gift_sales,
    merging,
    returned_gifts,
    returned_sale,
    slips,
    staff,
    tenders,
    unsold,
)
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.holdings import held_all_lots_of, reach
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest
from pos_loyalty.till.settling import with_owed
from pos_loyalty.till.tiers import tier_facts_after
from pos_loyalty.till.withdrawing import withdrawn_by
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Thousandths, Value, encode


class Asked(Value):
    """What was asked for, without PINs, and the person who approved it; nobody where nobody was named."""

    request: ReturnRequest
    approved_by: str = ""


class Exchange(Value):
    """The sale that the goods are exchanged for, and its due: so much of the refund pays it."""

    sale_id: str
    due_minor: Minor


def return_goods(desk: Desk, request: ReturnRequest, approval: Approval | None, keep: Keep[ReturnAnswer]) -> ReturnAnswer:
    """Take goods back. Raises NotAllowedError, InputError, NotFoundError, ConflictError; then nothing was written.

    ``request`` is as ``kept_of`` makes it.
    """
    again = _again(desk, request)
    if again is not None:
        with write(desk.db):
            return keep(answers.of_return(desk, again))
    now = desk.now()
    table = returns_table(desk)
    sold = None if request.goods else returned_sale.find(desk, request)
    asked = Asked(request=request, approved_by=approver_of(desk, approval))
    with write(desk.db):
        fact = unsold.book(desk, asked, table, now) if sold is None else book(desk, sold, asked, now)
        return keep(answers.of_return(desk, fact))


def kept_of(desk: Desk, request: ReturnRequest) -> ReturnRequest:
    """The request as it is hashed and kept: without PINs and codes."""
    return replace(staff.hidden(request, "approval"), tenders=gift_sales.without_secrets(desk, request.tenders))


def approver_of(desk: Desk, approval: Approval | None) -> str:
    """The senior whose word it is; empty without one. Raises NotAllowedError. Outside of a transaction."""
    return "" if approval is None else staff.check(desk, approval, senior=True)


def returns_table(desk: Desk) -> ReturnsTable:
    """What the programme in force says of returns; a till without one has the defaults."""
    try:
        return desk.shelf.current(desk.db).returns
    except NotFoundError:
        return ReturnsTable()


def book(desk: Desk, sold: SoldSale, asked: Asked, now: datetime, exchange: Exchange | None = None) -> Fact:
    """Book a return of a sale, and lay its slip into the spool. Called inside a transaction."""
    request = asked.request
    _check(desk, sold, asked)
    plan = plan_of(desk, sold, request)
    made = plan.made
    paid = paid_out(desk, sold, request, plan.refund_minor, exchange)
    names = {line.line_id: line.name or line.sku for line in sold.basket.lines}
    draft = Draft(
        id=desk.new_id(),
        kind="sale.returned",
        store=desk.config.store.id,
        entries=plan.entries + paid.entries,
        programme=sold.quote.programme,
        receipt_no=desk.receipt_no(),
        cashier=request.cashier,
        member=sold.quote.member_id,
        body=ReturnFact(
            return_id=request.return_id,
            sale_till=sold.till,
            sale_id=sold.sale_id,
            lines=plan.lines,
            returned=made,
            refund_minor=plan.refund_minor,
            tenders=paid.tenders,
            biz_day=desk.business_day(now),
            asked=asked_of(request),
            reason=request.reason,
            approved_by=asked.approved_by,
            fiscal=request.fiscal,
            is_claimed=sold.is_claimed,
            withdrawn=plan.withdrawn,
            exchange_id="" if exchange is None else exchange.sale_id,
            names={line.line_id: names[line.line_id] for line in made.lines},
        ),
    )
    fact = follow.book(desk.db, draft, now)
    returned_gifts.undo(desk, sold, plan.gift_lines, now)
    merging.carry_over(desk, fact.entries, request.cashier)
    tier_facts_after(desk.db, desk, fact.member, now)
    slips.queue_return(desk, fact)
    return fact


class Plan(Value):
    """What a return takes and gives, before anything is written. ``entries``: of points; ``gift_lines``: their cards go."""

    lines: tuple[ReturnLine, ...]
    made: Returned
    refund_minor: Minor
    entries: tuple[Entry, ...]
    gift_lines: frozenset[str]
    withdrawn: tuple[int, ...]
    """Of what the sale issued, by its numbers."""


def plan_of(desk: Desk, sold: SoldSale, request: ReturnRequest) -> Plan:
    """What the lines asked for come to. It reads and writes nothing. Raises InputError, ConflictError."""
    lines = _lines(sold, request)
    before = [each.returned for each in sold.returns]
    made = return_of(sold.quote, before, lines)
    return Plan(
        lines=lines,
        made=made,
        refund_minor=refund_of(made, before, missing_minor(sold.tenders, sold.quote.due_minor)),
        entries=_entries(desk, sold, made, desk.trusted().at),
        gift_lines=returned_gifts.check(desk, sold, made),
        withdrawn=withdrawn_by(desk, sold, made),
    )


def asked_of(request: ReturnRequest) -> str:
    """What a request is known again by."""
    return sha256(encode(request)).hexdigest()


def check_approval(asked: Asked, why: str) -> None:
    """A second person must have said yes. Raises NotAllowedError."""
    if not staff.is_second(asked.approved_by, asked.request.cashier):
        raise NotAllowedError(f"{why}: a second person must approve it (approval), a senior and not the cashier alone.")


def _again(desk: Desk, request: ReturnRequest) -> Fact | None:
    """The fact of the same return, if it was booked before. Raises ConflictError when that was another one."""
    stored = returned.by_id(desk.db, desk.config.till.id, request.return_id)
    if stored is None:
        return None
    fact = ledger.by_id(desk.db, stored.txn)
    assert fact is not None and fact.returned is not None
    if fact.returned.asked != asked_of(request) or fact.returned.exchange_id:
        raise ConflictError(f"Return id {request.return_id} stands for another return; take a new id for a new return.")
    return fact


def _check(desk: Desk, sold: SoldSale, asked: Asked) -> None:
    request = asked.request
    if returned.by_id(desk.db, desk.config.till.id, request.return_id) is not None:
        raise ConflictError(f"Return id {request.return_id} stands for another return; take a new id for a new return.")
    check_completed(sold)
    late = why_late(desk, sold.biz_day, sold.sold_at)
    if late:
        check_approval(asked, late)


def check_completed(sold: SoldSale) -> None:
    """Raises ConflictError unless goods of the sale may come back at all."""
    if sold.state != "completed":
        mend = "cancel it instead" if sold.state == "authorised" else "nothing of it is left to come back"
        raise ConflictError(f"Sale {sold.sale_id} is {sold.state}; {mend}.")


def why_late(desk: Desk, biz_day: int, sold_at: datetime) -> str:
    """Why a senior must approve that goods of a sale come back; empty when nobody need."""
    days = returns_table(desk).days
    is_late = days is not None and days_since(desk, biz_day, sold_at) > days
    return f"The sale is more than {days} days old" if is_late else ""


def days_since(desk: Desk, biz_day: int, sold_at: datetime) -> int:
    """Business days since a sale, by trusted time: 0 on its own day.

    A host that dates its basket ahead makes no sale younger: the earlier of its day and of the day of the sale counts.
    """
    return desk.business_day(desk.trusted().at) - min(biz_day, desk.business_day(sold_at))


def _lines(sold: SoldSale, request: ReturnRequest) -> tuple[ReturnLine, ...]:
    if request.all:
        if request.lines:
            raise InputError("$.all", "takes back everything that is left; send no lines beside it")
        return _rest(sold)
    marks = {line.line_id: line.marks for line in sold.basket.lines}
    return tuple(
        ReturnLine(
            line_id=line.line_id,
            quantity_milli=line.quantity_milli,
            units=_units(line, marks.get(line.line_id, ()), f"$.lines[{n}].marks"),
        )
        for n, line in enumerate(request.lines)
    )


def _units(line: LineBack, marks: Sequence[str], place: str) -> tuple[int, ...]:
    """The units that the marks name, by their place in the line."""
    if not line.marks:
        return line.units
    if line.units:
        raise InputError(place, "stand beside units; send one of the two")
    unknown = next((mark for mark in line.marks if mark not in marks), None)
    if unknown is not None:
        raise InputError(place, f'"{unknown[:40]}" was not sold on this line')
    if len(line.marks) * MILLI_PER_UNIT != line.quantity_milli:
        raise InputError(place, "are not as many as the quantity says")
    units = tuple(marks.index(mark) for mark in line.marks)
    return units if len(marks) > 1 else ()


def _rest(sold: SoldSale) -> tuple[ReturnLine, ...]:
    back: dict[str, int] = {}
    for each in (line for before in sold.returns for line in before.returned.lines):
        back[each.line_id] = back.get(each.line_id, 0) + each.quantity_milli
    left = {line.line_id: line.quantity_milli - back.get(line.line_id, 0) for line in sold.basket.lines}
    rest = tuple(ReturnLine(line_id=line_id, quantity_milli=Thousandths(milli)) for line_id, milli in left.items() if milli > 0)
    if not rest:
        raise ConflictError(f"All of sale {sold.sale_id} came back already.")
    return rest


def _entries(desk: Desk, sold: SoldSale, made: Returned, now: datetime) -> tuple[Entry, ...]:
    own = sold.quote.member_id
    if own is None:
        return ()
    others = {each.member_id for each in made.taken_back if each.member_id is not None}
    lots = {member: held_all_lots_of(desk, member) for member in others}
    repaid: tuple[Entry, ...] = ()
    if sold.is_lent:
        repaid, made = repay(sold.quote, made), replace(made, restored=())
    ref = f"{sold.till}/{sold.sale_id}"
    own_lots, here = held_all_lots_of(desk, own), reach(desk)
    given = with_given_back(here, repaid + settle_return(sold.quote, replace(made, taken_back=()), ref, own_lots, now))
    others_now = {member: lots_after(each, given) for member, each in lots.items()}
    rest = replace(made, restored=())
    taken = owing(here, given, settle_return(sold.quote, rest, ref, lots_after(own_lots, given), now, others=others_now))
    forgives = sold.quote.earning is not None and sold.quote.earning.owed == "forgive"
    all_taken = with_lapsed(here, given + taken, undone_by(sold.quote, made, ref), forgives=forgives)
    return with_owed(desk, graced(all_taken, own_lots, desk.grace(all_taken)))


class PaidOut(Value):
    """How a refund goes out, and the entries that put its part back onto gift cards. ``rest_minor``: what is no exchange and no
    gift card's."""

    tenders: tuple[Tender, ...]
    entries: tuple[Entry, ...]
    rest_minor: Minor


def paid_out(
    desk: Desk, sold: SoldSale, request: ReturnRequest, refund_minor: Minor, exchange: Exchange | None
) -> PaidOut:  # fmt: skip
    """What pays the exchange first, then the gift cards that paid, then as asked, else as the sale was paid."""
    paid = () if exchange is None else tenders.exchanged(refund_minor, exchange.due_minor)
    gifts = returned_gifts.refund(desk, sold, refund_minor - sum(tender.amount_minor for tender in paid))
    if any(tender.kind == GIFT for tender in request.tenders):
        raise InputError("$.tenders", "gift cards that paid get their money back by themselves; name only the rest")
    rest = request.tenders
    if rest:
        tenders.check_refund(rest, gifts.rest_minor)
    else:
        due_minor = sold.quote.due_minor - sum(tender.amount_minor for tender in sold.tenders if tender.kind == GIFT)
        before = [tender for each in sold.returns for tender in each.tenders]
        rest = tenders.as_paid(_but_gifts(sold.tenders), due_minor, _but_gifts(before), gifts.rest_minor)
    return PaidOut(tenders=paid + gifts.tenders + rest, entries=gifts.entries, rest_minor=gifts.rest_minor)


def _but_gifts(paid: Sequence[Tender]) -> tuple[Tender, ...]:
    return tuple(tender for tender in paid if tender.kind != GIFT)


def with_sale_id(request: ReturnRequest, sale_id: str | None) -> ReturnRequest:
    """The request with the sale of the address. Raises InputError when it names another."""
    if sale_id is None:
        return request
    if request.sale_id not in (None, sale_id):
        raise InputError("$.sale_id", f"is not the sale of the address, {sale_id}")
    if request.goods:
        raise InputError("$.goods", "come without a receipt; a return of a sale names its lines")
    return replace(request, sale_id=sale_id)
