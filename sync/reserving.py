"""Asking head office for what is free of a member who stands at the till, over a connection and a file handle of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pos_loyalty.clock import Clock
from pos_loyalty.errors import LoyaltyError
from sync.daemon import Syncer

WAIT_S: Final = 2.0
"""A person waits at the till: an answer that takes longer is none."""


class Asker:
    """Opened at the first question, in the thread that asks; opened anew after a failure."""

    def __init__(self, open_syncer: Callable[[], tuple[Syncer, Callable[[], None]]], clock: Clock) -> None:
        self._open_syncer = open_syncer
        self._clock = clock
        self._opened: tuple[Syncer, Callable[[], None]] | None = None

    def ask(self, whom: str) -> None:
        """Ask for a member, a gift card's mark behind ``gift:`` or a code behind ``coupon:``, and take what is granted. Raises
        LoyaltyError."""
        self._opened = self._opened or self._open_syncer()
        try:
            self._opened[0].reserve(whom, self._clock)
        except LoyaltyError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file and the line."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[1]()
