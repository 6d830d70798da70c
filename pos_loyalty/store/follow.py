"""What follows from a fact, at a till and at head office alike: rows, doubts, and what ``verify`` compares.

Rule: a row that does not follow from the payload is not written. Each kind of fact has one store file; its functions stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from pos_loyalty.store import adjustments, claims, ledger, member_secrets, merges
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact, FactKind
from pos_loyalty.store.ledger import Draft
from pos_loyalty.values import Value


class Doubt(Value):
    """A contradiction between a fact and what is known, for a person to settle. ``reason`` is a constant."""

    reason: str
    detail: str


Follow = Callable[[Connection, Fact], None]
Doubts = Callable[[Connection, Fact], Iterator[Doubt]]
Differences = Callable[[Connection], Iterator[str]]


def _as_doubts(found: Callable[[Connection, Fact], Iterator[tuple[str, str]]]) -> Doubts:
    """Reasons and details of a store file as doubts: it cannot know this one."""
    return lambda db, fact: (Doubt(reason=reason, detail=detail) for reason, detail in found(db, fact))


FOLLOWS: Mapping[FactKind, Follow] = {
    "sale.claimed": claims.follow,
    "member.merged": merges.follow,
    "member.changed": member_secrets.follow,
}
"""The rows that a fact brings. Facts of sales, enrolments and awards have their own ways."""
DOUBTS: Mapping[FactKind, Doubts] = {
    "sale.claimed": _as_doubts(claims.doubts),
    "member.merged": _as_doubts(merges.doubts),
}
"""What a till's fact contradicts at head office: asked before it is booked. It is booked all the same."""
DIFFERENCES: tuple[Differences, ...] = (
    claims.differences,
    merges.differences,
    adjustments.differences,
    member_secrets.differences,
)
"""For ``verify``: where the rows are not what the log makes of them, a sentence each."""


def book(db: Connection, draft: Draft, now: datetime) -> Fact:
    """Append a fact of our own and write what follows from it. Raises as ``ledger.append`` does."""
    fact = ledger.append(db, draft, now)
    follow(db, fact)
    return fact


def follow(db: Connection, fact: Fact) -> None:
    """Write the rows that a fact brings."""
    rows = FOLLOWS.get(fact.kind)
    if rows is not None:
        rows(db, fact)


def doubts(db: Connection, fact: Fact) -> tuple[Doubt, ...]:
    """What a fact contradicts."""
    asked = DOUBTS.get(fact.kind)
    return () if asked is None else tuple(asked(db, fact))
