"""Points of a sale that is undone, or of goods that come back, whose lots have ended meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.lapsed import Lapsed, ended, take_lapsed
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.returns import Returned
from pos_loyalty.store import ledger
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Points


def with_lapsed(
    desk: Desk, taking: Sequence[Entry], done: tuple[Entry, ...], lots: Mapping[str, Sequence[Lot]], before: Sequence[Returned]
) -> tuple[Entry, ...]:
    """``done``, and what is taken besides. ``taking``: accruals that are undone; ``before``: earlier returns of the sale."""
    now = desk.trusted().at
    for member_id, held in lots.items():
        mine = [entry for entry in ended(taking, held, now) if entry.member_id == member_id]
        lapsed = [Lapsed(entry=entry, used_centi=_used(desk, entry, before)) for entry in mine]
        done += take_lapsed(lapsed, done, held, now)
    return done


def _used(desk: Desk, entry: Entry, before: Sequence[Returned]) -> Points:
    """Used or taken back already, less what earlier returns asked for."""
    whose = None if (entry.lot_id or "").endswith(f":{entry.rule}") else entry.member_id
    asked = sum(
        each.centi for returned in before for each in returned.taken_back if (each.rule, each.member_id) == (entry.rule, whose)
    )
    return Points(max(0, ledger.gone_of(desk.db, entry.lot_id or "") - asked))
