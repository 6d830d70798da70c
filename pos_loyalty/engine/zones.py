"""Local time. Zone data comes from the pinned tzdata package alone, never from the machine, so till and office agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pos_loyalty.errors import InputError

YEAR_MIN = 2000
YEAR_MAX = 2199


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


def days_later(at: datetime, days: int, where: ZoneInfo) -> datetime:
    """The start of the local day that is so many days after the local day of an instant."""
    return start_of(at.astimezone(where).date() + timedelta(days=days), where)
