"""Points and gifts for acts other than buying. One fact in the log, which syncs like a sale."""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty.engine.acts import Award, Done, settle_award
from pos_loyalty.engine.acts import award as ask_engine
from pos_loyalty.engine.explain import is_told, refusal_text
from pos_loyalty.engine.model import Basket
from pos_loyalty.engine.owed import settled_by
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import awards, ledger, members
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import AwardFact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import answers, coupons, known, person
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import AwardAnswer, AwardRequest
from pos_loyalty.till.settling import with_owed
from pos_loyalty.values import Points


def award(desk: Desk, member_id: str, request: AwardRequest, keep: Keep[AwardAnswer]) -> AwardAnswer:
    """Give a member what the programme gives for an act. Raises ConflictError, with the reason, when that is nothing."""
    now = desk.now()
    programme = desk.shelf.current(desk.db)
    if all(rule.act != request.act for rule in programme.rules if rule.stage == "act"):
        raise InputError("$.act", f'no rule of the programme speaks of the act "{request.act}"')
    txn = desk.new_id()
    biz_day = desk.business_day(now)
    with write(desk.db):
        given = _given(
            desk, member_id, Done(act_id=txn.hex, act=request.act, store=desk.config.store.id, till=desk.config.till.id)
        )
        if not (given.accruals or given.issued or given.privileges or _is_drawn_out(given)):
            raise ConflictError(_nothing(given, programme))
        draft = Draft(
            id=txn,
            kind="member.awarded",
            store=desk.config.store.id,
            entries=with_owed(desk, settle_award(given, member_id, programme.id, f"{desk.config.till.id}/{txn.hex}")),
            programme=programme.name,
            cashier=request.cashier,
            member=member_id,
            body=AwardFact(
                act=request.act,
                biz_day=biz_day,
                award=replace(given, refusals=person.without_days(given.refusals)),
                coupons_made=coupons.made(desk, given.issued),
            ),
        )
        awards.add(desk.db, ledger.append(desk.db, draft, now))
        answer = AwardAnswer(
            award_id=txn.hex,
            member_id=member_id,
            act=request.act,
            accruals=given.accruals,
            accrued_centi=Points(sum(accrual.centi for accrual in given.accruals)),
            coupons=answers.made_coupons(desk, txn),
            privileges=given.privileges,
            messages=given.messages,
            balance_centi=answers.balance_of(desk, member_id) or Points(0),
            settled_centi=settled_by(draft.entries, member_id),
            owed_centi=members.owed_of(desk.db, member_id),
        )
        return keep(answer)


def _given(desk: Desk, member_id: str, done: Done) -> Award:
    """Asked inside the transaction: two awards never share the last use of a limit."""
    now = desk.now()
    member = members.by_id(desk.db, member_id)
    if member is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    programme, wants = desk.shelf.current(desk.db), desk.shelf.wants(desk.db)
    biz_day = desk.business_day(now)
    nothing = Basket(
        basket_id=done.act_id, store=done.store, till=done.till, opened_at=now, currency=programme.currency, lines=()
    )  # fmt: skip
    state = known.state_of(desk.db, nothing, member_id, biz_day, wants)
    member = person.with_profile(desk, known.with_past(desk.db, member, biz_day, wants), wants)
    return ask_engine(programme, done, member, state, now)


def _is_drawn_out(given: Award) -> bool:
    """A member of a control group gets nothing; that is noted, and not told."""
    return any(refusal.condition == "control" for refusal in given.refusals)


def _nothing(given: Award, programme: Programme) -> str:
    told = [refusal_text(refusal, programme, "en") for refusal in given.refusals if is_told(refusal)]
    return f"Nothing is given for this: {'; '.join(told)}." if told else "Nothing is given for this to this member."
