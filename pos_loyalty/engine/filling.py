"""Units of a basket given to the entries of a set, no unit to two: a matching, so that the first entries are filled first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pos_loyalty.values import Value


class Pile(Value):
    """Units that the same entries want: as bits, one an entry. ``count`` of them are there."""

    wanted_by: int
    count: int


def units_taken(wanted: Sequence[int], piles: Sequence[Pile]) -> list[list[int]]:
    """How many units of each pile every entry gets, the first piles first.

    An entry takes what is free, then makes others give way that find units elsewhere.
    """
    free = [pile.count for pile in piles]
    taken = [[0] * len(piles) for _ in wanted]
    for entry, count in enumerate(wanted):
        missing = count
        for number, pile in enumerate(piles):
            if pile.wanted_by >> entry & 1 and free[number] and missing:
                part = min(missing, free[number])
                free[number] -= part
                taken[entry][number] += part
                missing -= part
        while missing and (part := _shifted(entry, missing, piles, free, taken)):
            missing -= part
    return taken


def _shifted(entry: int, most: int, piles: Sequence[Pile], free: list[int], taken: list[list[int]]) -> int:
    """Move units along the shortest chain of entries that give way to one another; how many the entry got, 0 without a chain."""
    taker_of: dict[int, int] = {}
    gives_at = {entry: -1}
    waiting = [entry]
    for taker in waiting:
        for number, pile in enumerate(piles):
            if number in taker_of or not pile.wanted_by >> taker & 1:
                continue
            taker_of[number] = taker
            if free[number]:
                return _moved(number, most, (taker_of, gives_at), free, taken)
            for other, row in enumerate(taken):
                if row[number] and other not in gives_at:
                    gives_at[other] = number
                    waiting.append(other)
    return 0


def _moved(last: int, most: int, steps: tuple[dict[int, int], dict[int, int]], free: list[int], taken: list[list[int]]) -> int:
    taker_of, gives_at = steps
    chain = [last]
    while (before := gives_at[taker_of[chain[-1]]]) >= 0:
        chain.append(before)
    part = min(most, free[last], *(taken[taker_of[after]][before] for after, before in pairwise(chain)))
    free[last] -= part
    for pile in chain:
        taken[taker_of[pile]][pile] += part
    for after, before in pairwise(chain):
        taken[taker_of[after]][before] -= part
    return part
