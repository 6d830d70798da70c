"""The engine's one question: what does this basket cost, why, and what does it bring. Same arguments, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.engine.accruals import Accrued, accrue
from pos_loyalty.engine.conditions import Situation
from pos_loyalty.engine.coupons import Presented, present
from pos_loyalty.engine.lines import CalcLine, calc_lines, check_basket, check_member
from pos_loyalty.engine.model import Basket, FloorStop, Member, Proof, Quote, Refusal, State
from pos_loyalty.engine.money import allocate
from pos_loyalty.engine.pricing import MANUAL, nothing_left
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.redeem import Redeemed, redeem
from pos_loyalty.engine.selectors import found_by
from pos_loyalty.engine.spread import LineMoney, line_answer, line_money
from pos_loyalty.engine.stages import Priced, price
from pos_loyalty.engine.zones import instant
from pos_loyalty.values import Minor, Value

COUPON = "coupon"
SHOP_FLOOR = "shop"


class Parts(Value):
    """All that was decided, before it is written down as a quote."""

    calc: tuple[CalcLine, ...]
    priced: Priced
    redeemed: Redeemed
    money: tuple[LineMoney, ...]
    accrued: Accrued
    coupons: Presented


def quote(basket: Basket, member: Member | None, programme: Programme, state: State, now: datetime) -> Quote:
    """Price a basket at an instant. Raises InputError naming the place, and nothing else."""
    at = instant(now, "at")
    check_basket(basket, programme.currency)
    check_member(member)
    lines = tuple(sorted(basket.lines, key=lambda line: line.line_id))
    calc = calc_lines(lines, basket.manual)
    local = at.astimezone(programme.zone)
    coupons = present(basket.coupons, programme.series, state.coupons, local.date())
    found = found_by(programme.index, [each.line for each in calc])
    list_minor = [each.list_minor for each in calc]
    situation = Situation(
        lines=calc,
        found=found,
        running_minor=list_minor,
        list_sums={s: sum([list_minor[i] for i in found[s]]) for s in found if s in programme.measured},
        member=member,
        coupons=coupons.by_series,
        local=local,
        tiers=programme.tiers,
        exponent=programme.exponent,
    )
    places = {place for selector in found for place in programme.rules_of.get(selector, ())}
    priced = price([programme.rules[place] for place in sorted(places)], situation)
    redeemed = redeem(basket, member, programme, calc, (found, priced.left_minor), at)
    money = line_money(lines, calc, priced.offs, redeemed.parts, _least_due(programme, priced, redeemed))
    accrued = _accrued(member, priced, money, situation, programme, at)
    parts = Parts(priced=priced, redeemed=redeemed, money=money, accrued=accrued, coupons=coupons, calc=calc)
    return _written(basket, member, programme, at, parts)


def _least_due(programme: Programme, priced: Priced, redeemed: Redeemed) -> int:
    """What must stay in money when points are redeemed."""
    if programme.redeem is None or not redeemed.redemption.centi:
        return 0
    return min(int(programme.redeem.minimum_money), sum(priced.left_minor) - redeemed.redemption.off_minor)


def _accrued(
    member: Member | None, priced: Priced, money: Sequence[LineMoney], situation: Situation, programme: Programme, at: datetime
) -> Accrued:
    if member is None:
        return Accrued(accruals=(), beaten=(), refusals=())
    base = [0] * len(situation.lines)
    after_points = programme.points.earn_on == "paid"
    for line in money:
        base[line.place] += line.net_minor - (line.points_minor if after_points else 0)
    beaten = {lost.rule for lost in priced.beaten}
    givers = sorted((rule for rule in priced.held if rule.points and rule.id not in beaten), key=lambda rule: rule.id)
    return accrue(givers, situation.found, base, programme, at)


def _written(basket: Basket, member: Member | None, programme: Programme, at: datetime, parts: Parts) -> Quote:
    priced, redeemed, money = parts.priced, parts.redeemed, parts.money
    gross = sum(line.gross_minor for line in money)
    total = sum(line.net_minor for line in money)
    acting = {off.rule for off in priced.offs if off.rule != MANUAL} | {accrual.rule for accrual in parts.accrued.accruals}
    applied = tuple(rule.id for rule in priced.held if rule.id in acting)
    beaten = priced.beaten + parts.accrued.beaten
    return Quote(
        basket_id=basket.basket_id,
        programme=programme.name,
        at=at,
        member_id=member.member_id if member is not None else None,
        gross_minor=Minor(gross),
        total_minor=Minor(total),
        due_minor=Minor(total - sum(line.points_minor for line in money)),
        lines=tuple([line_answer(line) for line in money]),
        redemption=redeemed.redemption,
        accruals=parts.accrued.accruals,
        applied=tuple(sorted(applied)),
        refusals=_refusals(programme, parts, acting),
        beaten=tuple(sorted((lost for lost in beaten if lost.rule not in acting), key=lambda lost: lost.rule)),
        floors=_floors(parts),
        proof=Proof(value_minor=Minor(priced.item_minor), bound_minor=Minor(priced.item_minor), proven=True, nodes=0),
    )


def _refusals(programme: Programme, parts: Parts, acting: set[str]) -> tuple[Refusal, ...]:
    """Why rules, points and coupons did not act; sorted by rule. A rule that acts in part is not refused."""
    priced, accrued = parts.priced, parts.accrued
    given = [each for each in priced.refusals + parts.redeemed.refusals + accrued.refusals if each.rule not in acting]
    named = {each.rule for each in given} | {lost.rule for lost in priced.beaten + accrued.beaten} | acting
    given += [nothing_left(rule.id, programme.exponent) for rule in priced.held if rule.id not in named]
    said = {each.have for each in given}
    for use in parts.coupons.by_series.values():
        if not use.is_good and use.have not in said:
            given.append(Refusal(rule=COUPON, condition=COUPON, have=use.have, need=use.need))
    for code in parts.coupons.unknown:
        given.append(Refusal(rule=COUPON, condition=COUPON, have=f"{code} is not known", need="a coupon of this programme"))
    given.sort(key=lambda each: (each.rule, each.condition, each.have, each.need))
    return tuple(given)


def _floors(parts: Parts) -> tuple[FloorStop, ...]:
    stops = []
    for stopped in parts.priced.stopped:
        calc = parts.calc[stopped.place]
        mine = [line for line in parts.money if line.place == stopped.place]
        shares = allocate([line.gross_minor for line in mine], stopped.stopped_minor, [stopped.stopped_minor] * len(mine))
        for line, share in zip(mine, shares, strict=True):
            if calc.floor_minor and share:
                stops.append(FloorStop(line_id=line.line.line_id, floor=SHOP_FLOOR, stopped_minor=Minor(share)))
    return tuple(sorted(stops, key=lambda stop: stop.line_id))
