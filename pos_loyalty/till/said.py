"""What people say at a sale: PINs of gift cards, the holder's confirmation, a senior's word. It is looked at and never kept."""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty.till import gift_sales, returns
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.gift_sales import Pins
from pos_loyalty.till.model import Confirmation, SaleRequest
from pos_loyalty.values import Value


class Said(Value):
    """Apart from the request. ``approval`` is that of an exchange's return."""

    pins: Pins
    confirmation: Confirmation | None = None
    approval: Approval | None = None


def said_in(request: SaleRequest) -> Said:
    """What is said in a request."""
    return Said(
        pins=gift_sales.pins_of(request.tenders),
        confirmation=request.confirmation,
        approval=None if request.returns is None else request.returns.approval,
    )


def kept_of(desk: Desk, request: SaleRequest) -> SaleRequest:
    """The request without it: only this is hashed, kept and logged."""
    kept = gift_sales.sale_request(desk, request)
    return kept if request.returns is None else replace(kept, returns=returns.kept_of(desk, request.returns))
