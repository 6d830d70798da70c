"""What simpler engines do: one application after another, the most valuable first, the densest first, or offer by offer."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracles.listing import Choice, Json, Limits, limits_of


class Tried(NamedTuple):
    """An application and whose it is, with all that decides its turn."""

    offer: int
    rank: int
    choice: Choice


def by_value(problem: Json) -> int:
    """The most valuable application first."""
    tried = _tried(problem)
    tried.sort(key=lambda one: (-one.choice.worth, one.rank, one.choice.need))
    return _packed(problem, tried)


def by_density(problem: Json) -> int:
    """The most valuable for each unit first; the sort key is exact because sizes are small."""
    tried = _tried(problem)
    tried.sort(key=lambda one: (-one.choice.worth * 27_720 // _size(one.choice), one.rank, one.choice.need))
    return _packed(problem, tried)


def by_priority(problem: Json) -> int:
    """Offer by offer, its most valuable application first."""
    tried = _tried(problem)
    tried.sort(key=lambda one: (one.rank, -one.choice.worth, one.choice.need))
    return _packed(problem, tried)


def _size(choice: Choice) -> int:
    return sum(count for _, count in choice.need)


def _tried(problem: Json) -> list[Tried]:
    offers = problem["offers"]
    order = sorted(range(len(offers)), key=lambda number: (-offers[number]["priority"], offers[number]["id"]))
    rank = {number: place for place, number in enumerate(order)}
    return [Tried(number, rank[number], choice) for number, one in enumerate(limits_of(problem)) for choice in one.choices]


def _packed(problem: Json, tried: list[Tried]) -> int:
    """The value of taking applications in this order as often as each fits."""
    left = [count for _, _, count in problem["kinds"]]
    limits: list[Limits] = limits_of(problem)
    times = [one.times for one in limits]
    money = [one.money for one in limits]
    gifts = [dict(one.gifts) for one in limits]
    over: set[int] = set()
    value = 0
    for number, _, choice in tried:
        while number not in over and all(left[kind] >= count for kind, count in choice.need):
            mine, allowed = times[number], money[number]
            if mine is not None and mine < choice.groups:
                break
            if allowed is not None and (allowed == 0 or (limits[number].is_whole and choice.worth > allowed)):
                break
            if any(gifts[number].get(kind, 0) < count for kind, count in choice.gifts):
                break
            for kind, count in choice.need:
                left[kind] -= count
            for kind, count in choice.gifts:
                gifts[number][kind] -= count
            gained = choice.worth if allowed is None else min(choice.worth, allowed)
            value += gained
            money[number] = None if allowed is None else allowed - gained
            times[number] = None if mine is None else mine - choice.groups
            if limits[number].is_once:
                over.add(number)
    return value
