"""Local time. Zone data comes from the pinned tzdata package alone, never from the machine, so till and office agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pos_loyalty.errors import InputError

YEAR_MIN = 2000
YEAR_MAX = 2199
DAY_MAX = date(YEAR_MAX, 12, 31)
"""Nothing lasts longer: what would end after this day ends at its start."""


def tzdata_version() -> str:
    """The version of the zone data; it is part of a programme's name."""
    import tzdata  # type: ignore[import-untyped]  # the package carries no types

    return str(tzdata.__version__)


def zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError with a sentence when there is none."""
    from importlib.resources import files

    if name not in files("tzdata").joinpath("zones").read_text("ascii").split():
        raise ValueError(f'"{name[:64]}" is not a time zone; write it such as "Europe/Moscow"')
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as source:
        return ZoneInfo.from_file(source, key=name)


def instant(at: datetime, place: str) -> datetime:
    """The same instant in UTC. Raises InputError when it has no offset or lies outside 2000 to 2199."""
    if at.utcoffset() is None:
        raise InputError(place, "the time has no offset from UTC")
    if not YEAR_MIN < at.year < YEAR_MAX:
        raise InputError(place, f"the year {at.year} is not between {YEAR_MIN} and {YEAR_MAX}")
    return at.astimezone(UTC)


def start_of(day: date, where: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC. Where the clock skips midnight, the instant of the skip."""
    return datetime(day.year, day.month, day.day, tzinfo=where).astimezone(UTC)


def day_of(at: datetime, where: tzinfo | None) -> date:
    """The local day of an instant, DAY_MAX at most. Before YEAR_MIN its own date does: the ends of the calendar have no zones."""
    if at.year > YEAR_MAX:
        return DAY_MAX
    return at.date() if at.year < YEAR_MIN else min(at.astimezone(where).date(), DAY_MAX)


def day_after(day: date, days: int) -> date:
    """The day so many days later, DAY_MAX at most."""
    return DAY_MAX if day >= DAY_MAX else day + timedelta(days=min(days, (DAY_MAX - day).days))


def days_later(at: datetime, days: int, where: ZoneInfo) -> datetime:
    """The start of the local day that is so many days after the local day of an instant."""
    return start_of(day_after(day_of(at, where), days), where)


def end_of(day: date, where: ZoneInfo) -> datetime:
    """The first instant after a local day, in UTC."""
    return start_of(day_after(day, 1), where)
