"""The brute force against figures worked out by hand, so that it is not merely of one mind with the engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.brute.answer import verdict

HEAD = 'format = 1\nid = "t"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'
TWO_AND_ONE = '[[rule]]\nid = "a"\nstage = "item"\nthen = [{ do = "n_for_m", n = 3 }]\n'
SLOTS = '[{ on = { sku = "x" } }, { on = { sku = "y" } }]'
PAIR = f'[[rule]]\nid = "b"\nstage = "item"\nthen = [{{ do = "bundle", fixed = "10.00", slots = {SLOTS} }}]\n'
TEN = '[[rule]]\nid = "c"\nstage = "order"\nthen = [{ do = "percent", percent = "10%" }]\n'
FIVE = '[[rule]]\nid = "d"\nstage = "order"\nthen = [{ do = "amount", amount = "5.00" }]\n'
FIFTH = '[[rule]]\nid = "e"\nstage = "customer"\nthen = [{ do = "percent", percent = "20%" }]\n'


def basket(*lines: tuple[str, int, int], **more: Any) -> dict[str, Any]:
    return {
        "opened_at": "2026-11-21T12:30:05+03:00",
        "store": "S1",
        "till": "T1",
        "lines": [
            {"line_id": str(n), "sku": sku, "quantity": str(count), "price_minor": price} | more
            for n, (sku, price, count) in enumerate(lines)
        ],
    }


@pytest.mark.parametrize(
    ("rules", "lines", "more", "total"),
    [
        (TWO_AND_ONE, [("x", 1000, 2), ("y", 400, 1)], {}, 2000),  # the cheapest of three
        (TWO_AND_ONE, [("x", 1000, 3), ("y", 400, 3)], {}, 2800),  # grouped from the top: 1000 and 400
        (TWO_AND_ONE, [("x", 1000, 2)], {}, 2000),  # nothing is free of two
        (PAIR, [("x", 900, 1), ("y", 900, 2)], {}, 1900),
        (PAIR, [("x", 300, 1), ("y", 500, 1)], {}, 800),  # a fixed price never raises the sum
        (TWO_AND_ONE + PAIR, [("x", 1000, 1), ("y", 900, 2)], {}, 1900),  # 900 off by the pair and by the three: one of them
        (TEN, [("x", 95, 1)], {}, 85),  # 9.5 kopecks, half up
        (TEN + FIVE, [("x", 4000, 1)], {}, 3500),
        (TEN + FIVE, [("x", 6000, 1)], {}, 5400),
        (TWO_AND_ONE + FIFTH, [("x", 1000, 3)], {}, 1600),
        (TEN, [("x", 1000, 2)], {"floor_minor": 950}, 1900),  # the floor holds against it
        (FIVE, [("x", 1000, 1)], {"category": "tobacco"}, 1000),
    ],
)
def test_figures(rules: str, lines: list[tuple[str, int, int]], more: dict[str, Any], total: int) -> None:
    found = verdict(HEAD + rules, basket(*lines, **more), None, {})
    assert (found.lowest, found.highest) == (total, total)
