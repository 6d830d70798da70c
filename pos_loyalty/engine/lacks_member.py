"""Conditions on the member: attributes, days of the year, the number of the sale. What is None is not known, and is refused."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime

from pos_loyalty.engine.conditions import Birthday, MemberIs, NamedDate, NthPurchase, Profile, Term
from pos_loyalty.engine.model import Member
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.selectors import names_of
from pos_loyalty.engine.situation import NOBODY, Lack, Situation, nobody, unknown
from pos_loyalty.engine.zones import day_of

DAYS_OF_YEAR = 366
_LEAP_DAY = (2, 29)
_LEAP_YEAR = 2000


def member_lack(term: Term, condition: MemberIs, situation: Situation) -> Lack | None:
    """All that is given holds. A member without a tier or a plan has none: that is known."""
    member = situation.member
    if condition.member is False:
        return None if member is None else Lack(condition=term.word, have="member", need=term.needs[0])
    if member is None:
        return Lack(condition=term.word, have=NOBODY, need=term.needs[0])
    _, tier, rank, segment, staff, paid = term.needs
    if condition.tier is not None and member.tier not in names_of(condition.tier):
        return Lack(condition=term.word, have=_tier(member), need=tier)
    if condition.tier_from is not None and _rank(member, situation) < situation.tiers[condition.tier_from]:
        return Lack(condition=term.word, have=_tier(member), need=rank)
    if condition.segment is not None and not any(name in member.segments for name in names_of(condition.segment)):
        return Lack(condition=term.word, have="not_segment", need=segment)
    if condition.staff is not None and member.staff is not condition.staff:
        return Lack(condition=term.word, have="staff" if member.staff else "not_staff", need=staff)
    if condition.paid is not None and _has_paid(member, situation.local) is not condition.paid:
        return Lack(condition=term.word, have="not_paid" if condition.paid else "paid", need=paid)
    return None


def _tier(member: Member) -> str:
    return token("tier", member.tier) if member.tier is not None else "no_tier"


def _rank(member: Member, situation: Situation) -> int:
    return situation.tiers.get(member.tier, -1) if member.tier is not None else -1


def _has_paid(member: Member, now: datetime) -> bool:
    """Instants are compared in UTC: wall times of one zone do not tell the two passes of a repeated hour apart."""
    return member.paid_until is not None and member.paid_until > now.astimezone(UTC)


def birthday_lack(term: Term, condition: Birthday, situation: Situation) -> Lack | None:
    """The local day lies in the window, and the date was entered early enough."""
    member = situation.member
    if member is None:
        return nobody(term.word, term.needs[0])
    lack = _day_lack(term, member.birthday, (condition.before, condition.after), situation)
    if lack is not None or condition.set_before is None:
        return lack
    if member.birthday_set_at is None:
        return unknown(term.word, term.needs[1])
    days = (situation.local.date() - day_of(member.birthday_set_at, situation.local.tzinfo)).days
    if days >= condition.set_before:
        return None
    return Lack(condition=term.word, have=token("entered_days", str(max(0, days))), need=term.needs[1])


def named_date_lack(term: Term, condition: NamedDate, situation: Situation) -> Lack | None:
    """As a birthday, for a date of the profile. A member without that date has none: that is known."""
    member = situation.member
    if member is None:
        return nobody(term.word, term.needs[0])
    if member.dates is None:
        return unknown(term.word, term.needs[0])
    if condition.key not in member.dates:
        return Lack(condition=term.word, have="no_date", need=term.needs[0])
    return _day_lack(term, member.dates[condition.key], (condition.before, condition.after), situation)


def _day_lack(term: Term, month_day: str | None, window: tuple[int, int], situation: Situation) -> Lack | None:
    """None inside the window, else the days until it begins. A day that no year has is not known."""
    day = _read(month_day)
    if day is None:
        return unknown(term.word, term.needs[0])
    today = situation.local.date()
    before, after = window
    until = DAYS_OF_YEAR
    for year in (today.year - 1, today.year, today.year + 1):
        begins = (_in_year(day, year) - today).days - before
        if begins <= 0 <= begins + before + after:
            return None
        if 0 < begins < until:
            until = begins
    return Lack(condition=term.word, have=token("days", str(until)), need=term.needs[0])


def _read(month_day: str | None) -> tuple[int, int] | None:
    if month_day is None:
        return None
    try:
        month, day = int(month_day[:2]), int(month_day[3:])
        date(_LEAP_YEAR, month, day)
    except ValueError:
        return None
    return month, day


def _in_year(day: tuple[int, int], year: int) -> date:
    """The day in a year; 29 February is 28 February in common years."""
    if day == _LEAP_DAY and not isleap(year):
        return date(year, 2, 28)
    return date(year, *day)


def profile_lack(term: Term, condition: Profile, situation: Situation) -> Lack | None:
    """The profile holds the attribute, with one of the values when there are any."""
    member = situation.member
    if member is None:
        return nobody(term.word, term.needs[0])
    if member.profile is None:
        return unknown(term.word, term.needs[0])
    value = member.profile.get(condition.key)
    if value is not None and (condition.value is None or value in names_of(condition.value)):
        return None
    return Lack(condition=term.word, have="not_profile", need=term.needs[0])


def first_lack(term: Term, situation: Situation) -> Lack | None:
    """No completed sale yet."""
    number = _number(situation)
    if number is None:
        return _not_counted(term, situation)
    return None if number == 1 else Lack(condition=term.word, have=token("nth", str(number)), need=term.needs[0])


def nth_lack(term: Term, condition: NthPurchase, situation: Situation) -> Lack | None:
    """This sale is the nth, or one of every n."""
    number = _number(situation)
    if number is None:
        return _not_counted(term, situation)
    holds = number == (whole_in(number, condition.n) * condition.n if condition.every else condition.n)
    return None if holds else Lack(condition=term.word, have=token("nth", str(number)), need=term.needs[0])


def _number(situation: Situation) -> int | None:
    """The number of this sale among the member's completed ones, itself included."""
    member = situation.member
    return member.sales.count + 1 if member is not None and member.sales is not None else None


def _not_counted(term: Term, situation: Situation) -> Lack:
    return (nobody if situation.member is None else unknown)(term.word, term.needs[0])
