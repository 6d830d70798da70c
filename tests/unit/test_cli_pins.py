"""PINs on the command line: what is none is named in words that a person can follow, and is not shown."""

from __future__ import annotations

import io

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.store import staff
from tests.shop import Shop


@pytest.mark.parametrize(
    ("typed", "said"),
    [("12ab", "PIN of C7: is 4 to 12 digits"), ("123", "is 4 to 12 digits"), ("1234٥", "is 4 to 12 digits"), ("", "is missing")],
)
def test_a_pin_that_is_none_is_told_in_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, said: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    assert main(["staff", "add", "C7", "--config", str(shop.config)]) == 2
    shown = capsys.readouterr().err
    assert said in shown and (not typed or typed not in shown)
    assert staff.everybody(shop.db) == ()


def test_a_right_pin_is_taken_as_it_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("0042\n"))
    assert main(["staff", "add", "C7", "--config", str(shop.config)]) == 0
    assert [one.person for one in staff.everybody(shop.db)] == ["C7"]
