"""Stage 9: points earned on money. What is exact stays exact until the receipt's points are rounded, once.

On a line the best rate acts, and the best multiplier with it; rules of groups that the programme says stack add up. A fixed
number for each unit always adds, and is multiplied too; a fixed number for the receipt stands by itself. Lines on which no money
is paid earn nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.earning import Base, Life, life_of
from pos_loyalty.engine.earning_pools import Giver, Lost, Pool, lost_in, pools_on
from pos_loyalty.engine.earning_shares import exact_shares, per_centi, shared, worth_minor
from pos_loyalty.engine.effects import GivePoints
from pos_loyalty.engine.figures import money_text, points_text
from pos_loyalty.engine.model import CENTI_MAX, Accrual, Beaten, Refusal
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.returnable import EarnedOn, Earning, PointsOf
from pos_loyalty.errors import InputError
from pos_loyalty.values import CENTI_PER_POINT, Minor, Points, Value

HUNDREDTHS = 100
"""Multipliers count hundredths of one time."""
PER_DAY = "per_day"
PER_RECEIPT = "per_receipt"
UNKNOWN = "unknown"

OnKinds = dict[int, list[tuple[str, int, int]]]
"""Kind to what each rule gives there: rule, rate in hundredths of a basis point, points for a unit."""

Giving = tuple[ReadyRule, GivePoints, Sequence[int]]
"""A rule, what it says about points, and the kinds of its goods."""


class Kinds(Value, gc=False):
    """Lines that the same rules are about earn alike: they are one kind, and their money and units count together."""

    places: Sequence[Sequence[int]]
    """Of the lines on which there is money."""
    of_rule: Sequence[Sequence[int]]
    money_minor: Sequence[int]
    units: Sequence[int]


class Given(Value, gc=False):
    """What rules give on kinds of lines and for the receipt, and what those that lost would have given more."""

    on_kinds: OnKinds
    fixed: tuple[PointsOf, ...]
    lost: list[Lost]


class Accrued(Value):
    """What a sale brings, by which rates on which calculation lines, and the rules that brought nothing."""

    accruals: tuple[Accrual, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]
    rates: Mapping[int, tuple[EarnedOn, ...]]
    """By place, sorted by rule."""
    earning: Earning | None


NOTHING = Accrued(accruals=(), beaten=(), refusals=(), rates={}, earning=None)


class Limit(Value, gc=False):
    """The most that a receipt may bring, and which limit says so."""

    centi: int
    by: str


def accrue(rules: Sequence[ReadyRule], base: Base, programme: Programme, at: datetime) -> Accrued:
    """Points on the money of each line. ``rules`` hold, were not beaten, give points and are sorted by id."""
    if not rules:
        return NOTHING
    limits = _limits(base, programme)
    if limits is None:
        return _unknown(rules, programme)
    if base.redeemed_centi and not programme.points.earn_if_redeemed:
        return _refused(rules, "redeemed", points_text(base.redeemed_centi), points_text(0))
    limit = min(limits, key=lambda each: each.centi) if limits else None
    kinds = _kinds(rules, base)
    givings = [(rule, effect_of(rule), kinds.of_rule[number]) for number, rule in enumerate(rules)]
    given = _given(givings, kinds, base.receipt_minor, programme)
    earned = {kind: _earned(gifts) for kind, gifts in given.on_kinds.items()}
    earning, most = programme.earning, _most(givings, base, programme)
    if limit is not None or given.fixed or most:
        most_centi = None if limit is None else Points(int(limit.centi))
        earning = replace(earning, most_centi=most_centi, fixed=given.fixed, most=most)
    counted = [(rates, kinds.money_minor[kind], kinds.units[kind]) for kind, rates in earned.items()]
    parts = shared(exact_shares(counted, earning), earning)
    if sum(parts.values()) > CENTI_MAX:
        raise InputError("basket.lines", "the basket brings more points than the ledger can hold")
    beaten = tuple([_worth(each, programme) for each in given.lost])
    named = {each.rule for each in beaten}
    silent = [each for each in givings if not parts.get(each[0].id) and not each[0].money and each[0].id not in named]
    return Accrued(
        accruals=_accruals(givings, parts, programme, at),
        beaten=beaten,
        refusals=tuple([_none(giving, base, limit, programme) for giving in silent]),
        rates={place: rates for kind, rates in earned.items() for place in kinds.places[kind]},
        earning=earning,
    )


def effect_of(rule: ReadyRule) -> GivePoints:
    """What a rule that gives points says about them; it gives them once."""
    effect = rule.points[0].effect
    assert isinstance(effect, GivePoints)
    return effect


def _limits(base: Base, programme: Programme) -> list[Limit] | None:
    """None when a limit needs what is not known."""
    table = programme.points
    limits = [Limit(centi=table.per_receipt, by=PER_RECEIPT)] if table.per_receipt is not None else []
    if table.per_day is not None:
        if base.earned_today_centi is None:
            return None
        limits.append(Limit(centi=max(0, table.per_day - base.earned_today_centi), by=PER_DAY))
    return limits


def _unknown(rules: Sequence[ReadyRule], programme: Programme) -> Accrued:
    assert programme.points.per_day is not None
    return _refused(rules, PER_DAY, UNKNOWN, points_text(programme.points.per_day))


def _refused(rules: Sequence[ReadyRule], condition: str, have: str, need: str) -> Accrued:
    refusals = tuple(Refusal(rule=rule.id, condition=condition, have=have, need=need) for rule in rules if not rule.money)
    return Accrued(accruals=(), beaten=(), refusals=refusals, rates={}, earning=None)


def _kinds(rules: Sequence[ReadyRule], base: Base) -> Kinds:
    money, units = base.money_minor, base.units
    marks = [0] * len(money)
    for number, rule in enumerate(rules):
        mark = 1 << number
        for place in base.found.get(rule.points[0].selector, ()):
            marks[place] |= mark
    places_of: dict[int, list[int]] = {}
    for place, mark in enumerate(marks):
        if mark and money[place] > 0:
            places_of.setdefault(mark, []).append(place)
    places = list(places_of.values())
    return Kinds(
        places=places,
        of_rule=[[kind for kind, mark in enumerate(places_of) if mark >> number & 1] for number in range(len(rules))],
        money_minor=[sum([money[place] for place in mine]) for mine in places],
        units=[sum([units[place] for place in mine]) for mine in places],
    )


def _given(givings: Sequence[Giving], kinds: Kinds, receipt_minor: int, programme: Programme) -> Given:
    """What every rule gives on every kind: rates first, then points for units; multipliers act on both."""
    relations = programme.compatibility.relations
    on_kinds: OnKinds = {}
    raters = pools_on(_raters(givings, receipt_minor), relations)
    for pool in raters:
        for kind, giver in pool.best.items():
            on_kinds.setdefault(kind, []).append((giver.rule.id, giver.figure * HUNDREDTHS, 0))
    for rule, effect, mine in givings:
        if effect.fixed is not None and effect.per == "unit":
            for kind in mine:
                on_kinds.setdefault(kind, []).append((rule.id, 0, int(effect.fixed)))
    lost = lost_in(raters, kinds.money_minor, HUNDREDTHS)
    multipliers = pools_on(_multipliers(givings, on_kinds), relations)
    if multipliers:
        multiplied = _multiply(multipliers, on_kinds)
        lost += lost_in(multipliers, _in_hundredths(multiplied, kinds, programme.exponent), 1)
    fixed = []
    for rule, effect, mine in givings:
        if effect.fixed is not None and effect.per == "receipt" and mine:
            fixed.append(PointsOf(rule=rule.id, centi=Points(int(effect.fixed))))
            for kind in mine:
                on_kinds.setdefault(kind, []).append((rule.id, 0, 0))
    return Given(on_kinds=on_kinds, fixed=tuple(fixed), lost=lost)


def _raters(givings: Sequence[Giving], receipt_minor: int) -> list[Giver]:
    givers = []
    for rule, effect, kinds in givings:
        rate = effect.rate if not effect.steps else _step_rate(effect, receipt_minor)
        if rate is not None:
            givers.append(Giver(rule=rule, figure=int(rate), kinds=kinds))
    return givers


def _step_rate(effect: GivePoints, receipt_minor: int) -> int | None:
    return next((step.rate for step in reversed(effect.steps) if receipt_minor >= step.from_), None)


def _multipliers(givings: Sequence[Giving], on_kinds: OnKinds) -> list[Giver]:
    """They act only where other rules give."""
    return [
        Giver(rule=rule, figure=int(effect.multiplier), kinds=[kind for kind in mine if kind in on_kinds])
        for rule, effect, mine in givings
        if effect.multiplier is not None and effect.multiplier > HUNDREDTHS
    ]


def _multiply(pools: Sequence[Pool], on_kinds: OnKinds) -> dict[int, tuple[int, int]]:
    """Add what the multipliers give more; what they multiply, by kind: the rate, and the points for a unit."""
    multiplied = {
        kind: (sum([rate for _, rate, _ in on_kinds[kind]]), sum([unit for _, _, unit in on_kinds[kind]]))
        for pool in pools
        for kind in pool.best
    }
    for pool in pools:
        for kind, giver in pool.best.items():
            rate, unit = multiplied[kind]
            more = giver.figure - HUNDREDTHS
            on_kinds[kind].append((giver.rule.id, whole_in(rate * more, HUNDREDTHS), whole_in(unit * more, HUNDREDTHS)))
    return multiplied


def _earned(gifts: list[tuple[str, int, int]]) -> tuple[EarnedOn, ...]:
    return tuple([EarnedOn(rule=rule, rate=rate, unit_centi=unit) for rule, rate, unit in sorted(gifts)])


def _most(givings: Sequence[Giving], base: Base, programme: Programme) -> tuple[PointsOf, ...]:
    """The most of each rule that has one: its own limit, and what its budget still pays."""
    most = []
    for rule, effect, _ in givings:
        bounds = [int(effect.max_points)] if effect.max_points is not None else []
        budget = base.budgets_minor.get(rule.id) if rule.budget is not None else None
        if budget is not None:
            bounds.append(whole_in(max(0, budget) * CENTI_PER_POINT, programme.point_minor))
        if bounds:
            most.append(PointsOf(rule=rule.id, centi=Points(min(bounds))))
    return tuple(most)


def _accruals(givings: Sequence[Giving], parts: Mapping[str, int], programme: Programme, at: datetime) -> tuple[Accrual, ...]:
    """One a rule. Points with the same words about their life have the same dates: these are made once."""
    lives: dict[tuple[object, ...], Life] = {}
    accruals = []
    for rule, effect, _ in givings:
        centi = parts.get(rule.id)
        if centi:
            words = (effect.delay_days, effect.lifetime_days, effect.lifetime_months, effect.month_end)
            life = lives.get(words)
            if life is None:
                life = lives[words] = life_of(effect, programme.points, at, programme.zone)
            accruals.append(Accrual(rule=rule.id, centi=Points(centi), usable_from=life.usable_from, expires_at=life.expires_at))
    return tuple(accruals)


def _in_hundredths(multiplied: Mapping[int, tuple[int, int]], kinds: Kinds, exponent: int) -> dict[int, int]:
    """Kind to the exact share that a hundredth of one time makes there."""
    a_unit = whole_in(per_centi(exponent), HUNDREDTHS)
    return {
        kind: whole_in(kinds.money_minor[kind] * rate, HUNDREDTHS) + kinds.units[kind] * unit * a_unit
        for kind, (rate, unit) in multiplied.items()
    }


def _worth(lost: Lost, programme: Programme) -> Beaten:
    """The difference as the money that those points would pay."""
    worth = worth_minor(lost.exact, programme.exponent, programme.point_minor)
    return Beaten(rule=lost.rule, by=lost.by, difference_minor=Minor(worth))


def _none(giving: Giving, base: Base, limit: Limit | None, programme: Programme) -> Refusal:
    """Why a rule that holds brought nothing."""
    rule, effect, _ = giving
    step = programme.points.step
    if effect.steps and _step_rate(effect, base.receipt_minor) is None:
        need = money_text(effect.steps[0].from_, programme.exponent)
        return Refusal(rule=rule.id, condition="ladder", have=money_text(base.receipt_minor, programme.exponent), need=need)
    if limit is not None and limit.centi < step:
        return Refusal(rule=rule.id, condition=limit.by, have=points_text(limit.centi), need=points_text(step))
    return Refusal(rule=rule.id, condition="nothing_earned", have=points_text(0), need=points_text(step))
