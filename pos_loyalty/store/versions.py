"""Versions of our files: each step of MIGRATIONS after the first ones is one more. An older file goes up a version at a time.

Rule: a step that has landed is never changed; what must be otherwise is a new step at the end. One version is one transaction,
with its number in it: whatever stops it, the file is of the version before or of this one, and the next opening goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pysqlite3 import dbapi2

from pos_loyalty.errors import StoreSchemaError
from pos_loyalty.store.migrations import MIGRATIONS
from pos_loyalty.store.witness import WATCHED, sums_agree, sums_anew, watched

STEPS_OF_1: Final = 15
"""Steps that make the tables of version 1."""
FIRST_BUILD: Final = "9de80f2c87c660b88ca2ca43484e783e10cb432a8b9fe93e35665459fcd6c012"
"""SHA-256 of these steps. Files of that time bear it in ``meta`` and no number; head offices of then ask their tills for it."""
FILE_VERSION: Final = 1 + len(MIGRATIONS) - STEPS_OF_1
ALTERED: Final = re.compile(r"ALTER TABLE (\w+)", re.IGNORECASE)

Carry = Callable[[dbapi2.Connection], None]


def check_known(version: int, build: str | None, where: str) -> None:
    """Raises StoreSchemaError for a file that this program cannot read or bring up. ``build``: what ``meta`` says."""
    if version > FILE_VERSION:
        raise StoreSchemaError(
            f"{where} was written by a newer pos_loyalty (tables {version}, here {FILE_VERSION}); nothing was changed: install "
            "the newer version again, or put back the backup from before it."
        )
    if version < 0 or (version == 0 and build != FIRST_BUILD):
        raise StoreSchemaError(f"{where} was made by a build of pos_loyalty from before versions were counted; start a new file.")


def check_newest(version: int, where: str) -> None:
    """Who only reads does not bring a file up. Raises StoreSchemaError."""
    if version < FILE_VERSION:
        raise StoreSchemaError(
            f"{where} is of an older pos_loyalty (tables {version}, here {FILE_VERSION}): start the till or head office on it, "
            "or on a copy of it, once."
        )


def step_up(db: dbapi2.Connection, version: int, run: Callable[[str], None]) -> None:
    """Make a file of this version one of the next, all but its number. ``run``: does a step's SQL."""
    step = "" if version == 0 else MIGRATIONS[STEPS_OF_1 + version - 1]
    altered = [table for table in ALTERED.findall(step) if table in WATCHED]
    sound = [table for table in altered if sums_agree(db, table)]
    run(step)
    for table in sound:
        sums_anew(db, table)
    if version + 1 in CARRY:
        CARRY[version + 1](db)


def statements(script: str) -> Iterator[str]:
    """The statements of a step, without comments."""
    text = ""
    for line in re.sub(r"--[^\n]*", "", script).splitlines(keepends=True):
        text += line
        if dbapi2.complete_statement(text):
            if text.strip():
                yield text
            text = ""
    assert not text.strip(), "a migration ends in the middle of a statement"


def _count(db: dbapi2.Connection) -> None:
    """The number says it from now on."""
    with watched(db, "meta", "key = 'build'", ()):
        db.execute("DELETE FROM meta WHERE key = 'build'")


def _know_logs(db: dbapi2.Connection) -> None:
    """A hub asks head office about all logs by which it was ever given back anything."""
    with watched(db, "relay_known", "TRUE", ()):
        db.execute(KNOWN_INSERT)


KNOWN_INSERT: Final = """INSERT INTO relay_known (till, epoch, seq)
SELECT s.till, s.epoch, 0 FROM relay_start AS s UNION SELECT r.till, r.epoch, 0 FROM relay_right AS r WHERE TRUE
ON CONFLICT (till, epoch) DO NOTHING"""
CARRY: Final[Mapping[int, Carry]] = {1: _count, 8: _know_logs}
"""What SQL alone does not do, by the version that it leads to."""
