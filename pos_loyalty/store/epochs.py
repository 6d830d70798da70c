"""The epoch of a till's log: it grows when the till is enrolled anew, as after its file was restored from a backup."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import ledger
from pos_loyalty.store.db import Connection, meta, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.till_facts import BeganFact, Place
from pos_loyalty.store.witness import watched


def place_of(db: Connection) -> Place:
    """The end of this file's own log."""
    head = ledger.head(db)
    return Place(epoch=head.epoch, seq=head.seq, hash=head.hash.hex())


def begin(db: Connection, epoch: int, continues: Place | None, *, store: str, fact_id: UUID, now: datetime) -> None:
    """Go on in this epoch; again changes nothing. Raises ConflictError when the log went on meanwhile."""
    with write(db):
        here = place_of(db)
        if here.epoch == epoch:
            return
        if (continues is not None and here != continues) or here.epoch > epoch:
            raise ConflictError(
                f"this till sold while it was enrolled (fact {here.seq} of epoch {here.epoch}): stop it, ask for another code, "
                "and enrol it again"
            )
        go_on(db, epoch, continues, store=store, fact_id=fact_id, now=now)


def go_on(db: Connection, epoch: int, continues: Place | None, *, store: str, fact_id: UUID, now: datetime) -> None:
    """The log is in this epoch from its next fact on, which says what it goes on from. Stands inside ``write()``."""
    with watched(db, "meta", "key = 'epoch'", ()):
        db.execute("UPDATE meta SET value = :epoch WHERE key = 'epoch'", {"epoch": str(epoch)})
    if continues is not None:
        ledger.append(db, Draft(id=fact_id, kind="till.began", store=store, body=BeganFact(continues=continues)), now)


def epoch_of(db: Connection) -> int:
    """The epoch of this file's own log."""
    return int(meta(db, "epoch") or 1)
