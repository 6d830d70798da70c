"""The *when* of a rule: each condition as data, whether it holds, and if not what there is and what is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from msgspec import field

from pos_loyalty.engine.coupons import CouponUse
from pos_loyalty.engine.figures import MinuteFigure, MoneyFigure, minute_text, money_text, quantity_text
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Member
from pos_loyalty.engine.selectors import ALL, Names, Selector, names_of
from pos_loyalty.engine.windows import Weekday, is_inside
from pos_loyalty.values import MILLI_PER_UNIT, Thousandths, Value

Base = Literal["list", "running"]


class BasketAmount(Value, tag_field="is", tag="basket_amount"):
    """Money of the matching lines lies in [min, max]. ``list``: before any discount; ``running``: as earlier stages left it."""

    on: Selector = ALL
    min: MoneyFigure | None = None
    max: MoneyFigure | None = None
    base: Base = "list"


class BasketQty(Value, tag_field="is", tag="basket_qty"):
    """At least so many units. A weighed line counts as one unit; with ``measure`` weight only weights count, in kilograms."""

    min: Thousandths
    on: Selector = ALL
    measure: Literal["units", "weight"] = "units"


class MemberIs(Value, tag_field="is", tag="customer"):
    """All that is given holds of the member. ``tier_from``: this tier or one that stands later in the programme."""

    member: bool | None = None
    tier: Names = None
    tier_from: str | None = None
    segment: Names = None
    staff: bool | None = None


class Coupon(Value, tag_field="is", tag="coupon"):
    """A good coupon of the series was presented."""

    series: str


class When(Value, tag_field="is", tag="when"):
    """Local time. Dates are inclusive, ``from`` too, ``to`` is not. A window past midnight belongs to its first day."""

    since: date | None = None
    until: date | None = None
    weekdays: tuple[Weekday, ...] = ()
    from_: MinuteFigure | None = field(name="from", default=None)
    to: MinuteFigure | None = None
    zone: str | None = None


class Not(Value, tag_field="is", tag="not"):
    """The condition inside does not hold."""

    of: Condition


class All(Value, tag_field="is", tag="all"):
    """Every condition inside holds."""

    of: tuple[Condition, ...]


class Any(Value, tag_field="is", tag="any"):
    """At least one condition inside holds."""

    of: tuple[Condition, ...]


Condition = BasketAmount | BasketQty | MemberIs | Coupon | When | Not | All | Any


class Term(Value, gc=False):
    """A condition made ready: its own number (equal conditions share one), its selector's number, its zone, its parts."""

    number: int
    word: str
    condition: Condition
    selector: int = -1
    zone: ZoneInfo | None = None
    parts: tuple[Term, ...] = ()


class Situation(Value):
    """All that a condition may look at. ``running_minor`` is what earlier stages left of each line."""

    lines: Sequence[CalcLine]
    found: Mapping[int, Sequence[int]]
    running_minor: Sequence[int]
    list_sums: Mapping[int, int]
    """Money before any discount by selector, for those that a condition measures."""
    member: Member | None
    coupons: Mapping[str, CouponUse]
    local: datetime
    tiers: Mapping[str, int]
    exponent: int


class Lack(Value):
    """Why a condition does not hold."""

    condition: str
    have: str
    need: str


def lack_of(term: Term, situation: Situation) -> Lack | None:
    """None when the condition holds, else what there is and what is needed."""
    condition = term.condition
    match condition:
        case BasketAmount():
            return _amount_lack(term, condition, situation)
        case BasketQty():
            return _qty_lack(term, condition, situation)
        case MemberIs():
            return _member_lack(term.word, condition, situation)
        case Coupon(series=series):
            return _coupon_lack(term.word, series, situation)
        case When():
            return _when_lack(term, condition, situation)
        case Not():
            held = lack_of(term.parts[0], situation) is None
            return Lack(condition=term.word, have=term.parts[0].word, need=f"not {term.parts[0].word}") if held else None
        case All():
            return next((lack for part in term.parts if (lack := lack_of(part, situation)) is not None), None)
        case Any():
            return _any_lack(term, situation)
        case _:
            assert_never(condition)


def _amount_lack(term: Term, condition: BasketAmount, situation: Situation) -> Lack | None:
    if condition.base == "list":
        have = situation.list_sums.get(term.selector, 0)
    else:
        have = sum(situation.running_minor[i] for i in situation.found.get(term.selector, ()))
    if condition.min is not None and have < condition.min:
        return _money_lack(term.word, have, money_text(condition.min, situation.exponent), situation)
    if condition.max is not None and have > condition.max:
        return _money_lack(term.word, have, f"at most {money_text(condition.max, situation.exponent)}", situation)
    return None


def _money_lack(word: str, have_minor: int, need: str, situation: Situation) -> Lack:
    return Lack(condition=word, have=money_text(have_minor, situation.exponent), need=need)


def _qty_lack(term: Term, condition: BasketQty, situation: Situation) -> Lack | None:
    have = sum(_units(situation.lines[i], condition.measure) for i in situation.found.get(term.selector, ()))
    if have >= condition.min:
        return None
    return Lack(condition=term.word, have=quantity_text(have), need=quantity_text(condition.min))


def _units(line: CalcLine, measure: Literal["units", "weight"]) -> int:
    weighed = line.line.measure == "weight"
    if measure == "weight":
        return line.quantity_milli if weighed else 0
    return MILLI_PER_UNIT if weighed else line.quantity_milli


def _member_lack(word: str, condition: MemberIs, situation: Situation) -> Lack | None:
    member = situation.member
    if condition.member is False:
        return None if member is None else Lack(condition=word, have="a member", need="no member")
    if member is None:
        return Lack(condition=word, have="no member", need=_member_need(condition))
    if not _has_tier(condition, member, situation):
        return Lack(condition=word, have=f"tier {member.tier or 'none'}", need=_member_need(condition))
    if condition.segment and not any(segment in member.segments for segment in names_of(condition.segment)):
        return Lack(condition=word, have="not in the segment", need=f"segment {' or '.join(names_of(condition.segment))}")
    if condition.staff is not None and member.staff is not condition.staff:
        have, need = ("staff", "not staff") if member.staff else ("not staff", "staff")
        return Lack(condition=word, have=have, need=need)
    return None


def _has_tier(condition: MemberIs, member: Member, situation: Situation) -> bool:
    if condition.tier and member.tier not in names_of(condition.tier):
        return False
    return condition.tier_from is None or _rank(member, situation) >= situation.tiers[condition.tier_from]


def _rank(member: Member, situation: Situation) -> int:
    return situation.tiers.get(member.tier, -1) if member.tier is not None else -1


def _member_need(condition: MemberIs) -> str:
    tiers = names_of(condition.tier) or ((condition.tier_from,) if condition.tier_from is not None else ())
    if tiers:
        return f"tier {' or '.join(tiers)}" + (" or higher" if not condition.tier else "")
    segments = names_of(condition.segment)
    if segments:
        return f"segment {' or '.join(segments)}"
    return "staff" if condition.staff else "a member"


def _coupon_lack(word: str, series: str, situation: Situation) -> Lack | None:
    use = situation.coupons.get(series)
    if use is None:
        return Lack(condition=word, have="none", need=f"a coupon of {series}")
    return None if use.is_good else Lack(condition=word, have=use.have, need=use.need)


def _when_lack(term: Term, condition: When, situation: Situation) -> Lack | None:
    local = situation.local if term.zone is None else situation.local.astimezone(term.zone)
    if is_inside(
        local,
        days=(condition.since, condition.until),
        weekdays=condition.weekdays,
        minutes=None if condition.from_ is None or condition.to is None else (condition.from_, condition.to),
    ):
        return None
    return Lack(condition=term.word, have=local.strftime("%Y-%m-%d %H:%M"), need=_when_need(condition))


def _when_need(condition: When) -> str:
    parts = [f"from {condition.since.isoformat()}"] if condition.since else []
    parts += [f"until {condition.until.isoformat()}"] if condition.until else []
    parts += [", ".join(condition.weekdays)] if condition.weekdays else []
    if condition.from_ is not None and condition.to is not None:
        parts.append(f"{minute_text(condition.from_)}-{minute_text(condition.to)}")
    return " ".join(parts)


def _any_lack(term: Term, situation: Situation) -> Lack | None:
    lacks = []
    for part in term.parts:
        lack = lack_of(part, situation)
        if lack is None:
            return None
        lacks.append(lack)
    return Lack(condition=term.word, have="; ".join(k.have for k in lacks), need=" or ".join(k.need for k in lacks))
