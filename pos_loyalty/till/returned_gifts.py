"""Gift cards of a sale that comes back: those that paid get their money first, those that it sold are undone.

Rule: a card's money moves only at the till that sold the goods: what another till sold by or for gift cards goes back there.
"""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.engine.gift_ledger import GIFT, GiftRefund
from pos_loyalty.engine.returns import Returned
from pos_loyalty.errors import ConflictError
from pos_loyalty.store.sold import SoldSale
from pos_loyalty.till import answers, gift_sales
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Minor


def refund(desk: Desk, sold: SoldSale, refund_minor: int) -> GiftRefund:
    """What of a refund goes back onto the gift cards that paid. Inside the transaction. Raises ConflictError."""
    if all(tender.kind != GIFT for tender in sold.tenders):
        return GiftRefund(entries=(), tenders=(), rest_minor=Minor(refund_minor))
    _check_ours(desk, sold, "was paid by gift card")
    return gift_sales.refund_entries(desk, answers.stored_sale(desk, sold.sale_id), refund_minor)


def check(desk: Desk, sold: SoldSale, made: Returned) -> frozenset[str]:
    """The lines that come back and had sold gift cards, which may be undone. Raises ConflictError."""
    back = {line.line_id: line.quantity_milli for line in made.lines if any(each.kind == "advance" for each in line.fiscal)}
    if not back:
        return frozenset()
    _check_ours(desk, sold, "sold gift cards")
    for line in sold.basket.lines:
        if line.line_id in back and back[line.line_id] != line.quantity_milli:
            raise ConflictError(f"The gift cards of line {line.line_id} come back all together, or pay them back one by one.")
    gift_sales.check_undone(desk, answers.stored_sale(desk, sold.sale_id), frozenset(back))
    return frozenset(back)


def undo(desk: Desk, sold: SoldSale, line_ids: frozenset[str], now: datetime) -> None:
    """Cancel the gift cards of these lines, looked at by ``check`` before."""
    if line_ids:
        gift_sales.undo(desk, answers.stored_sale(desk, sold.sale_id), now, line_ids)


def _check_ours(desk: Desk, sold: SoldSale, what: str) -> None:
    if sold.till != desk.config.till.id:
        raise ConflictError(f"Sale {sold.sale_id} {what} at till {sold.till}: take the goods back there.")
