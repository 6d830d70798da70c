"""Awards as they stand: rows that follow from the fact of an act that a member did."""

from __future__ import annotations

from pos_loyalty.store import issues, uses
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact


def add(db: Connection, fact: Fact) -> None:
    """What an award issues, and how often its rules are used now. Its points are entries like any other's."""
    assert fact.award is not None
    issues.add(db, fact)
    uses.move(db, uses.of_award(fact), 1)
