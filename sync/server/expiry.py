"""The nightly end of points: head office books what expired. A missed night changes nothing, as a lot is dead by its date.

Rule: a lot is booked only when every till has sent all of its log since it expired, or after ``WAIT_DAYS``: a redemption made
before that may still be on its way. One that comes later all the same becomes a case, like any overdraft.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.ledger import expire
from sync.server.ledger_store import LedgerStore

WAIT_DAYS: Final = 30
MARGIN_HOURS: Final = 1
MEMBERS_MAX: Final = 500
UNNAMED: Final = "none"


def expire_due(store: LedgerStore, now: datetime) -> int:
    """Book all that is due, some members to a transaction; answers how many members lost points. Again changes nothing."""
    ended = 0
    while True:
        with store.write():
            all_sent_by = (store.all_asked_by() or now) - timedelta(hours=MARGIN_HOURS)
            due = store.expired(max(all_sent_by, now - timedelta(days=WAIT_DAYS)), MEMBERS_MAX)
            published = store.programme_in_force(now)
            programme_id = UNNAMED if published is None else load_programme(published.body).id
            for member_id, lots in due.items():
                store.post_expired(member_id, expire(member_id, lots, programme_id, now), now)
            store.touch(sorted(due))
        ended += len(due)
        if len(due) < MEMBERS_MAX:
            return ended
