"""What a receipt is made of, before anybody knows how wide the paper is."""

from __future__ import annotations

from typing import Literal

from pos_loyalty.values import Value

Align = Literal["left", "centre"]
Weight = Literal["normal", "bold"]
BarKind = Literal["ean13", "code128"]
Size = Literal["normal", "tall", "large"]
"""``tall`` is of double height; ``large`` is also of double width, and falls back to ``tall`` where it does not fit one line."""


class Text(Value, tag="text", gc=False):
    """Words that wrap at spaces."""

    text: str
    align: Align = "left"
    weight: Weight = "normal"
    size: Size = "normal"
    indent: int = 0


class Row(Value, tag="row", gc=False):
    """Words at the left, a figure at the right edge of their last line. Only the words wrap."""

    left: str
    right: str
    weight: Weight = "normal"
    size: Size = "normal"
    indent: int = 0


class Rule(Value, tag="rule"):
    """A line across the paper."""


class Qr(Value, tag="qr"):
    """A QR symbol in the middle of the paper, with its quiet zone."""

    content: str


class Barcode(Value, tag="barcode"):
    """Bars in the middle of the paper with their signs beneath; a QR symbol where they are wider than the paper.

    ``ean13``: 13 digits, the last one the check digit. ``code128``: printable ASCII.
    """

    content: str
    kind: BarKind


class Image(Value, tag="image"):
    """A picture in the middle of the paper. Rows from the top, eight dots a byte from the left, a set bit is black."""

    wide: int
    """In dots, a multiple of eight."""
    high: int
    rows: bytes


class Feed(Value, tag="feed"):
    """Blank lines."""

    lines: int = 1


class Cut(Value, tag="cut"):
    """The end of a slip: the paper is fed past the knife and cut in part."""


Element = Text | Row | Rule | Qr | Barcode | Image | Feed | Cut
