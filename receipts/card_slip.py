"""The slip of a card that was made at the till: its number in letters and as a symbol that the scanner reads."""

from __future__ import annotations

from collections.abc import Iterable

from pos_loyalty.i18n import Language, tr
from pos_loyalty.values import Value
from receipts.elements import Cut, Element, Feed, Qr, Text


class CardSlip(Value):
    """What stands on it. Nothing that names the person."""

    number: str
    header: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()


def compose_card(slip: CardSlip, language: Language) -> tuple[Element, ...]:
    """The whole slip, cut included."""
    return tuple(_elements(slip, language))


def _elements(slip: CardSlip, language: Language) -> Iterable[Element]:
    for place, text in enumerate(slip.header):
        yield Text(text=text, align="centre", weight="bold") if place == 0 else Text(text=text, align="centre")
    yield Feed()
    yield Text(text=tr(language, "receipt.new_card"), align="centre", weight="bold", size="large")
    yield Qr(content=slip.number)
    yield Text(text=slip.number, align="centre")
    yield Text(text=tr(language, "receipt.new_card_note"), align="centre")
    for text in slip.footer:
        yield Text(text=text, align="centre")
    yield Cut()
