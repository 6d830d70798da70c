"""What a till with a hub gives back when nobody needs it here: the store's rights rest at the hub, and come with a member.

Rule: a member stands here from the grant that came for them until they paid, or for a quarter of an hour. What they earned goes
to the hub at once, so that it can be redeemed at the next till. So it is with the money of gift cards and with unique codes,
where the till lends them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

from pos_loyalty.clock import to_ms
from pos_loyalty.store import epochs, lent_moves, right_asking, right_holds
from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_facts import LINES_MAX, RightLine
from pos_loyalty.values import Points

STANDS_HERE_FOR: Final = timedelta(minutes=15)
KEEPS: Final = frozenset({"rights.taken", "sale.authorised"})
"""After these a member is expected to go on."""


def lines(db: Connection, till: str, epoch: int, now: datetime, kinds: Collection[str] = ()) -> list[RightLine]:
    """All that is held of lots that our own facts touched since the last time, but of members who stand here; stands inside
    ``write()``. What is told is given back in the same transaction. ``kinds``: how the lots begin that are lent besides."""
    after = right_asking.idle_seq(db)
    touched = right_holds.surplus_since(db, till, epoch, after)
    if kinds:
        lent = lent_moves.since(db, till, epoch, after)
        touched += [one for one in lent if one[0].startswith(tuple(kinds))]
        touched.sort(key=itemgetter(2, 0))
    if not touched:
        return []
    last = {member: (kind, at_ms) for _, member, _, kind, at_ms in touched}
    since_ms, now_ms = to_ms(now - STANDS_HERE_FOR), to_ms(now)  # what is from beyond now is of a clock that was wrong
    standing = {member for member, (kind, at_ms) in last.items() if kind in KEEPS and since_ms < at_ms <= now_ms}
    found: dict[str, RightLine] = {}
    done = epochs.place_of(db).seq
    for lot_id, member_id, seq, _, _ in touched:
        if member_id in standing or len(found) == LINES_MAX:
            done = min(done, seq - 1)
            continue
        held = right_holds.held(db, till, epoch, (lot_id,), now).get(lot_id)
        if held is not None and held.usable_centi > 0:
            found[lot_id] = RightLine(lot_id=lot_id, member_id=member_id, centi=Points(held.usable_centi))
    if done > after:
        right_asking.put_idle_seq(db, done)
    return list(found.values())
