"""Goods and cards out of tables: what the cashier page and a programme can use, or one sentence for each row."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from pos_loyalty import wiring
from pos_loyalty.engine import load_programme
from tests.shop import PROGRAMME
from tests.tables import Folder, card_of, taken

HEADING = (
    "Артикул", "Наименование", "Цена", "Группа", "Бренд", "Метки", "Ед. изм.", "Закупочная цена", "НДС", "Мин. цена",
    "Ограничение", "Крепость", "Объём", "Цена по карте", "Цена по карте до",
)  # fmt: skip
BEER = (
    "460001",
    "Пиво",
    "99,90",
    "alcohol/beer",
    "Бочонок",
    "cold, new",
    "шт",
    "50",
    "22%",
    "60,00",
    "алкоголь",
    "4,5",
    "0,5 л",
    "",
    "",
)
CHEESE = ("460002", "Сыр", "1 200", "dairy", "", "", "кг", "", "10", "", "", "", "", "999,90", "31.12.2026")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_goods_become_the_catalogue_that_the_page_reads(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.csv([HEADING, BEER, CHEESE], encoding="cp1251")
    assert taken(folder, capsys, "catalogue", path)["accepted"] == 2
    assert not (folder.path / "catalogue.json").exists()
    assert taken(folder, capsys, "catalogue", path, "--yes")["accepted"] == 2
    wiring.check_files(wiring.settings(folder.config))
    beer, cheese = json.loads((folder.path / "catalogue.json").read_text("utf-8"))
    assert beer == {
        "sku": "460001", "name": "Пиво", "price_minor": 9990, "category": "alcohol/beer", "brand": "Бочонок",
        "tags": ["cold", "new", "alcohol"], "cost_minor": 5000, "floor_minor": 6000, "vat_bp": 2200,
        "volume_ml": 500, "strength_bp": 450,
    }  # fmt: skip
    assert (cheese["price_minor"], cheese["measure"], cheese["vat_bp"]) == (120000, "weight", 1000)


def test_an_import_changes_and_adds_and_takes_none_away(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    taken(folder, capsys, "catalogue", folder.csv([HEADING, BEER, CHEESE]), "--yes")
    before = (folder.path / "catalogue.json").read_bytes()
    assert taken(folder, capsys, "catalogue", folder.csv([HEADING, CHEESE, BEER]), "--yes")["stood"] == 2
    assert (folder.path / "catalogue.json").read_bytes() == before
    dearer = ("460001", "Пиво", "109,90")
    outcome = taken(folder, capsys, "catalogue", folder.csv([HEADING, dearer, ("460003", "Хлеб", "40")]), "--yes")
    assert outcome["accepted"] == 2
    goods = json.loads((folder.path / "catalogue.json").read_text("utf-8"))
    assert [(one["sku"], one["price_minor"]) for one in goods] == [("460001", 10990), ("460002", 120000), ("460003", 4000)]


def test_exported_goods_come_back_the_same(folder: Folder, tmp_path: Path) -> None:
    assert folder.run("import", "catalogue", folder.csv([HEADING, BEER, CHEESE]), "--yes") == 0
    before = (folder.path / "catalogue.json").read_bytes()
    for name in ("goods.csv", "goods.xlsx"):
        assert folder.run("export", "catalogue", folder.path / name) == 0
        (folder.path / "catalogue.json").unlink()
        assert folder.run("import", "catalogue", folder.path / name, "--yes") == 0
        assert (folder.path / "catalogue.json").read_bytes() == before


def test_member_prices_become_a_price_list_that_a_programme_takes(folder: Folder) -> None:
    target = folder.path / "prices.toml"
    assert folder.run("import", "catalogue", folder.csv([HEADING, BEER, CHEESE]), "--yes", "--price-list", target) == 0
    rows = tomllib.loads(target.read_text("utf-8"))["price_list"][0]["rows"]
    assert rows.splitlines()[1:] == ["460002,,,2026-12-31,,999.90"]
    programme = load_programme((PROGRAMME + target.read_text("utf-8")).encode())
    assert programme.tags["460002"][0].member_minor == 99990


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (("", "x", "1"), "sku", "is empty"),
        (("a b", "x", "1"), "sku", "no code of goods"),
        (("1", "x", ""), "price", "is empty"),
        (("1", "x", "1,999"), "price", "at most 2 digits"),
        (("1", "x", "1", "", "", "", "м2"), "measure", "write шт or кг"),
        (("1", "x", "1", "", "", "", "", "", "0,22"), "vat", "per cent"),
        (("1", "x", "1", "", "", "", "", "", "", "", "оружие"), "restriction", "alcohol, tobacco"),
        (("1", "x", "10", "", "", "", "", "", "", "", "", "", "", "11"), "member_price", "more than the price"),
        (("460001", "x", "1"), "sku", "stands in row 2"),
    ],
)
def test_refused(folder: Folder, capsys: pytest.CaptureFixture[str], row: tuple[str, ...], column: str, said: str) -> None:
    outcome = taken(folder, capsys, "catalogue", folder.csv([HEADING, BEER, row]), "--yes")
    assert outcome["accepted"] == 1
    (refused,) = outcome["refused"]
    assert (refused["row"], refused["column"]) == (3, column) and said in refused["reason"]


def test_cards_are_checked(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.run("import", "members", folder.csv([("Id", "Card"), ("M1", card_of(1)), ("M2", card_of(2))]), "--yes", "--by", "olga")
    cards = [
        ("New card", "Id", "State"),
        (card_of(3), "M1", "lost"),
        (card_of(1), "M2", ""),
        (card_of(2), "M2", ""),
        (card_of(4), "M9", ""),
    ]
    outcome = taken(folder, capsys, "cards", folder.csv(cards))
    assert (outcome["accepted"], outcome["stood"], outcome["taken"], outcome["wrong"]) == (1, 1, 1, 1)


def test_cards_are_written_as_changes_of_their_members(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.run("import", "members", folder.csv([("Id", "Card"), ("M1", card_of(1))]), "--yes", "--by", "olga")
    cards = folder.csv([("New card", "Id", "State"), (card_of(3), "M1", "lost"), (card_of(4), "M1", ""), (card_of(1), "M1", "")])
    for accepted in (2, 0):
        assert taken(folder, capsys, "cards", cards, "--yes", "--by", "olga")["accepted"] == accepted
    assert folder.rows("SELECT number, member, state FROM card ORDER BY number") == [
        (card_of(1), "M1", "active"), (card_of(3), "M1", "lost"), (card_of(4), "M1", "active"),
    ]  # fmt: skip
    assert folder.differences() == ()
