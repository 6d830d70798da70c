"""Cards that the till makes at once: a number of its own range, and a slip that shows it as QR."""

from __future__ import annotations

from drivers.check_digits import damm_digit
from pos_loyalty.clock import random_bits
from pos_loyalty.config import CardConfig
from pos_loyalty.engine.check_digits import checked
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store import members, prints
from pos_loyalty.till.desk import Desk
from receipts.card_slip import CardSlip, compose_card
from receipts.escpos import to_escpos

TRIES_MAX = 1000
SLIP = "card"


def make(desk: Desk) -> str:
    """A number by chance that nobody has. Called inside the transaction of its fact. Raises ConflictError."""
    own = next((card for card in desk.config.card if card.own_prefix), None)
    if own is None:
        raise ConflictError("This till makes no cards: name its own range as own_prefix in the config, or take a printed card.")
    for _ in range(TRIES_MAX):
        number = _number(own, random_bits(desk.new_id()))
        if members.card_state(desk.db, number) == "unknown":
            return number
    raise ConflictError("This till's range of card numbers is almost full; give it another own_prefix in the config.")


def queue_slip(desk: Desk, number: str) -> None:
    """Lay the slip into the spool, when there is a printer. Called inside the transaction of the card."""
    if desk.config.printer is None:
        return
    header = desk.config.receipt.header or (desk.config.store.name,)
    body, note = b"", None
    for lines in (header, ()):
        try:
            body = _bytes(desk, CardSlip(number=number, header=lines, footer=desk.config.receipt.footer if lines else ()))
            break
        except InputError as error:
            note = str(error)
    receipt_no = f"{desk.config.till.id}-card-{desk.new_id().hex}"
    job_id = prints.enqueue(desk.db, prints.PrintDraft(sale_id=None, receipt_no=receipt_no, kind=SLIP, body=body), desk.now())
    if not body:
        prints.move(desk.db, job_id, "failed", desk.now(), note)


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


def _bytes(desk: Desk, slip: CardSlip) -> bytes:
    printer = desk.config.printer
    assert printer is not None
    elements = compose_card(slip, desk.config.receipt.language)
    return to_escpos(elements, columns=printer.columns, page=printer.page, slot=printer.slot)
