"""How long to wait after a failure: full jitter, so that a thousand tills do not come back in one second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 900.0
DOUBLINGS_MAX: Final = 10

Random = Callable[[], float]
"""A number in [0, 1)."""


def delay_s(failures: int, random: Random, retry_after_s: int | None = None) -> float:
    """Seconds to wait after ``failures`` ≥ 1 in a row: anything from 1 s up to 2, 4, 8 … 900 s, and not before Retry-After."""
    assert failures >= 1
    longest = min(LONGEST_S, FIRST_S * (1 << min(failures, DOUBLINGS_MAX)))
    chosen = FIRST_S + random() * (longest - FIRST_S)
    return min(LONGEST_S, max(chosen, float(retry_after_s or 0)))


def is_due(set_at: datetime, wake_at: datetime, now: datetime) -> bool:
    """Whether a wait is over. A clock that stands before the wait began was set back: then nothing is waited for."""
    return now >= wake_at or now < set_at
