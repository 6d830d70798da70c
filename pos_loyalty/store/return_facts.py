"""What the log says of a return."""

from __future__ import annotations

from pos_loyalty.engine.model import Tender
from pos_loyalty.engine.returns import Returned, ReturnLine
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.values import Minor, Value


class ReturnFact(Value):
    """Goods that came back. ``sale_till`` and ``sale_id`` name the sale; ``returned`` is what the engine made of it.

    ``tenders``: how the refund was paid out; they make ``refund_minor``, which is the engine's refund less what was charged for
    gifts that were kept.
    """

    return_id: str
    sale_till: str
    sale_id: str
    lines: tuple[ReturnLine, ...]
    returned: Returned
    refund_minor: Minor
    tenders: tuple[Tender, ...]
    biz_day: int
    """Days since 1970-01-01 of the return, in the store's zone."""
    reason: str = ""
    approved_by: str = ""
    fiscal: Fiscal | None = None
