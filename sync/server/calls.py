"""Gift cards and unique codes that somebody asks for and others hold: who holds them is asked to give them back.

Kept in memory, for a minute: who stands there asks again. What was granted meanwhile is not called for any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pos_loyalty.values import Value

CALLED_FOR: Final = timedelta(minutes=1)
LOTS_MAX: Final = 1_000
"""Beyond so many nothing new is called for: a till asks for twenty at once."""


class Call(Value):
    """Who asked last, and when."""

    till: str
    at: datetime


class Calls:
    """What is called for now."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def asked(self, till: str, lots: Iterable[str], granted: Iterable[str], now: datetime) -> None:
        """A till asked for these lots, and got some."""
        self._calls = {lot: call for lot, call in self._calls.items() if _stands(call, now)}
        for lot in granted:
            self._calls.pop(lot, None)
        for lot in set(lots).difference(granted):
            if lot in self._calls or len(self._calls) < LOTS_MAX:
                self._calls[lot] = Call(till=till, at=now)

    def by_others(self, till: str, now: datetime) -> tuple[str, ...]:
        """Lots that somebody else than this till asked for."""
        return tuple(sorted(lot for lot, call in self._calls.items() if call.till != till and _stands(call, now)))


def _stands(call: Call, now: datetime) -> bool:
    return call.at <= now < call.at + CALLED_FOR
