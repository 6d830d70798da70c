"""What a page of changes and a chunk of a snapshot hold: members, codes and programmes, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from pos_loyalty.engine.model import CENTI_MAX, Centi, Id, Instant, Label, LotId, MonthDay
from pos_loyalty.store.tier_facts import Day
from pos_loyalty.values import Minor, Points, Value
from sync.identity import Signature

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
INT64_MAX: Final = 2**63 - 1
CARDS_MAX: Final = 64
"""Of one member, in a page."""

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0, le=INT64_MAX)]


class CardChange(Value):
    """A card of a member."""

    number: Annotated[str, Meta(min_length=1, max_length=64)]
    state: Literal["active", "lost"] = "active"


class LotChange(Value):
    """A lot at head office: what is left in it, and what it began with."""

    lot_id: LotId
    centi: Centi
    amount_centi: Annotated[Points, Meta(ge=1, le=CENTI_MAX)]
    usable_from: Instant | None = None
    expires_at: Instant | None = None


class SalesSum(Value):
    """Completed sales of a member, returns deducted. A sum may grow past what one sale may be: it has no limit but int64."""

    count: Count = 0
    spent_minor: Annotated[Minor, Meta(ge=0, le=INT64_MAX)] = Minor(0)


class TierChange(Value):
    """A member's tier as head office counted it on a business day: ``have`` of the measure in the window of that day.

    Days are since 1970-01-01; ``until``: the last day before it is looked at again; ``frozen_until``: by a person's decision;
    ``clock``: the logical clock of the last move, which the till's own moves come after.
    """

    biz_day: Day
    since: Day | None = None
    until: Day | None = None
    is_warned: bool = False
    frozen_until: Day | None = None
    have: Annotated[int, Meta(ge=0, le=INT64_MAX)] | None = None
    clock: Count = 0


class CouponChange(Value):
    """A coupon with a code of its own. ``taken_till``, ``taken_sale``: a sale that takes it, reserved or used up."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    series: Id
    is_live: bool
    usable_from: Instant | None = None
    expires_at: Instant | None = None
    taken_till: Id | None = None
    taken_sale: Annotated[str, Meta(max_length=64)] | None = None


class MemberChange(Value):
    """One member, whole. ``lots`` are those that still hold points; ``version`` 0 in an import, where head office gives it."""

    member_id: Id
    version: Count = 0
    tier: Label | None = None
    segments: Annotated[tuple[Label, ...], Meta(max_length=256)] = ()
    birthday: MonthDay | None = None
    birthday_set_at: Instant | None = None
    referred_by: Id | None = None
    joined_at: Instant | None = None
    sales: SalesSum = SalesSum()
    owed_centi: Annotated[Points, Meta(ge=0, le=INT64_MAX)] = Points(0)
    staff: bool = False
    state: Literal["active", "blocked", "erased", "merged"] = "active"
    merged_into: Id | None = None
    """Who this member went over into: their cards and points are that one's."""
    cards: Annotated[tuple[CardChange, ...], Meta(max_length=CARDS_MAX)] = ()
    lots: tuple[LotChange, ...] = ()
    phone_index: Hash | None = None
    """Hex of the slow hash of the phone. Names and phones themselves are never sent to a till."""
    phone_verified: bool = False
    referral_code: Label | None = None
    tier_word: TierChange | None = None


class ProgrammeBody(Value):
    """The ``number``-th publication of head office: the exact bytes of its TOML, and from when on they are in force.

    ``signature``: head office's over ``identity.programme_said``.
    """

    id: str
    version: int
    sha256: Hash
    body: bytes
    number: Annotated[int, Meta(ge=1, le=INT64_MAX)] = 1
    effective_from: Instant = EPOCH
    signature: Signature = "0" * 128
