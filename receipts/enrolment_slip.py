"""The slip of an enrolment: what the new member agreed to, in full and with its version, to be signed. It names nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pos_loyalty.i18n import NO_BREAK, Language, time_text, tr
from pos_loyalty.values import Value
from receipts.elements import Cut, Element, Feed, Image, Row, Rule, Text
from receipts.heading import heading, title

LINE_TO_WRITE_ON = "_" * 20


class ConsentPaper(Value):
    """One consent. ``text`` is the shop's; without one the version alone stands."""

    purpose: Literal["data", "advertising"]
    version: str
    text: str = ""


class EnrolmentSlip(Value, kw_only=True):
    """A stored enrolment. Name and phone are written by hand: the print job is stored in the clear."""

    header: tuple[str, ...] = ()
    logo: Image | None = None
    number: str
    at: datetime
    cashier: str = ""
    card: str | None = None
    """Masked already."""
    consents: tuple[ConsentPaper, ...]


def compose_enrolment(slip: EnrolmentSlip, language: Language) -> tuple[Element, ...]:
    """The whole slip, cut included."""
    return tuple(_elements(slip, language))


def _elements(slip: EnrolmentSlip, language: Language) -> Iterable[Element]:
    yield from heading(slip.header, slip.logo)
    yield from title(tr(language, "consent.title"))
    number = tr(language, "consent.member", member=slip.number).replace(" ", NO_BREAK)
    yield Row(left=number, right=time_text(language, slip.at).replace(" ", NO_BREAK))
    cashier = tr(language, "receipt.cashier", cashier=slip.cashier) if slip.cashier else ""
    card = tr(language, "receipt.card", card=slip.card).replace(" ", NO_BREAK) if slip.card else ""
    if cashier or card:
        yield Row(left=cashier, right=card)
    for consent in slip.consents:
        yield Rule()
        yield Text(text=tr(language, f"consent.{consent.purpose}"), weight="bold")
        for paragraph in consent.text.splitlines():
            yield Text(text=paragraph)
        yield Text(text=tr(language, "consent.version", version=consent.version))
    yield Rule()
    for key in ("consent.name", "consent.signature"):
        yield Feed()
        yield Row(left=tr(language, key), right=LINE_TO_WRITE_ON)
    yield Feed()
    yield Text(text=tr(language, "consent.keep"), align="centre")
    yield Cut()
