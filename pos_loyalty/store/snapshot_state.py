"""How far a snapshot of head office is taken in: one row, moved in the same transaction as what was applied."""

from __future__ import annotations

from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value


class Applied(Value):
    """``step``: which part of the snapshot comes next; ``line``: lines of it that are done; ``after``: the last id of its kind.

    ``as_of_seq``: up to which number of our own log the snapshot counts; None until that is read.
    """

    manifest: bytes
    step: int = 0
    line: int = 0
    after: str = ""
    as_of_seq: int | None = None


def standing(db: Connection) -> Applied | None:
    """None when no snapshot is being taken in."""
    row = db.execute("SELECT manifest, chunk, line, after, as_of_seq FROM snapshot_apply WHERE id = 1").fetchone()
    return None if row is None else Applied(manifest=bytes(row[0]), step=row[1], line=row[2], after=row[3], as_of_seq=row[4])


def is_begun(db: Connection) -> bool:
    """Whether a snapshot is being taken in."""
    return db.execute("SELECT 1 FROM snapshot_apply WHERE id = 1").fetchone() is not None


def put(db: Connection, applied: Applied | None) -> None:
    """Note it, or that it is over."""
    with watched(db, "snapshot_apply", "id = 1", ()):
        db.execute("DELETE FROM snapshot_apply")
        if applied is not None:
            row = {
                "manifest": applied.manifest,
                "as_of_seq": applied.as_of_seq,
                "chunk": applied.step,
                "line": applied.line,
                "after": applied.after,
            }
            db.execute(INSERT, row)


INSERT = """INSERT INTO snapshot_apply (id, manifest, as_of_seq, chunk, line, after)
VALUES (1, :manifest, :as_of_seq, :chunk, :line, :after)"""
