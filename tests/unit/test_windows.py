"""Windows of local time: ends, midnight, weekdays and the clock that is put forward and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pos_loyalty.engine.windows import Weekday, is_inside
from pos_loyalty.engine.zones import days_later, instant, start_of, zone
from pos_loyalty.errors import InputError

NIGHT = (22 * 60, 6 * 60)
LUNCH = (12 * 60, 14 * 60)


def inside(
    local: str,
    minutes: tuple[int, int] | None = None,
    weekdays: tuple[Weekday, ...] = (),
    days: tuple[str | None, str | None] = (None, None),
) -> bool:
    since, until = (date.fromisoformat(day) if day else None for day in days)
    return is_inside(datetime.fromisoformat(local), days=(since, until), weekdays=weekdays, minutes=minutes)


@pytest.mark.parametrize(
    ("local", "is_in"),
    [("2026-11-21 11:59:59", False), ("2026-11-21 12:00", True), ("2026-11-21 13:59:59", True), ("2026-11-21 14:00", False)],
)
def test_the_start_is_inside_and_the_end_is_not(local: str, is_in: bool) -> None:
    assert inside(local, LUNCH) is is_in


def test_a_window_past_midnight_belongs_to_the_day_it_starts() -> None:
    friday: tuple[Weekday, ...] = ("fri",)
    assert inside("2026-11-20 22:00", NIGHT, friday)
    assert inside("2026-11-21 05:59", NIGHT, friday)
    assert not inside("2026-11-21 06:00", NIGHT, friday)
    assert not inside("2026-11-20 05:00", NIGHT, friday), "that night began on Thursday"
    assert not inside("2026-11-21 22:00", NIGHT, friday)
    assert inside("2026-12-01 02:00", NIGHT, days=(None, "2026-11-30"))
    assert not inside("2026-12-01 22:00", NIGHT, days=(None, "2026-11-30"))


def test_dates_are_inclusive() -> None:
    days = ("2026-11-20", "2026-11-21")
    assert [inside(f"2026-11-{day} 23:59", days=days) for day in (19, 20, 21, 22)] == [False, True, True, False]


def test_until_midnight_is_written_24_00() -> None:
    assert inside("2026-11-21 23:59", (23 * 60, 24 * 60))
    assert not inside("2026-11-22 00:00", (23 * 60, 24 * 60))


def test_in_the_repeated_hour_both_passes_count() -> None:
    berlin = zone("Europe/Berlin")
    for utc in ("2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00"):
        local = datetime.fromisoformat(utc).astimezone(berlin)
        assert (local.hour, local.minute) == (2, 30)
        assert is_inside(local, days=(None, None), weekdays=(), minutes=(150, 180))


def test_in_the_skipped_hour_the_start_moves_forward() -> None:
    berlin = zone("Europe/Berlin")
    before = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC).astimezone(berlin)
    after = datetime(2026, 3, 29, 1, 0, tzinfo=UTC).astimezone(berlin)
    assert (before.hour, after.hour) == (1, 3)
    assert not is_inside(before, days=(None, None), weekdays=(), minutes=(150, 240))
    assert is_inside(after, days=(None, None), weekdays=(), minutes=(150, 240))


def test_days_are_the_shop_s_own() -> None:
    moscow = zone("Europe/Moscow")
    assert start_of(date(2026, 11, 21), moscow) == datetime(2026, 11, 20, 21, tzinfo=UTC)
    late = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)  # already the 22nd in Moscow
    assert days_later(late, 1, moscow) == datetime(2026, 11, 22, 21, tzinfo=UTC)


def test_where_midnight_is_skipped_the_day_starts_at_the_skip() -> None:
    cairo = zone("Africa/Cairo")  # 2026-04-24: 00:00 becomes 01:00
    first = start_of(date(2026, 4, 24), cairo)
    assert first == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert first.astimezone(cairo).hour == 1


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_an_instant_without_offset_or_far_away_is_refused(at: datetime) -> None:
    with pytest.raises(InputError, match=r"^at: the "):
        instant(at, "at")


def test_no_zone_of_that_name() -> None:
    for name in ("Mars/Base", "../../etc/passwd", "", "zones"):
        with pytest.raises(ValueError, match="is not a time zone"):
            zone(name)
