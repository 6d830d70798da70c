"""Fetching what head office changed, as pure steps: (state, bytes, now) → (state, bytes to send, wake time)."""

from __future__ import annotations

from datetime import datetime, timedelta

from pos_loyalty.errors import HeadOfficeGoneError, SyncError, WireError
from pos_loyalty.values import Value, encode
from sync import backoff
from sync.wire import Changes, ChangesRequest, Peer, Reply, read_changes


class PullState(Value):
    """How fetching stands: the till has the changes up to ``since``. ``trouble`` is a sentence about the last failure."""

    since: int
    wake_at: datetime
    failures: int = 0
    trouble: str | None = None


class PullStep(Value):
    """What came of a step: bytes to send or None, changes to apply or None, and when to go on (``state.wake_at``)."""

    state: PullState
    send: bytes | None = None
    changes: Changes | None = None


def begin(since: int, now: datetime) -> PullState:
    """The state after a start."""
    return PullState(since=since, wake_at=now)


def outgoing(state: PullState, peer: Peer, programme: str | None, now: datetime) -> PullStep:
    """The next question. ``programme``: hex SHA-256 of the newest programme here, or None."""
    if now < state.wake_at:
        return PullStep(state=state)
    return PullStep(state=state, send=encode(ChangesRequest(peer=peer, since=state.since, programme=programme)))


def received(state: PullState, reply: Reply, now: datetime, interval_s: float, random: backoff.Random) -> PullStep:
    """Take in a page. An answer to another question than the last changes nothing; after the last page wait ``interval_s``."""
    try:
        changes = read_changes(reply)
        if not changes.complete and not changes.members:
            raise WireError("head office says that there is more and gives nothing")
    except SyncError as error:
        return failed(state, error, now, random)
    if changes.since != state.since:
        return PullStep(state=state)
    wait = timedelta(seconds=interval_s if changes.complete else 0)
    return PullStep(state=PullState(since=changes.version, wake_at=now + wait), changes=changes)


def failed(state: PullState, error: SyncError, now: datetime, random: backoff.Random) -> PullStep:
    """Take in a failure: wait with jitter, long when head office understood and refused."""
    failures = state.failures + 1
    wished_s = error.retry_after_s if isinstance(error, HeadOfficeGoneError) else None
    wait_s = backoff.delay_s(failures, random, wished_s) if isinstance(error, HeadOfficeGoneError) else backoff.LONGEST_S
    return PullStep(
        state=PullState(since=state.since, wake_at=now + timedelta(seconds=wait_s), failures=failures, trouble=str(error))
    )
