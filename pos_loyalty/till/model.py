"""What the till is asked and what it answers. These values are its HTTP bodies too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.explain import Sentence
from pos_loyalty.engine.model import Accrual, Basket, DayOfYear, Id, Label, Message, Money, Quote, Tender, Text
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.member_facts import Purpose
from pos_loyalty.store.profiles import PhoneState
from pos_loyalty.store.roads import RoadSeen
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import GiftCardAnswer, Presented
from pos_loyalty.till.ids import SALE_ID_PATTERN as SALE_ID_PATTERN
from pos_loyalty.till.ids import SaleId
from pos_loyalty.till.returns_model import ReturnAnswer, ReturnRequest
from pos_loyalty.till.tier_model import TierAnswer
from pos_loyalty.values import Minor, Points, Value

CardNumber = Annotated[str, Meta(min_length=4, max_length=64)]
Phone = Annotated[str, Meta(min_length=5, max_length=32)]
Key = Annotated[str, Meta(min_length=1, max_length=128)]
SaleState = Literal["authorised", "completed", "cancelled", "reversed"]


class IdentifyRequest(Value):
    """Who stands at the till: exactly one of the two."""

    card: CardNumber | None = None
    phone: Phone | None = None


class PrivilegeAnswer(Value):
    """A right that is not money: its name in the programme, its title by language, and when it ends."""

    name: str
    title: dict[str, str]
    expires_at: datetime | None


class CouponAnswer(Value):
    """A coupon that a sale issued, for its owner's next purchases. Good in [usable_from, expires_at)."""

    code: str
    series: str
    title: dict[str, str]
    usable_from: datetime | None
    expires_at: datetime | None


class LotAnswer(Value):
    """Points of a member with the same dates: pending, usable, expiring (usable, and lost within 30 days) or expired."""

    phase: Literal["pending", "usable", "expiring", "expired"]
    centi: Points
    usable_from: datetime | None
    expires_at: datetime | None


class MemberAnswer(Value):
    """A member as the cashier sees them: nothing that names the person."""

    member_id: str
    card: str | None
    """Masked: only the last four signs stand."""
    tier: str | None
    balance_centi: Points
    usable_centi: Points
    redeemable_centi: Points
    """What may be redeemed here and now: rights, policy and head office's silence counted in."""
    owed_centi: Points
    next_expiry: datetime | None
    next_expiry_centi: Points
    known_at: datetime | None
    """When head office last answered; None when it never has."""
    privileges: tuple[PrivilegeAnswer, ...] = ()
    """Those that hold now, as far as this till gave them."""
    paid_until: datetime | None = None
    """When the paid membership runs out that was bought at this till."""
    phone: PhoneState = "none"
    """Where phones are verified, a member whose phone is not may earn and not redeem."""
    consents: tuple[Purpose, ...] = ()
    """In force, as far as this till knows."""
    referral_code: str | None = None
    made_card: str | None = None
    """Whole: the number of a card that was made for them just now, to be shown as QR."""
    pending_centi: Points = Points(0)
    expiring_centi: Points = Points(0)
    """Of the usable points, those that are lost within 30 days."""
    expired_centi: Points = Points(0)
    """Points whose end has passed and that the nightly job has not booked yet."""
    lots: tuple[LotAnswer, ...] = ()
    """By date, soonest to be lost first; at most 50 dates."""
    standing: TierAnswer | None = None
    """The tier, what is missing for the next one, and when this one ends."""
    asking: bool = False
    """More of these points are being asked for: identify again in a second, and quote again when more may be redeemed."""


class QuoteRequest(Value):
    """A basket and, when there is one, the member: by id or by card."""

    basket: Basket
    member_id: Id | None = None
    card: CardNumber | None = None


class Confirmation(Value):
    """How the holder confirms that points are redeemed: exactly one. It is checked here, and neither stored nor logged."""

    pin: Annotated[str, Meta(pattern="^[0-9]{4,12}$")] | None = None
    code: Annotated[str, Meta(pattern="^[0-9]{6}$")] | None = None
    """As it was sent to their phone."""
    qr: Annotated[str, Meta(min_length=8, max_length=128)] | None = None
    """The text of the rotating QR: ``PLQ1|member|code``."""


class SaleRequest(Value):
    """Authorise the till's own quote. ``complete`` does both steps in one, for shops without a payment step between.

    ``returns``: an exchange, in one step only. The refund pays, and what it does not is paid or paid out.
    """

    sale_id: SaleId
    quote_id: Id
    due_minor: Money
    tenders: Annotated[tuple[Tender, ...], Meta(max_length=32)] = ()
    complete: bool = False
    fiscal: Fiscal | None = None
    confirmation: Confirmation | None = None
    """The holder's word, where the programme asks for it (``[redeem] confirm``)."""
    top_ups: Annotated[dict[Id, Presented], Meta(max_length=32)] = field(default_factory=dict)
    """Lines that sell gift cards and add their money to one that is there: line id to its code or id."""
    returns: ReturnRequest | None = None


class Told(Value):
    """What a quote says to the cashier: sentences, and for each coupon that does not act the reason."""

    sentences: tuple[Sentence, ...]
    coupons: dict[str, str]


class CompleteRequest(Value):
    """Payment came. Never refused: what contradicts goes to suspense."""

    fiscal: Fiscal | None = None
    tenders: Annotated[tuple[Tender, ...], Meta(max_length=32)] = ()


class CancelRequest(Value):
    """Payment did not come: all that was reserved goes back."""

    reason: Text = ""


class VoidRequest(Value):
    """Undo a completed sale as a whole. ``approval``: a senior's word, from the next business day on."""

    cashier: Label = ""
    reason: Text = ""
    approval: Approval | None = None


class EnrolRequest(Value):
    """A new member, with a card from the shop's range, one made at once, or a phone alone. Name and phone are kept sealed."""

    card: CardNumber | None = None
    new_card: bool = False
    """Make a number of this till's own range, shown as QR, in the place of ``card``."""
    name: Text = ""
    phone: Phone | None = None
    cashier: Label = ""
    birthday: DayOfYear | None = None
    referrer_card: CardNumber | None = None
    """The card of the member who brought this one."""
    referrer_code: Label | None = None
    """Or that member's own code."""
    consents: Annotated[tuple[Purpose, ...], Meta(max_length=2)] = ()
    """What the person agreed to, each for itself."""
    channel: Label = "till"
    """Where they agreed."""
    origin: Label = ""
    """A place or a channel that the member comes from."""
    drive: Label = ""
    """The advertising that brought them."""


class AwardRequest(Value):
    """An act other than buying, by its name in the programme: review, survey, profile, friend …"""

    act: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    cashier: Label = ""


class AwardAnswer(Value):
    """What an act brought."""

    award_id: str
    member_id: str
    act: str
    accruals: tuple[Accrual, ...]
    accrued_centi: Points
    coupons: tuple[CouponAnswer, ...]
    privileges: tuple[str, ...]
    messages: tuple[Message, ...]
    balance_centi: Points
    """The member's points after this, as known here."""
    settled_centi: Points = Points(0)
    """Of the points given: what settled points that were owed."""
    owed_centi: Points = Points(0)
    """What the member still owes."""


class PrintRequest(Value):
    """Print a receipt once more, as a marked copy."""

    language: Literal["ru", "en"] | None = None


class SaleAnswer(Value):
    """A stored sale. Asking again gives the same answer until the sale's state moves."""

    sale_id: str
    state: SaleState
    receipt_no: str
    quote: Quote
    tenders: tuple[Tender, ...]
    balance_centi: Points | None
    """The member's points after this sale, as known here; None without a member."""
    authorised_at: datetime
    ended_at: datetime | None
    fiscal: Fiscal | None = None
    coupons: tuple[CouponAnswer, ...] = ()
    """Coupons that the sale issued; they are told once it is completed."""
    gift_cards: tuple[GiftCardAnswer, ...] = ()
    """Gift cards that the sale sold, once it is completed."""
    gift_balances: dict[str, Minor] = field(default_factory=dict)
    """What the gift cards that paid, or were topped up, hold now, by their ids."""
    returned: ReturnAnswer | None = None
    """The goods that were exchanged for these."""
    settled_centi: Points = Points(0)
    """Of the points that the sale brought its member: what settled points that they owed."""
    owed_centi: Points = Points(0)
    """What the member owes now, as known here."""
    withdrawn: tuple[str, ...] = ()
    """Codes of coupons that the sale issued and that are good no more, for it was voided."""
    withdrawn_used: tuple[str, ...] = ()
    """Of these, the ones that another sale uses."""
    released: tuple[str, ...] = ()
    """Codes of coupons that the sale took and that may be used again, for it was voided or cancelled."""


class PrintAnswer(Value):
    """Where a print job stands."""

    receipt_no: str
    kind: str
    copy_no: int = field(name="copy")
    state: str
    note: str | None


class Health(Value):
    """How the till is. ``problems`` are sentences for the cashier; an offline head office alone is not one."""

    till: str
    programme: str | None
    head_office: Literal["answers", "silent", "none"]
    heard_at: datetime | None
    unsent_facts: int
    unfinished_sales: tuple[str, ...]
    prints_waiting: int
    offline_redeemed_centi: Points
    """Points redeemed here under the allowance that head office does not hold yet."""
    exposure_centi: Points
    """What could be redeemed here twice in one day while cut off, at most: the caps of all members; 0 but under allowance."""
    unconfirmed_coupons: int
    """Codes that sales of this till take and head office does not know of yet: the exposure of coupons."""
    free_disk_mb: int
    problems: tuple[str, ...]
    road: RoadSeen | None = None
    """Of a till whose store has a hub: by which road it is answered; None for others, and before the first answer."""


class Problem(Value):
    """An RFC 9457 problem document. ``detail`` is a sentence for the cashier."""

    type: str
    title: str
    status: int
    detail: str
    place: str | None = None
    quote: Quote | None = None
    needs: Literal["approval", "pin", "code", "qr"] | None = None
    """Whose word would do, where one is missing or wrong: a senior's, or the holder's by PIN, code or rotating QR."""
