"""The emulator's own letters: cells of 12 × 24 dots in a picture of this folder, so that paper looks the same on every machine.

``python -m tests.emulators.cells`` draws them anew from DejaVu Sans Mono, whose licence allows it (``fonts/LICENSE.txt``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH = 12, 24
ACROSS = 32
BASELINE, SIZE, INK = 19, 20, 110
PAGES = ("cp437", "cp850", "cp858", "cp866", "cp1251", "cp1252")
SHEET = Path(__file__).parent / "fonts" / "cells.png"


@cache
def signs() -> str:
    """Every sign that one of the judge's code pages has, in the order of the sheet."""
    known = {sign for page in PAGES for sign in bytes(range(0x20, 0x100)).decode(page, "ignore")}
    return "".join(sorted(sign for sign in known if sign.isprintable() or sign == "\u00a0"))


@cache
def cell(sign: str) -> Image.Image:
    """One letter, black on white. KeyError-like: a sign of no page is a ValueError."""
    place = signs().index(sign)
    left, top = place % ACROSS * WIDE, place // ACROSS * HIGH
    return _sheet().crop((left, top, left + WIDE, top + HIGH))


@cache
def _sheet() -> Image.Image:
    with Image.open(SHEET) as sheet:
        return sheet.convert("1")


def main() -> None:
    """Draw the sheet."""
    from tests.emulators.paper import font_path

    font = ImageFont.truetype(str(font_path()), SIZE)
    known = signs()
    sheet = Image.new("1", (ACROSS * WIDE, -(-len(known) // ACROSS) * HIGH), 1)
    for place, sign in enumerate(known):
        gray = Image.new("L", (WIDE, HIGH), 255)
        ImageDraw.Draw(gray).text((0, BASELINE), sign, font=font, fill=0, anchor="ls")
        ink = gray.point([0] * INK + [255] * (256 - INK)).convert("1")
        sheet.paste(ink, (place % ACROSS * WIDE, place // ACROSS * HIGH))
    SHEET.parent.mkdir(exist_ok=True)
    sheet.save(SHEET, optimize=True)


if __name__ == "__main__":
    main()
