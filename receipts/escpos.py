"""Elements → ESC/POS bytes on one code page. The page is switched at most once; nothing in a text can become a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from pos_loyalty.errors import InputError
from receipts.bars import MODULE_DOTS, printer_data
from receipts.elements import BarKind, Element, Image, Size
from receipts.glyphs import check_page, encoded
from receipts.layout import (
    PrintedBars,
    PrintedCut,
    PrintedFeed,
    PrintedImage,
    PrintedLine,
    PrintedQr,
    PrintedRule,
    layout,
)

INITIALISE = b"\x1b@"
CUT_IN_PART = "\x1bd\x04\x1dV\x01"
"""Feed of four lines, so that the last one is past the knife."""
SLOT_MAX = 255
TAB_COLUMNS = 8
GAP = "   "
RULE_WIDTHS = {32: 8, 42: 7, 48: 8}
"""A rule is written in the widest signs that fill the paper: a fifth of the bytes."""
BOLD = {"normal": "\x1bE\x00", "bold": "\x1bE\x01"}
SIZES: dict[Size, str] = {"normal": "\x1d!\x00", "tall": "\x1d!\x01", "large": "\x1d!\x11"}
CENTRE, LEFT = b"\x1ba\x01", b"\x1ba\x00"
QR_MODULE_DOTS = 6
QR_SET_UP = (
    b"\x1d(k\x04\x00\x31\x41\x32\x00" + b"\x1d(k\x03\x00\x31\x43" + bytes((QR_MODULE_DOTS,)) + b"\x1d(k\x03\x00\x31\x45\x31"
)
"""Model 2, dots of a module, level M: they hold for the whole job."""
QR_PRINT = b"\x1d(k\x03\x00\x31\x51\x30"
BAR_HIGH_DOTS = 64
BAR_SIGNS_BELOW = b"\x1dH\x02"
BAR_KINDS: dict[BarKind, int] = {"ean13": 67, "code128": 73}


def to_escpos(elements: Iterable[Element], *, columns: int, page: str, slot: int) -> bytes:
    """A whole print job. ``slot`` is the printer's own number for the page. Raises InputError for what it cannot print."""
    check_page(page)
    if not 0 <= slot <= SLOT_MAX:
        raise InputError("printer.slot", f"{slot} is not between 0 and 255")
    out = bytearray(INITIALISE + bytes((0x1B, 0x74, slot)))
    out += printed_bytes(elements, columns=columns, page=page)
    return bytes(out)


def printed_bytes(elements: Iterable[Element], *, columns: int, page: str) -> bytes:
    """The job without its beginning, for a printer that is reset and on this page. It leaves weight and size as they were."""
    out = bytearray()
    said: list[str] = []
    """Lines and commands of ASCII alone: encoded together."""
    weight, size, is_set_up = "normal", "normal", False
    for printed in layout(elements, columns, page):
        match printed:
            case PrintedLine(text=text):
                if printed.weight != weight:
                    weight = printed.weight
                    said.append(BOLD[weight])
                if printed.size != size:
                    size = printed.size
                    said.append(SIZES[printed.size])
                said.append(tabbed(text) if GAP in text and size != "large" else text)
                said.append("\n")
            case PrintedRule(sign=sign):
                factor = RULE_WIDTHS[columns]
                said.append(f"\x1d!{chr((factor - 1) << 4)}{sign * (columns // factor)}\n")
                size = ""
            case PrintedFeed(lines=lines):
                said.append("\n" * lines)
            case PrintedCut():
                said.append(CUT_IN_PART)
            case PrintedQr(content=content):
                out += _encoded(said, page) + (b"" if is_set_up else QR_SET_UP) + _qr(content)
                is_set_up = True
            case PrintedBars():
                out += _encoded(said, page) + _bars(printed)
            case PrintedImage(image=image):
                out += _encoded(said, page) + _image(image)
            case _:
                assert_never(printed)
    if weight != "normal":
        said.append(BOLD["normal"])
    if size != "normal":
        said.append(SIZES["normal"])
    return bytes(out + _encoded(said, page))


def tabbed(text: str) -> str:
    """The same line with runs of spaces shortened to tabs, so that fewer bytes go down a slow port.

    **Source:** Epson's reference, HT: after ``ESC @`` the stops stand at every eighth column.
    """
    out, done = "", 0
    start = text.find(GAP)
    while start >= 0:
        end = len(text) - len(text[start:].lstrip(" "))
        stops = end // TAB_COLUMNS - start // TAB_COLUMNS
        out += text[done:start] + "\t" * stops + " " * (end % TAB_COLUMNS if stops else end - start)
        start, done = text.find(GAP, end), end
    return out + text[done:]


def _encoded(said: list[str], page: str) -> bytes:
    """What was said so far, taken out of the list."""
    data = encoded(page, "".join(said))
    said.clear()
    return data


def _qr(content: str) -> bytes:
    data = content.encode()
    count = len(data) + 3
    return b"\n" + CENTRE + b"\x1d(k" + bytes((count & 255, count >> 8)) + b"\x31\x50\x30" + data + QR_PRINT + LEFT + b"\n"


def _bars(printed: PrintedBars) -> bytes:
    data = printer_data(printed.kind, printed.content)
    look = bytes((0x1D, 0x68, BAR_HIGH_DOTS, 0x1D, 0x77, MODULE_DOTS[printed.kind])) + BAR_SIGNS_BELOW
    return b"\n" + CENTRE + look + bytes((0x1D, 0x6B, BAR_KINDS[printed.kind], len(data))) + data + LEFT


def _image(image: Image) -> bytes:
    wide = image.wide // 8
    size = bytes((wide & 255, wide >> 8, image.high & 255, image.high >> 8))
    return CENTRE + b"\x1dv0\x00" + size + image.rows + LEFT + b"\n"
