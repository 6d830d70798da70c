"""Three seams: what an import hands on to the parts that own it. Each is one function, so that it is wired in one place.

``later_phone`` hashes now; with a queue of phones it puts the sealed phone there and answers None. ``add_cards`` books cards of
members, ``open_gift_cards`` money on gift cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import seal
from pos_loyalty.store.db import Connection
from pos_loyalty.store.imports import Booking
from pos_loyalty.values import Minor, Value


class NewCard(Value):
    """A card of a member who is here."""

    number: str
    member_id: str
    state: str


class OpenedGiftCard(Value):
    """A gift card with the money that is on it. ``code``: what is scanned or typed."""

    code: str
    amount_minor: Minor
    expires_at: datetime | None


def later_phone(phone: str, pepper: str) -> str | None:
    """The slow hash of a phone in hex, or None when it will be made later. Takes tens of ms."""
    return seal.phone_index(phone, pepper).hex()


def add_cards(db: Connection, cards: Sequence[NewCard], booking: Booking) -> None:
    """Book cards by facts "member.changed", inside ``write()``."""
    raise ConflictError("Cards are checked here, and cannot be written yet: this build has no fact for a further card.")


def open_gift_cards(db: Connection, cards: Sequence[OpenedGiftCard], booking: Booking) -> None:
    """Book gift cards by facts "gift_card.changed", inside ``write()``."""
    raise ConflictError("Gift cards are checked here, and cannot be written yet: this build has no fact for an opened gift card.")
