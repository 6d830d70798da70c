"""Elements → ESC/POS bytes on one code page. The page is switched at most once; nothing in a text can become a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import assert_never

from pos_loyalty.errors import InputError
from receipts.bars import MODULE_DOTS, printer_data
from receipts.elements import BarKind, Element, Image, Row, Size, Weight
from receipts.glyphs import NO_BREAK, check_page, encoded
from receipts.layout import (
    Printed,
    PrintedBars,
    PrintedCut,
    PrintedFeed,
    PrintedImage,
    PrintedLine,
    PrintedQr,
    PrintedRule,
    fits_a_line,
    laid_out,
    row_lines,
    shown_texts,
)

INITIALISE = b"\x1b@"
CUT_IN_PART = "\x1bd\x04\x1dV\x01"
"""Feed of four lines, so that the last one is past the knife."""
SLOT_MAX = 255
TAB_COLUMNS = 8
RULE_WIDTHS = {32: 8, 42: 7, 48: 8}
"""A rule is written in the widest signs that fill the paper: a fifth of the bytes."""
BOLD: dict[Weight, str] = {"normal": "\x1bE\x00", "bold": "\x1bE\x01"}
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
    job = _Job(columns, page)
    elements = tuple(elements)
    shown = iter(shown_texts(elements, columns, page))
    say, is_plain = job.said.append, True
    for number, element in enumerate(elements, 1):
        if not (is_plain and isinstance(element, Row) and element.weight == "normal"):
            job.add(laid_out(element, shown, columns, number))
            is_plain = job.weight == "normal" and job.size == "normal"
            continue
        words, figure = next(shown), next(shown)
        if not (figure and fits_a_line(element, words, figure, columns)):
            job.add(row_lines(element, words, figure, columns))
            is_plain = job.weight == "normal" and job.size == "normal"
            continue
        lead = element.indent  # the usual line of a receipt: most of the time goes here
        before = gap(0, lead) if lead else ""
        say(f"{before}{words}{gap(lead + len(words), columns - len(figure))}{figure}\n")
    return job.end()


class _Job:
    """The bytes so far, and how the printer stands."""

    def __init__(self, columns: int, page: str) -> None:
        self._columns, self._page = columns, page
        self._out = bytearray()
        self.said: list[str] = []
        """Lines, and commands of ASCII alone: encoded together."""
        self.weight: Weight = "normal"
        self.size: Size | None = "normal"
        self._is_qr_set_up = False

    def add(self, pieces: Sequence[Printed]) -> None:
        """One element."""
        for printed in pieces:
            match printed:
                case PrintedLine():
                    self._line(printed)
                case PrintedRule(sign=sign):
                    factor = RULE_WIDTHS[self._columns]
                    self.said.append(f"\x1d!{chr((factor - 1) << 4)}{sign * (self._columns // factor)}\n")
                    self.size = None
                case PrintedFeed(lines=lines):
                    self.said.append("\n" * lines)
                case PrintedCut():
                    self.said.append(CUT_IN_PART)
                case PrintedQr(content=content):
                    self._put((b"" if self._is_qr_set_up else QR_SET_UP) + _qr(content))
                    self._is_qr_set_up = True
                case PrintedBars():
                    self._put(_bars(printed))
                case PrintedImage(image=image):
                    self._put(_image(image))
                case _:
                    assert_never(printed)

    def end(self) -> bytes:
        """All of it, with the printer as it was before."""
        self._style("normal", "normal")
        self._put(b"")
        return bytes(self._out)

    def _line(self, printed: PrintedLine) -> None:
        self._style(printed.weight, printed.size)
        if printed.size == "large":
            self.said.append(printed.text + "\n")
            return
        end = self._columns - len(printed.figure)
        between = gap(printed.lead + len(printed.words), end) if printed.figure else ""
        self.said.append(f"{gap(0, printed.lead)}{printed.words}{between}{printed.figure}\n")

    def _style(self, weight: Weight, size: Size) -> None:
        if weight != self.weight:
            self.weight = weight
            self.said.append(BOLD[weight])
        if size != self.size:
            self.size = size
            self.said.append(SIZES[size])

    def _put(self, data: bytes) -> None:
        """What was said, and then these bytes."""
        self._out += encoded(self._page, "".join(self.said).replace(NO_BREAK, " ")) + data
        self.said.clear()


@lru_cache(maxsize=4096)
def gap(start: int, end: int) -> str:
    """Blanks from one column to another, by tabs where that is shorter, so that fewer bytes go down a slow port.

    **Source:** Epson's reference, HT: after ``ESC @`` the stops stand at every eighth column.
    """
    stops = end // TAB_COLUMNS - start // TAB_COLUMNS
    tabs = "\t" * stops + " " * (end % TAB_COLUMNS) if stops else ""
    return tabs if tabs and len(tabs) < end - start else " " * (end - start)


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
