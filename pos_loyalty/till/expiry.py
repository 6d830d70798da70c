"""The nightly end of points at a till that stands alone; where there is a head office, head office books what expired.

Rule: a lot is dead by its date whether that is booked or not, so a missed night changes nothing. What is booked is for ever:
it waits until trusted time is sure.
"""

from __future__ import annotations

from typing import Final

from pos_loyalty.engine.ledger import expire
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import ledger
from pos_loyalty.store.db import write
from pos_loyalty.store.follow import book
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.nightly_model import JobDone

MEMBERS_MAX: Final = 50
"""Members of one transaction: a sale never waits for more."""
LOTS_MAX: Final = 1000
"""Lots of one fact."""
UNNAMED: Final = "none"
NOT_SURE: Final = "the clock has not proven itself yet: it must run for three hours without a step, or see: pos-loyalty clock"


def expire_due(desk: Desk) -> JobDone:
    """Book all that has expired, some members to a transaction. Again changes nothing."""
    if desk.config.head_office.url is not None:
        return JobDone(count=0)
    trusted = desk.trusted()
    if not trusted.is_sure:
        return JobDone(count=0, waits=NOT_SURE)
    programme_id = _programme_id(desk)
    ended = 0
    while True:
        with write(desk.db):
            due = ledger.expired(desk.db, trusted.at, MEMBERS_MAX)
            for member_id, lots in due.items():
                for start in range(0, len(lots), LOTS_MAX):
                    entries = expire(member_id, lots[start : start + LOTS_MAX], programme_id, trusted.at)
                    draft = Draft(
                        id=desk.new_id(),
                        kind="points.expired",
                        store=desk.config.store.id,
                        member=member_id,
                        entries=entries,
                    )
                    book(desk.db, draft, desk.now())
        ended += len(due)
        if len(due) < MEMBERS_MAX:
            return JobDone(count=ended)


def _programme_id(desk: Desk) -> str:
    try:
        return desk.shelf.current(desk.db).id
    except NotFoundError:
        return UNNAMED
