"""Conditions on the sale itself: its time, store, till, tenders and coupons."""

from __future__ import annotations

from pos_loyalty.engine.conditions import Coupon, StoreIs, TenderIs, Term, TillIs, When
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.selectors import names_of
from pos_loyalty.engine.situation import NOBODY, Lack, Situation
from pos_loyalty.engine.windows import is_inside

_TO_THE_MINUTE = len("2026-11-21 12:30")


def when_lack(term: Term, condition: When, situation: Situation) -> Lack | None:
    """The local time lies in the window."""
    local = situation.local if term.zone is None else situation.local.astimezone(term.zone)
    if is_inside(
        local,
        days=(condition.since, condition.until),
        weekdays=condition.weekdays,
        minutes=None if condition.from_ is None or condition.to is None else (condition.from_, condition.to),
    ):
        return None
    return Lack(condition=term.word, have=local.isoformat(" ")[:_TO_THE_MINUTE], need=term.needs[0])


def coupon_lack(term: Term, condition: Coupon, situation: Situation) -> Lack | None:
    """A good coupon of the series was presented; one that is not good says why."""
    use = situation.coupons.get(condition.series)
    if use is None:
        return Lack(condition=term.word, have=NOBODY, need=term.needs[0])
    return None if use.is_good else Lack(condition=term.word, have=use.have, need=use.need)


def store_lack(term: Term, condition: StoreIs, situation: Situation) -> Lack | None:
    """The basket is sold in one of the stores."""
    store = situation.basket.store
    if store in names_of(condition.store):
        return None
    return Lack(condition=term.word, have=token("store", store), need=term.needs[0])


def till_lack(term: Term, condition: TillIs, situation: Situation) -> Lack | None:
    """The basket is sold at one of the tills."""
    till = situation.basket.till
    if till in names_of(condition.till):
        return None
    return Lack(condition=term.word, have=token("till", till), need=term.needs[0])


def tender_lack(term: Term, condition: TenderIs, situation: Situation) -> Lack | None:
    """Every planned tender is of one of the kinds. Without a plan it does not hold, and neither does ``not`` of it."""
    kinds = {tender.kind for tender in situation.basket.tenders}
    if not kinds:
        return Lack(condition=term.word, have=NOBODY, need=term.needs[0], is_unknown=True)
    if kinds.issubset(names_of(condition.kind)):
        return None
    return Lack(condition=term.word, have=token("tender", *sorted(kinds)), need=term.needs[0])
