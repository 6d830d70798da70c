"""Codes that change with time. **Source:** RFC 6238 over RFC 4226: HMAC-SHA-1, 30 seconds, six digits."""

from __future__ import annotations

import hmac
from datetime import datetime

STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1
"""A phone's clock may be so many steps before or behind the till's, unless the config says otherwise."""


def step_of(at: datetime) -> int:
    """The step of an instant, counted from 1970."""
    return int(at.timestamp()) // STEP_S


def code_of(key: bytes, step: int) -> str:
    """The code of one step."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def steps_that_hold(key: bytes, code: str, step: int, drift: int = DRIFT_STEPS) -> tuple[int, ...]:
    """The steps at most ``drift`` about this one whose code it is, ascending; as long for a wrong code as for a right one."""
    near = range(step - drift, step + drift + 1)
    is_right = [hmac.compare_digest(code_of(key, each).encode(), code.encode("utf-8", "replace")) for each in near]
    return tuple(each for each, right in zip(near, is_right, strict=True) if right)
