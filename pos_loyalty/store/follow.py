"""What follows from a fact, at a till and at head office alike: rows, doubts, and what ``verify`` compares.

Rule: a row that does not follow from the payload is not written. Each kind of fact has one store file; its functions stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from pos_loyalty.store import (
    adjustments,
    claims,
    coupon_codes,
    enrolment_checks,
    gift_cards,
    gift_differences,
    ledger,
    lot_words,
    member_changes,
    member_checks,
    member_folds,
    member_secrets,
    merges,
    programmes,
    returned,
    tiers,
    witness,
)
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt as Doubt
from pos_loyalty.store.facts import Fact, FactKind
from pos_loyalty.store.ledger import Draft

Follow = Callable[[Connection, Fact], None]
Doubts = Callable[[Connection, Fact], Iterator[Doubt]]
Differences = Callable[[Connection], Iterator[str]]


def _member_changed(db: Connection, fact: Fact) -> None:
    member_changes.changed(db, fact)
    member_secrets.follow(db, fact)


FOLLOWS: Mapping[FactKind, Follow] = {
    "member.enrolled": member_changes.enrolled,
    "member.changed": _member_changed,
    "member.merged": merges.follow,
    "member.tiered": tiers.add,
    "coupons.added": coupon_codes.add,
    "sale.claimed": claims.follow,
    "sale.returned": returned.add,
    "gift_card.changed": gift_cards.follow,
}
"""The rows that a fact brings. Facts of sales, enrolments and awards have their own ways."""
DOUBTS: Mapping[FactKind, Doubts] = {
    "member.enrolled": member_checks.doubts_of_enrolment,
    "member.changed": member_checks.doubts_of_change,
    "member.merged": merges.doubts,
    "member.tiered": tiers.doubts,
    "coupons.added": coupon_codes.doubts,
    "sale.authorised": coupon_codes.doubts_of_sale,
    "sale.completed": coupon_codes.doubts_of_sale,
    "sale.claimed": claims.doubts,
    "sale.returned": returned.doubts,
    "sale.reversed": returned.doubts_of_void,
    "gift_card.changed": gift_cards.doubts,
}
"""What a till's fact contradicts at head office: asked before it is booked. It is booked all the same."""
DIFFERENCES: tuple[Differences, ...] = (
    member_checks.consent_differences,
    member_folds.differences,
    lot_words.differences,
    programmes.differences,
    witness.differences,
    enrolment_checks.differences,
    member_secrets.differences,
    merges.differences,
    claims.differences,
    adjustments.differences,
    gift_differences.differences,
    returned.differences,
    tiers.differences,
    coupon_codes.differences,
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
