"""What the log says of changes to a member. Personal fields stand only sealed, under the member's own key."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty.engine.model import Id
from pos_loyalty.values import Value

SECRET_SIGNS_MAX = 2048


class ChangeFact(Value):
    """Changes to one member, in their order."""

    member_id: Id
    by: str = ""
    reason: str = ""
    secret: Annotated[str, Meta(max_length=SECRET_SIGNS_MAX)] | None = None
    """Base64 of what confirms a redemption (hash of a PIN, key of a rotating QR), sealed under the member's own key."""


class MergeFact(Value):
    """One member goes over into another: lots, cards and history of ``member_id`` are those of ``into`` from now on.

    It comes again for what reached ``member_id`` afterwards (a sale that was voided); then only points are carried over.
    """

    member_id: Id
    into: Id
    by: str
    approved_by: str = ""
    reason: str = ""
