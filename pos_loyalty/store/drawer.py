"""The cash drawer's own record, apart from receipts. Rule: at most once; ``fired`` stands here before the bytes go out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

KickState = Literal["asked", "fired", "failed", "expired"]


class Kick(Value):
    """One time that the drawer was asked to open. ``sale_id``: opened by itself for this sale."""

    kick_id: int
    sale_id: str | None
    cashier: str
    reason: str
    state: KickState
    asked_at: datetime
    note: str | None


def ask(db: Connection, *, sale_id: str | None, cashier: str, reason: str, now: datetime) -> int | None:
    """Ask the drawer to open; answers the kick's id, None when it was asked for this sale before."""
    row = {"sale_id": sale_id, "cashier": cashier, "reason": reason, "now": to_ms(now)}
    with watched(db, "drawer_kick", "id > :last", row | {"last": _last(db)}):
        found = db.execute(KICK_INSERT, row).fetchone()
    return None if found is None else int(found[0])


def next_asked(db: Connection) -> Kick | None:
    """The oldest kick that was neither fired nor given up."""
    return _kick(db.execute(f"{KICK_SELECT} WHERE state = 'asked' ORDER BY id LIMIT 1").fetchone())


def by_kick_id(db: Connection, kick_id: int) -> Kick | None:
    """The kick with this id."""
    return _kick(db.execute(f"{KICK_SELECT} WHERE id = :kick", {"kick": kick_id}).fetchone())


def move(db: Connection, kick_id: int, state: KickState, now: datetime, note: str | None = None) -> None:
    """End a kick that is asked for. From ``fired`` nothing leads on, not even after a crash."""
    row = {"kick": kick_id, "state": state, "now": to_ms(now), "note": note}
    with watched(db, "drawer_kick", "id = :kick", row):
        moved = db.execute(KICK_MOVE, row)
    assert moved.rowcount == 1, f"drawer kick {kick_id} is at its end already"


def not_opened(db: Connection, since: datetime) -> Kick | None:
    """The newest kick, when the drawer was surely not told to open and nobody has asked again."""
    newest = _kick(db.execute(f"{KICK_SELECT} ORDER BY id DESC LIMIT 1").fetchone())
    return newest if newest is not None and newest.state in ("failed", "expired") and newest.asked_at >= since else None


def _last(db: Connection) -> int:
    return int(db.execute("SELECT coalesce(MAX(id), 0) FROM drawer_kick").fetchone()[0])


def _kick(row: tuple[object, ...] | None) -> Kick | None:
    if row is None:
        return None
    seen: dict[str, object] = dict(zip(SEEN, row, strict=True))
    return Kick(kick_id=seen.pop("id"), asked_at=from_ms(int(str(seen.pop("asked_ms")))), **seen)  # type: ignore[arg-type]


SEEN = ("id", "sale_id", "cashier", "reason", "state", "asked_ms", "note")
KICK_SELECT = f"SELECT {', '.join(SEEN)} FROM drawer_kick"
KICK_INSERT = """INSERT INTO drawer_kick (sale_id, cashier, reason, state, asked_ms, moved_ms)
VALUES (:sale_id, :cashier, :reason, 'asked', :now, :now) ON CONFLICT (sale_id) DO NOTHING RETURNING id"""
KICK_MOVE = "UPDATE drawer_kick SET state = :state, moved_ms = :now, note = :note WHERE id = :kick AND state = 'asked'"
