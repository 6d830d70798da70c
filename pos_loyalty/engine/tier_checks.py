"""Faults and doubts of the tiers: thresholds of more than one measure, or that do not rise; periods that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.engine.rules import ProgrammeText
from pos_loyalty.engine.tier_rules import MEASURES, MONTHS_PER_YEAR, measures_of, threshold_of

Fault = tuple[str, str]
DAYS_OF_MONTH_MIN = 28


def tier_faults(text: ProgrammeText) -> Iterator[Fault]:
    """Every fault of ``[[tier]]`` and ``[tiers]``."""
    measures, table = measures_of(text), text.tiers
    if len(measures) > 1:
        keys = " and ".join(MEASURES[each] for each in measures)
        yield "tier", f"{keys} stand in one ladder; a member is measured by one of them: keep one"
    elif measures:
        yield from _not_rising(text, measures[0])
    if table is None:
        return
    if not measures:
        yield (
            "tiers",
            "no tier has a threshold; give the [[tier]] tables from_spent, from_visits or from_points, or leave [tiers] out",
        )
    elif table.measure is not None and (table.measure,) != measures:
        yield (
            "tiers.measure",
            f'"{table.measure}" asks for {MEASURES[table.measure]} in every [[tier]], and {MEASURES[measures[0]]} is there',
        )
    if table.window == "calendar" and (table.months > MONTHS_PER_YEAR or MONTHS_PER_YEAR % table.months):
        yield "tiers.months", f"{table.months} months do not make calendar years; write 1, 2, 3, 4, 6 or 12, or a rolling window"
    period = table.months * DAYS_OF_MONTH_MIN
    for key, days in (("warn_days", table.warn_days), ("grace_days", table.grace_days)):
        if days >= period:
            yield f"tiers.{key}", f"{days} days are as long as the period of {table.months} months; give fewer"


def tier_doubts(text: ProgrammeText) -> Iterator[Fault]:
    """What is legal and probably not meant."""
    measures = measures_of(text)
    if len(measures) != 1:
        return
    for number, tier in enumerate(text.tier):
        if threshold_of(tier, measures[0]) is None:
            yield f"tier[{number}]", f'only a person gives the tier "{tier.id}": it has no {MEASURES[measures[0]]}'
    if measures[0] == "visits" and text.tiers is not None and text.tiers.months == 1 and text.tiers.window == "rolling":
        yield "tiers.months", "a rolling month of visits raises and lowers members every few days; give more months"


def _not_rising(text: ProgrammeText, measure: str) -> Iterator[Fault]:
    """Tiers stand from the lowest to the highest, so each asks for more than the one before."""
    before = None
    for number, tier in enumerate(text.tier):
        least = threshold_of(tier, measure)
        if least is None:
            continue
        if before is not None and least == before[1]:
            yield f"tier[{number}].{MEASURES[measure]}", f'is that of "{before[0]}" too; nobody would ever be in "{before[0]}"'
        elif before is not None and least < before[1]:
            yield f"tier[{number}].{MEASURES[measure]}", f'is less than that of "{before[0]}", which stands before it; tiers rise'
        before = (tier.id, least)
