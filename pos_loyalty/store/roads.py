"""By which road this till is answered, the store's hub or straight: noted for people to see, and nothing is decided by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.store.db import Connection, write
from pos_loyalty.values import Value

NOTE_EVERY: Final = timedelta(seconds=30)
"""That the hub answers is written no more often."""


class RoadSeen(Value):
    """``road``: by which the till was last answered, ``since``: when it was first answered by it after the other one. ``hub_at``:
    when the hub last answered, to half a minute; None for never."""

    road: Literal["hub", "straight"]
    since: datetime
    hub_at: datetime | None


def seen(db: Connection) -> RoadSeen | None:
    """What is noted; None for a till that never had a hub, or was never answered."""
    road, since_ms, hub_ms = db.execute("SELECT road, road_ms, hub_ms FROM sync_state WHERE id = 1").fetchone()
    if road is None:
        return None
    return RoadSeen(road=road, since=from_ms(since_ms), hub_at=None if hub_ms is None else from_ms(hub_ms))


def note(db: Connection, road: Literal["hub", "straight"], hub_at: datetime | None, now: datetime) -> None:
    """The till was answered by this road. ``hub_at``: when the hub last answered, None: not since the start."""
    last = seen(db)
    is_same = last is not None and last.road == road
    is_fresh = hub_at is None or (last is not None and last.hub_at is not None and hub_at - last.hub_at < NOTE_EVERY)
    if is_same and is_fresh:
        return
    since = last.since if last is not None and is_same else now
    row = {"road": road, "since": to_ms(since), "hub": None if hub_at is None else to_ms(hub_at)}
    with write(db):
        db.execute(UPDATE, row)


UPDATE = "UPDATE sync_state SET road = :road, road_ms = :since, hub_ms = coalesce(:hub, hub_ms) WHERE id = 1"
