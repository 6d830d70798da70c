"""What of gift cards and unique codes rests at a store's hub, and when it goes back to head office.

Rule: a card or a code is at home in no store. It rests at the hub for an hour after a till of the store gave it back or head
office lent it, so that it is good at the next till while the line is cut; then it goes back to head office, once that answers.
Head office has it sooner when another till asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pos_loyalty.clock import NewId
from pos_loyalty.store import epochs, follow, relay_cards, right_holds
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import LINES_MAX, GiveBackFact, GrantFact, RightLine
from pos_loyalty.store.right_moves import is_lent
from pos_loyalty.values import Points

RESTS_FOR: Final = timedelta(hours=1)


def note_lent(db: Connection, grants: Iterable[GrantFact], now: datetime) -> None:
    """Cards and codes that head office lends the hub rest here from now on. Before they are taken: then none is forgotten."""
    lots = [line.lot_id for grant in grants if not right_holds.is_known(db, grant.grant_id) for line in grant.lines]
    if any(is_lent(lot) for lot in lots):
        with write(db):
            relay_cards.rests(db, lots, now)


def give_back_rested(db: Connection, hub: str, store: str, new_id: NewId, now: datetime) -> bool:
    """Give head office what rested here for long enough; answers whether there was any."""
    with write(db):
        lots = relay_cards.rested(db, now - RESTS_FOR, now, LINES_MAX)
        if not lots:
            return False
        here = right_holds.held(db, hub, epochs.epoch_of(db), lots, now)
        lines = tuple(
            RightLine(lot_id=lot_id, member_id=lot_id.partition(":")[2], centi=Points(one.usable_centi))
            for lot_id, one in sorted(here.items())
            if one.usable_centi > 0
        )
        relay_cards.goes(db, lots)
        if lines:
            follow.book(db, Draft(id=new_id(), kind="rights.returned", store=store, body=GiveBackFact(lines=lines)), now)
    return bool(lines)
