"""A condition asked by itself: a basket, a member, a moment, and what the engine says of them. Nothing of a quote is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from pos_loyalty.engine.conditions import Term
from pos_loyalty.engine.coupons import CouponUse
from pos_loyalty.engine.floors import Floor
from pos_loyalty.engine.lacks import Lack, Situation, counter_units, lack_of
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Basket, Line, Member, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.selectors import found_by
from pos_loyalty.values import Minor
from tests.worlds import NOW, basket, programme

TABLES = """
[[tier]]
id = "bronze"
[[tier]]
id = "silver"
[[tier]]
id = "gold"
[[coupon]]
id = "welcome"
code = "HELLO"
"""

RULE = """
[[rule]]
id = "r"
stage = "item"
when = [{ WHEN }]
then = [{ do = "percent", percent = "10%" }]
"""

Said = tuple[str, str] | None
"""(have, need) of what is missing; None when nothing is."""


def asked(when: str, tables: str = "", zone: str = "Europe/Moscow") -> Programme:
    """A programme whose rule "r" has this condition."""
    loaded = programme(f"{tables}{TABLES}{RULE.replace('WHEN', when)}")
    if zone == "Europe/Moscow":
        return loaded
    from pos_loyalty.engine import zones

    return replace(loaded, zone=zones.zone(zone))


def calc(line: Line) -> CalcLine:
    """A calculation line of one line, without tags and floors. Weights are rounded here by hand: half up."""
    gross = Minor((line.price_minor * line.quantity_milli + 500) // 1000)
    return CalcLine(
        line=line,
        quantity_milli=line.quantity_milli,
        units=1 if line.measure == "weight" else line.quantity_milli // 1000,
        gross_minor=gross,
        list_minor=Minor(gross - line.prior_off_minor),
        tag=None,
        floor=Floor(each_minor=0, name="shop"),
        floor_minor=Minor(0),
        manual=(),
        members=(0,),
        line_ids=(line.line_id,),
        grosses=(gross,),
    )


def situation(loaded: Programme, of: Basket, who: Member | None = None, at: datetime = NOW, **more: Any) -> Situation:
    """What the conditions of a programme look at; ``more`` are fields of the situation."""
    lines = [calc(line) for line in of.lines]
    found = found_by(loaded.index, of.lines)
    money = [line.list_minor for line in lines]
    fields: dict[str, Any] = {
        "lines": lines,
        "found": found,
        "running_minor": money,
        "list_sums": {number: sum(money[place] for place in found.get(number, [])) for number in loaded.measured},
        "member": who,
        "basket": of,
        "state": State(),
        "coupons": {},
        "local": at.astimezone(loaded.zone),
        "tiers": loaded.tiers,
        "exponent": loaded.exponent,
    }
    return Situation(**(fields | more))


def term_of(loaded: Programme) -> Term:
    """The condition of rule "r"."""
    (rule,) = [rule for rule in loaded.rules if rule.id == "r"]
    (term,) = rule.terms
    return term


def lack(when: str, of: Basket | None = None, who: Member | None = None, at: datetime = NOW, **more: Any) -> Lack | None:
    """What the condition misses; None when it holds."""
    loaded = asked(when, more.pop("tables", ""), more.pop("zone", "Europe/Moscow"))
    return lack_of(term_of(loaded), situation(loaded, of or basket(), who, at, **more))


def said(when: str, of: Basket | None = None, who: Member | None = None, at: datetime = NOW, **more: Any) -> Said:
    """(have, need) of what the condition misses; None when it holds."""
    found = lack(when, of, who, at, **more)
    return None if found is None else (found.have, found.need)


def nth_units(when: str, of: Basket, who: Member | None) -> int:
    """How many units of the basket are nth ones."""
    loaded = asked(when)
    return counter_units(term_of(loaded), situation(loaded, of, who))


def presented(**uses: tuple[bool, str, str]) -> Mapping[str, CouponUse]:
    """Judged coupons by series: whether one is good, what there is, what is needed."""
    return {
        series: CouponUse(code="CODE", is_good=is_good, have=have, need=need) for series, (is_good, have, need) in uses.items()
    }


def moment(text: str) -> datetime:
    """An instant in UTC: "2026-11-21 09:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
