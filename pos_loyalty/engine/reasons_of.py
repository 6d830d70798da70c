"""Why: what the stages decided, told rule by rule. Nothing here changes a price."""

from __future__ import annotations

from pos_loyalty.engine.caps import Stopped
from pos_loyalty.engine.model import Beaten, Proof, Refusal
from pos_loyalty.engine.money import half_up, up, whole_in
from pos_loyalty.engine.pools import losers, stopped_by_floors
from pos_loyalty.engine.question import Question
from pos_loyalty.engine.stages import Priced
from pos_loyalty.values import Minor, Value


class Reasons(Value):
    """Rules that lost, rules that were refused, and what floors and caps stopped."""

    beaten: list[Beaten]
    refusals: list[Refusal]
    stopped: list[Stopped]


def reasons_of(priced: Priced, question: Question) -> Reasons:
    """All reasons of stages item to manual."""
    beaten = [*priced.ordered.beaten, *priced.left_out]
    refusals = [Refusal(rule=rule.id, condition=lack.condition, have=lack.have, need=lack.need) for rule, lack in priced.lacks]
    refusals += [*priced.ordered.refusals, *priced.by_hand.refusals]
    stopped = [*priced.ordered.stopped, *priced.by_hand.stopped, *priced.cap.stopped]
    for done in priced.dones:
        lost = losers(done, question)
        beaten += lost.beaten
        refusals += lost.refusals
        for place, value in stopped_by_floors(done, question):
            minor = half_up(value, done.scale)
            if minor:
                stopped.append(Stopped(place=place, floor=question.lines[place].floor.name, stopped_minor=minor))
    return Reasons(beaten=beaten, refusals=refusals, stopped=stopped)


def proof_of(priced: Priced) -> Proof:
    """Value and bound of all pools together in minor units; equal when every choice is proven."""
    dones = priced.dones
    scale = max([done.scale for done in dones], default=1)
    reached = half_up(sum([done.value * whole_in(scale, done.scale) for done in dones]), scale)
    bound = bound_of(priced) if priced.outer_minor is None else priced.outer_minor
    return Proof(
        value_minor=Minor(reached),
        bound_minor=Minor(max(reached, bound)),
        proven=priced.proven,
        nodes=sum([done.spent.nodes for done in dones]),
    )


def bound_of(priced: Priced) -> int:
    """The most that the pools of one scenario could take off, in minor units."""
    dones = priced.dones
    scale = max([done.scale for done in dones], default=1)
    bound = sum([done.bound * whole_in(scale, done.scale) for done in dones])
    return half_up(bound, scale) if all(done.proven for done in dones) else up(bound, scale)
