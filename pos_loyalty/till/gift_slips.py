"""Slips of new gift cards: the one place where their codes are printed. There are no copies; the bytes are wiped then."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.store import prints
from pos_loyalty.store.gift_codes import Code
from pos_loyalty.till import paper
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from receipts.elements import Element
from receipts.gift_slip import GiftPaper, GiftSlip, compose_gifts


def queue(desk: Desk, receipt_no: str, sale_id: str | None, made: Sequence[tuple[GiftCardAnswer, Code]]) -> None:
    """Lay the slip of new cards into the spool, in the transaction that made them. Without a printer the answer has the codes."""
    if not made or not paper.is_printing(desk):
        return
    papers = tuple(_paper(card, code) for card, code in made)
    plain = tuple(replace(each, title={}) for each in papers)
    slip = paper.Slip(receipt_no=receipt_no, kind=prints.SECRET_KIND, sale_id=sale_id)
    paper.lay(desk, slip, (_elements(desk, receipt_no, tried) for tried in (papers, plain)))


def _paper(card: GiftCardAnswer, code: Code) -> GiftPaper:
    return GiftPaper(
        label=card.label, title=card.title, amount_minor=card.face_minor, currency=card.currency, code=code.text, pin=code.pin,
        expires_at=card.expires_at, is_bought=card.kind == "bought",
        is_frozen=card.state == "frozen",
    )  # fmt: skip


def _elements(desk: Desk, receipt_no: str, papers: tuple[GiftPaper, ...]) -> tuple[Element, ...]:
    look = paper.look(desk)
    slip = GiftSlip(
        header=look.header,
        logo=desk.logo() if "logo" in look.sections else None,
        receipt_no=receipt_no,
        at=desk.now().astimezone(desk.zone),
        papers=papers,
    )
    return compose_gifts(slip, desk.config.receipt.language)
