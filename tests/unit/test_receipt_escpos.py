"""The bytes of a receipt, read by a judge that shares nothing with their maker."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image

from pos_loyalty.errors import InputError
from receipts.elements import Cut, Element, Feed, Qr, Row, Rule, Text
from receipts.escpos import gap, to_escpos
from tests.emulators.escpos import Judge, JudgeError, Slip, judge, tokens
from tests.golden.samples import SALE_ID, bytes_of


def _print(*elements: Element, columns: int = 48, page: str = "cp866", slot: int = 17) -> Judge:
    return judge(to_escpos((*elements, Cut()), columns=columns, page=page, slot=slot), columns=columns)


def _slip(*elements: Element, columns: int = 48, page: str = "cp866", slot: int = 17) -> Slip:
    (slip,) = _print(*elements, columns=columns, page=page, slot=slot).slips
    return slip


def test_a_job_begins_with_reset_and_one_page_and_ends_with_a_cut_in_part() -> None:
    data = to_escpos((Text(text="Привет «мир» ₽ №"), Cut()), columns=48, page="cp866", slot=17)
    assert data.startswith(b"\x1b@\x1bt\x11" + "Привет".encode("cp866"))
    assert data.endswith(b"\x1dV\x01")
    assert _slip(Text(text="Привет «мир» ₽ №")).text.splitlines()[0] == 'Привет "мир" р №'


def test_the_slot_is_the_printers_own_number() -> None:
    data = to_escpos((Text(text="Ж"),), columns=48, page="cp866", slot=7)
    assert judge(data, slots={7: "cp866"}).slips[0].text == "Ж\n"
    with pytest.raises(JudgeError, match="no code page"):
        judge(data)
    with pytest.raises(InputError, match="slot"):
        to_escpos((), columns=48, page="cp866", slot=256)


def test_another_page() -> None:
    assert _slip(Text(text="«Ёж» — 5"), page="cp1251", slot=46).text.splitlines()[0] == "«Ёж» — 5"


def test_a_rule_spans_the_paper_whatever_the_page_can_draw() -> None:
    for columns in (32, 42, 48):
        assert _slip(Rule(), columns=columns).rows[0].width == columns  # type: ignore[union-attr]
        assert _slip(Rule(), columns=columns, page="cp1251", slot=46).rows[0].width == columns  # type: ignore[union-attr]


def test_weight_and_size_are_set_and_taken_back() -> None:
    large = Text(text="A", weight="bold", size="large")
    first, second, third = _slip(large, Text(text="B", size="tall"), Text(text="C")).rows[:3]
    shown = [(row.cells[0].sign, row.cells[0].bold, row.cells[0].wide, row.cells[0].high) for row in (first, second, third)]  # type: ignore[union-attr]
    assert shown == [("A", True, 2, 2), ("B", False, 1, 2), ("C", False, 1, 1)]


def test_a_command_inside_a_name_is_only_text() -> None:
    printer = _print(Text(text="Кофе\x1bp\x00\x19\xfaДа\x10\x04\x01\x1dV\x00"), Row(left="\x1b@\x1bt\x00x", right="1\x0a2"))
    assert (printer.kicks, printer.cuts, printer.resets, printer.switches) == (0, 1, 1, 1)
    lines = printer.slips[0].text.splitlines()
    assert lines[0].startswith("Кофе p")
    assert lines[1].startswith("@ t x")


def test_a_qr_with_control_signs_is_refused() -> None:
    for content in ("a\x10\x04\x01", "", "x" * 257):
        with pytest.raises(InputError, match="QR"):
            to_escpos((Qr(content=content),), columns=48, page="cp866", slot=17)


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_the_qr_is_read_out_of_the_pixels(columns: int) -> None:
    slip = judge(bytes_of("full", "ru", columns), columns=columns).slips[0]
    picture = Image.open(io.BytesIO(slip.png())).convert("L")
    assert picture.width == columns * 12
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.text == f"PL1|T1|{SALE_ID}"


def test_what_is_not_printable_names_the_line_and_the_sign() -> None:
    with pytest.raises(InputError, match=r'receipt line 2: .*"😀"'):
        to_escpos((Text(text="fine"), Text(text="Кофе 😀")), columns=48, page="cp866", slot=17)


def test_an_impossible_width_is_refused() -> None:
    with pytest.raises(InputError, match="columns"):
        to_escpos((), columns=40, page="cp866", slot=17)


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_gaps_by_tabs_are_shorter_and_end_where_they_should(columns: int) -> None:
    for start in range(columns):
        for end in range(start, columns):
            blanks = gap(start, end)
            assert len(blanks) <= end - start
            paper = judge(b"\x1b@" + b"a" * start + blanks.encode() + b"b\n", columns=columns).slips[0].text
            assert paper == "a" * start + " " * (end - start) + "b\n"
    assert len(gap(1, 47)) == 5 + 7


def test_blank_lines_are_fed() -> None:
    assert _slip(Text(text="a"), Feed(lines=2), Text(text="b")).text.splitlines()[:4] == ["a", "", "", "b"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1bZ",
        b"\x1bt\x63",
        b"\x07",
        b"\x1dV\x07",
        b"\x1d(Z\x02\x00aa",
        b"a\x1ba\x01",
        b"a\x1dV\x01",
        b"\x1b",
        b"\x1d(k\x04\x00\x30\x41\x32\x00",
        b"\x1d(k\x03\x00\x31\x51\x30",
        b"\x1ba\x07",
    ],
)
def test_the_judge_refuses_what_it_does_not_know(data: bytes) -> None:
    with pytest.raises(JudgeError):
        judge(data)


def test_the_judge_counts_what_a_shop_cares_about() -> None:
    printer = judge(b"\x1b@\x1bt\x11\x1bp\x00\x19\x19A\n\x1dV\x01\x1bt\x00B\n\x1dV\x00C\n")
    assert (printer.resets, printer.switches, printer.kicks, printer.cuts) == (1, 2, 1, 2)
    assert [slip.text for slip in printer.slips] == ["A\n", "B\n", "C\n"]
    assert [slip.is_cut for slip in printer.slips] == [True, True, False]


def test_the_judge_wraps_what_is_too_long_and_says_so() -> None:
    slip = judge(b"x" * 50 + b"\n").slips[0]
    assert slip.text == "x" * 48 + "\nxx\n"
    assert slip.overflows == 1


def test_a_token_keeps_its_bytes() -> None:
    data = bytes_of("full", "ru")
    assert b"".join(token.raw for token in tokens(data)) == data
