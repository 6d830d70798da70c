"""Two roads to head office: by the store's hub, and straight there when the hub is silent. The choice is a pure step.

Rule: log, credential and question are the same on both; who answers says what it is, so an answer is never taken for another's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import HeadOfficeGoneError, SyncError
from pos_loyalty.values import Value, decode
from sync.daemon import HeadOffice, Road
from sync.rights import RightsAnswer, RightsRequest
from sync.wire import Reply, checked, read_changes, value_of

SILENT_FOR: Final = timedelta(seconds=20)
"""A hub that did not answer is not asked for so long: a till goes straight to head office meanwhile."""
VISIT_EVERY: Final = timedelta(hours=1)
"""So often a till with a hub speaks to head office itself, which hears its hello after a restore, and that it is there."""
STRAIGHT_FOR: Final = timedelta(seconds=20)
HELLOS: Final = 2
SERVER_FAILS: Final = 500


class RoadState(Value):
    """``hub_silent_at``: when the hub was found silent; None while it answers. ``straight_at``: when the till last set out to
    speak to head office itself; ``is_straight``: head office answered then."""

    hub_silent_at: datetime | None = None
    straight_at: datetime | None = None
    is_straight: bool = False
    visited_at: datetime | None = None
    """When the till last told head office itself that it is there; ``greets``: so many hellos are still to say, a second one
    where the first was told of something new, for only who knows of it is believed to have told all since."""
    greets: int = 0
    answered_by: Road | None = None
    """Who answered the last question; None before the first answer. ``hub_answered_at``: when the hub last did."""
    hub_answered_at: datetime | None = None


def roads_now(state: RoadState, now: datetime) -> tuple[Road, ...]:
    """Where to go with the next question, and where when nobody answers. A clock that was turned back makes nothing longer."""
    if _within(state.hub_silent_at, SILENT_FOR, now):
        return ("straight",)
    if state.is_straight and _within(state.straight_at, STRAIGHT_FOR, now):
        return ("straight", "hub")
    return ("hub", "straight")


def is_visit_due(state: RoadState, now: datetime) -> bool:
    """Whether head office should hear the till itself again."""
    return not _within(state.visited_at, VISIT_EVERY, now)


def set_out_straight(state: RoadState, now: datetime) -> RoadState:
    """Head office is asked itself from now on for a while, if it answers."""
    return replace(state, straight_at=now, is_straight=True)


def gave_answer(state: RoadState, road: Road, now: datetime) -> RoadState:
    """Somebody answered on this road."""
    answered = replace(state, answered_by=road)
    return replace(answered, hub_answered_at=now, hub_silent_at=None) if road == "hub" else answered


def gave_no_answer(state: RoadState, road: Road, now: datetime) -> RoadState:
    """Nobody answered on this road."""
    return replace(state, hub_silent_at=now) if road == "hub" else replace(state, is_straight=False)


def _is_news(question: bytes, said: RightsAnswer) -> bool:
    """Whether head office answers a mere hello out of a log that has more than the till knew."""
    asked = decode(question, RightsRequest)
    return not (asked.wants or asked.gifts or asked.coupons) and asked.seen != said.head


def _within(since: datetime | None, span: timedelta, now: datetime) -> bool:
    return since is not None and since <= now < since + span


class Roads:
    """A HeadOffice by the road that is open. A question that got no answer on one road goes by the other: who got it
    already passes over what it has."""

    def __init__(
        self, hub: HeadOffice, office: HeadOffice, clock: Clock, heard: Callable[[datetime], None] = lambda _: None
    ) -> None:
        """``heard``: who hears head office's time at a visit."""
        self._to: dict[Road, HeadOffice] = {"hub": hub, "straight": office}
        self._clock = clock
        self._heard = heard
        self.state = RoadState()

    @property
    def road(self) -> Road:
        """Where the next question goes."""
        return roads_now(self.state, self._clock())[0]

    def push(self, batch: bytes) -> Reply:
        """By the road that is open."""
        return self._by(lambda to: to.push(batch))

    def changes(self, question: bytes) -> Reply:
        """By the road that is open; now and then head office is asked too, so that it knows that this till is there.

        Of what it says then only the time is taken, of which nobody else's word counts: a till that knows more than its hub could
        not be told of the other tills' sales.
        """
        if self.road == "hub" and is_visit_due(self.state, self._clock()):
            self.state = replace(self.state, visited_at=self._clock(), greets=HELLOS)
            with suppress(SyncError):
                self._heard(read_changes(self._to["straight"].changes(question)).server_time)
        return self._by(lambda to: to.changes(question))

    def rights(self, question: bytes) -> Reply:
        """By the road that is open; after a visit head office hears it too, as a hello. Where it grants something then, its
        answer counts: what a hub gave before it was lost nobody else tells the till of. So does that to a first hello that asks
        for nothing, where head office's own log went on since the till heard of it.
        """
        if self.state.greets:
            left = self.state.greets - 1
            self.state = replace(self.state, greets=0)
            with suppress(SyncError):
                reply = self._to["straight"].rights(question)
                said = value_of(checked(reply), RightsAnswer, "rights")
                if left and _is_news(question, said):
                    self.state = replace(self.state, greets=left)
                    return reply
                if said.grants:
                    return reply
        return self._by(lambda to: to.rights(question))

    def snapshot(self) -> Reply:
        """Straight: the first that a new till does."""
        return self._to["straight"].snapshot()

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        """Straight."""
        self._to["straight"].chunk(snapshot_id, n, start, keep)

    def go_straight(self) -> None:
        """Ask head office itself from now on for a while."""
        self.state = set_out_straight(self.state, self._clock())

    def go_by_hub(self) -> None:
        """The next question goes to the hub again, if it is not silent."""
        self.state = replace(self.state, is_straight=False)

    def _by(self, ask: Callable[[HeadOffice], Reply]) -> Reply:
        failed = HeadOfficeGoneError("neither the hub nor head office answers")
        for road in roads_now(self.state, self._clock()):
            try:
                reply = ask(self._to[road])
                if road == "straight" or reply.status < SERVER_FAILS:
                    self.state = gave_answer(self.state, road, self._clock())
                    return reply
                failed = HeadOfficeGoneError(f"the hub fails (HTTP {reply.status})")
            except HeadOfficeGoneError as error:
                failed = error
            self.state = gave_no_answer(self.state, road, self._clock())
            log.warning("road.silent", road=road, reason=str(failed))
        raise failed
