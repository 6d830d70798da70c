"""Elements → plain text, as it stands on the paper. Signs keep their own form: no code page limits a screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from receipts.elements import Element, Row, Text
from receipts.glyphs import NO_BREAK
from receipts.layout import (
    PrintedBars,
    PrintedCut,
    PrintedFeed,
    PrintedImage,
    PrintedLine,
    PrintedQr,
    PrintedRule,
    layout,
    wrap,
)

BAR_NAMES = {"ean13": "EAN-13", "code128": "Code 128"}


def to_text(elements: Iterable[Element], columns: int) -> str:
    """Lines of at most ``columns`` signs, each with a line feed; what is large on paper keeps to the same edges here."""
    out: list[str] = []
    for printed in layout(map(_of_one_width, elements), columns):
        match printed:
            case PrintedLine(text=text):
                out.append(text)
            case PrintedRule(sign=sign):
                out.append(sign * columns)
            case PrintedQr(content=content):
                out += ["", *(part.center(columns).rstrip() for part in _whole(f"[QR {content}]", columns)), ""]
            case PrintedBars(kind=kind, content=content):
                out += ["", f"[{BAR_NAMES[kind]} {content}]".center(columns).rstrip()]
            case PrintedImage(image=image):
                out += [f"[{image.wide} × {image.high}]".center(columns).rstrip(), ""]
            case PrintedFeed(lines=lines):
                out += [""] * lines
            case PrintedCut():
                pass
            case _:
                assert_never(printed)
    return "\n".join(out) + "\n"


def _whole(code: str, columns: int) -> list[str]:
    """A code over as many lines as it takes: put together they are the code again, its spaces too but for those at their ends."""
    return [part.replace(NO_BREAK, " ") for part in wrap(code.replace(" ", NO_BREAK), columns)]


def _of_one_width(element: Element) -> Element:
    if isinstance(element, Text | Row) and element.size == "large":
        return replace(element, size="tall")
    return element
