"""What a receipt is told from: a stored sale with its reasons, and what the member has after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from msgspec import field

from pos_loyalty.engine.model import Basket, Quote, Tender
from pos_loyalty.values import Minor, Points, Value
from receipts.elements import Image
from receipts.look import Look

Kind = Literal["sale", "reversed", "cancelled"]


class PaperCoupon(Value):
    """A coupon for the next purchases. Good in [usable_from, expires_at)."""

    code: str
    title: Mapping[str, str] = field(default_factory=dict)
    """By language."""
    usable_from: datetime | None = None
    expires_at: datetime | None = None


class PointsAt(Value):
    """Points and an instant: when they become usable, or the first at which they are gone."""

    centi: Points
    at: datetime


class TierProgress(Value):
    """What is left to the next tier; without a next one the member has the highest."""

    title: Mapping[str, str] = field(default_factory=dict)
    """Of the present tier, by language; empty without one."""
    next_title: Mapping[str, str] = field(default_factory=dict)
    measure: Literal["spent", "visits", "points"] = "spent"
    missing: int = 0
    """Minor units, visits or hundredths of a point, as ``measure`` says."""
    by: date | None = None
    """The last day on which what is missing counts; None where the window goes along with the days."""


class Receipt(Value, kw_only=True):
    """A stored sale, ready to be told. Every instant is shown in the zone that ``at`` carries."""

    kind: Kind = "sale"
    look: Look = field(default_factory=Look)
    logo: Image | None = None
    receipt_no: str
    sale_id: str
    at: datetime
    basket: Basket
    quote: Quote
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By rule, then by language. A rule without a title is shown by its id."""
    tenders: tuple[Tender, ...] = ()
    card: str | None = None
    """Masked already."""
    balance_centi: Points | None = None
    """After this sale; None without a member."""
    waiting: tuple[PointsAt, ...] = ()
    """Of the balance, what is not usable yet; soonest first."""
    settled_centi: Points = Points(0)
    """Of the points that the sale brought: what settled points that were owed."""
    owed_centi: Points = Points(0)
    """What the member owes after this sale."""
    tier: TierProgress | None = None
    expiring: tuple[PointsAt, ...] = ()
    """Soonest first."""
    is_offline: bool = False
    notes: tuple[str, ...] = ()
    """Sentences for the member in the receipt's language: privileges, a membership bought."""
    coupons: tuple[PaperCoupon, ...] = ()
    referral_code: str = ""
    gift_left: Mapping[str, Minor] = field(default_factory=dict)
    """By the ids of gift cards that paid or were topped up: what they hold now."""
    withdrawn: tuple[str, ...] = ()
    """Codes of coupons that are good no more, for the sale was voided."""
    withdrawn_used: tuple[str, ...] = ()
    """Of these, the ones that were used before."""
    released: tuple[str, ...] = ()
    """Codes of coupons that the sale took and that may be used again."""
    exchanged_no: str = ""
    """The receipt of the goods that came back for these."""
    copy_no: int = 0
    """0 is the first print; from 1 on the receipt is headed as a copy."""
