"""A busy shop by a seed: many rules that overlap, receipts of twenty lines. As a script it prints a digest for each receipt.

``python -m tests.property.busy_shop COUNT SHUFFLE``: with SHUFFLE not 0 the lines of receipts and rules of the file are mixed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from random import Random
from typing import Any

from msgspec.structs import replace

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import Basket, Member, State
from pos_loyalty.values import convert, encode
from tests.property.seeded_worlds import HEAD, World, toml
from tests.worlds import NOW

Table = dict[str, Any]
SKUS, CATEGORIES, BRANDS = 400, 20, 30


def goods(chance: Random) -> list[Table]:
    """The catalogue; a few things are sold by weight."""
    return [
        {
            "sku": f"S{n:05d}",
            "category": f"c{chance.randrange(CATEGORIES)}/d{chance.randrange(3)}",
            "brand": f"b{chance.randrange(BRANDS)}",
            "price_minor": chance.randrange(990, 60_000, 10) - 1,
            "vat_bp": chance.choice((1000, 2200)),
            "measure": "weight" if n % 17 == 0 else "piece",
            "tags": chance.choice(([], [], ["own"], ["own", "fresh"])),
            "floor_minor": chance.choice((0, 0, 0, 900)),
        }
        for n in range(SKUS)
    ]


def rule_of(chance: Random, number: int) -> Table:
    """One rule of a kind that shops have many of."""
    on: Table = chance.choice(({"category": f"c{chance.randrange(CATEGORIES)}"}, {"brand": f"b{chance.randrange(BRANDS)}"}))
    if chance.random() < 0.3:
        on = {"sku": [f"S{_popular(chance):05d}" for _ in range(chance.randrange(1, 12))]}
    kind = chance.randrange(8)
    then: Table = {"do": "percent", "percent": f"{chance.randrange(1, 30)}%", "on": on}
    stage = "item"
    if kind == 1:
        then = {"do": "n_for_m", "n": chance.choice((2, 3, 4)), "on": on}
    elif kind == 2:
        then = {"do": "n_for_m", "n": 2, "percent": "50%", "on": on, "spread": "unit", "max_times": 2}
    elif kind == 3:
        slots = [{"on": on}, {"on": {"tag": "fresh"}}]
        then = {"do": "bundle", "slots": slots, "percent": f"{chance.randrange(5, 40)}%"}
    elif kind == 4:
        then = {"do": "amount_each", "amount": f"{chance.randrange(1, 30)}.00", "on": on, "max_amount": "100.00"}
    elif kind == 5:
        stage, then = "customer", {"do": "percent", "percent": f"{chance.randrange(1, 7)}%"}
    elif kind == 6:
        stage, then = "order", {"do": "amount", "amount": f"{chance.randrange(1, 99)}.00"}
    elif kind == 7:
        stage, then = "points", {"do": "points", "rate": f"{chance.randrange(1, 9)}%", "on": on}
    rule: Table = {"id": f"r{number}", "stage": stage, "priority": chance.randrange(5), "then": [then]}
    if stage == "order":
        rule["when"] = [{"is": "basket_amount", "min": f"{chance.randrange(100, 5_000)}.00"}]
    if chance.random() < 0.3:
        rule["group"] = chance.choice(("ga", "gb"))
    return rule


def _popular(chance: Random) -> int:
    return int(SKUS * (chance.randrange(1_000) / 1_000) ** 3)


def receipt_of(chance: Random, catalogue: list[Table], number: int) -> Table:
    """A receipt of about twenty lines, popular goods more often."""
    lines = []
    for place in range(chance.choice((1, 5, 20, 20, 20, 30))):
        line = dict(catalogue[_popular(chance)])
        pieces = str(chance.choice((1, 1, 1, 2, 3, 6)))
        line |= {"line_id": str(place), "quantity": f"{chance.randrange(5)}.{chance.randrange(1, 1000):03d}"}
        lines.append(line if line["measure"] == "weight" else line | {"quantity": pieces})
    basket: Table = {"basket_id": f"B{number}", "store": "S1", "till": "T1", "opened_at": NOW.isoformat(), "currency": "RUB"}
    return basket | {"lines": lines, "redeem": chance.choice((None, "max", 5_000))}


def programme_of(chance: Random, rules: int) -> Table:
    """A programme of so many rules."""
    tables: Table = {
        "group": [{"id": "ga"}, {"id": "gb"}],
        "compatibility": {"ga": {"gb": "exclusive"}},
        "points": {"step": "0.01", "lifetime_days": 90},
        "redeem": {"limit": "30%"},
    }
    return HEAD | tables | {"rule": [rule_of(chance, number) for number in range(rules)]}


_CATALOGUE = goods(Random("catalogue"))


def busy_world(seed: int) -> World:
    """One receipt of such a shop, with a programme of its own."""
    chance = Random(f"busy {seed}")
    member = {"member_id": "M1", "lots": [{"lot_id": "a", "centi": 30_000}]} if chance.random() < 0.7 else None
    raw = receipt_of(chance, _CATALOGUE, seed)
    basket = {key: value for key, value in raw.items() if value is not None}
    return World(programme_of(chance, chance.choice((5, 20, 60))), basket, member, {})


def main() -> None:
    """Print ``basket_id digest`` for each receipt."""
    count, shuffle = int(sys.argv[1]), int(sys.argv[2])
    chance, mixing = Random("busy shop"), Random(shuffle)
    catalogue = goods(chance)
    programmes = [programme_of(chance, rules) for rules in (12, 40, 100)]
    member = Member(member_id="M1", lots=())
    for table in programmes:
        if shuffle:
            mixing.shuffle(table["rule"])
    loaded = [load_programme(toml(table).encode()) for table in programmes]
    for number in range(count):
        raw = receipt_of(chance, catalogue, number)
        if shuffle:
            mixing.shuffle(raw["lines"])
        answer = quote(convert(raw, Basket), member if number % 3 else None, loaded[number % 3], State(), NOW)
        data = encode(replace(answer, programme=""))
        print(raw["basket_id"], hashlib.sha256(data).hexdigest(), answer.proof.proven, answer.gross_minor - answer.total_minor)
    print(json.dumps({"receipts": count}))


if __name__ == "__main__":
    main()
