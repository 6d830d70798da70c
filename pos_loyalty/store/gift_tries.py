"""How often a gift card was asked for in vain. Private to this till: it guards against guessing and follows from no fact."""

from __future__ import annotations

from datetime import datetime, timedelta

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.values import Value

WINDOW = timedelta(minutes=10)
"""Tries further back than this do not add up, unless a lock still holds."""


class Limit(Value):
    """So many tries in vain, then nothing is looked at for ``lock``."""

    tries: int
    lock: timedelta


PIN_LIMIT = Limit(tries=5, lock=timedelta(hours=1))
CODE_LIMIT = Limit(tries=10, lock=timedelta(minutes=10))
ANY_CODE = ""
"""Stands for the till itself: codes that no card has."""


def locked_until(db: Connection, card: str, now: datetime) -> datetime | None:
    """Until when nothing is looked at; None when it is. A clock that was turned back prolongs a lock and never ends it."""
    row = db.execute("SELECT locked_until_ms FROM gift_try WHERE card = :card", {"card": card}).fetchone()
    return from_ms(row[0]) if row is not None and row[0] > to_ms(now) else None


def count(db: Connection, card: str, limit: Limit, now: datetime) -> None:
    """Note a try in vain. The last one that is allowed locks."""
    row = db.execute("SELECT tries, since_ms FROM gift_try WHERE card = :card", {"card": card}).fetchone()
    tries, since_ms = row if row is not None and to_ms(now) - row[1] < to_ms_of(max(WINDOW, limit.lock)) else (0, to_ms(now))
    tries += 1
    is_last = tries >= limit.tries
    after = {
        "card": card,
        "tries": 0 if is_last else tries,
        "since": since_ms,
        "locked": to_ms(now + limit.lock) if is_last else 0,
    }
    db.execute(TRY_UPSERT, after)


def forget(db: Connection, card: str) -> None:
    """The right PIN came."""
    db.execute("DELETE FROM gift_try WHERE card = :card", {"card": card})


def any_of(db: Connection, card: str) -> bool:
    """Whether a try in vain is noted."""
    return db.execute("SELECT 1 FROM gift_try WHERE card = :card", {"card": card}).fetchone() is not None


def to_ms_of(span: timedelta) -> int:
    """A span in milliseconds."""
    return span // timedelta(milliseconds=1)


TRY_UPSERT = """INSERT INTO gift_try (card, tries, since_ms, locked_until_ms) VALUES (:card, :tries, :since, :locked)
ON CONFLICT (card) DO UPDATE SET
  tries = excluded.tries, since_ms = excluded.since_ms, locked_until_ms = excluded.locked_until_ms"""
