"""How often rules were used, what money they gave, and the members' counters, over the sales that are authorised or completed.

What came back of a sale is taken off again: see returned.py.

Rule: they move in the transaction of the fact that moves them; ``verify`` sums them up again from the sales and the awards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from pos_loyalty.engine.model import CounterMove, Quote, RuleUse, UsesSoFar
from pos_loyalty.engine.money import up
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.merges import SAME_PERSON
from pos_loyalty.values import CENTI_PER_POINT, Minor, Value

COUNTED = ("authorised", "completed")
"""States of a sale in which its uses count."""
Step = Literal[1, -1]


class Given(Value):
    """What a sale or an award uses up: of whom, on which business day, by which rules, and the money of each."""

    member_id: str | None
    biz_day: int
    uses: tuple[RuleUse, ...]
    minor: dict[str, int]
    counters: tuple[CounterMove, ...] = ()


def of_quote(quote: Quote, biz_day: int) -> Given:
    """What the sale of a quote uses up. Money is counted for the rules whose uses are, points as the money that they will pay."""
    minor = dict.fromkeys((use.rule for use in quote.uses), 0)
    for line in quote.lines:
        for adjustment in line.adjustments:
            if adjustment.rule in minor:
                minor[adjustment.rule] += adjustment.off_minor
    point_minor = quote.earning.point_minor if quote.earning is not None else 0
    for accrual in quote.accruals:
        if accrual.rule in minor:
            minor[accrual.rule] += up(accrual.centi * point_minor, CENTI_PER_POINT)
    return Given(member_id=quote.member_id, biz_day=biz_day, uses=quote.uses, minor=minor, counters=quote.counters)


def of_award(fact: Fact) -> Given:
    """What an award uses up."""
    assert fact.award is not None
    return Given(member_id=fact.member, biz_day=fact.award.biz_day, uses=fact.award.award.uses, minor={})


def move(db: Connection, given: Given, step: Step) -> None:
    """Count what is used up, or take it back."""
    if given.uses:
        rows = [(scope, key, use.rule, step * use.times, step * minor) for scope, key, use, minor in _scoped(given)]
        db.executemany(USE_UPSERT, rows)
        db.executemany(USE_DELETE, [row[:3] for row in rows if step < 0 or row[3] < 0 or row[4] < 0])
    if given.counters and given.member_id is not None:
        moves = [(given.member_id, key, step * units) for key, units in _summed(given.counters)]
        db.executemany(COUNTER_UPSERT, moves)
        db.executemany(COUNTER_DELETE, [row[:2] for row in moves])


def so_far(db: Connection, member_id: str | None, biz_day: int) -> dict[str, UsesSoFar]:
    """Uses by rule: in all, by this member, on this business day."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for scope, rule, times in db.execute(USES_SELECT, {"member": member_id or "", "day": str(biz_day)}):
        found[rule]["total" if scope == "all" else "today" if scope == "day" else "member"] = max(0, times)
    return {rule: UsesSoFar(**counts) for rule, counts in found.items()}


def given_minor(db: Connection) -> dict[str, Minor]:
    """Money that rules gave in all, by rule, for those whose uses are counted."""
    return {rule: Minor(minor) for rule, minor in db.execute("SELECT rule, given_minor FROM rule_use WHERE scope = 'all'")}


def counters_of(db: Connection, member_id: str) -> dict[str, int]:
    """The member's counters, by key."""
    rows = db.execute(COUNTERS_SELECT, {"member": member_id})
    return {key: max(0, units) for key, units in rows}


def _scoped(given: Given) -> Iterator[tuple[str, str, RuleUse, int]]:
    for use in given.uses:
        minor = given.minor.get(use.rule, 0)
        yield "all", "", use, minor
        yield "day", str(given.biz_day), use, minor
        if given.member_id is not None:
            yield "member", given.member_id, use, minor


def _summed(counters: Iterable[CounterMove]) -> list[tuple[str, int]]:
    units: defaultdict[str, int] = defaultdict(int)
    for counter in counters:
        units[counter.key] += counter.add
    return sorted(units.items())


USE_UPSERT = """INSERT INTO rule_use (scope, key, rule, times, given_minor) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope, key, rule) DO UPDATE SET
  times = rule_use.times + excluded.times, given_minor = rule_use.given_minor + excluded.given_minor"""
USE_DELETE = "DELETE FROM rule_use WHERE scope = ? AND key = ? AND rule = ? AND times = 0 AND given_minor = 0"
USES_SELECT = f"""SELECT scope, rule, times FROM rule_use WHERE scope = 'all' AND key = ''
UNION ALL SELECT scope, rule, SUM(times) FROM rule_use WHERE scope = 'member' AND key IN ({SAME_PERSON}) GROUP BY scope, rule
UNION ALL SELECT scope, rule, times FROM rule_use WHERE scope = 'day' AND key = :day"""
COUNTERS_SELECT = f"SELECT key, SUM(units) FROM member_counter WHERE member IN ({SAME_PERSON}) GROUP BY key"
COUNTER_UPSERT = """INSERT INTO member_counter (member, key, units) VALUES (?, ?, ?)
ON CONFLICT (member, key) DO UPDATE SET units = member_counter.units + excluded.units"""
COUNTER_DELETE = "DELETE FROM member_counter WHERE member = ? AND key = ? AND units = 0"
