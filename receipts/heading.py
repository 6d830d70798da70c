"""What stands at the top of every slip: that it is a copy, the shop's logo and lines, what kind of slip it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pos_loyalty.i18n import Language, tr
from receipts.elements import Element, Feed, Image, Text


def copy_mark(copy_no: int, language: Language) -> Iterable[Element]:
    """Nothing on the first print."""
    if copy_no:
        yield Text(text=tr(language, "receipt.copy", copy_no=copy_no), align="centre", weight="bold")
        yield Feed()


def shop_lines(header: Sequence[str]) -> Iterable[Element]:
    """The shop's name large, the other lines beneath."""
    for place, text in enumerate(header):
        yield Text(text=text, align="centre", weight="bold", size="large") if place == 0 else Text(text=text, align="centre")


def heading(header: Sequence[str], logo: Image | None) -> Iterable[Element]:
    """Logo and lines with a blank line after them; nothing when there are none."""
    if logo is not None:
        yield logo
    yield from shop_lines(header)
    if header or logo is not None:
        yield Feed()


def title(text: str) -> Iterable[Element]:
    """What kind of slip it is."""
    yield Text(text=text, align="centre", weight="bold", size="large")
    yield Feed()
