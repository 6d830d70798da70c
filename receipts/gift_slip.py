"""The slip of new gift cards: one piece of paper each, with the code that is the money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import field

from pos_loyalty.i18n import NO_BREAK, Language, day_text, money, time_text, tr
from pos_loyalty.values import Minor, Value
from receipts.elements import Cut, Element, Feed, Image, Qr, Row, Rule, Text
from receipts.heading import heading

GROUP_SIGNS = 4
"""Codes are told and typed in groups of so many."""
INSTANT = timedelta(microseconds=1)


class GiftPaper(Value, kw_only=True):
    """A gift card on paper. A code with a PIN is a number, shown without a symbol; ``label`` names the card and opens nothing."""

    label: str
    title: Mapping[str, str] = field(default_factory=dict)
    amount_minor: Minor
    currency: str
    code: str
    pin: str | None
    expires_at: datetime | None
    is_bought: bool
    is_frozen: bool = False
    """It pays nothing yet: its sale was not paid in full."""


class GiftSlip(Value, kw_only=True):
    """The cards of one sale, or one that was given."""

    header: tuple[str, ...]
    receipt_no: str
    at: datetime
    papers: tuple[GiftPaper, ...]
    logo: Image | None = None


def compose_gifts(slip: GiftSlip, language: Language) -> tuple[Element, ...]:
    """All of it, with a cut after each card."""
    return tuple(element for paper in slip.papers for element in _card(slip, paper, language))


def _card(slip: GiftSlip, paper: GiftPaper, language: Language) -> Iterable[Element]:
    yield from heading(slip.header, slip.logo)
    yield Text(text=tr(language, "gift.head" if paper.is_bought else "gift.head_gratis"), align="centre", weight="bold")
    title = paper.title.get(language) or next(iter(paper.title.values()), "")
    if title:
        yield Text(text=title, align="centre")
    yield Text(text=money(language, paper.amount_minor, paper.currency), align="centre", weight="bold", size="large")
    yield Rule()
    if paper.pin is None:
        yield Qr(content=paper.code)
    yield Text(text=_grouped(paper.code.rpartition("|")[2]), align="centre", weight="bold")
    if paper.pin is not None:
        yield Text(text=tr(language, "gift.pin", pin=paper.pin), align="centre", weight="bold", size="large")
    if paper.expires_at is not None:
        last = day_text(language, (paper.expires_at - INSTANT).astimezone(slip.at.tzinfo))
        yield Text(text=tr(language, "gift.until", last=last), align="centre")
    if paper.is_frozen:
        yield Text(text=tr(language, "gift.frozen"), align="centre", weight="bold")
    yield Text(text=tr(language, "gift.keep"), align="centre")
    yield Feed()
    yield Row(left=tr(language, "gift.label", label=paper.label), right=time_text(language, slip.at).replace(" ", NO_BREAK))
    yield Text(text=tr(language, "receipt.number", number=slip.receipt_no))
    yield Cut()


def _grouped(code: str) -> str:
    return " ".join(code[start : start + GROUP_SIGNS] for start in range(0, len(code), GROUP_SIGNS))
