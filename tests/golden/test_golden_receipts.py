"""Receipts stay as they were looked at: as text, as bytes, and as the judge sees them on paper."""

from __future__ import annotations

import pytest

from pos_loyalty.i18n import Language
from tests.emulators.escpos import judge
from tests.golden.samples import HERE, NARROW, SAMPLES, bytes_of, text_of

EVERY = [(name, language) for name in SAMPLES for language in ("ru", "en")]
BYTES_MAX = 1200


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_text(name: str, language: Language) -> None:
    assert text_of(name, language) == (HERE / f"{name}.{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", NARROW)
def test_text_on_narrow_paper(columns: int) -> None:
    text = text_of("full", "ru", columns)
    assert text == (HERE / f"full.ru.{columns}.txt").read_text(encoding="utf-8")
    paper = [line for line in text.splitlines() if not line.startswith("[QR ")]
    assert max(map(len, paper)) == columns


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_bytes(name: str, language: Language) -> None:
    assert bytes_of(name, language) == (HERE / f"{name}.{language}.escpos").read_bytes()


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_paper(name: str, language: Language) -> None:
    printer = judge((HERE / f"{name}.{language}.escpos").read_bytes())
    (slip,) = printer.slips
    assert slip.text == (HERE / f"{name}.{language}.paper.txt").read_text(encoding="utf-8")
    assert (printer.resets, printer.switches, printer.cuts, printer.kicks) == (1, 1, 1, 0)
    assert slip.is_cut
    assert slip.overflows == 0


@pytest.mark.parametrize("language", ["ru", "en"])
def test_four_lines_with_all_reasons_stay_short_on_a_slow_port(language: Language) -> None:
    assert len(bytes_of("full", language)) <= BYTES_MAX


def test_paper_says_what_the_text_says_but_for_the_stated_substitutes() -> None:
    told = text_of("full", "ru").replace("«", '"').replace("»", '"').replace("−", "-").replace("—", "-")
    told = told.replace("×", "x").replace("₽", "р").replace("•", "*")
    paper = judge(bytes_of("full", "ru")).slips[0].text
    assert [line.split() for line in told.splitlines() if "─" not in line] == [
        line.split() for line in paper.rstrip().splitlines() if "─" not in line
    ]
    assert told.count("─" * 48) == paper.count("─" * 24) == 3
