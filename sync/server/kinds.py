"""Which facts a till may send. Rule: what only head office may say is never taken from a till's log, whoever signed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pos_loyalty.engine.ledger import ADJUSTMENT
from pos_loyalty.errors import WireError
from pos_loyalty.store.facts import FIELD_OF, Fact, FactKind, SaleFact

NONE: Final = ""
TOO_LARGE: Final = re.compile(rb'(?<!\\)"(?!hlc"|mono_ns")(\w+)":(-?\d{15,})')
"""A figure of fifteen digits under its key. A quote within a text bears a backslash, so no text looks like one."""
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


def check_figures(seq: int, payload: bytes) -> None:
    """Whether every figure of a fact, in canonical bytes, is one that can be added up: nothing that a shop counts comes near.
    Raises WireError."""
    found = TOO_LARGE.search(payload)
    if found is not None:
        raise WireError(f"fact {seq}: {found[1].decode()} is {found[2].decode()[:24]}, more than any figure may be")


def check_kind(fact: Fact) -> None:
    """Whether a till may say this. Raises WireError."""
    allowed = BODIES.get(fact.kind)
    if allowed is None:
        raise WireError(f"fact {fact.seq} is a {fact.kind}, which only head office may say")
    bodies = [name for name in FIELD_OF.values() if getattr(fact, name) is not None] or [NONE]
    if len(bodies) > 1 or bodies[0] not in allowed:
        raise WireError(f"fact {fact.seq} is a {fact.kind} that tells of {', '.join(bodies) or 'nothing'}")
    _check_grant(fact)
    about = fact.enrolment or fact.change or fact.merge
    if about is not None and about.member_id != fact.member:
        raise WireError(f"fact {fact.seq} is of another member than it tells of: member and {bodies[0]}.member_id differ")
    if fact.sale is not None:
        bought, priced = ([line.line_id for line in lines] for lines in (fact.sale.basket.lines, fact.sale.quote.lines))
        if sorted(bought) != sorted(set(priced)) or len(set(bought)) < len(bought):
            raise WireError(f"fact {fact.seq}: sale.basket.lines and sale.quote.lines are not of the same line ids, once each")
    _check_coupons(fact)
    if fact.adjustment is not None and fact.member is not None and _adjusted_centi(fact) != fact.adjustment.centi:
        raise WireError(f"fact {fact.seq}: its entries do not make adjustment.centi, {fact.adjustment.centi}")


def _check_grant(fact: Fact) -> None:
    """A till takes what is its own; a hub gives to others what it holds itself."""
    grant = fact.grant
    if grant is None:
        return
    if fact.kind == "rights.taken" and grant.till != fact.till:
        raise WireError(f"fact {fact.seq} takes rights of till {grant.till}")
    given = (grant.giver.till, grant.giver.epoch) if grant.giver else None
    if fact.kind == "rights.granted" and (given != (fact.till, fact.epoch) or grant.till == fact.till):
        raise WireError(f"fact {fact.seq} gives rights that are not its own: only head office may say that")


def _check_coupons(fact: Fact) -> None:
    """A code stands there for each coupon: a count alone would make head office write rows without end."""
    told = fact.sale or fact.award
    if told is None:
        return
    issued = told.quote.issued if isinstance(told, SaleFact) else told.award.issued
    count = sum(issue.count for issue in issued if issue.kind == "coupon")
    if count > len(told.coupons_made) or any(issue.count < 0 for issue in issued):
        raise WireError(f"fact {fact.seq} issues {count} coupons with {len(told.coupons_made)} codes in coupons_made")


def _adjusted_centi(fact: Fact) -> int:
    """What the entries move out of the account of adjustments."""
    return sum(((entry.debit == ADJUSTMENT) - (entry.credit == ADJUSTMENT)) * entry.amount for entry in fact.entries)
