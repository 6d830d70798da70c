"""Stage 9: points earned on money. The best rate acts on each line, a multiplier multiplies it; floored once a receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pos_loyalty.engine.effects import Effect, GivePoints
from pos_loyalty.engine.figures import points_text
from pos_loyalty.engine.model import CENTI_MAX, Accrual, Beaten, Refusal
from pos_loyalty.engine.money import allocate, half_up, whole_in
from pos_loyalty.engine.pricing import Places
from pos_loyalty.engine.programme import Programme, ReadyRule
from pos_loyalty.engine.zones import days_later
from pos_loyalty.errors import InputError
from pos_loyalty.values import BP_PER_UNIT, CENTI_PER_POINT, Minor, Points, Value

FigureOf = Callable[[Effect], int | None]
HUNDREDTHS = 100
"""Multipliers count hundredths of one time."""


class Accrued(Value):
    """What a sale brings, and the rules that brought nothing."""

    accruals: tuple[Accrual, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]


class Lost(Value):
    """A rule that a better one kept from giving, and the exact share it lost by."""

    rule: str
    by: str
    exact: int


class Giver(Value):
    """A rule that gives points on a line: a rate, or a multiplier."""

    rule: str
    figure: int
    priority: int


def accrue(rules: Sequence[ReadyRule], found: Places, money_minor: Sequence[int], programme: Programme, now: datetime) -> Accrued:
    """Points on the money of each line. ``rules`` hold, were not beaten and give points."""
    rates = _best(rules, found, money_minor, _rate)
    multipliers = {place: giver for place, giver in _best(rules, found, money_minor, _multiplier).items() if place in rates}
    exact: dict[str, int] = {}
    for place, giver in rates.items():
        base = money_minor[place] * giver.figure
        exact[giver.rule] = exact.get(giver.rule, 0) + base * HUNDREDTHS
        more = multipliers.get(place)
        if more is not None:
            exact[more.rule] = exact.get(more.rule, 0) + base * (more.figure - HUNDREDTHS)
    earning = [rule for rule in rules if exact.get(rule.id, 0) > 0]
    parts = _floored([exact[rule.id] for rule in earning], programme)
    accruals = tuple(_accrual(rule, centi, programme, now) for rule, centi in zip(earning, parts, strict=True) if centi)
    on_rates = {place: money_minor[place] * HUNDREDTHS for place in rates}
    on_multipliers = {place: money_minor[place] * rates[place].figure for place in multipliers}
    only_points = [rule for rule in rules if not rule.money]
    beaten = _beaten(only_points, found, on_rates, rates, _rate)
    beaten += _beaten(only_points, found, on_multipliers, multipliers, _multiplier)
    named = {accrual.rule for accrual in accruals} | {lost.rule for lost in beaten}
    refusals = tuple(
        Refusal(rule=rule.id, condition="nothing_earned", have=points_text(0), need=points_text(programme.points.step))
        for rule in only_points
        if rule.id not in named
    )
    return Accrued(accruals=accruals, beaten=tuple(_worth(lost, programme) for lost in beaten), refusals=refusals)


def _rate(effect: Effect) -> int | None:
    return int(effect.rate) if isinstance(effect, GivePoints) and effect.rate is not None else None


def _multiplier(effect: Effect) -> int | None:
    return int(effect.multiplier) if isinstance(effect, GivePoints) and effect.multiplier is not None else None


def _best(rules: Sequence[ReadyRule], found: Places, money_minor: Sequence[int], figure_of: FigureOf) -> dict[int, Giver]:
    best: dict[int, Giver] = {}
    for rule in rules:
        for act in rule.points:
            figure = figure_of(act.effect)
            if figure is None:
                continue
            for place in found.get(act.selector, ()):
                before = best.get(place)
                if money_minor[place] > 0 and (before is None or (figure, rule.priority) > (before.figure, before.priority)):
                    best[place] = Giver(rule=rule.id, figure=figure, priority=rule.priority)
    return best


def _floored(exact: Sequence[int], programme: Programme) -> list[int]:
    """Centi of each rule: the sum floored to the step, then split in steps by the exact shares."""
    steps = whole_in(sum(exact) * CENTI_PER_POINT, _per_point(programme) * programme.points.step)
    if steps * programme.points.step > CENTI_MAX:
        raise InputError("basket.lines", "the basket brings more points than the ledger can hold")
    return [part * programme.points.step for part in allocate(exact, steps, [steps] * len(exact))]


def _per_point(programme: Programme) -> int:
    """How much of an exact share is one point."""
    return BP_PER_UNIT * HUNDREDTHS * int(10**programme.exponent)


def _accrual(rule: ReadyRule, centi: int, programme: Programme, now: datetime) -> Accrual:
    effect = rule.points[0].effect
    assert isinstance(effect, GivePoints)
    delay = programme.points.delay_days if effect.delay_days is None else effect.delay_days
    lifetime = programme.points.lifetime_days if effect.lifetime_days is None else effect.lifetime_days
    usable_from = now if delay == 0 else days_later(now, delay, programme.zone)
    expires_at = None if lifetime is None else days_later(usable_from, lifetime, programme.zone)
    return Accrual(rule=rule.id, centi=Points(centi), usable_from=usable_from, expires_at=expires_at)


def _beaten(
    rules: Sequence[ReadyRule], found: Places, bases: Mapping[int, int], best: Mapping[int, Giver], figure_of: FigureOf
) -> tuple[Lost, ...]:
    """Rules that won no line although another did on goods of theirs."""
    winners = {giver.rule for giver in best.values()}
    beaten = []
    for rule in rules:
        act = rule.points[0]
        figure = figure_of(act.effect)
        if figure is None or rule.id in winners:
            continue
        lost: dict[str, int] = {}
        for place in found.get(act.selector, ()):
            giver = best.get(place)
            if giver is not None:
                lost[giver.rule] = lost.get(giver.rule, 0) + bases[place] * (giver.figure - figure)
        if lost:
            beaten.append(Lost(rule=rule.id, by=min(lost, key=lambda winner: (-lost[winner], winner)), exact=sum(lost.values())))
    return tuple(beaten)


def _worth(lost: Lost, programme: Programme) -> Beaten:
    """The difference as the money that those points would pay."""
    worth = half_up(lost.exact * programme.point_minor, _per_point(programme))
    return Beaten(rule=lost.rule, by=lost.by, difference_minor=Minor(worth))
