"""What the log says of a gift card. Its money moves by entries in the currency's unit."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Instant, Label, Money, Text
from pos_loyalty.values import Value

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
GiftCardAct = Literal[
    "sold", "issued", "opened", "topped_up", "cancelled", "taken_back", "frozen", "unfrozen", "paid_back", "expired"
]  # fmt: skip
"""``sold`` by a line, ``issued`` by a person and ``opened`` by an import make a card; ``cancelled`` undoes a sale that was not
spent, ``taken_back`` a top-up."""


class GiftCardMade(Value):
    """A new gift card. Of its code only a hash is kept."""

    series: Id
    """The id of the programme's [[gift_card]]."""
    kind: Literal["bought", "gratis"]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    code_hash: Digest
    pin_hash: Digest | None = None
    expires_at: Instant | None = None


class GiftLine(Value):
    """A line of a sale that sells gift cards or tops one up, as it was authorised: completing it needs no programme.

    ``amount_minor`` is that of each of ``count`` cards. ``card_id``: the card that is topped up; None for new cards.
    """

    line_id: Id
    series: Id
    count: Annotated[int, Meta(ge=1)]
    amount_minor: Money
    code: Literal["qr", "pin"]
    expires_at: Instant | None = None
    card_id: Id | None = None


class GiftCardFact(Value):
    """What was done with a gift card. ``amount_minor``: what came onto it or left it; 0 where no money moved.

    ``sale_id``, ``line_id``: the sale of this till, and its line, that made it or topped it up. ``by``: the person who answers
    for it.
    """

    card_id: Id
    act: GiftCardAct
    amount_minor: Money
    made: GiftCardMade | None = None
    sale_id: Id | None = None
    line_id: Id | None = None
    by: Label = ""
    reason: Text = ""
