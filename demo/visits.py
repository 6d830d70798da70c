"""Who comes to the till, and what happens: one visit for each basket."""

from __future__ import annotations

from typing import Literal

from demo.shop import SALES
from pos_loyalty.values import Value

CUT_BEFORE, MENDED_BEFORE = 9, 18
"""The network is away from the visit of the first number until before that of the second."""

NO_CARD = frozenset({4, 9, 13, 17, 22})
CANCELLED = 12
VOIDED = 21
POSTED_TWICE = 15
IN_ONE_STEP = 3
"""Every third sale is authorised and completed by one call."""
MEMBERS = {11: 9, 14: 11}
"""Who comes again: the card of the same member as at another visit (from 0)."""


class Visit(Value):
    """One visit. ``member`` is a place in the list of members; the card is on a picture or goes through the scanner."""

    number: int
    member: int | None
    source: Literal["scan", "picture", "none"]
    in_one_step: bool
    end: Literal["completed", "cancelled", "voided"]
    is_posted_twice: bool


def visits(count: int = SALES) -> tuple[Visit, ...]:
    """The visits of the day, in order."""
    return tuple(_visit(number) for number in range(1, count + 1))


def _visit(number: int) -> Visit:
    has_card = number not in NO_CARD
    cards_before = sum(1 for earlier in range(1, number) if earlier not in NO_CARD)
    return Visit(
        number=number,
        member=MEMBERS.get(number, number - 1) if has_card else None,
        source="none" if not has_card else "picture" if cards_before % 2 else "scan",
        in_one_step=number % IN_ONE_STEP == 0 and number != CANCELLED,
        end="cancelled" if number == CANCELLED else "voided" if number == VOIDED else "completed",
        is_posted_twice=number == POSTED_TWICE,
    )
