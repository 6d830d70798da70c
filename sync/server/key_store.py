"""What enrolment asks of head office's store: who signs for which till, and codes that wait."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pos_loyalty.store.till_facts import TillKeyFact
from pos_loyalty.store.till_keys import EnrolCode
from sync.identity import Holder


class KeyStore(Protocol):
    """Everything is called inside the ledger store's ``write``."""

    def key(self, till: str, epoch: int) -> TillKeyFact | None:
        """A till's key in an epoch, as head office's log says."""

    def newest_epoch(self, till: str) -> int:
        """The newest epoch that was enrolled; 0 for none."""

    def all_keys(self) -> tuple[TillKeyFact, ...]:
        """Every key."""

    def of_store(self, store: str) -> tuple[TillKeyFact, ...]:
        """Every key of a store, by till and epoch: a hub asks each second or so, and a chain has many stores."""

    def let_go(self, store: str) -> tuple[Holder, ...]:
        """Of each till of a store the newest machine that is that till no more, if any; those before it are not either."""

    def book(self, said: TillKeyFact, now: datetime) -> None:
        """Append a fact of head office's own log: a key signs from now on, or does not any more."""

    def add_code(self, code_hash: str, till: str, now: datetime) -> None:
        """A new code."""

    def code(self, code_hash: str, now: datetime) -> EnrolCode | None:
        """The code of this hash."""

    def use_code(self, code_hash: str, public_key: str) -> None:
        """The code is redeemed."""
