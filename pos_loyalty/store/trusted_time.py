"""Trusted time: an instant that a clock turned back does not bring back, and one set ahead by mistake does not run away with.

Rule: it is the latest of what head office said and what this file noted, each with the uptime since, and of the wall clock, as
far as that is believed. It decides what has expired; the time of a decision and what stands on paper are the wall clock's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pos_loyalty import log
from pos_loyalty.clock import GIVEN, NS_PER_MS, Reading, from_ms, to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

HOUR_MS: Final = 3_600_000
SKEW_MS: Final = 5 * 60_000
"""Clocks that differ by less agree."""
STEP_MAX_MS: Final = 24 * HOUR_MS
"""So far the wall clock may step ahead while the machine runs."""
OFF_MAX_MS: Final = 14 * 24 * HOUR_MS
"""So long a machine may have been off: further ahead its wall clock is not believed at a start."""
PROVEN_NS: Final = 3 * HOUR_MS * NS_PER_MS
"""So long wall clock and uptime must have agreed before anything is booked by them for ever."""


class Kept(Value):
    """The stored row. ``at_ms`` was the trusted instant when this run of the machine, ``boot``, had lasted ``ran_ns``.

    ``server_ms``: what head office said last, None for never; its own boot and uptime beside it. ``offset_ms``: wall clock less
    uptime, which has held since the uptime ``steady_ns``.
    """

    at_ms: int
    boot: str
    ran_ns: int
    server_ms: int | None
    server_boot: str
    server_ran_ns: int
    offset_ms: int
    steady_ns: int


class Trusted(Value):
    """The trusted instant. ``skew_ms``: how far the wall clock stands ahead of what was due, behind when less than nothing.

    ``is_sure``: what expires by it may be booked. ``heard_ago_ms``: uptime since head office's word; None: not in this run.
    """

    at: datetime
    skew_ms: int
    is_sure: bool
    heard_ago_ms: int | None

    @property
    def is_skewed(self) -> bool:
        """Whether a person should look at the clock."""
        return abs(self.skew_ms) > SKEW_MS

    @property
    def is_lost(self) -> bool:
        """Whether the clock is so wrong that nothing with a date may be redeemed by it."""
        return abs(self.skew_ms) > STEP_MAX_MS


def now(db: Connection, reading: Reading) -> Trusted:
    """The trusted instant of this file at a reading. Nothing is written."""
    return trusted(kept(db), reading)


def trusted(known: Kept | None, reading: Reading) -> Trusted:
    """The trusted instant at a reading, by what was kept."""
    wall_ms = to_ms(reading.wall)
    if known is None or not _speaks_of(known, reading):
        return Trusted(at=reading.wall, skew_ms=0, is_sure=reading.boot == GIVEN, heard_ago_ms=None)
    heard_ago_ms = None
    due_ms = known.at_ms + _elapsed_ms(known.boot, known.ran_ns, reading)
    if known.server_ms is not None:
        ran_ms = _elapsed_ms(known.server_boot, known.server_ran_ns, reading)
        due_ms = max(due_ms, known.server_ms + ran_ms)
        heard_ago_ms = ran_ms if known.server_boot == reading.boot else None
    is_running = known.boot == reading.boot
    ahead_max_ms = SKEW_MS if heard_ago_ms is not None else STEP_MAX_MS if is_running else OFF_MAX_MS
    ahead_ms = wall_ms - due_ms
    is_believed = 0 <= ahead_ms <= ahead_max_ms
    # While the machine was off nothing counted the hours: what the wall clock gained is no skew then.
    skew_ms = 0 if is_believed and not is_running else ahead_ms
    is_proven = heard_ago_ms is not None or _steady_ns(known, reading) >= PROVEN_NS or reading.boot == GIVEN
    return Trusted(
        at=from_ms(wall_ms if is_believed else due_ms),
        skew_ms=skew_ms,
        is_sure=is_proven and abs(skew_ms) <= SKEW_MS,
        heard_ago_ms=heard_ago_ms,
    )


def note(db: Connection, reading: Reading) -> None:
    """Keep how far trusted time has come, in the transaction of something else."""
    known = kept(db)
    if known is not None and reading.boot == GIVEN and known.boot != GIVEN:
        return  # past receipts that are sold again do not move the machine's own time
    seen = trusted(known, reading)
    if known is not None and seen.is_skewed and known.boot == reading.boot and to_ms(seen.at) == to_ms(reading.wall):
        log.warning("time.stepped", ahead_s=seen.skew_ms // 1000)
    _put(db, _noted(known, seen, reading))


def heard(db: Connection, server_at: datetime, reading: Reading) -> None:
    """Keep what head office says the time is. A lead that only this till's wall clock made is given up; head office's is not."""
    known = kept(db)
    seen = trusted(known, reading)
    row = _noted(known, seen, reading)
    server_ms = to_ms(server_at)
    if row.server_ms is not None:
        server_ms = max(server_ms, row.server_ms + _elapsed_ms(row.server_boot, row.server_ran_ns, reading))
    at_ms = server_ms if row.at_ms > server_ms + SKEW_MS else max(row.at_ms, server_ms)
    fields = {"at_ms": at_ms, "server_ms": server_ms, "server_boot": reading.boot, "server_ran_ns": reading.ran_ns}
    _put(db, Kept(**{name: getattr(row, name) for name in FIELDS} | fields))


def confirm(db: Connection, reading: Reading) -> None:
    """A person has looked: the wall clock is right. What was kept before is forgotten, later instants too."""
    wall_ms = to_ms(reading.wall)
    log.warning("time.confirmed", skew_s=now(db, reading).skew_ms // 1000)
    offset_ms = wall_ms - reading.ran_ns // NS_PER_MS
    _put(
        db,
        Kept(
            at_ms=wall_ms,
            boot=reading.boot,
            ran_ns=reading.ran_ns,
            server_ms=None,
            server_boot="",
            server_ran_ns=0,
            offset_ms=offset_ms,
            steady_ns=reading.ran_ns - PROVEN_NS,
        ),
    )


def kept(db: Connection) -> Kept | None:
    """The stored row; None in a new file."""
    row = db.execute(KEPT_SELECT).fetchone()
    return None if row is None else Kept(**dict(zip(FIELDS, row, strict=True)))


def _noted(known: Kept | None, seen: Trusted, reading: Reading) -> Kept:
    """The row as it is at a reading. A new run of the machine, or a stepped clock, has yet to prove itself."""
    mine = known if known is not None and _speaks_of(known, reading) else None
    offset_ms = to_ms(reading.wall) - reading.ran_ns // NS_PER_MS
    is_steady = mine is not None and mine.boot == reading.boot and abs(offset_ms - mine.offset_ms) <= SKEW_MS
    return Kept(
        at_ms=to_ms(seen.at),
        boot=reading.boot,
        ran_ns=reading.ran_ns,
        server_ms=mine.server_ms if mine else None,
        server_boot=mine.server_boot if mine else "",
        server_ran_ns=mine.server_ran_ns if mine else 0,
        offset_ms=mine.offset_ms if mine and is_steady else offset_ms,
        steady_ns=mine.steady_ns if mine and is_steady else reading.ran_ns,
    )


def _speaks_of(known: Kept, reading: Reading) -> bool:
    """The machine's clocks and a clock that was given know nothing of each other."""
    return (known.boot == GIVEN) == (reading.boot == GIVEN)


def _elapsed_ms(boot: str, ran_ns: int, reading: Reading) -> int:
    """Uptime since; nothing when the machine was started anew."""
    return max(0, reading.ran_ns - ran_ns) // NS_PER_MS if boot == reading.boot else 0


def _steady_ns(known: Kept, reading: Reading) -> int:
    """For how long wall clock and uptime have agreed, up to this reading."""
    offset_ms = to_ms(reading.wall) - reading.ran_ns // NS_PER_MS
    if known.boot != reading.boot or abs(offset_ms - known.offset_ms) > SKEW_MS:
        return 0
    return reading.ran_ns - known.steady_ns


def _put(db: Connection, row: Kept) -> None:
    with watched(db, "trusted_time", "id = 1", ()):
        db.execute(KEPT_UPSERT, {name: getattr(row, name) for name in FIELDS})


FIELDS = ("at_ms", "boot", "ran_ns", "server_ms", "server_boot", "server_ran_ns", "offset_ms", "steady_ns")
KEPT_SELECT = f"SELECT {', '.join(FIELDS)} FROM trusted_time WHERE id = 1"
KEPT_UPSERT = f"""INSERT INTO trusted_time (id, {", ".join(FIELDS)}) VALUES (1, {", ".join(":" + name for name in FIELDS)})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIELDS)}"""
