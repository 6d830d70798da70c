"""What of a member's lots this till may take by itself.

Rule: under ``offline.policy = "escrow"`` whatever takes points from a lot takes no more than the till holds of it and may use, by
trusted time; what is missing is owed, or waits, as where the member has not got it. So no two tills take the same points, on line
or cut off. Balances that are shown are whole. A till that stands alone holds everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from pos_loyalty.config import Config
from pos_loyalty.engine.lots import NEVER
from pos_loyalty.engine.model import Lot
from pos_loyalty.store import epochs, ledger, right_holds
from pos_loyalty.store.reach import Reach
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Points


def is_escrow(config: Config) -> bool:
    """Whether this till takes only what it holds."""
    return config.head_office.url is not None and config.offline.policy == "escrow"


def cut(desk: Desk, lots: Sequence[Lot]) -> tuple[Lot, ...]:
    """Lots as far as this till may take from them; emptied ones stay, for their dates.

    While the clock is wrong by more than a day nobody can tell whether a lease has ended: what came with one is left out.
    """
    if not is_escrow(desk.config):
        return tuple(lots)
    trusted = desk.trusted()
    at = NEVER if trusted.is_lost else trusted.at
    names = tuple(lot.lot_id for lot in lots if lot.centi > 0)
    held = right_holds.held(desk.db, desk.config.till.id, epochs.epoch_of(desk.db), names, at)
    return tuple(
        lot
        if lot.centi <= 0
        else replace(lot, centi=Points(min(lot.centi, held[lot.lot_id].usable_centi if lot.lot_id in held else 0)))
        for lot in lots
    )


def reach(desk: Desk) -> Reach:
    """This till's file, as far as its lots may be taken from, now by trusted time."""
    return Reach(desk.db, desk.trusted().at, partial(cut, desk))


def held_lots_of(desk: Desk, member_id: str) -> tuple[Lot, ...]:
    """``ledger.lots_of``, as far as this till may take from them."""
    return tuple(lot for lot in cut(desk, ledger.lots_of(desk.db, member_id)) if lot.centi > 0)


def held_all_lots_of(desk: Desk, member_id: str) -> tuple[Lot, ...]:
    """``ledger.all_lots_of``, as far as this till may take from them."""
    return cut(desk, ledger.all_lots_of(desk.db, member_id))
