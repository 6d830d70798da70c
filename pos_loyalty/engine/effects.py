"""The *then* of a rule: each effect as data, and what an order effect takes off which line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, assert_never

from msgspec import Meta, field

from pos_loyalty.engine.conditions import Base
from pos_loyalty.engine.figures import MoneyFigure, MultiplierFigure, RateFigure
from pos_loyalty.engine.money import allocate, half_up
from pos_loyalty.engine.selectors import ALL, Selector
from pos_loyalty.values import BP_PER_UNIT, Value

DAYS_MAX = 36_500
Days = Annotated[int, Meta(ge=0, le=DAYS_MAX)]


class Percent(Value, tag_field="do", tag="percent"):
    """A share off matching lines. ``max_amount`` caps the whole, in stage order only."""

    percent: RateFigure
    on: Selector = ALL
    max_amount: MoneyFigure | None = None


class Amount(Value, tag_field="do", tag="amount"):
    """A sum off the matching lines together; never more than they cost."""

    amount: MoneyFigure
    on: Selector = ALL


class Step(Value):
    """From this much on: a share, or a sum."""

    from_: MoneyFigure = field(name="from")
    percent: RateFigure | None = None
    amount: MoneyFigure | None = None


class Ladder(Value, tag_field="do", tag="ladder"):
    """The highest step reached acts on the whole matching amount, on at most ``max_base`` of it."""

    steps: tuple[Step, ...]
    on: Selector = ALL
    max_base: MoneyFigure | None = None
    base: Base = "list"


class GivePoints(Value, tag_field="do", tag="points"):
    """Points on money paid for matching lines: a ``rate`` of it, or a ``multiplier`` of what other rules give."""

    rate: RateFigure | None = None
    multiplier: MultiplierFigure | None = None
    on: Selector = ALL
    delay_days: Days | None = None
    lifetime_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


Effect = Percent | Amount | Ladder | GivePoints


class Act(Value):
    """An effect made ready: the number of its selector."""

    effect: Effect
    selector: int


class Share(Value):
    """What is to come off: a rate of the lines' money or a sum, at most ``max_amount``."""

    rate_bp: int = 0
    amount_minor: int = 0
    max_amount: int | None = None
    max_base: int | None = None


def share_of(effect: Effect, reached_minor: int) -> Share | None:
    """What an order effect takes off when so much was reached; None when a ladder's first step is not reached."""
    match effect:
        case Percent():
            return Share(rate_bp=effect.percent, max_amount=effect.max_amount)
        case Amount():
            return Share(amount_minor=effect.amount)
        case Ladder():
            step = next((step for step in reversed(effect.steps) if reached_minor >= step.from_), None)
            if step is None:
                return None
            return Share(rate_bp=step.percent or 0, amount_minor=step.amount or 0, max_base=effect.max_base)
        case GivePoints():
            return Share()
        case _:
            assert_never(effect)


class Matched(Value, gc=False):
    """Money of the lines that an effect is about: what is left of each, how much of it may come off, and their sums."""

    left_minor: Sequence[int]
    rooms_minor: Sequence[int]
    left_sum: int
    room_sum: int


def matched(left_minor: Sequence[int], rooms_minor: Sequence[int]) -> Matched:
    """With the sums made."""
    return Matched(left_minor=left_minor, rooms_minor=rooms_minor, left_sum=sum(left_minor), room_sum=sum(rooms_minor))


def sum_off(share: Share, lines: Matched) -> int:
    """What comes off in total, rounded half up once. A percentage stays under each line's room."""
    if share.amount_minor:
        return min(share.amount_minor, lines.room_sum)
    # Without a floor a share of at most 100 % always has room.
    has_floors = lines.left_sum != lines.room_sum
    exact = sum(_exact(share, lines)) if has_floors else lines.left_sum * _weight(share, lines.left_sum)
    total = half_up(exact, _per_minor(share, lines.left_sum))
    return total if share.max_amount is None else min(total, share.max_amount)


def off_lines(share: Share, lines: Matched) -> list[int]:
    """What comes off each line: the total, allocated by the exact shares; a sum by what the lines cost."""
    weights = lines.left_minor if share.amount_minor else _exact(share, lines)
    return allocate(weights, sum_off(share, lines), lines.rooms_minor)


def _per_minor(share: Share, whole: int) -> int:
    """How much of an exact share is one minor unit."""
    return BP_PER_UNIT * whole if share.max_base is not None and whole > share.max_base else BP_PER_UNIT


def _weight(share: Share, whole: int) -> int:
    return share.rate_bp * share.max_base if share.max_base is not None and whole > share.max_base else share.rate_bp


def _exact(share: Share, lines: Matched) -> list[int]:
    weight, per_minor = _weight(share, lines.left_sum), _per_minor(share, lines.left_sum)
    return [min(left * weight, room * per_minor) for left, room in zip(lines.left_minor, lines.rooms_minor, strict=True)]
