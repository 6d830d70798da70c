"""What the log says of coupons that were added from outside."""

from __future__ import annotations

from pos_loyalty.values import Value


class CouponsFact(Value):
    """Unique codes of one series, imported."""

    series: str
    codes: tuple[str, ...]
