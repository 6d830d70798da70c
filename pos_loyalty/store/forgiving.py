"""What members who went over into others are let of what they came to owe: only what those have no points for."""

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
    """``made``, forgiving members who went over into others only what those have no points for: a merge fact takes the rest.

    ``before``: entries that come before in the same fact. Called in the transaction that writes them.
    """
    free: dict[str, int] = {}
    kept: list[Entry] = []
    for entry in made:
        member_id = entry.member_id or ""
        into = merges.current(reach.db, member_id) if is_forgiving(entry) else member_id
        if into == member_id:
            kept.append(entry)
            continue
        if into not in free:
            free[into] = _free_centi(reach, into, (*before, *made))
        part = min(int(entry.amount), free[into])
        free[into] -= part
        if part < entry.amount:
            kept.append(replace(entry, amount=Points(entry.amount - part)))
    return tuple(kept)


def _free_centi(reach: Reach, member_id: str, done: Sequence[Entry]) -> int:
    """What the member has above all that is owed under any of their ids."""
    db, now = reach.db, reach.now
    lots = takeable(lots_after(ledger.all_lots_of(db, member_id), done), now)
    ids = merges.ids_of(db, member_id)
    owed = {owed_account(each) for each in ids}
    moves = sum(entry.amount * ((entry.debit in owed) - (entry.credit in owed)) for entry in done)
    return max(0, sum(lot.centi for lot in lots) - sum(members.owed_of(db, each) for each in ids) - moves)
