"""What was exported is imported into an empty shop and exported again: the same bytes, and nothing in it that runs."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pos_loyalty.cli.main import main
from tests.shop import CARD, MEMBER, Shop
from tests.tables import Folder, card_of, taken

YES = ("--yes", "--by", "olga")
PEOPLE = [
    ("Id", "Card", "Phone", "Name", "Birthday", "Tier", "Groups", "Data consent", "Advertising consent", "Joined", "Referred by"),
    ("M1", card_of(1), "+7 900 000-00-01", "=cmd|'/c calc'!A1", "29.02.1992", "gold", "vip, near", "yes", "no", "01.02.2020", ""),
    ("M2", card_of(2), "", "''=x", "", "", "", "", "yes", "2021-03-04 05:06:07.089", "M1"),
    ("M3", "", "", "Иванов; \"Иван\", мл.", "", "", "", "", "", "2024-05-06", ""),
]  # fmt: skip
POINTS = [
    ("Id", "Points", "Usable from", "Expires"),
    ("M1", "100,05", "2020-01-01", "31.12.2099"),
    ("M1", "3", "", ""),
    ("M2", "0.01", "", "2098-07-08 09:10:11.012"),
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """An export of personal fields sets the log up, as a command does; here others come after it."""
    logger = logging.getLogger("pos_loyalty")
    before = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def filled(path: Path) -> Folder:
    folder = Folder(path)
    assert folder.run("import", "members", folder.csv(PEOPLE), *YES) == 0
    assert folder.run("import", "balances", folder.csv(POINTS), *YES) == 0
    return folder


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_export_and_import_give_the_same_members_and_points(tmp_path: Path, form: str, language: str) -> None:
    one, other = filled(tmp_path / "one"), Folder(tmp_path / "other")
    for what in ("members", "balances"):
        more = ("--personal", "--by", "olga") if what == "members" else ()
        assert one.run("export", what, one.path / f"{what}.{form}", "--language", language, *more) == 0
        assert other.run("import", what, one.path / f"{what}.{form}", *YES) == 0
        for folder in (one, other):
            assert folder.run("export", what, folder.path / f"{what}2.csv", "--language", language, *more) == 0
        assert (one.path / f"{what}2.csv").read_bytes() == (other.path / f"{what}2.csv").read_bytes()
    for sql in (
        "SELECT id, tier, segments, birthday, birthday_set_ms, joined_ms, referred_by, state FROM member WHERE joined_ms > 0",
        "SELECT number, member, state FROM card",
        "SELECT id, member, amount, remaining, usable_from, expires_at FROM lot ORDER BY id",
    ):
        assert one.rows(sql) == other.rows(sql)
    assert other.differences() == ()


def test_points_after_sales_are_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop(tmp_path)
    shop.sell(redeem="max")
    shop.close()
    for what in ("members", "cards", "balances"):
        assert main(["export", what, str(tmp_path / f"{what}.csv"), "--config", str(shop.config)]) == 0
    shop.open()
    assert f"{MEMBER};{CARD}" in (tmp_path / "balances.csv").read_text("utf-8-sig")
    other = Folder(tmp_path / "other")
    assert other.run("import", "members", tmp_path / "members.csv", *YES) == 0
    assert taken(other, capsys, "cards", tmp_path / "cards.csv")["stood"] == 1
    assert other.run("import", "balances", tmp_path / "balances.csv", *YES) == 0
    assert other.rows("SELECT SUM(remaining) FROM lot") == [(shop.usable_centi(),)]
    shop.close()


def test_personal_fields_only_where_a_person_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = filled(tmp_path)
    assert folder.run("export", "members", tmp_path / "m.csv", "--personal") == 2
    assert "--by" in capsys.readouterr().err and not (tmp_path / "m.csv").exists()
    assert folder.run("export", "members", tmp_path / "m.csv") == 0
    text = (tmp_path / "m.csv").read_text("utf-8-sig")
    assert "Иванов" not in text and "9000000" not in text and "02-29" not in text and card_of(1) in text
    assert folder.run("export", "members", tmp_path / "p.csv", "--personal", "--by", "olga") == 0
    assert '"event":"personal.exported","by":"olga"' in capsys.readouterr().err
    assert "Иванов" in (tmp_path / "p.csv").read_text("utf-8-sig")
    assert stat.S_IMODE((tmp_path / "p.csv").stat().st_mode) == 0o600


def test_nothing_that_runs_stands_in_an_export(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    for name in ("p.csv", "p.xlsx"):
        assert folder.run("export", "members", tmp_path / name, "--personal", "--by", "olga", "--language", "en") == 0
    lines = (tmp_path / "p.csv").read_text("utf-8-sig").splitlines()
    cells = [cell for line in lines for cell in line.split(";")]
    assert "'=cmd|'/c calc'!A1" in cells and "'+79000000001" in cells and "''=x" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))] == []
    sheet = load_workbook(tmp_path / "p.xlsx").active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert sheet["D2"].value == "=cmd|'/c calc'!A1"


def test_an_export_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = filled(tmp_path)
    (tmp_path / "m.csv").write_text("mine")
    assert folder.run("export", "members", tmp_path / "m.csv") == 2
    assert "exists already" in capsys.readouterr().err and (tmp_path / "m.csv").read_text() == "mine"
    assert folder.run("export", "members", tmp_path / "m.ods") == 2
    assert ".csv or .xlsx" in capsys.readouterr().err
