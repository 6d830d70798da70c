"""The engine's one question: what does this basket cost, why, and what does it bring. Same arguments, same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pos_loyalty.engine import fiscal
from pos_loyalty.engine.accruals import NOTHING, Accrued, accrue
from pos_loyalty.engine.caps import MANUAL, Stopped
from pos_loyalty.engine.coupons import taken
from pos_loyalty.engine.decide import Decision, decide
from pos_loyalty.engine.earning import Base, earned_today, earning_minor
from pos_loyalty.engine.hints import hints_of
from pos_loyalty.engine.issue import Issued, Sold, counted_of, issue
from pos_loyalty.engine.model import (
    Adjustment,
    Basket,
    FloorStop,
    LineRefusal,
    Member,
    Quote,
    QuoteLine,
    Refusal,
    State,
)
from pos_loyalty.engine.money import allocate, vat_in
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.question import nothing_left
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.reasons_of import Reasons, proof_of, reasons_of
from pos_loyalty.engine.referral import Referred, referral
from pos_loyalty.engine.selectors import found_by
from pos_loyalty.engine.spread import LineMoney, paid_minor
from pos_loyalty.values import Minor, Value

COUPON = "coupon"


class Brought(Value):
    """What the sale brings besides prices."""

    accrued: Accrued
    issued: Issued
    referred: Referred
    acting: frozenset[str]
    reasons: Reasons


def quote(basket: Basket, member: Member | None, programme: Programme, state: State, now: datetime) -> Quote:
    """Price a basket at an instant. Raises InputError naming the place, and nothing else."""
    decision = decide(basket, member, programme, state, now)
    return _written(decision, _brought(decision))


def _brought(decision: Decision) -> Brought:
    weighed, paid = decision.weighed, decision.paid
    programme, member, at = weighed.asked.programme, weighed.asked.member, weighed.asked.at
    priced = weighed.priced
    money_acting = (priced.acting | paid.acting) - {MANUAL}
    reasons = reasons_of(priced, weighed.question)
    lost = {beaten.rule for beaten in reasons.beaten}
    ready = [rule for rule in priced.held if rule.id not in lost and (not rule.money or rule.id in money_acting)]
    ready.sort(key=_id)
    net, pays, earns = _sums(decision)
    accrued = _accrued(decision, [rule for rule in ready if rule.points], net, earns)
    giving = frozenset([accrual.rule for accrual in accrued.accruals])
    acting = [rule for rule in ready if rule.money or rule.later or rule.id in giving]
    groups = {rule: times for done in priced.dones for rule, times in done.times.items()}
    times = {rule.id: groups.get(rule.id, 1) for rule in acting if rule.has_allowance}
    sold = Sold(
        found=decision.weighed.question.found,
        units=[line.units for line in decision.weighed.calc],
        paid_minor=pays,
        member=member,
        basket_lines=[line.line for line in decision.money],
        has_tier_rules=programme.has_tier_rules,
    )
    issued = issue(acting, times, sold, programme, at)
    referred = referral(member, sum(pays), programme, at)
    return Brought(
        accrued=accrued,
        issued=issued,
        referred=referred,
        acting=frozenset([rule.id for rule in acting]) | money_acting,
        reasons=reasons,
    )


def _id(rule: ReadyRule) -> str:
    return rule.id


def _sums(decision: Decision) -> tuple[list[int], list[int], list[int]]:
    """By calculation line: net, what is paid in money, and what earns points. Hidden goods count for nothing."""
    size = len(decision.weighed.calc)
    net, pays, earns = [0] * size, [0] * size, [0] * size
    points = decision.weighed.asked.programme.points
    for line in decision.money:
        place = line.place
        if decision.weighed.calc[place].floor.is_hidden:
            continue
        net[place] += line.net_minor
        pays[place] += line.net_minor - line.points_minor
        earns[place] += earning_minor(line.net_minor, line.points_minor, line.line.vat_bp, points)
    return net, pays, earns


def _accrued(decision: Decision, givers: Sequence[ReadyRule], net: Sequence[int], earns: list[int]) -> Accrued:
    asked = decision.weighed.asked
    programme, member = asked.programme, asked.member
    if member is None or not givers:
        return NOTHING
    on = set(decision.weighed.question.found.get(programme.points_selector, ()))
    base = Base(
        found=decision.weighed.question.found,
        money_minor=[money if place in on else 0 for place, money in enumerate(earns)],
        units=[line.units for line in decision.weighed.calc],
        receipt_minor=sum(net),
        redeemed_centi=decision.paid.redemption.centi,
        earned_today_centi=earned_today(member, asked.at, programme.zone),
        budgets_minor=_budgets(decision, givers),
    )
    return accrue(givers, base, programme, asked.at)


def _budgets(decision: Decision, givers: Sequence[ReadyRule]) -> dict[str, int]:
    """What the money that a rule takes off here leaves of its budget for its points."""
    allowances = decision.weighed.question.allowances
    left = {rule.id: allowances[rule.id].money_minor or 0 for rule in givers if rule.budget is not None}
    for rule, off in (each for line in decision.money for each in line.offs) if left else ():
        if rule in left:
            left[rule] -= off
    return left


def _written(decision: Decision, brought: Brought) -> Quote:
    asked, priced, paid, money = decision.weighed.asked, decision.weighed.priced, decision.paid, decision.money
    basket, member = asked.basket, asked.member
    total = sum([line.net_minor for line in money])
    acting = brought.acting
    beaten = [lost for lost in (*brought.reasons.beaten, *brought.accrued.beaten) if lost.rule not in acting]
    beaten.sort(key=lambda lost: lost.rule)
    issued = brought.issued
    accruals = brought.accrued.accruals + brought.referred.accruals
    return Quote(
        basket_id=basket.basket_id,
        programme=asked.programme.name,
        at=asked.at,
        member_id=member.member_id if member is not None else None,
        gross_minor=Minor(sum([line.gross_minor for line in money])),
        total_minor=Minor(total),
        due_minor=Minor(total - sum([line.points_minor for line in money])),
        lines=_lines(decision, brought),
        redemption=paid.redemption,
        accruals=tuple(sorted(accruals, key=lambda accrual: (accrual.rule, accrual.member_id or ""))),
        earning=brought.accrued.earning,
        counters=issued.counters,
        uses=issued.uses,
        tier_progress_minor=issued.tier_progress_minor,
        issued=tuple(sorted((*paid.issues, *issued.issued), key=lambda each: (each.rule, each.kind, each.series))),
        coupons=taken(decision.weighed.coupons, asked.programme.codes, _series(decision, acting)),
        tenders=basket.tenders + paid.tenders,
        applied=tuple(sorted(acting)),
        refusals=_refusals(decision, brought),
        beaten=tuple(beaten),
        hints=hints_of(decision.weighed),
        messages=issued.messages,
        privileges=tuple(sorted({*paid.privileges, *issued.privileges})),
        floors=_floors(decision, brought.reasons.stopped),
        line_refusals=_line_refusals(decision),
        proof=proof_of(priced),
    )


def _lines(decision: Decision, brought: Brought) -> tuple[QuoteLine, ...]:
    rates, counted, progress = brought.accrued.rates, brought.issued.counted, brought.issued.progress
    points = decision.weighed.asked.programme.points
    made = []
    for money in decision.money:
        pays = paid_minor(money, decision.paid)
        line = money.line
        offs = sorted(money.offs) if len(money.offs) > 1 else money.offs
        earned = rates.get(money.place, ())
        made.append(
            QuoteLine(
                line_id=line.line_id,
                gross_minor=Minor(money.gross_minor),
                net_minor=Minor(money.net_minor),
                points_minor=Minor(money.points_minor),
                vat_minor=vat_in(pays, line.vat_bp),
                adjustments=tuple([Adjustment(rule=rule, off_minor=Minor(off)) for rule, off in offs]),
                fiscal=fiscal.positions(line, pays),
                units=_units(money),
                earned=earned,
                earning_minor=Minor(earning_minor(money.net_minor, money.points_minor, line.vat_bp, points) if earned else 0),
                counted=counted_of(counted.get(money.place, ()), _units(money)) if counted else (),
                progress_minor=Minor(money.net_minor - money.points_minor if money.place in progress else 0),
            )
        )
    return tuple(made)


def _units(money: LineMoney) -> int:
    return 1 if money.line.measure == "weight" else fiscal.pieces_of(money.line)


def _series(decision: Decision, acting: frozenset[str]) -> list[str]:
    """Series that rules which act ask for."""
    return sorted({series for rule in decision.weighed.priced.held if rule.id in acting for series in rule.series})


def _refusals(decision: Decision, brought: Brought) -> tuple[Refusal, ...]:
    """Why rules, points and coupons did not act; sorted by rule. A rule that acts in part is not refused."""
    priced, reasons, accrued, acting = decision.weighed.priced, brought.reasons, brought.accrued, brought.acting
    given = [
        *reasons.refusals, *decision.paid.refusals, *accrued.refusals, *brought.issued.refusals, *brought.referred.refusals,
    ]  # fmt: skip
    given = [each for each in given if each.rule not in acting]
    named = {each.rule for each in given}
    named.update(lost.rule for lost in reasons.beaten)
    named.update(lost.rule for lost in accrued.beaten)
    exponent = decision.weighed.asked.programme.exponent
    given += [nothing_left(rule.id, exponent) for rule in priced.held if rule.id not in acting and rule.id not in named]
    said = {each.have for each in given}
    for use in decision.weighed.coupons.by_series.values():
        if not use.is_good and use.have not in said:
            given.append(Refusal(rule=COUPON, condition=COUPON, have=use.have, need=use.need))
    given += decision.weighed.coupons.unknown
    given += _shut_out(decision, acting | {each.rule for each in given} | {lost.rule for lost in reasons.beaten})
    given.sort(key=lambda each: (each.rule, each.condition, each.have, each.need))
    return tuple(dict.fromkeys(given))


def _shut_out(decision: Decision, told: frozenset[str] | set[str]) -> list[Refusal]:
    """Rules for restricted goods alone: no other goods of theirs are in the basket."""
    hidden = [each for each in decision.weighed.calc if each.floor.is_hidden]
    if not hidden:
        return []
    programme = decision.weighed.asked.programme
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
    refused = [line for line in decision.money if decision.weighed.calc[line.place].floor.refusal]
    reasons: Mapping[str, str] = {line.line.line_id: decision.weighed.calc[line.place].floor.refusal for line in refused}
    return tuple([LineRefusal(line_id=line_id, reason=reasons[line_id]) for line_id in sorted(reasons)])
