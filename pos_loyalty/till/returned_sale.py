"""Finding the sale that goods come back of: in this till's file, else at head office and the store's hub.

Rule: both are asked also about a sale of our own, for another till may have taken goods of it back; head office while it answers,
the hub always.
"""

from __future__ import annotations

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName, read_receipt_code
from pos_loyalty.errors import HeadOfficeGoneError, InputError, NotFoundError, WireError
from pos_loyalty.store import sold
from pos_loyalty.store.sold import SaleFound, SoldSale, joined
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.till.rights import head_office_answers


def find(desk: Desk, request: ReturnRequest) -> SoldSale:
    """The sale with the returns of it that are known. Raises InputError, NotFoundError with what to do instead."""
    name = _named(desk, request)
    here = sold.by_fiscal(desk.db, name) if isinstance(name, FiscalSign) else sold.by_id(desk.db, name.till, name.sale_id)
    found = _asked(desk, name) if here is None else with_all_returns(desk, here)
    if request.sale_id not in (None, found.sale_id):
        raise InputError("$.receipt", f"is the receipt of sale {found.sale_id}, not of {request.sale_id}")
    return found


def with_all_returns(desk: Desk, here: SoldSale) -> SoldSale:
    """A sale of this file with what came after it elsewhere: returns, and that it was voided by a machine before this one."""
    is_line_up = head_office_answers(desk.db, desk.config, desk.now())
    after = desk.elsewhere.after(SaleName(till=here.till, sale_id=here.sale_id), is_line_up=is_line_up)
    return joined(SaleFound(sale=here), after).sale or here


def has_returns(desk: Desk, till: str, sale_id: str) -> bool:
    """Whether goods of a sale of this file came back, here or at another till."""
    here = sold.by_id(desk.db, till, sale_id)
    return here is not None and bool(with_all_returns(desk, here).returns)


def _named(desk: Desk, request: ReturnRequest) -> SaleName | FiscalSign:
    if request.receipt:
        name = read_receipt_code(request.receipt)
        if isinstance(name, SaleName) and request.sale_id not in (None, name.sale_id):
            raise InputError("$.receipt", f"is the receipt of sale {name.sale_id}, not of {request.sale_id}")
        return name
    if request.sale_id is None:
        raise InputError("$.sale_id", "is missing: name the sale, scan its receipt, or send goods without a receipt")
    return SaleName(till=request.sale_till or desk.config.till.id, sale_id=request.sale_id)


def _asked(desk: Desk, name: SaleName | FiscalSign) -> SoldSale:
    what = f"Sale {name.sale_id} of till {name.till}" if isinstance(name, SaleName) else "The sale of this fiscal receipt"
    try:
        found = desk.elsewhere.sold(name)
    except (HeadOfficeGoneError, WireError) as error:
        raise NotFoundError(
            f"{what} is not in this till, and head office cannot be asked ({error}): "
            "take the goods back at the till that sold them, try again later, or take them back without a receipt if you may."
        ) from error
    sale = found.sale
    if sale is None:
        raise NotFoundError(f"{what} is known neither here nor at head office; it may not have been sent there yet.")
    here = sold.after_of(sale.till, sale.sale_id, sold.returns_of(desk.db, sale.till, sale.sale_id))
    return joined(found, here).sale or sale
