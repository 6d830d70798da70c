"""What the till is asked and answers about tiers. These values are its HTTP bodies too."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.model import Label
from pos_loyalty.engine.tiers import Reason
from pos_loyalty.till.approval import Approval
from pos_loyalty.values import Value


class TierRequest(Value):
    """A senior's decision: this tier (null: none), frozen to the end of ``until``. Without ``until`` it lasts a usual period."""

    tier: Label | None
    by: Approval
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    until: date | None = None


class TierAnswer(Value):
    """How a member stands. ``until``: the last day of the tier if nothing more is bought; null: it has no end.

    ``have``, ``missing`` to the next tier and ``missing_to_keep`` this one are minor units, visits or hundredths of a point,
    as ``measure`` says. ``missing_to_keep`` is null where only head office can say it.
    """

    member_id: str
    tier: str | None
    title: dict[str, str]
    since: date | None = None
    until: date | None = None
    warned_for: date | None = None
    """The day after which the tier ends, once the member is to be warned of it."""
    is_frozen: bool = False
    measure: Literal["spent", "visits", "points"] | None = None
    have: int | None = None
    next_tier: str | None = None
    next_title: dict[str, str] = field(default_factory=dict)
    missing: int | None = None
    missing_to_keep: int | None = None
    reason: Reason | None = None
    """Why the tier is what it is; null where this till cannot say it."""
