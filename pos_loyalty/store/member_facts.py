"""What the log says of changes to a member. Personal fields stand only sealed, under the member's own key."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Label
from pos_loyalty.values import Value

SEALED_SIGNS_MAX = 8192
SECRET_SIGNS_MAX = 2048
CHANGES_MAX = 64
Purpose = Literal["data", "advertising"]
BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
Sealed = Annotated[str, Meta(max_length=SEALED_SIGNS_MAX, pattern=BASE64)]
SealedIndex = Annotated[str, Meta(max_length=SEALED_SIGNS_MAX)]
"""Opened when it is used, and nothing where it is no Base64."""
"""Base64 of bytes that only the member's own key opens."""
PhoneIndex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""Hex of the slow hash of a phone. It stands in no fact in plain: there it is sealed as any personal field."""
CardNumber = Annotated[str, Meta(min_length=4, max_length=64)]


class ConsentChange(Value, tag_field="change", tag="consent"):
    """A consent given or withdrawn. ``text_version`` names the text that the person agreed to, ``channel`` where they did."""

    purpose: Purpose
    given: bool
    text_version: Label = ""
    channel: Label = ""


class NameChange(Value, tag_field="change", tag="name"):
    """Another name."""

    sealed: Sealed


class PhoneChange(Value, tag_field="change", tag="phone"):
    """Another phone, not verified yet; None for both: no phone any more. The index alone: the hash of a phone known before."""

    sealed: Sealed | None = None
    index: SealedIndex | None = None
    verified: bool = False


class PhoneVerified(Value, tag_field="change", tag="phone_verified"):
    """The holder of the phone with this index told the code that was sent to it. Nothing when the phone is another by now."""

    index: SealedIndex


class AttributeChange(Value, tag_field="change", tag="attribute"):
    """An attribute of the profile; None takes it away."""

    name: Label
    sealed: Sealed | None


class DateChange(Value, tag_field="change", tag="date"):
    """A named date, such as a child's birthday; None takes it away."""

    name: Label
    sealed: Sealed | None


class BirthdayChange(Value, tag_field="change", tag="birthday"):
    """The birthday, month and day; None when it was entered by mistake."""

    sealed: Sealed | None


class CardAdded(Value, tag_field="change", tag="card_added"):
    """One more card."""

    card: CardNumber


class CardStateChange(Value, tag_field="change", tag="card_state"):
    """A card was lost, or found again."""

    card: CardNumber
    state: Literal["active", "lost"]


class StateChange(Value, tag_field="change", tag="state"):
    """The member is blocked, may act again, or is erased, which is for ever."""

    state: Literal["active", "blocked", "erased"]


class SourceChange(Value, tag_field="change", tag="source"):
    """Where the member comes from: ``origin`` is a place or a channel, ``drive`` the advertising that brought them."""

    origin: Label = ""
    drive: Label = ""


class ReferralCode(Value, tag_field="change", tag="referral_code"):
    """The member's own code, which a friend gives at enrolment."""

    sealed: Sealed


Change = (
    ConsentChange
    | NameChange
    | PhoneChange
    | PhoneVerified
    | AttributeChange
    | DateChange
    | BirthdayChange
    | CardAdded
    | CardStateChange
    | StateChange
    | SourceChange
    | ReferralCode
)


class ChangeFact(Value):
    """Changes to one member, in their order."""

    member_id: Id
    by: str = ""
    reason: str = ""
    changes: Annotated[tuple[Change, ...], Meta(max_length=CHANGES_MAX)] = ()
    secret: Annotated[str, Meta(max_length=SECRET_SIGNS_MAX, pattern=BASE64)] | None = None
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
