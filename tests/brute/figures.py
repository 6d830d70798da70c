"""A programme file and a basket as plain fractions, read anew for the brute force: nothing here is the engine's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

Table = Mapping[str, Any]


class UnsureError(Exception):
    """The documents leave this world open; it is counted and not judged."""


@dataclass(frozen=True)
class Row:
    """A calculation line: basket lines that are alike, with their units. Sums are kopecks."""

    sku: str
    category: str
    brand: str
    tags: frozenset[str]
    price: Fraction
    """Of one unit; a weighed line is one unit that costs its sum."""
    floor: Fraction
    units: int
    tag_price: int
    """What the tag says: for a unit, or for a kilogram."""
    is_weight: bool
    milli: int
    line_ids: tuple[str, ...]
    is_outlawed: bool = False
    """No rule, threshold or count may see it."""

    @property
    def total(self) -> Fraction:
        """What all its units cost."""
        return self.price * self.units


def programme_of(text: str) -> Table:
    """The file as TOML says it."""
    return tomllib.loads(text)


def money(text: str) -> int:
    """Roubles as kopecks."""
    return int(Decimal(text) * 100)


def share(text: str) -> Fraction:
    """A rate as a share of one."""
    return Fraction(Decimal(text.rstrip("%"))) / 100


def half_up(value: Fraction) -> int:
    """The nearest whole number, a half going up."""
    return floor(value + Fraction(1, 2))


def names(table: Table, key: str) -> tuple[str, ...]:
    """One name, many or none."""
    found = table.get(key)
    return () if found is None else (found,) if isinstance(found, str) else tuple(found)


def is_named(goods: Table, row: Row) -> bool:
    """Whether any name of these goods fits."""
    in_category = any(row.category == each or row.category.startswith(each + "/") for each in names(goods, "category"))
    return (
        row.sku in names(goods, "sku")
        or in_category
        or (row.brand != "" and row.brand in names(goods, "brand"))
        or bool(row.tags & set(names(goods, "tag")))
    )


def fits(selector: Table, row: Row) -> bool:
    """Whether the selector means this row."""
    if selector.get("not_discounted") or selector.get("discounted") or selector.get("not_restricted"):
        raise UnsureError("selector")
    is_any = not any(key in selector for key in ("sku", "category", "brand", "tag"))
    if row.is_outlawed or not (is_any or is_named(selector, row)):
        return False
    if "except" in selector and is_named(selector["except"], row):
        return False
    lowest = money(selector["price_from"]) if "price_from" in selector else 0
    return lowest <= row.tag_price and ("price_to" not in selector or row.tag_price <= money(selector["price_to"]))


def rows_of(basket: Table, programme: Table) -> list[Row]:
    """Lines that are alike made one, in the canonical order: by SKU, then price."""
    floors = programme.get("floors", {})
    merged: dict[object, list[Table]] = {}
    for line in basket["lines"]:
        is_weight = line.get("measure") == "weight"
        alike = (line["sku"], line["price_minor"], line.get("floor_minor", 0), tuple(sorted(line.get("tags", ()))))
        merged.setdefault((alike, line["line_id"] if is_weight else ""), []).append(line)
    found = [_row(lines, floors) for _, lines in sorted(merged.items(), key=lambda each: repr(each[0]))]
    return sorted(found, key=lambda row: (row.sku, row.price, row.floor, row.line_ids))


def _row(lines: list[Table], floors: Table) -> Row:
    first = lines[0]
    milli = sum(int(Decimal(line["quantity"]) * 1000) for line in lines)
    is_weight = first.get("measure") == "weight"
    kilo = Fraction(milli, 1000) if is_weight else Fraction(1)
    row = Row(
        sku=first["sku"],
        category=first.get("category", ""),
        brand=first.get("brand", ""),
        tags=frozenset(first.get("tags", ())),
        price=Fraction(half_up(first["price_minor"] * kilo)),
        floor=Fraction(0),
        units=1 if is_weight else milli // 1000,
        tag_price=first["price_minor"],
        is_weight=is_weight,
        milli=milli,
        line_ids=tuple(sorted(line["line_id"] for line in lines)),
    )
    tobacco = floors.get("tobacco", {"on": {"tag": ["nicotine", "tobacco"], "category": "tobacco"}, "treat": "restricted"})
    alcohol = floors.get("alcohol", {"on": {"tag": "alcohol", "category": "alcohol"}, "treat": "ordinary"})
    treats = {each["treat"] for each in (tobacco, alcohol) if fits(each["on"], row)}
    if any("only_in" in each for each in (tobacco, alcohol)):
        raise UnsureError("only_in")
    lowest = _floor(first, row, floors) * kilo
    if is_weight and lowest.denominator != 1:
        raise UnsureError("a floor by weight")
    lowest = row.price if "priced" in treats else lowest
    return Row(**{**vars(row), "floor": min(row.price, Fraction(lowest)), "is_outlawed": "restricted" in treats})


def _floor(line: Table, row: Row, floors: Table) -> Fraction:
    lowest = Fraction(line.get("floor_minor", 0))
    if "margin" in floors and line.get("cost_minor") is not None:
        lowest = max(lowest, Fraction(ceil(line["cost_minor"] * (1 + share(floors["margin"])))))
    for legal in floors.get("minimum", ()):
        if not fits(legal["on"], row):
            continue
        strength = line.get("strength_bp")
        if strength is None or ("volume" in legal and line.get("volume_ml") is None):
            raise UnsureError("what the law asks is not known")
        if not share(legal.get("strength_from", "0%")) * 10_000 <= strength <= share(legal.get("strength_to", "100%")) * 10_000:
            continue
        parts = Fraction(line["volume_ml"], 1000) / Fraction(Decimal(legal["volume"])) if "volume" in legal else Fraction(1)
        lawful = Fraction(ceil(money(legal["price"]) * parts))
        lowest = max(lowest, lawful)
        if line["price_minor"] < lawful:
            return Fraction(line["price_minor"])
    return lowest


def shares_of(amount: int, weights: list[Fraction], caps: list[int]) -> list[int]:
    """The reference's ALLOCATE, in fractions: water-filling, then the largest remainders, the heavier and earlier first."""
    part = [0] * len(weights)
    takers = [i for i in range(len(weights)) if weights[i] > 0 and caps[i] > 0]
    left = min(amount, sum(caps[i] for i in takers))
    while left > 0 and takers:
        whole = sum((weights[i] for i in takers), Fraction(0))
        full = [i for i in takers if left * weights[i] / whole >= caps[i]]
        if full:
            for i in full:
                part[i] = caps[i]
            left -= sum(caps[i] for i in full)
            takers = [i for i in takers if i not in full]
            continue
        exact = {i: left * weights[i] / whole for i in takers}
        for i in takers:
            part[i] = floor(exact[i])
        missing = left - sum(part[i] for i in takers)
        takers.sort(key=lambda i: (-(exact[i] - floor(exact[i])), -weights[i], i))
        for i in takers[:missing]:
            part[i] += 1
        left = 0
    return part
