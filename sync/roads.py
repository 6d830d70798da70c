"""Two roads to head office: by the store's hub, and straight there when the hub is silent. The choice is a pure step.

Rule: log, credential and question are the same on both; who answers says what it is, so an answer is never taken for another's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.values import Value
from sync.daemon import HeadOffice
from sync.wire import Reply

SILENT_FOR: Final = timedelta(seconds=20)
"""A hub that did not answer is not asked for so long: a till goes straight to head office meanwhile."""
STRAIGHT_EVERY: Final = timedelta(hours=1)
"""So often a till with a hub speaks to head office itself: who was restored hears it say hello, and knows that it is there."""

SERVER_FAILS: Final = 500

Road = Literal["hub", "straight"]


class RoadState(Value):
    """``hub_silent_at``: when the hub was found silent; None while it answers. ``straight_at``: the last go straight there."""

    hub_silent_at: datetime | None = None
    straight_at: datetime | None = None


def road_now(state: RoadState, now: datetime) -> Road:
    """Where to go with the next question. A clock that was turned back makes no silence longer."""
    silent_at = state.hub_silent_at
    return "straight" if silent_at is not None and silent_at <= now < silent_at + SILENT_FOR else "hub"


def is_straight_due(state: RoadState, now: datetime) -> bool:
    """Whether head office should hear the till itself again."""
    at = state.straight_at
    return at is None or not at <= now < at + STRAIGHT_EVERY


def hub_failed(state: RoadState, now: datetime) -> RoadState:
    """The hub gave no answer."""
    return replace(state, hub_silent_at=now)


def went_straight(state: RoadState, now: datetime) -> RoadState:
    """Head office was asked itself, whether or not it answered."""
    return replace(state, straight_at=now)


class Roads:
    """A HeadOffice by the road that is open. Each question goes to one of them; only one that got no answer at the hub goes on
    to head office, which passes over what it has."""

    def __init__(self, hub: HeadOffice, office: HeadOffice, clock: Clock) -> None:
        self._hub = hub
        self._office = office
        self._clock = clock
        self.state = RoadState()

    @property
    def road(self) -> Road:
        """Where the next question goes."""
        return road_now(self.state, self._clock())

    def push(self, batch: bytes) -> Reply:
        """By the road that is open."""
        return self._by(lambda to: to.push(batch))

    def changes(self, question: bytes) -> Reply:
        """By the road that is open."""
        return self._by(lambda to: to.changes(question))

    def rights(self, question: bytes) -> Reply:
        """By the road that is open."""
        return self._by(lambda to: to.rights(question))

    def snapshot(self) -> Reply:
        """Straight: the first of a new till."""
        return self._office.snapshot()

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        """Straight."""
        self._office.chunk(snapshot_id, n, start, keep)

    def go_straight(self) -> None:
        """Ask head office itself from now on, for as long as after a silent hub."""
        self.state = went_straight(hub_failed(self.state, self._clock()), self._clock())

    def _by(self, ask: Callable[[HeadOffice], Reply]) -> Reply:
        if self.road == "hub":
            try:
                reply = ask(self._hub)
                if reply.status < SERVER_FAILS:
                    return reply
                reason = f"HTTP {reply.status}"
            except HeadOfficeGoneError as error:
                reason = str(error)
            self.state = hub_failed(self.state, self._clock())
            log.warning("hub.silent", reason=reason)
        self.state = went_straight(self.state, self._clock())
        return ask(self._office)
