"""What the log says of coupons that were added from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Instant, Label
from pos_loyalty.values import Value

CODES_MAX = 40_000
"""Of one fact: so many of the longest fit into its bytes."""
Code = Annotated[str, Meta(min_length=4, max_length=64)]


class CouponsFact(Value):
    """Unique codes of one series, in their one spelling, sorted. Good in [usable_from, expires_at)."""

    series: Id
    codes: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=CODES_MAX)]
    origin: Literal["imported", "made"] = "imported"
    usable_from: Instant | None = None
    expires_at: Instant | None = None
    by: Label = ""
