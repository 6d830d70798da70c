"""Elements → printed lines for a width in columns. No word is lost, none is split that fits a line; figures keep to the edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
DASHES = "-–—"


class PrintedLine(Value, tag="line"):
    """One line, padded by spaces, without spaces at its end. A sign of size ``large`` takes two columns."""

    text: str
    weight: Weight = "normal"
    size: Size = "normal"


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
    if columns not in COLUMNS:
        raise InputError("printer.columns", f"{columns} is not one of {', '.join(map(str, COLUMNS))}")
    elements = tuple(elements)
    shown = iter(_shown(elements, page))
    out: list[Printed] = []
    for number, element in enumerate(elements, 1):
        match element:
            case Row():
                out += _row(element, next(shown), next(shown), columns)
            case Text():
                out += _text(element, next(shown), columns)
            case Rule():
                out.append(PrintedRule(sign=next(shown)))
            case Feed(lines=lines):
                out.append(PrintedFeed(lines=lines))
            case Qr(content=content):
                out.append(_qr(content, number))
            case Barcode():
                out += _bars(element, columns, number)
            case Image():
                out.append(_image(element, columns, number))
            case Cut():
                out.append(PrintedCut())
            case _:
                assert_never(element)
    return tuple(out)


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


def _shown(elements: Sequence[Element], page: str | None) -> list[str]:
    """What every text becomes, in order: all at once where that works, else one by one, so that a fault has its place."""
    said: list[str] = []
    places: list[int] = []
    for number, element in enumerate(elements, 1):
        if isinstance(element, Row):
            said += (element.left, element.right)
            places += (number, number)
        elif isinstance(element, Text | Rule):
            said.append(element.text if isinstance(element, Text) else RULE_SIGN)
            places.append(number)
    at_once = fit_at_once(page, said)
    if at_once is not None:
        return at_once
    if page is None:
        return [clean(text) for text in said]
    return [fit(page, text, _place(number)) for number, text in zip(places, said, strict=True)]


def _text(element: Text, text: str, columns: int) -> list[PrintedLine]:
    size, width = _room(element.size, columns, len(text) + element.indent)
    if len(text) > width:
        text = _with_dashes(text)
    lines = (_balanced if element.align == "centre" else wrap)(text, width - element.indent)
    lead = [(width - len(line)) // 2 if element.align == "centre" else element.indent for line in lines]
    return [_line(" " * left + line, element.weight, size) for left, line in zip(lead, lines, strict=True)]


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


def _row(element: Row, left: str, right: str, columns: int) -> list[PrintedLine]:
    if element.size == "normal" and element.indent + len(left) + FIGURE_GAP + len(right) <= columns and "  " not in left:
        line = " " * element.indent + left.strip(" ")
        return [_line(line + right.rjust(columns - len(line)), element.weight, "normal")]
    left = _with_dashes(left)
    size, width = _room(element.size, columns, element.indent + len(left) + FIGURE_GAP + len(right))
    room = width - element.indent - FIGURE_GAP - len(right)
    indent = " " * element.indent
    if len(left) > room and room < max(map(len, left.split(" "))):  # the figure takes lines of its own
        lines = [indent + line for line in wrap(left, width - element.indent)]
        lines += [line.rjust(width) for line in wrap(right, width)]
    else:
        lines = [indent + line for line in wrap(left, room)]
        lines[-1] += right.rjust(width - len(lines[-1]))
    return [_line(line, element.weight, size) for line in lines]


def _room(size: Size, columns: int, signs: int) -> tuple[Size, int]:
    if size == "large":
        return ("large", columns // 2) if signs <= columns // 2 else ("tall", columns)
    return size, columns


def _line(text: str, weight: Weight, size: Size) -> PrintedLine:
    return PrintedLine(text=text.replace(NO_BREAK, " ").rstrip(" "), weight=weight, size=size)


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
