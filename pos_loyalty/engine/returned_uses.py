"""How often a rule counts as used, and what money it gave, once goods are back: all that is back, less earlier returns."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from pos_loyalty.engine.gifts import Part
from pos_loyalty.engine.model import Quote
from pos_loyalty.engine.money import up, whole_in
from pos_loyalty.engine.returned_lines import share, units_back
from pos_loyalty.values import CENTI_PER_POINT, Minor, Value


class UseBack(Value, gc=False):
    """A rule counts so many uses less, and so much less money given."""

    rule: str
    times: int
    minor: Minor


def uses_back(quote: Quote, before: Sequence[UseBack], parts: Sequence[Part], taken: dict[str, int]) -> tuple[UseBack, ...]:
    """What a return gives back to limits and budgets. ``taken``: points of each rule that this and earlier returns took back.

    A rule falls by whole applications: by the share of the units it acted on that are back. One that acted on no goods of its
    own (a coupon for the receipt) falls with the last of them all.
    """
    found = []
    for use in quote.uses:
        had = [each for each in before if each.rule == use.rule]
        times = whole_in(use.times * _units(use.rule, parts, is_back=True), _units(use.rule, parts, is_back=False))
        times -= sum([each.times for each in had])
        minor = _money_back(use.rule, parts) + _points_back(use.rule, quote, taken) - sum([each.minor for each in had])
        if times > 0 or minor > 0:
            found.append(UseBack(rule=use.rule, times=max(0, times), minor=Minor(max(0, minor))))
    return tuple(found)


def _units(rule: str, parts: Sequence[Part], *, is_back: bool) -> int:
    """Units that the rule acted on, all or those that are back. Without any, the receipt counts as one."""
    touched = [part for part in parts if _acts_on(rule, part)]
    if not touched:
        return int(not is_back or all(back.quantity_milli == shape.quantity_milli for _, shape, back in parts))
    return sum([units_back(shape, back) if is_back else shape.units for _, shape, back in touched])


def _acts_on(rule: str, part: Part) -> bool:
    line = part[0]
    return any(off.rule == rule for off in line.adjustments) or any(each.rule == rule for each in line.earned)


def _money_back(rule: str, parts: Sequence[Part]) -> int:
    return sum([share(off.off_minor, shape, back) for line, shape, back in parts for off in line.adjustments if off.rule == rule])


def _points_back(rule: str, quote: Quote, taken: dict[str, int]) -> int:
    """Points count as the money that they will pay, a begun minor unit as a whole one, as when they were given.

    A rule was counted with all that its quote brought; of a sale that was paid in part it keeps the share of it that is kept.
    """
    point_minor = quote.earning.point_minor if quote.earning is not None else 0
    brought = sum([accrual.centi for accrual in quote.accruals if accrual.rule == rule])
    kept = max(0, brought - taken.get(rule, 0))
    given = brought
    if quote.earning is not None and quote.earning.part is not UNSET:
        given = sum([each.centi for each in quote.earning.part.quoted if each.rule == rule])
        kept = up(given * kept, brought) if brought else 0
    return up(given * point_minor, CENTI_PER_POINT) - up(kept * point_minor, CENTI_PER_POINT)
