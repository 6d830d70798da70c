"""What a planted fault is: places in the source, what is put there, and the test that must see it."""

from __future__ import annotations

from dataclasses import dataclass

PRICES, BACK, POINTS, PAPERS = (f"tests/money/test_{name}.py::test_" for name in ("prices", "goods_back", "points", "papers"))


@dataclass(frozen=True)
class Change:
    """A place: a file of ours, what stands there exactly once, and what is put in its place."""

    path: str
    text: str
    planted: str


@dataclass(frozen=True)
class Fault:
    """A planted fault. ``cost``: who would pay for it. Where the code guards twice it takes two changes.

    ``judges``: tests that see it; when they do not, all laws are asked.
    """

    name: str
    cost: str
    changes: tuple[Change, ...]
    judges: tuple[str, ...]


def fault(name: str, cost: str, judge: str, *changes: tuple[str, str, str]) -> Fault:
    """One row of the table; files are told without the package."""
    made = tuple(Change(f"pos_loyalty/{path}", text, planted) for path, text, planted in changes)
    return Fault(name=name, cost=cost, changes=made, judges=(judge,))


LOTS, MONEY, RETURNS = "engine/lots.py", "engine/money.py", "engine/returns.py"
RETURNED, LEDGER, CHECKOUT = "engine/returned_lines.py", "engine/ledger.py", "till/checkout.py"
GIFTS = "engine/gift_ledger.py"
