"""Windows of local time: dates, weekdays and hours, also past midnight.

A window from 22:00 to 06:00 belongs to the day it starts. In the hour that the clock repeats both passes count;
in the hour that it skips a start moves forward: wall time is compared, so the first instant after the gap is inside.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)


def is_inside(
    local: datetime,
    *,
    days: tuple[date | None, date | None],
    weekdays: tuple[Weekday, ...],
    minutes: tuple[int, int] | None,
) -> bool:
    """Whether a local time lies in the window. ``days`` inclusive; ``minutes`` since midnight, the end not included."""
    day = local.date()
    if minutes is not None:
        start, end = minutes
        minute = local.hour * 60 + local.minute
        if start < end:
            if not start <= minute < end:
                return False
        elif minute < end:
            day -= _DAY
        elif minute < start:
            return False
    return _day_matches(day, days, weekdays)


def _day_matches(day: date, days: tuple[date | None, date | None], weekdays: tuple[Weekday, ...]) -> bool:
    since, until = days
    if since is not None and day < since:
        return False
    if until is not None and day > until:
        return False
    return not weekdays or WEEKDAYS[day.weekday()] in weekdays
