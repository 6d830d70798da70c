"""The engine's one question: what does this basket cost, why, and what does it bring. Same arguments, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from pos_loyalty.engine import fiscal
from pos_loyalty.engine.accruals import NOTHING, Accrued, accrue
from pos_loyalty.engine.caps import MANUAL, Stopped
from pos_loyalty.engine.coupons import Presented, taken
from pos_loyalty.engine.decide import Decision, decide
from pos_loyalty.engine.earning import Base, earned_today, earning_minor
from pos_loyalty.engine.effects import Effect, Gift, RedeemFor
from pos_loyalty.engine.gift_cards import GIFT_CARD, advance
from pos_loyalty.engine.gifts import gifts_given
from pos_loyalty.engine.hints import hints_of
from pos_loyalty.engine.issue import Issued, Sold, counted_of, issue
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import (
    Accrual,
    Adjustment,
    Basket,
    FloorStop,
    Issue,
    LineRefusal,
    Member,
    Quote,
    QuoteLine,
    Refusal,
    State,
)
from pos_loyalty.engine.money import NOTHING_MINOR, allocate, vat_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.question import nothing_left
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.reasons_of import Reasons, proof_of, reasons_of
from pos_loyalty.engine.referral import Referred, referral
from pos_loyalty.engine.selectors import found_by
from pos_loyalty.engine.spread import LineMoney
from pos_loyalty.engine.stages import Priced
from pos_loyalty.values import Minor, Value

COUPON = "coupon"
ID, RULE = attrgetter("id"), attrgetter("rule")
T = TypeVar("T")


class Brought(Value):
    """What the sale brings besides prices."""

    accrued: Accrued
    issued: Issued
    referred: Referred
    acting: frozenset[str]
    reasons: Reasons
    earning_minor: Sequence[int]
    """The money of each basket line that earns points; 0 where no rule gives any."""


def quote(basket: Basket, member: Member | None, programme: Programme, state: State, now: datetime) -> Quote:
    """Price a basket at an instant. Raises InputError naming the place, and nothing else."""
    decision = decide(basket, member, programme, state, now)
    return _written(decision, _brought(decision))


def _brought(decision: Decision) -> Brought:
    weighed, paid, money = decision.weighed, decision.paid, decision.money
    asked, calc, priced = weighed.asked, weighed.calc, weighed.priced
    programme, member, at = asked.programme, asked.member, asked.at
    money_acting = (priced.acting | paid.acting) - {MANUAL}
    reasons = reasons_of(priced, weighed.question)
    lost = {beaten.rule for beaten in reasons.beaten}
    ready = [rule for rule in priced.held if rule.id not in lost and (not rule.money or rule.id in money_acting)]
    ready.sort(key=ID)
    givers = [rule for rule in ready if rule.points] if member is not None else []
    earning = _earning(decision) if givers else [0] * len(money)
    accrued = _accrued(decision, givers, earning)
    giving = {accrual.rule for accrual in accrued.accruals}
    acting = [rule for rule in ready if rule.money or rule.later or rule.id in giving]
    pays = [0] * len(calc)
    for line in money:
        if not calc[line.place].floor.is_hidden:
            pays[line.place] += line.net_minor - line.points_minor
    sold = Sold(
        found=weighed.question.found,
        units=[line.units for line in calc],
        paid_minor=pays,
        member=member,
        basket_lines=[line.line for line in money],
        has_tier_rules=programme.has_tier_rules,
    )
    return Brought(
        accrued=accrued,
        issued=issue(acting, _times(acting, priced), sold, programme, at),
        referred=referral(member, sum(pays), programme, at),
        acting=money_acting.union([rule.id for rule in acting]),
        reasons=reasons,
        earning_minor=earning,
    )


def _times(acting: Sequence[ReadyRule], priced: Priced) -> dict[str, int]:
    """How often rules with limits were used."""
    limited = [rule.id for rule in acting if rule.has_allowance]
    if not limited:
        return {}
    groups = {rule: times for done in priced.dones for rule, times in done.times.items()}
    return {rule: groups.get(rule, 1) for rule in limited}


def _earning(decision: Decision) -> list[int]:
    """What earns points on each basket line. Hidden goods count for nothing."""
    calc, points = decision.weighed.calc, decision.weighed.asked.programme.points
    return [
        0 if calc[line.place].floor.is_hidden
        else earning_minor(line.net_minor, line.points_minor, line.line.vat_bp, points)
        for line in decision.money
    ]  # fmt: skip


def _accrued(decision: Decision, givers: Sequence[ReadyRule], earning: Sequence[int]) -> Accrued:
    weighed = decision.weighed
    programme, member, calc = weighed.asked.programme, weighed.asked.member, weighed.calc
    if member is None or not givers:
        return NOTHING
    on = set(weighed.question.found.get(programme.points_selector, ()))
    money_minor = [0] * len(calc)
    for line, money in zip(decision.money, earning, strict=True):
        if line.place in on:
            money_minor[line.place] += money
    base = Base(
        found=weighed.question.found,
        money_minor=money_minor,
        units=[line.units for line in calc],
        receipt_minor=sum([line.net_minor for line in decision.money if not calc[line.place].floor.is_hidden]),
        redeemed_centi=decision.paid.redemption.centi,
        earned_today_centi=earned_today(member, weighed.asked.at, programme.zone),
        budgets_minor=_budgets(decision, givers),
    )
    return accrue(givers, base, programme, weighed.asked.at)


def _budgets(decision: Decision, givers: Sequence[ReadyRule]) -> dict[str, int]:
    """What the money that a rule takes off here leaves of its budget for its points."""
    allowances = decision.weighed.question.allowances
    left = {rule.id: allowances[rule.id].money_minor or 0 for rule in givers if rule.budget is not None}
    for rule, off in (each for line in decision.money for each in line.offs) if left else ():
        if rule in left:
            left[rule] -= off
    return left


def _written(decision: Decision, brought: Brought) -> Quote:
    weighed, paid, money = decision.weighed, decision.paid, decision.money
    asked, coupons = weighed.asked, weighed.coupons
    basket, member, programme = asked.basket, asked.member, asked.programme
    acting, accrued, issued = brought.acting, brought.accrued, brought.issued
    total = sum([line.net_minor for line in money])
    return Quote(
        basket_id=basket.basket_id,
        programme=programme.name,
        at=asked.at,
        member_id=member.member_id if member is not None else None,
        gross_minor=Minor(sum([line.gross_minor for line in money])),
        total_minor=Minor(total),
        due_minor=Minor(total - sum([line.points_minor for line in money])),
        lines=_lines(decision, brought),
        redemption=paid.redemption,
        accruals=_sorted(accrued.accruals + brought.referred.accruals, _to_whom),
        earning=accrued.earning,
        counters=issued.counters,
        uses=issued.uses,
        gifts=gifts_given(weighed.priced.dones, money, acting) if programme.returns.gifts == "charge" else (),
        tier_progress_minor=issued.tier_progress_minor,
        issued=_sorted(paid.issues + issued.issued, _what),
        coupons=taken(coupons, programme.codes, _series(decision, acting)) if coupons.by_series else (),
        tenders=basket.tenders + paid.tenders,
        applied=tuple(sorted(acting)),
        refusals=_refusals(decision, brought),
        beaten=_sorted([lost for lost in (*brought.reasons.beaten, *accrued.beaten) if lost.rule not in acting], RULE),
        hints=hints_of(weighed),
        messages=issued.messages,
        privileges=tuple(sorted({*paid.privileges, *issued.privileges})) if paid.privileges else issued.privileges,
        floors=_floors(decision, brought.reasons.stopped),
        line_refusals=_line_refusals(decision),
        proof=proof_of(weighed.priced),
    )


def _sorted(values: Sequence[T], key: Callable[[T], Any]) -> tuple[T, ...]:
    return tuple(sorted(values, key=key) if len(values) > 1 else values)


def _to_whom(accrual: Accrual) -> tuple[str, str]:
    return accrual.rule, accrual.member_id or ""


def _what(issued: Issue) -> tuple[str, str, str]:
    return issued.rule, issued.kind, issued.series


def _lines(decision: Decision, brought: Brought) -> tuple[QuoteLine, ...]:
    rates, counted, progress = brought.accrued.rates, brought.issued.counted, brought.issued.progress
    is_tender, calc = bool(decision.paid.tenders), decision.weighed.calc
    made = []
    for money, earning in zip(decision.money, brought.earning_minor, strict=True):
        line, place, net, points, offs = money.line, money.place, money.net_minor, money.points_minor, money.offs
        in_money = Minor(net - points) if points else net
        pays = net if is_tender else in_money
        earned = rates.get(place, ())
        positions = fiscal.positions(line, pays)
        made.append(
            QuoteLine(
                line_id=line.line_id,
                gross_minor=money.gross_minor,
                net_minor=net,
                points_minor=points,
                vat_minor=vat_in(pays, line.vat_bp),
                adjustments=tuple([Adjustment(rule=rule, off_minor=Minor(off)) for rule, off in sorted(offs)]) if offs else (),
                fiscal=advance(positions) if calc[place].floor.name == GIFT_CARD else positions,
                units=money.units,
                earned=earned,
                earning_minor=Minor(earning) if earned else NOTHING_MINOR,
                counted=counted_of(counted[place], money.units) if place in counted else (),
                progress_minor=in_money if place in progress else NOTHING_MINOR,
            )
        )
    return tuple(made)


def _series(decision: Decision, acting: frozenset[str]) -> list[str]:
    """Series that rules which act ask for."""
    return sorted({series for rule in decision.weighed.priced.held if rule.id in acting for series in rule.series})


def _refusals(decision: Decision, brought: Brought) -> tuple[Refusal, ...]:
    """Why rules, points and coupons did not act; sorted by rule. A rule that acts in part is not refused."""
    weighed, reasons, accrued, acting = decision.weighed, brought.reasons, brought.accrued, brought.acting
    given = [
        *reasons.refusals, *decision.paid.refusals, *accrued.refusals, *brought.issued.refusals, *brought.referred.refusals,
    ]  # fmt: skip
    given = [each for each in given if each.rule not in acting]
    named = {each.rule for each in given}
    named.update([lost.rule for lost in reasons.beaten])
    quiet = acting.union(named, [lost.rule for lost in accrued.beaten])
    exponent = weighed.asked.programme.exponent
    given += [nothing_left(rule.id, exponent) for rule in weighed.priced.held if rule.id not in quiet]
    given += _of_coupons(weighed.coupons, given)
    hidden = [each for each in weighed.calc if each.floor.is_hidden]
    if hidden:
        given += _shut_out(hidden, weighed.asked.programme, quiet.union([each.rule for each in given]))
    if weighed.asked.basket.choices:
        given += _of_choices(weighed.asked.basket.choices, weighed.asked.programme, quiet.union([each.rule for each in given]))
    said = {(each.rule, each.condition, each.have, each.need): each for each in given}
    return tuple([said[words] for words in sorted(said)])


def _of_coupons(coupons: Presented, given: Sequence[Refusal]) -> list[Refusal]:
    """Coupons that are not good, unless a rule was refused for that, and those that no series knows."""
    said = {each.have for each in given} if coupons.by_series else set()
    bad = [use for use in coupons.by_series.values() if not use.is_good and use.have not in said]
    return [*[Refusal(rule=COUPON, condition=COUPON, have=use.have, need=use.need) for use in bad], *coupons.unknown]


def _of_choices(choices: Mapping[str, str], programme: Programme, told: frozenset[str]) -> list[Refusal]:
    """Choices for rules whose goods are not in the basket, for those that let nobody choose, and for those that there are not."""
    offering = {rule.id for rule in programme.rules if any(_is_chosen(act.effect) for act in rule.money)}
    return [
        Refusal(rule=rule, condition="choice", have=token("line", line), need="goods" if rule in offering else "rule")
        for rule, line in choices.items()
        if rule not in told
    ]


def _is_chosen(effect: Effect) -> bool:
    return isinstance(effect, RedeemFor) or (isinstance(effect, Gift) and effect.choice == "cashier")


def _shut_out(hidden: Sequence[CalcLine], programme: Programme, told: frozenset[str]) -> list[Refusal]:
    """Rules for restricted goods alone: no other goods of theirs are in the basket."""
    found = found_by(programme.index, [each.line for each in hidden])
    places = sorted({place for selector in found for place in programme.rules_of.get(selector, ())})
    return [
        Refusal(rule=programme.rules[place].id, condition="restricted", have=hidden[0].floor.name, need="ordinary")
        for place in places
        if programme.rules[place].id not in told and programme.rules[place].stage != "payment"
    ]


def _floors(decision: Decision, all_stopped: Sequence[Stopped]) -> tuple[FloorStop, ...]:
    if not all_stopped:
        return ()
    stops: dict[tuple[str, str], int] = {}
    of_place: dict[int, list[LineMoney]] = {}
    for line in decision.money:
        of_place.setdefault(line.place, []).append(line)
    for stopped in all_stopped:
        mine = of_place[stopped.place]
        shares = allocate([line.gross_minor for line in mine], stopped.stopped_minor, [stopped.stopped_minor] * len(mine))
        for line, share in zip(mine, shares, strict=True):
            if share:
                key = (line.line.line_id, stopped.floor)
                stops[key] = stops.get(key, 0) + share
    return tuple([FloorStop(line_id=key[0], floor=key[1], stopped_minor=Minor(stops[key])) for key in sorted(stops)])


def _line_refusals(decision: Decision) -> tuple[LineRefusal, ...]:
    reasons = {line_id: each.floor.refusal for each in decision.weighed.calc if each.floor.refusal for line_id in each.line_ids}
    return tuple([LineRefusal(line_id=line_id, reason=reasons[line_id]) for line_id in sorted(reasons)])
