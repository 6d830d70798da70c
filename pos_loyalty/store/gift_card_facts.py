"""What the log says of a gift card. Its money moves by entries in the currency's unit."""

from __future__ import annotations

from pos_loyalty.engine.model import Id
from pos_loyalty.values import Value


class GiftCardFact(Value):
    """What was done with a gift card."""

    card_id: Id
    act: str
