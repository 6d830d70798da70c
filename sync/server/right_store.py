"""What granting rights asks of head office's store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pos_loyalty.engine.model import Lot
from pos_loyalty.store.right_facts import GrantFact
from pos_loyalty.store.till_facts import Place


class RightStore(Protocol):
    """Everything is called inside the ledger store's ``write``."""

    def own_head(self) -> Place:
        """The end of head office's own log."""

    def is_own(self, place: Place) -> bool:
        """Whether head office's own log holds exactly this fact."""

    def begin_anew(self, epoch: int, now: datetime) -> None:
        """Head office was restored: its own log goes on in this epoch, and every till is waited for."""

    def heard_hello(self, till: str) -> None:
        """All of this till's log is here: it is waited for no longer."""

    def is_waiting(self) -> bool:
        """Whether some till has not said hello since the restore. Tills that were let go are not waited for."""

    def lets_wait(self, till: str) -> bool:
        """Whether a fact of this till that takes what is not there may wait for logs of others that were not heard since
        the restore; each time is counted, and not for ever."""

    def awaits_hub(self, till: str, lot_ids: Sequence[str]) -> bool:
        """Whether a hub gave this till points of these lots that the hub got from a till whose log is still to come; each time is
        counted, and not for ever."""

    def lots(self, member_id: str, now: datetime) -> tuple[Lot, ...]:
        """Lots of a member that hold something and have not ended, soonest to expire first."""

    def held_by_all(self, lot_id: str) -> int:
        """What all tills hold of a lot."""

    def held(self, till: str, epoch: int, lot_ids: Sequence[str], now: datetime) -> dict[str, int]:
        """What one till holds, by lot."""

    def held_in_all(self, till: str, epoch: int) -> int:
        """What one till holds of all lots together."""

    def home(self, member_id: str, now: datetime) -> str | None:
        """The store that the member visits most, or where they were enrolled; None when nobody knows."""

    def holders_at(self, store: str) -> int:
        """How many tills of a store share its part."""

    def book(self, grant: GrantFact, now: datetime) -> None:
        """Append the grant to head office's own log."""

    def on_their_way(self, till: str, epoch: int, limit: int) -> tuple[GrantFact, ...]:
        """Grants that the till has not said it took."""
