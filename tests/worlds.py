"""Small worlds for tests of the engine: baskets and programmes in a few words. Nothing here calls what it helps to judge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.model import Basket, Line, Lot, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Thousandths

NOW = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)
"""A Saturday, 12:30:05 in Moscow."""
NOBODY = State()

HEAD = """
format = 1
id = "trial"
version = 3
currency = "RUB"
timezone = "Europe/Moscow"
"""


def programme(rules: str) -> Programme:
    """A programme of these tables under the usual head."""
    return load_programme((HEAD + rules).encode())


def line(line_id: str, price_minor: int = 10_000, quantity: str = "1", **more: Any) -> Line:
    """A line; quantity as a decimal string. Its SKU is its id unless given."""
    whole, _, rest = quantity.partition(".")
    milli = int(whole) * MILLI_PER_UNIT + int(rest.ljust(3, "0") or "0")
    more.setdefault("sku", line_id)
    return Line(line_id=line_id, price_minor=Minor(price_minor), quantity_milli=Thousandths(milli), **more)


def basket(*lines: Line, **more: Any) -> Basket:
    """A basket of these lines."""
    more = {"basket_id": "B1", "store": "S1", "till": "T1", "opened_at": NOW, "currency": "RUB"} | more
    return Basket(lines=lines, **more)


def member(**more: Any) -> Member:
    """A member."""
    return Member(**({"member_id": "M1"} | more))


def lot(lot_id: str, centi: int, **dates: datetime) -> Lot:
    """A lot."""
    return Lot(lot_id=lot_id, centi=Points(centi), **dates)


def offs(quote: Quote) -> dict[str, dict[str, int]]:
    """line_id → rule → minor units off."""
    return {each.line_id: {a.rule: a.off_minor for a in each.adjustments} for each in quote.lines}


def off_by_rule(quote: Quote) -> dict[str, int]:
    """rule → minor units off the whole receipt."""
    total: dict[str, int] = {}
    for each in quote.lines:
        for adjustment in each.adjustments:
            total[adjustment.rule] = total.get(adjustment.rule, 0) + adjustment.off_minor
    return total


def why(quote: Quote, rule: str) -> tuple[str, str, str] | None:
    """(condition, have, need) of a rule's refusal; None when it is not refused."""
    found = [(each.condition, each.have, each.need) for each in quote.refusals if each.rule == rule]
    assert len(found) <= 1
    return found[0] if found else None
