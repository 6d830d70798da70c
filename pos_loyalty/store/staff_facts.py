"""What the log says of acts that a person answers for: adjustments by hand and points claimed later."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty.engine.model import CENTI_MAX, Accrual, Id, Label, Text
from pos_loyalty.engine.returnable import EarnedOn, Earning
from pos_loyalty.values import Minor, Points, Value


class AdjustFact(Value):
    """Points given (more than 0) or taken (less) by hand. ``approved_by``: the second person; empty where one is enough.

    ``owed_centi``: what of the points taken the member did not have and owes from now on.
    """

    reason: Text
    by: Label
    approved_by: Label = ""
    centi: Annotated[Points, Meta(ge=-CENTI_MAX, le=CENTI_MAX)] = Points(0)
    owed_centi: Points = Points(0)


class ClaimedLine(Value):
    """What a line of the sale earned by the claim, as a quote would have stored it for returns."""

    line_id: str
    earned: tuple[EarnedOn, ...]
    earning_minor: Minor


class ClaimFact(Value):
    """Points accrued later from a receipt, for a card that was forgotten. ``lines`` and ``earning``: for returns of that sale."""

    sale_till: Id
    sale_id: str
    accruals: tuple[Accrual, ...]
    biz_day: int
    """Days since 1970-01-01 of the claim, in the store's zone."""
    by: Label
    approved_by: Label = ""
    lines: tuple[ClaimedLine, ...] = ()
    earning: Earning | None = None
