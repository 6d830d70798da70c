"""What a receipt says: a sale with its reasons → elements. How it looks is layout's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import field

from pos_loyalty.engine.model import Accrual, Adjustment, Basket, Line, Quote, QuoteLine, Tender
from pos_loyalty.engine.receipt_code import receipt_code
from pos_loyalty.i18n import NO_BREAK, WORDS, Language, amount, day_text, money, points, quantity_text, time_text, tr
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Value
from receipts.elements import Cut, Element, Feed, Qr, Row, Rule, Text

TIMES_INDENT, REASON_INDENT = 2, 4
GIFT_LABEL_SIGNS = 6
"""A gift card is named by the end of its id, as on its own slip."""
INSTANT = timedelta(microseconds=1)
Kind = Literal["sale", "reversed", "cancelled"]


class PaperCoupon(Value):
    """A coupon for the next purchases. Good in [usable_from, expires_at)."""

    code: str
    title: Mapping[str, str] = field(default_factory=dict)
    """By language."""
    usable_from: datetime | None = None
    expires_at: datetime | None = None


class Receipt(Value, kw_only=True):
    """A stored sale, ready to be told. Every instant is shown in the zone that ``at`` carries."""

    kind: Kind = "sale"
    header: tuple[str, ...] = ()
    """The shop's name first; it is shown large."""
    footer: tuple[str, ...] = ()
    receipt_no: str
    sale_id: str
    at: datetime
    basket: Basket
    quote: Quote
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By rule, then by language. A rule without a title is shown by its id."""
    tenders: tuple[Tender, ...] = ()
    card: str | None = None
    """Masked already."""
    balance_centi: Points | None = None
    """After this sale; None without a member."""
    settled_centi: Points = Points(0)
    """Of the points earned: what settled points that were owed."""
    owed_centi: Points = Points(0)
    """What the member owes after this sale."""
    expiring_centi: Points = Points(0)
    expiring_at: datetime | None = None
    """When ``expiring_centi`` burn: the first instant at which they are gone."""
    is_offline: bool = False
    notes: tuple[str, ...] = ()
    """Sentences for the member in the receipt's language: privileges, a membership bought."""
    coupons: tuple[PaperCoupon, ...] = ()
    gift_left: Mapping[str, Minor] = field(default_factory=dict)
    """By the ids of gift cards that paid or were topped up: what they hold now."""
    withdrawn: tuple[str, ...] = ()
    """Codes of coupons that are good no more, for the sale was voided."""
    withdrawn_used: tuple[str, ...] = ()
    """Of these, the ones that were used before."""
    released: tuple[str, ...] = ()
    """Codes of coupons that the sale took and that may be used again."""
    copy_no: int = 0
    """0 is the first print; from 1 on the receipt is headed as a copy."""


def compose(receipt: Receipt, language: Language) -> tuple[Element, ...]:
    """The whole receipt, cut included."""
    return (
        *_head(receipt, language),
        *_lines(receipt, language),
        *_totals(receipt, language),
        *_points(receipt, language),
        *_messages(receipt, language),
        *_coupons(receipt, language),
        *coupons_gone(receipt.withdrawn, receipt.withdrawn_used, language),
        *_coupons_again(receipt, language),
        *_foot(receipt, language),
        Cut(),
    )


def _head(receipt: Receipt, language: Language) -> Iterable[Element]:
    if receipt.copy_no:
        yield Text(text=tr(language, "receipt.copy", copy_no=receipt.copy_no), align="centre", weight="bold")
        yield Feed()
    for place, text in enumerate(receipt.header):
        yield Text(text=text, align="centre", weight="bold", size="large") if place == 0 else Text(text=text, align="centre")
    if receipt.header:
        yield Feed()
    if receipt.kind != "sale":
        yield Text(text=tr(language, f"receipt.{receipt.kind}"), align="centre", weight="bold", size="large")
        yield Feed()
    number = tr(language, "receipt.number", number=receipt.receipt_no).replace(" ", NO_BREAK)
    yield Row(left=number, right=time_text(language, receipt.at).replace(" ", NO_BREAK))
    cashier = tr(language, "receipt.cashier", cashier=receipt.basket.cashier) if receipt.basket.cashier else ""
    card = tr(language, "receipt.card", card=receipt.card).replace(" ", NO_BREAK) if receipt.card else ""
    if cashier or card:
        yield Row(left=cashier, right=card)
    yield Rule()


def _lines(receipt: Receipt, language: Language) -> Iterable[Element]:
    priced = {line.line_id: line for line in receipt.quote.lines}
    for line in receipt.basket.lines:
        quoted = priced[line.line_id]
        yield from _line(line, quoted, language)
        for adjustment in quoted.adjustments:
            yield _reason(adjustment, receipt, language)
    yield Rule()


def _line(line: Line, quoted: QuoteLine, language: Language) -> Iterable[Element]:
    name = line.name or line.sku
    gross = amount(language, quoted.gross_minor)
    if line.measure == "piece" and line.quantity_milli == MILLI_PER_UNIT:
        yield Row(left=name, right=gross)
        return
    unit = f"{NO_BREAK}{tr(language, 'receipt.kg')}" if line.measure == "weight" else ""
    yield Text(text=name)
    times = f"{quantity_text(language, line.quantity_milli)}{unit} × {amount(language, line.price_minor)}"
    yield Row(left=times, right=gross, indent=TIMES_INDENT)


def _reason(adjustment: Adjustment, receipt: Receipt, language: Language) -> Element:
    title = title_of(adjustment.rule, receipt, language)
    sign = "+" if adjustment.off_minor < 0 else ""
    return Row(left=title, right=sign + amount(language, -adjustment.off_minor), indent=REASON_INDENT)


def title_of(rule: str, receipt: Receipt, language: Language) -> str:
    """A rule's title in the language, in another one, or its id. Rules of the engine's own have words of ours."""
    titles = receipt.titles.get(rule, {})
    if f"rule.{rule}" in WORDS and not titles:
        return tr(language, f"rule.{rule}")
    return titles.get(language) or next(filter(None, titles.values()), rule)


def _totals(receipt: Receipt, language: Language) -> Iterable[Element]:
    quote, currency = receipt.quote, receipt.basket.currency
    off = quote.gross_minor - quote.total_minor
    if off:
        yield Row(left=tr(language, "receipt.sum"), right=amount(language, quote.gross_minor))
        yield Row(left=tr(language, "receipt.discounts"), right=amount(language, -off))
    points_minor = quote.redemption.off_minor
    if points_minor:
        yield Row(left=tr(language, "receipt.total"), right=amount(language, quote.total_minor), weight="bold")
        yield Row(left=tr(language, "receipt.points_paid"), right=amount(language, -points_minor))
    due = {"sale": "receipt.due", "reversed": "receipt.refund", "cancelled": "receipt.unpaid"}[receipt.kind]
    if off or points_minor:
        yield Feed()
    unpaid = _unpaid_minor(receipt)
    if unpaid:
        yield Row(left=tr(language, "return.unpaid"), right=amount(language, -unpaid))
    yield Row(left=tr(language, due), right=money(language, quote.due_minor - unpaid, currency), weight="bold", size="large")
    if receipt.kind == "cancelled":
        yield Text(text=tr(language, "receipt.cancelled_note"))
        return
    if receipt.kind == "sale":
        yield from _paid(receipt, language)
        if off + points_minor > 0:
            yield Feed()
            yield Row(left=tr(language, "receipt.saved"), right=money(language, off + points_minor, currency), weight="bold")


def _unpaid_minor(receipt: Receipt) -> int:
    """What of the due of a sale that is undone was never paid: it does not go back. Tenders that are not told paid it all."""
    if receipt.kind != "reversed" or not receipt.tenders:
        return 0
    return max(0, receipt.quote.due_minor - sum(tender.amount_minor for tender in receipt.tenders))


def _paid(receipt: Receipt, language: Language) -> Iterable[Element]:
    paid = 0
    for tender in receipt.tenders:
        paid += tender.amount_minor
        key = f"tender.{tender.kind}"
        yield Row(left=tr(language, key) if key in WORDS else tender.kind, right=amount(language, tender.amount_minor))
    for card_id, left in receipt.gift_left.items():
        words = tr(language, "receipt.gift_left", label=card_id[-GIFT_LABEL_SIGNS:].upper())
        yield Row(left=words, right=amount(language, left), indent=REASON_INDENT)
    if paid > receipt.quote.due_minor:
        yield Row(left=tr(language, "receipt.change"), right=amount(language, paid - receipt.quote.due_minor))


def _points(receipt: Receipt, language: Language) -> Iterable[Element]:
    if receipt.balance_centi is None:
        return
    yield Rule()
    yield Text(text=tr(language, "receipt.points"), weight="bold")
    if receipt.kind == "sale":
        yield from _points_moved(receipt, language)
    elif receipt.kind == "reversed":
        yield from _points_back(receipt, language)
    if receipt.owed_centi:
        yield Row(left=tr(language, "return.owed"), right=points(language, receipt.owed_centi))
    yield Row(left=tr(language, "receipt.balance"), right=points(language, receipt.balance_centi), weight="bold")
    if receipt.expiring_at is not None and receipt.expiring_centi:
        day = day_text(language, _local(receipt.expiring_at, receipt))
        yield Row(left=tr(language, "receipt.expiring", day=day), right=points(language, receipt.expiring_centi))
    if receipt.is_offline:
        yield Text(text=tr(language, "receipt.offline"))


def _points_moved(receipt: Receipt, language: Language) -> Iterable[Element]:
    earned: dict[str, int] = {}
    for accrual in sorted(_own_accruals(receipt.quote), key=lambda accrual: accrual.usable_from):
        is_usable = accrual.usable_from <= receipt.at
        day = day_text(language, _local(accrual.usable_from, receipt))
        words = tr(language, "receipt.earned") if is_usable else tr(language, "receipt.earned_from", day=day)
        earned[words] = earned.get(words, 0) + accrual.centi
    for words, centi in earned.items():
        yield Row(left=words, right="+" + points(language, centi))
    if receipt.settled_centi:
        yield Row(left=tr(language, "receipt.settled"), right=points(language, -receipt.settled_centi))
    if receipt.quote.redemption.centi:
        yield Row(left=tr(language, "receipt.redeemed"), right=points(language, -receipt.quote.redemption.centi))


def _points_back(receipt: Receipt, language: Language) -> Iterable[Element]:
    earned = sum(accrual.centi for accrual in _own_accruals(receipt.quote))
    if receipt.quote.redemption.centi:
        yield Row(left=tr(language, "receipt.points_back"), right="+" + points(language, receipt.quote.redemption.centi))
    if earned:
        yield Row(left=tr(language, "receipt.points_taken"), right=points(language, -earned))


def _own_accruals(quote: Quote) -> list[Accrual]:
    """Without those of a friend who brought the member."""
    return [accrual for accrual in quote.accruals if accrual.member_id in (None, quote.member_id)]


def _messages(receipt: Receipt, language: Language) -> Iterable[Element]:
    if receipt.kind != "sale":
        return
    messages = [message.text for message in receipt.quote.messages if message.where in ("receipt", "both")]
    said = [text.get(language) or next(iter(text.values()), "") for text in messages]
    said += receipt.notes
    if any(said):
        yield Rule()
    for text in filter(None, said):
        yield Text(text=text, align="centre")


def _coupons(receipt: Receipt, language: Language) -> Iterable[Element]:
    """Each with its code in letters and as a symbol that the till's scanner reads."""
    if receipt.kind != "sale":
        return
    for coupon in receipt.coupons:
        yield Rule()
        yield Text(text=tr(language, "receipt.coupon"), align="centre", weight="bold")
        title = coupon.title.get(language) or next(iter(coupon.title.values()), "")
        if title:
            yield Text(text=title, align="centre")
        yield Text(text=coupon.code, align="centre", weight="bold", size="large")
        term = _term(coupon, receipt, language)
        if term:
            yield Text(text=term, align="centre")
        yield Qr(content=coupon.code)
    if receipt.coupons:
        yield Rule()


def coupons_gone(codes: Sequence[str], used: Sequence[str], language: Language) -> Iterable[Element]:
    """Codes that are good no more, and which of them were used."""
    if not codes:
        return
    yield Rule()
    yield Text(text=tr(language, "return.withdrawn"), weight="bold")
    for code in codes:
        yield Row(left=code, right=tr(language, "return.used")) if code in used else Text(text=code)


def _coupons_again(receipt: Receipt, language: Language) -> Iterable[Element]:
    if not receipt.released:
        return
    yield Rule()
    yield Text(text=tr(language, "receipt.released"), weight="bold")
    for code in receipt.released:
        yield Text(text=code)


def _term(coupon: PaperCoupon, receipt: Receipt, language: Language) -> str:
    """From and to, as days that are both good; a coupon that is good at once has no first day."""
    first = last = ""
    if coupon.usable_from is not None and coupon.usable_from > receipt.at:
        first = day_text(language, _local(coupon.usable_from, receipt))
    if coupon.expires_at is not None:
        last = day_text(language, _local(coupon.expires_at - INSTANT, receipt))
    if first and last:
        return tr(language, "receipt.coupon_between", first=first, last=last)
    if first:
        return tr(language, "receipt.coupon_from", first=first)
    return tr(language, "receipt.coupon_to", last=last) if last else ""


def _foot(receipt: Receipt, language: Language) -> Iterable[Element]:
    yield Qr(content=receipt_code(receipt.basket.till, receipt.sale_id))
    if receipt.kind != "sale":
        return
    yield Text(text=tr(language, "receipt.qr"), align="centre")
    if receipt.footer:
        yield Feed()
    for text in receipt.footer:
        yield Text(text=text, align="centre")


def _local(at: datetime, receipt: Receipt) -> datetime:
    return at.astimezone(receipt.at.tzinfo)
