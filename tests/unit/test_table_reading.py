"""Files as spreadsheets save them: encodings, separators, headings, XLSX numbers, and files that were made to harm."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet import csv_file, sheet, xlsx_file
from pos_loyalty.spreadsheet.columns import ALL, BALANCES, CATALOGUE, MEMBERS, names_of
from pos_loyalty.spreadsheet.sheet import open_sheet
from tests.tables import Folder

HEADING = ("Карта", "Баллы")
ROW = ("2200000000019", "12,50")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def cells(path: Path, encoding: str | None = None) -> list[dict[str, str]]:
    return [row.cells for row in open_sheet(path, BALANCES, encoding).rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_encodings_and_separators_are_found_out(folder: Folder, encoding: str, sign: str) -> None:
    path = folder.csv([HEADING, ROW], encoding=encoding, sign=sign)
    assert cells(path) == [{"card": "2200000000019", "points": "12,50"}]


def test_an_encoding_that_is_named_is_believed_and_checked(folder: Folder) -> None:
    path = folder.csv([HEADING, ROW], encoding="cp866")
    with pytest.raises(InputError, match="no column"):
        cells(path)
    assert cells(path, "cp866") == [{"card": "2200000000019", "points": "12,50"}]
    with pytest.raises(InputError, match="is not utf-8"):
        cells(path, "utf8")
    with pytest.raises(InputError, match="not an encoding"):
        cells(path, "utf-99")


def test_rows_are_counted_as_a_spreadsheet_counts_them(folder: Folder) -> None:
    path = folder.path / "a.csv"
    path.write_text('sep=;\n\nCard;Points;Note\n\n 2200000000019 ;1;"two\nlines"\n;;\n2200000000026;2\n', encoding="utf-8")
    found = open_sheet(path, BALANCES, None)
    assert [(row.number, row.cells["card"], row.over) for row in found.rows()] == [
        (5, "2200000000019", 0),
        (7, "2200000000026", 0),
    ]
    assert found.unread == ("Note",)


def test_a_cell_too_many_is_seen(folder: Folder) -> None:
    path = folder.csv([("Card", "Points"), ("2200000000019", "12", "50")], sign=",")
    assert [row.over for row in open_sheet(path, BALANCES, None).rows()] == [1]


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        (("Foo", "Bar"), "no column that is known"),
        (("Card",), 'no column for points; name one "Points" or "Баллы"'),
        (("Points",), "no column says whose"),
        (("Card", "Points", "Номер карты"), "both mean card"),
    ],
)
def test_a_heading_that_does_not_do_is_one_sentence(folder: Folder, heading: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_sheet(folder.csv([heading]), BALANCES, None)


def test_a_column_that_is_nearly_known_is_asked_about(folder: Folder) -> None:
    assert open_sheet(folder.csv([("Card", "Points", "Expirs")]), BALANCES, None).unread == ('Expirs (did you mean "expires"?)',)


def test_broken_quotes_name_the_row(folder: Folder) -> None:
    path = folder.path / "a.csv"
    path.write_text('Card;Points\n2200000000019;1\n"22"x;2\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv:3: is not CSV"):
        cells(path)


def test_no_heading_means_two_columns() -> None:
    for columns in ALL.values():
        for column in columns.columns:
            assert {names_of(columns)[each] for each in (column.name.replace("_", " "),)} == {column.name}
            for language in ("ru", "en"):
                heading = column.heading(language)  # type: ignore[arg-type]
                assert names_of(columns)[_plain(heading)] == column.name, heading


def _plain(heading: str) -> str:
    from pos_loyalty.spreadsheet.columns import plain

    return plain(heading)


def test_limits_of_a_csv_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.csv([HEADING, ROW, ROW, ROW])
    monkeypatch.setattr(sheet, "ROWS_MAX", 3)
    with pytest.raises(InputError, match="at most 3 rows"):
        cells(path)
    monkeypatch.setattr(csv_file, "LINE_SIGNS_MAX", 10)
    with pytest.raises(InputError, match="a line of more than 10"):
        cells(path)
    monkeypatch.setattr(sheet, "FILE_BYTES_MAX", 10)
    with pytest.raises(InputError, match="larger than 10"):
        cells(path)


def test_xlsx_cells_come_as_a_person_sees_them(folder: Folder) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["SKU", "Name", "Price", "VAT", "Member price since", "Cost", "Floor", "Maximum price", "Tags"])
    page.append([4601234567893.0, "=1+1", 0.1 + 0.2, 0.22, datetime(2026, 11, 21), 1e-7, 12, 19.99, True])
    page["D2"].number_format = "0%"
    page["B2"].data_type = "s"
    page.append([None] * 9)
    page.append([1234567890123456, "x", 12345678901234567890, None, datetime(2026, 11, 21, 12, 30), date(2026, 1, 2), 0, -1, ""])
    book.save(folder.path / "a.xlsx")
    rows = list(open_sheet(folder.path / "a.xlsx", CATALOGUE, None).rows())
    assert [row.number for row in rows] == [2, 4]
    assert list(rows[0].cells.values()) == [
        "4601234567893", "=1+1", "0.3", "22%", "2026-11-21", "0.0000001", "12", "19.99", "true",
    ]  # fmt: skip
    assert list(rows[1].cells.values())[:3] == ["#DIGITS!", "x", "#DIGITS!"]
    assert rows[1].cells["member_since"] == "2026-11-21 12:30:00" and rows[1].cells["max_price"] == "-1"


def test_of_a_formula_the_last_value_is_read_and_one_that_was_never_computed_is_empty(folder: Folder) -> None:
    path = folder.xlsx([("Card", "Points"), ("2200000000019", "=1+1"), ("2200000000026", 5)])
    computed = folder.path / "computed.xlsx"
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(computed, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>")
            after.writestr(name, data)
    assert [row.get("points", "") for row in cells(path)] == ["", "5"]
    assert [row["points"] for row in cells(computed)] == ["2", "5"]


def test_the_name_of_a_file_says_nothing(folder: Folder) -> None:
    path = folder.xlsx([HEADING, ROW], name="table.csv")
    assert cells(path) == [{"card": "2200000000019", "points": "12,50"}]
    assert "XLSX" in open_sheet(path, BALANCES, None).form


def test_old_and_broken_workbooks_are_one_sentence(folder: Folder) -> None:
    old = folder.path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    with pytest.raises(InputError, match="old XLS"):
        cells(old)
    whole = folder.xlsx([HEADING, ROW]).read_bytes()
    for cut in (5, len(whole) // 2, len(whole) - 30):
        old.write_bytes(whole[:cut])
        with pytest.raises(InputError, match="not a sound XLSX"):
            cells(old)
    with pytest.raises(InputError, match="cannot be read"):
        cells(folder.path / "none.csv")


def test_a_zip_bomb_is_refused_before_it_unpacks(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.xlsx([HEADING, ROW])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/zero.bin", bytes(200_000_000))
    with pytest.raises(InputError, match="unpacks to"):
        cells(path)
    monkeypatch.setattr(xlsx_file, "PACKED_BYTES_MAX", 100)
    with pytest.raises(InputError, match="larger than 100"):
        cells(path)


def test_an_xml_bomb_is_refused(folder: Folder) -> None:
    path = folder.xlsx([HEADING, ROW])
    bomb = folder.path / "bomb.xlsx"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(bomb, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = laughs + data.partition(b"?>")[2] if data.startswith(b"<?xml") else laughs + data
            after.writestr(name, data)
    with pytest.raises(InputError, match="not a sound XLSX"):
        cells(bomb)


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(folder: Folder) -> None:
    path = folder.xlsx([HEADING, ROW])
    lying = folder.path / "lying.xlsx"
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(lying, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"'))
    assert cells(lying) == [{"card": "2200000000019", "points": "12,50"}]


def test_members_may_be_known_by_any_of_three(folder: Folder) -> None:
    for heading in ("Телефон", "Карта", "Код участника"):
        assert open_sheet(folder.csv([(heading, "Имя")]), MEMBERS, None).names[1] == "name"


def test_every_column_and_heading_is_documented() -> None:
    told = (Path(__file__).parents[2] / "docs/import.md").read_text(encoding="utf-8")
    for columns in ALL.values():
        for column in columns.columns:
            needed = " (needed)" if column.needed else ""
            assert f"| `{column.name}`{needed} | {'; '.join(column.en)} | {'; '.join(column.ru)} |" in told, column.name
