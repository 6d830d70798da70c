"""Who gives points on a kind of lines: rules that compete stand in one pool, of which the best acts; pools add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.compatibility import Pair
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.rules import Relation
from pos_loyalty.values import Value


class Giver(Value, gc=False):
    """A rule that gives by a figure on some kinds of lines: a rate in basis points, or hundredths of one time."""

    rule: ReadyRule
    figure: int
    kinds: Sequence[int]


class Pool(Value, gc=False):
    """Rules of which one acts on a kind: all of them, and the one that acts by kind."""

    givers: Sequence[Giver]
    best: Mapping[int, Giver]


class Lost(Value, gc=False):
    """A rule that a better one kept from giving, and the exact share it lost by."""

    rule: str
    by: str
    exact: int


def pools_on(givers: Sequence[Giver], relations: Mapping[Pair, Relation]) -> list[Pool]:
    """The pools of givers sorted by id, and the best of each on every kind: the larger figure, then the higher priority."""
    if not givers:
        return []
    competing = [givers] if "stack" not in relations.values() else _competing(givers, relations)
    return [Pool(givers=pool, best=_best(pool)) for pool in competing]


def _competing(givers: Sequence[Giver], relations: Mapping[Pair, Relation]) -> list[list[Giver]]:
    """Groups that do not stack, joined; a group that stacks with itself and with all others is as many pools as it has rules."""
    groups = sorted({giver.rule.group for giver in givers})
    label = {group: number for number, group in enumerate(groups)}
    for i, one in enumerate(groups):
        for other in groups[i + 1 :]:
            if relations.get((one, other)) != "stack":
                old, new = label[other], label[one]
                label = {group: new if number == old else number for group, number in label.items()}
    pools: dict[tuple[int, str], list[Giver]] = {}
    for giver in givers:
        mine = giver.rule.group
        is_joined = sum(label[group] == label[mine] for group in groups) > 1
        adds = not is_joined and relations.get((mine, mine)) == "stack"
        pools.setdefault((label[mine], giver.rule.id if adds else ""), []).append(giver)
    return [pools[key] for key in sorted(pools)]


def _best(givers: Sequence[Giver]) -> dict[int, Giver]:
    best: dict[int, Giver] = {}
    for giver in givers:
        for kind in giver.kinds:
            before = best.get(kind)
            if before is None or (giver.figure, giver.rule.priority) > (before.figure, before.rule.priority):
                best[kind] = giver
    return best


def lost_in(pools: Sequence[Pool], bases: Sequence[int] | Mapping[int, int], times: int) -> list[Lost]:
    """Rules that only give points and won no kind although another did on goods of theirs.

    ``bases`` × ``times``: the exact share that one of a figure gives, by kind.
    """
    lost = []
    for pool in pools:
        if len(pool.givers) == 1:
            continue
        best = pool.best
        winners = {giver.rule.id for giver in best.values()}
        for giver in pool.givers:
            if giver.rule.id in winners or giver.rule.money:
                continue
            by: dict[str, int] = {}
            for kind in giver.kinds:
                winner = best[kind]
                by[winner.rule.id] = by.get(winner.rule.id, 0) + bases[kind] * (winner.figure - giver.figure)
            if by:
                most = min(by, key=lambda rule: (-by[rule], rule))
                lost.append(Lost(rule=giver.rule.id, by=most, exact=sum(by.values()) * times))
    return lost
