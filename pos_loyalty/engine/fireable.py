"""Rules that can never act: conditions of which each may hold, but not all at once. What is doubtful is let pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from pos_loyalty.engine import conditions
from pos_loyalty.engine.conditions import (
    BasketAmount,
    BasketQty,
    Birthday,
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
    When,
)
from pos_loyalty.engine.effects import GivePoints
from pos_loyalty.engine.figures import MINUTES_PER_DAY, money_text
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.rules import Rule
from pos_loyalty.engine.selectors import ALL, Selector, names_of
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.engine.windows import is_inside
from pos_loyalty.values import Value

WAYS_MAX = 64
"""Alternatives (``any``) that are looked through; a rule with more is let pass."""
WINDOWS_MAX = 10
"""Windows of a rule that are compared; a rule with more is let pass."""
WEEK = 7
_MONDAY = date(2024, 1, 1)
_OF_A_MEMBER = (Birthday, NamedDate, Profile, FirstPurchase, NthPurchase, Counter, History)
_OF_A_BASKET = (BasketAmount, BasketQty, Contains, Counter, TenderIs, Coupon)


class Way(Value):
    """One way in which a rule may hold: conditions that all hold, and conditions that all do not."""

    hold: tuple[Condition, ...] = ()
    fail: tuple[Condition, ...] = ()


def never_fires(rule: Rule, place: str, known: Known) -> Iterator[Fault]:
    """A fault when no basket, member and time make all conditions of the rule hold."""
    if rule.stage == "act":
        yield from _act_faults(rule, place)
    if not rule.when:
        return
    ways = _ways(rule.when)
    if ways is None:
        return
    reasons = []
    for way in ways:
        reason = _contradiction(way, rule, known)
        if reason is None:
            return
        reasons.append(reason)
    yield f"{place}.when", f"can never hold all at once: {reasons[0]}; take one of the conditions out"


def _act_faults(rule: Rule, place: str) -> Iterator[Fault]:
    for number, condition in enumerate(rule.when):
        if isinstance(condition, _OF_A_BASKET):
            word = condition.__struct_config__.tag
            yield f"{place}.when[{number}].is", f'"{word}" asks for a basket, and an act has none; leave it out'


def _ways(hold: Sequence[Condition]) -> list[Way] | None:
    """The alternatives of a list of conditions; None when there are too many."""
    ways = [Way()]
    for condition in hold:
        more = _ways_of(condition)
        if more is None or len(ways) * len(more) > WAYS_MAX:
            return None
        ways = [Way(hold=one.hold + other.hold, fail=one.fail + other.fail) for one in ways for other in more]
    return ways


def _ways_of(condition: Condition) -> list[Way] | None:
    match condition:
        case conditions.All(of=parts):
            return _ways(parts)
        case conditions.Any(of=parts):
            found: list[Way] = []
            for part in parts:
                more = _ways_of(part)
                if more is None or len(found) + len(more) > WAYS_MAX:
                    return None
                found += more
            return found
        case Not(of=Not(of=inner)):
            return _ways_of(inner)
        case Not(of=conditions.Any(of=parts)):
            return _ways(tuple(Not(of=part) for part in parts))
        case Not(of=conditions.All(of=parts)):
            return _ways_of(conditions.Any(of=tuple(Not(of=part) for part in parts)))
        case Not(of=inner):
            return [Way(fail=(inner,))]
        case _:
            return [Way(hold=(condition,))]


def _contradiction(way: Way, rule: Rule, known: Known) -> str | None:
    """Why not all of it can be; None when it may."""
    for condition in way.hold:
        if condition in way.fail:
            return f'"{condition.__struct_config__.tag}" is asked for and excluded'
    return (
        _places(way)
        or _of_nobody(way, rule)
        or _of_a_member(way, known)
        or _count_of_sales(way)
        or _amounts(way, known)
        or _goods_bought(way)
        or _times(way)
    )


def _places(way: Way) -> str | None:
    """Stores, tills and tenders: one of every list."""
    for kind, field in ((StoreIs, "store"), (TillIs, "till"), (TenderIs, "kind")):
        lists = [frozenset(names_of(getattr(each, field))) for each in way.hold if isinstance(each, kind)]
        shut = frozenset[str]().union(*(names_of(getattr(each, field)) for each in way.fail if isinstance(each, kind)))
        if lists and kind is not TenderIs and not frozenset.intersection(*lists) - shut:
            return f"no {field} is in all the lists"
        if kind is TenderIs and lists and not frozenset.intersection(*lists):
            return "no tender is in all the lists"
    return None


def _of_nobody(way: Way, rule: Rule) -> str | None:
    """No card was shown, and yet something is asked of the member."""
    nobody = any(isinstance(each, MemberIs) and each.member is False for each in way.hold)
    nobody = nobody or MemberIs(member=True) in way.fail
    if not nobody:
        return None
    for each in way.hold:
        if isinstance(each, _OF_A_MEMBER) or (isinstance(each, MemberIs) and each.member is not False):
            return "it asks for a sale without a card, and something of the member"
    if rule.pilot is not None or rule.control is not None or rule.limits.member is not None:
        return "without a card there is no member to draw for a pilot, a control group or a limit"
    if all(isinstance(effect, GivePoints) for effect in rule.then):
        return "without a card nobody gets points"
    return None


def _of_a_member(way: Way, known: Known) -> str | None:
    asked = [each for each in way.hold if isinstance(each, MemberIs)]
    for field in ("staff", "paid"):
        if len({getattr(each, field) for each in asked} - {None}) > 1:
            return f"{field} is asked for and excluded"
    order = known.tier_order
    left = set(order)
    for each in asked:
        if each.tier is not None:
            left &= set(names_of(each.tier))
        if each.tier_from in order:
            left &= set(order[order.index(each.tier_from) :])
    if order and not left and any(each.tier is not None or each.tier_from is not None for each in asked):
        return "no tier is in all the conditions"
    return None


def _count_of_sales(way: Way) -> str | None:
    """Which sale of the member it is."""
    exact = {each.n for each in way.hold if isinstance(each, NthPurchase) and not each.every}
    if any(isinstance(each, FirstPurchase) for each in way.hold):
        exact.add(1)
    if len(exact) > 1:
        return f"a sale is not the {min(exact)}. and the {max(exact)}. of a member"
    for number in exact:
        for each in way.hold:
            if isinstance(each, NthPurchase) and each.every and whole_in(number, each.n) * each.n != number:
                return f"the {number}. sale is not every {each.n}. one"
            if isinstance(each, History) and number == 1 and (each.amount or each.visits or each.bought):
                return "before the first sale nothing was bought"
        if number == 1 and FirstPurchase() in way.fail:
            return '"first_purchase" is asked for and excluded'
    return None


def _amounts(way: Way, known: Known) -> str | None:
    """Least and most money of the same goods; what some goods cost, all goods cost too."""
    most: dict[tuple[Selector, str], int] = {}
    asked = [each for each in way.hold if isinstance(each, BasketAmount)]
    for each in asked:
        if each.max is not None:
            most[each.on, each.base] = min(each.max, most.get((each.on, each.base), each.max))
    for each in asked:
        for on in (each.on, ALL):
            bound = most.get((on, each.base))
            if each.min is not None and bound is not None and each.min > bound:
                least, highest = money_text(each.min, known.exponent), money_text(bound, known.exponent)
                return f"at least {least} is more than at most {highest}"
    return None


def _goods_bought(way: Way) -> str | None:
    asked = [each for each in way.hold if isinstance(each, History) and each.period is None]
    for one in asked:
        for other in asked:
            is_inside_it = other.days is None or (one.days is not None and one.days <= other.days)
            if one.bought and other.bought is False and one.on == other.on and is_inside_it:
                return "such goods were bought and were not"
    return None


def _times(way: Way) -> str | None:
    """Whether any minute of any day lies in all windows of one zone and outside those that are excluded."""
    windows = [each for each in way.hold + way.fail if isinstance(each, When)]
    excludes = any(isinstance(each, When) for each in way.fail)
    if len(windows) > WINDOWS_MAX or not (excludes or _may_miss(windows)):
        return None
    zones = {each.zone for each in way.hold if isinstance(each, When)}
    for zone in sorted(zones, key=lambda name: name or ""):
        hold = [each for each in way.hold if isinstance(each, When) and each.zone == zone]
        fail = [each for each in way.fail if isinstance(each, When) and each.zone == zone]
        if not any(
            all(_is_in(each, moment) for each in hold) and not any(_is_in(each, moment) for each in fail)
            for moment in _moments(hold, fail)
        ):
            return "no time lies in all the windows" if len(hold) > 1 or fail else "no such weekday lies between the dates"
    return None


def _may_miss(windows: Sequence[When]) -> bool:
    """Whether windows speak of the same thing, or of weekdays within a few days; others always meet."""
    starts = [each.since for each in windows if each.since is not None]
    ends = [each.until for each in windows if each.until is not None]
    dated = [each for each in windows if each.since is not None or each.until is not None]
    on_weekdays = [each for each in windows if each.weekdays]
    by_hour = [each for each in windows if each.from_ is not None]
    is_short = bool(starts and ends) and (min(ends) - max(starts)).days < WEEK
    return max(len(dated), len(on_weekdays), len(by_hour)) > 1 or (is_short and bool(on_weekdays))


def _is_in(when: When, moment: datetime) -> bool:
    minutes = None if when.from_ is None or when.to is None else (int(when.from_), int(when.to))
    return is_inside(moment, days=(when.since, when.until), weekdays=when.weekdays, minutes=minutes)


def _moments(hold: Sequence[When], fail: Sequence[When]) -> Iterator[datetime]:
    """Times such that, if any time lies in the windows, one of these does.

    Windows change only at their own minutes and at midnight; between the days of its dates they repeat by the week.
    """
    both = (*hold, *fail)
    minutes = sorted({0} | {int(minute) for each in both for minute in (each.from_, each.to) if minute is not None})
    times = [timedelta(minutes=minute) for minute in minutes if minute < MINUTES_PER_DAY]
    edges = {day for each in both for day in (each.since, each.until) if day is not None} or {_MONDAY}
    span = range(-WEEK - 2, WEEK + 3)
    days = {day for edge in edges for offset in span if (day := _moved(edge, offset)) is not None}
    for day in sorted(days):
        for at in times:
            yield datetime.combine(day, time()) + at


def _moved(day: date, offset: int) -> date | None:
    try:
        return day + timedelta(days=offset)
    except OverflowError:
        return None
