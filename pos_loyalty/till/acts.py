"""The log of acts as the till tells it: who, with whose word, when, to whom and why. What an older version let in is hidden."""

from __future__ import annotations

from typing import Any

from pos_loyalty.clock import from_ms
from pos_loyalty.payment_cards import without_numbers
from pos_loyalty.store import acts
from pos_loyalty.store.db import Connection
from pos_loyalty.till.staff_model import ACTS_MAX, ActRow, Acts


def acts_of(db: Connection, before: acts.Place | None, most: int = ACTS_MAX) -> Acts:
    """At most so many acts, newest first."""
    rows: list[dict[str, Any]] = acts.newest(db, before, most + 1)
    told = tuple(
        ActRow(
            till=row["till"],
            seq=row["seq"],
            at=from_ms(row["wall_ms"]),
            kind=row["kind"],
            by=without_numbers(row["by"]),
            approved_by=without_numbers(row["approved_by"]),
            member_id=row["member"],
            about=without_numbers(row["about"] or row["sale_id"] or ""),
            centi=row["centi"],
            reason=without_numbers(row["reason"], closely=True),
        )
        for row in rows[:most]
    )
    return Acts(acts=told, more=len(rows) > most)
