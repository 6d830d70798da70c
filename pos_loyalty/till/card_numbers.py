"""Cards that the till makes at once: a number of its own range, and a slip that shows it as QR."""

from __future__ import annotations

from drivers.check_digits import damm_digit
from drivers.nomenclature import holding
from pos_loyalty.clock import random_bits
from pos_loyalty.config import CardConfig
from pos_loyalty.engine.check_digits import checked
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import members
from pos_loyalty.till import card_qr, paper
from pos_loyalty.till.desk import Desk
from receipts.card_slip import CardSlip, compose_card

TRIES_MAX = 1000
SLIP = "card"


def make(desk: Desk) -> str:
    """A number by chance that nobody has and readers take for a card. Called inside a transaction. Raises ConflictError."""
    own = next((card for card in desk.config.card if card.own_prefix), None)
    if own is None:
        raise ConflictError("This till makes no cards: name its own range as own_prefix in the config, or take a printed card.")
    for _ in range(TRIES_MAX):
        number = _number(own, random_bits(desk.new_id()))
        if holding(number, None, desk.config.nomenclature) is not None and members.card_state(desk.db, number) == "unknown":
            return number
    raise ConflictError(
        "This till's range of card numbers is almost full, or its numbers look like payment cards; give it another own_prefix in"
        " the config."
    )


def queue_slip(desk: Desk, number: str) -> None:
    """Lay the slip into the spool, when there is a printer. Called inside the transaction of the card."""
    if not paper.is_printing(desk):
        return
    look, language = paper.look(desk), desk.config.receipt.language
    logo = desk.logo() if "logo" in look.sections else None
    shown = card_qr.fixed(number, card_qr.key_of(desk.secrets.master_key))
    whole = CardSlip(number=number, shown=shown, header=look.header, footer=look.footer, logo=logo)
    slip = paper.Slip(receipt_no=f"{desk.config.till.id}-card-{desk.new_id().hex}", kind=SLIP)
    paper.lay(desk, slip, (compose_card(tried, language) for tried in (whole, CardSlip(number=number, shown=shown))))


def _number(card: CardConfig, serial: int) -> str:
    signs = card.length - len(card.own_prefix) - (0 if card.check == "none" else 1)
    text = f"{card.own_prefix}{serial % 10**signs:0{signs}d}"
    match card.check:
        case "gtin":
            return checked(text, "mod10")
        case "luhn":
            return checked(text, "luhn")
        case "damm":
            return text + damm_digit(text)
        case "none":
            return text
