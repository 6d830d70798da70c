"""What members are let of what they came to owe: only what they, or those whom they went over into, have no points for."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.by_hand import takeable
from pos_loyalty.engine.lapsed import is_forgiving, lots_after
from pos_loyalty.engine.ledger import owed_account
from pos_loyalty.engine.model import Entry
from pos_loyalty.store import ledger, members, merges
from pos_loyalty.store.reach import Reach
from pos_loyalty.values import Points


def owing(reach: Reach, before: Sequence[Entry], made: Sequence[Entry]) -> tuple[Entry, ...]:
    """``made``, forgiving members only what they have no points for, wherever those are. Of those who went over into others a
    merge fact takes the rest; of the others what is out of reach of their points, held by another till, is owed.

    ``before``: entries that come before in the same fact. Called in the transaction that writes them.
    """
    free: dict[str, int] = {}
    kept: list[Entry] = []
    for entry in made:
        if not is_forgiving(entry):
            kept.append(entry)
            continue
        into = merges.current(reach.db, entry.member_id or "")
        if into not in free:
            free[into] = _free_centi(reach, into, (*before, *made), is_self=into == entry.member_id)
        part = min(int(entry.amount), free[into])
        free[into] -= part
        if part < entry.amount:
            kept.append(replace(entry, amount=Points(entry.amount - part)))
    return tuple(kept)


def _free_centi(reach: Reach, member_id: str, done: Sequence[Entry], *, is_self: bool) -> int:
    """What the member has above all that is owed under any of their ids. ``is_self``: what is in reach was taken already, so that
    only what is not counts."""
    db, now = reach.db, reach.now
    lots = takeable(lots_after(ledger.all_lots_of(db, member_id), done), now)
    ids = merges.ids_of(db, member_id)
    owed = {owed_account(each) for each in ids}
    moves = sum(entry.amount * ((entry.debit in owed) - (entry.credit in owed)) for entry in done)
    free = max(0, sum(lot.centi for lot in lots) - sum(members.owed_of(db, each) for each in ids) - moves)
    if not is_self:
        return free
    here = {lot.lot_id: lot.centi for lot in lots_after(reach.cut(ledger.all_lots_of(db, member_id)), done)}
    return min(free, sum(max(0, lot.centi - max(0, here.get(lot.lot_id, 0))) for lot in lots))
