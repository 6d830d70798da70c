"""Time and ids: the only file that reads the clock or makes an id. Everything else is given them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

Clock = Callable[[], datetime]
NewId = Callable[[], UUID]
GIVEN = "given"
"""The ``boot`` of a reading of a clock that is not the machine's."""
NS_PER_MS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS, LAST_MS = -62_135_510_400_000, 253_402_214_400_000
"""The second day of the year 1 and the last of the year 9999: as far as an instant may be shown in any zone."""


class Reading(NamedTuple):
    """What the clocks say at one moment: the wall clock, which run of the machine this is, and how long it has run."""

    wall: datetime
    boot: str
    ran_ns: int


ReadClocks = Callable[[], Reading]
RANDOM_BITS = 64
RAND_A_SHIFT, RAND_B_BITS = 64, 62
"""Where a UUID of version 7 keeps its random bits."""


def utc_now() -> datetime:
    """The instant now, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7: sortable by time, 74 random bits. Source: RFC 9562, section 5.7."""
    millis = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    bits = millis << 80 | 0x7 << 76 | (tail >> 68 & 0xFFF) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    return UUID(int=bits)


def monotonic_ns() -> int:
    """Nanoseconds that never go back while the machine is up."""
    return time.monotonic_ns()


@cache
def boot_id() -> str:
    """A mark of the machine's present run, read once; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def uptime_ns() -> int:
    """Nanoseconds since the machine started, sleep counted where the system can tell; nobody can set it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


def read(clock: Clock) -> Reading:
    """A moment by this clock. A clock other than the machine's stands for all clocks: it is taken to run true."""
    wall = clock().astimezone(UTC)
    if clock is utc_now:
        return Reading(wall, boot_id() or "this", uptime_ns())
    return Reading(wall, GIVEN, to_ms(wall) * NS_PER_MS)


def random_bits(made: UUID) -> int:
    """RANDOM_BITS of an id's 74 random bits: 12 above the variant, 62 below. **Source:** RFC 9562, section 5.7."""
    tail = made.int & (1 << RAND_B_BITS) - 1
    return ((made.int >> RAND_A_SHIFT) << RAND_B_BITS | tail) & (1 << RANDOM_BITS) - 1


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an instant with an offset; exact, without a float."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def from_ms(millis: int) -> datetime:
    """The UTC instant of milliseconds since 1970; the first or last that there is for one beyond, as an offset can write it."""
    return EPOCH + timedelta(milliseconds=min(max(millis, FIRST_MS), LAST_MS))
