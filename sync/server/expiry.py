"""The nightly end of points: head office books what expired. A missed night changes nothing, as a lot is dead by its date.

Rule: a lot is booked only when every till has sent all of its log since it expired; after ``WAIT_DAYS`` as far as no till holds
rights to it: a redemption made before that may still be on its way. One without rights becomes a case, like any overdraft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.ledger import expire
from pos_loyalty.engine.model import Lot
from pos_loyalty.values import Points
from sync.server.ledger_store import LedgerStore

WAIT_DAYS: Final = 30
LATE_DAYS: Final = WAIT_DAYS + 10
"""So long after its end a lot may still be in a till's hand."""
MARGIN_HOURS: Final = 1
LOTS_MAX: Final = 500
"""Looked at in one transaction. What a silent till holds stays, and is passed over by the next."""
UNNAMED: Final = "none"


def expire_due(store: LedgerStore, now: datetime) -> int:
    """Book all that is due, some lots to a transaction; answers how many times members lost points. Again changes nothing."""
    booked, after = 0, None
    while True:
        with store.write():
            store.forget_later(now + timedelta(hours=MARGIN_HOURS))
            all_sent_by = min(store.all_asked_by() or now, now) - timedelta(hours=MARGIN_HOURS)
            until = max(all_sent_by, now - timedelta(days=WAIT_DAYS))
            due = store.expired(until, after, LOTS_MAX)
            ended = [lot for lots in due.values() for lot in lots]
            # Nobody redeems these any more: whose points pay is settled before what is left of them is gone.
            evened = store.rights.even_out_lots([lot.lot_id for lot in ended], now)
            due = _again(store, due, until, after) if evened else due
            settled = store.rights.settle_ended(due, now)
            due = _again(store, due, until, after) if settled else due
            store.touch(tuple(dict.fromkeys((*evened, *settled))))
            due = {member_id: free for member_id, lots in due.items() if (free := _free(store, lots, all_sent_by))}
            published = store.programme_in_force(now)
            programme_id = UNNAMED if published is None else load_programme(published.body).id
            for member_id, lots in due.items():
                store.post_expired(member_id, expire(member_id, lots, programme_id, now), now)
            store.touch(sorted(due))
        booked += len(due)
        if len(ended) < LOTS_MAX:
            _even_out_ended(store, now)
            return booked
        after = max(ended, key=lambda lot: (lot.expires_at, lot.lot_id))


def _again(
    store: LedgerStore, due: Mapping[str, Sequence[Lot]], until: datetime, after: Lot | None
) -> dict[str, tuple[Lot, ...]]:
    """These lots as they are now; those that come into the page because others are empty wait for the next one."""
    looked_at = {lot.lot_id for lots in due.values() for lot in lots}
    now = {
        member_id: tuple(lot for lot in lots if lot.lot_id in looked_at)
        for member_id, lots in store.expired(until, after, LOTS_MAX).items()
    }
    return {member_id: lots for member_id, lots in now.items() if lots}


def _even_out_ended(store: LedgerStore, now: datetime) -> None:
    """Of several tills each ended other lots: what that left too much or too little, as soon as nobody holds it."""
    with store.write():
        store.touch(store.rights.even_out_ended(now - timedelta(days=LATE_DAYS), now))


def _free(store: LedgerStore, lots: tuple[Lot, ...], all_sent_by: datetime) -> tuple[Lot, ...]:
    """What may be booked of lots that ended: all that ended before every till sent its log, else what none holds."""
    free = []
    for lot in lots:
        is_sent = lot.expires_at is not None and lot.expires_at <= all_sent_by
        centi = lot.centi if is_sent else lot.centi - store.rights.held_by_all(lot.lot_id)
        if centi > 0:
            free.append(replace(lot, centi=Points(centi)))
    return tuple(free)
