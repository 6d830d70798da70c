"""What one till did on one business day, summed for the shift report. Read only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import field

from pos_loyalty.engine.model import Tender
from pos_loyalty.store.db import Connection
from pos_loyalty.values import Minor, Points, Value, decode

CASH = "cash"
"""The tender that change is given out of."""


class Shift(Value):
    """Completed sales count; reversed ones stand apart, on the day they were sold. Returns: on the day the goods came back."""

    sales: int = 0
    with_card: int = 0
    gross_minor: Minor = Minor(0)
    total_minor: Minor = Minor(0)
    due_minor: Minor = Minor(0)
    accrued_centi: Points = Points(0)
    redeemed_centi: Points = Points(0)
    reversed_sales: int = 0
    reversed_minor: Minor = Minor(0)
    cancelled_sales: int = 0
    open_sales: int = 0
    returns: int = 0
    refunded_minor: Minor = Minor(0)
    restored_centi: Points = Points(0)
    taken_centi: Points = Points(0)
    paid: Mapping[str, int] = field(default_factory=dict)
    """By kind of tender, without the change, which cash gives."""
    paid_back: Mapping[str, int] = field(default_factory=dict)


def shift_of(db: Connection, till: str, biz_day: int) -> Shift:
    """The sums of a till's business day, as far as it has come."""
    key = {"till": till, "day": biz_day}
    found = dict(zip(SUMS, db.execute(SALES_SELECT, key).fetchone(), strict=True))
    back = dict(zip(BACK_SUMS, db.execute(BACK_SELECT, key).fetchone(), strict=True))
    return Shift(**found, **back, paid=_paid(db, key), paid_back=_paid_back(db, key))


def _paid(db: Connection, key: Mapping[str, Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for due_minor, tenders in db.execute(PAID_SELECT, key):
        over = -due_minor
        for tender in decode(tenders, tuple[Tender, ...]):
            sums[tender.kind] = sums.get(tender.kind, 0) + tender.amount_minor
            over += tender.amount_minor
        if over > 0:
            sums[CASH] = sums.get(CASH, 0) - over
    return sums


def _paid_back(db: Connection, key: Mapping[str, Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (tenders,) in db.execute(PAID_BACK_SELECT, key):
        for tender in decode(tenders, tuple[Tender, ...]):
            sums[tender.kind] = sums.get(tender.kind, 0) + tender.amount_minor
    return sums


DONE = "state = 'completed'"
SUMS = {
    "sales": f"COALESCE(SUM({DONE}), 0)",
    "with_card": f"COALESCE(SUM({DONE} AND member IS NOT NULL), 0)",
    "gross_minor": f"COALESCE(SUM(gross_minor) FILTER (WHERE {DONE}), 0)",
    "total_minor": f"COALESCE(SUM(total_minor) FILTER (WHERE {DONE}), 0)",
    "due_minor": f"COALESCE(SUM(due_minor) FILTER (WHERE {DONE}), 0)",
    "accrued_centi": f"COALESCE(SUM(accrued_centi) FILTER (WHERE {DONE}), 0)",
    "redeemed_centi": f"COALESCE(SUM(redeemed_centi) FILTER (WHERE {DONE}), 0)",
    "reversed_sales": "COALESCE(SUM(state = 'reversed'), 0)",
    "reversed_minor": "COALESCE(SUM(due_minor) FILTER (WHERE state = 'reversed'), 0)",
    "cancelled_sales": "COALESCE(SUM(state = 'cancelled'), 0)",
    "open_sales": "COALESCE(SUM(state = 'authorised'), 0)",
}
SALES_SELECT = f"SELECT {', '.join(SUMS.values())} FROM sale WHERE till = :till AND biz_day = :day"
BACK_SUMS = {
    "returns": "COUNT(*)",
    "refunded_minor": "COALESCE(SUM(refund_minor), 0)",
    "restored_centi": "COALESCE(SUM(restored_centi), 0)",
    "taken_centi": "COALESCE(SUM(taken_centi), 0)",
}
BACK_SELECT = f"SELECT {', '.join(BACK_SUMS.values())} FROM sale_return WHERE till = :till AND biz_day = :day"
PAID_SELECT = f"SELECT due_minor, tenders FROM sale WHERE till = :till AND biz_day = :day AND {DONE} ORDER BY sale_id"
PAID_BACK_SELECT = "SELECT tenders FROM sale_return WHERE till = :till AND biz_day = :day ORDER BY return_id"
