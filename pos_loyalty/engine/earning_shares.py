"""From exact shares to points: limits, one rounding for the receipt, and the split over its rules. Sales and returns share it.

An exact share is a whole number: 10,000 × 10^exponent of it are a hundredth of a point. Money in minor units times a rate in
hundredths of a basis point is such a share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET

from pos_loyalty.engine.money import allocate, half_up, whole_in
from pos_loyalty.engine.returnable import EarnedOn, Earning
from pos_loyalty.values import BP_PER_UNIT, CENTI_PER_POINT

Counted = tuple[Sequence[EarnedOn], int, int]
"""The rates of a line, its money, and its units."""


def per_centi(exponent: int) -> int:
    """How much of an exact share is a hundredth of a point."""
    return int(BP_PER_UNIT * 10**exponent)


def exact_shares(lines: Iterable[Counted], earning: Earning) -> dict[str, int]:
    """Rule to its exact share of these lines, at most what the rule may give. Fixed points stand while any line is the rule's."""
    centi = per_centi(earning.exponent)
    exact: dict[str, int] = {}
    for rates, money_minor, units in lines:
        for each in rates:
            share = money_minor * each.rate
            if each.unit_centi:
                share += each.unit_centi * units * centi
            exact[each.rule] = exact.get(each.rule, 0) + share
    for fixed in earning.fixed:
        if fixed.rule in exact:
            exact[fixed.rule] += fixed.centi * centi
    for most in earning.most:
        if most.rule in exact:
            exact[most.rule] = min(exact[most.rule], most.centi * centi)
    return exact


def shared(exact: Mapping[str, int], earning: Earning) -> dict[str, int]:
    """Rule to its points: the sum rounded once to whole steps, held by the limits, then split in steps by the exact shares.

    Of a sale that was paid in part each rule has that part of it, rounded down to whole steps.
    """
    rules = sorted([rule for rule, share in exact.items() if share > 0])
    shares = [exact[rule] for rule in rules]
    steps = _steps(sum(shares), earning)
    most = {each.rule: whole_in(each.centi, earning.step_centi) for each in earning.most}
    parts = allocate(shares, steps, [most.get(rule, steps) for rule in rules])
    if earning.part is not UNSET:
        paid, due = earning.part.paid_minor, earning.part.due_minor
        parts = [whole_in(part * paid, due) for part in parts]
    return {rule: part * earning.step_centi for rule, part in zip(rules, parts, strict=True)}


def _steps(exact: int, earning: Earning) -> int:
    a_step = per_centi(earning.exponent) * earning.step_centi
    steps = whole_in(exact + a_step - 1 if earning.round == "up" else exact, a_step)
    return steps if earning.most_centi is None else min(steps, whole_in(earning.most_centi, earning.step_centi))


def worth_minor(exact: int, exponent: int, point_minor: int) -> int:
    """The money that an exact share would pay, rounded half up."""
    return half_up(exact * point_minor, per_centi(exponent) * CENTI_PER_POINT)
