"""What the log says of a return."""

from __future__ import annotations

from msgspec import field

from pos_loyalty.engine.model import Id, Label, Money, Tender, Text
from pos_loyalty.engine.returns import Returned, ReturnLine
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.values import Minor, Thousandths, Value


class GoodsBack(Value):
    """Goods that came back without a receipt, and the price that was refunded for one unit or kilogram."""

    line_id: Id
    sku: Id
    name: Text
    quantity_milli: Thousandths
    price_minor: Money


class ReturnFact(Value):
    """Goods that came back. ``sale_till`` and ``sale_id`` name the sale; ``returned`` is what the engine made of it.

    ``tenders``: how the refund was paid out; they make ``refund_minor``, which is the engine's refund less what was charged for
    gifts that were kept and less ``unpaid_minor``. They are empty where nobody told how the sale was paid.
    """

    return_id: str
    sale_till: str
    sale_id: str
    """Both are empty for ``goods`` that came back without a receipt."""
    lines: tuple[ReturnLine, ...]
    returned: Returned
    refund_minor: Minor
    tenders: tuple[Tender, ...]
    biz_day: int
    """Days since 1970-01-01 of the return, in the store's zone."""
    asked: str
    """SHA-256 of the request, in hex: the same return id with another request is another return."""
    reason: Text = ""
    approved_by: Label = ""
    fiscal: Fiscal | None = None
    is_claimed: bool = False
    """The sale was of nobody when it was sold; its member claimed the points later, and it is no purchase of theirs."""
    exchange_id: str = ""
    """The sale of this till that the goods were exchanged for."""
    withdrawn: tuple[int, ...] = ()
    """What the sale issued that is so no more: numbers from 0 in the order of its fact, each coupon by itself."""
    goods: tuple[GoodsBack, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    """What the goods are called, by line: the sale may be in another till's file."""

    @property
    def unpaid_minor(self) -> Minor:
        """What of the price of these goods was never paid, so that nobody gets it back."""
        return Minor(self.returned.refund_minor - self.returned.charged_minor - self.refund_minor)
