"""Tiers at the till: up in the write of the sale, down with what comes back, a person's decision, and what the member is told."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.config import Language
from pos_loyalty.engine.figures import money_text, points_text
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.tier_rules import to_date, to_day, window_end
from pos_loyalty.engine.tiers import Reason, TierState
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.i18n import date_text, tr
from pos_loyalty.store import tier_due, tiers
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.store.tier_due import Look, Place
from pos_loyalty.store.tier_facts import TierFact
from pos_loyalty.till import staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.expiry import NOT_SURE
from pos_loyalty.till.nightly_model import JobDone
from pos_loyalty.till.tier_model import TierAnswer, TierRequest
from receipts.model import TierProgress

FROZEN_DAYS_MAX = 3660


def tier_facts_after(db: Connection, desk: Desk, member: str | None, now: datetime) -> tuple[Fact, ...]:
    """The moves that a member's newest fact brings, booked. Called inside its transaction, after its own rows; None: nobody."""
    at = None if member is None else place_of(desk)
    if member is None or at is None or at.programme.tier_rules is None:
        return ()
    look = tier_due.look_at(db, member, at, desk.business_day(now))
    return () if look is None else tier_due.book_moves(db, look, at, now, desk.new_id)


def tiers_due(desk: Desk) -> JobDone:
    """The nightly job of a till without head office: every move that is due, while the clock is sure."""
    at = place_of(desk)
    if at is None or not at.is_owner:
        return JobDone(count=0)
    if not desk.trusted().is_sure:
        return JobDone(count=0, waits=NOT_SURE)
    return JobDone(count=tier_due.tiers_due(desk.db, at, desk.now(), desk.new_id))


def set_tier(desk: Desk, member_id: str, request: TierRequest, keep: Keep[TierAnswer]) -> TierAnswer:
    """A senior decides. Raises NotAllowedError, NotFoundError; InputError for an unknown tier or a day that cannot be."""
    by = staff.check(desk, request.by, senior=True)
    now = desk.now()
    at = place_of(desk)
    if at is None:
        raise NotFoundError("There is no programme yet, so there are no tiers.")
    programme, today = at.programme, desk.business_day(now)
    if request.tier is not None and request.tier not in programme.tiers:
        raise InputError("$.tier", f'"{request.tier}" is not among the tiers of the programme: {", ".join(programme.tiers)}')
    until = None if request.until is None else to_day(request.until)
    if until is not None and not today <= until <= today + FROZEN_DAYS_MAX:
        raise InputError("$.until", f"{request.until} is before today, or more than {FROZEN_DAYS_MAX} days ahead")
    with write(desk.db):
        known, before = tiers.standing_of(desk.db, member_id)
        if not known:
            raise NotFoundError("This member is not known at this till; read the card again.")
        rules = programme.tier_rules
        body = TierFact(
            member_id=member_id,
            tier=request.tier,
            reason="staff",
            biz_day=today,
            since=today,
            until=until,
            frozen_until=until if rules is None or rules.hold else None,
            before=before,
            ladder="" if rules is None else rules.digest,
            by=by,
            note=request.reason,
        )
        tier_due.book(desk.db, body, at, now, desk.new_id)
        answer = answer_of(desk, member_id, now)
        assert answer is not None, "the member is here"
        return keep(answer)


def answer_of(desk: Desk, member_id: str, now: datetime) -> TierAnswer | None:
    """How a member stands, for people; None for one who is not here."""
    at = place_of(desk)
    if at is None:
        return None
    look = tier_due.look_at(desk.db, member_id, at, desk.business_day(now))
    rules = at.programme.tier_rules
    if look is None or rules is None:
        known, tier = tiers.standing_of(desk.db, member_id)
        return TierAnswer(member_id=member_id, tier=tier, title=_title(at.programme, tier)) if known else None
    state = tier_due.state_of(look, rules)
    return TierAnswer(
        member_id=member_id,
        tier=look.tier,
        title=_title(at.programme, look.tier),
        since=None if state.since is None else to_date(state.since),
        until=None if state.until is None else to_date(state.until),
        warned_for=to_date(state.until) if _is_warned(look, state) and state.until is not None else None,
        is_frozen=look.is_frozen,
        measure=rules.measure,
        have=state.have,
        next_tier=state.next_tier,
        next_title=_title(at.programme, state.next_tier),
        missing=state.missing,
        missing_to_keep=state.missing_to_keep,
        reason=_reason(look, state),
    )


def progress_of(desk: Desk, answer: TierAnswer | None) -> TierProgress | None:
    """What is left to the next tier, for the receipt; None for a member whom no rules move."""
    if answer is None or answer.measure is None:
        return None
    at = place_of(desk)
    if at is None or at.programme.tier_rules is None:
        return None
    end = window_end(at.programme.tier_rules, desk.business_day(desk.now()))
    return TierProgress(
        title=answer.title,
        next_title={} if answer.next_tier is None else answer.next_title or {"": answer.next_tier},
        measure=answer.measure,
        missing=answer.missing or 0,
        by=None if end is None else to_date(end),
    )


def notes_of(
    desk: Desk, stored: StoredSale, programme: Programme, language: Language, answer: TierAnswer | None
) -> tuple[str, ...]:
    """What the receipt says of the tier: that the sale brought it, or that it ends if nothing more is bought."""
    member_id = stored.quote.member_id
    if member_id is None or programme.tier_rules is None:
        return ()
    move = tiers.brought_by(desk.db, stored.till, stored.sale_id, member_id)
    if move is not None and move.reason in ("reached", "renewed"):
        title = _said(programme, move.tier, language)
        if move.until is None:
            return (tr(language, "tier.reached", tier=title),)
        return (tr(language, "tier.reached_until", tier=title, day=date_text(language, to_date(move.until))),)
    if answer is None or answer.warned_for is None:
        return ()
    title, day = _said(programme, answer.tier, language), date_text(language, answer.warned_for)
    if not answer.missing_to_keep:
        return (tr(language, "tier.ends", tier=title, day=day),)
    missing = _figure(answer.missing_to_keep, programme, language)
    return (tr(language, "tier.ends_unless", tier=title, day=day, missing=missing),)


def place_of(desk: Desk) -> Place | None:
    """Where this till books moves; None before there is a programme. A till without head office owns its members."""
    try:
        programme = desk.shelf.current(desk.db)
    except NotFoundError:
        return None
    is_owner = desk.config.head_office.url is None
    return Place(store=desk.config.store.id, zone=desk.zone, programme=programme, is_owner=is_owner)


def _is_warned(look: Look, state: TierState) -> bool:
    """Warned for the present period, and not enough bought since."""
    last = look.recorded[-1] if look.recorded else None
    warned = look.base.is_warned if last is None else last.is_warned
    return warned and state.missing_to_keep != 0 and not look.is_frozen


def _reason(look: Look, state: TierState) -> Reason | None:
    """Why the tier is what it is; a warning is no reason."""
    if look.is_frozen:
        return "staff"
    return next((row.reason for row in reversed(look.recorded) if row.reason != "warned"), state.reason)


def _title(programme: Programme, tier: str | None) -> dict[str, str]:
    return {} if tier is None else dict(programme.tier_titles.get(tier, {}))


def _said(programme: Programme, tier: str | None, language: Language) -> str:
    title = _title(programme, tier)
    return title.get(language) or next(iter(title.values()), tier or "")


def _figure(amount: int, programme: Programme, language: Language) -> str:
    assert programme.tier_rules is not None
    match programme.tier_rules.measure:
        case "spent":
            return tr(language, "tier.spent", amount=money_text(amount, programme.exponent), currency=programme.currency)
        case "visits":
            return tr(language, "tier.visits", count=amount)
        case "points":
            return tr(language, "tier.points", amount=points_text(amount))
