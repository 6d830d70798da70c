"""Faults of conditions and selectors: what can never hold, asks for nothing or names what does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import assert_never

from pos_loyalty.engine.conditions import (
    All,
    Any,
    BasketAmount,
    BasketQty,
    Birthday,
    Budget,
    Condition,
    Contains,
    Counter,
    Coupon,
    FirstPurchase,
    History,
    MemberIs,
    NamedDate,
    Not,
    NthPurchase,
    Profile,
    StoreIs,
    TenderIs,
    TillIs,
    Uses,
    When,
)
from pos_loyalty.engine.figures import MINUTES_PER_DAY
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.rules import PARTS_MAX
from pos_loyalty.engine.selectors import CONTROL, Names, Selector, faults_of, has_control, names_nothing, names_of, takes_out_all
from pos_loyalty.engine.windows import WEEKDAYS
from pos_loyalty.values import MILLI_PER_UNIT, Value

DEPTH_MAX = 8
RESTRICTED_KINDS = ("alcohol", "tobacco")
DAYS_OF_YEAR = 365

Fault = tuple[str, str]


class _Where(Value):
    """How a condition stands in its rule. ``is_negated``: inside an odd number of ``not``; ``must``: all hangs on it."""

    depth: int = 1
    is_negated: bool = False
    must: bool = True


def condition_faults(condition: Condition, place: str, known: Known) -> Iterator[Fault]:
    """Every fault of one condition of a rule, and of those inside it."""
    yield from _faults(condition, place, known, _Where())


def counter_faults(when: Sequence[Condition], place: str) -> Iterator[Fault]:
    """A rule is limited to the nth units of one counter."""
    counters = [number for number, condition in enumerate(when) if isinstance(condition, Counter)]
    for number in counters[1:]:
        yield f"{place}[{number}]", "a rule counts by one counter; write a second rule"


def selector_faults(selector: Selector, place: str) -> Iterator[Fault]:
    """Every fault of a selector."""
    for kind, sentence in faults_of(selector):
        yield f"{place}.{kind}", sentence
    if selector.exclude is not None:
        if names_nothing(selector.exclude):
            yield f"{place}.except", "names no goods"
        for kind, sentence in faults_of(selector.exclude):
            yield f"{place}.except.{kind}", sentence
        if takes_out_all(selector):
            yield f"{place}.except", "takes out all the goods that are named, so none are left; leave one of them out"
    low, high = selector.price_from, selector.price_to
    if low is not None and high is not None and low > high:
        yield f"{place}.price_to", "is less than price_from, so no price lies between; exchange them"
    if selector.discounted and selector.not_discounted:
        yield f"{place}.discounted", "not_discounted is said too, and nothing is both; leave one out"
    if selector.not_restricted == ():
        yield f"{place}.not_restricted", "an empty list names no kind; leave it out"
    for name in names_of(selector.not_restricted):
        if name not in RESTRICTED_KINDS:
            yield f"{place}.not_restricted", f'"{name[:64]}" is not a restricted kind; write "alcohol", "tobacco" or both'


def condition_warnings(condition: Condition, place: str, known: Known) -> Iterator[Fault]:
    """What may stand in a programme but says nothing, or never holds because its inside always does."""
    if always_holds(condition):
        yield place, "always holds; leave it out"
        return
    match condition:
        case Not(of=inner) if always_holds(inner):
            yield place, "never holds, for what stands inside always does"
        case Not(of=inner):
            yield from condition_warnings(inner, f"{place}.of", known)
        case All(of=parts) | Any(of=parts):
            for number, part in enumerate(parts):
                yield from condition_warnings(part, f"{place}.of[{number}]", known)
        case Birthday(before=before, after=after) | NamedDate(before=before, after=after) if before + after >= DAYS_OF_YEAR:
            yield place, f"{before} days before and {after} days after make a whole year, so every day is inside"
        case NthPurchase(n=1, every=True):
            yield f"{place}.n", "every purchase is a first one; leave every out, or raise n"
        case Counter(n=1):
            yield f"{place}.n", "every unit is a first one; raise n, or leave the condition out"
        case Counter(key=key) if key not in known.counters:
            yield f"{place}.key", f'no rule adds to the counter "{key}"; give one the effect counter_add'
        case _:
            pass


def always_holds(condition: Condition) -> bool:
    """Whether a condition holds for every basket, member and time."""
    match condition:
        case BasketAmount():
            return not condition.min and condition.max is None
        case When():
            is_all_day = condition.from_ is None or (condition.from_ == 0 and condition.to == MINUTES_PER_DAY)
            is_all_week = not condition.weekdays or set(condition.weekdays) == set(WEEKDAYS)
            return is_all_day and is_all_week and condition.since is None and condition.until is None
        case All(of=parts):
            return all(always_holds(part) for part in parts)
        case Any(of=parts):
            return any(always_holds(part) for part in parts)
        case _:
            return False


def _faults(condition: Condition, place: str, known: Known, where: _Where) -> Iterator[Fault]:
    if where.depth > DEPTH_MAX:
        yield place, f"conditions stand inside one another more than {DEPTH_MAX} deep"
        return
    match condition:
        case BasketAmount() | BasketQty() | Contains() | Counter():
            yield from _goods_faults(condition, place)
            if isinstance(condition, Counter) and where.depth > 1 and not where.is_negated:
                yield place, "limits the rule to every nth unit, so it stands in when by itself; take it out"
        case MemberIs():
            yield from _member_faults(condition, place, known)
        case Profile():
            yield from _names_faults(condition.value, f"{place}.value")
        case History():
            yield from _history_faults(condition, place)
        case Coupon(series=series):
            if series not in known.series:
                yield f"{place}.series", f'"{series[:64]}" is not among the [[coupon]] series'
        case When():
            yield from _when_faults(condition, place, known)
        case StoreIs():
            yield from _some_names_faults(condition.store, f"{place}.store")
        case TillIs():
            yield from _some_names_faults(condition.till, f"{place}.till")
        case TenderIs():
            yield from _some_names_faults(condition.kind, f"{place}.kind")
        case Uses() | Budget():
            yield from _use_faults(condition, place, where)
        case Not() | All() | Any():
            yield from _inner_faults(condition, place, known, where)
        case Birthday() | NamedDate() | FirstPurchase() | NthPurchase():
            pass
        case _:
            assert_never(condition)


def _inner_faults(condition: Not | All | Any, place: str, known: Known, where: _Where) -> Iterator[Fault]:
    depth, is_negated = where.depth + 1, where.is_negated
    match condition:
        case Not(of=inner):
            yield from _faults(inner, f"{place}.of", known, _Where(depth=depth, is_negated=not is_negated, must=where.must))
        case All(of=parts) | Any(of=parts):
            if not 1 <= len(parts) <= PARTS_MAX:
                yield f"{place}.of", f"1 to {PARTS_MAX} conditions stand inside"
            must = where.must and isinstance(condition, All) is not is_negated
            for number, part in enumerate(parts):
                yield from _faults(part, f"{place}.of[{number}]", known, _Where(depth=depth, is_negated=is_negated, must=must))
        case _:
            assert_never(condition)


def _goods_faults(condition: BasketAmount | BasketQty | Contains | Counter, place: str) -> Iterator[Fault]:
    match condition:
        case BasketAmount():
            yield from selector_faults(condition.on, f"{place}.on")
            if condition.min is None and condition.max is None:
                yield place, "give min, max or both"
            elif condition.min is not None and condition.max is not None and condition.min > condition.max:
                yield f"{place}.max", "is less than min, so no amount lies between; exchange them"
        case BasketQty():
            yield from selector_faults(condition.on, f"{place}.on")
            if condition.min <= 0:
                yield f"{place}.min", "is more than 0"
            elif condition.measure == "units" and whole_in(condition.min, MILLI_PER_UNIT) * MILLI_PER_UNIT != condition.min:
                yield f"{place}.min", 'units are whole; write a whole number, or measure = "weight" for kilograms'
        case Contains(goods=goods):
            if not 1 <= len(goods) <= PARTS_MAX:
                yield f"{place}.goods", f"asks for 1 to {PARTS_MAX} sets of goods; without any it needs nothing"
            for number, wanted in enumerate(goods):
                yield from selector_faults(wanted.on, f"{place}.goods[{number}].on")
        case Counter():
            yield from selector_faults(condition.on, f"{place}.on")
        case _:
            assert_never(condition)


def _member_faults(condition: MemberIs, place: str, known: Known) -> Iterator[Fault]:
    wanted = (condition.tier, condition.segment, condition.tier_from, condition.staff, condition.paid)
    has_more = any(part is not None for part in wanted)
    if condition.member is None and not has_more:
        yield place, "says nothing about the customer: give member, tier, tier_from, segment, staff or paid"
    if condition.member is False and has_more:
        yield f"{place}.member", "false asks for nobody, so nothing else can be asked of them"
    yield from _names_faults(condition.tier, f"{place}.tier")
    yield from _names_faults(condition.segment, f"{place}.segment")
    for name in names_of(condition.tier):
        if name and name not in known.tiers:
            yield f"{place}.tier", f'"{name[:64]}" is not among the [[tier]] tables'
    if condition.tier_from is not None and condition.tier_from not in known.tiers:
        yield f"{place}.tier_from", f'"{condition.tier_from[:64]}" is not among the [[tier]] tables'


def _history_faults(condition: History, place: str) -> Iterator[Fault]:
    on = condition.on
    yield from selector_faults(on, f"{place}.on")
    for word in ("price_from", "price_to", "discounted", "not_discounted"):
        if getattr(on, word) not in (None, False):
            yield f"{place}.on.{word}", "what was bought before is known by its names only; leave it out"
    if condition.amount is None and condition.visits is None and condition.bought is None:
        yield place, "asks for nothing; give amount, visits or bought"
    if condition.amount is not None and condition.amount <= 0:
        yield f"{place}.amount", "is more than 0"
    if condition.bought is False and (condition.amount is not None or condition.visits is not None):
        yield f"{place}.bought", "false asks that nothing was bought, so amount and visits cannot be reached; leave them out"
    if condition.days is not None and condition.period is not None:
        yield f"{place}.period", "days is given too; a history has one window"


def _when_faults(condition: When, place: str, known: Known) -> Iterator[Fault]:
    if condition == When(zone=condition.zone):
        yield place, "names no dates, weekdays or hours"
    if (condition.from_ is None) != (condition.to is None):
        yield place, "from and to stand together"
    if condition.from_ is not None and condition.from_ in (condition.to, MINUTES_PER_DAY):
        yield f"{place}.from", 'a window starts before "24:00" and not where it ends; leave both out for the whole day'
    since, until = condition.since, condition.until
    if since is not None and until is not None:
        if since > until:
            yield f"{place}.until", f"{until.isoformat()} is before {since.isoformat()}"
        elif condition.weekdays and not _has_weekday(since, until, condition.weekdays):
            yield f"{place}.weekdays", f"none of these days lies between {since.isoformat()} and {until.isoformat()}"
    fault = known.zone_fault(condition.zone) if condition.zone is not None else None
    if fault is not None:
        yield f"{place}.zone", fault


def _has_weekday(since: date, until: date, weekdays: tuple[str, ...]) -> bool:
    days = min((until - since).days + 1, len(WEEKDAYS))
    return any(WEEKDAYS[(since + timedelta(days=number)).weekday()] in weekdays for number in range(days))


def _use_faults(condition: Uses | Budget, place: str, where: _Where) -> Iterator[Fault]:
    if not where.must or not where.is_negated:
        return
    match condition:
        case Uses():
            yield place, "inside not the rule waits until it has been used, so it never is; take it out of not"
        case Budget():
            yield place, "inside not the rule waits until it has nothing to give; take it out of not"
        case _:
            assert_never(condition)


def _names_faults(names: Names, place: str) -> Iterator[Fault]:
    if names == () or any(not name or name != name.strip() for name in names_of(names)):
        yield place, "an empty list or name asks for nothing; leave it out"
    if any(has_control(name) for name in names_of(names)):
        yield place, CONTROL


def _some_names_faults(names: Names, place: str) -> Iterator[Fault]:
    if not names_of(names):
        yield place, "names nothing; give one name or a list"
    else:
        yield from _names_faults(names, place)
