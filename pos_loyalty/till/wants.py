"""What a programme asks of the till besides the basket, found once: the till looks up nothing that no rule asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pos_loyalty.engine.conditions import Condition, Counter, History, NamedDate, Profile, TenderIs, Term, Uses
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.effects import Effect, Ladder, Privilege, RoundTotal
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.selectors import ALL
from pos_loyalty.values import Value

PURCHASE_DAYS = 366
"""Purchases are looked up so far back, and further when a rule names more days."""
PERIOD_DAYS = 366
"""The longest calendar period that a condition may name."""


class Wants(Value):
    """What to look up. ``days_back``: business days of the member, today included; 0 when no rule asks."""

    uses: bool
    budgets: dict[str, int]
    """Rule to the money that it may give in all."""
    counters: bool
    days_back: int
    purchases_back: int
    plans: bool
    shared_codes: frozenset[str]
    """Coupon codes that are everybody's: nobody can use them up."""
    refused_offline: frozenset[str]
    """Coupon series whose codes need head office's word, unless this till made them."""
    privilege_titles: dict[str, dict[str, str]]
    """Privilege to its title by language."""
    tenders: bool
    """The price may hang on how it is paid."""
    profile: bool = False
    """Attributes and named dates of the member."""
    unique: frozenset[str] = frozenset()
    """Coupon series whose codes are each good once."""


def wants_of(programme: Programme) -> Wants:
    """Look at every rule once."""
    conditions = [condition for rule in programme.rules for term in rule.terms for condition in _all(term)]
    effects = [act.effect for rule in programme.rules for act in (*rule.money, *rule.points, *rule.later)]
    histories = [condition for condition in conditions if isinstance(condition, History)]
    bought = [_days_of(each) or PURCHASE_DAYS for each in histories if _asks_for_goods(each)]
    days = [*_ladder_days(effects), *(_days_of(each) for each in histories if not _asks_for_goods(each))]
    redeems_by_day = programme.redeem is not None and programme.redeem.per_day is not None
    days += [1] if redeems_by_day or programme.points.per_day is not None else []
    return Wants(
        uses=any(rule.limits is not None for rule in programme.rules) or _has(conditions, Uses),
        budgets={rule.id: rule.budget for rule in programme.rules if rule.budget is not None and rule.budget >= 0},
        counters=_has(conditions, Counter),
        days_back=max(days, default=0),
        purchases_back=max(bought, default=0),
        plans=bool(programme.plans),
        shared_codes=frozenset(spelled(series.code) for series in programme.series.values() if series.code is not None),
        refused_offline=frozenset(series.id for series in programme.series.values() if series.offline == "refuse"),
        unique=frozenset(series.id for series in programme.series.values() if series.unique and series.code is None),
        privilege_titles={each.name: dict(each.title) for each in effects if isinstance(each, Privilege)},  # type: ignore[arg-type]
        tenders=_has(conditions, TenderIs)
        or any(isinstance(effect, RoundTotal) and effect.tenders is not None for effect in effects),
        profile=_has(conditions, NamedDate) or _has(conditions, Profile),
    )


def _all(term: Term) -> Iterator[Condition]:
    yield term.condition
    for part in term.parts:
        yield from _all(part)


def _has(conditions: Iterable[Condition], kind: type[Counter | NamedDate | Profile | TenderIs | Uses]) -> bool:
    return any(isinstance(condition, kind) for condition in conditions)


def _asks_for_goods(condition: History) -> bool:
    return condition.on != ALL


def _days_of(condition: History) -> int:
    return condition.days or (PERIOD_DAYS if condition.period is not None else 0)


def _ladder_days(effects: Iterable[Effect]) -> Iterator[int]:
    for effect in effects:
        if isinstance(effect, Ladder) and effect.by != "basket":
            yield effect.days or 0
