"""How an offer may use one unit after another, from the dearest to the cheapest: what it must remember, and what it gains.

Many lists of applications differ only in which companion stands in which group. Remembering how far a group is filled, and no
more, makes them one. A way is (what is remembered next, gain, role); the role tells regroup.py what the unit is used as.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from pos_loyalty.engine.applications import Pool

S = TypeVar("S", bound=Hashable)

NEVER = -1
REWARDED, PAID = 1, 0
GIFT = -1
Slots = Sequence[tuple[frozenset[int], int]]
"""For each slot the kinds that fit, and how many units it takes."""


class Place(NamedTuple):
    """One unit among those that an offer matches: the ``nth`` ``of`` so many of its kind, ``left`` units stand behind it."""

    kind: int
    nth: int
    of: int
    left: int


class Steps(Protocol[S]):
    """What may be done with each unit in turn."""

    start: S

    def skip(self, state: S, place: Place) -> S | None:
        """What is remembered when the offer leaves the unit alone; None when it may not."""

    def ways(self, state: S, place: Place) -> list[tuple[S, int, int]]:
        """The ways to use the unit."""

    def may_end(self, state: S) -> bool:
        """Whether nothing begun is left unfinished after the last unit."""


class Chain:
    """Groups one after another, the units of a group each with its own ``gains`` by kind; at most ``last`` units in all.

    Right for every shape in which the order of its units alone decides their role. ``ends``: positions at which it may end.
    """

    start = 0

    def __init__(self, gains: Sequence[dict[int, int]], last: int | None, ends: Sequence[int]) -> None:
        self.gains, self.size, self.last, self.ends = gains, len(gains), last, frozenset(ends)

    def skip(self, state: int, place: Place) -> int | None:
        return state

    def ways(self, state: int, place: Place) -> list[tuple[int, int, int]]:
        after = state + 1 if self.last is not None else (state + 1) % self.size
        return [(after, self.gains[state % self.size][place.kind], 0)] if state != self.last else []

    def begun(self, state: int) -> int:
        """How many sets are begun and not complete."""
        return 1 if state % self.size else 0

    def may_end(self, state: int) -> bool:
        return state % self.size in self.ends


class CheapestOfGroup:
    """Of each group the cheapest units get ``offs``, in any order of size: (paid units to use, rewards open, groups)."""

    start = (0, 0, 0)

    def __init__(self, offs: dict[int, int], pay: int, k: int, times: int | None, *, is_partial: bool) -> None:
        self.offs, self.pay, self.k, self.times, self.is_partial = offs, pay, k, times, is_partial

    def skip(self, state: tuple[int, int, int], place: Place) -> tuple[int, int, int] | None:
        return state

    def ways(self, state: tuple[int, int, int], place: Place) -> list[tuple[tuple[int, int, int], int, int]]:
        paid, open_, groups = state
        ways = [((paid + 1, open_, groups), 0, PAID)] if paid < self.pay * place.left else []
        if open_:
            ways.append(((paid, open_ - 1, groups), self.offs[place.kind], REWARDED))
        elif paid >= self.pay and groups != self.times:
            begun = groups + (self.times is not None)
            ways.append(((paid - self.pay, self.k - 1, begun), self.offs[place.kind], REWARDED))
        return ways

    def may_end(self, state: tuple[int, int, int]) -> bool:
        return self.is_partial or state[1] == 0


class DearestOfGroup:
    """Of each group the dearest units get ``offs``: (cheaper units still owed, rewards open, groups begun)."""

    start = (0, 0, 0)

    def __init__(self, offs: dict[int, int], pay: int, k: int, times: int | None, *, is_partial: bool) -> None:
        self.offs, self.pay, self.k, self.times, self.is_partial = offs, pay, k, times, is_partial

    def skip(self, state: tuple[int, int, int], place: Place) -> tuple[int, int, int] | None:
        return state if state[0] <= place.left else None

    def ways(self, state: tuple[int, int, int], place: Place) -> list[tuple[tuple[int, int, int], int, int]]:
        owed, open_, groups = state
        ways = []
        if open_:
            ways.append(((owed, open_ - 1, groups), self.offs[place.kind], REWARDED))
        elif groups != self.times and owed + self.pay <= place.left:
            begun = groups + (self.times is not None)
            ways.append(((owed + self.pay, self.k - 1, begun), self.offs[place.kind], REWARDED))
        if owed > self.pay or (owed and (not open_ or self.is_partial)):
            ways.append(((owed - 1, open_ if owed > self.pay else 0, groups), 0, PAID))
        return ways

    def may_end(self, state: tuple[int, int, int]) -> bool:
        return state[0] == 0 and (self.is_partial or state[1] == 0)


class BasketOption:
    """One of several fixed claims, each for so many groups: (groups, -1 undecided; units of this kind taken)."""

    start = (-1, 0)

    def __init__(self, claims: dict[int, dict[int, int]], values: dict[int, int], order: Sequence[int]) -> None:
        self.claims, self.values = claims, values
        self.begins = {groups: next(kind for kind in order if kind in claim) for groups, claim in claims.items()}

    def skip(self, state: tuple[int, int], place: Place) -> tuple[int, int] | None:
        groups, taken = state
        if groups < 0:
            return state
        missing = self.claims[groups].get(place.kind, 0) - taken
        return self._after(groups, taken, place) if missing < place.of - place.nth else None

    def ways(self, state: tuple[int, int], place: Place) -> list[tuple[tuple[int, int], int, int]]:
        groups, taken = state
        if groups < 0:
            begun = [groups for groups, kind in self.begins.items() if kind == place.kind]
            can = [groups for groups in begun if self.claims[groups][place.kind] <= place.of - place.nth]
            return [(self._after(groups, 1, place), self.values[groups], groups) for groups in can]
        if taken < self.claims[groups].get(place.kind, 0):
            return [(self._after(groups, taken + 1, place), 0, groups)]
        return []

    def _after(self, groups: int, taken: int, place: Place) -> tuple[int, int]:
        return groups, 0 if place.nth + 1 == place.of else taken

    def may_end(self, state: tuple[int, int]) -> bool:
        return True


class SlotsFilled:
    """Sets whose units each bring their own gain, and ``whole`` more when complete: (sets done, units in each slot)."""

    def __init__(self, slots: Slots, gains: dict[int, int], whole: int, times: int | None) -> None:
        self.slots, self.gains, self.whole, self.times = slots, gains, whole, times
        self.start: tuple[int, ...] = (0,) * (1 + len(slots))
        self.counts = [count for _, count in slots]
        self.size = sum(self.counts)
        self.has_ones = self.size == len(slots)

    def skip(self, state: tuple[int, ...], place: Place) -> tuple[int, ...] | None:
        return state if self._missing(state) <= place.left else None

    def ways(self, state: tuple[int, ...], place: Place) -> list[tuple[tuple[int, ...], int, int]]:
        ways = []
        for slot, (kinds, _) in enumerate(self.slots):
            if place.kind in kinds:
                after, gain = self._with(state, slot), self.gains[place.kind]
                if all(after[1:]) if self.has_ones else self._holds_a_set(after):
                    after, gain = self._without_a_set(after), gain + self.whole
                if self._missing(after) <= place.left and (self.times is None or self._sets(after) <= self.times):
                    ways.append((after, gain, slot))
        return ways

    def _with(self, state: tuple[int, ...], slot: int) -> tuple[int, ...]:
        return (*state[: slot + 1], state[slot + 1] + 1, *state[slot + 2 :])

    def _holds_a_set(self, state: tuple[int, ...]) -> bool:
        return all(units >= count for units, count in zip(state[1:], self.counts, strict=True))

    def _without_a_set(self, state: tuple[int, ...]) -> tuple[int, ...]:
        filled = [units - count for units, count in zip(state[1:], self.counts, strict=True)]
        return (state[0] + (self.times is not None), *filled)

    def begun(self, state: tuple[int, ...]) -> int:
        return max([-(-units // count) for units, count in zip(state[1:], self.counts, strict=True)])

    def _sets(self, state: tuple[int, ...]) -> int:
        return state[0] + self.begun(state)

    def _missing(self, state: tuple[int, ...]) -> int:
        begun = max(state[1:]) if self.has_ones else self.begun(state)
        return begun * self.size - sum(state[1:])

    def may_end(self, state: tuple[int, ...]) -> bool:
        return True  # a set that cannot be completed any more is no way


class GiftsGiven:
    """Buy goods by slot and gifts, complete groups taken away: (gifts of this kind given, gifts, units in each buy slot)."""

    def __init__(self, slots: Slots, offs: dict[int, int], pool: Pool, qty: int) -> None:
        self.slots, self.offs, self.pool, self.qty = slots, offs, pool.units, qty
        self.start: tuple[int, ...] = (0,) * (2 + len(slots))
        self.is_short = pool.is_short

    def skip(self, state: tuple[int, ...], place: Place) -> tuple[int, ...] | None:
        return self._after(state, place) if self._missing(state) <= place.left else None

    def ways(self, state: tuple[int, ...], place: Place) -> list[tuple[tuple[int, ...], int, int]]:
        ways = []
        if state[0] < self.pool.get(place.kind, 0):
            given = (state[0] + 1, state[1] + 1, *state[2:])
            ways.append((self._after(given, place), self.offs[place.kind], GIFT))
        for slot, (kinds, count) in enumerate(self.slots):
            if place.kind in kinds and state[slot + 2] < count * -(-(state[1] + place.left) // self.qty):
                bought = (*state[: slot + 2], state[slot + 2] + 1, *state[slot + 3 :])
                ways.append((self._after(bought, place), 0, slot))
        return [way for way in ways if self._missing(way[0]) <= place.left]

    def _after(self, state: tuple[int, ...], place: Place) -> tuple[int, ...]:
        while state[1] >= self.qty and all(state[i + 2] >= count for i, (_, count) in enumerate(self.slots)):
            bought = (state[i + 2] - count for i, (_, count) in enumerate(self.slots))
            state = (state[0], state[1] - self.qty, *bought)
        is_last = place.nth + 1 == place.of
        return (0, *state[1:]) if is_last or self.pool.get(place.kind, 0) == place.of else state

    def _missing(self, state: tuple[int, ...]) -> int:
        groups = -(-state[1] // self.qty)
        missing = sum([max(0, groups * count - state[i + 2]) for i, (_, count) in enumerate(self.slots)]) if groups else 0
        return missing + (0 if self.is_short else groups * self.qty - state[1])

    def may_end(self, state: tuple[int, ...]) -> bool:
        return True  # a group that cannot be completed any more is no way


Open = tuple[tuple[int, ...], int]
"""A set begun: units in each slot, and a sum over them."""
Apart = tuple[int, tuple[Open, ...]]
Figures = dict[int, tuple[int, int]]
"""By kind: the gain of a unit, and what it adds to the sum of its set."""
Worth = Callable[[int], int]


class SetsApart:
    """Sets whose worth is known only when they are complete: (sets done, the sets begun).

    Each unit brings its gain at once and adds to the sum of its set; ``worth`` says what a complete set brings more by it. Only
    sums between two bounds matter: those below are worth as much as ``bounds[0]``, those above as much as ``bounds[1]``.
    """

    start: Apart = (0, ())

    def __init__(self, slots: Slots, figures: Figures, worth: Worth, bounds: tuple[int, int], times: int | None) -> None:
        self.slots, self.figures, self.worth, self.bounds, self.times = slots, figures, worth, bounds, times
        self.size = sum(count for _, count in slots)
        self.most = max(more for _, more in figures.values())

    def skip(self, state: Apart, place: Place) -> Apart | None:
        return state if self._missing(state[1]) <= place.left else None

    def ways(self, state: Apart, place: Place) -> list[tuple[Apart, int, int]]:
        done, begun = state
        missing = self._missing(begun)
        can_begin = missing + self.size - 1 <= place.left and (self.times is None or done + len(begun) < self.times)
        can_join = missing - 1 <= place.left
        ways = []
        for number in range(-1 if can_begin else 0, len(begun) if can_join else 0):
            if number > 0 and begun[number] == begun[number - 1]:
                continue
            grown = begun[number] if number >= 0 else ((0,) * len(self.slots), 0)
            rest = begun[:number] + begun[number + 1 :] if number >= 0 else begun
            for slot, (kinds, count) in enumerate(self.slots):
                if place.kind in kinds and grown[0][slot] < count:
                    after, gain = self._after(done, rest, self._with(grown, slot, place.kind))
                    ways.append((after, gain + self.figures[place.kind][0], slot + len(self.slots) * (number + 1)))
        return ways

    def _with(self, grown: Open, slot: int, kind: int) -> Open:
        filled = (*grown[0][:slot], grown[0][slot] + 1, *grown[0][slot + 1 :])
        sum_ = min(grown[1] + self.figures[kind][1], self.bounds[1])
        return filled, 0 if sum_ + self.most * (self.size - sum(filled)) <= self.bounds[0] else sum_

    def _after(self, done: int, rest: tuple[Open, ...], grown: Open) -> tuple[Apart, int]:
        if sum(grown[0]) == self.size:
            return (done + (self.times is not None), rest), self.worth(grown[1])
        return (done, tuple(sorted((*rest, grown)))), 0

    def sets(self, roles: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
        """The units, (kind, 1), of each complete set when the units take these roles one after another."""
        begun: list[tuple[Open, list[tuple[int, int]]]] = []
        whole = []
        for kind, role in roles:
            number, slot = role // len(self.slots) - 1, role % len(self.slots)
            grown, units = begun.pop(number) if number >= 0 else (((0,) * len(self.slots), 0), [])
            grown, units = self._with(grown, slot, kind), [*units, (kind, 1)]
            if len(units) == self.size:
                whole.append(units)
            else:
                begun.append((grown, units))
                begun.sort(key=lambda one: one[0])
        return whole

    def _missing(self, begun: tuple[Open, ...]) -> int:
        return self.size * len(begun) - sum([sum(filled) for filled, _ in begun])

    def begun(self, state: Apart) -> int:
        return len(state[1])

    def may_end(self, state: Apart) -> bool:
        return True  # a set that cannot be completed any more is no way


class WithinMoney:
    """Any steps within so much money in all: (what they remember, their gains so far).

    A gain counts as far as it moves the smaller of the sum and the money, so the last one is cut. ``takes_back``: the most that
    the sets begun can take back when complete; a sum that stays above the money in spite of that is as good as any larger.
    """

    def __init__(self, steps: Steps[Any], money: int, takes_back: Callable[[Any], int], *, is_whole: bool) -> None:
        self.steps, self.money, self.takes_back, self.is_whole = steps, money, takes_back, is_whole
        self.start = (steps.start, 0)

    def skip(self, state: tuple[Any, int], place: Place) -> tuple[Any, int] | None:
        after = self.steps.skip(state[0], place)
        return None if after is None else (after, state[1])

    def ways(self, state: tuple[Any, int], place: Place) -> list[tuple[tuple[Any, int], int, int]]:
        money, before = self.money, min(state[1], self.money)
        ways = []
        for after, gain, role in self.steps.ways(state[0], place):
            most = money + self.takes_back(after)
            given = state[1] + gain
            if given <= most or not self.is_whole:
                ways.append(((after, min(given, most)), min(given, money) - before, role))
        return ways

    def may_end(self, state: tuple[Any, int]) -> bool:
        return self.steps.may_end(state[0]) and (not self.is_whole or state[1] <= self.money)
