"""The search in one part: unit after unit, from the dearest on, every offer that may take it or none.

Two beginnings that leave all offers with the same memories have the same future, so only the better one is kept. What is known of
a beginning is the most that it can come to, by the prices of dual.py; at the last unit that is its gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from pos_loyalty.engine.dual import Part, Wish
from pos_loyalty.engine.tables import Either

NARROWEST = 4
WAYS_PER_NODE = 12
"""A node at a unit that may be used in very many ways counts as several."""

Way = tuple[int, int, int, int, int]
"""What a way to use the unit brings more than to leave it alone, the change of key against that; table, place, role."""
Option = tuple[int, int, Way | None]
"""Loss and change of key when the unit is left alone; a way to use it."""
Consumer = tuple[int, int, list[Option]]
"""One offer at one unit: where its memory stands in a key (shift and mask), its options by memory."""
Origin = tuple[int, Way | None]
"""The key one unit before, and the way that the unit was used."""


class Found(NamedTuple):
    """The best packing met: its gain; (table, place, role) of units used; the most that others, left out, could gain; nodes."""

    gain: int
    chosen: list[tuple[int, int, int]] | None
    left_out: int
    nodes: int


class Layer(NamedTuple):
    """One unit: the offers that may use it, how many ways they usually have together, and its price."""

    consumers: list[Consumer]
    load: int
    price: int


def explore(part: Part, wished: Wish, incumbent: int, nodes: int, width: int | None = None) -> Found:
    """The best packing that gains more than the incumbent; ``chosen`` is None when there is none among those looked at.

    At most ``width`` beginnings are kept for each unit, else as many as the nodes last for.
    """
    layers = _layers(part, wished)
    front = {0: wished.bound}
    came: list[dict[int, Origin]] = []
    left_out, spent = incumbent, 0
    least = part.reached(incumbent) + part.grain - 1
    for number, layer in enumerate(layers):
        weight = 1 + layer.load // WAYS_PER_NODE
        left = (nodes - spent) // weight
        rest = len(layers) - number
        most = left if len(front) + NARROWEST * rest <= left else left // rest
        most = most if width is None else min(most, width)
        if most < 1:
            return Found(incumbent, None, max(left_out, *front.values()), spent)
        if len(front) > most:
            kept = sorted(sorted(front.items()), key=itemgetter(1), reverse=True)
            left_out = max(left_out, kept[most][1])
            front = dict(kept[:most])
        spent += len(front) * weight
        front, origins = _expand(front, layer, least)
        came.append(origins)
        if not front:
            return Found(incumbent, None, left_out, spent)
    key, gain = max(front.items(), key=itemgetter(1))
    return Found(gain, _path(came, key), left_out, spent)


def _expand(front: dict[int, int], layer: Layer, least: int) -> tuple[dict[int, int], dict[int, Origin]]:
    """The beginnings one unit further that can still gain more than ``least``, and where each came from."""
    ahead: dict[int, int] = {}
    came: dict[int, Origin] = {}
    consumers, _, price = layer
    for key, bound in front.items():
        after = key
        using = []
        for shift, mask, options in consumers:
            loss, change, way = options[(key >> shift) & mask]
            bound -= loss
            after += change
            if way is not None:
                using.append(way)
        left_alone = bound - price
        if left_alone > ahead.get(after, least):
            ahead[after] = left_alone
            came[after] = (key, None)
        for way in using:
            most = bound + way[0]
            if most > least:
                there = after + way[1]
                if most > ahead.get(there, least):
                    ahead[there] = most
                    came[there] = (key, way)
    return ahead, came


def _layers(part: Part, wished: Wish) -> list[Layer]:
    """For each unit in turn who may use it, and what each choice loses against the bound."""
    starts: list[int] = []
    prices: list[int] = []
    for price, count in zip(wished.prices, part.counts, strict=True):
        starts.append(len(prices))
        prices += [price] * count
    consumers: list[list[Consumer]] = [[] for _ in prices]
    loads = [0] * len(prices)
    shift = 0
    for number, (table, stands) in enumerate(zip(part.tables, part.places, strict=True)):
        bits = max([len(ways[0]) for _, ways in stands]).bit_length()
        mask = (1 << bits) - 1
        here, *aheads = wished.ahead[number]
        for place, ((kind, ways), after, (_, nth)) in enumerate(zip(stands, aheads, table.units, strict=True)):
            unit = starts[kind] + nth
            loads[unit] += table.loads[place]
            stands_here = (number, place, shift, prices[unit])
            consumers[unit].append((shift, mask, _options(ways[0], here, after, stands_here)))
            for each in ways[1:]:
                options = _options(each, here, after, stands_here)
                consumers[unit].append((shift, mask, [(0, 0, way) for _, _, way in options]))
            here = after
        shift += bits
    return [Layer(*each) for each in zip(consumers, loads, prices, strict=True)]


def _options(ways: Sequence[Either], here: list[int], after: list[int], at: tuple[int, int, int, int]) -> list[Option]:
    """What may be done in each memory; a way is left out that leads where to leave the unit alone leads, and brings no more."""
    number, place, shift, price = at
    return [
        (
            best - (left := after[skip]),
            (skip - state) << shift,
            (gain - price + after[name] - left, (name - skip) << shift, number, place, role)
            if name != skip or gain > 0
            else None,
        )
        for state, ((skip, name, gain, role), best) in enumerate(zip(ways, here, strict=False))
    ]


def _path(came: list[dict[int, Origin]], key: int) -> list[tuple[int, int, int]]:
    """(table, place, role) of the units that were used on the way to a key."""
    chosen = []
    for origins in reversed(came):
        key, way = origins[key]
        if way is not None:
            chosen.append(way[2:])
    chosen.reverse()
    return chosen
