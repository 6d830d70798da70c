"""Which tier a member has: one answer from what was bought and kept, whoever asks and however often.

Up at once, on the day that reaches a threshold. Down only after the end of a period: with a warning before it and grace after.
What was returned counts on no day, so a tier that it made was never reached; ``returned = "at_period_end"`` leaves that tier to
the end of its period, and counts what was returned no more from the day of the return on. A day ends, renews or lowers a tier at
its very beginning: what is bought on that day itself does not count yet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal

from msgspec.structs import replace

from pos_loyalty.engine.tier_rules import (
    TierRules,
    checked_from,
    months_before,
    reached_until,
    renewed_until,
    window_start,
)
from pos_loyalty.values import Value

DAYS_PER_MONTH_MAX = 31
LONG_AGO = -(10**6)
"""A day before every other."""
Reason = Literal["reached", "renewed", "warned", "fell", "returned", "recounted", "staff"]
"""Why a tier is what it is. ``recounted``: purchases came to light, or the programme changed."""


class TierMove(Value, gc=False):
    """What a business day counts, since a business day ``told``: a sale on its own day, a return against the day of its sale."""

    day: int
    told: int
    spent_minor: int = 0
    visits: int = 0
    centi: int = 0


class TierBase(Value):
    """How a member stood on ``day`` for reasons other than these rules. ``until``: the last day; None: a full period.

    A tier that a person froze stands so on the day after: ``until`` is the day before ``day`` then.
    """

    tier: str | None
    day: int
    since: int | None = None
    until: int | None = None
    is_warned: bool = False


class TierStep(Value):
    """A change, and how the member stands from then on. ``until`` is the last day before the tier is looked at; None: no end."""

    day: int
    tier: str | None
    since: int
    until: int | None
    is_warned: bool
    reason: Reason


class TierState(Value):
    """How a member stands. ``until``: the last day if nothing more is bought, grace included once it has begun; None: no end.

    ``warning_at``: the day of the warning, None when what is needed for the next period is there already.

    ``have`` is the measure in the present window; ``missing`` what is left to ``next_tier``; ``missing_to_keep`` what is left to
    keep the tier after ``until``. All three are minor units, visits or hundredths of a point.
    """

    tier: str | None
    since: int | None
    until: int | None
    warning_at: int | None
    reason: Reason | None
    have: int
    next_tier: str | None = None
    missing: int | None = None
    missing_to_keep: int | None = None


class _Standing(Value):
    moved: int
    rank: int
    since: int
    end: int | None
    after: int
    """Days up to this one were used up for the present period."""
    warn_at: int | None
    is_warned: bool = False
    in_grace: bool = False
    reason: Reason | None = None


class _Sums:
    """The measure over any days, as known on a day: where returns wait for a period's end, they are known from their day on."""

    def __init__(self, history: Sequence[TierMove], rules: TierRules, today: int) -> None:
        self._waits = rules.returned == "at_period_end"
        figures = sorted((move.day, move.told, _figure(move, rules)) for move in history if max(move.day, move.told) <= today)
        self.days = sorted({day for day, _, figure in figures if figure > 0})
        self._late = [each for each in figures if each[1] > each[0]] if self._waits else []
        now = [each for each in figures if not self._waits or each[1] <= each[0]]
        self._days = [day for day, _, _ in now]
        self._totals = [0, *accumulate([figure for _, _, figure in now])]
        self._gains = [0, *accumulate([max(0, figure) for _, _, figure in now])]
        self._longest = DAYS_PER_MONTH_MAX * rules.months

    def at_most(self, day: int) -> int:
        """No window of that day holds more: found without a calendar, for the many days that change nothing."""
        low, high = bisect_left(self._days, day - self._longest), bisect_right(self._days, day)
        return self._gains[high] - self._gains[low]

    def between(self, first: int, last: int, known: int) -> int:
        """Over days, both included, as known at the end of a day."""
        low, high = bisect_left(self._days, first), bisect_right(self._days, last)
        late = sum(figure for day, told, figure in self._late if first <= day <= last and told <= known)
        return max(0, self._totals[max(low, high)] - self._totals[low] + late)


def tier_of(history: Sequence[TierMove], rules: TierRules, today: int, base: TierBase) -> TierState:
    """How the member stands on a day. Days after it, and what is told after it, do not count."""
    sums = _Sums(history, rules, today)
    standing = _begun(base, rules)
    for standing in _standings(sums, rules, today, base):  # noqa: B007 - the last one counts
        pass
    have = sums.between(window_start(rules, today), today, today)
    end = standing.end if standing.end is None or today < standing.end else standing.end + rules.grace_days
    least, rank = next_above(rules, standing.rank)
    keep = _to_keep(standing, sums, rules, today)
    return TierState(
        tier=rules.name(standing.rank),
        since=None if standing.rank < 0 else standing.since,
        until=None if end is None else end - 1,
        warning_at=standing.end - rules.warn_days if standing.end is not None and rules.warn_days and keep else None,
        reason=standing.reason,
        have=have,
        next_tier=rules.name(rank),
        missing=None if least is None else max(0, least - have),
        missing_to_keep=keep,
    )


def tier_steps(history: Sequence[TierMove], rules: TierRules, today: int, base: TierBase) -> tuple[TierStep, ...]:
    """Every change from the base to the end of a day, in order."""
    sums = _Sums(history, rules, today)
    return tuple(_step(standing, rules) for standing in _standings(sums, rules, today, base))


def next_above(rules: TierRules, rank: int) -> tuple[int | None, int]:
    """The threshold and the rank of the next tier that can be reached; None and -1 on the highest."""
    above = [(least, n) for n, least in enumerate(rules.thresholds) if least is not None and n > rank]
    return min(above, default=(None, -1))


def next_look(steps: Sequence[TierStep], rules: TierRules, today: int, base: TierBase) -> int | None:
    """The next day on which something may change although nothing is bought or returned; None: never."""
    standing = _begun(base, rules)
    until = steps[-1].until if steps else None if standing.end is None else standing.end - 1
    if until is None:
        return None
    days = (until + 1 - rules.warn_days, until + 1, until + 1 + rules.grace_days)
    return min((day for day in days if day > today), default=today + 1)


def _standings(sums: _Sums, rules: TierRules, today: int, base: TierBase) -> Iterator[_Standing]:
    """Each change, day by day: what is due at the beginning of a day first, then what was bought on it."""
    standing = _begun(base, rules)
    bought = sums.days[bisect_right(sums.days, base.day) :]
    for day in (*([base.day] if base.day <= today else []), *bought):
        for changed in _due(standing, sums, rules, day):
            standing = changed
            if changed.reason is not None:
                yield changed
        after = _bought(standing, sums, rules, day)
        if after is not None:
            standing = after
            yield after
    yield from (changed for changed in _due(standing, sums, rules, today) if changed.reason is not None)


def _begun(base: TierBase, rules: TierRules) -> _Standing:
    rank = rules.rank(base.tier)
    end = None if rules.is_everybodys(rank) else reached_until(rules, base.day) if base.until is None else base.until + 1
    after = LONG_AGO if end is None or rules.window == "calendar" else months_before(end, rules.months)
    since = base.day if base.since is None else base.since
    warn_at = None if base.is_warned else _warn_at(end, base.day + 1, rules)
    return _Standing(moved=base.day, rank=rank, since=since, end=end, after=after, warn_at=warn_at, is_warned=base.is_warned)


def _due(standing: _Standing, sums: _Sums, rules: TierRules, day: int) -> Iterator[_Standing]:
    """What time alone does up to the beginning of a day. A standing without a reason is a step on the way and no change."""
    while (end := standing.end) is not None:
        if standing.warn_at is not None and standing.warn_at <= min(day, end - 1):
            standing = _warned(standing, sums, rules, standing.warn_at)
        elif not standing.in_grace and end <= day:
            standing = _ended(standing, sums, rules, end)
        elif standing.in_grace and end + rules.grace_days <= day:
            standing = _fallen(standing, sums, rules, end + rules.grace_days)
        else:
            return
        yield standing


def _warned(standing: _Standing, sums: _Sums, rules: TierRules, day: int) -> _Standing:
    if _is_kept(standing, sums, rules, day - 1):
        return replace(standing, warn_at=None, reason=None)
    return replace(standing, warn_at=None, is_warned=True, moved=day, reason="warned")


def _ended(standing: _Standing, sums: _Sums, rules: TierRules, day: int) -> _Standing:
    if _is_kept(standing, sums, rules, day - 1):
        return _renewed(standing, sums, rules, day - 1)
    return replace(standing, in_grace=True, warn_at=None, reason=None)


def _renewed(standing: _Standing, sums: _Sums, rules: TierRules, after: int) -> _Standing:
    """The period goes on from its end. After a person's decision more may have been reached than was held."""
    assert standing.end is not None
    level = max(standing.rank, rules.level(sums.between(checked_from(rules, standing.end, standing.after), after, after)))
    is_higher = level > standing.rank
    end = renewed_until(rules, standing.end)
    return _Standing(
        moved=after + 1 if after < standing.end else after,
        rank=level,
        since=standing.end if is_higher else standing.since,
        end=end,
        after=after,
        warn_at=_warn_at(end, max(standing.end, after) + 1, rules),
        reason="reached" if is_higher else "renewed",
    )


def _fallen(standing: _Standing, sums: _Sums, rules: TierRules, day: int) -> _Standing:
    assert standing.end is not None
    level = rules.level(sums.between(checked_from(rules, standing.end, standing.after), day - 1, day - 1))
    end = None if rules.is_everybodys(level) else renewed_until(rules, day)
    warn_at = _warn_at(end, day + 1, rules)
    return _Standing(moved=day, rank=level, since=day, end=end, after=day - 1, warn_at=warn_at, reason="fell")


def _bought(standing: _Standing, sums: _Sums, rules: TierRules, day: int) -> _Standing | None:
    """What a day's purchases change: up at once, or kept within grace."""
    least, _ = next_above(rules, standing.rank)
    may_rise = least is not None and sums.at_most(day) >= least
    level = rules.level(sums.between(window_start(rules, day), day, day)) if may_rise else -1
    if level > standing.rank:
        end = None if rules.is_everybodys(level) else reached_until(rules, day)
        warn_at = _warn_at(end, day + 1, rules)
        return _Standing(moved=day, rank=level, since=day, end=end, after=day, warn_at=warn_at, reason="reached")
    if standing.in_grace and _is_kept(standing, sums, rules, day):
        return _renewed(standing, sums, rules, day)
    return None


def _is_kept(standing: _Standing, sums: _Sums, rules: TierRules, last: int) -> bool:
    """Whether what was bought up to a day is enough for another period. A tier that only persons give is never bought."""
    assert standing.end is not None
    least = rules.thresholds[standing.rank]
    return least is not None and sums.between(checked_from(rules, standing.end, standing.after), last, last) >= least


def _to_keep(standing: _Standing, sums: _Sums, rules: TierRules, today: int) -> int | None:
    least = None if standing.end is None else rules.thresholds[standing.rank]
    if standing.end is None or least is None:
        return None
    return max(0, least - sums.between(checked_from(rules, standing.end, standing.after), today, today))


def _warn_at(end: int | None, first: int, rules: TierRules) -> int | None:
    """The day of the warning, not before the period's second day; None without an end or without warnings."""
    if end is None or not rules.warn_days:
        return None
    day = max(first, end - rules.warn_days)
    return day if day < end else None


def _step(standing: _Standing, rules: TierRules) -> TierStep:
    assert standing.reason is not None
    until = None if standing.end is None else standing.end - 1
    return TierStep(
        day=standing.moved,
        tier=rules.name(standing.rank),
        since=standing.since,
        until=until,
        is_warned=standing.is_warned,
        reason=standing.reason,
    )


def _figure(move: TierMove, rules: TierRules) -> int:
    return {"spent": move.spent_minor, "visits": move.visits, "points": move.centi}[rules.measure]
