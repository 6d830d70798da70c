"""An exchange: goods come back and others are sold, in one transaction, with two facts. The refund pays the sale.

Rule: only in one step. A return booked at authorise could not be undone when the payment fails; one booked at completion, which
is never refused, could find its goods returned elsewhere meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.engine.gift_ledger import GIFT
from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store import members
from pos_loyalty.store.sold import SoldSale
from pos_loyalty.till import returned_sale, returns, tenders
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.holdings import cut
from pos_loyalty.till.model import SaleRequest
from pos_loyalty.till.pricing import still_stands
from pos_loyalty.till.quotes import Held
from pos_loyalty.till.returns import Asked
from pos_loyalty.values import Value

MEND = "take the goods back first, then ask for the price again and sell; nothing was written"


class Swap(Value):
    """The goods that come back: their sale, and what was asked."""

    sold: SoldSale
    asked: Asked


def swap_of(desk: Desk, request: SaleRequest, approval: Approval | None) -> Swap | None:
    """What comes back for these goods; None when this is no exchange. Head office may be asked: not inside a transaction."""
    back = request.returns
    if back is None:
        return None
    if not request.complete:
        raise InputError("$.returns", 'an exchange is done in one step: send "complete": true, or return first and then sell')
    if back.goods:
        raise InputError("$.returns.goods", "without a receipt goods are returned, not exchanged")
    sold = returned_sale.find(desk, back)
    if any(tender.kind == GIFT for tender in sold.tenders):
        raise ConflictError(f"The goods that come back were paid by gift card, which gets its money back first: {MEND}.")
    return Swap(sold=sold, asked=Asked(request=back, approved_by=returns.approver_of(desk, approval)))


def give_back(desk: Desk, swap: Swap | None, sale_id: str, held: Held, now: datetime) -> tuple[Tender, ...]:
    """Book the return, and see that the quote still stands after it; answers how it pays. Called in the sale's transaction."""
    if swap is None:
        return ()
    exchange = returns.Exchange(sale_id=sale_id, due_minor=held.quote.due_minor)
    fact = returns.book(desk, swap.sold, swap.asked, now, exchange)
    assert fact.returned is not None
    _check_after(desk, held, now)
    return tenders.exchanged(fact.returned.refund_minor, held.quote.due_minor)


def _check_after(desk: Desk, held: Held, now: datetime) -> None:
    """The return takes points, counters and uses back: a quote that leans on them is not sold. No new one is held from here."""
    quote = held.quote
    if quote.redemption.centi and quote.member_id is not None:
        member = members.by_id(desk.db, quote.member_id)
        left = {} if member is None else {lot.lot_id: lot.centi for lot in cut(desk, member.lots)}
        owes_more = member is not None and member.owed_centi > held.owed_centi
        if owes_more or any(left.get(use.lot_id, 0) < use.centi for use in quote.redemption.lots):
            raise ConflictError(f"The return takes back points that pay for this sale: {MEND}.")
    if not still_stands(desk, held, now):
        raise ConflictError(f"After the return these goods cost otherwise: {MEND}.")
