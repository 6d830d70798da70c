"""Elements → printed lines for a width in columns. No word is lost, none is split that fits a line; figures keep to the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from pos_loyalty.errors import InputError
from pos_loyalty.values import Value
from receipts.elements import Cut, Element, Feed, Qr, Row, Rule, Size, Text, Weight
from receipts.glyphs import NO_BREAK, clean

COLUMNS = (32, 42, 48)
QR_BYTES_MAX = 256
RULE_SIGN = "─"
FIGURE_GAP = 1
Fit = Callable[[str, str], str]
"""Takes a text and its place; gives what the medium can show."""


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


class PrintedFeed(Value, tag="feed"):
    """Blank lines."""

    lines: int


class PrintedCut(Value, tag="cut"):
    """The knife."""


Printed = PrintedLine | PrintedRule | PrintedQr | PrintedFeed | PrintedCut


def layout(elements: Iterable[Element], columns: int, fit: Fit | None = None) -> tuple[Printed, ...]:
    """Lay elements out. ``fit`` makes each text printable first; without it the text is only cleaned."""
    if columns not in COLUMNS:
        raise InputError("printer.columns", f"{columns} is not one of {', '.join(map(str, COLUMNS))}")
    shown: Fit = fit or _clean
    out: list[Printed] = []
    for number, element in enumerate(elements, 1):
        place = f"receipt line {number}"
        match element:
            case Text():
                out += _text(element, shown(element.text, place), columns)
            case Row():
                out += _row(element, shown(element.left, place), shown(element.right, place), columns)
            case Rule():
                out.append(PrintedRule(sign=shown(RULE_SIGN, place)))
            case Qr(content=content):
                out.append(PrintedQr(content=_checked(content, place)))
            case Feed(lines=lines):
                out.append(PrintedFeed(lines=lines))
            case Cut():
                out.append(PrintedCut())
            case _:
                assert_never(element)
    return tuple(out)


def wrap(text: str, width: int) -> list[str]:
    """Break at spaces into lines of at most ``width`` signs. Only a word longer than a line is split. Never empty."""
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
            lines.append(word[:width])
            word = word[width:]
        line = word
    return [*lines, line] if line or not lines else lines


def _text(element: Text, text: str, columns: int) -> list[Printed]:
    size, width = _room(element.size, columns, len(text) + element.indent)
    lines = wrap(text, width - element.indent)
    lead = [(width - len(line)) // 2 if element.align == "centre" else element.indent for line in lines]
    return [_line(" " * left + line, element.weight, size) for left, line in zip(lead, lines, strict=True)]


def _row(element: Row, left: str, right: str, columns: int) -> list[Printed]:
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


def _checked(content: str, place: str) -> str:
    if not 0 < len(content.encode()) <= QR_BYTES_MAX or not content.isprintable():
        raise InputError(place, f"a QR code holds 1 to {QR_BYTES_MAX} bytes without control signs")
    return content


def _clean(text: str, _: str) -> str:
    return clean(text)
