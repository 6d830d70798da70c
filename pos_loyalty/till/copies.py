"""Prints once more: each is a marked copy, laid into the spool in a transaction of its own."""

from __future__ import annotations

from pos_loyalty.store.db import write
from pos_loyalty.till import answers, slips
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import PrintAnswer, PrintRequest


def of_sale(desk: Desk, sale_id: str, request: PrintRequest, keep: Keep[PrintAnswer]) -> PrintAnswer:
    """The receipt of a sale. Raises NotFoundError, ConflictError."""
    with write(desk.db):
        return keep(slips.queue_copy(desk, answers.stored_sale(desk, sale_id), request.language))


def of_return(desk: Desk, return_id: str, request: PrintRequest, keep: Keep[PrintAnswer]) -> PrintAnswer:
    """The slip of a return of this till. Raises NotFoundError, ConflictError."""
    with write(desk.db):
        return keep(slips.queue_return_copy(desk, return_id, request.language))
