"""Trusted time: what a machine's clocks may do, and what a till believes of it. Instants are made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pos_loyalty.clock import Reading, read
from pos_loyalty.store import trusted_time
from pos_loyalty.store.db import Connection, write
from tests.unit.store_facts import till_store

NOW = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)
MINUTE, HOUR, DAY, YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=365)


class Machine:
    """A machine whose wall clock can be set, and whose uptime cannot."""

    def __init__(self) -> None:
        self.wall, self.run, self.ran = NOW, 1, HOUR

    def passes(self, time: timedelta) -> None:
        """Time goes by while it runs."""
        self.wall += time
        self.ran += time

    def restart(self, off: timedelta) -> None:
        """It was off; its wall clock went on."""
        self.wall += off
        self.run += 1
        self.ran = MINUTE

    def read(self) -> Reading:
        """What the clocks say."""
        return Reading(self.wall, f"run {self.run}", int(self.ran / timedelta(microseconds=1)) * 1000)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def db(tmp_path: Path, machine: Machine) -> Iterator[Connection]:
    opened = till_store(tmp_path / "till.db")
    note(opened, machine)
    yield opened
    opened.close()


def note(db: Connection, machine: Machine) -> trusted_time.Trusted:
    with write(db):
        trusted_time.note(db, machine.read())
    return trusted_time.now(db, machine.read())


def hear(db: Connection, machine: Machine, at: datetime) -> trusted_time.Trusted:
    with write(db):
        trusted_time.heard(db, at, machine.read())
    return trusted_time.now(db, machine.read())


def now(db: Connection, machine: Machine) -> trusted_time.Trusted:
    return trusted_time.now(db, machine.read())


def test_a_clock_that_runs_true_is_followed(db: Connection, machine: Machine) -> None:
    machine.passes(2 * HOUR)
    assert (now(db, machine).at, now(db, machine).skew_ms) == (NOW + 2 * HOUR, 0)
    machine.restart(14 * HOUR)
    assert (now(db, machine).at, now(db, machine).is_skewed) == (NOW + 16 * HOUR, False)


@pytest.mark.parametrize("back", [10 * MINUTE, 3 * DAY, 10 * YEAR])
def test_a_clock_turned_back_brings_no_time_back(db: Connection, machine: Machine, back: timedelta) -> None:
    machine.passes(HOUR)
    note(db, machine)
    machine.wall -= back
    seen = now(db, machine)
    assert seen.at == NOW + HOUR and seen.is_skewed and seen.is_lost == (back > DAY)
    machine.passes(HOUR)
    assert note(db, machine).at == NOW + 2 * HOUR, "uptime goes on counting"
    machine.restart(MINUTE)
    assert now(db, machine).at == NOW + 2 * HOUR, "and what was counted survives the machine"
    machine.wall += back
    assert now(db, machine).at == NOW + 2 * HOUR + MINUTE


def test_ten_years_ahead_by_mistake_expire_nothing(db: Connection, machine: Machine) -> None:
    machine.wall += 10 * YEAR
    for _ in range(5):
        seen = note(db, machine)
        assert seen.at < NOW + DAY and seen.is_lost and not seen.is_sure
        machine.passes(4 * HOUR)
    machine.restart(HOUR)
    assert note(db, machine).at < NOW + DAY
    machine.wall -= 10 * YEAR
    machine.passes(4 * HOUR)
    seen = note(db, machine)
    assert not seen.is_lost


def test_a_small_step_ahead_is_followed_and_must_prove_itself(db: Connection, machine: Machine) -> None:
    machine.passes(4 * HOUR)
    assert note(db, machine).is_sure
    machine.wall += 2 * HOUR
    seen = note(db, machine)
    assert (seen.at, seen.is_sure) == (NOW + 6 * HOUR, False)
    machine.passes(3 * HOUR)
    assert now(db, machine).is_sure


def test_a_start_must_prove_itself(db: Connection, machine: Machine) -> None:
    machine.restart(10 * HOUR)
    assert not note(db, machine).is_sure
    machine.passes(3 * HOUR)
    assert note(db, machine).is_sure


@pytest.mark.parametrize(("off", "believed"), [(13 * DAY, True), (15 * DAY, False), (10 * YEAR, False)])
def test_a_shop_may_be_closed_for_two_weeks(db: Connection, machine: Machine, off: timedelta, believed: bool) -> None:
    machine.restart(off)
    seen = note(db, machine)
    assert seen.is_lost != believed and (seen.at == NOW + off) == believed
    with write(db):
        trusted_time.confirm(db, machine.read())
    seen = now(db, machine)
    assert (seen.at, seen.skew_ms, seen.is_sure) == (NOW + off, 0, True)


def test_head_office_knows_better_than_the_wall_clock(db: Connection, machine: Machine) -> None:
    machine.wall += 3 * HOUR
    note(db, machine)
    seen = hear(db, machine, NOW)
    assert seen.at == NOW and seen.is_skewed and not seen.is_sure
    machine.passes(2 * HOUR)
    assert now(db, machine).at == NOW + 2 * HOUR
    assert now(db, machine).heard_ago_ms == 2 * 3_600_000
    machine.wall -= 3 * HOUR
    assert now(db, machine).is_sure


def test_head_office_itself_does_not_turn_time_back(db: Connection, machine: Machine) -> None:
    hear(db, machine, NOW + HOUR)
    assert hear(db, machine, NOW).at == NOW + HOUR


def test_a_lease_is_counted_by_uptime(db: Connection, machine: Machine) -> None:
    hear(db, machine, NOW)
    machine.passes(HOUR)
    machine.wall -= HOUR
    assert now(db, machine).heard_ago_ms == 3_600_000
    machine.restart(MINUTE)
    assert now(db, machine).heard_ago_ms is None


def test_a_given_clock_is_taken_to_run_true(tmp_path: Path) -> None:
    db = till_store(tmp_path / "given.db")
    late = NOW + 400 * DAY
    for at in (read(lambda: NOW), read(lambda: late)):
        with write(db):
            trusted_time.note(db, at)
        assert trusted_time.now(db, at).at == at.wall
    assert trusted_time.now(db, read(lambda: NOW)).at == late, "but not back"
    db.close()


def test_past_receipts_do_not_move_the_machine_s_time(db: Connection, machine: Machine) -> None:
    with write(db):
        trusted_time.note(db, read(lambda: NOW + YEAR))
    assert now(db, machine).at == NOW
    assert trusted_time.now(db, read(lambda: NOW - YEAR)).at == NOW - YEAR, "each receipt is sold in its own time"
