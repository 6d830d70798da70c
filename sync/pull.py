"""Fetching what head office changed, as pure steps: (state, bytes, now) → (state, bytes to send, wake time)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError, SnapshotGoneError, SnapshotNeededError, SyncError, WireError
from pos_loyalty.values import Value
from sync import backoff, protocols
from sync.wire import PROTOCOL, Changes, HubPlace, Reply, read_changes

STRAYS_MAX: Final = 3
BEFORE_MAX: Final = timedelta(hours=6)
"""So long a till asks in the protocol of before: a head office that was brought up meanwhile is asked in its own again."""


class PullState(Value):
    """How fetching stands: the till has the changes up to ``since``, which bears ``mark``.

    ``trouble`` is a sentence about the last failure; ``is_refused``: head office did answer, and a person should know.
    """

    since: int
    mark: str | None
    set_at: datetime
    wake_at: datetime
    """Ask nothing before it; it was set at ``set_at``."""
    failures: int = 0
    trouble: str | None = None
    is_refused: bool = False
    hub: HubPlace | None = None
    """What we have of the store's hub."""
    strays: int = 0
    """Answers to another question that came in a row."""
    needs_snapshot: bool = False
    """Too much has changed to be told in pages."""
    protocol: int = PROTOCOL
    is_understood: bool = False
    """Head office answered in this protocol."""
    before_at: datetime | None = None
    """When the protocol of before was taken up; None: it is not spoken."""


class PullStep(Value):
    """What came of a step: bytes to send or None, changes to apply or None, and when to go on (``state.wake_at``)."""

    state: PullState
    send: bytes | None = None
    changes: Changes | None = None


def begin(since: int, mark: str | None, now: datetime) -> PullState:
    """The state after a start."""
    return PullState(since=since, mark=mark, set_at=now, wake_at=now)


def is_due(state: PullState, now: datetime) -> bool:
    """Whether it is time to ask."""
    return backoff.is_due(state.set_at, state.wake_at, now)


def received(state: PullState, reply: Reply, now: datetime, interval_s: float, random: backoff.Random) -> PullStep:
    """Take in a page. An answer to another question than the last changes nothing, and STRAYS_MAX in a row are a fault; after the
    last page wait ``interval_s``.

    What may be a head office of another version is asked in the other protocol at once.
    """
    try:
        changes = read_changes(reply)
        if not changes.complete and not _leads_on(state, changes):
            raise WireError("head office says that there is more and gives nothing")
    except SyncError as error:
        other = protocols.to_try(state.protocol, state.is_understood, error)
        if other is not None:
            return PullStep(state=replace(state, set_at=now, wake_at=now, protocol=other, before_at=now))
        return failed(state, error, now, random)
    if changes.since != state.since:
        return _stray(state, changes, now, random)
    wait = timedelta(seconds=interval_s if changes.complete else 0)
    begun = replace(begin(changes.version, changes.mark, now), hub=changes.hub or state.hub)
    if state.before_at is not None and changes.complete and not state.before_at <= now < state.before_at + BEFORE_MAX:
        return PullStep(state=replace(begun, wake_at=now + wait), changes=changes)
    spoken = replace(begun, protocol=state.protocol, is_understood=True, before_at=state.before_at)
    return PullStep(state=replace(spoken, wake_at=now + wait), changes=changes)


def _leads_on(state: PullState, changes: Changes) -> bool:
    """Whether a page that is not the last tells something, or a hub at least got on: of codes that nobody knows any more it tells
    nothing."""
    is_moved = bool(changes.hub) and changes.hub != state.hub
    return bool(changes.members or changes.coupons or changes.codes) or is_moved


def _stray(state: PullState, changes: Changes, now: datetime, random: backoff.Random) -> PullStep:
    """A late or doubled answer may come for once; who answers each question so would be asked for ever."""
    if state.strays + 1 < STRAYS_MAX:
        return PullStep(state=replace(state, strays=state.strays + 1))
    error = WireError(f"asked for changes since {state.since}, head office tells of those since {changes.since}")
    return failed(replace(state, strays=0), error, now, random)


def failed(state: PullState, error: SyncError, now: datetime, random: backoff.Random) -> PullStep:
    """Take in a failure: wait with jitter, long when head office understood and refused."""
    if isinstance(error, SnapshotNeededError):
        return PullStep(state=replace(state, needs_snapshot=True))
    failures = state.failures + 1
    wished_s = error.retry_after_s if isinstance(error, HeadOfficeGoneError) else None
    is_refused = not isinstance(error, HeadOfficeGoneError | SnapshotGoneError)
    wait_s = backoff.LONGEST_S if is_refused else backoff.delay_s(failures, random, wished_s)
    waiting = replace(state, set_at=now, wake_at=now + timedelta(seconds=wait_s), failures=failures)
    if is_refused:
        waiting = replace(waiting, protocol=PROTOCOL, is_understood=False, before_at=None)
    return PullStep(state=replace(waiting, trouble=str(error), is_refused=is_refused))
