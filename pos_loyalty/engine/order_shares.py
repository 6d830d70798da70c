"""What an effect of stage order takes off the receipt, in total and line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from pos_loyalty.engine.effects import Amount, Ladder, OrderMoney, Percent
from pos_loyalty.engine.money import allocate, half_up, whole_in
from pos_loyalty.engine.rules import RoundingTable
from pos_loyalty.values import BP_PER_UNIT, Value


class Share(Value, gc=False):
    """What is to come off: a rate of the lines' money or a sum, at most ``max_amount``."""

    rate_bp: int = 0
    amount_minor: int = 0
    max_amount: int | None = None
    max_base: int | None = None
    is_spread: bool = False
    """What a floor stops of a rate moves to the other lines."""
    is_down: bool = False


def share_of(effect: OrderMoney, reached_minor: int, rounding: RoundingTable) -> Share | None:
    """What an order effect takes off when so much was reached; None when a ladder's first step is not reached."""
    is_spread, is_down = rounding.overflow == "spread", rounding.discount == "down"
    match effect:
        case Percent():
            most = None if effect.max_amount is None else int(effect.max_amount)
            return Share(rate_bp=int(effect.percent), max_amount=most, is_spread=is_spread, is_down=is_down)
        case Amount():
            return Share(amount_minor=int(effect.amount), is_spread=is_spread, is_down=is_down)
        case Ladder():
            step = next((step for step in reversed(effect.steps) if reached_minor >= step.from_), None)
            if step is None:
                return None
            return Share(
                rate_bp=step.percent or 0,
                amount_minor=step.amount or 0,
                max_base=effect.max_base,
                is_spread=is_spread,
                is_down=is_down,
            )
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
    """What comes off in total, rounded once. A percentage stays under each line's room."""
    left, room = lines.left_sum, lines.room_sum
    total = share.amount_minor
    if not total:
        per_minor = _per_minor(share, left)
        exact = left * _weight(share, left) if share.is_spread or left == room else sum(_exact(share, lines))
        total = whole_in(exact, per_minor) if share.is_down else half_up(exact, per_minor)
    if total > room:
        total = room
    most = share.max_amount
    return total if most is None or total < most else most


def off_lines(share: Share, lines: Matched) -> list[int]:
    """What comes off each line: the total, allocated by the exact shares; a sum by what the lines cost."""
    # Without a floor a share of at most 100 % always has room: then the exact shares are as what the lines cost.
    by_cost = share.amount_minor or share.is_spread or lines.left_sum == lines.room_sum
    return allocate(lines.left_minor if by_cost else _exact(share, lines), sum_off(share, lines), lines.rooms_minor)


def _per_minor(share: Share, whole: int) -> int:
    """How much of an exact share is one minor unit."""
    return BP_PER_UNIT if share.max_base is None or whole <= share.max_base else BP_PER_UNIT * whole


def _weight(share: Share, whole: int) -> int:
    return share.rate_bp if share.max_base is None or whole <= share.max_base else share.rate_bp * share.max_base


def _exact(share: Share, lines: Matched) -> list[int]:
    weight, per_minor = _weight(share, lines.left_sum), _per_minor(share, lines.left_sum)
    return [min(left * weight, room * per_minor) for left, room in zip(lines.left_minor, lines.rooms_minor, strict=True)]
