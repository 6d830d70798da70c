"""How the tests are shared out: the files that are named are there, and every unit of work keeps a file that is whole."""

from __future__ import annotations

from pathlib import Path

from tests import sharing

ROOT = Path(__file__).parents[2]


def test_the_files_that_are_named_are_there() -> None:
    assert [file for file in sharing.LONG if not (ROOT / file).is_file()] == []


def test_only_what_stands_apart_is_divided() -> None:
    apart, whole = "tests/faults/test_bank.py::test_a[1]", "tests/money/test_planted.py::test_a[1]"
    assert sharing.unit_of(apart) == apart
    assert sharing.unit_of(whole) == "tests/money/test_planted.py"
