"""How a programme moves members between tiers: thresholds of one measure, and the windows and periods that it is counted over.

Days are numbers: days since 1970-01-01 in the store's zone. A window is the days that count on a day, both ends included. A
period ends before its ``end``: that is the first day after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Literal

from pos_loyalty.engine.rules import ProgrammeText, Tier, TiersTable
from pos_loyalty.values import Value, encode

EPOCH_DAY = date(1970, 1, 1)
MONTHS_PER_YEAR = 12
MEASURES: Mapping[str, str] = {"spent": "from_spent", "visits": "from_visits", "points": "from_points"}
"""Measure to the key of a tier that is its threshold."""
Measure = Literal["spent", "visits", "points"]


class TierRules(Value):
    """``thresholds`` by rank, lowest first; None for a tier that only a person gives. ``digest``: of the whole ladder."""

    measure: Measure
    window: Literal["rolling", "calendar"]
    months: int
    grace_days: int
    warn_days: int
    returned: Literal["at_once", "at_period_end"]
    hold: bool
    names: tuple[str, ...]
    thresholds: tuple[int | None, ...]
    digest: str

    def rank(self, tier: str | None) -> int:
        """The place of a tier; -1 for none, and for one that the programme does not name any more."""
        return self.names.index(tier) if tier in self.names else -1

    def name(self, rank: int) -> str | None:
        """The tier at a place."""
        return None if rank < 0 else self.names[rank]

    def level(self, figure: int) -> int:
        """The highest rank whose threshold a figure reaches."""
        return max((rank for rank, least in enumerate(self.thresholds) if least is not None and figure >= least), default=-1)

    def is_everybodys(self, rank: int) -> bool:
        """Whether a tier cannot be lost: none at all, or one from nothing on."""
        return rank < 0 or self.thresholds[rank] == 0


def threshold_of(tier: Tier, measure: str) -> int | None:
    """What a tier asks of a measure."""
    figure = getattr(tier, MEASURES[measure])
    return None if figure is None else int(figure)


def measures_of(text: ProgrammeText) -> tuple[Measure, ...]:
    """The measures that the tiers name thresholds of."""
    return tuple(name for name in MEASURES if any(threshold_of(tier, name) is not None for tier in text.tier))  # type: ignore[misc]


def tier_rules(text: ProgrammeText) -> TierRules | None:
    """The rules of a programme without faults; None when nothing moves a member."""
    measures = measures_of(text)
    if not measures:
        return None
    table, (measure,) = text.tiers or TiersTable(), measures
    thresholds = tuple(threshold_of(tier, measure) for tier in text.tier)
    names = tuple(tier.id for tier in text.tier)
    said = encode((measure, table.window, table.months, table.grace_days, table.warn_days, table.returned, names, thresholds))
    return TierRules(
        measure=measure,
        window=table.window,
        months=table.months,
        grace_days=table.grace_days,
        warn_days=table.warn_days,
        returned=table.returned,
        hold=table.hold,
        names=names,
        thresholds=thresholds,
        digest=sha256(said).hexdigest()[:16],
    )


def window_start(rules: TierRules, day: int) -> int:
    """The first day that counts on a day.

    Rolling: the day after the same date so many months before. Calendar: the first of the period.
    """
    return _period_start(day, rules.months) if rules.window == "calendar" else months_before(day, rules.months) + 1


def window_end(rules: TierRules, day: int) -> int | None:
    """The last day that still counts together with a day; None where the window goes along with the days."""
    return _next_start(day, rules.months) - 1 if rules.window == "calendar" else None


def reached_until(rules: TierRules, day: int) -> int:
    """The end of the period of a tier reached on a day.

    Rolling: the first day on which that day does not count any more. Calendar: the end of the period after this one.
    """
    if rules.window == "calendar":
        return _next_start(_next_start(day, rules.months), rules.months)
    return months_after(day, rules.months)


def renewed_until(rules: TierRules, end: int) -> int:
    """The end of the period that begins on a day when another one ended."""
    return _next_start(end, rules.months) if rules.window == "calendar" else months_after(end, rules.months)


def checked_from(rules: TierRules, end: int, after: int) -> int:
    """The first day that counts for keeping a tier at the end of its period: days up to ``after`` were used up for it."""
    return max(_period_start(end - 1, rules.months), after + 1) if rules.window == "calendar" else after + 1


def months_before(day: int, months: int) -> int:
    """The same date so many months before; the month's last day where it has no such date."""
    at = to_date(day)
    first = _month(at, -months)
    last = (_month(first, 1) - timedelta(days=1)).day
    return to_day(first.replace(day=min(at.day, last)))


def months_after(day: int, months: int) -> int:
    """The same date so many months after; the first of the next month where there is no such date."""
    at = to_date(day)
    first = _month(at, months)
    last = (_month(first, 1) - timedelta(days=1)).day
    return to_day(first.replace(day=at.day) if at.day <= last else _month(first, 1))


def to_date(day: int) -> date:
    """The date of a day's number."""
    return EPOCH_DAY + timedelta(days=day)


def to_day(at: date) -> int:
    """The number of a date."""
    return (at - EPOCH_DAY).days


def _period_start(day: int, months: int) -> int:
    at = to_date(day)
    return to_day(date(at.year, (at.month - 1) // months * months + 1, 1))


def _next_start(day: int, months: int) -> int:
    return to_day(_month(to_date(_period_start(day, months)), months))


def _month(at: date, by: int) -> date:
    """The first day of the month so many months on."""
    year, month = divmod(at.year * MONTHS_PER_YEAR + at.month - 1 + by, MONTHS_PER_YEAR)
    return date(year, month + 1, 1)
