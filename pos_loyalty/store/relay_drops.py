"""What a store's hub lets go of again: facts of a till that head office has not got, and takes no more, or gets anew from it.
And what it does not let go of: what it is still to bring.

Rule: whoever was told of such a fact is told anew of those whom it was about, the till itself too: it may be another machine now.
"""

from __future__ import annotations

from typing import Any

from pos_loyalty.store.db import Connection

AFTER = "till = :till AND (epoch, {seq}) > (:epoch, :seq)"
OF_EPOCH = "till = :till AND epoch = :epoch AND {seq} > :seq"


def unbrought(db: Connection, till: str, epoch: int) -> int:
    """The last fact of a log that waits here for head office; 0 for none, or where head office refused it."""
    return int(db.execute(UNBROUGHT_SELECT, {"till": till, "epoch": epoch}).fetchone()[0])


def drop_after(db: Connection, till: str, epoch: int, seq: int) -> None:
    """Facts of a till after one of them, of later machines too, with the batches that bring them."""
    _drop(db, AFTER, {"till": till, "epoch": epoch, "seq": seq})


def drop_of_epoch(db: Connection, till: str, epoch: int, seq: int) -> None:
    """The same of one epoch."""
    _drop(db, OF_EPOCH, {"till": till, "epoch": epoch, "seq": seq})


def goes_on_after(db: Connection, till: str, epoch: int, seq: int) -> bool:
    """Whether a later epoch of a log goes on, as far as it is kept, from facts of this one after ``seq``: its numbers go on,
    where that of a machine with an empty file begins with 1."""
    first = db.execute(LATER_SELECT, {"till": till, "epoch": epoch}).fetchone()[0]
    return first is not None and int(first) > max(1, seq + 1)


def tell_again(db: Connection, till: str, epoch: int) -> None:
    """Whoever was told of any fact of a till that is kept, of its machines up to an epoch: it may have been told with it counted
    twice, or be one that head office forgot."""
    _tell_again(db, "SELECT n FROM kept_fact WHERE till = :till AND epoch <= :epoch", {"till": till, "epoch": epoch})


def _drop(db: Connection, where: str, key: dict[str, Any]) -> None:
    facts = f"SELECT n FROM kept_fact WHERE {where.format(seq='seq')}"
    _tell_again(db, facts, key)
    for table in ("kept_about", "kept_code"):
        db.execute(f"DELETE FROM {table} WHERE n IN ({facts})", key)
    db.execute(f"DELETE FROM kept_fact WHERE {where.format(seq='seq')}", key)
    db.execute(f"DELETE FROM kept_batch WHERE {where.format(seq='last_seq')}", key)


def _tell_again(db: Connection, facts: str, key: dict[str, Any]) -> None:
    """Each gets a number of their own, after all that were told."""
    about = f"""SELECT 'member', member FROM kept_about WHERE n IN ({facts})
    UNION SELECT 'code', code FROM kept_code WHERE n IN ({facts}) ORDER BY 1, 2"""
    for kind, name in db.execute(about, key).fetchall():
        db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'kept_fact'")
        db.execute(AGAIN_INSERT, {"kind": kind, "name": name})


LATER_SELECT = """SELECT MIN(seq) FROM kept_fact WHERE till = :till AND epoch = (
  SELECT MIN(epoch) FROM kept_fact WHERE till = :till AND epoch > :epoch
)"""
UNBROUGHT_SELECT = """SELECT coalesce(MAX(last_seq), 0) FROM kept_batch WHERE till = :till AND epoch = :epoch
AND NOT EXISTS (SELECT 1 FROM kept_till AS k WHERE k.till = :till AND k.refused IS NOT NULL)"""
AGAIN_INSERT = """INSERT OR REPLACE INTO kept_again (kind, name, n)
SELECT :kind, :name, seq FROM sqlite_sequence WHERE name = 'kept_fact'"""
