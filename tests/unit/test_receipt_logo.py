"""The logo: a picture becomes dots that fit the paper, once; what is no picture is refused in a sentence."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image as Pictures

from pos_loyalty.errors import ConfigError, InputError
from receipts.elements import Cut, Image
from receipts.escpos import to_escpos
from receipts.layout import layout
from receipts.logo import HIGH_DOTS_MAX, logo, logo_of
from tests.emulators.escpos import ImageRow, judge


def _file(picture: Pictures.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def _dots(image: Image) -> Pictures.Image:
    return Pictures.frombytes("1", (image.wide, image.high), bytes(byte ^ 0xFF for byte in image.rows))


def _framed(wide: int, high: int) -> Pictures.Image:
    picture = Pictures.new("1", (wide, high), 0)
    picture.paste(1, (2, 2, wide - 2, high - 2))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_black_and_white_stays_as_it_is_dot_for_dot(kind: str) -> None:
    picture = _framed(64, 40)
    image = logo_of(_file(picture, kind), 576, "logo")
    assert (image.wide, image.high) == (64, 40)
    assert _dots(image).tobytes() == picture.tobytes()


@pytest.mark.parametrize(("wide", "high", "dots"), [(1200, 300, 576), (1200, 300, 384), (100, 900, 504), (4096, 10, 384)])
def test_a_large_picture_is_made_to_fit_and_keeps_its_form(wide: int, high: int, dots: int) -> None:
    image = logo_of(_file(_framed(wide, high)), dots, "logo")
    assert image.wide <= dots and image.wide % 8 == 0 and 1 <= image.high <= HIGH_DOTS_MAX
    assert len(image.rows) == image.wide // 8 * image.high
    share = min(1, dots / wide, HIGH_DOTS_MAX / high)
    assert abs(image.high - high * share) <= 1
    assert image.wide - wide * share < 8


def test_white_around_it_is_cut_away_and_glass_is_white() -> None:
    picture = Pictures.new("RGBA", (300, 200), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (100, 50, 116, 60))
    image = logo_of(_file(picture), 576, "logo")
    assert (image.wide, image.high, set(image.rows)) == (16, 10, {0xFF})


def test_half_grey_becomes_as_many_black_dots_as_white_ones() -> None:
    picture = _framed(240, 120).convert("L")
    picture.paste(128, (2, 2, 238, 118))
    black = sum(byte.bit_count() for byte in logo_of(_file(picture), 576, "logo").rows)
    assert 0.45 < black / (240 * 120) < 0.55


def test_no_dots_are_a_command_that_acts_at_once() -> None:
    rows = bytes((0x10, 0x04, 0x10, 0x05, 0x10, 0x14, 0x80, 0x01))
    picture = Pictures.frombytes("1", (64, 1), bytes(byte ^ 0xFF for byte in rows))
    frame = Pictures.new("1", (64, 3), 0)
    frame.paste(picture, (0, 1))
    image = logo_of(_file(frame), 576, "logo")
    assert all(command not in image.rows for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))
    added = bytes(a ^ b for a, b in zip(image.rows[8:16], rows, strict=True))
    assert sum(byte.bit_count() for byte in added) == 3


def test_the_printer_gets_the_same_dots() -> None:
    image = logo_of(_file(_framed(200, 72)), 384, "logo")
    data = to_escpos((image, Cut()), columns=32, page="cp866", slot=17)
    (row,) = [row for row in judge(data, columns=32).slips[0].rows if isinstance(row, ImageRow)]
    assert (row.wide * 8, row.high, row.data, row.align) == (image.wide, image.high, image.rows, 1)


def test_a_picture_wider_than_the_paper_is_not_printed() -> None:
    with pytest.raises(InputError, match="does not stand on this paper"):
        layout((Image(wide=392, high=1, rows=bytes(49)),), 32)


def _bomb() -> bytes:
    """A PNG that says it has 50,000 × 50,000 dots."""
    head = b"IHDR" + (50_000).to_bytes(4) * 2 + b"\x01\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + head + zlib.crc32(head).to_bytes(4) + b"\x00\x00\x00\x00IDAT"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no PNG or BMP picture"),
        (b"<svg/>", "no PNG or BMP picture"),
        (_file(Pictures.new("RGB", (9, 9)), "GIF"), "no PNG or BMP picture"),
        (_file(_framed(64, 64))[:60], "no PNG or BMP picture"),
        (b"x" * (1024 * 1024 + 1), "larger than 1024 KB"),
        (_file(Pictures.new("1", (4097, 2))), "a side has at most 4096"),
        (_file(Pictures.new("1", (40, 20), 1)), "white all over"),
        (_bomb(), "no PNG or BMP picture|a side has at most"),
    ],
)
def test_what_is_refused_says_why_and_names_the_file(data: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        logo_of(data, 576, "shop.png")
    assert "receipt.logo" in str(error.value)


def test_it_is_made_once_for_each_file_and_width(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(_file(_framed(64, 40)))
    first = logo(path, 576)
    path.unlink()
    assert logo(path, 576) is first
    with pytest.raises(ConfigError, match="cannot be read"):
        logo(path, 384)
