"""Receipts from a CSV file, one row a line. The whole file is read and checked before the first of them is sold.

Columns, in any order, by name: ``receipt``, ``opened_at``, ``sku``, ``quantity``, ``price`` must be there; ``card``, ``name``
and ``category`` may be. Rows of one receipt may stand apart; they agree in ``opened_at`` and ``card``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from drivers.symbology import mask, member_card
from pos_loyalty.config import CardConfig
from pos_loyalty.engine.lines import check_basket
from pos_loyalty.engine.model import LINES_MAX, Basket
from pos_loyalty.engine.zones import instant
from pos_loyalty.errors import InputError
from pos_loyalty.payment_cards import holds_number
from pos_loyalty.replay.model import PastSale, Shop
from pos_loyalty.values import PAYMENT_CARD, convert, decimal_hint

REQUIRED = ("receipt", "opened_at", "sku", "quantity", "price")
OPTIONAL = ("card", "name", "category")
ROWS_MAX = 1_000_000
RECEIPT_SIGNS_MAX = 60
PLAIN_NUMBER = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
MARK_SIGNS = 32
PRICE = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,2}))?", re.ASCII)


class _Receipt:
    """Rows of one receipt as they come."""

    def __init__(self, first_row: int, opened_at: str, card: str) -> None:
        self.first_row = first_row
        self.opened_at = opened_at
        self.card = card
        self.lines: list[dict[str, object]] = []


def read_csv(path: Path, shop: Shop, cards: tuple[CardConfig, ...], limit: int | None) -> Iterator[PastSale]:
    """The first ``limit`` receipts by time, then number. Raises InputError with file, line and mend for the first bad row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sales = [_past_sale(path, number, one, shop) for number, one in _receipts(path, file, cards).items()]
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    sales.sort(key=lambda sale: (sale.basket.opened_at, sale.sale_id))
    yield from sales[:limit]


def _receipts(path: Path, file: TextIO, cards: tuple[CardConfig, ...]) -> dict[str, _Receipt]:
    reader = csv.reader(file, strict=True)
    receipts: dict[str, _Receipt] = {}
    try:
        header = _header(path, next(reader, []))
        for count, cells in enumerate(reader, start=1):
            place = f"{path}:{reader.line_num}"
            if count > ROWS_MAX:
                raise InputError(place, f"a file holds at most {ROWS_MAX} rows; split it")
            if cells:
                _take(receipts, place, reader.line_num, _named(place, header, cells, cards))
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}", f"is not CSV: {error}; quote cells that hold commas or quotes") from error
    return receipts


def _header(path: Path, names: list[str]) -> list[str]:
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in REQUIRED + OPTIONAL]
    if missing or unknown or len(set(names)) != len(names):
        wrong = [f'column "{name}" is missing' for name in missing] + [f'column "{name}" is unknown' for name in unknown]
        said = "; ".join(wrong) or "a column stands twice"
        raise InputError(f"{path}:1", f"{said}; write the header {','.join(REQUIRED + OPTIONAL)}")
    return names


def _named(place: str, header: list[str], cells: list[str], cards: tuple[CardConfig, ...]) -> dict[str, str]:
    if len(cells) != len(header):
        raise InputError(place, f"has {len(cells)} cells, the header has {len(header)}; complete the row")
    named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    for name, cell in named.items():
        if name != "card" and holds_number(cell):
            raise InputError(place, f"{name}: {PAYMENT_CARD}")
    card = named.get("card")
    if card and member_card(card, None, cards) is None:
        raise InputError(place, f"card: {mask(card)} is not a member card of this shop; mend it, or leave it empty for nobody")
    return named


def _take(receipts: dict[str, _Receipt], place: str, row: int, cells: dict[str, str]) -> None:
    number, opened_at, card = cells["receipt"], cells["opened_at"], cells.get("card", "")
    if not 0 < len(number) <= RECEIPT_SIGNS_MAX:
        raise InputError(place, f"receipt: write a number of 1 to {RECEIPT_SIGNS_MAX} signs")
    receipt = receipts.setdefault(number, _Receipt(row, opened_at, card))
    for name, said, before in (("opened_at", opened_at, receipt.opened_at), ("card", card, receipt.card)):
        if said != before:
            raise InputError(
                place, f'{name}: "{said}" contradicts "{before}" of the same receipt in line {receipt.first_row}; make them equal'
            )
    if len(receipt.lines) >= LINES_MAX:
        raise InputError(place, f"receipt {number} has more than {LINES_MAX} lines; split it")
    receipt.lines.append(_line(place, len(receipt.lines) + 1, cells))


def _line(place: str, n: int, cells: dict[str, str]) -> dict[str, object]:
    """A line as JSON would hold it, checked alone so that a fault names its row."""
    price = PRICE.fullmatch(cells["price"])
    if price is None:
        given = cells["price"][:20]
        raise InputError(place, f'price: "{given}" is not money; {decimal_hint(given, 2)}write a decimal such as "12.50"')
    line: dict[str, object] = {
        "line_id": str(n),
        "sku": cells["sku"],
        "quantity": cells["quantity"],
        "price_minor": int(price.group(1)) * 100 + int((price.group(2) or "").ljust(2, "0")),
        "name": cells.get("name", ""),
        "category": cells.get("category", ""),
        "measure": "weight" if "." in cells["quantity"] else "piece",
    }
    probe = {"basket_id": "-", "store": "-", "till": "-", "opened_at": "1970-01-01T00:00:00Z", "currency": "XXX", "lines": [line]}
    try:
        convert(probe, Basket)
    except InputError as error:
        raise InputError(place, f"{error.place.rpartition('.')[2]}: {error.message}") from error
    return line


def _past_sale(path: Path, number: str, receipt: _Receipt, shop: Shop) -> PastSale:
    place = f"{path}:{receipt.first_row}"
    try:
        opened_at = shop.at(datetime.fromisoformat(receipt.opened_at))
    except ValueError as error:
        raise InputError(
            place, f'opened_at: "{receipt.opened_at[:40]}" is not a time; write such as 2026-11-21T12:30:05+03:00'
        ) from error
    said = {
        "basket_id": number,
        "store": shop.store,
        "till": shop.till,
        "opened_at": opened_at,
        "currency": shop.currency,
        "lines": receipt.lines,
    }
    basket = convert(said, Basket, place=place)
    try:
        instant(basket.opened_at, "opened_at")
        check_basket(basket, shop.currency)
    except InputError as error:
        raise InputError(place, f"{error.place.removeprefix('basket.')}: {error.message}") from error
    return PastSale(sale_id=_sale_id(number), card=receipt.card or None, basket=basket)


def _sale_id(number: str) -> str:
    """The receipt's own number where it may stand in a link; else a mark made from it, the same every time."""
    if PLAIN_NUMBER.fullmatch(number):
        return f"csv-{number}"
    return f"csv~{sha256(number.encode()).hexdigest()[:MARK_SIGNS]}"
