"""Laws that cost as much as a world: head office made again from all logs is the same, and a changed byte is seen."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.store.db import backup, open_reader
from pos_loyalty.store.verify import verify
from tests import refold
from tests.simulation.office import MASTER_KEY

if TYPE_CHECKING:
    from tests.simulation.world import World

BYTES = 3


def look_closely(world: World) -> None:
    """I8 and I9."""
    world.at(world.office)
    path = world.folder / "copy.db"
    backup(world.office.db, path)
    made_again(world, path)
    changed_bytes_are_seen(world, path)


def made_again(world: World, path: Path) -> None:
    """I8: all rows of head office follow from the logs that it holds, to the byte, after all that befell it.

    Where a case stands what was booked is not what the fact says; the law is for worlds without.
    """
    if world.office.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone()[0]:
        return
    db = open_reader(path, master_key=MASTER_KEY.hex())
    try:
        found = [each for each in refold.differences(db, world.folder / "again.db") if not each.startswith("meta:")]
    finally:
        db.close()
    assert found == [], f"I8: {found}"


def changed_bytes_are_seen(world: World, path: Path) -> None:
    """I9: whatever byte of a payload or a hash changes on the disk, ``verify`` names it."""
    chance = Random(world.seed)
    ids = [row[0] for row in world.office.db.execute("SELECT rowid FROM txn ORDER BY rowid")]
    for n in range(BYTES):
        target = path.with_name(f"changed{n}.db")
        target.write_bytes(path.read_bytes())
        payload, column = _changed(path, chance, chance.choice(ids))
        data = bytearray(target.read_bytes())
        at = data.find(payload)
        if at < 0 or not any(payload):
            continue  # it lies on more than one page; or a log begins here, and zeros lie everywhere
        place = at + chance.randrange(len(payload))
        data[place] ^= 1 << chance.randrange(8)
        target.write_bytes(bytes(data))
        db = open_reader(target)
        try:
            assert verify(db), f"I9: a changed byte of a {column} is not seen"
        finally:
            db.close()


def _changed(path: Path, chance: Random, rowid: int) -> tuple[bytes, str]:
    column = chance.choice(("payload", "hash", "prev_hash"))
    db = open_reader(path)
    try:
        row = db.execute(f"SELECT {column} FROM txn WHERE rowid = ?", (rowid,)).fetchone()
    finally:
        db.close()
    return bytes(row[0])[:200], column
