"""Tables out of the store, in the columns that an import reads: the same rows come back from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.figures import money_text, points_text
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.columns import ALL, BALANCES, CARDS, CATALOGUE, GIFT_CARDS, MEMBERS
from pos_loyalty.spreadsheet.model import Column, Columns
from pos_loyalty.spreadsheet.product import Product
from pos_loyalty.store import imports, seal
from pos_loyalty.store.db import Connection
from pos_loyalty.store.gift_codes import label_of
from pos_loyalty.store.imports import MemberOut
from pos_loyalty.values import Value

Cell = str | Decimal
PERSONAL = frozenset({"phone", "name", "birthday", "data_consent", "advertising_consent"})
NEVER_WRITTEN = {
    "cards": frozenset({"phone"}),
    "balances": frozenset({"phone"}),
    "catalogue": frozenset({"restriction", "member_price", "member_since", "member_until"}),
    "members": frozenset[str](),
}


class Table(Value):
    """A table to be written."""

    columns: tuple[Column, ...]
    rows: Iterator[Sequence[Cell]]


def members_table(db: Connection, zone: tzinfo, master_key: str | None) -> Table:
    """All members by id; with a master key their personal fields too."""
    columns = _columns(MEMBERS, frozenset() if master_key else PERSONAL)
    return Table(columns=columns, rows=(_member(db, one, columns, master_key, zone) for one in imports.members_out(db)))


def cards_table(db: Connection) -> Table:
    """All cards by member and number."""
    columns = _columns(CARDS)
    rows = ({"number": number, "member": member, "state": state} for number, member, state in imports.cards_out(db))
    return Table(columns=columns, rows=(_row(row, columns) for row in rows))


def balances_table(db: Connection, zone: tzinfo) -> Table:
    """Points that members hold, a row for each pair of dates."""
    columns = _columns(BALANCES)

    def rows() -> Iterator[Sequence[Cell]]:
        for member, card, centi, usable_ms, expires_ms in imports.balances_out(db):
            row: dict[str, Cell] = {"member": member, "card": card or "", "points": Decimal(points_text(centi))}
            row["usable_from"] = cells.moment_text(from_ms(usable_ms), zone) if usable_ms else ""
            row["expires"] = "" if expires_ms is None else cells.end_text(from_ms(expires_ms), zone)
            yield _row(row, columns)

    return Table(columns=columns, rows=rows())


def gift_cards_table(db: Connection, zone: tzinfo, now: datetime) -> Table:
    """All gift cards by their label, which opens nothing: an import does not read this table."""
    columns = GIFT_CARDS_OUT

    def rows() -> Iterator[Sequence[Cell]]:
        for card, kind, series, state, expires_ms, currency, minor in imports.gift_cards_out(db):
            end = None if expires_ms is None else from_ms(expires_ms)
            is_over = end is not None and end <= now
            seen = state if state != "active" else "expired" if is_over else "active" if minor else "spent"
            row: dict[str, Cell] = {"label": label_of(card), "kind": kind, "series": series, "state": seen, "currency": currency}
            row["amount"] = Decimal(money_text(minor, EXPONENTS.get(currency, 2)))
            row["expires"] = "" if end is None else cells.end_text(end, zone)
            yield _row(row, columns)

    return Table(columns=columns, rows=rows())


GIFT_CARDS_OUT = (
    Column(name="label", en=("Label",), ru=("Метка",)),
    *(column for column in GIFT_CARDS.columns if column.name in ("amount", "kind", "series", "expires")),
    Column(name="state", en=("State",), ru=("Состояние",)),
    Column(name="currency", en=("Currency",), ru=("Валюта",)),
)
"""A code is printed once and kept nowhere, so it cannot be exported; an id would open the card, a label does not."""


def catalogue_table(products: Sequence[Product], exponent: int) -> Table:
    """The catalogue in its own order. Restrictions are among the tags; member prices stand in the programme."""
    columns = _columns(CATALOGUE)
    return Table(columns=columns, rows=(_row(_product(product, exponent), columns) for product in products))


def _columns(columns: Columns, without: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    left_out = without | NEVER_WRITTEN[columns.kind]
    return tuple(column for column in ALL[columns.kind].columns if column.name not in left_out)


def _row(row: Mapping[str, Cell], columns: Sequence[Column]) -> Sequence[Cell]:
    return [row.get(column.name, "") for column in columns]


def _member(db: Connection, one: MemberOut, columns: Sequence[Column], master_key: str | None, zone: tzinfo) -> Sequence[Cell]:
    personal = seal.Personal() if master_key is None else imports.person(db, one.member_id, master_key)
    consents = imports.consents(db, one.member_id)
    row = {
        "member": one.member_id,
        "card": one.card or "",
        "phone": personal.phone,
        "name": personal.name,
        "birthday": one.birthday or "",
        "tier": one.tier or "",
        "segments": "; ".join(json.loads(one.segments)),
        "data_consent": "yes" if "data" in consents else "",
        "advertising_consent": "yes" if "advertising" in consents else "",
        "joined": "" if one.joined_ms is None else cells.moment_text(from_ms(one.joined_ms), zone),
        "referred_by": one.referred_by or "",
        "state": "" if one.state == "active" else one.state,
    }
    return _row(row, columns)


def _product(product: Product, exponent: int) -> dict[str, Cell]:
    def money(minor: int | None) -> Cell:
        return Decimal(money_text(minor, exponent)) if minor is not None else ""

    return {
        "sku": product.sku,
        "name": product.name,
        "price": money(product.price_minor),
        "category": product.category,
        "brand": product.brand,
        "tags": "; ".join(product.tags),
        "measure": "kg" if product.measure == "weight" else "",
        "cost": money(product.cost_minor),
        "vat": _rate(product.vat_bp),
        "floor": money(product.floor_minor) if product.floor_minor else "",
        "max_price": money(product.max_price_minor),
        "strength": _rate(product.strength_bp),
        "volume": "" if product.volume_ml is None else str(product.volume_ml),
    }


def _rate(bp: int | None) -> str:
    return "" if bp is None else f"{points_text(bp).rstrip('0').rstrip('.')}%"
