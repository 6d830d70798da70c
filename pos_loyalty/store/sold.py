"""A sale as it was sold, with what came back of it so far, put together of all who know some: what a return has to know."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Instant, Quote, Tender
from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.engine.returns import Returned
from pos_loyalty.store import claims, returned, sales
from pos_loyalty.store.db import Connection
from pos_loyalty.store.sales import State
from pos_loyalty.values import Value


class ReturnSoFar(Value):
    """A return that was made of a sale. The till and its return id name it everywhere."""

    till: str
    return_id: str
    tenders: tuple[Tender, ...]
    returned: Returned


class SoldSale(Value):
    """A sale of any till, for a return of it."""

    till: str
    sale_id: str
    state: State
    receipt_no: str
    biz_day: int
    sold_at: Instant
    basket: Basket
    quote: Quote
    tenders: tuple[Tender, ...]
    is_claimed: bool = False
    """It was sold to nobody; ``quote`` is with the member who claimed its points later."""
    is_lent: bool = False
    """Suspense lent the points that paid: the sale was paid after it was cancelled."""
    returns: tuple[ReturnSoFar, ...] = ()
    """Oldest first."""


class SaleFound(Value, omit_defaults=True):
    """What somebody knows of a sale: the sale, or what came after it alone."""

    sale: SoldSale | None
    """None where it does not stand."""
    returns: tuple[ReturnSoFar, ...] = ()
    """Of a sale that does not stand there; one that does has its own. Oldest first."""
    is_reversed: bool = False
    """It does not stand there, and was voided all the same."""
    name: SaleName | None = None
    """Of which sale that is, when there is such a thing."""

    @property
    def after(self) -> SaleFound:
        """What came after the sale alone."""
        if self.sale is None:
            return self
        return after_of(self.sale.till, self.sale.sale_id, self.sale.returns, is_reversed=self.sale.state == "reversed")


NOTHING: Final = SaleFound(sale=None)
LIFE: Final[tuple[State, ...]] = ("authorised", "cancelled", "completed", "reversed")
"""The states of a sale in the order in which it comes to them. One that was cancelled may be paid all the same."""


def after_of(till: str, sale_id: str, returns: tuple[ReturnSoFar, ...], *, is_reversed: bool = False) -> SaleFound:
    """What came after a sale; nothing where nothing did."""
    if not (returns or is_reversed):
        return NOTHING
    return SaleFound(sale=None, returns=returns, is_reversed=is_reversed, name=SaleName(till=till, sale_id=sale_id))


def joined(one: SaleFound, other: SaleFound) -> SaleFound:
    """What two know together: the word of who knows more of the sale's life, else the first one's, and all that came back."""
    one_after, other_after = one.after, other.after
    known = {(each.till, each.return_id) for each in one_after.returns}
    returns = one_after.returns + tuple(each for each in other_after.returns if (each.till, each.return_id) not in known)
    is_reversed = one_after.is_reversed or other_after.is_reversed
    sales = [each for each in (one.sale, other.sale) if each is not None]
    if not sales:
        name = one.name or other.name
        return NOTHING if name is None else after_of(name.till, name.sale_id, returns, is_reversed=is_reversed)
    sale = max(sales, key=lambda each: LIFE.index(each.state))
    state, is_lent = "reversed" if is_reversed else sale.state, any(each.is_lent for each in sales)
    return SaleFound(sale=replace(sale, state=state, is_lent=is_lent, returns=returns))


def found(db: Connection, name: SaleName | FiscalSign) -> SaleFound:
    """What this file knows of a sale of any till."""
    if isinstance(name, FiscalSign):
        return SaleFound(sale=by_fiscal(db, name))
    sale = by_id(db, name.till, name.sale_id)
    if sale is not None:
        return SaleFound(sale=sale)
    return after_of(name.till, name.sale_id, returns_of(db, name.till, name.sale_id))


def by_id(db: Connection, till: str, sale_id: str) -> SoldSale | None:
    """The sale as this file knows it."""
    stored = sales.by_id(db, till, sale_id)
    if stored is None:
        return None
    return SoldSale(
        till=till,
        sale_id=sale_id,
        state=stored.state,
        receipt_no=stored.receipt_no,
        biz_day=stored.biz_day,
        sold_at=stored.ended_at or stored.authorised_at,
        basket=stored.basket,
        quote=claims.quote_of(db, till, sale_id, stored.quote),
        tenders=stored.tenders,
        is_claimed=claims.by_sale(db, till, sale_id) is not None,
        is_lent=db.execute(LENT_SELECT, {"till": till, "sale_id": sale_id}).fetchone() is not None,
        returns=returns_of(db, till, sale_id),
    )


def returns_of(db: Connection, till: str, sale_id: str) -> tuple[ReturnSoFar, ...]:
    """The returns of a sale that this file knows, whether or not it knows the sale; oldest first."""
    return tuple(
        ReturnSoFar(till=each.till, return_id=each.return_id, tenders=each.tenders, returned=each.returned)
        for each in returned.of_sale(db, till, sale_id)
    )


def by_fiscal(db: Connection, sign: FiscalSign) -> SoldSale | None:
    """The sale whose fiscal document this is, of any till in this file."""
    key = {name: value.lstrip("0") for name, value in (("fn", sign.fn), ("fd", sign.fd), ("fp", sign.fp))}
    row = db.execute(BY_FISCAL_SELECT, key).fetchone()
    return None if row is None else by_id(db, row[0], row[1])


BY_FISCAL_SELECT = """SELECT till, sale_id FROM sale
WHERE fiscal IS NOT NULL AND ltrim(CAST(fiscal AS TEXT) ->> '$.fp', '0') = :fp
AND ltrim(CAST(fiscal AS TEXT) ->> '$.fd', '0') = :fd AND ltrim(CAST(fiscal AS TEXT) ->> '$.fn', '0') = :fn
ORDER BY till, sale_id LIMIT 1"""
LENT_SELECT = """SELECT 1 FROM txn AS t JOIN entry AS e ON e.txn = t.id
WHERE t.till = :till AND t.sale_id = :sale_id AND e.kind = 'redeem' AND e.debit_acct = 'suspense'
AND e.credit_acct GLOB 'programme:*:redeemed' LIMIT 1"""
