"""The picture of a receipt: every sign is read back out of the pixels, cell by cell."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from pos_loyalty.errors import LoyaltyError
from receipts.compose import compose
from receipts.elements import Feed, Qr, Rule, Size, Text
from receipts.png import CELL_HIGH, CELL_WIDE, EDGE, LEADING, font_path, to_png
from tests.emulators.paper import font_path as any_font
from tests.golden.samples import SALE_ID, full

PITCH = CELL_HIGH + LEADING
FONT = str(any_font())


def _picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("L")


def _cell(picture: Image.Image, row: int, column: int) -> bytes:
    top = EDGE + row * PITCH
    return picture.crop((column * CELL_WIDE, top, (column + 1) * CELL_WIDE, top + PITCH)).tobytes()


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_a_column_is_twelve_dots(columns: int) -> None:
    assert _picture(to_png(compose(full(), "ru"), columns, FONT)).width == columns * 12


def test_every_sign_stands_in_its_own_cell() -> None:
    # without "З": this font draws it as it draws "3"
    alphabet = "АБВГДЕЁЖИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя0123456789«»₽№−×,.%"
    spread = [Text(text=" ".join(alphabet[at : at + 24])) for at in range(0, len(alphabet), 24)]
    picture = _picture(to_png(spread, 48, FONT))
    glyphs = {sign: _cell(picture, number // 24, 2 * (number % 24)) for number, sign in enumerate(alphabet)}
    assert len(set(glyphs.values())) == len(alphabet)
    lines = ["Сыр Ёж «Щука» № 5 × 12,50 ₽", "яблоко −10 %"]
    shown = _picture(to_png([Text(text=line) for line in lines], 48, FONT))
    signs = {pixels: sign for sign, pixels in glyphs.items()} | {b"\xff" * (CELL_WIDE * PITCH): " "}
    read = ["".join(_nearest(signs, _cell(shown, row, column)) for column in range(48)).rstrip() for row in range(2)]
    assert read == lines


def _nearest(signs: dict[bytes, str], pixels: bytes) -> str:
    """The sign whose picture differs least: a neighbour may reach a dot into the cell."""
    best = min(signs, key=lambda known: sum(abs(a - b) for a, b in zip(known, pixels, strict=True)))
    return signs[best]


def test_the_qr_is_read_out_of_the_pixels() -> None:
    (code,) = zxingcpp.read_barcodes(_picture(to_png(compose(full(), "ru"), 48, FONT)))
    assert code.text == f"PL1|T1|{SALE_ID}"


@pytest.mark.parametrize("size", ["normal", "tall", "large"])
def test_no_sign_is_clipped_at_head_or_foot(size: Size) -> None:
    picture = _picture(to_png((Text(text="ЁЙЦЩДрушç", size=size),), 48, FONT))
    ink = picture.point(lambda grey: 255 - grey).getbbox()
    assert ink is not None
    strip = picture.height - 2 * EDGE
    assert ink[1] > EDGE
    assert ink[3] < EDGE + strip


def test_the_qr_has_its_quiet_zone() -> None:
    picture = _picture(to_png((Qr(content=SALE_ID),), 48, FONT))
    left, top, right, bottom = picture.point(lambda grey: 255 - grey).getbbox() or (0, 0, 0, 0)
    assert right - left == bottom - top == 29 * 6
    assert min(top, picture.height - bottom) - EDGE == 4 * 6
    assert left == picture.width - right


def test_a_rule_spans_the_picture_and_blank_lines_are_white() -> None:
    picture = _picture(to_png((Rule(), Feed(lines=2)), 48, FONT))
    black = [y for y in range(picture.height) if picture.crop((0, y, 576, y + 1)).tobytes() == bytes(576)]
    assert len(black) == 2
    assert picture.height == 2 * EDGE + 3 * PITCH
    assert picture.crop((0, black[-1] + 1, 576, picture.height)).getextrema() == (255, 255)


def test_a_missing_font_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receipts.png.FONT_FOLDERS", ())
    with pytest.raises(LoyaltyError, match="fonts-dejavu-core"):
        font_path()
    with pytest.raises(LoyaltyError, match=r"no file /nowhere\.ttf"):
        to_png((), 48, "/nowhere.ttf")


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    path = tmp_path / "font.ttf"
    path.write_bytes(b"not a font")
    with pytest.raises(LoyaltyError, match="not a font"):
        to_png((Text(text="a"),), 48, str(path))
