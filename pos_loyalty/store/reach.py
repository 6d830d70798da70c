"""How far the lots of a file may be taken from: a till takes what it holds of them, head office what no till holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pos_loyalty.engine.lapsed import Trail
from pos_loyalty.engine.model import Entry, Instant, Lot
from pos_loyalty.store.db import Connection


class Past(Protocol):
    """What is known of members' lots and debts, and of how they came about."""

    def trail_of(self, lot_id: str, asked: Mapping[str, Entry], done: Sequence[Entry]) -> Trail | None:
        """The trail of the accrual that a lot's points began with; None when nothing of it was ever asked back."""

    def lots_of(self, member_id: str) -> tuple[Lot, ...]:
        """All of them, emptied ones too."""

    def amount_of(self, lot_id: str) -> int:
        """What a lot began with; nothing where it is not known."""

    def owed_of(self, member_id: str) -> int:
        """In hundredths of a point."""

    def settled_from(self, member_id: str) -> Iterable[tuple[str, int]]:
        """Lots that settled what the member owed, the last one first, less what they got back."""

    def current(self, member_id: str) -> str:
        """Who the member is now."""


class Reach(NamedTuple):
    """``now``: by trusted time. ``cut``: lots as far as they may be taken from here; emptied ones stay, for their dates.

    ``past``: None for what the file itself tells.
    """

    db: Connection
    now: Instant
    cut: Callable[[Sequence[Lot]], tuple[Lot, ...]] = tuple
    past: Past | None = None
