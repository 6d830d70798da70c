"""What each condition asks for, as tokens: written once when a programme is loaded, and put into the refusals of quotes.

A token is a figure ("500.00", "3", "0.345") or ``kind`` or ``kind:value|value``. What there is instead (``have``) is written the
same way by the lacks files; "none" stands for nobody or nothing, "unknown" for what the till does not know.
"""

from __future__ import annotations

from typing import assert_never

from pos_loyalty.engine.conditions import (
    All,
    Any,
    BasketAmount,
    BasketQty,
    Birthday,
    Budget,
    Condition,
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
    TillIs,
    Uses,
    When,
)
from pos_loyalty.engine.figures import minute_text, money_text, quantity_text
from pos_loyalty.engine.selectors import Names, names_of


def needs_of(condition: Condition, exponent: int) -> tuple[str, ...]:
    """The tokens of a condition, one for each way in which it may fail. ``exponent``: digits of the currency."""
    match condition:
        case BasketAmount() | BasketQty() | Contains() | Counter() | History() | Budget():
            return _figures(condition, exponent)
        case MemberIs() | Birthday() | NamedDate() | Profile() | FirstPurchase() | NthPurchase():
            return _member_needs(condition)
        case Coupon(series=series):
            return (token("coupon", series),)
        case When():
            return (_window(condition),)
        case StoreIs(store=names):
            return (token("store", *names_of(names)),)
        case TillIs(till=names):
            return (token("till", *names_of(names)),)
        case TenderIs(kind=names):
            return (token("tender", *names_of(names)),)
        case Uses(max=most):
            return (token("uses", str(most)),)
        case Not(of=inner):
            return (token("not", _window(inner) if isinstance(inner, When) else str(inner.__struct_config__.tag)),)
        case All() | Any():
            return ()
        case _:
            assert_never(condition)


def token(kind: str, *values: str) -> str:
    """``kind:value|value``."""
    return f"{kind}:{'|'.join(values)}"


def _figures(condition: BasketAmount | BasketQty | Contains | Counter | History | Budget, exponent: int) -> tuple[str, ...]:
    match condition:
        case BasketAmount(min=least, max=most):
            return (
                money_text(least, exponent) if least is not None else "",
                token("at_most", money_text(most, exponent)) if most is not None else "",
            )
        case BasketQty(min=milli, measure=measure):
            return (token("weight", quantity_text(milli)) if measure == "weight" else quantity_text(milli),)
        case Contains(goods=goods):
            return (token("goods", *(str(wanted.count) for wanted in goods)),)
        case Counter(n=n):
            return (str(n),)
        case History(amount=amount, visits=visits, bought=bought):
            return (
                money_text(amount, exponent) if amount is not None else "",
                token("visits", str(visits)) if visits is not None else "",
                "not_bought" if bought is False else "bought",
            )
        case Budget():
            return ("budget",)
        case _:
            assert_never(condition)


def _member_needs(condition: MemberIs | Birthday | NamedDate | Profile | FirstPurchase | NthPurchase) -> tuple[str, ...]:
    match condition:
        case MemberIs():
            return _attributes(condition)
        case Birthday(before=before, after=after, set_before=set_before):
            return token("birthday", str(before), str(after)), token("entered_days", str(set_before or 0))
        case NamedDate(key=key, before=before, after=after):
            return (token("named_date", key, str(before), str(after)),)
        case Profile(key=key, value=value):
            return (token("profile", key, *names_of(value)),)
        case FirstPurchase():
            return (token("nth", "1"),)
        case NthPurchase(n=n, every=every):
            return (token("every" if every else "nth", str(n)),)
        case _:
            assert_never(condition)


def _attributes(condition: MemberIs) -> tuple[str, ...]:
    """What is asked of nobody; then of a member's tier, its rank, segment, staff, paid membership."""
    tier = _names("tier", condition.tier)
    rank = token("tier_from", condition.tier_from) if condition.tier_from is not None else ""
    segment = _names("segment", condition.segment)
    staff = "staff" if condition.staff else "not_staff"
    paid = "paid" if condition.paid else "not_paid"
    asked = tier or rank or segment or ("staff" if condition.staff else "paid" if condition.paid else "member")
    return ("none" if condition.member is False else asked, tier, rank, segment, staff, paid)


def _names(kind: str, names: Names) -> str:
    return token(kind, *names_of(names)) if names is not None else ""


def _window(condition: When) -> str:
    """``when:`` and what is given of: 2026-11-01..2026-11-20 (either end may be missing), days of the week, hours, @zone."""
    parts = []
    if condition.since is not None or condition.until is not None:
        since = condition.since.isoformat() if condition.since is not None else ""
        until = condition.until.isoformat() if condition.until is not None else ""
        parts.append(f"{since}..{until}")
    if condition.weekdays:
        parts.append(",".join(condition.weekdays))
    if condition.from_ is not None and condition.to is not None:
        parts.append(f"{minute_text(condition.from_)}-{minute_text(condition.to)}")
    if condition.zone is not None:
        parts.append(f"@{condition.zone}")
    return token("when", *parts)
