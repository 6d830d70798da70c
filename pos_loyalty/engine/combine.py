"""Which rules act together on a receipt: every choice between rules that exclude one another is tried, the lowest total wins.

Inside one scenario the stages run in their order. A scenario is a largest set of rules without an exclusive pair and without two
rules of which only one may act on the receipt. Source: the shop's matrix of groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from msgspec.structs import replace

from pos_loyalty.engine.compatibility import Compatibility, largest_sets, relation_of
from pos_loyalty.engine.lines import room_of
from pos_loyalty.engine.model import Beaten
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.packing import Effort
from pos_loyalty.engine.question import Question
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.reasons_of import bound_of
from pos_loyalty.engine.situation import Lack, Situation
from pos_loyalty.engine.stages import Noted, Priced, held_of, price
from pos_loyalty.values import Minor, Value

SCENARIOS_MAX, SCENARIOS_LEAST = 256, 8
WORK = 30_000
"""Lines times rules that all scenarios of a quote may look at, so that a large basket under many choices still takes no time."""
ON_PRICE = ("item", "customer", "order")


class Scenarios(Value):
    """Sets of node numbers that may act together, and whether these are all of them."""

    sets: tuple[tuple[int, ...], ...]
    is_whole: bool


class Tried(Value):
    """One scenario and what it came to."""

    rules: tuple[ReadyRule, ...]
    priced: Priced


def best_price(candidates: Sequence[ReadyRule], situation: Situation, question: Question, effort: Effort) -> Priced:
    """Price the receipt under the best scenario: the lowest total, then fewer rules, then higher priority, then by ids."""
    search = question.programme.search
    noted = Noted(lacks={}, pools={})
    if not question.programme.compatibility.is_exclusive:
        return price(candidates, situation, question, effort, noted)
    may_act = _may_act(candidates, situation, question, noted.lacks)
    nodes = _nodes([rule for rule in may_act if rule.stage in ON_PRICE], question.programme.compatibility)
    rivals = _rivals(nodes, question.programme.compatibility)
    if not any(rivals):
        return _without_excluded(price(candidates, situation, question, effort, noted), question.programme.compatibility)
    most = scenarios_most(len(question.lines), len(candidates))
    scenarios = _by_priority(nodes, rivals) if search.mode == "priority" else _scenarios(nodes, rivals, most)
    count = len(scenarios.sets) if scenarios.is_whole else most
    share = Effort(applications=max(1, whole_in(effort.applications, count)), nodes=whole_in(effort.nodes, count))
    chosen_from = {rule.id for node in nodes for rule in node}
    refused = [rule for rule in candidates if rule.id not in chosen_from]

    def trying(chosen: Sequence[int]) -> Tried:
        rules = sorted([*refused, *_chosen(chosen, nodes)], key=lambda rule: rule.id)
        return Tried(rules=tuple(rules), priced=price(rules, situation, question, share, noted))

    tried = [trying(chosen) for chosen in scenarios.sets]
    if not scenarios.is_whole:
        tried = _choice_by_choice(scenarios.sets[0], tried[0], rivals, trying, most)
    best = _best(tried, nodes, question.programme.compatibility)
    told = _told(best, tried, question, is_whole=scenarios.is_whole)
    return _without_excluded(told, question.programme.compatibility)


def _without_excluded(priced: Priced, compatibility: Compatibility) -> Priced:
    """Rules of stages payment and points give way to a rule that excludes them and took money off."""
    acting = [rule for rule in priced.held if rule.id in priced.acting]
    held: list[ReadyRule] = []
    lacks = list(priced.lacks)
    for rule in priced.held:
        by = None
        if rule.stage not in ON_PRICE:
            by = next((other for other in acting if _exclude(rule, other, compatibility)), None)
        if by is None:
            held.append(rule)
        else:
            lacks.append((rule, Lack(condition="exclusive", have=by.id, need="none")))
    return replace(priced, held=tuple(held), lacks=tuple(lacks))


def _choice_by_choice(
    first: Sequence[int], start: Tried, rivals: Sequence[frozenset[int]], trying: Callable[[Sequence[int]], Tried], most: int
) -> list[Tried]:
    """Too many scenarios for all: rules that exclude one another are chosen set by set, the others standing as they are."""
    tried, best, chosen = [start], start, frozenset(first)
    for together in _components(rivals):
        kept = chosen - together
        for other in islice(largest_sets(sorted(together), rivals), most):
            if len(tried) == most:
                return tried
            scenario = kept | frozenset(other)
            if scenario != chosen:
                tried.append(trying(sorted(scenario)))
                if _rank(tried[-1]) < _rank(best):
                    best, chosen = tried[-1], scenario
    return tried


def _components(rivals: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Nodes that exclude one another, directly or through others."""
    found: list[frozenset[int]] = []
    seen: set[int] = set()
    for node in range(len(rivals)):
        if node in seen or not rivals[node]:
            continue
        group, ahead = {node}, [node]
        while ahead:
            for other in rivals[ahead.pop()]:
                if other not in group:
                    group.add(other)
                    ahead.append(other)
        seen |= group
        found.append(frozenset(group))
    return found


def _nodes(candidates: Sequence[ReadyRule], compatibility: Compatibility) -> list[list[ReadyRule]]:
    """Rules that always go together: those of one group and stage, unless they exclude one another; rules without a rival too."""
    groups: dict[tuple[object, ...], list[ReadyRule]] = {}
    for rule in candidates:
        alone = relation_of((rule.stage, rule.group), (rule.stage, rule.group), compatibility.relations) == "exclusive"
        groups.setdefault((rule.stage, rule.group, rule.id if alone else ""), []).append(rule)
    return list(groups.values())


def _rivals(nodes: Sequence[Sequence[ReadyRule]], compatibility: Compatibility) -> list[frozenset[int]]:
    """For each node the nodes that may not act beside it."""
    found: list[set[int]] = [set() for _ in nodes]
    for i, one in enumerate(nodes):
        for j in range(i + 1, len(nodes)):
            if _exclude(one[0], nodes[j][0], compatibility):
                found[i].add(j)
                found[j].add(i)
    return [frozenset(each) for each in found]


def _exclude(one: ReadyRule, other: ReadyRule, compatibility: Compatibility) -> bool:
    relation = relation_of((one.stage, one.group), (other.stage, other.group), compatibility.relations)
    if relation == "exclusive":
        return True
    return relation == "best_of" and one.stage != other.stage and "order" in (one.stage, other.stage)


def scenarios_most(lines: int, rules: int) -> int:
    """How many scenarios may be tried: fewer for large baskets."""
    return max(SCENARIOS_LEAST, min(SCENARIOS_MAX, whole_in(WORK, max(1, lines * rules))))


def _scenarios(nodes: Sequence[Sequence[ReadyRule]], rivals: Sequence[frozenset[int]], most: int) -> Scenarios:
    free = [i for i in range(len(nodes)) if not rivals[i]]
    bound = [i for i in range(len(nodes)) if rivals[i]]
    sets: list[tuple[int, ...]] = []
    for chosen in largest_sets(bound, rivals):
        if len(sets) == most:
            return replace(_by_priority(nodes, rivals), is_whole=False)
        sets.append(tuple(sorted([*free, *chosen])))
    return Scenarios(sets=tuple(sorted(sets)), is_whole=True)


def _by_priority(nodes: Sequence[Sequence[ReadyRule]], rivals: Sequence[frozenset[int]]) -> Scenarios:
    """One scenario: nodes by their highest priority, then by id, each unless a rival stands already."""
    order = sorted(range(len(nodes)), key=lambda i: (-max(rule.priority for rule in nodes[i]), min(rule.id for rule in nodes[i])))
    chosen: list[int] = []
    for node in order:
        if not rivals[node].intersection(chosen):
            chosen.append(node)
    return Scenarios(sets=(tuple(sorted(chosen)),), is_whole=True)


def _may_act(
    candidates: Sequence[ReadyRule], situation: Situation, question: Question, known: dict[int, Lack | None]
) -> list[ReadyRule]:
    """Rules that hold now, or may when earlier stages have acted: only these exclude others."""
    held = {rule.id for rule in held_of(candidates, situation, question.programme, known).rules}
    return [rule for rule in candidates if rule.id in held or rule.is_moving]


def _chosen(scenario: Sequence[int], nodes: Sequence[Sequence[ReadyRule]]) -> list[ReadyRule]:
    return [rule for node in scenario for rule in nodes[node]]


def _best(tried: Sequence[Tried], nodes: Sequence[Sequence[ReadyRule]], compatibility: Compatibility) -> Tried:
    """A group that wins by force is preferred where it acts; else the lowest total."""
    forced = {rule.id for node in nodes for rule in node if rule.group in compatibility.forced}
    preferred = [each for each in tried if forced & each.priced.acting]
    return min(preferred or tried, key=_rank)


def _rank(each: Tried) -> tuple[object, ...]:
    acting = sorted(rule.id for rule in each.rules if rule.id in each.priced.acting)
    priorities = sorted(-rule.priority for rule in each.rules if rule.id in each.priced.acting)
    return sum(each.priced.left_minor), len(acting), priorities, acting


def _told(best: Tried, tried: Sequence[Tried], question: Question, *, is_whole: bool) -> Priced:
    """The best scenario's answer, with the rules that were left out and by how much they lost."""
    off_of: dict[str, int] = {}
    for off in best.priced.offs:
        off_of[off.rule] = off_of.get(off.rule, 0) + off.off_minor
    winner = min(off_of, key=lambda rule: (-off_of[rule], rule), default="")
    mine = {rule.id for rule in best.rules}
    total = sum(best.priced.left_minor)
    lost: dict[str, int] = {}
    for each in tried:
        difference = max(0, sum(each.priced.left_minor) - total)
        for rule in each.rules:
            if rule.id not in mine and rule.id in each.priced.acting:
                lost[rule.id] = min(difference, lost.get(rule.id, difference))
    beaten = tuple([Beaten(rule=rule, by=winner, difference_minor=Minor(lost[rule])) for rule in sorted(lost) if winner])
    proven = is_whole and all(each.priced.proven for each in tried)
    outer = None
    if not is_whole:  # a scenario that was not tried might take off all that may come off
        outer = sum([room_of(line, line.list_minor) for line in question.lines])
    elif not proven:
        outer = max([bound_of(each.priced) for each in tried])
    return replace(best.priced, left_out=beaten, proven=proven, outer_minor=outer)
