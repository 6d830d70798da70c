"""Stage 10: what a sale brings besides money and points: coupons, privileges, plans, counters, tier progress, words.

Dates are local days of the shop. Something good for so many days is good today and on the days after, so many in all; it ends
at the midnight after them. What needs somebody to belong to is only given to a member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pos_loyalty.engine.effects import CounterAdd, IssueCoupon, Message, Privilege, TierProgress
from pos_loyalty.engine.fiscal import pieces_of
from pos_loyalty.engine.model import CounterMove, Issue, Line, Member, Refusal, RuleUse
from pos_loyalty.engine.model import Message as Words
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.returnable import CountedOn
from pos_loyalty.engine.rules import Plan
from pos_loyalty.engine.zones import DAY_MAX, days_later, end_of, start_of
from pos_loyalty.values import Minor, Value


class Sold(Value):
    """What was sold. ``found``, ``units`` and ``paid_minor`` go by place of calculation lines.

    ``paid_minor``: net less points, 0 where the law keeps goods out of the programme. ``has_tier_rules``: whether any rule of the
    programme speaks of tier progress; if none does, everything paid counts.
    """

    found: Mapping[int, Sequence[int]]
    units: Sequence[int]
    paid_minor: Sequence[int]
    basket_lines: Sequence[Line]
    member: Member | None
    has_tier_rules: bool


class Issued(Value):
    """What the sale issues. ``counted`` and ``progress``: on which calculation lines counters and tier progress were made."""

    issued: tuple[Issue, ...]
    privileges: tuple[str, ...]
    messages: tuple[Words, ...]
    counters: tuple[CounterMove, ...]
    counted: Mapping[int, tuple[CountedOn, ...]]
    """By place; what one unit of the line added, 0 where the receipt moved the counter."""
    progress: frozenset[int]
    tier_progress_minor: Minor
    uses: tuple[RuleUse, ...]
    refusals: tuple[Refusal, ...]


def issue(rules: Sequence[ReadyRule], times: Mapping[str, int], sold: Sold, programme: Programme, at: datetime) -> Issued:
    """What the rules that act issue. ``rules`` are sorted by id; ``times``: how often rules with limits were used."""
    issued, refusals = _plans(sold, programme, at) if programme.plans else ([], ())
    privileges: set[str] = set()
    words: list[Words] = []
    moves: dict[str, int] = {}
    counted: dict[int, list[CountedOn]] = {}
    progress: set[int] = set()
    for rule in rules:
        for act in rule.later:
            places = sold.found.get(act.selector, ())
            match act.effect:
                case IssueCoupon() as coupon:
                    dates = (coupon.delay_days, coupon.days)
                    issued.append(
                        coupon_issue(rule.id, coupon.series, count=coupon.count, days=dates, programme=programme, at=at)
                    )
                case Privilege() as privilege:
                    privileges.add(privilege.name)
                    issued.extend(_privilege(rule.id, privilege, programme, at))
                case CounterAdd() as counter if sold.member is not None:
                    _count(counter, places, sold, moves, counted)
                case TierProgress() if sold.member is not None:
                    progress.update(places)
                case Message() as message:
                    words.append(
                        Words(
                            rule=rule.id,
                            where=message.where,
                            text={str(language): text for language, text in message.text.items()},
                        )
                    )
                case _:
                    pass
    paid = sold.paid_minor if sold.member is not None else ()
    if not sold.has_tier_rules:
        progress.update(range(len(paid)))
    issued.sort(key=lambda each: (each.rule, each.kind, each.series))
    return Issued(
        issued=tuple(issued),
        privileges=tuple(sorted(privileges)),
        messages=tuple(words),
        counters=tuple([CounterMove(key=key, add=moves[key]) for key in sorted(moves) if moves[key]]),
        counted={place: tuple(sorted(each, key=lambda one: (one.key, one.add))) for place, each in counted.items()},
        progress=frozenset([place for place in progress if paid[place]]),
        tier_progress_minor=Minor(sum([paid[place] for place in progress])),
        uses=tuple([RuleUse(rule=rule, times=times[rule]) for rule in sorted(times) if times[rule]]),
        refusals=refusals,
    )


def counted_of(each: Sequence[CountedOn], units: int) -> tuple[CountedOn, ...]:
    """What a basket line of so many units added to counters."""
    return tuple([CountedOn(key=one.key, add=one.add * units) for one in each])


def coupon_issue(
    rule: str, series: str, *, count: int, days: tuple[int, int | None], programme: Programme, at: datetime
) -> Issue:
    """Coupons good from ``days[0]`` days later on for ``days[1]`` days, and never past the last day of their series."""
    delay, length = days
    usable_from = at if delay == 0 else days_later(at, delay, programme.zone)
    expires_at = None if length is None else days_later(usable_from, length, programme.zone)
    until = programme.series[series].until if series in programme.series else None
    if until is not None:
        end = end_of(until, programme.zone)
        expires_at = end if expires_at is None else min(expires_at, end)
    return Issue(rule=rule, kind="coupon", series=series, count=count, usable_from=usable_from, expires_at=expires_at)


def privilege_issue(rule: str, name: str, days: int, programme: Programme, at: datetime) -> Issue:
    """A privilege for so many days, today included."""
    return Issue(
        rule=rule, kind="privilege", series=name, usable_from=at, expires_at=days_later(at, days, programme.zone)
    )  # fmt: skip


def _privilege(rule: str, privilege: Privilege, programme: Programme, at: datetime) -> Iterator[Issue]:
    """Nothing to keep when it is for this sale only."""
    if privilege.days is not None:
        yield privilege_issue(rule, privilege.name, privilege.days, programme, at)
    elif privilege.until is not None:
        end = end_of(privilege.until, programme.zone)
        yield Issue(rule=rule, kind="privilege", series=privilege.name, usable_from=at, expires_at=end)


def _count(
    counter: CounterAdd, places: Sequence[int], sold: Sold, moves: dict[str, int], counted: dict[int, list[CountedOn]]
) -> None:
    each = 1 if counter.per == "unit" else 0
    added = sum([sold.units[place] for place in places]) if each else min(1, len(places))
    moves[counter.key] = moves.get(counter.key, 0) + added
    for place in places:
        counted.setdefault(place, []).append(CountedOn(key=counter.key, add=each))


def _plans(sold: Sold, programme: Programme, at: datetime) -> tuple[list[Issue], tuple[Refusal, ...]]:
    """Plans sold as lines. A membership that runs on is extended from its end; two of one plan make twice the days."""
    units: dict[str, int] = {}
    for line in sold.basket_lines:
        if line.sku in programme.plans:
            units[line.sku] = units.get(line.sku, 0) + (1 if line.measure == "weight" else pieces_of(line))
    plans = sorted((programme.plans[sku] for sku in units), key=lambda plan: plan.id)
    if sold.member is None:
        return [], tuple([Refusal(rule=plan.id, condition="customer", have="none", need="member") for plan in plans])
    issues: list[Issue] = []
    end = sold.member.paid_until
    end = None if end is None else min(end, start_of(DAY_MAX, programme.zone))
    for plan in plans:
        made = _plan(plan, units[plan.sku], at if end is None else max(at, end), programme)
        issues.append(made)
        end = made.expires_at
    return issues, ()


def _plan(plan: Plan, count: int, start: datetime, programme: Programme) -> Issue:
    expires_at = days_later(start, plan.days * count, programme.zone)
    return Issue(rule=plan.id, kind="plan", series=plan.id, count=count, usable_from=start, expires_at=expires_at)
