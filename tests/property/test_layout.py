"""Laws of the receipt layout and its bytes, for any words that a host may send."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_loyalty.errors import InputError
from receipts.elements import Align, Cut, Element, Feed, Qr, Row, Rule, Size, Text, Weight
from receipts.escpos import to_escpos
from receipts.glyphs import PAGES, clean, fit, fit_at_once
from receipts.layout import COLUMNS, PrintedLine, layout, wrap
from receipts.text import to_text
from tests.emulators.escpos import TextRow, judge

CP866 = bytes(range(0x80, 0x100)).decode("cp866").replace("\u00a0", "")
SIGNS = "".join(map(chr, range(0x20, 0x7F))) + CP866 + "«»—₽…×•"
HOSTILE = "\x00\x04\x05\x10\x1b\x1d\n\r\t\x7f\x85\u200b\u202e\u00a0@tVp"
texts = st.text(alphabet=SIGNS + " " * 60, max_size=120)
hostile_texts = st.text(alphabet=SIGNS + HOSTILE * 8, max_size=80)
figures = st.text(alphabet="0123456789,.-+", min_size=1, max_size=14)
columns = st.sampled_from(COLUMNS)
aligns: st.SearchStrategy[Align] = st.sampled_from(["left", "centre"])
weights: st.SearchStrategy[Weight] = st.sampled_from(["normal", "bold"])
sizes: st.SearchStrategy[Size] = st.sampled_from(["normal", "tall", "large"])


def _elements(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[Element]]:
    element: st.SearchStrategy[Element] = st.one_of(
        st.builds(Text, text=words, align=aligns, weight=weights, size=sizes, indent=st.integers(0, 4)),
        st.builds(Row, left=words, right=figures, weight=weights, size=sizes, indent=st.integers(0, 4)),
        st.just(Rule()),
        st.builds(Feed, lines=st.integers(1, 3)),
        st.builds(Qr, content=st.text("abc123-", min_size=1, max_size=40)),
    )
    return st.lists(element, max_size=6)


@given(_elements(texts), columns)
def test_no_line_is_wider_than_the_paper_or_ends_in_a_space(elements: list[Element], width: int) -> None:
    for printed in layout(elements, width):
        if isinstance(printed, PrintedLine):
            cells = len(printed.text) * (2 if printed.size == "large" else 1)
            assert cells <= width
            assert printed.text == printed.text.rstrip(" ")


@given(texts, aligns, sizes, columns)
def test_every_sign_of_a_text_is_there_in_order(text: str, align: Align, size: Size, width: int) -> None:
    lines = [line.text for line in layout([Text(text=text, align=align, size=size)], width) if isinstance(line, PrintedLine)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(texts, figures, sizes, columns)
def test_a_figure_keeps_to_the_right_edge(left: str, right: str, size: Size, width: int) -> None:
    lines = [line for line in layout([Row(left=left, right=right, size=size)], width) if isinstance(line, PrintedLine)]
    last = lines[-1]
    assert last.text.endswith(right)
    assert len(last.text) == (width // 2 if last.size == "large" else width)
    said = "".join(line.text for line in lines).replace(" ", "")
    assert said == left.replace(" ", "") + right
    before = last.text.removesuffix(right)
    assert not before.strip() or before.endswith(" ")


@given(texts, st.integers(4, 48))
def test_a_word_that_fits_a_line_is_never_split(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(len(line) <= width for line in lines)
    whole = [word for word in text.split(" ") if 0 < len(word) <= width]
    printed = [word for line in lines for word in line.split(" ")]
    for word in whole:
        assert word in printed
        printed.remove(word)


@given(texts, st.integers(4, 48))
def test_lines_are_filled_greedily(text: str, width: int) -> None:
    lines = wrap(text, width)
    for line, following in pairwise(lines):
        assert len(line) + 1 + len(following.split(" ")[0]) > width or len(line) == width


@given(_elements(texts), columns)
def test_the_printer_understands_every_byte_and_nothing_overflows(elements: list[Element], width: int) -> None:
    printer = judge(to_escpos([*elements, Cut()], columns=width, page="cp866", slot=17), columns=width)
    assert (printer.resets, printer.switches, printer.cuts, printer.kicks) == (1, 1, 1, 0)
    assert [slip.overflows for slip in printer.slips] == [0]


@given(_elements(texts), columns)
def test_the_paper_has_the_lines_of_the_layout(elements: list[Element], width: int) -> None:
    printer = judge(to_escpos([*elements, Cut()], columns=width, page="cp866", slot=17), columns=width)
    laid = layout(elements, width, "cp866")
    rows = ["".join(cell.sign for cell in row.cells).rstrip() for row in printer.slips[0].rows if isinstance(row, TextRow)]
    expected = [line.text for line in laid if isinstance(line, PrintedLine)]
    assert [row for row in rows if row and set(row) != {"─"}] == [line for line in expected if line and set(line) != {"─"}]


@given(st.lists(st.one_of(texts, hostile_texts, st.text(max_size=20)), max_size=6), st.sampled_from([None, *PAGES]))
def test_texts_fitted_together_are_as_each_alone(said: list[str], page: str | None) -> None:
    at_once = fit_at_once(page, said)
    if at_once is not None:
        assert at_once == [clean(text) if page is None else fit(page, text, "") for text in said]


@given(_elements(hostile_texts), columns)
def test_no_words_can_command_the_printer(elements: list[Element], width: int) -> None:
    printer = judge(to_escpos([*elements, Cut()], columns=width, page="cp866", slot=17), columns=width)
    assert (printer.resets, printer.switches, printer.cuts, printer.kicks) == (1, 1, 1, 0)
    assert len(printer.slips) == 1


@given(st.text(max_size=60), columns)
def test_any_words_at_all_are_printed_or_refused_by_name(text: str, width: int) -> None:
    try:
        data = to_escpos([Text(text=text), Cut()], columns=width, page="cp866", slot=17)
    except InputError as error:
        assert "receipt line 1" in str(error)
        return
    printer = judge(data, columns=width)
    assert (printer.cuts, printer.kicks) == (1, 0)
    paper = "".join(cell.sign for row in printer.slips[0].rows if isinstance(row, TextRow) for cell in row.cells)
    assert paper.count("?") == text.count("?")


@given(_elements(texts), columns)
def test_the_text_keeps_to_the_paper(elements: list[Element], width: int) -> None:
    lines = to_text(elements, width).split("\n")
    assert all(len(line) <= width for line in lines)


@given(st.from_regex(r"[!-~]{1,40}( [!-~]{1,40}){0,4}", fullmatch=True), columns)
def test_the_text_of_a_qr_keeps_to_the_paper_and_loses_no_sign(content: str, width: int) -> None:
    lines = to_text([Qr(content=content)], width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == f"[QR{content}]".replace(" ", "")


@pytest.mark.parametrize("width", COLUMNS)
def test_a_name_and_a_figure_share_a_line_while_they_fit(width: int) -> None:
    fits = Row(left="x" * (width - 6), right="12,50")
    longer = Row(left="x" * (width - 5), right="12,50")
    assert len(layout([fits], width)) == 1
    assert len(layout([longer], width)) == 2


@pytest.mark.parametrize("width", COLUMNS)
def test_large_words_stay_large_while_they_fit_one_line(width: int) -> None:
    fits, longer = "x" * (width // 2), "x" * (width // 2 + 1)
    (large,) = layout([Text(text=fits, size="large")], width)
    (tall,) = layout([Text(text=longer, size="large")], width)
    assert large == PrintedLine(words=fits, size="large")
    assert tall == PrintedLine(words=longer, size="tall")


def test_a_line_is_filled_to_its_last_column() -> None:
    assert wrap("aaa bbb ccc", 7) == ["aaa bbb", "ccc"]
    assert wrap("aaa bbb ccc", 6) == ["aaa", "bbb", "ccc"]
    assert wrap("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("", 5) == [""]
