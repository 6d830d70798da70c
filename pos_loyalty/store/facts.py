"""Facts: what one row of the log says. A fact's canonical bytes are hashed, sent and kept; every column is copied from them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pos_loyalty.engine.acts import Award
from pos_loyalty.engine.model import Basket, Entry, Id, Instant, Label, Quote, Tender
from pos_loyalty.errors import InputError
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.decision_facts import BackFact, CaseClosedFact, RuleStopFact
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.gift_card_facts import GiftCardFact, GiftLine
from pos_loyalty.store.member_facts import BASE64, ChangeFact, ConsentChange, MergeFact
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.newer import is_plain, known_of
from pos_loyalty.store.return_facts import ReturnFact
from pos_loyalty.store.right_facts import GiveBackFact, GrantFact
from pos_loyalty.store.staff_facts import AdjustFact, ClaimFact
from pos_loyalty.store.tier_facts import TierFact
from pos_loyalty.store.till_facts import BeganFact, TillKeyFact
from pos_loyalty.values import Minor, Points, Value, decode, encode

PAYLOAD_BYTES_MAX = 4 * 1024 * 1024
PERSONAL_SIGNS_MAX = 8192
SaleId = Annotated[str, Meta(max_length=64)]
GENESIS = bytes(32)
"""The hash before the first fact of an epoch that continues nothing."""

FactKind = Literal[
    "sale.authorised", "sale.completed", "sale.cancelled", "sale.reversed", "sale.returned", "sale.claimed", "member.enrolled",
    "member.changed", "member.merged", "member.tiered", "member.awarded", "points.expired", "points.adjusted",
    "gift_card.changed", "coupons.added", "points.settled", "till.began", "till.enrolled", "till.revoked",
    "rights.granted", "rights.taken", "rights.returned",
    "rule.stopped", "rule.resumed", "programme.back", "case.closed",
]  # fmt: skip


class SaleFact(Value):
    """A sale as it was authorised. ``completed`` says that payment came in the same step."""

    sale_id: SaleId
    basket: Basket
    quote: Quote
    tenders: tuple[Tender, ...]
    offline_centi: Points
    """Of the points redeemed, how many under the offline allowance."""
    biz_day: int
    """Days since 1970-01-01 of the decision time, in the store's zone."""
    completed: bool
    fiscal: Fiscal | None = None
    coupons_made: tuple[str, ...] = ()
    """A code for each coupon that the quote issues, in its order. They may be used once the sale is completed."""
    gift_lines: tuple[GiftLine, ...] = ()
    """Lines that sell gift cards or top them up: each is a fact of its own once the sale is completed."""


class SaleEnd(Value):
    """The end of a sale that was authorised before: completed, cancelled or reversed."""

    sale_id: SaleId
    tenders: tuple[Tender, ...] = ()
    fiscal: Fiscal | None = None
    cashier: str = ""
    reason: str = ""
    accrued_centi: Points = Points(0)
    refund_minor: Minor = Minor(0)
    approved_by: str = ""


class AwardFact(Value):
    """What a member got for an act other than buying."""

    act: str
    biz_day: int
    """Days since 1970-01-01 of the act, in the store's zone."""
    award: Award
    coupons_made: tuple[str, ...] = ()
    """A code for each coupon that the award issues, in its order."""


class Enrolment(Value):
    """A new member. Personal fields stand only in ``personal``, sealed under the member's own key."""

    member_id: Id
    card: Annotated[str, Meta(min_length=4, max_length=64)] | None = None
    """None for who gave only a phone so far."""
    tier: Label | None = None
    referred_by: Id | None = None
    """The member who brought this one."""
    personal: Annotated[str, Meta(max_length=PERSONAL_SIGNS_MAX, pattern=BASE64)] | None = None
    """Base64 of the sealed JSON of name, phone, the phone's slow hash and birthday."""
    consents: Annotated[tuple[ConsentChange, ...], Meta(max_length=8)] = ()
    origin: Label = ""
    """A place or a channel that the member comes from."""
    drive: Label = ""
    """The advertising that brought them."""
    segments: tuple[Label, ...] = ()
    joined_at: Instant | None = None
    """Where a member came from elsewhere: when they joined there. None: with this fact."""


class _Written(msgspec.Struct, frozen=True):
    """What every fact says, of whatever schema."""

    schema: int


class Fact(Value, omit_defaults=True):
    """One row of the log."""

    schema: int
    id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    store: str
    till: str
    epoch: int
    seq: int
    kind: FactKind
    at: Instant
    boot_id: str
    mono_ns: int
    hlc: int
    engine: str
    programme: str | None = None
    receipt_no: str | None = None
    cashier: str | None = None
    member: str | None = None
    reverses: str | None = None
    entries: tuple[Entry, ...] = ()
    sale: SaleFact | None = None
    end: SaleEnd | None = None
    enrolment: Enrolment | None = None
    award: AwardFact | None = None
    returned: ReturnFact | None = None
    claim: ClaimFact | None = None
    adjustment: AdjustFact | None = None
    change: ChangeFact | None = None
    merge: MergeFact | None = None
    tier: TierFact | None = None
    gift_card: GiftCardFact | None = None
    coupons: CouponsFact | None = None
    till_key: TillKeyFact | None = None
    began: BeganFact | None = None
    grant: GrantFact | None = None
    give_back: GiveBackFact | None = None
    rule_stop: RuleStopFact | None = None
    back: BackFact | None = None
    case_closed: CaseClosedFact | None = None


Body = (
    SaleFact
    | SaleEnd
    | Enrolment
    | AwardFact
    | ReturnFact
    | ClaimFact
    | AdjustFact
    | ChangeFact
    | MergeFact
    | TierFact
    | GiftCardFact
    | CouponsFact
    | TillKeyFact
    | BeganFact
    | GrantFact
    | GiveBackFact
    | RuleStopFact
    | BackFact
    | CaseClosedFact
)
FIELD_OF: Mapping[type[Value], str] = {
    SaleFact: "sale",
    SaleEnd: "end",
    Enrolment: "enrolment",
    AwardFact: "award",
    ReturnFact: "returned",
    ClaimFact: "claim",
    AdjustFact: "adjustment",
    ChangeFact: "change",
    MergeFact: "merge",
    TierFact: "tier",
    GiftCardFact: "gift_card",
    CouponsFact: "coupons",
    TillKeyFact: "till_key",
    BeganFact: "began",
    GrantFact: "grant",
    GiveBackFact: "give_back",
    RuleStopFact: "rule_stop",
    BackFact: "back",
    CaseClosedFact: "case_closed",
}
"""Where the body of a fact stands in it."""


def payload_of(fact: Fact) -> bytes:
    """The canonical bytes of a fact."""
    return encode(fact)


def fact_of(payload: bytes) -> Fact:
    """Read a fact back. Of one that a newer program wrote the fields that are known here. Raises InputError naming the place."""
    try:
        return decode(payload, Fact)
    except InputError:
        if not is_newer(payload):
            raise
        return known_of(payload, Fact)


def is_newer(payload: bytes) -> bool:
    """Whether these bytes say that they are of a schema after ours: then there may be fields in them that we do not know."""
    try:
        return msgspec.json.decode(payload, type=_Written).schema > SCHEMA
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def is_canonical(fact: Fact, payload: bytes) -> bool:
    """Whether these are the only bytes that say so. Of a newer fact the order of the fields is its writer's."""
    return payload_of(fact) == payload or (is_newer(payload) and is_plain(payload))


def chain(prev_hash: bytes, payload: bytes) -> bytes:
    """The hash of a row: SHA-256 of the hash before it and its payload."""
    return sha256(prev_hash + payload).digest()
