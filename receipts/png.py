"""Elements → a picture of the receipt, 12 dots a column: 576 dots for 48 columns. Pillow and segno are loaded here only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from pos_loyalty.errors import LoyaltyError
from receipts.bars import MODULE_DOTS, modules
from receipts.elements import Element, Size
from receipts.elements import Image as Dots
from receipts.layout import (
    Printed,
    PrintedBars,
    PrintedCut,
    PrintedFeed,
    PrintedImage,
    PrintedLine,
    PrintedQr,
    PrintedRule,
    layout,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

CELL_WIDE, CELL_HIGH, LEADING = 12, 24, 6
FONT_SIZE, BASELINE = 20, 19
EDGE = 28
QR_MODULE_DOTS = 6
BAR_HIGH = 64
QUIET_MODULES = 4
WHITE, BLACK = 255, 0
SCALES: dict[Size, tuple[int, int]] = {"normal": (1, 1), "tall": (1, 2), "large": (2, 2)}
RULE_DOTS = 2
"""A rule is drawn, not written."""
REGULAR, BOLD = "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"
FONT_FOLDERS = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu",
    "/usr/share/fonts/dejavu-sans-mono-fonts",
    "/usr/share/fonts/TTF",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)


def to_png(elements: Iterable[Element], columns: int, font: str | None = None) -> bytes:
    """A grey PNG. ``font`` is a monospaced TrueType file; None looks for DejaVu Sans Mono. Raises LoyaltyError without one."""
    from PIL import Image

    face = font_path(font)
    wide = columns * CELL_WIDE
    strips = [_strip(printed, wide, face) for printed in layout(elements, columns)]
    paper = Image.new("L", (wide, sum(strip.height for strip in strips) + 2 * EDGE), WHITE)
    top = EDGE
    for strip in strips:
        paper.paste(strip, ((wide - strip.width) // 2, top))
        top += strip.height
    out = BytesIO()
    paper.save(out, "PNG")
    return out.getvalue()


def font_path(font: str | None = None) -> str:
    """The font file that is asked for, or DejaVu Sans Mono of this system. Raises LoyaltyError that says what to install."""
    if font is not None:
        if not os.path.isfile(font):
            raise LoyaltyError(f"receipt.font: there is no file {font}")
        return font
    for folder in FONT_FOLDERS:
        path = os.path.join(folder, REGULAR)
        if os.path.isfile(path):
            return path
    raise LoyaltyError("no DejaVu Sans Mono for the receipt picture: install fonts-dejavu-core, or name a font in receipt.font")


def _strip(printed: Printed, wide: int, face: str) -> Image:
    from PIL import Image

    match printed:
        case PrintedLine():
            return _line(printed, wide, face)
        case PrintedRule():
            return _rule(wide)
        case PrintedQr(content=content):
            return _qr(content)
        case PrintedBars():
            return _bars(printed, face)
        case PrintedImage(image=image):
            return _image(image)
        case PrintedFeed(lines=lines):
            return Image.new("L", (wide, lines * (CELL_HIGH + LEADING)), WHITE)
        case PrintedCut():
            return Image.new("L", (wide, 0), WHITE)
        case _:
            assert_never(printed)


def _line(printed: PrintedLine, wide: int, face: str) -> Image:
    from PIL import Image, ImageDraw

    across, down = SCALES[printed.size]
    strip = Image.new("L", (wide, CELL_HIGH * down + LEADING), WHITE)
    if down > 1:
        _write_large(strip, printed, face, across)
        return strip
    draw = ImageDraw.Draw(strip)
    font = _font(face, printed.weight == "bold", FONT_SIZE)
    for column, sign in enumerate(printed.text):
        if sign != " ":
            draw.text((column * CELL_WIDE, LEADING // 2 + BASELINE), sign, font=font, fill=BLACK, anchor="ls")
    return strip


def _write_large(strip: Image, printed: PrintedLine, face: str, across: int) -> None:
    """Draw each sign twice as large and, for ``tall``, narrow it to one column."""
    from PIL import Image, ImageDraw

    font = _font(face, printed.weight == "bold", FONT_SIZE * 2)
    for column, sign in enumerate(printed.text):
        if sign == " ":
            continue
        cell = Image.new("L", (CELL_WIDE * 2, CELL_HIGH * 2), WHITE)
        ImageDraw.Draw(cell).text((0, BASELINE * 2), sign, font=font, fill=BLACK, anchor="ls")
        if across == 1:
            cell = cell.resize((CELL_WIDE, CELL_HIGH * 2), Image.Resampling.LANCZOS)
        strip.paste(cell, (column * CELL_WIDE * across, LEADING // 2))


def _rule(wide: int) -> Image:
    from PIL import Image

    strip = Image.new("L", (wide, CELL_HIGH + LEADING), WHITE)
    top = (strip.height - RULE_DOTS) // 2
    strip.paste(BLACK, (0, top, wide, top + RULE_DOTS))
    return strip


def _qr(content: str) -> Image:
    import segno
    from PIL import Image

    code = segno.make_qr(content, error="m", boost_error=False)
    rows = [bytes(BLACK if is_dark else WHITE for is_dark in row) for row in code.matrix_iter(border=QUIET_MODULES)]
    small = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
    return small.resize((small.width * QR_MODULE_DOTS, small.height * QR_MODULE_DOTS), Image.Resampling.NEAREST)


def _bars(printed: PrintedBars, face: str) -> Image:
    """The bars with the signs that they stand for beneath."""
    from PIL import Image

    ones = modules(printed.kind, printed.content)
    dots = MODULE_DOTS[printed.kind]
    wide = max(len(ones) * dots, len(printed.content) * CELL_WIDE)
    top = CELL_HIGH + LEADING
    strip = Image.new("L", (wide, top + BAR_HIGH + CELL_HIGH + LEADING), WHITE)
    left = (wide - len(ones) * dots) // 2
    for place, one in enumerate(ones):
        if one == "1":
            strip.paste(BLACK, (left + place * dots, top, left + (place + 1) * dots, top + BAR_HIGH))
    signs = _line(PrintedLine(words=printed.content), len(printed.content) * CELL_WIDE, face)
    strip.paste(signs, ((wide - signs.width) // 2, top + BAR_HIGH))
    return strip


def _image(image: Dots) -> Image:
    from PIL import Image

    strip = Image.new("L", (image.wide, image.high + CELL_HIGH + LEADING), WHITE)
    strip.paste(Image.frombytes("1", (image.wide, image.high), bytes(byte ^ 0xFF for byte in image.rows)).convert("L"), (0, 0))
    return strip


@lru_cache(maxsize=8)
def _font(face: str, is_bold: bool, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    path = Path(face)
    bold = path.with_name(BOLD)
    if is_bold and path.name == REGULAR and bold.is_file():
        path = bold
    try:
        return ImageFont.truetype(str(path), size)
    except OSError as error:
        raise LoyaltyError(f"receipt.font: {face} is not a font that can be read") from error
