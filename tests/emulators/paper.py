"""Draws what the ESC/POS judge saw as pixels: the emulator's own letters on cells of 12 × 24 dots, and real symbols."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

from tests.emulators import cells
from tests.emulators.escpos import BarRow, Cell, FeedRow, ImageRow, JudgeError, PaperRow, QrRow, Slip, TextRow

CELL_WIDE, CELL_HIGH, LINE_HIGH = cells.WIDE, cells.HIGH, 30
EDGE = 24
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
    paper.save(out, "PNG", optimize=True)
    return out.getvalue()


def _row(row: PaperRow, wide: int) -> Image.Image:
    match row:
        case FeedRow():
            return Image.new("1", (wide, LINE_HIGH * row.lines), 1)
        case TextRow():
            symbol = _line(row)
            high = symbol.height + LINE_HIGH - CELL_HIGH
        case QrRow():
            symbol = _qr(row)
            high = symbol.height
        case BarRow():
            symbol = _bars(row)
            high = symbol.height
        case ImageRow():
            symbol = Image.frombytes("1", (row.wide * 8, row.high), bytes(byte ^ 0xFF for byte in row.data))
            high = symbol.height
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
    """As a printer does it: each dot becomes a block, and emphasised dots are struck once more, one dot to the right."""
    glyph = cells.cell(cell.sign)
    if cell.bold:
        struck = Image.new("1", glyph.size, 1)
        struck.paste(glyph, (1, 0))
        glyph = ImageChops.logical_and(glyph, struck)
    return glyph.resize((CELL_WIDE * cell.wide, CELL_HIGH * cell.high), Image.Resampling.NEAREST)


def _qr(row: QrRow) -> Image.Image:
    import segno

    code = segno.make_qr(row.content.decode("utf-8"), error=row.level, boost_error=False)
    rows = [bytes(0 if dark else 255 for dark in line) for line in code.matrix]
    small = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows)).convert("1")
    return small.resize((small.width * row.module, small.height * row.module), Image.Resampling.NEAREST)


def _bars(row: BarRow) -> Image.Image:
    """The modules are python-barcode's, not ours."""
    import barcode

    made = barcode.get("ean13" if row.kind == "EAN-13" else "code128", row.content)
    (ones,) = made.build()
    ones = ones.replace("G", "1")  # guard bars that some versions mark
    wide = len(ones) * row.module
    signs = _line(TextRow(tuple(Cell(sign, False, 1, 1) for sign in row.content), 0)) if row.is_told else None
    picture = Image.new("1", (max(wide, signs.width if signs else 0), row.high + (CELL_HIGH if signs else 0)), 1)
    left = (picture.width - wide) // 2
    for place, one in enumerate(ones):
        if one == "1":
            picture.paste(0, (left + place * row.module, 0, left + (place + 1) * row.module, row.high))
    if signs is not None:
        picture.paste(signs, ((picture.width - signs.width) // 2, row.high))
    return picture
