"""What a quote keeps so that a return can count again: rates, counters and fixed points, as the sale counted them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from pos_loyalty.values import Minor, Points, Value


class EarnedOn(Value, gc=False):
    """The rates at which a line earned, as stored for returns: hundredths of a basis point, and points per unit."""

    rule: str
    rate: int = 0
    unit_centi: int = 0


class CountedOn(Value, gc=False):
    """By how much the units of a line moved a counter; 0 where the receipt moved it and the line was among its goods."""

    key: str
    add: int


class PointsOf(Value, gc=False):
    """Points of one rule."""

    rule: str
    centi: Points


class PaidPart(Value):
    """Of the due of a sale only so much came. ``quoted``: what its rules would have brought, of the buyer's and of others."""

    paid_minor: Minor
    due_minor: Minor
    quoted: tuple[PointsOf, ...] = ()


class Earning(Value):
    """How the points of a receipt were counted, so that a return can count again what is kept."""

    exponent: int
    """Digits of the currency after the point."""
    step_centi: Points
    round: Literal["down", "up"] = "down"
    most_centi: Points | None = None
    """The most that the receipt could bring: of the limits for a receipt and a day the smaller."""
    fixed: tuple[PointsOf, ...] = ()
    """Points for the receipt as a whole; they stay while any of the rule's goods is kept."""
    most: tuple[PointsOf, ...] = ()
    """The most of a rule."""
    take_back: Literal["kept", "each_return"] = "kept"
    owed: Literal["keep", "forgive"] = "keep"
    point_minor: Minor = Minor(0)
    """What a point pays: so much of a rule's budget it uses up."""
    part: PaidPart | UnsetType = UNSET
    """Set, and written, only once the sale was completed with less than its due: so much of what the rates bring came."""


class UnitsOf(Value, gc=False):
    """So many units of a line."""

    line_id: str
    units: int


class GiftGiven(Value, gc=False):
    """A gift that goods of the receipt paid for: the rule, how many complete groups of goods, and their units by line.

    What the gift cost less stands as adjustments of the rule. Kept only where the programme charges for a gift that stays.
    """

    rule: str
    times: int
    bought: tuple[UnitsOf, ...]


class PointsFor(Value, gc=False):
    """Points that bought a thing: ``off_minor`` stands as adjustments of the rule; it is 0 for a coupon or a privilege."""

    rule: str
    times: int
    centi: Points
    off_minor: Minor = Minor(0)
