"""What a receipt says to the member: points, tier, what runs out, and the programme's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pos_loyalty.engine.model import Accrual, Quote
from pos_loyalty.i18n import Language, date_text, day_text, money, number, points, tr
from receipts.elements import Element, Row, Text
from receipts.model import Receipt, TierProgress

WAITING_INDENT = 2


def points_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """What the sale brought and took, what is there after it, what waits and what is owed. The balance alone names its unit."""
    if receipt.balance_centi is None:
        return
    yield Text(text=tr(language, "receipt.points"))
    if receipt.look.is_extra and receipt.kind == "sale":
        yield from _saved(receipt, language)
    if receipt.kind == "sale":
        yield from _moved(receipt, language)
    elif receipt.kind == "reversed":
        yield from _back(receipt, language)
    yield Row(left=tr(language, "receipt.balance"), right=points(language, receipt.balance_centi), weight="bold")
    yield from _waiting(receipt, language)
    if receipt.owed_centi:
        yield Row(left=tr(language, "return.owed"), right=number(language, receipt.owed_centi))
    if receipt.is_offline:
        yield Text(text=tr(language, "receipt.offline"))


def tier_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """What is left to the next tier, or which one the member has when there is none above it."""
    tier = receipt.tier
    if tier is None or receipt.balance_centi is None:
        return
    if tier.next_title and tier.missing > 0:
        name = _in(tier.next_title, language)
        key = "tier.next" if tier.by is None else "tier.next_by"
        day = "" if tier.by is None else date_text(language, tier.by)
        yield Row(left=tr(language, key, tier=name, day=day), right=_missing(tier, receipt, language))
    elif tier.title:
        yield Row(left=tr(language, "tier.yours"), right=_in(tier.title, language))


def expiring_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """What runs out and on which day it is gone."""
    if receipt.balance_centi is None:
        return
    for each in receipt.expiring:
        yield Row(left=tr(language, "receipt.expiring", day=_day(each.at, receipt, language)), right=points(language, each.centi))


def words_said(receipt: Receipt, language: Language) -> Iterable[Element]:
    """What the programme says, and what the member is told of privileges, memberships and the tier."""
    for text in told(receipt, language):
        yield Text(text=text, align="centre")


def told(receipt: Receipt, language: Language) -> Iterable[str]:
    """The sentences of ``words_said``."""
    for message in receipt.quote.messages:
        if message.where in ("receipt", "both"):
            text = _in(message.text, language)
            if text:
                yield text
    yield from filter(None, receipt.notes)


def _moved(receipt: Receipt, language: Language) -> Iterable[Element]:
    accrued: dict[str, int] = {}
    for accrual in sorted(_own(receipt.quote), key=lambda accrual: accrual.usable_from):
        is_usable = accrual.usable_from <= receipt.at
        day = "" if is_usable else _day(accrual.usable_from, receipt, language)
        words = tr(language, "receipt.earned") if is_usable else tr(language, "receipt.earned_from", day=day)
        accrued[words] = accrued.get(words, 0) + accrual.centi
    for words, centi in accrued.items():
        yield Row(left=words, right="+" + number(language, centi))
    if receipt.settled_centi:
        yield Row(left=tr(language, "receipt.settled"), right=number(language, -receipt.settled_centi))
    if receipt.quote.redemption.centi:
        yield Row(left=tr(language, "receipt.redeemed"), right=number(language, -receipt.quote.redemption.centi))


def _back(receipt: Receipt, language: Language) -> Iterable[Element]:
    accrued = sum(accrual.centi for accrual in _own(receipt.quote))
    if receipt.quote.redemption.centi:
        yield Row(left=tr(language, "receipt.points_back"), right="+" + number(language, receipt.quote.redemption.centi))
    if accrued:
        yield Row(left=tr(language, "receipt.points_taken"), right=number(language, -accrued))


def _waiting(receipt: Receipt, language: Language) -> Iterable[Element]:
    """Of the balance, what is not usable yet; not said again where this sale alone brought it and says so above."""
    own = sum(accrual.centi for accrual in _own(receipt.quote) if accrual.usable_from > receipt.at)
    if receipt.kind == "sale" and own == sum(each.centi for each in receipt.waiting):
        return
    for each in receipt.waiting:
        words = tr(language, "receipt.waiting", day=_day(each.at, receipt, language))
        yield Row(left=words, right=number(language, each.centi), indent=WAITING_INDENT)


def _saved(receipt: Receipt, language: Language) -> Iterable[Element]:
    quote = receipt.quote
    off = quote.gross_minor - quote.total_minor + quote.redemption.off_minor
    if off > 0:
        yield Row(left=tr(language, "receipt.saved"), right=money(language, off, receipt.basket.currency))


def _own(quote: Quote) -> list[Accrual]:
    """Without those of a friend who brought the member."""
    return [accrual for accrual in quote.accruals if accrual.member_id in (None, quote.member_id)]


def _missing(tier: TierProgress, receipt: Receipt, language: Language) -> str:
    match tier.measure:
        case "spent":
            return money(language, tier.missing, receipt.basket.currency)
        case "visits":
            return tr(language, "tier.visits", count=tier.missing)
        case "points":
            return points(language, tier.missing)


def _in(said: Mapping[str, str], language: Language) -> str:
    return said.get(language) or next(iter(said.values()), "")


def _day(at: datetime, receipt: Receipt, language: Language) -> str:
    return day_text(language, at.astimezone(receipt.at.tzinfo))
