"""Goods that come back without a receipt, by policy: a second person approves, the lowest price is paid, no points are given."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.engine.ledger import take_back
from pos_loyalty.engine.model import FiscalPosition
from pos_loyalty.engine.money import sum_of
from pos_loyalty.engine.returns import Returned, ReturnedLine, TakenBack
from pos_loyalty.engine.rules import ReturnsTable
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import follow, ledger, members, returned
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.return_facts import GoodsBack, ReturnFact
from pos_loyalty.till import merging, returns, slips, tenders
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor, Points

KNOWN_DAYS = 90
"""Prices are looked up so far back when the programme names no days for returns."""
RULE = "without_receipt"
NO_RECEIPT = "There is no receipt"


def book(desk: Desk, asked: returns.Asked, table: ReturnsTable, now: datetime) -> Fact:
    """Book it. Called inside a transaction. Raises ConflictError, NotAllowedError when programme or persons do not allow it."""
    request = asked.request
    check(desk, request, table)
    returns.check_approval(asked, NO_RECEIPT)
    goods = priced(desk, request, table)
    lines = tuple(line_of(each) for each in goods)
    refund_minor = Minor(sum(line.refund_minor for line in lines))
    tenders.check_refund(request.tenders, refund_minor)
    taken = request.take_back_centi if request.member_id is not None else Points(0)
    made = Returned(
        lines=lines,
        refund_minor=refund_minor,
        points_minor=Minor(0),
        restored=(),
        taken_back=(TakenBack(rule=RULE, centi=taken),) if taken else (),
        counters=(),
        tier_progress_minor=Minor(0),
    )
    lots = ledger.all_lots_of(desk.db, request.member_id) if request.member_id is not None and taken else ()
    programme = desk.shelf.current(desk.db)
    draft = Draft(
        id=desk.new_id(),
        kind="sale.returned",
        store=desk.config.store.id,
        entries=take_back(request.member_id or "", taken, lots, programme.id, desk.trusted().at) if taken else (),
        programme=programme.name,
        receipt_no=desk.receipt_no(),
        cashier=request.cashier,
        member=request.member_id,
        body=ReturnFact(
            return_id=request.return_id,
            sale_till="",
            sale_id="",
            lines=(),
            returned=made,
            refund_minor=refund_minor,
            tenders=request.tenders,
            biz_day=desk.business_day(now),
            asked=returns.asked_of(request),
            reason=request.reason,
            approved_by=asked.approved_by,
            fiscal=request.fiscal,
            goods=goods,
            names={each.line_id: each.name or each.sku for each in goods},
        ),
    )
    fact = follow.book(desk.db, draft, now)
    merging.carry_over(desk, fact.entries, request.cashier)
    slips.queue_return(desk, fact)
    return fact


def check(desk: Desk, request: ReturnRequest, table: ReturnsTable) -> None:
    """Whether goods may come back so, but for the senior's word. Raises InputError, ConflictError, NotFoundError."""
    if returned.by_id(desk.db, desk.config.till.id, request.return_id) is not None:
        raise ConflictError(f"Return id {request.return_id} stands for another return; take a new id for a new return.")
    if request.lines or request.all or request.sale_id or request.receipt:
        raise InputError("$.goods", "come without a receipt; leave the sale and its lines out")
    if table.without_receipt != "approved":
        raise ConflictError("The programme takes nothing back without a receipt.")
    cards = desk.shelf.current(desk.db).floors.gift_cards
    if any(line.sku in cards for line in request.goods):
        raise ConflictError(
            "A gift card does not come back without its receipt: its money would stay on it. Pay it back instead."
        )
    if request.member_id is not None and members.by_id(desk.db, request.member_id) is None:
        raise NotFoundError("This member is not known at this till; read the card again, or leave the member out.")


def priced(desk: Desk, request: ReturnRequest, table: ReturnsTable) -> tuple[GoodsBack, ...]:
    """At the lowest price that this till sold them for since the days of the programme, and never more than was typed.

    The days count from the clock or from trusted time, whichever is earlier: a clock that is turned finds no dearer price.
    """
    since_day = min(desk.business_day(at) for at in (desk.now(), desk.trusted().at)) - (table.days or KNOWN_DAYS)
    ids = [line.line_id for line in request.goods]
    if len(set(ids)) != len(ids):
        raise InputError("$.goods", "a line_id stands twice")
    made = []
    for n, line in enumerate(request.goods):
        if line.quantity_milli <= 0:
            raise InputError(f"$.goods[{n}].quantity", "a quantity is more than 0")
        lowest = returned.lowest_price(desk.db, line.sku, since_day)
        price = line.price_minor if lowest is None else min(lowest, line.price_minor)
        made.append(
            GoodsBack(
                line_id=line.line_id,
                sku=line.sku,
                name=line.name,
                quantity_milli=line.quantity_milli,
                price_minor=Minor(price),
            )
        )
    return tuple(made)


def line_of(goods: GoodsBack) -> ReturnedLine:
    """The goods as a line of the refund's receipt."""
    return ReturnedLine(
        line_id=goods.line_id,
        quantity_milli=goods.quantity_milli,
        units=(),
        refund_minor=sum_of(goods.price_minor, goods.quantity_milli),
        points_minor=Minor(0),
        progress_minor=Minor(0),
        fiscal=(FiscalPosition(quantity_milli=goods.quantity_milli, price_minor=goods.price_minor),),
    )
