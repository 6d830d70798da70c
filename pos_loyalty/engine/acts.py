"""Points and gifts for acts other than buying: a review, a survey, a filled profile, a friend brought.

Rules of stage ``act`` speak of one act. Their conditions, limits, pilot and control groups hold as in a sale; nothing is bought,
so only fixed points, coupons, privileges and messages come of it, and the limits of [points] for a receipt or a day do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.engine.accruals import effect_of
from pos_loyalty.engine.earning import life_of
from pos_loyalty.engine.gates import in_pilot
from pos_loyalty.engine.issue import Sold, issue
from pos_loyalty.engine.ledger import accrue_entry
from pos_loyalty.engine.lines import check_member
from pos_loyalty.engine.model import Accrual, Basket, Entry, Issue, Member, Message, Refusal, RuleUse, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.situation import Situation
from pos_loyalty.engine.stages import held_of
from pos_loyalty.engine.zones import instant
from pos_loyalty.values import Points, Value


class Done(Value):
    """An act that a member did: its name in the programme, an id of its own, and where it was noted."""

    act_id: str
    act: str
    store: str
    till: str


class Award(Value):
    """What an act brings, and why other rules about it bring nothing. Everything sorts by rule."""

    act_id: str
    accruals: tuple[Accrual, ...] = ()
    issued: tuple[Issue, ...] = ()
    privileges: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    uses: tuple[RuleUse, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def award(programme: Programme, done: Done, member: Member, state: State, now: datetime) -> Award:
    """What the programme gives for an act at an instant. Asking twice gives twice: the caller notes ``act_id`` once."""
    at = instant(now, "at")
    check_member(member)
    if programme.pilot is not None and not in_pilot(programme.pilot, programme.id, member):
        return Award(act_id=done.act_id)
    asked = [rule for rule in programme.rules if rule.stage == "act" and rule.act == done.act]
    held = held_of(asked, _situation(programme, done, member, state, at), programme, {})
    issued = issue(
        held.rules, {rule.id: 1 for rule in held.rules if rule.has_allowance}, _nothing_sold(member), programme, at
    )  # fmt: skip
    return Award(
        act_id=done.act_id,
        accruals=_accruals(held.rules, programme, at),
        issued=issued.issued,
        privileges=issued.privileges,
        messages=issued.messages,
        uses=issued.uses,
        refusals=tuple(
            [Refusal(rule=rule.id, condition=lack.condition, have=lack.have, need=lack.need) for rule, lack in held.lacks]
        ),
    )


def settle_award(award: Award, member_id: str, programme_id: str, act_ref: str) -> tuple[Entry, ...]:
    """The entries of an award: one lot a rule. ``act_ref`` names the act among all tills, as a sale's does."""
    return tuple(accrue_entry(accrual, member_id, act_ref, programme_id) for accrual in award.accruals)


def _accruals(rules: Sequence[ReadyRule], programme: Programme, at: datetime) -> tuple[Accrual, ...]:
    accruals = []
    for rule in rules:
        if not rule.points:
            continue
        effect = effect_of(rule)
        centi = effect.fixed or 0
        if effect.max_points is not None:
            centi = min(centi, effect.max_points)
        life = life_of(effect, programme.points, at, programme.zone)
        if centi:
            accruals.append(Accrual(rule=rule.id, centi=Points(centi), usable_from=life.usable_from, expires_at=life.expires_at))
    return tuple(accruals)


def _situation(programme: Programme, done: Done, member: Member, state: State, at: datetime) -> Situation:
    basket = Basket(
        basket_id=done.act_id, store=done.store, till=done.till, opened_at=at, currency=programme.currency, lines=()
    )  # fmt: skip
    return Situation(
        lines=(),
        found={},
        running_minor=(),
        list_sums={},
        member=member,
        basket=basket,
        state=state,
        coupons={},
        local=at.astimezone(programme.zone),
        tiers=programme.tiers,
        exponent=programme.exponent,
    )


def _nothing_sold(member: Member) -> Sold:
    return Sold(found={}, units=(), paid_minor=(), basket_lines=(), member=member, has_tier_rules=True)
