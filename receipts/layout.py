"""Elements → printed lines for a width in columns. No word is lost, none is split that fits a line; figures keep to the edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from pos_loyalty.errors import InputError
from pos_loyalty.values import Value
from receipts.bars import fits, is_barcode
from receipts.elements import Barcode, BarKind, Cut, Element, Feed, Image, Qr, Row, Rule, Size, Text, Weight
from receipts.glyphs import NO_BREAK, clean, fit, fit_at_once

COLUMNS = (32, 42, 48)
COLUMN_DOTS = 12
QR_BYTES_MAX = 256
RULE_SIGN = "─"
FIGURE_GAP = 1
TEXTS: dict[type[Element], int] = {Row: 2, Text: 1, Rule: 1}
"""How many texts an element shows."""
DASHES = "-–—"


class PrintedLine(Value, tag="line", gc=False):
    """One line: words after ``lead`` blanks, a figure that ends at ``width``. A sign of size ``large`` takes two columns."""

    words: str
    figure: str = ""
    lead: int = 0
    width: int = 0
    weight: Weight = "normal"
    size: Size = "normal"

    @property
    def text(self) -> str:
        """The line padded by spaces, without spaces at its end."""
        words = " " * self.lead + self.words
        return (words + self.figure.rjust(self.width - len(words))).replace(NO_BREAK, " ").rstrip(" ")


class PrintedRule(Value, tag="rule"):
    """A line across the paper, of this sign."""

    sign: str


class PrintedQr(Value, tag="qr"):
    """A QR symbol in the middle."""

    content: str


class PrintedBars(Value, tag="bars"):
    """Bars in the middle, with their signs beneath."""

    kind: BarKind
    content: str


class PrintedImage(Value, tag="image"):
    """Dots in the middle."""

    image: Image


class PrintedFeed(Value, tag="feed"):
    """Blank lines."""

    lines: int


class PrintedCut(Value, tag="cut"):
    """The knife."""


Printed = PrintedLine | PrintedRule | PrintedQr | PrintedBars | PrintedImage | PrintedFeed | PrintedCut


def layout(elements: Iterable[Element], columns: int, page: str | None = None) -> tuple[Printed, ...]:
    """Lay elements out. With a code page every text is fitted to it; without one it is only cleaned. Raises InputError."""
    elements = tuple(elements)
    shown = iter(shown_texts(elements, columns, page))
    return tuple(printed for number, element in enumerate(elements, 1) for printed in laid_out(element, shown, columns, number))


def shown_texts(elements: Sequence[Element], columns: int, page: str | None) -> list[str]:
    """What every text becomes, in order: all at once where that works, else one by one, so that a fault has its place."""
    if columns not in COLUMNS:
        raise InputError("printer.columns", f"{columns} is not one of {', '.join(map(str, COLUMNS))}")
    said: list[str] = []
    for element in elements:
        kind = type(element)
        if kind is Row:
            said += (element.left, element.right)  # type: ignore[union-attr]
        elif kind is Text:
            said.append(element.text)  # type: ignore[union-attr]
        elif kind is Rule:
            said.append(RULE_SIGN)
    at_once = fit_at_once(page, said)
    if at_once is not None:
        return at_once
    if page is None:
        return [clean(text) for text in said]
    places = [_place(number) for number, element in enumerate(elements, 1) for _ in range(TEXTS.get(type(element), 0))]
    return [fit(page, text, place) for text, place in zip(said, places, strict=True)]


def laid_out(element: Element, shown: Iterator[str], columns: int, number: int) -> Sequence[Printed]:
    """One element, given the texts that it shows. ``number`` is its place in the receipt, from one on."""
    match element:
        case Row():
            return row_lines(element, next(shown), next(shown), columns)
        case Text():
            return _text(element, next(shown), columns)
        case Rule():
            return (PrintedRule(sign=next(shown)),)
        case Feed(lines=lines):
            return (PrintedFeed(lines=lines),)
        case Qr(content=content):
            return (_qr(content, number),)
        case Barcode():
            return _bars(element, columns, number)
        case Image():
            return (_image(element, columns, number),)
        case Cut():
            return (PrintedCut(),)
        case _:
            assert_never(element)


def fits_a_line(row: Row, words: str, figure: str, columns: int) -> bool:
    """Whether a row needs no wrapping and no large signs, as most do."""
    return row.size == "normal" and row.indent + len(words) + len(figure) < columns and "  " not in words and words[:1] != " "


def wrap(text: str, width: int) -> list[str]:
    """Break at spaces into lines of at most ``width`` signs. Never empty.

    Only a word longer than a line is split: after a hyphen, where one stands in the line's second half.
    """
    assert width > 0
    if len(text) <= width and "  " not in text:
        return [text.strip(" ")]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if not word:
            continue
        if line and len(line) + 1 + len(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while len(word) > width:
            end = word.rfind("-", 0, width) + 1
            end = end if end * 2 >= width else width
            lines.append(word[:end])
            word = word[end:]
        line = word
    return [*lines, line] if line or not lines else lines


def _text(element: Text, text: str, columns: int) -> list[PrintedLine]:
    size, width = _room(element.size, columns, len(text) + element.indent)
    room = width - element.indent
    if len(text) <= room and "  " not in text:
        words = text.strip(" ")
        left = (width - len(words)) // 2 if element.align == "centre" else element.indent
        return [PrintedLine(words=words, lead=left, weight=element.weight, size=size)]
    text = _with_dashes(text)
    lines = (_balanced if element.align == "centre" else wrap)(text, room)
    lead = [(width - len(line)) // 2 if element.align == "centre" else element.indent for line in lines]
    return [PrintedLine(words=line, lead=left, weight=element.weight, size=size) for left, line in zip(lead, lines, strict=True)]


def _with_dashes(text: str) -> str:
    """A dash between words keeps to the word before it: no line begins with one."""
    for dash in DASHES:
        if dash in text:
            text = text.replace(f" {dash} ", f"{NO_BREAK}{dash} ")
    return text


def _balanced(text: str, width: int) -> list[str]:
    """As few lines as ``wrap`` makes, of about one length: no word stands alone in the middle of the paper."""
    lines = wrap(text, width)
    longest = max(map(len, text.split(" ")))
    for narrower in range(width - 1, longest - 1, -1) if len(lines) > 1 else ():
        closer = wrap(text, narrower)
        if len(closer) > len(lines):
            break
        lines = closer
    return lines


def row_lines(element: Row, left: str, right: str, columns: int) -> list[PrintedLine]:
    """The lines of a row: its words wrap, its figure stands at the end of the last line or beneath."""
    if fits_a_line(element, left, right, columns):
        return [PrintedLine(words=left, figure=right, lead=element.indent, width=columns, weight=element.weight)]
    left = _with_dashes(left)
    size, width = _room(element.size, columns, element.indent + len(left) + FIGURE_GAP + len(right))
    room = width - element.indent - FIGURE_GAP - len(right)
    if room < 1 or (len(left) > room and room < max(map(len, left.split(" ")))):  # the figure takes lines of its own
        lines = [(line, "") for line in wrap(left, width - element.indent) if line] + [("", line) for line in wrap(right, width)]
    else:
        *first, last = wrap(left, room)
        lines = [*((line, "") for line in first), (last, right)]
    lead, weight = element.indent, element.weight
    return [
        PrintedLine(words=words, figure=figure, lead=lead if words else 0, width=width, weight=weight, size=size)
        for words, figure in lines
    ]


def _room(size: Size, columns: int, signs: int) -> tuple[Size, int]:
    if size == "large":
        return ("large", columns // 2) if signs <= columns // 2 else ("tall", columns)
    return size, columns


def _qr(content: str, number: int) -> PrintedQr:
    if not 0 < len(content.encode()) <= QR_BYTES_MAX or not content.isprintable():
        raise InputError(_place(number), f"a QR code holds 1 to {QR_BYTES_MAX} bytes without control signs")
    return PrintedQr(content=content)


def _bars(element: Barcode, columns: int, number: int) -> list[Printed]:
    if not is_barcode(element.kind, element.content):
        raise InputError(_place(number), f'"{element.content[:40]}" cannot be printed as {element.kind}')
    if not fits(element.kind, element.content, columns * COLUMN_DOTS):
        return [PrintedQr(content=element.content), *_text(Text(text="", align="centre"), element.content, columns)]
    return [PrintedBars(kind=element.kind, content=element.content)]


def _image(element: Image, columns: int, number: int) -> PrintedImage:
    if element.wide % 8 or element.wide > columns * COLUMN_DOTS or len(element.rows) != element.wide // 8 * element.high:
        raise InputError(_place(number), f"a picture of {element.wide} × {element.high} dots does not stand on this paper")
    return PrintedImage(image=element)


def _place(number: int) -> str:
    return f"receipt line {number}"
