"""Bar codes are read out of our own pixels and out of the emulator's, by a reader that knows neither."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from pos_loyalty.errors import InputError
from receipts.bars import is_barcode, is_ean13, printer_data
from receipts.elements import Barcode, BarKind, Cut, Qr
from receipts.escpos import to_escpos
from receipts.layout import PrintedBars, PrintedLine, PrintedQr, layout
from receipts.png import to_png
from receipts.text import to_text
from tests.emulators.escpos import JudgeError, judge, tokens
from tests.emulators.paper import font_path

FONT = str(font_path())
CASES: list[tuple[BarKind, str]] = [
    ("ean13", "2200000000019"), ("ean13", "4601234567893"), ("ean13", "9999999999994"), ("code128", "LC0123456784"),
    ("code128", "00112233445566778899"), ("code128", "161616"), ("code128", "a{b}~ !"), ("code128", "7"),
]  # fmt: skip


def _read(png: bytes) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


@pytest.mark.parametrize(("kind", "content"), CASES)
@pytest.mark.parametrize("columns", [32, 42, 48])
def test_our_picture_is_read(kind: BarKind, content: str, columns: int) -> None:
    assert _read(to_png((Barcode(content=content, kind=kind),), columns, FONT)) == [content]


@pytest.mark.parametrize(("kind", "content"), CASES)
def test_the_printers_paper_is_read(kind: BarKind, content: str) -> None:
    slip = judge(to_escpos((Barcode(content=content, kind=kind), Cut()), columns=48, page="cp866", slot=17)).slips[0]
    assert [text for _, text in slip.bars] == [content]
    assert _read(slip.png()) == [content]


def test_bars_wider_than_the_paper_become_a_qr_with_the_code_beneath() -> None:
    content = "A-LONG-COUPON-CODE-WITH-MANY-SIGNS"
    printed = layout((Barcode(content=content, kind="code128"),), 32)
    assert printed[0] == PrintedQr(content=content)
    lines = [each.text for each in printed if isinstance(each, PrintedLine)]
    assert "".join(lines).replace(" ", "") == content
    assert isinstance(layout((Barcode(content="SHORT", kind="code128"),), 32)[0], PrintedBars)


def test_pairs_of_digits_take_half_the_room() -> None:
    assert len(printer_data("code128", "00112233445566778899")) == 2 + 10
    assert len(printer_data("code128", "0011223344556677889")) == 2 + 19


def test_no_content_is_a_command_that_acts_at_once() -> None:
    for first in ("16", "04", "20"):
        data = printer_data("code128", f"00{first}0420")
        assert all(command not in data for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))


@pytest.mark.parametrize("content", ["4601234567894", "460123456789", "46012345678931", "46O1234567893", "", "４601234567893"])
def test_what_is_no_ean_is_refused(content: str) -> None:
    assert not is_ean13(content)
    with pytest.raises(InputError, match="ean13"):
        layout((Barcode(content=content, kind="ean13"),), 48)


@pytest.mark.parametrize("content", ["", "Ж", "a\nb", "x" * 65])
def test_what_is_no_code_128_is_refused(content: str) -> None:
    assert not is_barcode("code128", content)


def test_text_shows_what_a_scanner_would_say() -> None:
    assert "[EAN-13 2200000000019]" in to_text((Barcode(content="2200000000019", kind="ean13"),), 32)
    assert "[Code 128 LC7]" in to_text((Barcode(content="LC7", kind="code128"), Qr(content="x")), 32)


@pytest.mark.parametrize(
    "data",
    [b"\x1dk\x02123\x00", b"\x1dk\x43\x0b12345678901", b"\x1dk\x49\x03abc", b"\x1dk\x49\x03{Cd", b"\x1dk\x49\x02{B", b"\x1dw\x09",
     b"\x1dk\x49\x03{B{", b"\x1dv0\x00\x01\x00\x02\x00\x10\x04", b"\x1dv1\x00\x01\x00\x01\x00a", b"a\x1dk\x49\x03{Ba"],
)  # fmt: skip
def test_the_judge_refuses_what_a_printer_would_not_print(data: bytes) -> None:
    with pytest.raises(JudgeError):
        judge(b"\x1b@" + data)
    with pytest.raises(JudgeError):
        tokens(b"\x1dv0\x00\x02\x00\x02\x00abc")
