"""The one way to paper: elements become bytes for the configured printer and a row of the spool, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable

from pos_loyalty.config import Language
from pos_loyalty.errors import InputError
from pos_loyalty.store import prints
from pos_loyalty.till.desk import TEXT_COLUMNS, Desk
from pos_loyalty.values import Value
from receipts.elements import Element
from receipts.escpos import to_escpos
from receipts.look import Look, look_of


class Laid(Value):
    """Where a slip stands now. ``note``: which sign could not be printed, when names had to be left out."""

    state: str
    note: str | None


class Slip(Value):
    """What a row of the spool is known by."""

    receipt_no: str
    kind: str
    sale_id: str | None = None
    copy: int = 0


def is_printing(desk: Desk) -> bool:
    """Whether this till has a printer of its own."""
    return desk.config.printer is not None


def lay(desk: Desk, slip: Slip, tries: Iterable[Iterable[Element]]) -> Laid:
    """Lay a slip into the spool: the first of the tries that the code page can print, else a failed job. Nothing is raised."""
    body, note = b"", None
    for elements in tries:
        try:
            body = printable(desk, elements)
            break
        except InputError as error:
            note = note or str(error)
    return lay_bytes(desk, slip, body, note)


def lay_bytes(desk: Desk, slip: Slip, body: bytes, note: str | None = None) -> Laid:
    """The same for what is bytes already; without any, the job has failed, for what ``note`` says."""
    draft = prints.PrintDraft(sale_id=slip.sale_id, receipt_no=slip.receipt_no, kind=slip.kind, copy=slip.copy, body=body)
    job_id = prints.enqueue(desk.db, draft, desk.now())
    if not body:
        prints.move(desk.db, job_id, "failed", desk.now(), note)
    return Laid(state="queued" if body else "failed", note=note)


def lay_unmade(desk: Desk, slip: Slip, body: bytes) -> None:
    """Lay a receipt into the spool of which the print worker makes the bytes: see ``till/unmade.py``."""
    draft = prints.PrintDraft(
        sale_id=slip.sale_id, receipt_no=slip.receipt_no, kind=slip.kind, copy=slip.copy, body=body, is_made=False
    )
    prints.enqueue(desk.db, draft, desk.now())


def printable(desk: Desk, elements: Iterable[Element]) -> bytes:
    """The bytes for the configured printer. Raises InputError for a sign that its code page lacks."""
    printer = desk.config.printer
    assert printer is not None
    return to_escpos(elements, columns=printer.columns, page=printer.page, slot=printer.slot)


def columns(desk: Desk) -> int:
    """How wide receipts are, also on the screen."""
    return desk.config.printer.columns if desk.config.printer is not None else TEXT_COLUMNS


def look(desk: Desk, language: Language | None = None) -> Look:
    """The shop's template in a language, or in the receipts' own."""
    return look_of(desk.config.receipt, desk.config.store.name, language or desk.config.receipt.language)
