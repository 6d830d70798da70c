"""The best way to let offers claim units, with a bound on any: what packing.py asks.

Offers that share no unit are answered apart. In each part prices for the units (dual.py) give the bound; when what the offers
would choose at some prices can be had together it is the best, else exploring.py goes through the units under these prices.
Every offer has a table of its ways (tables.py). Source: docs/adr/0009-exact-search.md
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

from pos_loyalty.engine.answered import taken_before
from pos_loyalty.engine.applications import at_most, joined, unit_of
from pos_loyalty.engine.asking import Asked, alone_and_shared, with_singles
from pos_loyalty.engine.dual import Descent, Loose, Part, Wish, free_wish, is_free_of_conflict
from pos_loyalty.engine.exploring import explore
from pos_loyalty.engine.greedy import Left, alone, by_density, by_value, greedy, in_order, pack_by_priority
from pos_loyalty.engine.packing import Effort, Kind, Offer, Packed, Solved, Taken
from pos_loyalty.engine.regroup import regroup, taken_of
from pos_loyalty.engine.tables import Table, list_generously, list_ways

__all__ = ["alone", "pack", "pack_by_priority"]

FIRST_WIDTH, SECOND_WIDTH = 8, 16
FIRST_PASSES = 10
PASSES_MOST, PASSES_LEAST = 60, 4
WORK = 50_000
"""How many ways all passes may look at."""


class Answer(NamedTuple):
    """What is taken in one part, its gain over the fixed values of its units, and a bound on that."""

    taken: list[Taken]
    gain: int
    bound: int
    nodes: int


def pack(kinds: Sequence[Kind], offers: Sequence[Offer], effort: Effort, before: Solved | None = None) -> Packed:
    """The best packing that the effort finds, the bound that it proves, and whether they are equal.

    What was proven ``before`` of offers that are asked the same again is taken over without any effort.
    """
    asked, rest = with_singles(kinds, offers)
    if not rest:
        return _packed(asked, [], 0, 0)
    answers = []
    if before is not None:
        again, rest = taken_before(asked, rest, before)
        answers.append(_gain_of(asked, again, 0, 0))
    apart, shared = alone_and_shared(asked, rest)
    answers += [_answer_alone(asked, number) for number in apart]
    listed = len(apart)
    tables, loose, size = _tables(asked, shared, max(0, effort.applications - listed))
    parts = sorted(_parts(asked, tables, loose), key=lambda part: (sum(part.counts), part.kinds))
    passes = max(PASSES_LEAST, min(PASSES_MOST, WORK // (size + 1)))
    left = effort.nodes
    for number, part in enumerate(parts):
        answer = _answer(asked, part, left // (len(parts) - number), passes)
        answers.append(answer)
        left -= answer.nodes
    packed = _packed(asked, answers, listed + size, sum(answer.nodes for answer in answers))
    return packed if packed.proven else _at_least_in_turn(packed, kinds, offers)


def _at_least_in_turn(packed: Packed, kinds: Sequence[Kind], offers: Sequence[Offer]) -> Packed:
    """What was found, or what the mode ``priority`` finds when that is more."""
    other = pack_by_priority(kinds, offers)
    if other.value <= packed.value:
        return packed
    return Packed(
        taken=other.taken,
        value=other.value,
        bound=packed.bound,
        proven=other.value == packed.bound,
        applications=packed.applications,
        nodes=packed.nodes,
    )


def _answer_alone(asked: Asked, number: int) -> Answer:
    own = Left(asked.kinds, asked.offers[number], asked.orders[number])
    left = {kind: asked.kinds[kind].count for kind in own.order}
    while (use := own.best(left)) is not None:
        own.use(use, left)
    taken = taken_of(asked.offers[number], number, own.taken)
    gain = sum(one.value for one in taken)
    return Answer(taken, gain, gain, 0)


def _tables(asked: Asked, numbers: Sequence[int], most: int) -> tuple[list[Table], list[int], int]:
    """The tables of offers, those with few units first; the offers for which the effort did not last; how much was listed.

    Each offer gets an even share of what is left. Those that need more are tried again with all that the others left over, and
    at last without some limit of their worth. What is tried in vain is bounded too.
    """
    units = {number: sum([asked.kinds[kind].count for kind in asked.orders[number]]) for number in numbers}
    tables: dict[int, Table] = {}
    tried = dict.fromkeys(numbers, 0)
    size = in_vain = 0
    missing = sorted(numbers, key=units.__getitem__)
    for listing, is_even in ((list_ways, True), (list_ways, False), (list_generously, True)):
        for place, number in enumerate(missing):
            share = (most - size) // (len(missing) - place if is_even else 1)
            if listing is list_ways and (share <= tried[number] or in_vain + share > most * 2):
                continue
            if listing is list_generously:
                share = min(share, most // 4)
            table = listing(asked, number, share)
            if table is None:
                tried[number] += share
                in_vain += share
                continue
            size += table.size
            tables[number] = table
        missing = [number for number in missing if number not in tables]
    listed = [tables[number] for number in numbers if number in tables and tables[number].best > 0]
    return listed, [number for number in numbers if number not in tables], size


def _parts(asked: Asked, tables: Sequence[Table], loose: Sequence[int]) -> list[Part]:
    """Offers joined where they may claim the same kind of unit."""
    shares = {number: _shares(asked, number) for number in loose}
    wants = [list(dict(table.units)) for table in tables]
    wants += [list(shares[number]) for number in loose]
    parts = []
    for members in joined(wants):
        order = asked.dearest_first({kind for member in members for kind in wants[member]})
        place = {kind: i for i, kind in enumerate(order)}
        inside = [tables[member] for member in members if member < len(tables)]
        left_out = [loose[member - len(tables)] for member in members if member >= len(tables)]
        parts.append(
            Part(
                order,
                [asked.kinds[kind].count for kind in order],
                inside,
                [[(place[kind], ways) for (kind, _), ways in zip(table.units, table.ways, strict=True)] for table in inside],
                [Loose(number, [(place[kind], share) for kind, share in shares[number].items()]) for number in left_out],
                1 if left_out or len(inside) == 1 else gcd(*[table.grain() for table in inside]),
            )
        )
    return parts


def _shares(asked: Asked, number: int) -> dict[int, int]:
    shares = at_most(asked.kinds, asked.offers[number])
    return {kind: shares.get(kind, 0) - asked.singles[kind] for kind in sorted(asked.orders[number])}


def _answer(asked: Asked, part: Part, nodes: int, passes: int) -> Answer:
    """The best of one part; what greedy finds is never better than the answer. A part too large to finish begins with greedy."""
    first = free_wish(part)
    start = Answer([], 0, first.bound, 0)
    if is_free_of_conflict(part, first):
        answer = _taken(asked, part, first.chosen, first.bound, 0)
        if answer.gain == answer.bound:
            return answer
    elif part.loose or sum(part.counts) * FIRST_WIDTH * 2 > nodes:
        start = _at_least_greedy(asked, part, start)
    solve = _search_loosely if part.loose else _search
    answer = solve(asked, part, first, start, (nodes, passes))
    return answer if answer.gain == answer.bound or start.taken else _at_least_greedy(asked, part, answer)


def _search(asked: Asked, part: Part, first: Wish, start: Answer, effort: tuple[int, int]) -> Answer:
    """What the offers would choose, when it can be had; a narrow search, better prices, a wider search, and so on.

    ``effort``: nodes, and passes over the prices. A narrow search of a part that the nodes hardly reach through is left out.
    """
    nodes, passes = effort
    best = start
    if is_free_of_conflict(part, first):
        best = _better(best, _taken(asked, part, first.chosen, first.bound, 0))
    descent = Descent(part, first, passes)
    units = sum(part.counts)
    for more, width in ((0, FIRST_WIDTH), (FIRST_PASSES, SECOND_WIDTH), (passes, None)):
        if best.bound <= best.gain or best.nodes >= nodes:
            break
        if width is not None and units * width * 2 > nodes:
            continue
        descent.run(more, best.gain)
        if descent.found is not None and descent.found.gain > best.gain:
            best = _better(best, _taken(asked, part, descent.found.chosen, best.bound, best.nodes))
        bound, spent = part.reached(min(best.bound, descent.best.bound)), best.nodes
        if bound > best.gain:
            found = explore(part, descent.best, best.gain, nodes - spent, width)
            bound, spent = min(bound, max(found.gain, part.reached(found.left_out))), spent + found.nodes
            if found.chosen is not None:
                best = _better(best, _taken(asked, part, found.chosen, bound, spent))
        best = best._replace(bound=max(bound, best.gain), nodes=spent)
    return best


def _better(one: Answer, other: Answer) -> Answer:
    return other if other.gain > one.gain else one


def _search_loosely(asked: Asked, part: Part, first: Wish, start: Answer, effort: tuple[int, int]) -> Answer:
    """Some offers were not listed: the others are searched, and these take what is left."""
    nodes, passes = effort
    descent = Descent(part, first, passes)
    descent.run(passes // 2, start.gain)
    taken: list[Taken] = []
    spent = 0
    for listed in _parts(asked, part.tables, []):
        wished = free_wish(listed)
        nothing = Answer([], 0, wished.bound, 0)
        answer = _search(asked, listed, wished, nothing, (nodes - spent, passes // 2))
        taken.extend(answer.taken)
        spent += answer.nodes
    left = {kind: asked.kinds[kind].count for kind in part.kinds}
    for one in taken:
        for kind, count in one.claimed:
            left[kind] -= count * one.times
    added = greedy(asked.kinds, [(loose.offer, asked.offers[loose.offer]) for loose in part.loose], left, by_value)
    return _better(start, _gain_of(asked, [*taken, *added], descent.best.bound, spent))._replace(
        bound=max(start.gain, descent.best.bound), nodes=spent
    )


def _at_least_greedy(asked: Asked, part: Part, answer: Answer) -> Answer:
    """The answer, or a better one that takes one best application after another."""
    numbers = {table.offer for table in part.tables} | {loose.offer for loose in part.loose}
    offers = [(number, asked.offers[number]) for number in in_order(asked.offers) if number in numbers]
    for better in (by_value,) if part.loose else (by_value, by_density):
        left = {kind: asked.kinds[kind].count for kind in part.kinds}
        answer = _better(answer, _gain_of(asked, greedy(asked.kinds, offers, left, better), answer.bound, answer.nodes))
    return answer


def _taken(asked: Asked, part: Part, chosen: Sequence[tuple[int, int, int]], bound: int, nodes: int) -> Answer:
    roles: dict[int, list[tuple[int, int]]] = {}
    for table, place, role in chosen:
        roles.setdefault(table, []).append((part.tables[table].units[place][0], role))
    taken = []
    for table, used in sorted(roles.items()):
        number = part.tables[table].offer
        applications = regroup(asked.kinds, asked.offers[number], part.tables[table].steps, used)
        taken.extend(taken_of(asked.offers[number], number, applications))
    return _gain_of(asked, taken, bound, nodes)


def _gain_of(asked: Asked, taken: list[Taken], bound: int, nodes: int) -> Answer:
    """An answer with its gain: the value less what the claimed units bring anyway."""
    gain = sum([one.value for one in taken])
    if asked.has_singles:
        singles = asked.singles
        gain -= sum([one.times * count * singles[kind] for one in taken for kind, count in one.claimed])
    return Answer(taken, gain, max(bound, gain), nodes)


def _packed(asked: Asked, answers: Sequence[Answer], listed: int, nodes: int) -> Packed:
    """Everything together, the units that nobody claimed at their fixed values."""
    left = [kind.count for kind in asked.kinds]
    taken = [one for answer in answers for one in answer.taken]
    for one in taken:
        for kind, count in one.claimed:
            left[kind] -= count * one.times
    assert min(left, default=0) >= 0, "a unit was claimed twice"
    for kind, giver in enumerate(asked.givers):
        if giver >= 0 and left[kind] > 0:
            taken.extend(taken_of(asked.offers[giver], giver, [(unit_of(kind, asked.singles[kind]), left[kind])]))
    taken.sort(key=lambda one: (one.offer, -one.value, one.claimed))
    value = sum(one.value for one in taken)
    missed = sum(answer.bound - answer.gain for answer in answers)
    return Packed(taken=tuple(taken), value=value, bound=value + missed, proven=missed == 0, applications=listed, nodes=nodes)
