"""Marks of versions: a till that names a version with another mark than head office gave it was told of another past.

Rule: a mark begins with the epoch of head office's own log, so who has two of them knows which head office was put back later.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

DIGITS: Final = 8
EPOCH_MAX: Final = 0x00FF_FFFF
"""Higher ones are the time in a mark of the version before, which tells no epoch."""


def made(epoch: int, chance: UUID) -> str:
    """A mark of this epoch, 32 hexadecimal digits."""
    return f"{min(epoch, EPOCH_MAX):08x}{chance.hex[DIGITS:]}"


def epoch_of(mark: str | None) -> int:
    """In which epoch of head office's own log it was given; 0 where that is not known."""
    epoch = 0 if mark is None else int(mark[:DIGITS], 16)
    return epoch if epoch <= EPOCH_MAX else 0
