"""Faults of groups and compatibility: unknown labels, a matrix that says two things, exclusion by force on both sides,
and best_of that does not carry over: where A or B acts, and B or C, but A and C both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pos_loyalty.engine.compatibility import NO_GROUP, Node, Pair, relation_of, stage_of
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import ProgrammeText, Relation, Rule
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.values import Value


class Seat(Value, gc=False):
    """One rule of a node, with its place in the file. Two stand for all: more rules of one node behave alike."""

    node: Node
    rule: str
    place: int


def group_faults(text: ProgrammeText, known: Known) -> Iterator[Fault]:
    """Every fault of [[group]] and [compatibility], and the first three rules whose best_of does not carry over."""
    relations: dict[Pair, Relation] = {}
    for one, others in text.compatibility.items():
        if one not in known.groups:
            yield f"compatibility.{one}", f'"{one}" is not among the [[group]] tables'
        for other, relation in others.items():
            place = f"compatibility.{one}.{other}"
            if other not in known.groups:
                yield place, f'"{other}" is not among the [[group]] tables'
            stated = relations.setdefault((other, one), relation)
            if stated != relation:
                yield place, f'says "{relation}", but compatibility.{other}.{one} says "{stated}"; write the pair once'
            relations[one, other] = stated
    yield from _force_faults(text, relations)
    yield from _carry_faults(_seats(text.rule), relations)


def _force_faults(text: ProgrammeText, relations: Mapping[Pair, Relation]) -> Iterator[Fault]:
    forced = [group.id for group in text.group if group.force]
    for number, one in enumerate(forced):
        for other in forced[number + 1 :]:
            if relations.get((one, other)) == "exclusive":
                yield (
                    f"compatibility.{one}.{other}",
                    f'"{one}" and "{other}" exclude one another and both win by force; leave force out of one of them',
                )


def _seats(rules: Sequence[Rule]) -> list[Seat]:
    """At most two rules of each node of the stages in which rules compete for units, smallest ids first."""
    nodes: dict[Node, list[Seat]] = {}
    for place, rule in sorted(enumerate(rules), key=lambda pair: pair[1].id):
        stage = stage_of(rule)
        if stage in ("item", "customer"):
            node = (stage, rule.group or NO_GROUP)
            seats = nodes.setdefault(node, [])
            if len(seats) < 2:
                seats.append(Seat(node=node, rule=rule.id, place=place))
    return [seat for seats in nodes.values() for seat in seats]


def _carry_faults(seats: Sequence[Seat], relations: Mapping[Pair, Relation]) -> Iterator[Fault]:
    """Rules joined by best_of are one pool, and no two of a pool may stack."""
    seen: set[str] = set()
    for seat in seats if relations else ():
        if seat.rule in seen:
            continue
        joined = _paths(seat, seats, relations)
        seen.update(joined)
        stacked = _stacked([each for each in seats if each.rule in joined], relations)
        if stacked is not None:
            one, other = stacked
            between = _paths(one, seats, relations)[other.rule]
            yield (
                f"rule[{other.place}].group",
                f'"{one.rule}" and "{other.rule}" stack, but best_of joins both to "{between}"; make all three best_of in '
                f'[compatibility], or let "{between}" stack with one of them',
            )


def _stacked(pool: Sequence[Seat], relations: Mapping[Pair, Relation]) -> tuple[Seat, Seat] | None:
    for number, one in enumerate(pool):
        for other in pool[number + 1 :]:
            if relation_of(one.node, other.node, relations) == "stack":
                return one, other
    return None


def _paths(start: Seat, seats: Sequence[Seat], relations: Mapping[Pair, Relation]) -> dict[str, str]:
    """Rules that best_of joins to a rule, each with the rule before it on the way."""
    before: dict[str, str] = {start.rule: start.rule}
    waiting = [start]
    while waiting:
        seat = waiting.pop(0)
        for other in seats:
            if other.rule not in before and relation_of(seat.node, other.node, relations) == "best_of":
                before[other.rule] = seat.rule
                waiting.append(other)
    return before
