"""Sending the log, as pure steps: (state, bytes, now) → (state, bytes to send, wake time)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError, LogForkError, LogGapError, SyncError, WireError
from pos_loyalty.store.outbox import Row
from pos_loyalty.values import Value
from sync import backoff, identity, protocols
from sync.identity import Signer
from sync.wire import (
    COMPRESSED_BYTES_MAX,
    FACTS_MAX,
    LONE_FACT_BYTES_MAX,
    PLAIN_BYTES_MAX,
    PROTOCOL,
    Ack,
    BatchHeader,
    Peer,
    Reply,
    Suspended,
    deflate,
    plain_batch,
    read_ack,
)

BATCH_MIN: Final = 25
BATCH_STEP: Final = 25


class PushState(Value):
    """How sending stands. The next batch begins after ``seq``; ``cap`` is the till's own limit of facts in a batch.

    ``trouble`` is a sentence about the last failure; ``is_refused``: head office did answer, and a person should know;
    ``is_stopped``: only a person can mend it (a fork).
    """

    seq: int
    cap: int
    batch_max: int
    set_at: datetime
    wake_at: datetime
    """Send nothing before it; it was set at ``set_at``."""
    failures: int = 0
    trouble: str | None = None
    is_refused: bool = False
    is_stopped: bool = False
    protocol: int = PROTOCOL
    is_understood: bool = False
    """Head office took a batch in this protocol."""


class Held(Value):
    """Head office holds our log up to here. What it names must lie on our own chain."""

    seq: int
    hash: bytes


class PushStep(Value):
    """What came of a step: bytes to send or None, what head office now holds or None, and when to go on (``state.wake_at``)."""

    state: PushState
    send: bytes | None = None
    held: Held | None = None
    suspense: tuple[Suspended, ...] = ()


def begin(seq: int, cap: int, now: datetime) -> PushState:
    """The state after a start: head office was last known to hold ``seq``."""
    assert 1 <= cap <= FACTS_MAX
    return PushState(seq=seq, cap=cap, batch_max=cap, set_at=now, wake_at=now)


def resume(state: PushState, seq: int) -> PushState:
    """Head office holds less than we thought: send again from after ``seq``."""
    return replace(state, seq=min(seq, state.seq))


def outgoing(
    state: PushState, rows: Sequence[Row], peer: Peer, signer: Signer, keys: Mapping[str, bytes], now: datetime
) -> PushStep:
    """The next batch out of ``rows``, which follow ``state.seq`` without a gap. ``keys``: of the members enrolled in them."""
    if state.is_stopped or not rows or not backoff.is_due(state.set_at, state.wake_at, now):
        return PushStep(state=state)
    assert rows[0].seq == state.seq + 1, "the rows do not follow what head office holds"
    count = min(len(rows), state.batch_max, state.cap)
    body = _body(rows[:count], peer, signer, keys)
    while body is None and count > 1:
        count //= 2
        body = _body(rows[:count], peer, signer, keys)
    if body is None:
        return PushStep(state=_stopped(state, f"fact {rows[0].seq} is too large to send"))
    return PushStep(state=state, send=body)


def received(state: PushState, reply: Reply, now: datetime, random: backoff.Random) -> PushStep:
    """Take in a reply to a batch. An ack older than what is known changes nothing.

    What may be a head office of another version is asked in the other protocol at once.
    """
    try:
        ack = read_ack(reply)
    except SyncError as error:
        other = protocols.to_try(state.protocol, state.is_understood, error)
        if other is not None:
            return PushStep(state=replace(state, set_at=now, wake_at=now, protocol=other))
        return failed(state, error, now, random)
    if ack.applied_seq < state.seq:
        return PushStep(state=state)
    return PushStep(
        state=PushState(
            seq=ack.applied_seq,
            cap=state.cap,
            batch_max=max(1, min(state.batch_max + BATCH_STEP, state.cap, ack.max_batch)),
            set_at=now,
            wake_at=now + timedelta(seconds=ack.retry_after),
            protocol=state.protocol,
            is_understood=True,
        ),
        held=_safe(ack),
        suspense=ack.suspense,
    )


def _safe(ack: Ack) -> Held | None:
    """What head office holds: of a hub's answer only what head office told the hub."""
    if not ack.relayed:
        return Held(seq=ack.applied_seq, hash=bytes.fromhex(ack.applied_hash))
    safe = ack.relayed.safe
    return None if safe is None else Held(seq=safe.seq, hash=bytes.fromhex(safe.hash))


def failed(state: PushState, error: SyncError, now: datetime, random: backoff.Random) -> PushStep:
    """Take in a failure: wait with jitter; after a gap send from where head office asks; after a fork stop."""
    failures = state.failures + 1
    wait = timedelta(seconds=backoff.delay_s(failures, random, _wished_s(error)))
    seq, batch_max, wake_at = state.seq, state.batch_max, now + wait
    match error:
        case LogForkError():
            return PushStep(state=_stopped(state, str(error)))
        case LogGapError(expected_seq=expected_seq):
            seq = min(state.seq, expected_seq - 1)
            wake_at = now if failures == 1 or seq < state.seq else wake_at  # it answers, and we have what it lacks
        case WireError():
            state = replace(state, protocol=PROTOCOL, is_understood=False)
            wake_at = now + timedelta(seconds=backoff.LONGEST_S)
        case _:
            batch_max = max(min(BATCH_MIN, state.cap), state.batch_max // 2)
    is_refused = not isinstance(error, HeadOfficeGoneError)
    waiting = replace(state, seq=seq, batch_max=batch_max, set_at=now, wake_at=wake_at, failures=failures)
    return PushStep(state=replace(waiting, trouble=str(error), is_refused=is_refused))


def _wished_s(error: SyncError) -> int | None:
    """The wait that head office asked for, when the error carries one."""
    return error.retry_after_s if isinstance(error, HeadOfficeGoneError) else None


def _stopped(state: PushState, trouble: str) -> PushState:
    return replace(state, trouble=trouble, is_refused=True, is_stopped=True)


def _body(rows: Sequence[Row], peer: Peer, signer: Signer, keys: Mapping[str, bytes]) -> bytes | None:
    """The rows as a batch; None when it is over a limit, plain or compressed."""
    last = rows[-1]
    said = identity.head_said(peer.till, last.epoch, last.seq, last.hash.hex())
    header = BatchHeader(
        protocol=peer.protocol,
        schema=peer.schema,
        build=peer.build,
        till=peer.till,
        epoch=last.epoch,
        first_seq=rows[0].seq,
        prev_hash=rows[0].prev_hash.hex(),
        head_hash=last.hash.hex(),
        count=len(rows),
        member_keys=dict(keys),
        credential=signer.credential,
        signature=identity.sign(said, signer.private_key),
    )
    plain = plain_batch(header, [row.payload for row in rows])
    if len(plain) > PLAIN_BYTES_MAX:
        return None
    packed = deflate(plain)
    return packed if len(packed) <= (LONE_FACT_BYTES_MAX if len(rows) == 1 else COMPRESSED_BYTES_MAX) else None
