"""What a return would do, told before anybody says yes. Nothing is written, and nobody's word is asked for yet.

Rule: the figures are those of the functions that book a return; only what other tills take back meanwhile may change them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.model import Quote, Tender
from pos_loyalty.errors import InputError
from pos_loyalty.store.sold import SoldSale
from pos_loyalty.till import answers, returned_sale, returns, unsold
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.returns_model import LineLeft, ReturnPreview, ReturnRequest, WouldReturn
from pos_loyalty.values import Minor, Points, Thousandths


def preview(desk: Desk, request: ReturnRequest) -> ReturnPreview:
    """The sale, what is left of it, and what the lines asked for come to. Raises InputError, NotFoundError, ConflictError."""
    if request.goods:
        return _without_receipt(desk, request)
    sold = returned_sale.find(desk, request)
    would = None
    if request.lines or request.all:
        returns.check_completed(sold)
        would = _would(desk, sold, request)
    return ReturnPreview(
        sale_till=sold.till,
        sale_id=sold.sale_id,
        state=sold.state,
        receipt_no=sold.receipt_no,
        sold_at=sold.sold_at,
        member_id=sold.quote.member_id,
        due_minor=sold.quote.due_minor,
        tenders=sold.tenders,
        lines=_left(sold),
        approval=returns.why_late(desk, sold.biz_day, sold.sold_at),
        would=would,
    )


def _would(desk: Desk, sold: SoldSale, request: ReturnRequest) -> WouldReturn:
    plan = returns.plan_of(desk, sold, request)
    member_id = sold.quote.member_id
    paid = _paid_out(desk, sold, request, plan.refund_minor)
    gone = answers.withdrawn_of(desk, sold.till, sold.sale_id, plan.withdrawn)
    return WouldReturn(
        refund_minor=plan.refund_minor,
        charged_minor=plan.made.charged_minor,
        unpaid_minor=Minor(plan.made.refund_minor - plan.made.charged_minor - plan.refund_minor),
        tenders=() if paid is None else paid.tenders,
        rest_minor=plan.refund_minor if paid is None else paid.rest_minor,
        restored_centi=answers.restored_by(plan.entries, member_id),
        taken_back_centi=answers.taken_back_by(plan.entries, member_id),
        owed_centi=answers.owed_by(plan.entries, member_id),
        balance_centi=answers.balance_of(desk, member_id),
        is_last=plan.made.is_last,
        withdrawn=gone.codes,
        withdrawn_used=gone.used,
    )


def _paid_out(desk: Desk, sold: SoldSale, request: ReturnRequest, refund_minor: Minor) -> returns.PaidOut | None:
    """How the refund goes out; None while a person has to say it: an exchange paid for the sale."""
    try:
        return returns.paid_out(desk, sold, request, refund_minor, None)
    except InputError:
        if request.tenders:
            raise
        return None


def _left(sold: SoldSale) -> tuple[LineLeft, ...]:
    back: dict[str, int] = {}
    gone: dict[str, set[int]] = {}
    for line in (line for each in sold.returns for line in each.returned.lines):
        back[line.line_id] = back.get(line.line_id, 0) + line.quantity_milli
        gone.setdefault(line.line_id, set()).update(line.units)
    paid = _paid_for(sold.quote)
    return tuple(
        LineLeft(
            line_id=line.line_id,
            sku=line.sku,
            name=line.name or line.sku,
            measure=line.measure,
            quantity_milli=line.quantity_milli,
            left_milli=Thousandths(line.quantity_milli - back.get(line.line_id, 0)),
            paid_minor=paid.get(line.line_id, Minor(0)),
            marks=_marks_left(line.marks, gone.get(line.line_id, set()), back.get(line.line_id, 0)),
        )
        for line in sold.basket.lines
    )


def _marks_left(marks: Sequence[str], gone: set[int], back_milli: int) -> tuple[str, ...]:
    if len(marks) == 1:
        return () if back_milli else tuple(marks)
    return tuple(mark for number, mark in enumerate(marks) if number not in gone)


def _paid_for(quote: Quote) -> dict[str, Minor]:
    return {line.line_id: Minor(line.net_minor - line.points_minor) for line in quote.lines}


def _without_receipt(desk: Desk, request: ReturnRequest) -> ReturnPreview:
    """Goods that nobody sold, as far as is known: what they would bring. No points come back."""
    table = returns.returns_table(desk)
    unsold.check(desk, request, table)
    goods = unsold.priced(desk, request, table)
    lines = [unsold.line_of(each) for each in goods]
    refund_minor = Minor(sum(line.refund_minor for line in lines))
    tenders: tuple[Tender, ...] = request.tenders
    return ReturnPreview(
        sale_till="",
        sale_id="",
        state="completed",
        receipt_no="",
        sold_at=None,
        member_id=request.member_id,
        due_minor=Minor(0),
        tenders=(),
        lines=tuple(
            LineLeft(
                line_id=each.line_id,
                sku=each.sku,
                name=each.name or each.sku,
                measure="piece",
                quantity_milli=each.quantity_milli,
                left_milli=each.quantity_milli,
                paid_minor=line.refund_minor,
                marks=(),
            )
            for each, line in zip(goods, lines, strict=True)
        ),
        approval=unsold.NO_RECEIPT,
        would=WouldReturn(
            refund_minor=refund_minor,
            charged_minor=Minor(0),
            tenders=tenders,
            rest_minor=refund_minor,
            restored_centi=Points(0),
            taken_back_centi=request.take_back_centi,
            owed_centi=Points(0),
            balance_centi=answers.balance_of(desk, request.member_id),
            is_last=False,
        ),
    )
