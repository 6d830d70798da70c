"""Draws what the ESC/POS judge saw as pixels: glyphs of DejaVu Sans Mono on cells of 12 × 24 dots, and a real QR symbol."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

from tests.emulators.escpos import Cell, FeedRow, JudgeError, QrRow, Slip, TextRow

CELL_WIDE, CELL_HIGH, LINE_HIGH = 12, 24, 30
GLYPH_SIZE = 20
BASELINE = 19
EDGE = 24
INK_THRESHOLD = 110
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts")


def font_path() -> Path:
    """DejaVu Sans Mono of the system, or the copy that python-barcode carries."""
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("DejaVuSansMono.ttf")):
            return path
    spec = find_spec("barcode")
    if spec is None or spec.origin is None:
        raise JudgeError("no DejaVuSansMono.ttf here: install fonts-dejavu-core or python-barcode")
    return Path(spec.origin).parent / "fonts" / "DejaVuSansMono.ttf"


def draw(slip: Slip) -> bytes:
    """A slip as PNG, black on white, at the printer's dots."""
    wide = slip.columns * CELL_WIDE
    pictures = [_row(row, wide) for row in slip.rows]
    paper = Image.new("1", (wide, sum(picture.height for picture in pictures) + 2 * EDGE), 1)
    top = EDGE
    for picture in pictures:
        paper.paste(picture, (0, top))
        top += picture.height
    out = BytesIO()
    paper.save(out, "PNG")
    return out.getvalue()


def _row(row: TextRow | QrRow | FeedRow, wide: int) -> Image.Image:
    if isinstance(row, FeedRow):
        return Image.new("1", (wide, LINE_HIGH * row.lines), 1)
    if isinstance(row, QrRow):
        symbol = _qr(row)
        high = symbol.height
    else:
        symbol = _line(row)
        high = symbol.height + LINE_HIGH - CELL_HIGH
    if symbol.width > wide:
        raise JudgeError("a symbol wider than the paper: a printer prints nothing")
    picture = Image.new("1", (wide, high), 1)
    picture.paste(symbol, ((0, (wide - symbol.width) // 2, wide - symbol.width)[row.align], 0))
    return picture


def _line(row: TextRow) -> Image.Image:
    high = max((cell.high for cell in row.cells), default=1) * CELL_HIGH
    picture = Image.new("1", (row.width * CELL_WIDE, high), 1)
    left = 0
    for cell in row.cells:
        glyph = _glyph(cell)
        picture.paste(glyph, (left, high - glyph.height))
        left += glyph.width
    return picture


@cache
def _glyph(cell: Cell) -> Image.Image:
    scale = max(cell.wide, cell.high)
    font = _font(GLYPH_SIZE * scale)
    gray = Image.new("L", (CELL_WIDE * scale, CELL_HIGH * scale), 255)
    ImageDraw.Draw(gray).text((0, BASELINE * scale), cell.sign, font=font, fill=0, anchor="ls")
    gray = gray.resize((CELL_WIDE * cell.wide, CELL_HIGH * cell.high))
    if cell.bold:  # emphasised print: each dot once more, one dot to the right
        struck = Image.new("L", gray.size, 255)
        struck.paste(gray, (1, 0))
        gray = ImageChops.darker(gray, struck)
    return gray.point([0] * INK_THRESHOLD + [255] * (256 - INK_THRESHOLD)).convert("1")


@cache
def _font(size: int) -> Any:
    return ImageFont.truetype(str(font_path()), size)


def _qr(row: QrRow) -> Image.Image:
    import segno

    code = segno.make_qr(row.content.decode("utf-8"), error=row.level, boost_error=False)
    rows = [bytes(0 if dark else 255 for dark in line) for line in code.matrix]
    small = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows)).convert("1")
    return small.resize((small.width * row.module, small.height * row.module), Image.Resampling.NEAREST)
