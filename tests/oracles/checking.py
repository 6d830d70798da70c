"""What a packing must be, whatever its value: every use one of the listed applications, within units, times and money."""

from __future__ import annotations

from collections import Counter

from pos_loyalty.engine.packing import Packed, Taken
from tests.oracles.listing import Choice, Json, Limits, limits_of


def faults_of(problem: Json, packed: Packed) -> list[str]:
    """What is wrong with a packing; nothing when it can be had and is worth what it says."""
    faults = []
    used: Counter[int] = Counter()
    for one in packed.taken:
        for kind, count in one.claimed:
            used[kind] += count * one.times
    faults += [f"kind {kind} claimed {count} times" for kind, count in used.items() if count > problem["kinds"][kind][2]]
    if packed.value != sum(one.value for one in packed.taken):
        faults.append("the value is not the sum")
    if not packed.value <= packed.bound or packed.proven != (packed.value == packed.bound and packed.proven):
        faults.append("the bound is below the value")
    for number, limits in enumerate(limits_of(problem)):
        mine = [one for one in packed.taken if one.offer == number]
        if mine:
            faults += [f"offer {number}: {fault}" for fault in _faults_of_one(mine, limits)]
    return faults


def _faults_of_one(taken: list[Taken], limits: Limits) -> list[str]:
    faults = []
    given: Counter[int] = Counter()
    worth = 0
    if any(one.value <= 0 for one in taken):
        faults.append("a use is worth nothing")
    if limits.is_once:
        return faults + _faults_of_option(taken, limits)
    for one in taken:
        gifts = tuple((kind, count) for kind, count, _ in one.parts)
        choices = [
            choice for choice in limits.choices if choice.need == one.claimed and (not limits.gifts or _gives(choice, gifts))
        ]
        if not choices:
            faults.append(f"{one.claimed} is none of its applications")
            continue
        for kind, count in gifts:
            given[kind] += count * one.times
        best = max(choice.worth for choice in choices)
        worth += best * one.times
        if one.value > best * one.times or (limits.money is None and one.value != best * one.times):
            faults.append(f"{one.claimed} is not worth {one.value}")
        if one.parts and sum(count * off for _, count, off in one.parts) != best:
            faults.append(f"the parts of {one.claimed} do not make it up")
    value = sum(one.value for one in taken)
    if limits.times is not None and sum(one.times for one in taken) > limits.times:
        faults.append("acts too often")
    if limits.money is not None and value != (worth if limits.is_whole else min(worth, limits.money)):
        faults.append("the money is not what was to be given")
    if limits.money is not None and value > limits.money:
        faults.append("gives too much money")
    faults += [f"gives {kind} too often" for kind, count in given.items() if limits.gifts and count > limits.gifts.get(kind, 0)]
    return faults


def _gives(choice: Choice, gifts: tuple[tuple[int, int], ...]) -> bool:
    """Whether an application gives these gifts; a gift that nothing comes off is not among the parts."""
    counts = dict(choice.gifts)
    return all(counts.get(kind, 0) >= count for kind, count in gifts)


def _faults_of_option(taken: list[Taken], limits: Limits) -> list[str]:
    """A basket option comes as its groups; those that nothing comes off are left out."""
    claimed: Counter[int] = Counter()
    for one in taken:
        for kind, count in one.claimed:
            claimed[kind] += count * one.times
    value = sum(one.value for one in taken)
    times = sum(one.times for one in taken)
    for option in limits.choices:
        worth = option.worth if limits.money is None else min(option.worth, limits.money)
        if value == worth and times <= option.groups and all(dict(option.need).get(kind, 0) >= n for kind, n in claimed.items()):
            return [] if limits.times is None or option.groups <= limits.times else ["acts too often"]
    return ["no option of the basket"]
