"""A round of asking for rights, after the till has fetched all: it says hello, asks for members whom head office told of, takes
what is granted and gives back what is not needed here. Rule: what it writes is sent before it asks again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

from pos_loyalty import log
from pos_loyalty.clock import new_id
from pos_loyalty.errors import SyncError
from pos_loyalty.store import right_asking
from pos_loyalty.store.db import Connection, write
from pos_loyalty.values import Value, encode
from sync import rights
from sync.local import Here
from sync.rights import Much, Want
from sync.wire import Reply

ROUNDS_MAX: Final = 20
"""Questions in one go of the daemon: what is left waits for the next, so that a new till's sales are sent meanwhile."""
STANDS_HERE_FOR: Final = timedelta(minutes=15)
"""What was granted because the member stood here is offered back after so long."""


class Grantor(Protocol):
    """Head office, as far as it grants rights."""

    def rights(self, question: bytes) -> Reply:
        """Ask. Raises HeadOfficeGoneError when no whole answer came."""


class Asked(Value):
    """What came of a question. ``wrote``: facts that head office should hear of; ``goes_on``: there is more to ask for."""

    grants: int = 0
    wrote: bool = False
    goes_on: bool = False


def ask_for_homes(db: Connection, here: Here, office: Grantor, now: datetime, *, wants: Much | None) -> Asked:
    """One question for the next members who are due, or a hello. ``wants``: None for who holds no rights of its own."""
    due = right_asking.due(db, now - STANDS_HERE_FOR, rights.WANTS_MAX) if wants is not None else None
    asked = [Want(member_id=member_id, much=wants) for member_id in due.member_ids] if due and wants is not None else []
    try:
        answer, taken = _ask(db, here, office, asked, now)
    except SyncError as error:
        log.warning("rights.failed", reason=str(error))
        return Asked()
    if taken.is_stale or answer.held_back:
        return Asked(grants=taken.grants, wrote=taken.wrote)
    if due is not None:
        with write(db):
            right_asking.asked(db, due)
    return Asked(grants=taken.grants, wrote=taken.wrote, goes_on=due is not None and not due.is_last)


def ask_for(db: Connection, here: Here, office: Grantor, member_id: str, now: datetime) -> rights.RightsAnswer:
    """Whatever is free of a member who stands here. Raises SyncError."""
    answer, _ = _ask(db, here, office, [Want(member_id=member_id, much="all")], now)
    return answer


def _ask(
    db: Connection, here: Here, office: Grantor, wants: list[Want], now: datetime
) -> tuple[rights.RightsAnswer, rights.Taken]:
    question = rights.question(db, new_id(), wants)
    answer = rights.read_answer(office.rights(encode(question)), question)
    taken = rights.take(db, here.till, answer, here.signer.credential.store, new_id, now)
    if taken.wrote or answer.held_back:
        log.info("rights.asked", members=len(wants), grants=taken.grants, held_back=answer.held_back)
    return answer, taken
