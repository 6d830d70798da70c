"""The ground that production code stands on in the simulator: clock, chance and log of whichever machine has its turn.

Rule: one thread, and nothing of the real machine reaches the code. ``pos_loyalty.clock`` is the only file that reads time, so its
clocks are replaced there; randomness comes from the world's seed, also where a library asks the system for it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import shake_256
from pathlib import Path
from random import Random
from typing import Any

from pos_loyalty import clock, log
from pos_loyalty.config import Config
from pos_loyalty.engine import load_programme
from pos_loyalty.store import as_one, db, ledger, seal, verify
from pos_loyalty.till import programmes, staff
from pos_loyalty.wiring import files
from sync import daemon, identity, programme_list
from sync.server import expiry, sqlite_programmes, sqlite_rights, steps, truth
from tests.at_once import tables_at_once
from tests.simulation.disk import Disk, WatchedConnection

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NS_PER_MS = 1_000_000
WAITS_MAX = 6
"""How often a restored head office lets a till wait for others' logs: daemons here go 80 times more seldom than in a shop."""

NEVER_S = 1e9
"""Daemons do not look five times a second whether something was written: ``World.nap`` wakes them when it was."""


class Time:
    """True time, in ms since the world began. Nobody in the world can read it."""

    def __init__(self) -> None:
        self.ms = 0

    @property
    def at(self) -> datetime:
        """As an instant."""
        return BEGAN + timedelta(milliseconds=self.ms)


class Machine:
    """A computer: its wall clock may be wrong, stand still and be set; its uptime cannot, and begins again with each boot."""

    def __init__(self, name: str, true: Time, disk: Disk) -> None:
        self.name, self.true, self.disk = name, true, disk
        self.off_ms = 0
        self.stands_at: datetime | None = None
        self.boots = 0
        self._booted_ms = 0

    def boot(self) -> None:
        """Started anew."""
        self.boots += 1
        self._booted_ms = self.true.ms

    def wall(self) -> datetime:
        """What its clock says."""
        return self.stands_at or self.true.at + timedelta(milliseconds=self.off_ms)

    def ran_ns(self) -> int:
        """Since its boot."""
        return (self.true.ms - self._booted_ms) * NS_PER_MS

    def boot_id(self) -> str:
        """Of this run."""
        return f"{self.name}-{self.boots}"


class Ground:
    """Whose turn it is, the world's chance, and what was logged."""

    def __init__(self, machine: Machine, seed: int) -> None:
        self.machine = machine
        self.chance = Random(f"ground {seed}")
        self.logged: list[tuple[str, dict[str, object]]] = []

    def now(self, zone: object = None) -> datetime:
        """The wall clock of the machine whose turn it is."""
        return self.machine.wall()

    def note(self, level: int, event: str, fields: dict[str, object]) -> None:
        """In the place of the log's own writer."""
        self.logged.append((event, fields))


class _Clock:
    """In the place of ``datetime`` in clock.py."""

    fromtimestamp = staticmethod(datetime.fromtimestamp)

    def __init__(self, now: Callable[..., datetime]) -> None:
        self.now = now


class _Time:
    """In the place of ``time`` in clock.py."""

    CLOCK_BOOTTIME = 7

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def time_ns(self) -> int:
        return clock.to_ms(self._ground.machine.wall()) * NS_PER_MS

    def monotonic_ns(self) -> int:
        return self._ground.machine.ran_ns()

    def clock_gettime_ns(self, _: int) -> int:
        return self._ground.machine.ran_ns()


def _known_signatures() -> tuple[Callable[..., str], Callable[..., bool]]:
    """Ed25519 with a memory: what was signed here holds, and what was verified once is not verified again. The rest is."""
    sign, is_signed = identity.sign, identity.is_signed
    publics = lru_cache(identity.public_of)
    good: set[tuple[bytes, str, str]] = set()

    @lru_cache(4096)
    def signing(said: bytes, private_key: str) -> str:
        made = sign(said, private_key)
        good.add((said, made, publics(private_key)))
        return made

    def known(said: bytes, signature: str, public_key: str) -> bool:
        return (said, signature, public_key) in good or is_signed(said, signature, public_key)

    return signing, known


SIGNING, KNOWN = _known_signatures()
LOADED = lru_cache(256)(load_programme)
"""Reading a programme or a config has no other outcome the second time."""
PIN_HASHES = lru_cache(256)(staff.pin_hash)
"""A slow hash has no other outcome either."""
READERS = (programmes, as_one, programme_list, expiry, sqlite_programmes, steps, truth)
"""Who reads programmes."""
PRIVATE_KEYS = lru_cache(256)(identity._private)
READ_CONFIG = files.load_config
CONFIGS: dict[bytes, Config] = {}


def _config(path: Path) -> Config:
    text = path.read_bytes()
    if text not in CONFIGS:
        CONFIGS[text] = READ_CONFIG(path)
    return CONFIGS[text]


def _cheap_hash(password: bytes, *, salt: bytes, n: int, r: int, p: int, dklen: int = 64, **_: object) -> bytes:
    """In the place of scrypt, whose slowness is its point."""
    return shake_256(salt + password).digest(dklen)


@contextmanager
def standing(ground: Ground) -> Iterator[None]:
    """All production code in this process stands on this ground."""
    urandom = ground.chance.randbytes
    boot = lambda: ground.machine.boot_id()  # noqa: E731
    made = WatchedConnection.on(lambda: ground.machine.disk)
    places: list[tuple[Any, str, Any]] = [
        (clock, "datetime", _Clock(ground.now)),
        (clock, "time", _Time(ground)),
        (clock, "boot_id", boot),
        (ledger, "boot_id", boot),
        (os, "urandom", urandom),
        (random, "_urandom", urandom),
        (log, "_event", ground.note),
        (db, "Connection", made),
        (identity, "_private", PRIVATE_KEYS),
        (identity, "sign", SIGNING),
        (staff, "pin_hash", PIN_HASHES),
        (identity, "is_signed", KNOWN),
        (seal, "scrypt", _cheap_hash),
        (sqlite_rights, "WAITS_MAX", WAITS_MAX),
        (daemon, "LOOK_S", NEVER_S),
        (db, "MIGRATIONS", tables_at_once()),
        (verify, "MIGRATIONS", tables_at_once()),
        *((place, "load_programme", LOADED) for place in READERS),
        (files, "load_config", _config),
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in places]
    for place, name, value in places:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
