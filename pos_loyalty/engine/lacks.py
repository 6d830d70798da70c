"""Why a condition does not hold: what there is, what is needed, and how far it is from there to here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from pos_loyalty.engine.conditions import (
    All,
    Any,
    BasketAmount,
    BasketQty,
    Birthday,
    Budget,
    Contains,
    Counter,
    Coupon,
    FirstPurchase,
    History,
    MemberIs,
    NamedDate,
    Not,
    NthPurchase,
    Profile,
    StoreIs,
    TenderIs,
    Term,
    TillIs,
    Uses,
    When,
)
from pos_loyalty.engine.lacks_basket import amount_lack, contains_lack, counter_lack, counter_units, qty_lack
from pos_loyalty.engine.lacks_member import birthday_lack, first_lack, member_lack, named_date_lack, nth_lack, profile_lack
from pos_loyalty.engine.lacks_past import budget_lack, history_lack, uses_lack
from pos_loyalty.engine.lacks_place import coupon_lack, store_lack, tender_lack, till_lack, when_lack
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.situation import Lack, Situation

__all__ = ["Lack", "Situation", "counter_units", "lack_of"]

OR = " / "
"""Stands between the tokens of the parts of ``any``; those of an ``any`` inside it stand in brackets."""


def lack_of(term: Term, situation: Situation) -> Lack | None:
    """None when the condition holds, else what there is and what is needed. The words asked most often come first."""
    condition = term.condition
    match condition:
        case BasketAmount():
            return amount_lack(term, condition, situation)
        case MemberIs():
            return member_lack(term, condition, situation)
        case BasketQty():
            return qty_lack(term, condition, situation)
        case When():
            return when_lack(term, condition, situation)
        case Coupon():
            return coupon_lack(term, condition, situation)
        case StoreIs():
            return store_lack(term, condition, situation)
        case Contains():
            return contains_lack(term, condition, situation)
        case Not() | All() | Any():
            return _made_of_others(term, condition, situation)
        case TillIs():
            return till_lack(term, condition, situation)
        case TenderIs():
            return tender_lack(term, condition, situation)
        case Birthday() | NamedDate() | Profile() | FirstPurchase() | NthPurchase():
            return _lack_of_member(term, condition, situation)
        case Counter():
            return counter_lack(term, condition, situation)
        case History():
            return history_lack(term, condition, situation)
        case Uses():
            return uses_lack(term, condition, situation)
        case Budget():
            return budget_lack(term, situation)
        case _:
            assert_never(condition)


def _lack_of_member(
    term: Term, condition: Birthday | NamedDate | Profile | FirstPurchase | NthPurchase, situation: Situation
) -> Lack | None:
    match condition:
        case Birthday():
            return birthday_lack(term, condition, situation)
        case NamedDate():
            return named_date_lack(term, condition, situation)
        case Profile():
            return profile_lack(term, condition, situation)
        case FirstPurchase():
            return first_lack(term, situation)
        case NthPurchase():
            return nth_lack(term, condition, situation)
        case _:
            assert_never(condition)


def _made_of_others(term: Term, condition: Not | All | Any, situation: Situation) -> Lack | None:
    lacks = [lack_of(part, situation) for part in term.parts]
    missing = [lack for lack in lacks if lack is not None]
    match condition:
        case Not():
            return _not_lack(term, lacks[0], situation)
        case All():
            return _all_lack(missing) if missing else None
        case Any():
            return _any_lack(term, missing) if len(missing) == len(lacks) else None
        case _:
            assert_never(condition)


def _not_lack(term: Term, inner: Lack | None, situation: Situation) -> Lack | None:
    """What is not known is not known the other way round either; of several parts the first one that is not known is told."""
    if inner is None:
        return Lack(condition=term.word, have=f"holds:{term.parts[0].word}", need=term.needs[0])
    if inner.is_unknown:
        first = _first_unknown(term.parts[0], inner, situation)
        return Lack(condition=term.word, have=first.have, need=token(term.word, first.condition), is_unknown=True)
    return None


def _first_unknown(term: Term, lack: Lack, situation: Situation) -> Lack:
    if isinstance(term.condition, All | Any):
        for part in term.parts:
            inner = lack_of(part, situation)
            if inner is not None and inner.is_unknown:
                return _first_unknown(part, inner, situation)
    return lack


def _all_lack(missing: Sequence[Lack]) -> Lack:
    """The first part that fails is told. One addition can mend one part, so it is far when more than one fails."""
    first = missing[0]
    if len(missing) == 1:
        return first
    is_unknown = all(lack.is_unknown for lack in missing)
    return replace(first, selector=-1, amount_minor=0, quantity_milli=0, is_unknown=is_unknown)


def _any_lack(term: Term, missing: Sequence[Lack]) -> Lack:
    nearest = min((lack for lack in missing if lack.is_finite), key=_distance, default=None)
    return Lack(
        condition=term.word,
        have=OR.join([_inside(lack, lack.have) for lack in missing]),
        need=OR.join([_inside(lack, lack.need) for lack in missing]),
        selector=nearest.selector if nearest is not None else -1,
        amount_minor=nearest.amount_minor if nearest is not None else 0,
        quantity_milli=nearest.quantity_milli if nearest is not None else 0,
        is_unknown=any(lack.is_unknown for lack in missing),
    )


def _inside(lack: Lack, text: str) -> str:
    return f"({text})" if OR in text else text


def _distance(lack: Lack) -> tuple[int, int]:
    """Units come before money, for their price is not known here."""
    return lack.amount_minor, lack.quantity_milli
