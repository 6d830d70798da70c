"""What the log says of a member's tier."""

from __future__ import annotations

from pos_loyalty.engine.model import Id, Label
from pos_loyalty.values import Value


class TierFact(Value):
    """A member's tier from now on. ``reason``: why it moved."""

    member_id: Id
    tier: Label | None
    reason: str
    by: str = ""
