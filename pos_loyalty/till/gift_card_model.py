"""What the till is asked about gift cards and what it answers. These values are its HTTP bodies too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Money, Text
from pos_loyalty.till.approval import Approval
from pos_loyalty.values import Minor, Value

Presented = Annotated[str, Meta(min_length=1, max_length=64)]
"""The code as it was scanned or typed, or the card's id."""
Pin = Annotated[str, Meta(min_length=1, max_length=16)]
Reason = Annotated[Text, Meta(min_length=1)]
GiftCardState = Literal["active", "spent", "expired", "frozen", "void"]


class GiftCardRequest(Value):
    """A gift card that is presented. A number needs its PIN."""

    card: Presented
    pin: Pin | None = None


class FreezeRequest(Value):
    """Stop a gift card, or let it go again. ``by``: the person who decides; to let it go, a senior."""

    card: Presented
    by: Approval
    reason: Reason


class PayBackRequest(Value):
    """Pay the unspent money of a bought gift card out. ``by``: the senior who decides."""

    card: Presented
    by: Approval
    reason: Reason
    pin: Pin | None = None


class IssueRequest(Value):
    """Give a gratis gift card. ``series``: the id of a [[gift_card]] of that kind. ``by``: the senior who decides."""

    series: Id
    amount_minor: Money
    by: Approval
    reason: Reason


class GiftCardAnswer(Value):
    """A gift card as it stands here. ``label`` names it to people and opens nothing.

    ``code`` and ``pin`` stand only in the answer to the act that made the card, and only until the till process ends: they are
    stored nowhere. ``paid_minor``: what was paid out by this act.
    """

    card_id: str
    label: str
    series: str
    title: dict[str, str]
    kind: Literal["bought", "gratis"]
    state: GiftCardState
    currency: str
    face_minor: Minor
    balance_minor: Minor
    """Without what open sales reserved."""
    expires_at: datetime | None
    line_id: str | None = None
    paid_minor: Minor = Minor(0)
    asking: bool = False
    """Head office is being asked for the card's money: look again in a moment."""
    code: str | None = None
    pin: str | None = None
