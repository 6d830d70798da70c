"""Receipts on their way to paper: composed from the stored sale, laid into the spool in the sale's own transaction."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from pos_loyalty.config import Language
from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.store import ledger, prints, returned
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import paper, unmade
from pos_loyalty.till.answers import of_return
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import PrintAnswer
from pos_loyalty.till.receipt_of import is_cut_off, receipt_of
from receipts.compose import compose, has_loyalty
from receipts.compose_return import ReturnSlip, compose_return
from receipts.model import Receipt
from receipts.text import to_text

COPIES_MAX = 20
SlipKind = Literal["sale", "void", "cancelled", "return"]
NO_PRINTER = "No printer stands in the till's config; the receipt can be shown as text or picture."


def queue(desk: Desk, stored: StoredSale) -> None:
    """Lay the slip of a finished sale into the spool. Called inside its transaction; the print worker makes the bytes.

    Where the host prints the sale, a buyer to whom the loyalty part would say nothing gets no slip of ours.
    """
    if not paper.is_printing(desk):
        return
    language = desk.config.receipt.language
    with desk.shelf.held(desk.db):
        receipt = receipt_of(desk, stored, language)
    if not receipt.look.is_extra or has_loyalty(receipt):
        slip = paper.Slip(receipt_no=stored.receipt_no, kind=_kind(stored), sale_id=stored.sale_id)
        paper.lay_unmade(desk, slip, unmade.kept(receipt, language, desk.config.store.timezone))


def queue_return(desk: Desk, fact: Fact) -> None:
    """Lay the slip of a return into the spool. Called inside its transaction; an unprintable sign stops nothing.

    Where the host prints the return, only a member gets a slip of ours.
    """
    if paper.is_printing(desk) and (desk.config.receipt.sale == "whole" or fact.member is not None):
        _lay_return(desk, _return_slip(desk, fact, desk.config.receipt.language), desk.config.receipt.language)


def queue_copy(desk: Desk, stored: StoredSale, language: Language | None) -> PrintAnswer:
    """Lay a marked copy into the spool. Raises ConflictError when there is no printer or no end to the copies."""
    if not paper.is_printing(desk):
        raise ConflictError(NO_PRINTER)
    if stored.state == "authorised":
        raise ConflictError(f"Sale {stored.sale_id} is not completed yet; there is nothing to print.")
    tongue = language or desk.config.receipt.language
    copy = _next_copy(desk, stored.receipt_no, _kind(stored))
    return _lay(desk, stored, receipt_of(desk, stored, tongue, copy), tongue)


def queue_return_copy(desk: Desk, return_id: str, language: Language | None) -> PrintAnswer:
    """The same for the slip of a return. Raises NotFoundError, ConflictError."""
    if not paper.is_printing(desk):
        raise ConflictError(NO_PRINTER)
    tongue = language or desk.config.receipt.language
    slip = _return_slip(desk, _return_fact(desk, return_id), tongue)
    return _lay_return(desk, replace(slip, copy_no=_next_copy(desk, slip.receipt_no, "return")), tongue)


def return_text(desk: Desk, return_id: str, language: Language | None) -> str:
    """The slip of a return of this till, as text. Raises NotFoundError."""
    tongue = language or desk.config.receipt.language
    return to_text(compose_return(_return_slip(desk, _return_fact(desk, return_id), tongue), tongue), paper.columns(desk))


def text_of(desk: Desk, stored: StoredSale, language: Language | None) -> str:
    """The receipt as text."""
    tongue = language or desk.config.receipt.language
    return to_text(compose(receipt_of(desk, stored, tongue), tongue), paper.columns(desk))


def png_of(desk: Desk, stored: StoredSale, language: Language | None) -> bytes:
    """The receipt as a picture. Raises LoyaltyError when no font is found."""
    from receipts.png import to_png

    tongue = language or desk.config.receipt.language
    return to_png(compose(receipt_of(desk, stored, tongue), tongue), paper.columns(desk), desk.config.receipt.font)


def _lay(desk: Desk, stored: StoredSale, receipt: Receipt, language: Language) -> PrintAnswer:
    slip = paper.Slip(receipt_no=stored.receipt_no, kind=_kind(stored), sale_id=stored.sale_id, copy=receipt.copy_no)
    return _answer(slip, paper.lay(desk, slip, unmade.tries(receipt, language)))


def _lay_return(desk: Desk, slip: ReturnSlip, language: Language) -> PrintAnswer:
    tries = (compose_return(tried, language) for tried in (slip, replace(slip, names={}, cashier="")))
    row = paper.Slip(receipt_no=slip.receipt_no, kind="return", copy=slip.copy_no)
    return _answer(row, paper.lay(desk, row, tries))


def _answer(slip: paper.Slip, laid: paper.Laid) -> PrintAnswer:
    return PrintAnswer(receipt_no=slip.receipt_no, kind=slip.kind, copy_no=slip.copy, state=laid.state, note=laid.note)


def _return_fact(desk: Desk, return_id: str) -> Fact:
    stored = returned.by_id(desk.db, desk.config.till.id, return_id)
    fact = None if stored is None else ledger.by_id(desk.db, stored.txn)
    if fact is None:
        raise NotFoundError(f"Return {return_id} is not known at this till.")
    return fact


def _return_slip(desk: Desk, fact: Fact, language: Language) -> ReturnSlip:
    answer, look = of_return(desk, fact), paper.look(desk, language)
    assert fact.returned is not None
    return ReturnSlip(
        header=look.header,
        logo=desk.logo() if "logo" in look.sections else None,
        receipt_no=answer.receipt_no,
        sale_id=answer.sale_id,
        sale_till=answer.sale_till,
        at=answer.at.astimezone(desk.zone),
        cashier=fact.cashier or "",
        currency=desk.config.store.currency,
        names=fact.returned.names,
        lines=answer.lines,
        charged_minor=answer.charged_minor,
        unpaid_minor=answer.unpaid_minor,
        refund_minor=answer.refund_minor,
        tenders=answer.tenders,
        restored_centi=answer.restored_centi,
        taken_back_centi=answer.taken_back_centi,
        owed_centi=answer.owed_in_all_centi,
        balance_centi=answer.balance_centi,
        withdrawn=answer.withdrawn,
        withdrawn_used=answer.withdrawn_used,
        is_offline=is_cut_off(desk),
    )


def _next_copy(desk: Desk, receipt_no: str, kind: SlipKind) -> int:
    """Raises ConflictError when there were enough."""
    copy = prints.next_copy(desk.db, receipt_no, kind)
    if copy > COPIES_MAX:
        raise ConflictError(f"Receipt {receipt_no} was printed {COPIES_MAX} times; that is enough.")
    return copy


def _kind(stored: StoredSale) -> SlipKind:
    match stored.state:
        case "reversed":
            return "void"
        case "cancelled":
            return "cancelled"
        case _:
            return "sale"
