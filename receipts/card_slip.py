"""The slip of a card that was made at the till: its number in letters, and a QR of it that nobody else can make."""

from __future__ import annotations

from collections.abc import Iterable

from pos_loyalty.i18n import Language, tr
from pos_loyalty.values import Value
from receipts.elements import Cut, Element, Feed, Image, Qr, Text
from receipts.heading import heading


class CardSlip(Value):
    """What stands on it. Nothing that names the person."""

    number: str
    shown: str = ""
    """What the QR says; empty: the number."""
    header: tuple[str, ...] = ()
    logo: Image | None = None
    footer: tuple[str, ...] = ()


def compose_card(slip: CardSlip, language: Language) -> tuple[Element, ...]:
    """The whole slip, cut included."""
    return tuple(_elements(slip, language))


def _elements(slip: CardSlip, language: Language) -> Iterable[Element]:
    yield from heading(slip.header, slip.logo)
    yield Text(text=tr(language, "receipt.new_card"), align="centre", weight="bold", size="large")
    yield Qr(content=slip.shown or slip.number)
    yield Text(text=slip.number, align="centre")
    yield Text(text=tr(language, "receipt.new_card_note"), align="centre")
    if slip.footer:
        yield Feed()
    for text in slip.footer:
        yield Text(text=text, align="centre")
    yield Cut()
