"""The search in one part: unit after unit, from the dearest on, every offer that may take it or none.

Two beginnings that leave all offers with the same memories have the same future, so only the better one is kept. What is known of
a beginning is the most that it can come to, by the prices of dual.py; at the last unit that is its gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pos_loyalty.engine.dual import Part, Wish
from pos_loyalty.engine.steps import NEVER
from pos_loyalty.engine.tables import Row

NARROWEST = 4
WAYS_PER_NODE = 12
"""A node at a unit that may be used in very many ways counts as several."""

Option = tuple[int, int, list[tuple[int, int, int]]]
"""Loss and change of key when the unit is left alone; (loss, change of key, role) of each way to use it."""


Consumer = tuple[int, int, int, list[Option]]
"""One offer at one unit: its place there, where its memory stands in a key (shift and mask), its options by memory."""


class Found(NamedTuple):
    """The best packing met: its gain; (table, place, role) of units used; the most that others, left out, could gain; nodes."""

    gain: int
    chosen: list[tuple[int, int, int]] | None
    left_out: int
    nodes: int


class Layer(NamedTuple):
    """One unit: the offers that may use it, (table, place) of each, the ways that each usually has, and its price."""

    consumers: list[Consumer]
    places: list[tuple[int, int]]
    loads: list[int]
    price: int


def explore(part: Part, wished: Wish, incumbent: int, nodes: int, width: int | None = None) -> Found:
    """The best packing that gains more than the incumbent; ``chosen`` is None when there is none among those looked at.

    At most ``width`` beginnings are kept for each unit, else as many as the nodes last for.
    """
    layers = _layers(part, wished)
    front = {0: wished.bound}
    came: list[dict[int, tuple[int, int, int]]] = []
    left_out, spent = incumbent, 0
    least = part.reached(incumbent) + part.grain - 1
    for number, layer in enumerate(layers):
        weight = 1 + sum(layer.loads) // WAYS_PER_NODE
        left = (nodes - spent) // weight
        rest = len(layers) - number
        most = left if len(front) + NARROWEST * rest <= left else left // rest
        most = most if width is None else min(most, width)
        if most < 1:
            return Found(incumbent, None, max(left_out, *front.values()), spent)
        if len(front) > most:
            kept = sorted(front.items(), key=lambda one: (-one[1], one[0]))
            left_out = max(left_out, kept[most][1])
            front = dict(kept[:most])
        spent += len(front) * weight
        front, origins = _expand(front, layer, least)
        came.append(origins)
        if not front:
            return Found(incumbent, None, left_out, spent)
    key, gain = max(front.items(), key=lambda one: one[1])
    return Found(gain, _path(came, layers, key), left_out, spent)


def _expand(front: dict[int, int], layer: Layer, least: int) -> tuple[dict[int, int], dict[int, tuple[int, int, int]]]:
    """The beginnings one unit further that can still gain more than ``least``, and where each came from."""
    ahead: dict[int, int] = {}
    came: dict[int, tuple[int, int, int]] = {}
    price = layer.price
    consumers = layer.consumers
    for key, bound in front.items():
        after = key
        using = []
        for number, shift, mask, options in consumers:
            loss, change, ways = options[(key >> shift) & mask]
            bound -= loss
            after += change
            if ways:
                using.append((number, loss, change, ways))
        left_alone = bound - price
        if left_alone > ahead.get(after, least):
            ahead[after] = left_alone
            came[after] = (key, NEVER, 0)
        for number, loss, change, ways in using:
            most = bound + loss
            if most <= least:
                continue
            base = after - change
            for lost, moved, role in ways:
                most_here, there = most - lost, base + moved
                if most_here > ahead.get(there, least):
                    ahead[there] = most_here
                    came[there] = (key, number, role)
    return ahead, came


def _layers(part: Part, wished: Wish) -> list[Layer]:
    """For each unit in turn who may use it, and what each choice loses against the bound."""
    starts, units = [], 0
    layers: list[Layer] = []
    for kind, count in enumerate(part.counts):
        starts.append(units)
        units += count
        layers.extend(Layer([], [], [], wished.prices[kind]) for _ in range(count))
    shift = 0
    for number, (table, kinds) in enumerate(zip(part.tables, part.places, strict=True)):
        bits = max([len(rows) for rows in table.rows]).bit_length()
        mask = (1 << bits) - 1
        ahead = wished.ahead[number]
        for place, kind in enumerate(kinds):
            options = _options(table.rows[place], ahead[place], ahead[place + 1], (shift, wished.prices[kind]))
            layer = layers[starts[kind] + table.units[place][1]]
            layer.consumers.append((len(layer.places), shift, mask, options))
            layer.places.append((number, place))
            rows = table.rows[place]
            layer.loads.append(1 if table.plain[place] is not None else -(-sum([len(ways) for _, ways in rows]) // len(rows)))
        shift += bits
    return layers


def _options(rows: Sequence[Row], here: list[int], after: list[int], at: tuple[int, int]) -> list[Option]:
    shift, price = at
    return [
        (
            best - after[skip],
            (skip - state) << shift,
            [(best - gain + price - after[name], (name - state) << shift, role) for name, gain, role in ways] if ways else [],
        )
        for state, ((skip, ways), best) in enumerate(zip(rows, here, strict=False))
    ]


def _path(came: list[dict[int, tuple[int, int, int]]], layers: list[Layer], key: int) -> list[tuple[int, int, int]]:
    chosen = []
    for origins, layer in zip(reversed(came), reversed(layers), strict=True):
        key, number, role = origins[key]
        if number != NEVER:
            chosen.append((*layer.places[number], role))
    chosen.reverse()
    return chosen
