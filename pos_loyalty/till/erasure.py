"""All that is held on a member, given out; and a member erased: with the key every copy of what it sealed is gone."""

from __future__ import annotations

from pos_loyalty import log
from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.store import holdings, merges, profiles
from pos_loyalty.store.db import scrub, write
from pos_loyalty.store.member_facts import StateChange
from pos_loyalty.till import profile, staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.member_model import EraseAnswer, EraseRequest, Held
from pos_loyalty.till.person import check_reason, person_of


def held_on(desk: Desk, member_id: str) -> Held:
    """Everything in this till's file that names the member, with the personal fields opened. Raises NotFoundError."""
    found = profiles.by_id(desk.db, member_id)
    if found is None:
        raise NotFoundError("This member is not known at this till.")
    return Held(
        member_id=member_id,
        state=found.state,
        person=person_of(desk, member_id),
        tables=holdings.of_member(desk.db, member_id),
    )


def erase(desk: Desk, member_id: str, request: EraseRequest, keep: Keep[EraseAnswer]) -> EraseAnswer:
    """Erase, with all who went over into them. One who was erased before is cleaned up after once more.

    Raises NotFoundError, NotAllowedError, and ConflictError for one who went over into another.
    """
    now = desk.now()
    found = profiles.by_id(desk.db, member_id)
    if found is None:
        raise NotFoundError("This member is not known at this till.")
    if found.state == "merged":
        raise ConflictError(f"This member went over into {merges.current(desk.db, member_id)}; erase that one.")
    check_reason(desk, member_id, request.reason)
    word = profile.Word("", staff.check(desk, request.by, senior=True), request.reason)
    with write(desk.db):
        for id_ in merges.ids_of(desk.db, member_id):
            each = profiles.by_id(desk.db, id_)
            if each is not None and each.state != "erased":
                profile.book(desk, id_, (StateChange(state="erased"),), word, now)
            profiles.blank_answers(desk.db, id_)
        answer = keep(EraseAnswer(member_id=member_id, is_clean=True))
    log.info("member.erased", member_id=member_id)
    return answer


def cleaned(desk: Desk, answer: EraseAnswer) -> EraseAnswer:
    """Outside of the transaction: the journal is emptied, or it is said that it could not be."""
    return EraseAnswer(member_id=answer.member_id, is_clean=scrub(desk.db))
