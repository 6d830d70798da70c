"""What people write in cells: money with commas, dates, rates. What is not exact or not clear is refused, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.escape import bare, guarded

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0", 0), ("12", 1200), ("12,5", 1250), ("12.50", 1250), ("007,10", 710), ("1 234,56", 123456),
        ("1\u00a0234\u202f567,89", 123456789), ("1,234.56", 123456), ("1.234,56", 123456), ("99,90 ₽", 9990), ("15 руб.", 1500),
    ],
)  # fmt: skip
def test_money_is_read_to_the_kopeck(text: str, minor: int) -> None:
    assert cells.money(text, 2) == minor


@pytest.mark.parametrize(
    "text", ["12,345", "12.500", "-1", "−1", "1 23,4", "1,234,567", "1e3", "١٢", "#N/A", "=1", "", "20%", "12,"]
)
def test_money_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cells.money(text, 2)


@given(st.integers(0, 10**12), st.sampled_from([",", "."]))
def test_every_sum_comes_back_as_it_was_written(minor: int, sign: str) -> None:
    assert cells.money(f"{minor // 100}{sign}{minor % 100:02d}", 2) == minor
    assert cells.points(f"{minor // 100}{sign}{minor % 100:02d}") == minor


@pytest.mark.parametrize(("text", "bp"), [("20%", 2000), ("20", 2000), ("7,5 %", 750), ("0,5%", 50), ("0", 0)])
def test_rates(text: str, bp: int) -> None:
    assert cells.rate(text) == bp


@pytest.mark.parametrize("text", ["0.2", "101", "abc"])
def test_a_rate_that_may_be_meant_either_way_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cells.rate(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("21.11.2026", "2026-11-20T21:00:00+00:00"), ("2026-11-21", "2026-11-20T21:00:00+00:00"),
        ("21/11/2026", "2026-11-20T21:00:00+00:00"), ("1.2.2026 г.", "2026-01-31T21:00:00+00:00"),
        ("21.11.2026 14:05", "2026-11-21T11:05:00+00:00"), ("2026-11-21T14:05:06.5+00:00", "2026-11-21T14:05:06.500000+00:00"),
        ("2026-11-21 14:05:06Z", "2026-11-21T14:05:06+00:00"),
    ],
)  # fmt: skip
def test_dates_in_the_usual_forms(text: str, at: str) -> None:
    assert cells.moment(text, MOSCOW) == datetime.fromisoformat(at)


@pytest.mark.parametrize("text", ["31.02.2026", "21.11.26", "2026-13-01", "45000", "завтра", "21.11.2026 25:00", "01.01.0001"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cells.moment(text, MOSCOW)


def test_a_bare_last_day_holds_to_its_end() -> None:
    assert cells.end("31.12.2026", MOSCOW) == datetime(2026, 12, 31, 21, tzinfo=UTC)
    assert cells.end("31.12.2026 12:00", MOSCOW) == datetime(2026, 12, 31, 9, tzinfo=UTC)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)))
def test_instants_come_back_from_their_texts(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    assert cells.moment(cells.moment_text(at, MOSCOW), MOSCOW) == at
    assert cells.end(cells.end_text(at, MOSCOW), MOSCOW) == at


@pytest.mark.parametrize("text", ["17.05", "17.05.1990", "1990-05-17", "05-17", "17/05", "17.5."])
def test_birthdays_keep_no_year(text: str) -> None:
    assert cells.month_day(text) == "05-17"


def test_a_birthday_that_there_is_not() -> None:
    for text in ("30.02", "02-30", "1990", "17 мая"):
        with pytest.raises(ValueError, match=r"\w"):
            cells.month_day(text)
    assert cells.month_day("29.02.1992") == "02-29"


def test_yes_and_no() -> None:
    assert [cells.yes(text) for text in ("Да", "1", "x", "нет", "-", "False")] == [True, True, True, False, False, False]
    with pytest.raises(ValueError, match="neither"):
        cells.yes("может быть")


@given(st.text())
def test_what_a_spreadsheet_would_run_is_guarded_and_comes_back(text: str) -> None:
    written = guarded(text)
    assert bare(written) == text
    assert written[:1] not in ("=", "+", "-", "@", "\t", "\r")
