"""What the slip of a return says: which goods came back, the refund and how it was paid out, and what became of the points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pos_loyalty.engine.model import Tender
from pos_loyalty.engine.returns import ReturnedLine
from pos_loyalty.i18n import NO_BREAK, Language, amount, money, number, points, quantity_text, time_text, tr
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Value
from receipts.compose import tender_text
from receipts.coupon_words import coupons_gone
from receipts.elements import Cut, Element, Feed, Image, Row, Rule, Text
from receipts.heading import copy_mark, heading, title


class ReturnSlip(Value, kw_only=True):
    """A stored return, ready to be told. ``at`` carries the zone; ``sale_id`` is empty without a receipt."""

    header: tuple[str, ...] = ()
    receipt_no: str
    sale_till: str
    sale_id: str
    at: datetime
    cashier: str
    currency: str
    names: Mapping[str, str]
    """What the goods are called, by line; a line without a name is shown by its id."""
    lines: tuple[ReturnedLine, ...]
    charged_minor: Minor
    unpaid_minor: Minor
    refund_minor: Minor
    tenders: tuple[Tender, ...]
    restored_centi: Points
    taken_back_centi: Points
    owed_centi: Points
    """What the member owes in all."""
    balance_centi: Points | None
    """After this return; None without a member."""
    withdrawn: tuple[str, ...] = ()
    """Codes of coupons that are good no more."""
    withdrawn_used: tuple[str, ...] = ()
    """Of these, the ones that were used before."""
    is_offline: bool = False
    logo: Image | None = None
    copy_no: int = 0
    """0 is the first print; from 1 on the slip is headed as a copy."""


def compose_return(slip: ReturnSlip, language: Language) -> tuple[Element, ...]:
    """The whole slip, cut included."""
    return (
        *_head(slip, language),
        *_lines(slip, language),
        *_refund(slip, language),
        *_points(slip, language),
        *coupons_gone(slip.withdrawn, slip.withdrawn_used, language),
        Cut(),
    )


def _head(slip: ReturnSlip, language: Language) -> Iterable[Element]:
    yield from copy_mark(slip.copy_no, language)
    yield from heading(slip.header, slip.logo)
    yield from title(tr(language, "return.title"))
    shown = tr(language, "receipt.number", number=slip.receipt_no).replace(" ", NO_BREAK)
    yield Row(left=shown, right=time_text(language, slip.at).replace(" ", NO_BREAK))
    if slip.cashier:
        yield Text(text=tr(language, "receipt.cashier", cashier=slip.cashier))
    if slip.sale_id:
        yield Text(text=tr(language, "return.of_sale", sale=slip.sale_id, till=slip.sale_till))
    else:
        yield Text(text=tr(language, "return.no_receipt"))
    yield Rule()


def _lines(slip: ReturnSlip, language: Language) -> Iterable[Element]:
    for line in slip.lines:
        name = slip.names.get(line.line_id, line.line_id)
        if line.quantity_milli != MILLI_PER_UNIT:
            name = f"{name}{NO_BREAK}×{NO_BREAK}{quantity_text(language, line.quantity_milli)}"
        yield Row(left=name, right=amount(language, line.refund_minor))
        if line.points_minor:
            yield Row(left=tr(language, "return.by_points"), right=amount(language, line.points_minor), indent=2)
    yield Rule()


def _refund(slip: ReturnSlip, language: Language) -> Iterable[Element]:
    if slip.charged_minor:
        key = "return.charged" if slip.charged_minor > 0 else "return.uncharged"
        yield Row(left=tr(language, key), right=amount(language, -slip.charged_minor))
    if slip.unpaid_minor:
        yield Row(left=tr(language, "return.unpaid"), right=amount(language, -slip.unpaid_minor))
    if slip.charged_minor or slip.unpaid_minor:
        yield Feed()
    refund = money(language, slip.refund_minor, slip.currency)
    yield Row(left=tr(language, "receipt.refund"), right=refund, weight="bold", size="large")
    for tender in slip.tenders:
        yield Row(left=tender_text(tender.kind, language), right=amount(language, tender.amount_minor))


def _points(slip: ReturnSlip, language: Language) -> Iterable[Element]:
    if slip.balance_centi is None:
        return
    yield Rule()
    yield Text(text=tr(language, "receipt.points"))
    if slip.restored_centi:
        yield Row(left=tr(language, "receipt.points_back"), right="+" + number(language, slip.restored_centi))
    if slip.taken_back_centi:
        yield Row(left=tr(language, "receipt.points_taken"), right=number(language, -slip.taken_back_centi))
    if slip.owed_centi:
        yield Row(left=tr(language, "return.owed"), right=number(language, slip.owed_centi))
    yield Row(left=tr(language, "receipt.balance"), right=points(language, slip.balance_centi), weight="bold")
    if slip.is_offline:
        yield Text(text=tr(language, "receipt.offline"))
