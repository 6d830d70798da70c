"""What the log says of a member's tier."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty.engine.model import Id, Label, Text
from pos_loyalty.engine.tiers import Reason
from pos_loyalty.values import Value

Day = Annotated[int, Meta(ge=0, le=100_000)]
"""Days since 1970-01-01, in the store's zone."""


class TierFact(Value):
    """A member's tier from now on, found out on ``biz_day``. ``reason``: why it moved; ``by``: who decided, for ``staff`` alone.

    ``since`` is its first day, ``until`` the last before it is looked at again; None: it has no end. ``frozen_until``: a person's
    decision stands to the end of that day, whatever is bought. ``before``: the tier until now.
    """

    member_id: Id
    tier: Label | None
    reason: Reason
    biz_day: Day
    since: Day
    until: Day | None = None
    is_warned: bool = False
    frozen_until: Day | None = None
    before: Label | None = None
    ladder: str = ""
    """The digest of the tiers that it was found by."""
    by: Label = ""
    note: Text = ""
    """What the person says of it."""
