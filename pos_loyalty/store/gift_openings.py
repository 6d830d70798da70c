"""Gift cards that were made elsewhere: each with its opening money, as a fact of our own. Of the code only a hash is kept."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Literal

from pos_loyalty.clock import new_id
from pos_loyalty.engine.gift_ledger import gift_account, move
from pos_loyalty.store import follow, gift_cards
from pos_loyalty.store.db import Connection
from pos_loyalty.store.gift_card_facts import GiftCardFact, GiftCardMade
from pos_loyalty.store.imports import ADJUSTMENT, ID_SIGNS, Booking
from pos_loyalty.store.ledger import Draft
from pos_loyalty.values import Minor, Value

NO_SERIES = "imported"


class GiftOpening(Value):
    """A gift card with the money that is on it. ``mark``: the hex hash of its code."""

    mark: str
    kind: Literal["bought", "gratis"]
    series: str
    currency: str
    amount_minor: Minor
    expires_at: datetime | None = None
    pin: str | None = None
    pin_hash: str | None = None

    @property
    def card_id(self) -> str:
        """Made of the code's hash: the same at every import."""
        return sha256(f"import gift card {self.mark}".encode()).hexdigest()[:ID_SIGNS]


def opened_minor(db: Connection, opening: GiftOpening) -> int | None:
    """With how much this card was opened before; None when nobody has its code; -1 when a card of ours has it."""
    card = gift_cards.by_mark(db, opening.mark)
    if card is None:
        return None
    return card.face_minor if card.card_id == opening.card_id else -1


def open_gift_card(db: Connection, opening: GiftOpening, booking: Booking) -> None:
    """Money out of the adjustment account onto a new card, by a fact of our own; once. Inside ``write()``."""
    if opened_minor(db, opening) is not None:
        return
    made = GiftCardMade(
        series=opening.series,
        kind=opening.kind,
        currency=opening.currency,
        code_hash=opening.mark,
        pin_hash=opening.pin_hash,
        expires_at=opening.expires_at,
    )
    entry = move(
        "adjust",
        debit=ADJUSTMENT,
        credit=gift_account(opening.card_id),
        amount_minor=opening.amount_minor,
        unit=opening.currency,
    )
    body = GiftCardFact(
        card_id=opening.card_id, act="opened", amount_minor=opening.amount_minor, made=made, by=booking.by, reason="import"
    )
    draft = Draft(
        id=new_id(), kind="gift_card.changed", store=booking.store, cashier=booking.by, entries=(entry,), body=body
    )  # fmt: skip
    follow.book(db, draft, booking.now)
