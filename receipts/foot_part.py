"""What a buyer takes along: coupons, the member's own code for friends, the receipt's code, a question, the shop's last lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pos_loyalty.engine.receipt_code import receipt_code
from pos_loyalty.i18n import Language, day_text, tr
from receipts.bars import is_barcode, is_ean13
from receipts.elements import Barcode, Element, Feed, Qr, Rule, Text
from receipts.model import PaperCoupon, Receipt

INSTANT = timedelta(microseconds=1)


def coupons_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """Each with its code in letters and as a symbol that the till's scanner reads."""
    for place, coupon in enumerate(receipt.coupons):
        if place:
            yield Rule()
        yield Text(text=tr(language, "receipt.coupon"), align="centre", weight="bold")
        words = coupon.title.get(language) or next(iter(coupon.title.values()), "")
        if words:
            yield Text(text=words, align="centre")
        term = _term(coupon, receipt, language)
        has_bars = receipt.look.has_bars and is_barcode("code128", coupon.code)
        if not has_bars:
            yield Text(text=coupon.code, align="centre", weight="bold", size="large")
        if term:
            yield Text(text=term, align="centre")
        if has_bars:
            yield Barcode(content=coupon.code, kind="ean13" if is_ean13(coupon.code) else "code128")
        else:
            yield Qr(content=coupon.code)


def referral_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """The member's own code, beneath the shop's words on it."""
    if not receipt.referral_code:
        return
    yield Feed()
    yield Text(text=receipt.look.referral or tr(language, "receipt.referral"), align="centre")
    yield Text(text=receipt.referral_code, align="centre", weight="bold", size="large")


def code_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """A QR symbol by which a return finds the sale at any till."""
    yield Qr(content=receipt_code(receipt.basket.till, receipt.sale_id))
    if receipt.kind == "sale":
        yield Text(text=tr(language, "receipt.qr"), align="centre")


def survey_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """The shop's question."""
    if receipt.look.survey:
        yield Feed()
        yield Text(text=receipt.look.survey, align="centre")


def feedback_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """A QR symbol of the page where the buyer says what they think."""
    url = receipt.look.feedback_url
    if not url:
        return
    for hole, value in (("{store}", receipt.basket.store), ("{till}", receipt.basket.till), ("{receipt}", receipt.receipt_no)):
        url = url.replace(hole, value)
    yield Qr(content=url)
    yield Text(text=receipt.look.feedback or tr(language, "receipt.feedback"), align="centre")


def footer_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """The shop's last lines."""
    if receipt.look.footer:
        yield Feed()
    for text in receipt.look.footer:
        yield Text(text=text, align="centre")


def _term(coupon: PaperCoupon, receipt: Receipt, language: Language) -> str:
    """From and to, as days that are both good; a coupon that is good at once has no first day."""
    first = last = ""
    if coupon.usable_from is not None and coupon.usable_from > receipt.at:
        first = _day(coupon.usable_from, receipt, language)
    if coupon.expires_at is not None:
        last = _day(coupon.expires_at - INSTANT, receipt, language)
    if first and last:
        return tr(language, "receipt.coupon_between", first=first, last=last)
    if first:
        return tr(language, "receipt.coupon_from", first=first)
    return tr(language, "receipt.coupon_to", last=last) if last else ""


def _day(at: datetime, receipt: Receipt, language: Language) -> str:
    return day_text(language, at.astimezone(receipt.at.tzinfo))
