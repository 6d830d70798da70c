"""Every application of every offer of a problem, listed by hand from the words of packing.py: nothing is shared with the engine.

A problem is plain JSON: ``{"kinds": [[price, room, count]], "offers": [{"id", "priority", "times", "money", "is_whole", …}]}``.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any, NamedTuple

Json = dict[str, Any]
Need = tuple[tuple[int, int], ...]


class Choice(NamedTuple):
    """One application: units of each kind, gifts of each kind, its worth, how many groups it is."""

    need: Need
    gifts: Need
    worth: int
    groups: int


class Limits(NamedTuple):
    """All choices of one offer and what binds them together; ``gifts``: how many units of a kind may be given."""

    choices: list[Choice]
    times: int | None
    money: int | None
    is_whole: bool
    is_once: bool
    gifts: dict[int, int]


def limits_of(problem: Json) -> list[Limits]:
    """Every offer of a problem with all that it may do."""
    return [_limits(problem["kinds"], offer) for offer in problem["offers"]]


def answer_lines(solve: Callable[[Json], int]) -> None:
    """Read a problem a line, write its optimum a line, and nothing else: what a solver says of itself goes where errors go."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            print(json.dumps(solve(json.loads(line))), file=answers, flush=True)


def _limits(kinds: list[list[int]], offer: Json) -> Limits:
    gifts: dict[int, int] = {}
    if offer["form"] == "each":
        found = [Choice(((kind, 1),), (), value, 1) for kind, value in offer["values"] if kinds[kind][2]]
    elif offer["form"] == "group":
        found = list(_baskets(kinds, offer) if offer["is_basket"] else _groups(kinds, offer))
    elif offer["form"] == "set":
        found = list(_sets(kinds, offer))
    else:
        gifts, short = _pool(kinds, offer)
        found = list(_gifts(kinds, offer, gifts, short))
    best: dict[tuple[Need, Need], Choice] = {}
    for choice in found:
        key = (choice.need, choice.gifts)
        if choice.worth > 0 and (key not in best or best[key].worth < choice.worth):
            best[key] = choice
    is_once = offer["form"] == "group" and offer["is_basket"]
    return Limits(list(best.values()), offer["times"], offer["money"], offer["is_whole"], is_once, gifts)


def _units(kinds: list[list[int]], numbers: list[int]) -> list[int]:
    """Each unit by its kind, from the dearest to the cheapest; of equal prices the larger number is dearer."""
    return [kind for kind in sorted(numbers, key=lambda n: (kinds[n][0], n), reverse=True) for _ in range(kinds[kind][2])]


def _off(kind: list[int], rate_bp: int) -> int:
    return min(kind[0] * rate_bp // 10_000, kind[1])


def _need(units: tuple[int, ...] | list[int]) -> Need:
    return tuple(sorted(Counter(units).items()))


def _picks(units: list[int], count: int) -> set[tuple[int, ...]]:
    return set(combinations(units, count))


def _groups(kinds: list[list[int]], offer: Json) -> Iterator[Choice]:
    n, k, rate_bp = offer["n"], offer["k"], offer["rate_bp"]
    for size in range(n - k + 1 if offer["is_partial"] else n, n + 1):
        for group in _picks(_units(kinds, offer["kinds"]), size):
            rewarded = group[: size - (n - k)] if offer["is_dearest"] else group[n - k :]
            yield Choice(_need(group), (), sum(_off(kinds[kind], rate_bp) for kind in rewarded), 1)


def _baskets(kinds: list[list[int]], offer: Json) -> Iterator[Choice]:
    units = _units(kinds, offer["kinds"])
    n, k = offer["n"], offer["k"]
    for groups in range(1, len(units) // n + 1):
        if offer["is_dearest"]:
            rewarded, others = units[: k * groups], units[k * groups :]
        else:
            rewarded, others = units[len(units) - k * groups :], units[: len(units) - k * groups]
        worth = sum(_off(kinds[kind], offer["rate_bp"]) for kind in rewarded)
        yield Choice(_need(rewarded + others[: (n - k) * groups]), (), worth, groups)


def _sets(kinds: list[list[int]], offer: Json) -> Iterator[Choice]:
    present = [kind for kind in range(len(kinds)) if kinds[kind][2]]
    for picked in _slot_picks(kinds, offer["slots"]):
        price = sum(kinds[kind][0] for kind in picked)
        room = sum(kinds[kind][1] for kind in picked)
        assert set(picked) <= set(present)
        if offer["rate_bp"] is not None:
            worth = sum(_off(kinds[kind], offer["rate_bp"]) for kind in picked)
        elif offer["fixed"] is not None:
            worth = min(max(0, price - offer["fixed"]), room)
        else:
            worth = min(offer["amount"], price, room)
        yield Choice(_need(picked), (), worth, 1)


def _slot_picks(kinds: list[list[int]], slots: list[Json]) -> Iterator[tuple[int, ...]]:
    """One pick for each slot, together no more than there are."""
    each = [sorted(_picks(_units(kinds, slot["kinds"]), slot["count"])) for slot in slots]
    for picks in product(*each):
        picked = tuple(kind for pick in picks for kind in pick)
        if all(count <= kinds[kind][2] for kind, count in Counter(picked).items()):
            yield picked


def _pool(kinds: list[list[int]], offer: Json) -> tuple[dict[int, int], bool]:
    """The gifts that may be given, and whether they run short: as many buy groups as leave a gift for the last one."""
    pool: dict[int, int] = {}
    short = False
    groups = 1
    while offer["times"] is None or groups <= offer["times"]:
        aside = _set_aside(kinds, offer, groups)
        left = [] if aside is None else _without([kind for kind in offer["gifts"] for _ in range(kinds[kind][2])], aside)
        if len(left) <= (groups - 1) * offer["qty"]:
            break
        pool = dict(Counter(left[: groups * offer["qty"]]))
        short = len(left) < groups * offer["qty"]
        groups += 1
    return pool, short


def _without(units: list[int], gone: list[int]) -> list[int]:
    left = list(units)
    for kind in gone:
        if kind in left:
            left.remove(kind)
    return left


def _set_aside(kinds: list[list[int]], offer: Json, groups: int) -> list[int] | None:
    """Buy goods for so many groups: what cannot be a gift first, then the dearest; unit by unit as long as all can be seated."""
    seats = [set(slot["kinds"]) for slot in offer["buy"] for _ in range(slot["count"] * groups)]
    wanted = sorted({kind for slot in offer["buy"] for kind in slot["kinds"]})
    units = _units(kinds, [kind for kind in wanted if kind not in offer["gifts"]])
    units += _units(kinds, [kind for kind in wanted if kind in offer["gifts"]])
    seated: dict[int, int] = {}

    def seat(unit: int, tried: set[int]) -> bool:
        for number, fits in enumerate(seats):
            if units[unit] in fits and number not in tried:
                tried.add(number)
                if number not in seated or seat(seated[number], tried):
                    seated[number] = unit
                    return True
        return False

    for unit in range(len(units)):
        if len(seated) < len(seats):
            seat(unit, set())
    return [units[unit] for unit in seated.values()] if len(seated) == len(seats) else None


def _gifts(kinds: list[list[int]], offer: Json, pool: dict[int, int], short: bool) -> Iterator[Choice]:
    units = [kind for kind, count in pool.items() for _ in range(count)]
    for size in range(1 if short else offer["qty"], offer["qty"] + 1):
        for given in sorted(_picks(units, size)):
            worth = sum(_off(kinds[kind], offer["rate_bp"]) for kind in given)
            for bought in _slot_picks(kinds, offer["buy"]):
                both = Counter(given) + Counter(bought)
                if all(count <= kinds[kind][2] for kind, count in both.items()):
                    yield Choice(tuple(sorted(both.items())), _need(given), worth, 1)
