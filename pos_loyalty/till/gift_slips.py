"""Slips of new gift cards: the one place where their codes are printed. There are no copies; the bytes are wiped then."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.errors import InputError
from pos_loyalty.store import prints
from pos_loyalty.store.gift_codes import Code
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from receipts.escpos import to_escpos
from receipts.gift_slip import GiftPaper, GiftSlip, compose_gifts


def queue(desk: Desk, receipt_no: str, sale_id: str | None, made: Sequence[tuple[GiftCardAnswer, Code]]) -> None:
    """Lay the slip of new cards into the spool, in the transaction that made them. Without a printer the answer has the codes."""
    if not made or desk.config.printer is None:
        return
    papers = tuple(_paper(card, code) for card, code in made)
    body = _bytes(desk, receipt_no, papers) or _bytes(desk, receipt_no, tuple(_plain(paper) for paper in papers))
    draft = prints.PrintDraft(sale_id=sale_id, receipt_no=receipt_no, kind=prints.SECRET_KIND, body=body)
    job_id = prints.enqueue(desk.db, draft, desk.now())
    if not body:
        prints.move(desk.db, job_id, "failed", desk.now(), "its header cannot be printed in the printer's code page")


def _paper(card: GiftCardAnswer, code: Code) -> GiftPaper:
    return GiftPaper(
        label=card.label, title=card.title, amount_minor=card.face_minor, currency=card.currency, code=code.text, pin=code.pin,
        expires_at=card.expires_at, is_bought=card.kind == "bought",
        is_frozen=card.state == "frozen",
    )  # fmt: skip


def _plain(paper: GiftPaper) -> GiftPaper:
    from msgspec.structs import replace

    return replace(paper, title={})


def _bytes(desk: Desk, receipt_no: str, papers: tuple[GiftPaper, ...]) -> bytes:
    """Empty when a sign cannot be printed."""
    printer = desk.config.printer
    assert printer is not None
    header = desk.config.receipt.header or (desk.config.store.name,)
    at = desk.now().astimezone(desk.zone)
    slip = GiftSlip(header=header, receipt_no=receipt_no, at=at, papers=papers)
    try:
        elements = compose_gifts(slip, desk.config.receipt.language)
        return to_escpos(elements, columns=printer.columns, page=printer.page, slot=printer.slot)
    except InputError:
        return b""
