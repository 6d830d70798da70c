"""The shift report: what a till sold on a business day, what came back, how it was paid, and what points moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from msgspec import field

from pos_loyalty.i18n import NO_BREAK, Language, amount, date_text, money, points, time_text, tr
from pos_loyalty.values import Minor, Points, Value
from receipts.compose import tender_text
from receipts.elements import Cut, Element, Feed, Image, Row, Rule, Text
from receipts.heading import heading, title


class ShiftSlip(Value, kw_only=True):
    """The sums of one till and one business day, up to now. Completed sales count; reversed ones stand apart."""

    header: tuple[str, ...] = ()
    logo: Image | None = None
    till: str
    day: date
    at: datetime
    currency: str
    sales: int = 0
    with_card: int = 0
    gross_minor: Minor = Minor(0)
    total_minor: Minor = Minor(0)
    due_minor: Minor = Minor(0)
    accrued_centi: Points = Points(0)
    redeemed_centi: Points = Points(0)
    reversed_sales: int = 0
    reversed_minor: Minor = Minor(0)
    cancelled_sales: int = 0
    open_sales: int = 0
    returns: int = 0
    refunded_minor: Minor = Minor(0)
    restored_centi: Points = Points(0)
    taken_centi: Points = Points(0)
    paid: Mapping[str, int] = field(default_factory=dict)
    """By kind of tender, without the change."""
    paid_back: Mapping[str, int] = field(default_factory=dict)


def compose_shift(slip: ShiftSlip, language: Language) -> tuple[Element, ...]:
    """The whole slip, cut included."""
    return tuple(_elements(slip, language))


def _elements(slip: ShiftSlip, language: Language) -> Iterable[Element]:
    yield from heading(slip.header, slip.logo)
    yield from title(tr(language, "shift.title"))
    yield Row(left=tr(language, "shift.till", till=slip.till), right=tr(language, "shift.day", day=date_text(language, slip.day)))
    yield Text(text=tr(language, "shift.made", at=time_text(language, slip.at).replace(" ", NO_BREAK)))
    yield Rule()
    yield Row(
        left=tr(language, "shift.sales", count=slip.sales), right=money(language, slip.due_minor, slip.currency), weight="bold"
    )
    if slip.with_card:
        yield Row(left=tr(language, "shift.with_card"), right=str(slip.with_card), indent=2)
    if slip.sales:
        yield Row(left=tr(language, "shift.gross"), right=amount(language, slip.gross_minor), indent=2)
        yield Row(left=tr(language, "receipt.discounts"), right=amount(language, slip.total_minor - slip.gross_minor), indent=2)
        yield Row(left=tr(language, "receipt.points_paid"), right=amount(language, slip.due_minor - slip.total_minor), indent=2)
    back = money(language, -slip.refunded_minor, slip.currency)
    yield Row(left=tr(language, "shift.returns", count=slip.returns), right=back, weight="bold")
    if slip.reversed_sales:
        yield Row(left=tr(language, "shift.voided", count=slip.reversed_sales), right=amount(language, slip.reversed_minor))
    for key, count in (("shift.cancelled", slip.cancelled_sales), ("shift.open", slip.open_sales)):
        if count:
            yield Row(left=tr(language, key), right=str(count))
    yield from _tenders("shift.paid", slip.paid, language)
    yield from _tenders("shift.paid_back", slip.paid_back, language)
    yield from _points(slip, language)
    yield Feed()
    yield Cut()


def _tenders(key: str, sums: Mapping[str, int], language: Language) -> Iterable[Element]:
    if not sums:
        return
    yield Rule()
    yield Text(text=tr(language, key))
    for kind, minor in sorted(sums.items()):
        yield Row(left=tender_text(kind, language), right=amount(language, minor))
    if len(sums) > 1:
        yield Row(left=tr(language, "receipt.total"), right=amount(language, sum(sums.values())), weight="bold")


def _points(slip: ShiftSlip, language: Language) -> Iterable[Element]:
    moved = (
        ("receipt.earned", slip.accrued_centi),
        ("receipt.redeemed", -slip.redeemed_centi),
        ("receipt.points_back", slip.restored_centi),
        ("shift.taken_back", -slip.taken_centi),
    )
    if not any(centi for _, centi in moved):
        return
    yield Rule()
    yield Text(text=tr(language, "receipt.points"))
    for key, centi in moved:
        if centi:
            yield Row(left=tr(language, key), right=("+" if centi > 0 else "") + points(language, centi))
