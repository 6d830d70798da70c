"""What the log says of acts that a person answers for: adjustments by hand and points claimed later."""

from __future__ import annotations

from pos_loyalty.engine.model import Accrual
from pos_loyalty.values import Value


class AdjustFact(Value):
    """Points given or taken by hand. ``approved_by``: the second person; empty where one is enough."""

    reason: str
    by: str
    approved_by: str = ""


class ClaimFact(Value):
    """Points accrued later from a receipt, for a card that was forgotten."""

    sale_till: str
    sale_id: str
    accruals: tuple[Accrual, ...]
    biz_day: int
    by: str
    approved_by: str = ""
