"""Receipts stay as they were looked at: as text, as bytes, and as pixels of the emulator's paper."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from msgspec.structs import replace
from PIL import Image

from pos_loyalty.i18n import Language
from pos_loyalty.values import Minor
from receipts.compose import compose
from receipts.escpos import to_escpos
from receipts.layout import COLUMNS
from receipts.samples import KINDS
from tests.emulators.escpos import judge
from tests.golden.samples import EVERY, FOLDER, SALE_ID, bytes_of, full, judged, path_of, text_of

BYTES_MAX, LINE_BYTES_MAX = 1200, 130


@pytest.mark.parametrize(("kind", "language", "columns"), EVERY)
def test_text(kind: str, language: Language, columns: int) -> None:
    text = text_of(kind, language, columns)
    assert text == path_of(kind, language, columns, "txt").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.parametrize(("kind", "language", "columns"), EVERY)
def test_bytes(kind: str, language: Language, columns: int) -> None:
    assert bytes_of(kind, language, columns) == path_of(kind, language, columns, "escpos").read_bytes()


@pytest.mark.parametrize(("kind", "language", "columns"), EVERY)
def test_pixels(kind: str, language: Language, columns: int) -> None:
    printer = judged(kind, path_of(kind, language, columns, "escpos").read_bytes(), columns)
    for number, slip in enumerate(printer.slips):
        with Image.open(path_of(kind, language, columns, f"{number}.png" if number else "png")) as looked_at:
            shown = Image.open(io.BytesIO(slip.png()))
            assert shown.size == looked_at.size == (columns * 12, looked_at.height)
            assert shown.convert("1").tobytes() == looked_at.convert("1").tobytes()
        assert slip.is_cut
        assert slip.overflows == 0
    assert (printer.resets, printer.kicks) == (1, 0)
    if kind != "self_test":
        assert printer.switches == 1


@pytest.mark.parametrize(("kind", "language", "columns"), EVERY)
def test_every_symbol_is_read_out_of_the_pixels(kind: str, language: Language, columns: int) -> None:
    for slip in judged(kind, bytes_of(kind, language, columns), columns).slips:
        picture = Image.open(io.BytesIO(slip.png())).convert("L")
        read = sorted((str(code.format), code.text) for code in zxingcpp.read_barcodes(picture))
        told = [("QR Code", code.decode()) for code in slip.codes] + list(slip.bars)
        assert [(name.replace(" ", "").replace("-", "").lower(), text) for name, text in read] == sorted(
            (name.replace(" ", "").replace("-", "").lower(), text) for name, text in told
        )


def test_no_golden_file_is_left_over() -> None:
    known = {path_of(*each, ending) for each in EVERY for ending in ("txt", "escpos", "png")}
    second_gift_cards = {path for path in FOLDER.iterdir() if path.name.startswith("gift_card.") and path.name.endswith(".1.png")}
    assert set(FOLDER.iterdir()) == known | second_gift_cards
    assert len(second_gift_cards) == len(EVERY) // len(KINDS)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_four_lines_with_all_reasons_stay_short_on_a_slow_port(language: Language, columns: int) -> None:
    assert len(bytes_of("sale", language, columns)) <= BYTES_MAX


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_further_line_costs_little(columns: int) -> None:
    receipt = full()
    goods, priced = receipt.basket.lines, receipt.quote.lines
    more = replace(
        receipt,
        basket=replace(receipt.basket, lines=(*goods, *(replace(line, line_id=f"{line.line_id}-2") for line in goods))),
        quote=replace(
            receipt.quote,
            gross_minor=Minor(2 * receipt.quote.gross_minor),
            lines=(*priced, *(replace(line, line_id=f"{line.line_id}-2") for line in priced)),
        ),
    )
    sizes = [len(to_escpos(compose(each, "ru"), columns=columns, page="cp866", slot=17)) for each in (receipt, more)]
    assert (sizes[1] - sizes[0]) / len(goods) <= LINE_BYTES_MAX


def test_the_receipts_code_is_the_one_of_the_sale() -> None:
    for kind in ("sale", "copy", "loyalty", "reversed", "cancelled"):
        assert f"PL1|T1|{SALE_ID}".encode() in bytes_of(kind, "ru")


def test_paper_says_what_the_text_says_but_for_the_stated_substitutes() -> None:
    told = text_of("sale", "ru").replace("«", '"').replace("»", '"').replace("−", "-").replace("—", "-")
    told = told.replace("×", "x").replace("₽", "р").replace("•", "*")
    paper = judge(bytes_of("sale", "ru")).slips[0].text
    assert [line.split() for line in told.splitlines() if "─" not in line] == [
        line.split() for line in paper.rstrip().splitlines() if "─" not in line
    ]
    assert told.count("─" * 48) == 3
    assert sum(set(line) == {"─"} for line in paper.splitlines()) == 3
