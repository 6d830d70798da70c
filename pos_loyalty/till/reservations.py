"""The life of what an authorised sale reserves. Rule: after it all goes back to the member; a late payment is still accepted.

A late ``complete`` takes the points from suspense and opens a case, as after any cancel: money was taken, so nothing is refused.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pos_loyalty.store import sales
from pos_loyalty.store.db import write
from pos_loyalty.till import answers, checkout
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.expiry import NOT_SURE
from pos_loyalty.till.nightly_model import JobDone

LIFE: Final = "life"
"""The reason of a cancel that nobody asked for."""


def let_go_old(desk: Desk) -> JobDone:
    """Cancel sales that were authorised longer ago than ``[till] reservation_hours``, each in a transaction of its own."""
    trusted = desk.trusted()
    life = timedelta(hours=desk.config.till.reservation_hours)
    before = min(trusted.at, desk.now()) - life  # both clocks must have passed it
    old = sales.unfinished_before(desk.db, desk.config.till.id, before)
    if old and not trusted.is_sure:
        return JobDone(count=0, waits=NOT_SURE)
    let_go = 0
    for sale_id in old:
        with write(desk.db):
            stored = answers.stored_sale(desk, sale_id)
            if stored.state == "authorised":
                checkout.let_go(desk, stored, LIFE)
                let_go += 1
    return JobDone(count=let_go)
