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
    "rights.granted": ("grant",),
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
    grant = fact.grant
    if grant is None:
        return
    if fact.kind == "rights.taken" and grant.till != fact.till:
        raise WireError(f"fact {fact.seq} takes rights of till {grant.till}")
    given = (grant.giver.till, grant.giver.epoch) if grant.giver else None
    if fact.kind == "rights.granted" and (given != (fact.till, fact.epoch) or grant.till == fact.till):
        raise WireError(f"fact {fact.seq} gives rights that are not its own: only head office may say that")
