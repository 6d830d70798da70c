"""A round of asking for rights, after the till has fetched all: it says hello, asks for members whom head office told of, takes
what is granted and gives back what is not needed here. Rule: what it writes is sent before it asks again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, Protocol

from pos_loyalty import log
from pos_loyalty.clock import new_id
from pos_loyalty.errors import SyncError
from pos_loyalty.store import right_asking
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.right_moves import is_lent
from pos_loyalty.values import Value, encode
from sync import income, rights
from sync.local import Here
from sync.resting import give_back_rested, note_lent
from sync.rights import NOTHING_LENT, STANDS_HERE_FOR, Asks, Lends, Much, Want
from sync.wire import Reply


class Asking(Value):
    """``wants``: which rights to points it asks for by itself, None: none; ``lends``: what is good at every till by rights."""

    wants: Much | None = "home"
    lends: Lends = NOTHING_LENT


ROUNDS_MAX: Final = 20
"""Questions in one go of the daemon: what is left waits for the next, so that a new till's sales are sent meanwhile."""
ASKING: Final = Asking()
GIFT: Final = "gift:"
COUPON: Final = "coupon:"


class Grantor(Protocol):
    """Head office, as far as it grants rights."""

    def rights(self, question: bytes) -> Reply:
        """Ask. Raises HeadOfficeGoneError when no whole answer came."""


class Asked(Value):
    """What came of a question. ``wrote``: facts that head office should hear of; ``goes_on``: there is more to ask for.

    ``called``: cards and codes that are asked for elsewhere; what a hub has not got of them its tills may have.
    """

    grants: int = 0
    wrote: bool = False
    goes_on: bool = False
    called: tuple[str, ...] = ()


def ask_for_homes(db: Connection, here: Here, office: Grantor, now: datetime, asking: Asking = ASKING) -> Asked:
    """One question for the next members who are due, or a hello. What nobody wants here of gift cards and codes goes back."""
    much = asking.wants
    due = None if much is None else right_asking.due(db, now - STANDS_HERE_FOR, rights.WANTS_MAX, now)
    asked = tuple(Want(member_id=member_id, much=much) for member_id in due.member_ids) if due and much else ()
    try:
        answer, taken, is_anew = _ask(db, here, office, Asks(wants=asked), now, asking.lends)
    except SyncError as error:
        log.warning("rights.failed", reason=str(error))
        return Asked()
    wrote = taken.wrote
    if asking.lends != NOTHING_LENT and _give_back(db, here, answer, asking.lends, now):
        wrote = True
    if taken.is_stale or answer.held_back:
        return Asked(grants=taken.grants, wrote=wrote, goes_on=is_anew and not taken.is_stale)
    called = tuple(line.lot_id for line in answer.back if is_lent(line.lot_id))
    if due is not None and due.moves:
        with write(db):
            right_asking.asked(db, due)
    goes_on = is_anew or (due is not None and not due.is_last)
    return Asked(grants=taken.grants, wrote=wrote, goes_on=goes_on, called=called)


def ask_for(
    db: Connection, here: Here, office: Grantor, whom: str, now: datetime, lends: Lends = NOTHING_LENT
) -> rights.RightsAnswer:
    """Whatever is free of a member who stands here, or of a gift card (``gift:`` and its mark), or a code (``coupon:`` and the
    code). Raises SyncError."""
    return _ask(db, here, office, asks_for(whom), now, lends).answer


def say_hello(db: Connection, office: Grantor) -> None:
    """Ask for nothing, and take nothing of what is answered but how far head office's own log is."""
    question = rights.question(db, new_id(), Asks())
    try:
        rights.hear(db, rights.read_answer(office.rights(encode(question)), question))
    except SyncError as error:
        log.warning("rights.failed", reason=str(error))


def asks_for(whom: str) -> Asks:
    """Which question asks for who or what stands here."""
    if whom.startswith(GIFT):
        return Asks(gifts=(whom.removeprefix(GIFT),))
    if whom.startswith(COUPON):
        return Asks(coupons=(whom.removeprefix(COUPON),))
    return Asks(wants=(Want(member_id=whom, much="all"),))


def _give_back(db: Connection, here: Here, answer: rights.RightsAnswer, lends: Lends, now: datetime) -> bool:
    """Gift cards and codes that nobody wants here go back to head office; to a hub they went with its answer."""
    store = here.signer.credential.store
    if here.is_hub:
        return not answer.held_back and lends != NOTHING_LENT and give_back_rested(db, here.till, store, new_id, now)
    return not answer.hub and rights.give_back_idle(db, here.till, store, lends, new_id, now)


class _Answered(NamedTuple):
    """``is_anew``: head office's own log goes on in an epoch that the till did not know when it asked, as after a restore: only a
    question that knows of it is a hello."""

    answer: rights.RightsAnswer
    taken: rights.Taken
    is_anew: bool


def _ask(db: Connection, here: Here, office: Grantor, asks: Asks, now: datetime, lends: Lends) -> _Answered:
    question = rights.question(db, new_id(), asks, income.asked_about(db) if here.is_hub else ())
    answer = rights.read_answer(office.rights(encode(question)), question)
    if here.is_hub:
        note_lent(db, answer.grants, now)
        if answer.income:
            income.hear(db, answer.income, here.unbrought, now)
    taker = rights.Taker(till=here.till, store=here.signer.credential.store, lends=lends)
    taken = rights.take(db, taker, answer, new_id, now)
    if taken.wrote or answer.held_back:
        log.info("rights.asked", members=len(asks.wants), grants=taken.grants, held_back=answer.held_back)
    is_anew = not answer.hub and (question.seen is None or question.seen.epoch != answer.head.epoch)
    return _Answered(answer, taken, is_anew)
