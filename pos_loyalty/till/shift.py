"""The shift report of this till: shown as text, or laid into the spool. It only reads; printing it closes nothing."""

from __future__ import annotations

from datetime import date

from msgspec.structs import asdict

from pos_loyalty.config import Language
from pos_loyalty.engine.tier_rules import to_day
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import prints
from pos_loyalty.store.shift import shift_of
from pos_loyalty.till import paper
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import PrintAnswer
from receipts.shift_slip import ShiftSlip, compose_shift
from receipts.text import to_text

SLIP = "shift"


def text_of(desk: Desk, day: date | None, language: Language | None) -> str:
    """The report of a business day, today's when none is named, as text."""
    tongue = language or desk.config.receipt.language
    return to_text(compose_shift(_slip(desk, day, tongue), tongue), paper.columns(desk))


def queue(desk: Desk, day: date | None, language: Language | None) -> PrintAnswer:
    """Lay the report into the spool. Called inside a transaction. Raises ConflictError without a printer."""
    if not paper.is_printing(desk):
        raise ConflictError("No printer stands in the till's config; the report can be shown as text.")
    tongue = language or desk.config.receipt.language
    made = _slip(desk, day, tongue)
    receipt_no = f"{desk.config.till.id}-shift-{made.day.isoformat()}"
    slip = paper.Slip(receipt_no=receipt_no, kind=SLIP, copy=prints.next_copy(desk.db, receipt_no, SLIP))
    laid = paper.lay(desk, slip, (compose_shift(made, tongue),))
    return PrintAnswer(receipt_no=receipt_no, kind=SLIP, copy_no=slip.copy, state=laid.state, note=laid.note)


def _slip(desk: Desk, day: date | None, language: Language) -> ShiftSlip:
    at = desk.now().astimezone(desk.zone)
    look = paper.look(desk, language)
    till, wanted = desk.config.till.id, day or at.date()
    return ShiftSlip(
        header=look.header,
        till=till,
        day=wanted,
        at=at,
        currency=desk.config.store.currency,
        **asdict(shift_of(desk.db, till, to_day(wanted))),
    )
