"""On which money points are earned, when they may be used and when they are lost."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pos_loyalty.engine.effects import GivePoints
from pos_loyalty.engine.model import Member
from pos_loyalty.engine.money import vat_in
from pos_loyalty.engine.rules import PointsTable
from pos_loyalty.engine.zones import DAY_MAX, YEAR_MAX, day_after, day_of, days_later, start_of
from pos_loyalty.values import Value

MONTHS_PER_YEAR = 12


class Base(Value):
    """What points of a receipt are counted on. Places are those of calculation lines.

    ``money_minor``: the sum of ``earning_minor`` of its basket lines; 0 where the line earns nothing. ``units``: pieces, a
    weighed line is one. ``receipt_minor``: the receipt's money after discounts and before points, for steps.
    ``earned_today_centi``: by this member before this receipt, None when not known. ``budgets_minor``: what is left, for rules
    that have a budget.
    """

    found: Mapping[int, Sequence[int]]
    money_minor: Sequence[int]
    units: Sequence[int]
    receipt_minor: int
    redeemed_centi: int
    earned_today_centi: int | None
    budgets_minor: Mapping[str, int]


class Life(Value, gc=False):
    """When points may be used: [usable_from, expires_at)."""

    usable_from: datetime
    expires_at: datetime | None


def earning_minor(net_minor: int, points_minor: int, vat_bp: int | None, table: PointsTable) -> int:
    """The money of one basket line that earns: what is paid, or what was to be paid before points; without VAT where told so."""
    money = net_minor - points_minor if table.earn_on == "paid" else net_minor
    return money - vat_in(money, vat_bp) if table.earn_base == "net" else money


def earned_today(member: Member, at: datetime, where: ZoneInfo) -> int | None:
    """Points that the member earned on the local day of an instant; None when the days are not known."""
    if member.days is None:
        return None
    today = at.astimezone(where).date().isoformat()
    return sum(day.earned_centi for day in member.days if day.day == today)


def redeemed_today(member: Member, at: datetime, where: ZoneInfo) -> int | None:
    """Points that the member redeemed on the local day of an instant; None when the days are not known."""
    if member.days is None:
        return None
    today = at.astimezone(where).date().isoformat()
    return sum(day.redeemed_centi for day in member.days if day.day == today)


def life_of(effect: GivePoints | None, table: PointsTable, at: datetime, where: ZoneInfo) -> Life:
    """The dates of points given at an instant: the effect's own words, else the table's.

    A lifetime counts from the first day of use. With a month's end points are lost when the month of their last day is over.
    """
    delay, days, months, month_end = table.delay_days, table.lifetime_days, table.lifetime_months, table.month_end
    if effect is not None:
        delay = delay if effect.delay_days is None else effect.delay_days
        month_end = month_end if effect.month_end is None else effect.month_end
        if effect.lifetime_days is not None or effect.lifetime_months is not None:
            days, months = effect.lifetime_days, effect.lifetime_months
    usable_from = at if delay == 0 else days_later(at, delay, where)
    first = day_of(usable_from, where)
    lost = day_after(first, days) if days is not None else months_later(first, months) if months is not None else None
    if lost is not None and month_end:
        lost = months_later(lost.replace(day=1), 1)
    return Life(usable_from=usable_from, expires_at=None if lost is None else start_of(lost, where))


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last day where it has no such day; DAY_MAX at most."""
    years, month = divmod(day.month - 1 + months, MONTHS_PER_YEAR)
    year, month = day.year + years, month + 1
    if year > YEAR_MAX:
        return DAY_MAX
    return date(year, month, min(day.day, monthrange(year, month)[1]))
