"""Conditions on what was before this sale: what the member bought, how often the rule was used, what is left of its budget."""

from __future__ import annotations

from datetime import date, timedelta
from typing import assert_never

from pos_loyalty.engine.conditions import History, Term, Uses
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Member, UsesSoFar
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.selectors import ALL
from pos_loyalty.engine.situation import Lack, Situation, nobody, unknown
from pos_loyalty.values import Value

_FIRST_DAY = ""
"""Before every day."""
MONTHS_PER_QUARTER = 3


class _Past(Value):
    """What a member bought in a window: money and visits, returns deducted."""

    spent_minor: int
    visits: int
    has_bought: bool


def history_lack(term: Term, condition: History, situation: Situation) -> Lack | None:
    """All that is given of amount, visits and bought."""
    money, visits, bought = term.needs
    asked = money or visits or bought
    member = situation.member
    if member is None:
        return nobody(term.word, asked)
    past = _past(term, condition, member, situation.local.date())
    if past is None:
        return unknown(term.word, asked)
    if condition.amount is not None and past.spent_minor < condition.amount:
        return Lack(condition=term.word, have=money_text(past.spent_minor, situation.exponent), need=money)
    if condition.visits is not None and past.visits < condition.visits:
        return Lack(condition=term.word, have=token("visits", str(past.visits)), need=visits)
    if condition.bought is not None and past.has_bought is not condition.bought:
        return Lack(condition=term.word, have="bought" if past.has_bought else "not_bought", need=bought)
    return None


def _past(term: Term, condition: History, member: Member, today: date) -> _Past | None:
    """None when what is asked is not known. Days after today are not looked at."""
    has_window = condition.days is not None or condition.period is not None
    first, last = _first_day(condition, today) if has_window else _FIRST_DAY, today.isoformat()
    if condition.on != ALL:
        return _past_of_goods(term, member, first, last)
    if has_window:
        if member.days is None:
            return None
        days = [day for day in member.days if first <= day.day <= last]
        visits = sum(day.visits for day in days)
        return _Past(spent_minor=sum(day.net_minor for day in days), visits=visits, has_bought=visits > 0)
    if member.sales is None:
        return None
    return _Past(spent_minor=member.sales.spent_minor, visits=member.sales.count, has_bought=member.sales.count > 0)


def _past_of_goods(term: Term, member: Member, first: str, last: str) -> _Past | None:
    """A day on which such goods were bought is one visit."""
    goods = term.goods
    if member.purchases is None or goods is None:
        return None
    bought = [each for each in member.purchases if first <= each.day <= last and each.quantity_milli > 0 and goods.had(each)]
    spent = sum(each.net_minor for each in bought)
    return _Past(spent_minor=spent, visits=len({each.day for each in bought}), has_bought=bool(bought))


def _first_day(condition: History, today: date) -> str:
    """The first day of the window; today is its last."""
    if condition.days is not None:
        back = min(condition.days - 1, (today - date.min).days)
        return (today - timedelta(days=back)).isoformat()
    match condition.period:
        case "month":
            return today.replace(day=1).isoformat()
        case "quarter":
            quarters = whole_in(today.month - 1, MONTHS_PER_QUARTER)
            return today.replace(month=quarters * MONTHS_PER_QUARTER + 1, day=1).isoformat()
        case "year":
            return today.replace(month=1, day=1).isoformat()
        case None:
            return _FIRST_DAY
        case _:
            assert_never(condition.period)


def uses_lack(term: Term, condition: Uses, situation: Situation) -> Lack | None:
    """The rule was used fewer than so many times. A rule that is not named was never used."""
    if condition.scope == "customer" and situation.member is None:
        return nobody(term.word, term.needs[0])
    if situation.state.uses is None:
        return unknown(term.word, term.needs[0])
    used = situation.state.uses.get(term.rule)
    if used is None or _count(condition, used) < condition.max:
        return None
    return Lack(condition=term.word, have=str(_count(condition, used)), need=term.needs[0])


def _count(condition: Uses, used: UsesSoFar) -> int:
    match condition.scope:
        case "customer":
            return used.member
        case "programme":
            return used.total
        case "day":
            return used.today
        case _:
            assert_never(condition.scope)


def budget_lack(term: Term, situation: Situation) -> Lack | None:
    """Money is left in the rule's budget."""
    left = situation.state.budgets.get(term.rule)
    if left is None:
        return unknown(term.word, term.needs[0])
    if left > 0:
        return None
    return Lack(condition=term.word, have=money_text(0, situation.exponent), need=term.needs[0])
