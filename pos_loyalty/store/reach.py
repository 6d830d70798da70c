"""How far the lots of a file may be taken from: a till takes what it holds of them, head office what no till holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pos_loyalty.engine.model import Instant, Lot
from pos_loyalty.store.db import Connection


class Reach(NamedTuple):
    """``now``: by trusted time. ``cut``: lots as far as they may be taken from here; emptied ones stay, for their dates."""

    db: Connection
    now: Instant
    cut: Callable[[Sequence[Lot]], tuple[Lot, ...]] = tuple
