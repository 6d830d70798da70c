"""A sale put together from its facts alone, where no tables of it are: at a hub. Rule: what it does not tell is not guessed."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.ledger import SUSPENSE
from pos_loyalty.engine.model import Entry
from pos_loyalty.store.facts import Fact, FactKind
from pos_loyalty.store.sales import State
from pos_loyalty.store.sold import ReturnSoFar, SaleFound, SoldSale, after_of

STATES: dict[FactKind, State] = {
    "sale.authorised": "authorised",
    "sale.completed": "completed",
    "sale.cancelled": "cancelled",
    "sale.reversed": "reversed",
}


def found_of(till: str, sale_id: str, facts: Sequence[Fact]) -> SaleFound:
    """The sale with its returns, from its facts in the order in which they came. What came after it alone unless it began among
    them, and when its points were claimed later, which only head office can tell."""
    returns = tuple(
        ReturnSoFar(
            till=fact.till,
            return_id=fact.returned.return_id,
            tenders=fact.returned.tenders,
            returned=fact.returned.returned,
        )
        for fact in facts
        if fact.returned is not None
    )
    sale = _sold_of(till, sale_id, facts, returns)
    if sale is not None:
        return SaleFound(sale=sale)
    return after_of(till, sale_id, returns, is_reversed=any(fact.kind == "sale.reversed" for fact in facts))


def _sold_of(till: str, sale_id: str, facts: Sequence[Fact], returns: tuple[ReturnSoFar, ...]) -> SoldSale | None:
    first = next((fact for fact in facts if fact.sale is not None), None)
    if first is None or first.sale is None or any(fact.claim is not None for fact in facts):
        return None
    state, ended, tenders = STATES[first.kind], first, first.sale.tenders
    for fact in facts:
        if fact.end is not None and fact.till == till:
            state, ended, tenders = STATES[fact.kind], fact, fact.end.tenders or tenders
    return SoldSale(
        till=till,
        sale_id=sale_id,
        state=state,
        receipt_no=first.receipt_no or "",
        biz_day=first.sale.biz_day,
        sold_at=ended.at if state == "completed" else first.at,
        basket=first.sale.basket,
        quote=first.sale.quote,
        tenders=tenders,
        is_lent=any(_lends(entry) for fact in facts for entry in fact.entries if fact.till == till),
        returns=returns,
    )


def _lends(entry: Entry) -> bool:
    """As ``sold.LENT_SELECT`` asks: suspense paid what the member had no more."""
    is_paid = entry.kind == "redeem" and entry.debit == SUSPENSE
    return is_paid and entry.credit.startswith("programme:") and entry.credit.endswith(":redeemed")
