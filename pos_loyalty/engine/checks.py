"""What a programme file may not say although every word in it is right. Each fault is (place, sentence)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import assert_never

from pos_loyalty.engine.conditions import All, Any, BasketAmount, BasketQty, Condition, Coupon, MemberIs, Not, When
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.effects import Amount, Effect, GivePoints, Ladder, Percent
from pos_loyalty.engine.figures import MINUTES_PER_DAY, money_text
from pos_loyalty.engine.rules import PARTS_MAX, ProgrammeText, Rule
from pos_loyalty.engine.selectors import Selector, faults_of, names_nothing, names_of
from pos_loyalty.engine.zones import zone

RESERVED = ("coupon", "fiscal", "manual", "prior", "redeem")
"""Names that stand in a quote beside rule ids."""
DEPTH_MAX = 8

Fault = tuple[str, str]


class _Known:
    """Names that other places may refer to."""

    def __init__(self, text: ProgrammeText) -> None:
        self.tiers = {tier.id for tier in text.tier}
        self.series = {series.id for series in text.coupon}
        self.exponent = EXPONENTS.get(text.currency, 2)
        self.zones: dict[str, str | None] = {}

    def zone_fault(self, name: str) -> str | None:
        """A sentence when there is no such zone; each zone is looked up once."""
        if name not in self.zones:
            try:
                zone(name)
                self.zones[name] = None
            except ValueError as error:
                self.zones[name] = str(error)
        return self.zones[name]


def faults(text: ProgrammeText) -> Iterator[Fault]:
    """Every fault, in the order of the file's tables."""
    known = _Known(text)
    if text.currency not in EXPONENTS:
        yield "currency", f'"{text.currency[:8]}" is not a currency of ISO 4217'
    fault = known.zone_fault(text.timezone)
    if fault is not None:
        yield "timezone", fault
    yield from _twice("tier", [tier.id for tier in text.tier])
    yield from _twice("coupon", [series.id for series in text.coupon])
    yield from _twice("rule", [rule.id for rule in text.rule])
    yield from _table_faults(text)
    yield from _coupon_faults(text)
    for number, rule in enumerate(text.rule):
        yield from _rule_faults(rule, f"rule[{number}]", known)


def _twice(table: str, ids: Iterable[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, name in enumerate(ids):
        if name in first:
            yield f"{table}[{number}].id", f'"{name}" is already the id of {table}[{first[name]}]'
        first.setdefault(name, number)
        if table == "rule" and name in RESERVED:
            yield f"rule[{number}].id", f'"{name}" is a word of the quote; choose another id'


def _table_faults(text: ProgrammeText) -> Iterator[Fault]:
    if text.points.value is not None and text.points.value <= 0:
        yield "points.value", "a point pays more than nothing"
    if text.points.step <= 0:
        yield "points.step", "a step is more than nothing"
    if text.redeem is not None:
        if text.redeem.limit <= 0:
            yield "redeem.limit", 'with "0%" no points could be redeemed; leave the table [redeem] out instead'
        yield from _selector_faults(text.redeem.on, "redeem.on")


def _coupon_faults(text: ProgrammeText) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, series in enumerate(text.coupon):
        if series.code is not None:
            code = series.code.strip().upper()
            if not code or code in first:
                yield f"coupon[{number}].code", f'"{series.code}" is empty or already the code of another series'
            first.setdefault(code, number)
        yield from _dates_fault(series.since, series.until, f"coupon[{number}]")


def _dates_fault(since: date | None, until: date | None, place: str) -> Iterator[Fault]:
    if since is not None and until is not None and since > until:
        yield f"{place}.until", f"{until.isoformat()} is before {since.isoformat()}"


def _rule_faults(rule: Rule, place: str, known: _Known) -> Iterator[Fault]:
    gives_money = any(not isinstance(effect, GivePoints) for effect in rule.then)
    if gives_money and rule.stage in (None, "points"):
        yield f"{place}.stage", 'a rule that takes money off says when it acts: "item", "customer" or "order"'
    if not gives_money and rule.stage not in (None, "points"):
        yield f"{place}.stage", 'a rule that only gives points acts in stage "points"'
    giving = [number for number, effect in enumerate(rule.then) if isinstance(effect, GivePoints)]
    if len(giving) > 1:
        yield f"{place}.then[{giving[1]}]", "a rule gives points once, for they share one lot; write a second rule"
    for number, condition in enumerate(rule.when):
        yield from _condition_faults(condition, f"{place}.when[{number}]", known, depth=1)
    for number, effect in enumerate(rule.then):
        yield from _selector_faults(effect.on, f"{place}.then[{number}].on")
        yield from _effect_faults(effect, rule, f"{place}.then[{number}]", known)


def _selector_faults(selector: Selector, place: str) -> Iterator[Fault]:
    for kind, sentence in faults_of(selector):
        yield f"{place}.{kind}", sentence
    if selector.exclude is not None:
        if names_nothing(selector.exclude):
            yield f"{place}.except", "names no goods"
        for kind, sentence in faults_of(selector.exclude):
            yield f"{place}.except.{kind}", sentence


def _effect_faults(effect: Effect, rule: Rule, place: str, known: _Known) -> Iterator[Fault]:
    match effect:
        case Percent():
            if effect.percent <= 0:
                yield f"{place}.percent", '"0%" takes nothing off'
            if effect.max_amount is not None and rule.stage != "order":
                yield f"{place}.max_amount", 'a cap on the whole stands only in stage "order"'
        case Amount():
            yield from _order_only(rule, place)
            if effect.amount <= 0:
                yield f"{place}.amount", "a sum of nothing takes nothing off"
        case Ladder():
            yield from _order_only(rule, place)
            yield from _ladder_faults(effect, place, known)
        case GivePoints():
            if (effect.rate is None) == (effect.multiplier is None):
                yield place, "give either a rate or a multiplier"
            elif effect.rate is not None and effect.rate <= 0:
                yield f"{place}.rate", '"0%" gives no points'
            elif effect.multiplier is not None and effect.multiplier <= 100:
                yield f"{place}.multiplier", "a multiplier is more than 1"
        case _:
            assert_never(effect)


def _order_only(rule: Rule, place: str) -> Iterator[Fault]:
    if rule.stage != "order":
        yield f"{place}.do", 'this effect acts on the whole receipt: its rule says stage = "order"'


def _ladder_faults(ladder: Ladder, place: str, known: _Known) -> Iterator[Fault]:
    if not 1 <= len(ladder.steps) <= PARTS_MAX:
        yield f"{place}.steps", f"a ladder has 1 to {PARTS_MAX} steps"
    if ladder.max_base is not None and ladder.max_base <= 0:
        yield f"{place}.max_base", "with nothing to act on it takes nothing off"
    before = -1
    for number, step in enumerate(ladder.steps):
        if step.from_ <= before:
            yield f"{place}.steps[{number}].from", f"{money_text(step.from_, known.exponent)} is not more than the step before it"
        before = step.from_
        if (step.percent is None) == (step.amount is None):
            yield f"{place}.steps[{number}]", "give either a percent or an amount"
        elif not (step.percent or step.amount):
            yield f"{place}.steps[{number}]", "takes nothing off"


def _condition_faults(condition: Condition, place: str, known: _Known, *, depth: int) -> Iterator[Fault]:
    if depth > DEPTH_MAX:
        yield place, f"conditions stand inside one another more than {DEPTH_MAX} deep"
        return
    match condition:
        case BasketAmount():
            yield from _selector_faults(condition.on, f"{place}.on")
            if condition.min is None and condition.max is None:
                yield place, "give min, max or both"
            if condition.min is not None and condition.max is not None and condition.min > condition.max:
                yield f"{place}.max", "is less than min"
        case BasketQty():
            yield from _selector_faults(condition.on, f"{place}.on")
            if condition.min <= 0:
                yield f"{place}.min", "is more than 0"
        case MemberIs():
            yield from _member_faults(condition, place, known)
        case Coupon(series=series):
            if series not in known.series:
                yield f"{place}.series", f'"{series[:64]}" is not among the [[coupon]] series'
        case When():
            yield from _when_faults(condition, place, known)
        case Not(of=inner):
            yield from _condition_faults(inner, f"{place}.of", known, depth=depth + 1)
        case All(of=parts) | Any(of=parts):
            if not 1 <= len(parts) <= PARTS_MAX:
                yield f"{place}.of", f"1 to {PARTS_MAX} conditions stand inside"
            for number, part in enumerate(parts):
                yield from _condition_faults(part, f"{place}.of[{number}]", known, depth=depth + 1)
        case _:
            assert_never(condition)


def _member_faults(condition: MemberIs, place: str, known: _Known) -> Iterator[Fault]:
    wanted = (condition.tier, condition.segment, condition.tier_from, condition.staff)
    has_more = any(part is not None for part in wanted)
    if condition.member is None and not has_more:
        yield place, "says nothing about the customer: give member, tier, tier_from, segment or staff"
    if condition.member is False and has_more:
        yield f"{place}.member", "false asks for nobody, so nothing else can be asked of them"
    for field, names in (("tier", condition.tier), ("segment", condition.segment)):
        if names == () or "" in names_of(names):
            yield f"{place}.{field}", "an empty list or name asks for nothing; leave it out"
    for name in names_of(condition.tier):
        if name not in known.tiers:
            yield f"{place}.tier", f'"{name[:64]}" is not among the [[tier]] tables'
    if condition.tier_from is not None and condition.tier_from not in known.tiers:
        yield f"{place}.tier_from", f'"{condition.tier_from[:64]}" is not among the [[tier]] tables'


def _when_faults(condition: When, place: str, known: _Known) -> Iterator[Fault]:
    if condition == When(zone=condition.zone):
        yield place, "names no dates, weekdays or hours"
    if (condition.from_ is None) != (condition.to is None):
        yield place, "from and to stand together"
    if condition.from_ is not None and condition.from_ in (condition.to, MINUTES_PER_DAY):
        yield f"{place}.from", 'a window starts before "24:00" and not where it ends; leave both out for the whole day'
    yield from _dates_fault(condition.since, condition.until, place)
    fault = known.zone_fault(condition.zone) if condition.zone is not None else None
    if fault is not None:
        yield f"{place}.zone", fault
