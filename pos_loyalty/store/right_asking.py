"""At a till: how far asking head office for rights came, and for whom to ask next."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_facts import HubHead
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value, decode, encode


class Asking(Value):
    """``ask_id``: of the newest question; ``told``: the newest fact of head office's own log that we were told of, ``hub_head``
    that of the hub's."""

    ask_id: str | None
    told: Place | None
    hub_head: HubHead | None
    asked_version: int
    asked_seq: int


class Due(Value):
    """Members to ask for, and how far their answer brings us. ``is_last``: there are no more; ``moves``: further
    than before."""

    member_ids: tuple[str, ...]
    version: int
    seq: int
    is_last: bool
    moves: bool


def state(db: Connection) -> Asking:
    """Where asking stands."""
    ask_id, told_head, hub_head, version, seq = db.execute(STATE_SELECT).fetchone()
    told_at = None if told_head is None else decode(told_head.encode(), Place)
    hub_at = None if hub_head is None else decode(hub_head.encode(), HubHead)
    return Asking(ask_id=ask_id, told=told_at, hub_head=hub_at, asked_version=version, asked_seq=seq)


def asks(db: Connection, ask_id: str) -> None:
    """A question goes out."""
    _put(db, "ask_id = :ask_id", {"ask_id": ask_id})


def told(db: Connection, head: Place) -> None:
    """Head office told of a fact of its own log."""
    _put(db, "told_head = :head", {"head": encode(head).decode()})


def told_by_hub(db: Connection, head: HubHead) -> None:
    """The hub told of a fact of its own log."""
    _put(db, "hub_head = :head", {"head": encode(head).decode()})


def idle_seq(db: Connection) -> int:
    """Up to which of our own facts we gave the hub what nobody needs here."""
    return int(db.execute("SELECT idle_seq FROM sync_state WHERE id = 1").fetchone()[0])


def put_idle_seq(db: Connection, seq: int) -> None:
    """It was given back so far."""
    _put(db, "idle_seq = :seq", {"seq": seq})


def coupon_idle_seq(db: Connection) -> int:
    """Up to which of our own facts we gave back codes that nobody used here."""
    return int(db.execute("SELECT coupon_idle_seq FROM sync_state WHERE id = 1").fetchone()[0])


def put_coupon_idle_seq(db: Connection, seq: int) -> None:
    """They were given back so far."""
    _put(db, "coupon_idle_seq = :seq", {"seq": seq})


def asked(db: Connection, due: Due) -> None:
    """These members were asked for, and answered."""
    _put(db, "asked_version = :version, asked_seq = :seq", {"version": due.version, "seq": due.seq})


def ask_anew(db: Connection) -> None:
    """Head office tells of all members anew."""
    _put(db, "asked_version = 0", {})


def due(db: Connection, taken_before: datetime, limit: int, now: datetime) -> Due:
    """Whom to ask for next: members whom head office told of since we asked; then those for whom alone rights came before an
    instant, or from beyond now by a clock that was wrong, and who may have left.
    """
    before = state(db)
    changed = db.execute(CHANGED_SELECT, {"version": before.asked_version, "limit": limit}).fetchall()
    key = {"seq": before.asked_seq, "before": to_ms(taken_before), "now": to_ms(now), "limit": limit - len(changed)}
    taken = db.execute(TAKEN_SELECT, key).fetchall()
    found = dict.fromkeys([*(row[0] for row in changed if row[2]), *(row[0] for row in taken)])
    version = max((row[1] for row in changed), default=before.asked_version)
    seq = max((row[1] for row in taken), default=before.asked_seq)
    return Due(
        member_ids=tuple(found),
        version=version,
        seq=seq,
        is_last=len(changed) + len(taken) < limit,
        moves=(version, seq) != (before.asked_version, before.asked_seq),
    )


def _put(db: Connection, what: str, row: dict[str, object]) -> None:
    with watched(db, "sync_state", "id = 1", ()):
        db.execute(f"UPDATE sync_state SET {what} WHERE id = 1", row)


STATE_SELECT = "SELECT ask_id, told_head, hub_head, asked_version, asked_seq FROM sync_state WHERE id = 1"
CHANGED_SELECT = """SELECT m.id, m.version, EXISTS (SELECT 1 FROM lot AS l WHERE l.member = m.id AND l.remaining > 0)
FROM member AS m WHERE m.version > :version ORDER BY m.version LIMIT :limit"""
TAKEN_SELECT = """SELECT MIN(l.member), t.seq FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
JOIN txn AS t ON t.id = g.taken
WHERE g.till = (SELECT value FROM meta WHERE key = 'owner')
AND g.epoch = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch')
AND NOT l.lot GLOB 'gift:*' AND NOT l.lot GLOB 'coupon:*' AND g.closed IS NULL AND t.seq > :seq
AND (t.wall_ms <= :before OR t.wall_ms > :now)
GROUP BY g.id HAVING COUNT(DISTINCT l.member) = 1 ORDER BY t.seq LIMIT :limit"""
"""A grant for a single member is one that was asked for as they stood here; the others are their store's share."""
