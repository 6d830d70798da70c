"""No table brings a payment card"s number in: its row is refused, and the file of refused rows has it not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.spreadsheet import columns
from pos_loyalty.spreadsheet.model import Columns
from tests.tables import Folder

PAN = "4276000000799915"
KINDS = [each for each in vars(columns).values() if isinstance(each, Columns)]
CELLS = {"sku": "A1", "price": "10", "points": "10", "amount": "10"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    "form", ["{}", "{}2512", "карта {} вот", ".".join(("4276", "0000", "0079", "9915")), "４２７６００００００７９９９１５"]
)
@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.kind)
def test_no_column_brings_a_number_in(folder: Folder, kind: Columns, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    heading = [column.en[0] for column in kind.columns]
    rows = [
        [form.format(PAN) if number == place else CELLS.get(column.name, "") for number, column in enumerate(kind.columns)]
        for place in range(len(kind.columns))
    ]
    path = folder.csv([heading, *rows])
    by = () if kind.kind == "catalogue" else ("--by", "olga")
    assert folder.run("import", kind.kind, path, "--yes", *by) in (0, 1)
    said = capsys.readouterr()
    path.unlink()
    kept = b"".join(each.read_bytes() for each in folder.path.rglob("*") if each.is_file()) + (said.out + said.err).encode()
    for shape in (PAN, form.format(PAN), "0799915"):
        assert shape.encode() not in kept


def test_codes_of_coupons_are_none(folder: Folder) -> None:
    from pos_loyalty.engine.coupons import Series, codes_of
    from pos_loyalty.store.coupon_import import Row, Terms, sort_codes
    from tests.shop import Shop

    shop_folder = folder.path / "shop"
    shop_folder.mkdir()
    shop = Shop(shop_folder)
    series = Series(id="gift")
    found, new = sort_codes(
        shop.db, series, codes_of({"gift": series}), [Row(line=1, code=PAN), Row(line=2, code="SUMMER-77")], Terms()
    )
    shop.close()
    assert new == ["SUMMER-77"] and PAN[-4:] not in repr(found.refused) and found.refused_rows == 1
