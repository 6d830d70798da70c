"""Faults of effects: figures that do nothing, choices of which exactly one stands, sets that no basket fills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from pos_loyalty.engine.condition_checks import selector_faults
from pos_loyalty.engine.conditions import Wanted
from pos_loyalty.engine.effects import (
    Amount,
    AmountEach,
    Bundle,
    CounterAdd,
    Effect,
    FixedPrice,
    Gift,
    GivePoints,
    IssueCoupon,
    Ladder,
    Limited,
    Message,
    NForM,
    Percent,
    Privilege,
    RedeemFor,
    RoundTotal,
    TierProgress,
)
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import PARTS_MAX
from pos_loyalty.engine.selectors import Selector, names_nothing
from pos_loyalty.engine.table_checks import Fault, life_faults, names_faults, some

SET_UNITS_MAX = 1_000
"""A set of goods of more units than this does not come together in one basket."""
ONE_TIME = 100
NOTHING_OFF = "takes nothing off; leave the effect out"


def effect_faults(effect: Effect, place: str, known: Known) -> Iterator[Fault]:
    """Every fault of one effect; whether it may stand in its rule's stage is asked elsewhere."""
    on = getattr(effect, "on", None)
    if isinstance(on, Selector):
        yield from selector_faults(on, f"{place}.on")
    match effect:
        case Percent() | AmountEach() | FixedPrice():
            yield from _limited_faults(effect, place)
        case Amount():
            yield from some(effect.amount, f"{place}.amount", NOTHING_OFF)
        case NForM() | Bundle() | Gift():
            yield from _set_faults(effect, place)
        case Ladder():
            yield from _ladder_faults(effect, place, known)
        case GivePoints():
            yield from _points_faults(effect, place, known)
        case RedeemFor():
            yield from _redeem_for_faults(effect, place, known)
        case RoundTotal():
            yield from some(effect.step, f"{place}.step", "a step is more than nothing")
            yield from names_faults(effect.tenders, f"{place}.tenders")
        case IssueCoupon():
            yield from _series_faults(effect.series, f"{place}.series", known)
        case Privilege():
            if effect.days is not None and effect.until is not None:
                yield f"{place}.until", "days is given too; a privilege has one end"
        case Message():
            if not effect.text:
                yield f"{place}.text", 'says nothing; give it in "ru", "en" or both'
        case CounterAdd() | TierProgress():
            pass
        case _:
            assert_never(effect)


def _most_faults(effect: Limited | NForM | Bundle | Gift, place: str) -> Iterator[Fault]:
    yield from some(effect.max_amount, f"{place}.max_amount", "with a cap of nothing it takes nothing off; leave the cap out")
    if isinstance(effect, Percent | AmountEach | FixedPrice) and effect.whole and effect.max_amount is None:
        yield f"{place}.whole", "says that the last discount under max_amount is not cut; give max_amount too"


def _limited_faults(effect: Percent | AmountEach | FixedPrice, place: str) -> Iterator[Fault]:
    yield from _most_faults(effect, place)
    match effect:
        case Percent():
            yield from some(effect.percent, f"{place}.percent", f'"0%" {NOTHING_OFF}')
        case AmountEach():
            yield from some(effect.amount, f"{place}.amount", NOTHING_OFF)
        case FixedPrice():
            pass
        case _:
            assert_never(effect)
    per_line, units = effect.max_units_per_line, effect.max_units
    if per_line is not None and units is not None and per_line > units:
        yield f"{place}.max_units_per_line", "is more than max_units, which all lines share"


def _set_faults(effect: NForM | Bundle | Gift, place: str) -> Iterator[Fault]:
    yield from _most_faults(effect, place)
    match effect:
        case NForM():
            yield from some(effect.percent, f"{place}.percent", f'"0%" {NOTHING_OFF}')
            if effect.n == 1:
                yield f"{place}.n", "one unit has no other beside it; give 2 or more"
            elif effect.k >= effect.n:
                yield f"{place}.k", f"{effect.k} of {effect.n} units is all of them; k is less than n"
            yield from _units_fault(effect.n, f"{place}.n")
        case Bundle():
            yield from _wanted_faults(effect.slots, f"{place}.slots")
            yield from _one_of(("fixed", "percent", "amount"), effect, place)
            for word in ("percent", "amount"):
                yield from some(getattr(effect, word), f"{place}.{word}", NOTHING_OFF)
        case Gift():
            yield from _wanted_faults(effect.buy, f"{place}.buy")
            yield from some(effect.percent, f"{place}.percent", f'"0%" {NOTHING_OFF}')
            yield from _units_fault(effect.qty, f"{place}.qty")
        case _:
            assert_never(effect)


def _wanted_faults(wanted: Sequence[Wanted], place: str) -> Iterator[Fault]:
    if not 1 <= len(wanted) <= PARTS_MAX:
        yield place, f"names 1 to {PARTS_MAX} sets of goods; without any it never happens"
    for number, each in enumerate(wanted):
        yield from selector_faults(each.on, f"{place}[{number}].on")
    yield from _units_fault(sum(each.count for each in wanted), place)


def _units_fault(units: int, place: str) -> Iterator[Fault]:
    if units > SET_UNITS_MAX:
        yield place, f"needs {units} units at once, and no basket holds more than {SET_UNITS_MAX} for one offer"


def _one_of(words: Sequence[str], effect: Effect, place: str) -> Iterator[Fault]:
    given = [word for word in words if getattr(effect, word) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        yield place, f"give exactly one of {', '.join(words)}; there is {found}"


def _ladder_faults(ladder: Ladder, place: str, known: Known) -> Iterator[Fault]:
    yield from some(ladder.max_base, f"{place}.max_base", "with nothing to act on it takes nothing off")
    yield from _steps_faults([step.from_ for step in ladder.steps], f"{place}.steps", known)
    if ladder.by == "basket" and ladder.days is not None:
        yield f"{place}.days", 'days count what was bought before: give by = "spent" or "visits", or leave days out'
    if ladder.by == "visits":
        for number, step in enumerate(ladder.steps):
            if money_text(step.from_, known.exponent).partition(".")[2].strip("0"):
                yield f"{place}.steps[{number}].from", "visits are whole numbers"
    for number, step in enumerate(ladder.steps):
        if (step.percent is None) == (step.amount is None):
            yield f"{place}.steps[{number}]", "give either a percent or an amount"
        elif not (step.percent or step.amount):
            yield f"{place}.steps[{number}]", "takes nothing off"


def _steps_faults(starts: Sequence[int], place: str, known: Known) -> Iterator[Fault]:
    if not 1 <= len(starts) <= PARTS_MAX:
        yield place, f"a ladder has 1 to {PARTS_MAX} steps"
    before = -1
    for number, start in enumerate(starts):
        if start <= before:
            shown = money_text(start, known.exponent)
            yield f"{place}[{number}].from", f"{shown} is not more than the step before it; steps rise and do not overlap"
        before = start


def _points_faults(effect: GivePoints, place: str, known: Known) -> Iterator[Fault]:
    given = [word for word in ("rate", "fixed", "multiplier") if getattr(effect, word) is not None]
    given += ["steps"] if effect.steps else []
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        yield place, f"give either a rate, steps, a fixed number or a multiplier, exactly one; there is {found}"
    yield from some(effect.rate, f"{place}.rate", '"0%" gives no points')
    yield from some(effect.fixed, f"{place}.fixed", "gives no points")
    yield from some(effect.max_points, f"{place}.max_points", "with a limit of nothing it gives no points; leave it out")
    if effect.multiplier is not None and effect.multiplier <= ONE_TIME:
        yield f"{place}.multiplier", "a multiplier is more than 1"
    if effect.per == "unit" and effect.fixed is None:
        yield f"{place}.per", "only a fixed number is given by the unit"
    yield from life_faults(effect.lifetime_days, effect.lifetime_months, place)
    if effect.steps:
        yield from _steps_faults([step.from_ for step in effect.steps], f"{place}.steps", known)
        for number, step in enumerate(effect.steps):
            yield from some(step.rate, f"{place}.steps[{number}].rate", '"0%" gives no points')


def _redeem_for_faults(effect: RedeemFor, place: str, known: Known) -> Iterator[Fault]:
    yield from some(effect.points, f"{place}.points", "costs no points; a gift is an effect of stage item")
    yield from _one_of(("on", "amount", "percent", "coupon", "privilege"), effect, place)
    for word in ("amount", "percent"):
        yield from some(getattr(effect, word), f"{place}.{word}", NOTHING_OFF)
    yield from selector_faults(effect.off, f"{place}.off")
    if not names_nothing(effect.off) and effect.amount is None and effect.percent is None:
        yield f"{place}.off", "says which lines an amount or a percent comes off; there is neither"
    if effect.coupon is not None:
        yield from _series_faults(effect.coupon, f"{place}.coupon", known)
    if effect.days is not None and effect.coupon is None and effect.privilege is None:
        yield f"{place}.days", "says how long a coupon or a privilege is good; there is neither"


def _series_faults(series: str, place: str, known: Known) -> Iterator[Fault]:
    if series not in known.series:
        yield place, f'"{series[:64]}" is not among the [[coupon]] series'
