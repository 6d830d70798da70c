"""What the till is asked for acts that a person answers for, and what it answers. These values are HTTP bodies too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import CENTI_MAX, Accrual, Id, Label
from pos_loyalty.till.approval import Approval as Approval
from pos_loyalty.till.approval import Pin as Pin
from pos_loyalty.till.model import CardNumber, Phone
from pos_loyalty.values import Points, Value

Reason = Annotated[str, Meta(min_length=3, max_length=256)]
ACTS_MAX = 500


class AdjustRequest(Value):
    """Points by hand: more than 0 gives, less takes. ``owe``: what the member does not have is owed instead of refused."""

    centi: Annotated[Points, Meta(ge=-CENTI_MAX, le=CENTI_MAX)]
    reason: Reason
    by: Approval
    approval: Approval | None = None
    owe: bool = False


class AdjustAnswer(Value):
    """Points given or taken by hand. ``owed_centi``: what of it the member did not have."""

    adjust_id: str
    member_id: str
    centi: Points
    owed_centi: Points
    expires_at: datetime | None
    """When the points given are lost; None for never, and for points taken."""
    balance_centi: Points
    settled_centi: Points = Points(0)
    """Of the points given: what settled points that were owed."""
    owed_in_all_centi: Points = Points(0)
    """What the member owes after this."""


class ClaimRequest(Value, kw_only=True):
    """Points for a receipt whose card was forgotten: the member by card or by id, and the word of a senior."""

    card: CardNumber | None = None
    member_id: Id | None = None
    by: Label
    approval: Approval


class ClaimAnswer(Value):
    """What a receipt brought later."""

    sale_id: str
    receipt_no: str
    member_id: str
    accruals: tuple[Accrual, ...]
    accrued_centi: Points
    balance_centi: Points
    settled_centi: Points = Points(0)
    """Of these points: what settled points that were owed."""
    owed_centi: Points = Points(0)
    """What the member still owes."""


class MergeRequest(Value):
    """The member named in the path goes over into ``into``. Two persons answer for it, one of them a senior."""

    into: Id
    reason: Reason
    by: Approval
    approval: Approval


class MergeAnswer(Value):
    """Two members as one from now on."""

    member_id: str
    into: str
    lots: int
    moved_centi: Points
    owed_centi: Points
    cards: int
    balance_centi: Points
    """Of the one who stays."""
    settled_centi: Points = Points(0)
    """What of it the points of both have settled at once."""


class SecretRequest(Value):
    """What will confirm the member's redemptions: a PIN, a rotating QR, or both. What is not given is taken away.

    ``by``: whose word it is; a senior's where the member has points, or where something stands already.
    """

    pin: Pin | None = None
    qr: bool = False
    cashier: Label = ""
    by: Approval | None = None


class SecretAnswer(Value):
    """What now confirms the member's redemptions."""

    member_id: str
    pin: bool
    qr: bool


class ConfirmationRequest(Value):
    """Send a one-time code to the member's phone, which the member tells: only a hash of it is kept."""

    phone: Phone


class ConfirmationAnswer(Value):
    """A code is on its way."""

    member_id: str
    good_until: datetime


class ActRow(Value):
    """One act in the log: who did it, with whose word, when, to whom and why."""

    till: str
    seq: int
    at: datetime
    kind: str
    by: str
    approved_by: str
    member_id: str | None
    about: str
    """The sale, or the member who stays."""
    centi: Points
    reason: str


class Acts(Value):
    """Acts, newest first."""

    acts: tuple[ActRow, ...]
    more: bool


StaffRole = Literal["cashier", "senior"]
