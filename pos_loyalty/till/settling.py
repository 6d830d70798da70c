"""Points that come to members who owe some: what they settle follows them in the same fact."""

from __future__ import annotations

from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry
from pos_loyalty.engine.owed import gainers, settle_owed
from pos_loyalty.store import ledger, members
from pos_loyalty.till.desk import Desk


def with_owed(desk: Desk, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries, and after them what they settle. Called in the transaction that writes them."""
    owed = {member_id: centi for member_id in gainers(entries) if (centi := members.owed_of(desk.db, member_id))}
    if not owed:
        return entries
    now = desk.trusted().at
    dead = {lot.lot_id for member_id in owed for lot in ledger.all_lots_of(desk.db, member_id) if is_expired(lot, now)}
    return entries + settle_owed(entries, owed, dead)
