"""Goods out of a table into the till's catalogue file, and their member prices into a price list for a programme.

Rule: an import adds and changes products and takes none away; a file is replaced whole, by renaming, after all rows were read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.shelf import HEADER, parse_rows
from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.model import RefusedError, Row, Setting
from pos_loyalty.spreadsheet.people import needed, read
from pos_loyalty.spreadsheet.product import PRODUCTS_MAX, Product
from pos_loyalty.store.scratch import Scratch
from pos_loyalty.values import Value, decode, encode

CATALOGUE_BYTES_MAX = 64 * 1024 * 1024
MEASURES = {
    **dict.fromkeys(("piece", "pcs", "pc", "шт", "шт.", "штука", "уп", "уп."), "piece"),
    **dict.fromkeys(("weight", "kg", "кг", "кг.", "вес", "килограмм"), "weight"),
}
RESTRICTIONS = {
    **dict.fromkeys(("alcohol", "алкоголь", "алкогольная продукция"), "alcohol"),
    **dict.fromkeys(("tobacco", "табак", "табачная продукция"), "tobacco"),
    **dict.fromkeys(("nicotine", "никотин", "никотинсодержащая продукция"), "nicotine"),
    **dict.fromkeys(("no", "none", "нет"), ""),
}
NO_VAT = frozenset({"без ндс", "нет", "none", "no", "exempt"})
LIST_ID = "member-prices"
_SKU = re.compile(r'[^\s,"]+')
_VOLUME = re.compile(r"(.+?) ?(мл|ml|л|l)?\.?", re.IGNORECASE)


class MemberPrice(Value):
    """A row of a price list that speaks of members."""

    sku: str
    price_minor: int
    since: date | None
    until: date | None


class Goods(Value):
    """A row of a catalogue."""

    product: Product
    member_price: MemberPrice | None = None


class CatalogueWork:
    """The Work of a catalogue. What it takes is kept until ``save``."""

    def __init__(self, standing: Sequence[Product], setting: Setting) -> None:
        self._setting = setting
        self._seen = Scratch()
        self._products = {product.sku: product for product in standing}
        self.member_prices: list[MemberPrice] = []

    def close(self) -> None:
        """Forget what was seen."""
        self._seen.close()

    @property
    def products(self) -> tuple[Product, ...]:
        """All products by now: those that stood first, in their order."""
        return tuple(self._products.values())

    def read(self, row: Row) -> Goods:
        """A product, and its price for members."""
        product = self._product(row)
        if product.max_price_minor is not None and product.price_minor > product.max_price_minor:
            raise RefusedError("price", "is more than the maximum price")
        return Goods(product=product, member_price=self._member_price(row, product))

    def is_new(self, row: int, one: Goods) -> bool:
        """Whether it is new, or other than it stood. A price for members is listed in any case."""
        before = self._seen.find("sku", one.product.sku)
        if before is not None:
            raise RefusedError("sku", f"stands in row {before} already", "twice")
        self._seen.note("sku", one.product.sku, str(row))
        if one.member_price is not None:
            self.member_prices.append(one.member_price)
        return self._products.get(one.product.sku) != one.product

    def ready(self, one: Goods) -> Goods:
        """Nothing takes long."""
        return one

    def write(self, batch: Sequence[Goods]) -> None:
        """Keep until ``save``."""
        self._products.update({one.product.sku: one.product for one in batch})

    def price_list(self) -> str:
        """The member prices as a ``[[price_list]]`` of a programme. Raises InputError when there is none, or too many."""
        exponent = self._setting.exponent
        if not self.member_prices:
            raise InputError("--price-list", "the file has no member price")
        rows = "\n".join(
            f"{one.sku},,{one.since or ''},{one.until or ''},,{money_text(one.price_minor, exponent)}"
            for one in self.member_prices
        )
        text = f"{','.join(HEADER)}\n{rows}\n"
        try:
            parse_rows(text, exponent)
        except ValueError as error:
            raise InputError("--price-list", str(error)) from error
        title = '{ ru = "Цена по карте", en = "Member price" }'
        return f'[[price_list]]\nid = "{LIST_ID}"\ntitle = {title}\nrows = """\n{text}"""\n'

    def _product(self, row: Row) -> Product:
        exponent = self._setting.exponent

        def money(column: str) -> int | None:
            return read(row, column, lambda text: cells.money(text, exponent))

        tags = (*(read(row, "tags", cells.listed) or ()), read(row, "restriction", _restriction) or "")
        said = {
            "sku": needed(row, "sku", _sku),
            "name": needed(row, "name", cells.words),
            "price_minor": needed(row, "price", lambda text: cells.money(text, exponent)),
            "category": read(row, "category", _label) or "",
            "brand": read(row, "brand", _label) or "",
            "tags": tuple(dict.fromkeys(tag for tag in tags if tag)),
            "measure": read(row, "measure", _measure) or "piece",
            "cost_minor": money("cost"),
            "floor_minor": money("floor") or 0,
            "vat_bp": read(row, "vat", _vat),
            "volume_ml": read(row, "volume", _volume),
            "strength_bp": read(row, "strength", cells.rate),
            "max_price_minor": money("max_price"),
        }
        return decode(encode(said), Product)

    def _member_price(self, row: Row, product: Product) -> MemberPrice | None:
        setting = self._setting
        price = read(row, "member_price", lambda text: cells.money(text, setting.exponent))
        if not price:
            return None
        if price > product.price_minor:
            raise RefusedError("member_price", "is more than the price")
        since = read(row, "member_since", lambda text: cells.moment(text, setting.zone).astimezone(setting.zone).date())
        until = read(row, "member_until", lambda text: cells.moment(text, setting.zone).astimezone(setting.zone).date())
        if since is not None and until is not None and until < since:
            raise RefusedError("member_until", "is before the first day")
        return MemberPrice(sku=product.sku, price_minor=price, since=since, until=until)


def standing(path: Path) -> tuple[Product, ...]:
    """The products of a catalogue file; none when there is no such file. Raises InputError."""
    if not path.exists():
        return ()
    try:
        if path.stat().st_size > CATALOGUE_BYTES_MAX:
            raise InputError(str(path), f"is larger than {CATALOGUE_BYTES_MAX} bytes")
        return decode(path.read_bytes(), tuple[Product, ...], place=str(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error


def check_count(products: Sequence[Product]) -> None:
    """The page holds so many. Raises InputError."""
    if len(products) > PRODUCTS_MAX:
        raise InputError("catalogue", f"{len(products)} products are more than the {PRODUCTS_MAX} that the cashier page holds")


def save(path: Path, products: Iterable[Product]) -> None:
    """Put the catalogue in place of the one before, whole: a product a line."""
    lines = ",\n".join(f"  {encode(product).decode()}" for product in products)
    replace_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")


def replace_text(path: Path, text: str) -> None:
    """Write a file beside and rename it, so that it is never half there. Raises InputError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error


def _sku(text: str) -> str:
    if not _SKU.fullmatch(text) or len(text) > 64:
        raise ValueError("is no code of goods: at most 64 signs without blanks, commas and quotation marks")
    return text


def _label(text: str) -> str:
    return cells.words(text, 128)


def _vat(text: str) -> int | None:
    return None if text.casefold() in NO_VAT else cells.rate(text)


def _measure(text: str) -> str:
    return _word(text, MEASURES, "шт or кг")


def _restriction(text: str) -> str:
    return _word(text, RESTRICTIONS, "alcohol, tobacco, nicotine or nothing")


def _word(text: str, words: dict[str, str], wanted: str) -> str:
    found = words.get(text.casefold())
    if found is None:
        raise ValueError(f'"{text[: cells.SHOWN_MAX]}" may not stand here; write {wanted}')
    return found


def _volume(text: str) -> int:
    """Milliliters of "500", "500 мл" or "0,5 л"."""
    match = _VOLUME.fullmatch(text)
    assert match is not None
    litres = (match.group(2) or "").casefold() in ("л", "l")
    ml = int(cells.money(match.group(1), 3 if litres else 0))
    if not ml:
        raise ValueError("is nothing; leave it empty")
    return ml
