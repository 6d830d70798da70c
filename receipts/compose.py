"""What a receipt says: a sale with its reasons → elements, section by section in the template's order; layout makes lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from pos_loyalty.config_receipt import Section
from pos_loyalty.engine.model import Adjustment, Line, QuoteLine
from pos_loyalty.i18n import NO_BREAK, WORDS, Language, amount, money, quantity_text, time_text, tr
from pos_loyalty.values import MILLI_PER_UNIT
from receipts import foot_part, member_part
from receipts.coupon_words import coupons_again, coupons_gone
from receipts.elements import Cut, Element, Feed, Row, Rule, Text
from receipts.heading import copy_mark, shop_lines, title
from receipts.model import Receipt

TIMES_INDENT, REASON_INDENT = 2, 4
GIFT_LABEL_SIGNS = 6
"""A gift card is named by the end of its id, as on its own slip."""
SALE_ALONE: frozenset[Section] = frozenset(("tier", "words", "coupons", "referral", "survey", "feedback", "footer"))
"""Not on the slip of a sale that was undone."""
GOODS: frozenset[Section] = frozenset(("lines", "totals", "vat"))
"""Not on a slip that stands beside the host's own receipt."""
HEAD, DETAILS, FOOT = "head", "details", "foot"
PARTS: Mapping[Section, str] = {
    "logo": HEAD, "header": HEAD, "details": DETAILS, "lines": "lines", "totals": "money", "vat": "money",
    "points": "member", "tier": "member", "expiring": "member", "words": "words", "coupons": "coupons",
    "referral": FOOT, "code": FOOT, "survey": FOOT, "feedback": FOOT, "footer": FOOT,
}  # fmt: skip
"""Sections of one part stand together; between two parts there is a line, or a blank one after the head."""


def compose(receipt: Receipt, language: Language) -> tuple[Element, ...]:
    """The whole receipt, cut included."""
    out = list(copy_mark(receipt.copy_no, language))
    part, is_titled = HEAD, False
    for say, following in _plan(receipt.look.sections, receipt.kind == "sale", receipt.look.is_extra):
        said = tuple(say(receipt, language))
        if not said:
            continue
        if following != HEAD and not is_titled:
            is_titled = True
            if part == HEAD and out:
                out.append(Feed())
            out += _title(receipt, language)
        elif following != part and (following != FOOT or part == "coupons"):
            out.append(Rule())
        part = following
        out += said
    out += coupons_gone(receipt.withdrawn, receipt.withdrawn_used, language)
    out += coupons_again(receipt.released, language)
    return (*out, Cut())


@lru_cache(maxsize=64)
def _plan(sections: tuple[Section, ...], is_sale: bool, is_extra: bool) -> tuple[tuple[Say, str], ...]:
    """Who says something, in order, and in which part of the receipt."""
    left = [each for each in sections if (is_sale or each not in SALE_ALONE) and not (is_extra and each in GOODS)]
    return tuple((SAY[each], PARTS[each]) for each in left)


def has_loyalty(receipt: Receipt) -> bool:
    """Whether a slip of the loyalty part alone would say anything to this buyer."""
    sections = receipt.look.sections
    said = ("words" in sections and any(member_part.told(receipt, "ru"))) or ("coupons" in sections and receipt.coupons)
    return receipt.balance_centi is not None or bool((receipt.kind == "sale" and said) or receipt.withdrawn or receipt.released)


def _title(receipt: Receipt, language: Language) -> Iterable[Element]:
    if receipt.kind != "sale":
        return title(tr(language, f"receipt.{receipt.kind}"))
    if receipt.look.is_extra:
        return title(tr(language, "receipt.extra"))
    return title(tr(language, "receipt.exchange")) if receipt.exchanged_no else ()


def _logo(receipt: Receipt, language: Language) -> Iterable[Element]:
    return () if receipt.logo is None else (receipt.logo,)


def _header(receipt: Receipt, language: Language) -> Iterable[Element]:
    return shop_lines(receipt.look.header)


def _details(receipt: Receipt, language: Language) -> Iterable[Element]:
    number = tr(language, "receipt.number", number=receipt.receipt_no).replace(" ", NO_BREAK)
    yield Row(left=number, right=time_text(language, receipt.at).replace(" ", NO_BREAK))
    cashier = tr(language, "receipt.cashier", cashier=receipt.basket.cashier) if receipt.basket.cashier else ""
    card = tr(language, "receipt.card", card=receipt.card).replace(" ", NO_BREAK) if receipt.card else ""
    if cashier or card:
        yield Row(left=cashier, right=card)
    if receipt.exchanged_no:
        yield Text(text=tr(language, "receipt.exchanged", number=receipt.exchanged_no))


def _lines(receipt: Receipt, language: Language) -> Iterable[Element]:
    priced = {line.line_id: line for line in receipt.quote.lines}
    for line in receipt.basket.lines:
        quoted = priced[line.line_id]
        yield from _line(line, quoted, language)
        for adjustment in quoted.adjustments:
            yield _reason(adjustment, receipt, language)


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
    said = title_of(adjustment.rule, receipt, language)
    sign = "+" if adjustment.off_minor < 0 else ""
    return Row(left=said, right=sign + amount(language, -adjustment.off_minor), indent=REASON_INDENT)


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
        yield Row(left=tr(language, "receipt.total"), right=amount(language, quote.total_minor))
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
        yield Row(left=tender_text(tender.kind, language), right=amount(language, tender.amount_minor))
    for card_id, left in receipt.gift_left.items():
        words = tr(language, "receipt.gift_left", label=card_id[-GIFT_LABEL_SIGNS:].upper())
        yield Row(left=words, right=amount(language, left), indent=REASON_INDENT)
    if paid > receipt.quote.due_minor:
        yield Row(left=tr(language, "receipt.change"), right=amount(language, paid - receipt.quote.due_minor))


def tender_text(kind: str, language: Language) -> str:
    """How something was paid, in words of ours; another kind keeps its own word."""
    key = f"tender.{kind}"
    return tr(language, key) if key in WORDS else kind


def _vat(receipt: Receipt, language: Language) -> Iterable[Element]:
    """By rate, the highest first; goods without VAT with what is paid for them. Nothing while no line names a rate."""
    if receipt.kind == "cancelled" or all(line.vat_bp is None for line in receipt.basket.lines):
        return
    priced = {line.line_id: line for line in receipt.quote.lines}
    sums: dict[int, int] = {}
    for line in receipt.basket.lines:
        quoted, rate = priced[line.line_id], -1 if line.vat_bp is None else line.vat_bp
        paid = quoted.net_minor - quoted.points_minor
        sums[rate] = sums.get(rate, 0) + (quoted.vat_minor if rate > 0 else paid)
    for rate, minor in sorted(sums.items(), reverse=True):
        words = tr(language, "receipt.no_vat") if rate < 0 else tr(language, "receipt.vat", percent=_percent(rate, language))
        yield Row(left=words, right=amount(language, minor))


def _percent(rate_bp: int, language: Language) -> str:
    whole = quantity_text(language, rate_bp * 10)
    return f"{whole}{NO_BREAK}%" if language == "ru" else f"{whole}%"


Say = Callable[[Receipt, Language], Iterable[Element]]
SAY: Mapping[Section, Say] = {
    "logo": _logo,
    "header": _header,
    "details": _details,
    "lines": _lines,
    "totals": _totals,
    "vat": _vat,
    "points": member_part.points_said,
    "tier": member_part.tier_said,
    "expiring": member_part.expiring_said,
    "words": member_part.words_said,
    "coupons": foot_part.coupons_said,
    "referral": foot_part.referral_said,
    "code": foot_part.code_said,
    "survey": foot_part.survey_said,
    "feedback": foot_part.feedback_said,
    "footer": foot_part.footer_said,
}
