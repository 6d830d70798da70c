"""Steps that lost a race are taken again, a bounded number of times. Rule: only when surely nothing was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pos_loyalty import log
from pos_loyalty.errors import StoreRaceError
from sync.server.ledger_store import LedgerStore

TRIES_MAX: Final = 6
T = TypeVar("T")


def again(store: LedgerStore, step: Callable[[LedgerStore], T]) -> T:
    """The step's answer. Raises StoreRaceError when it lost every race: whoever asked comes again later."""
    for left in range(TRIES_MAX - 1, -1, -1):
        try:
            return step(store)
        except StoreRaceError:
            if not left:
                raise
            log.warning("store.raced", left=left)
    raise AssertionError("the last try answers or raises")
