"""What the logs say of rights: head office's, what it grants; a till's, what it took and gave back."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from pos_loyalty.engine.model import CENTI_MAX, Id, Instant, Money
from pos_loyalty.store.gift_card_facts import Digest
from pos_loyalty.store.till_facts import Epoch, Place
from pos_loyalty.values import Points, Value

LINES_MAX = 5_000
AFTER_MAX = 500

GrantId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
LotId = Annotated[str, Meta(min_length=1, max_length=200)]
Centi = Annotated[Points, Meta(ge=1, le=CENTI_MAX)]


class RightHolder(Value):
    """A till, or a hub, in an epoch: who may hold rights."""

    till: Id
    epoch: Epoch


class HubHead(Value):
    """The newest fact of a hub's own log that somebody was told of. ``hub``: which hub's, for another may take its place."""

    hub: Id
    head: Place


class RightLine(Value):
    """Points of one lot. Or money of a gift card: its account ``gift:{card}`` is the lot, and its id stands for the member. Or a
    unique code, one unit: ``coupon:{code}`` is the lot, and the code stands for the member."""

    lot_id: LotId
    member_id: Id
    centi: Centi


class GiftCardWord(Value):
    """A gift card as head office knows it, for a till that did not sell it. ``till`` is the one that did."""

    card_id: Id
    till: Id
    series: Id
    kind: Literal["bought", "gratis"]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    face_minor: Money
    code_hash: Digest
    pin_hash: Digest | None = None
    expires_at: Instant | None = None


class LogPart(Value):
    """A till's log of an epoch up to a fact."""

    till: Id
    epoch: Epoch
    seq: Annotated[int, Meta(ge=1)]


class GrantFact(Value, omit_defaults=True):
    """Points that the till may redeem by itself until the lease ends. Head office's log says that they were given, the till's
    that they were taken.

    ``grant_id`` is of chance: it is never given again, not even by a head office that forgot it.
    """

    grant_id: GrantId
    till: Id
    epoch: Epoch
    lease_until: Instant
    lines: Annotated[tuple[RightLine, ...], Meta(min_length=1, max_length=LINES_MAX)]
    cards: Annotated[tuple[GiftCardWord, ...], Meta(max_length=LINES_MAX)] = ()
    """The gift cards among the lines; left out when there are none."""
    giver: RightHolder | UnsetType = UNSET
    """The hub that gives out of its own; left out for head office."""
    after: Annotated[tuple[LogPart, ...], Meta(max_length=AFTER_MAX)] = ()
    """The logs by which the hub got points of these lots back: head office books them before this is taken."""


class GiveBackFact(Value):
    """What the till does not count on any more. ``closes``: grants that ended, whose rest is among the lines."""

    lines: Annotated[tuple[RightLine, ...], Meta(max_length=LINES_MAX)] = ()
    closes: Annotated[tuple[GrantId, ...], Meta(max_length=LINES_MAX)] = ()
    to: RightHolder | UnsetType = UNSET
    """The hub that holds it from now on; left out for head office, where it is free."""
