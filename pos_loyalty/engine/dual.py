"""An upper bound by prices: each kind of units is given a price, each offer then chooses for itself what it would buy.

For any prices >= 0 the money for all units plus what every offer gains over its prices is at least what any packing gains. The
prices are moved against what is wanted too often or left over; whole numbers throughout, and no search for the best step.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from pos_loyalty.engine.tables import LOST, Either, Table

STEP_UNITS = 1000
PATIENCE = 3
MEMORY, KEPT = 100, 50

Stand = tuple[int, list[list[Either]]]
"""One place of an offer: the number of its kind in the part, and the ways there."""
Ahead = list[list[int]]
"""What an offer can still gain over the prices, by place and what it remembers; at the end, where NEVER points to, LOST."""


class Loose(NamedTuple):
    """An offer that was not listed: no application is worth more than ``shares`` of its units together (by place in the part)."""

    offer: int
    shares: list[tuple[int, int]]


class Part(NamedTuple):
    """Offers that compete with one another: the kinds, dearest first, how many units of each; the offers' tables.

    ``places``: for each table what stands in its places. ``grain``: a divisor of whatever can be gained.
    """

    kinds: list[int]
    counts: list[int]
    tables: list[Table]
    places: list[list[Stand]]
    loose: list[Loose]
    grain: int

    def reached(self, bound: int) -> int:
        """The most that can be gained when it is not more than this."""
        return bound - bound % self.grain


class Wish(NamedTuple):
    """What the offers would choose at these prices. ``chosen``: (table, place, role); ``used``: units wanted of each kind."""

    prices: list[int]
    ahead: list[Ahead]
    bound: int
    chosen: list[tuple[int, int, int]]
    used: list[int]
    gain: int


def free_wish(part: Part) -> Wish:
    """What each offer would choose if units cost nothing, and the bound that this is."""
    return _wish(part, [0] * len(part.kinds), [table.ahead for table in part.tables])


def wish(part: Part, prices: list[int]) -> Wish:
    """The bound at these prices, and what each offer would choose."""
    return _wish(part, prices, [_ahead(stands, prices) for stands in part.places])


def _wish(part: Part, prices: list[int], aheads: list[Ahead]) -> Wish:
    bound = sum(map(mul, prices, part.counts))
    used = [0] * len(prices)
    chosen, gained = [], 0
    for number, ahead in enumerate(aheads):
        here = ahead[0]
        if not here[0]:
            continue
        bound += here[0]
        state = 0
        for place, (kind, ways) in enumerate(part.places[number]):
            best, here = here[state], ahead[place + 1]
            skip = ways[0][state][0]
            if here[skip] == best:
                state = skip
                continue
            best += prices[kind]
            for each in ways:
                _, name, gain, role = each[state]
                if gain + here[name] == best:
                    state = name
                    used[kind] += 1
                    gained += gain
                    chosen.append((number, place, role))
                    break
    for loose in part.loose:
        for kind, share in loose.shares:
            if share > prices[kind]:
                bound += (share - prices[kind]) * part.counts[kind]
                used[kind] += part.counts[kind]
    return Wish(prices, aheads, bound, chosen, used, gained)


def _ahead(stands: Sequence[Stand], prices: Sequence[int]) -> Ahead:
    after = [0, LOST]
    ahead = [after]
    for kind, ways in reversed(stands):
        price = prices[kind]
        here = [
            most if (most := gain + after[name] - price) > (least := after[skip]) else least for skip, name, gain, _ in ways[0]
        ]
        if len(ways) > 1:
            for each in ways[1:]:
                here = [max(best, gain + after[name] - price) for best, (_, name, gain, _) in zip(here, each, strict=True)]
        here.append(LOST)
        ahead.append(here)
        after = here
    ahead.reverse()
    return ahead


def is_free_of_conflict(part: Part, wished: Wish) -> bool:
    """Whether what the offers would choose can be had together."""
    return not part.loose and all(used <= count for used, count in zip(wished.used, part.counts, strict=True))


class Descent:
    """The state of the prices between rounds: the best bound so far, the last prices, the last direction."""

    def __init__(self, part: Part, first: Wish, most: int) -> None:
        self.part, self.best, self.last = part, first, first
        self.direction = [0] * len(first.prices)
        self.step, self.stale, self.passes = STEP_UNITS, 0, 0
        self.most, self.gained = most, 0
        self.found: Wish | None = None

    def run(self, passes: int, incumbent: int) -> None:
        """At most so many passes; ``found`` is the best choice met that can be had and gains more than the incumbent."""
        self.gained = max(self.gained, incumbent)
        for _ in range(min(passes, self.most - self.passes)):
            if self.part.reached(self.best.bound) <= self.gained:
                return
            self.passes += 1
            prices = self._moved()
            if prices == self.last.prices:
                self.passes = self.most
                return
            self.last = wish(self.part, prices)
            if self.last.bound < self.best.bound:
                self.best, self.stale = self.last, 0
            else:
                self.stale += 1
                if self.stale >= PATIENCE:
                    self.step, self.stale = self.step * 7 // 10, 0
            if self.last.gain > self.gained and is_free_of_conflict(self.part, self.last):
                self.found, self.gained = self.last, self.last.gain

    def _moved(self) -> list[int]:
        """A step against what is left over, half of the last direction kept, as long as the gap to what is gained asks for."""
        over = [count - used for count, used in zip(self.part.counts, self.last.used, strict=True)]
        self.direction = [MEMORY * one + old * KEPT // MEMORY for one, old in zip(over, self.direction, strict=True)]
        length = sum(one * one for one in self.direction)
        if not length:
            return self.last.prices
        step = self.step * (self.best.bound - self.gained) * MEMORY // STEP_UNITS
        return [max(0, price - step * one // length) for price, one in zip(self.last.prices, self.direction, strict=True)]
