"""Bytes through an open file descriptor, never longer than a deadline: a printer that is off line would block a plain write."""

from __future__ import annotations

import os
import select

from pos_loyalty.clock import monotonic_ns

NS_PER_S = 1_000_000_000
PIECE_BYTES = 4096


def write_all(descriptor: int, data: bytes, deadline_ns: int) -> int:
    """How many bytes the device has taken until the deadline or a fault. The descriptor does not block."""
    sent = 0
    while sent < len(data):
        try:
            sent += os.write(descriptor, data[sent : sent + PIECE_BYTES])
        except BlockingIOError:
            if not _is_ready(descriptor, deadline_ns, to_write=True):
                break
        except OSError:
            break
    return sent


def read_some(descriptor: int, count: int, deadline_ns: int) -> bytes:
    """The first bytes that come; empty at the deadline, at an end or a fault."""
    try:
        if not _is_ready(descriptor, deadline_ns, to_write=False):
            return b""
        return os.read(descriptor, count)
    except OSError:
        return b""


def left_s(deadline_ns: int) -> float:
    """Seconds until an instant, at least 0."""
    return max(deadline_ns - monotonic_ns(), 0) / NS_PER_S


def _is_ready(descriptor: int, deadline_ns: int, *, to_write: bool) -> bool:
    wanted = [descriptor]
    readable, writable, _ = select.select([] if to_write else wanted, wanted if to_write else [], [], left_s(deadline_ns))
    return bool(readable or writable)
