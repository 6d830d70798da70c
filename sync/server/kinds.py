"""Which facts a till may send. Rule: what only head office may say is never taken from a till's log, whoever signed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pos_loyalty.errors import WireError
from pos_loyalty.store.facts import FIELD_OF, Fact, FactKind

NONE: Final = ""
BODIES: Mapping[FactKind, tuple[str, ...]] = {
    "sale.authorised": ("sale",),
    "sale.completed": ("sale", "end"),
    "sale.cancelled": ("end",),
    "sale.reversed": ("end",),
    "sale.returned": ("returned",),
    "sale.claimed": ("claim",),
    "member.enrolled": ("enrolment",),
    "member.changed": ("change",),
    "member.merged": ("merge",),
    "member.tiered": ("tier",),
    "member.awarded": ("award",),
    "points.expired": (NONE,),
    "points.adjusted": ("adjustment", NONE),
    "gift_card.changed": ("gift_card",),
    "coupons.added": ("coupons",),
    "till.began": ("began",),
    "rights.taken": ("grant",),
    "rights.returned": ("give_back",),
    "rule.stopped": ("rule_stop",),
    "rule.resumed": ("rule_stop",),
}
"""What a fact of each kind that a till makes is about, one of these."""


def check_kind(fact: Fact) -> None:
    """Whether a till may say this. Raises WireError."""
    allowed = BODIES.get(fact.kind)
    if allowed is None:
        raise WireError(f"fact {fact.seq} is a {fact.kind}, which only head office may say")
    bodies = [name for name in FIELD_OF.values() if getattr(fact, name) is not None] or [NONE]
    if len(bodies) > 1 or bodies[0] not in allowed:
        raise WireError(f"fact {fact.seq} is a {fact.kind} that tells of {', '.join(bodies) or 'nothing'}")
    if fact.grant is not None and fact.grant.till != fact.till:
        raise WireError(f"fact {fact.seq} takes rights of till {fact.grant.till}")
