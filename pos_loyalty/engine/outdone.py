"""Rules that another one always beats: the same goods or more, the same stage, no condition that is not theirs, no less off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from pos_loyalty.engine.checks import parts_of
from pos_loyalty.engine.compatibility import NO_GROUP, Pair, relation_of, stage_of
from pos_loyalty.engine.conditions import Budget, Condition, Uses
from pos_loyalty.engine.effects import Percent
from pos_loyalty.engine.rules import Limits, ProgrammeText, Relation, Rule
from pos_loyalty.engine.selectors import ALL, Selector
from pos_loyalty.values import Value

CONDITIONS_MAX = 6
"""A rule with more conditions is not compared with others."""

_Key = tuple[str, str, Selector, frozenset[Condition]]


class Outdone(Value, gc=False):
    """A rule, by its place, and the id of the one that always beats it."""

    place: int
    by: str


class _Plain(Value, gc=False):
    """A rule that takes one share off some goods, and nothing else."""

    rule: Rule
    rate_bp: int
    on: Selector


def outdone(text: ProgrammeText) -> Iterator[Outdone]:
    """Such rules in the order of the file. Only single percentages are compared, so what is told is sure."""
    relations: dict[Pair, Relation] = {}
    for one, others in text.compatibility.items():
        for other, relation in others.items():
            relations[one, other] = relations[other, one] = relation
    plain = {place: each for place, rule in enumerate(text.rule) if (each := _plain(rule)) is not None}
    best = _best(list(plain.values()), relations)
    for place, each in plain.items():
        winner = _winner(each, best)
        if winner is not None:
            yield Outdone(place=place, by=winner.rule.id)


def _plain(rule: Rule) -> _Plain | None:
    effect = rule.then[0]
    if len(rule.then) != 1 or not isinstance(effect, Percent) or len(rule.when) > CONDITIONS_MAX:
        return None
    if effect != Percent(percent=effect.percent, on=effect.on) or not _is_free(rule):
        return None
    return _Plain(rule=rule, rate_bp=effect.percent, on=effect.on)


def _is_free(rule: Rule) -> bool:
    """Whether nothing that is counted or drawn for the rule alone holds it back: that differs where words are equal."""
    asked = (part for condition in rule.when for part in parts_of(condition))
    return (
        rule.limits == Limits()
        and rule.budget is None
        and rule.pilot is None
        and rule.control is None
        and not any(isinstance(part, Uses | Budget) for part in asked)
    )


def _best(rules: Sequence[_Plain], relations: Mapping[Pair, Relation]) -> dict[_Key, _Plain]:
    """For each stage, group, goods and set of conditions the rule that wins there and is never held back."""
    best: dict[_Key, _Plain] = {}
    for each in rules:
        rule = each.rule
        node = (stage_of(rule), rule.group or NO_GROUP)
        if relation_of(node, node, relations) == "best_of":
            key = (*node, each.on, frozenset(rule.when))
            if key not in best or _rank(each) < _rank(best[key]):
                best[key] = each
    return best


def _rank(each: _Plain) -> tuple[int, int, str]:
    return -each.rate_bp, -each.rule.priority, each.rule.id


def _winner(each: _Plain, best: Mapping[_Key, _Plain]) -> _Plain | None:
    rule = each.rule
    for on in (each.on, ALL):
        for size in range(len(rule.when) + 1):
            for when in combinations(rule.when, size):
                other = best.get((stage_of(rule), rule.group or NO_GROUP, on, frozenset(when)))
                if other is not None and other.rule.id != rule.id and _rank(other) < _rank(each):
                    return other
    return None
