"""Which rules may act together: the groups of a programme, their relations, and the pools of rules that compete for a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pos_loyalty.engine.rules import Relation, Rule, Stage
from pos_loyalty.values import Value

NO_GROUP = ""

Pair = tuple[str, str]
Node = tuple[Stage, str]
"""The rules of one group in one stage."""

ORDER_OF: Mapping[Stage, int] = {"item": 0, "customer": 1, "order": 2, "payment": 3, "points": 4, "act": 5}


class Compatibility(Value):
    """Relations that the programme states, both ways round; groups that win by force."""

    relations: Mapping[Pair, Relation]
    forced: frozenset[str]
    is_exclusive: bool
    """Whether any two rules may exclude one another on the receipt."""


def compatibility_of(stated: Mapping[str, Mapping[str, Relation]], forced: Iterable[str], rules: Sequence[Rule]) -> Compatibility:
    """The stated relations made symmetric. Faults were looked for before."""
    relations: dict[Pair, Relation] = {}
    for one, others in stated.items():
        for other, relation in others.items():
            relations[one, other] = relations[other, one] = relation
    stages: dict[str, set[Stage]] = {}
    for rule in rules:
        stages.setdefault(rule.group or NO_GROUP, set()).add(stage_of(rule))
    return Compatibility(
        relations=relations,
        forced=frozenset(forced),
        is_exclusive=any(_excludes(pair, relation, stages) for pair, relation in relations.items()),
    )


def _excludes(pair: Pair, relation: Relation, stages: Mapping[str, set[Stage]]) -> bool:
    if relation == "exclusive":
        return True
    one, other = stages.get(pair[0], set()), stages.get(pair[1], set())
    return relation == "best_of" and any("order" in (a, b) and a != b for a in one for b in other)


def stage_of(rule: Rule) -> Stage:
    """A rule that takes no money off acts in stage points."""
    return rule.stage or "points"


def relation_of(one: Node, other: Node, relations: Mapping[Pair, Relation]) -> Relation:
    """As stated; else the better acts inside a stage, and stages add up."""
    stated = relations.get((one[1], other[1]))
    if stated is not None:
        return stated
    return "best_of" if one[0] == other[0] else "stack"


def pools_of(rules: Sequence[Rule], relations: Mapping[Pair, Relation]) -> dict[str, int]:
    """Rule id to the number of its pool; pools act in the order of their numbers.

    In stages item and customer a pool is a class of rules of which one acts on a unit; in stage order, one on the receipt.
    """
    nodes: dict[Node, list[Rule]] = {}
    for rule in rules:
        nodes.setdefault((stage_of(rule), rule.group or NO_GROUP), []).append(rule)
    pools: list[list[Rule]] = []
    for joined in _classes(list(nodes), relations):
        if len(joined) == 1 and relation_of(joined[0], joined[0], relations) == "stack":
            pools.extend([rule] for rule in nodes[joined[0]])
        else:
            pools.append([rule for node in joined for rule in nodes[node]])
    pools.sort(key=_rank)
    return {rule.id: number for number, pool in enumerate(pools) for rule in pool}


def _rank(pool: Sequence[Rule]) -> tuple[int, int, str]:
    return min(ORDER_OF[stage_of(rule)] for rule in pool), -max(rule.priority for rule in pool), min(rule.id for rule in pool)


def _classes(nodes: Sequence[Node], relations: Mapping[Pair, Relation]) -> list[list[Node]]:
    """Nodes joined by best_of, where one of them acts on a unit or, inside stage order, on the receipt."""
    label = {node: number for number, node in enumerate(nodes)}
    for i, one in enumerate(nodes):
        for other in nodes[i + 1 :]:
            if _compete(one, other, relations):
                old, new = label[other], label[one]
                label = {node: new if number == old else number for node, number in label.items()}
    classes: dict[int, list[Node]] = {}
    for node in nodes:
        classes.setdefault(label[node], []).append(node)
    return list(classes.values())


def _compete(one: Node, other: Node, relations: Mapping[Pair, Relation]) -> bool:
    on_units = one[0] in ("item", "customer") and other[0] in ("item", "customer")
    return (on_units or one[0] == other[0]) and relation_of(one, other, relations) == "best_of"


def largest_sets(nodes: Sequence[int], rivals: Sequence[frozenset[int]]) -> Iterator[tuple[int, ...]]:
    """Every largest set without two rivals. Source: Bron and Kerbosch (1973), on the graph of those that may go together."""
    stack: list[tuple[tuple[int, ...], frozenset[int], frozenset[int]]] = [((), frozenset(nodes), frozenset())]
    while stack:
        chosen, open_nodes, done = stack.pop()
        if not open_nodes:
            if not done:
                yield chosen
            continue
        pivot = min(open_nodes | done, key=lambda node: (len(open_nodes & rivals[node]), node))
        tried: set[int] = set()
        branches = []
        for node in sorted((open_nodes & rivals[pivot]) | ({pivot} & open_nodes)):
            rest = open_nodes - tried - rivals[node] - {node}
            branches.append(((*chosen, node), rest, frozenset((done | tried) - rivals[node])))
            tried.add(node)
        stack.extend(reversed(branches))
