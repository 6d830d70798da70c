"""Goods, baskets and selectors by a seed. A SKU says what the goods are; lines add prices, quantities and floors."""

from __future__ import annotations

from random import Random
from typing import Any

Table = dict[str, Any]

GOODS: dict[str, Table] = {
    "s0": {"category": "drinks/coffee", "tags": ["hot"], "cost_minor": 400},
    "s1": {"category": "drinks/tea", "brand": "X", "cost_minor": 30},
    "s2": {"category": "bakery", "brand": "X", "tags": ["hot", "own"]},
    "s3": {"category": "bakery/bread", "brand": "Y", "cost_minor": 3_000},
    "s4": {"category": "household", "brand": "Y"},
    "s5": {"category": "cheese", "measure": "weight"},
    "s6": {"category": "alcohol/vodka", "tags": ["alcohol"], "volume_ml": 500, "strength_bp": 4_000},
    "s7": {"category": "tobacco", "max_price_minor": 50_000},
    "s8": {"category": "drinksware"},
}
PRICES = (1, 3, 99, 100, 333, 1_000, 1_000, 1_999, 3_333, 9_990, 20_000, 40_899, 40_900, 50_000)
SELECTORS: tuple[Table, ...] = (
    {},
    {"category": "drinks"},
    {"category": ["bakery", "cheese"]},
    {"tag": "hot"},
    {"brand": "X"},
    {"sku": ["s0", "s4"]},
    {"sku": ["s0", "s1", "s2"]},
    {"except": {"category": "household"}},
    {"category": "drinks", "except": {"sku": "s1"}},
    {"price_from": "9.99", "price_to": "100.00"},
    {"category": "alcohol"},
)


def selector(chance: Random) -> Table:
    """Some goods, all of them quite often."""
    return dict(chance.choice(SELECTORS)) if chance.random() < 0.7 else {}


def on(chance: Random) -> Table:
    """The field ``on`` of an effect or a condition, when it says more than all goods."""
    found = selector(chance)
    return {"on": found} if found else {}


def basket_of(chance: Random, units: int) -> Table:
    """A receipt of at most so many units; the same goods may stand on several lines, at one price or two."""
    skus = chance.choices(tuple(GOODS), weights=(5, 4, 4, 3, 3, 2, 1, 1, 1), k=chance.choice((1, 2, 3, 4, 5, 6)))
    prices = {sku: chance.choice((chance.choice(PRICES), chance.randrange(1, 20_000))) for sku in GOODS}
    lines: list[Table] = []
    left = units
    for number, sku in enumerate(skus):
        if left <= 0:
            break
        line = _line(chance, sku, f"{chance.choice('abЯz')}{number}", prices[sku], left)
        left -= 1 if line.get("measure") == "weight" else int(line["quantity"])
        lines.append(line)
    basket: Table = {
        "basket_id": "B",
        "store": chance.choice(("S1", "S1", "S2")),
        "till": "T1",
        "opened_at": "2026-11-21T12:30:05+03:00",
        "currency": "RUB",
        "lines": lines,
        "redeem": chance.choice((None, "max", 1, 333, 10_000)),
    }
    if chance.random() < 0.3:
        basket["coupons"] = chance.choice((["WELCOME"], ["welcome ", "x"], ["OLD"]))
    if chance.random() < 0.3:
        basket["tenders"] = [{"kind": chance.choice(("cash", "card")), "amount_minor": 0}]
    if chance.random() < 0.15 and lines:
        by_hand = {"line_id": chance.choice(lines)["line_id"], "off_minor": chance.choice((1, 500, 90_000)), "role": "cashier"}
        basket["manual"] = [by_hand]
    return {key: value for key, value in basket.items() if value is not None}


def _line(chance: Random, sku: str, line_id: str, price: int, most: int) -> Table:
    pieces = min(most, chance.choice((1, 1, 2, 3, 4, 6)))
    line: Table = {"line_id": line_id, "sku": sku, "quantity": str(pieces), "price_minor": price} | GOODS[sku]
    if chance.random() < 0.2:
        line["price_minor"] = chance.randrange(1, 20_000)
    if sku == "s5":
        line["quantity"] = chance.choice(("0.345", "1.234", "0.5", "3.217", "0.001"))
    if chance.random() < 0.2:
        line["floor_minor"] = chance.choice((1, price // 2, price * 9 // 10, price, price + 1))
    line["vat_bp"] = (None, 0, 1000, 2200)[int(sku[1]) % 4]
    return {key: value for key, value in line.items() if value is not None}
