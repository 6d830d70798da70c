"""What stands before a rule's own conditions: a person's stop, pilot and control groups, limits of use, and the budget."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pos_loyalty.engine.conditions import All, Term, Uses
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Member, State, UsesSoFar
from pos_loyalty.engine.money import rest_in
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.question import Allowance
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.rules import Limits, Pilot
from pos_loyalty.engine.selectors import names_of
from pos_loyalty.engine.situation import NOBODY, Lack, Situation
from pos_loyalty.values import BP_PER_UNIT

UNKNOWN = "unknown"
NEVER_USED = UsesSoFar()


def drawn_bp(salt: str, member_id: str) -> int:
    """Where a member stands among 10,000 equal parts, the same on every till. Source: the first eight bytes of SHA-256."""
    digest = hashlib.sha256(f"{salt}/{member_id}".encode()).digest()
    return rest_in(int.from_bytes(digest[:8], "big"), BP_PER_UNIT)


def in_pilot(pilot: Pilot, programme_id: str, member: Member | None) -> bool:
    """Whether the whole programme is for this member."""
    if member is None:
        return False
    if pilot.segment is not None and any(segment in member.segments for segment in names_of(pilot.segment)):
        return True
    return pilot.share is not None and drawn_bp(programme_id, member.member_id) < pilot.share


def gate_lack(rule: ReadyRule, programme: Programme, situation: Situation) -> Lack | None:
    """Why a rule may not even be asked; None when nothing stands before it."""
    member = situation.member
    if rule.id in situation.state.stopped:
        return Lack(condition="stopped", have="stopped", need="running")
    salt = f"{programme.id}/{rule.id}"
    if rule.pilot_bp is not None and (member is None or drawn_bp(salt, member.member_id) >= rule.pilot_bp):
        return Lack(condition="pilot", have="out", need="in")
    if member is not None and drawn_bp(f"{salt}/control", member.member_id) < (rule.control_bp or 0):
        return Lack(condition="control", have="in", need="out")
    if rule.limits is not None:
        lack = _limits_lack(rule.id, rule.limits, situation)
        if lack is not None:
            return lack
    if rule.budget is not None:
        left = situation.state.budgets.get(rule.id)
        if left is None:
            return Lack(condition="budget", have=UNKNOWN, need="budget")
        if left <= 0:
            return Lack(condition="budget", have=money_text(max(0, left), situation.exponent), need="budget")
    return None


def _limits_lack(rule: str, limits: Limits, situation: Situation) -> Lack | None:
    if limits.member is not None and situation.member is None:
        return Lack(condition="customer", have=NOBODY, need="member")
    uses = situation.state.uses
    used = uses.get(rule, NEVER_USED) if uses is not None else None
    for most, have in _bounds(limits, used):
        if have is None:
            return Lack(condition="uses", have=UNKNOWN, need=f"uses:{most}")
        if have >= most:
            return Lack(condition="uses", have=str(have), need=f"uses:{most}")
    return None


def _bounds(limits: Limits, used: UsesSoFar | None) -> list[tuple[int, int | None]]:
    pairs = (
        (limits.member, None if used is None else used.member),
        (limits.day, None if used is None else used.today),
        (limits.total, None if used is None else used.total),
    )
    return [(most, have) for most, have in pairs if most is not None]


def _uses_of(terms: Iterable[Term]) -> Iterator[Uses]:
    """Conditions on uses that must hold; inside ``any`` and ``not`` none must."""
    for term in terms:
        if isinstance(term.condition, Uses):
            yield term.condition
        elif isinstance(term.condition, All):
            yield from _uses_of(term.parts)


def allowance_of(rule: ReadyRule, state: State) -> Allowance:
    """How often and for how much money a rule that passed its gate may still act."""
    used = (state.uses or {}).get(rule.id, NEVER_USED)
    left = [most - (have or 0) for most, have in _bounds(rule.limits, used)] if rule.limits is not None else []
    for uses in _uses_of(rule.terms):
        have = {"customer": used.member, "programme": used.total, "day": used.today}[uses.scope]
        left.append(uses.max - have)
    money = state.budgets.get(rule.id) if rule.budget is not None else None
    if rule.budget is not None and rule.budget >= 0 and money is not None:
        money = min(money, rule.budget)
    return Allowance(times=max(0, min(left)) if left else None, money_minor=None if money is None else max(0, money))
