"""The printer's self-test page, laid into the spool: what comes out has gone the way of every receipt."""

from __future__ import annotations

from pos_loyalty.config import Language
from pos_loyalty.errors import ConflictError
from pos_loyalty.till import paper
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import PrintAnswer
from receipts.self_test import self_test_bytes

SLIP = "self_test"


def queue(desk: Desk, language: Language | None) -> PrintAnswer:
    """Called inside a transaction. Raises ConflictError without a printer."""
    printer = desk.config.printer
    if printer is None:
        raise ConflictError("No printer stands in the till's config: there is nothing to test.")
    tongue = language or desk.config.receipt.language
    slip = paper.Slip(receipt_no=f"{desk.config.till.id}-self-test-{desk.new_id().hex}", kind=SLIP)
    body = self_test_bytes(columns=printer.columns, page=printer.page, slot=printer.slot, language=tongue)
    laid = paper.lay_bytes(desk, slip, body)
    return PrintAnswer(receipt_no=slip.receipt_no, kind=SLIP, copy_no=0, state=laid.state, note=laid.note)
