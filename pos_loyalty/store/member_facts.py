"""What the log says of changes to a member. Personal fields stand only sealed, under the member's own key."""

from __future__ import annotations

from pos_loyalty.engine.model import Id
from pos_loyalty.values import Value


class ChangeFact(Value):
    """Changes to one member, in their order."""

    member_id: Id
    by: str = ""
    reason: str = ""


class MergeFact(Value):
    """One member goes over into another: lots, cards and history of ``member_id`` are those of ``into`` from now on."""

    member_id: Id
    into: Id
    by: str
    approved_by: str = ""
