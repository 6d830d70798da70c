"""What stays the same for all pools of one quote, and what a unit is worth to an effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.chain import Strand
from pos_loyalty.engine.effects import AmountEach, FixedPrice, Limited, Percent
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.packing import Solved
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.values import BP_PER_UNIT, Value

Found = Mapping[int, Sequence[int]]
Spot = tuple[int, int]
"""A run of a line: its calculation line's place and its own number."""


class Allowance(Value, gc=False):
    """How much a rule may still do: complete applications of a group offer, and money; None is no limit."""

    times: int | None = None
    money_minor: int | None = None


NO_LIMIT = Allowance()


class Question(Value):
    """What the pools of a quote are asked about."""

    lines: Sequence[CalcLine]
    found: Found
    programme: Programme
    choices: Mapping[str, str]
    allowances: Mapping[str, Allowance]
    """By rule id; a rule that is not named has no limit."""
    has_hand: bool
    """Whether the cashier takes something off."""
    nths: Mapping[str, int]
    """For a rule limited to every nth unit: how many units of this receipt those are."""
    before: Mapping[int, Solved]
    """By pool: what a question like this one was answered where it was searched."""


class Missing(Value, gc=False):
    """A rule that would hold with so much more money, or so many more units, of the goods of a selector."""

    rule: ReadyRule
    selector: int
    amount_minor: int = 0
    quantity_milli: int = 0


def spots_of(selector: int, strands: Sequence[Strand], question: Question) -> list[Spot]:
    """The runs that a selector is about, in the canonical order; what was reduced before counts where it asks for that."""
    places = question.found.get(selector, ())
    on = question.programme.selectors[selector]
    if not on.not_discounted and not on.discounted:
        return [(place, number) for place in places for number in range(len(strands[place].runs))]
    return [
        (place, number)
        for place in places
        for number, (_, _, is_clean) in enumerate(strands[place].runs)
        if not (on.discounted if is_clean else on.not_discounted)
    ]


def room_each(line: CalcLine, left: int, scale: int) -> int:
    """How far a unit may fall, in the scale of its line."""
    if not line.floor_minor:
        return left
    floor = line.floor_minor if line.line.measure == "weight" else line.floor.each_minor
    return max(0, left - floor * scale)


def worth_each(effect: Limited, left: int, room: int, scale: int) -> int:
    """What an effect takes off one unit, 10,000 times finer than ``scale``: what it would take, as far as the unit may fall."""
    return min(wanted_each(effect, left, scale), room * BP_PER_UNIT)


def wanted_each(effect: Limited, left: int, scale: int) -> int:
    """What an effect would take off one unit without a floor, 10,000 times finer than ``scale``."""
    if isinstance(effect, Percent):
        return left * effect.percent
    if isinstance(effect, AmountEach):
        return min(effect.amount * scale, left) * BP_PER_UNIT
    assert isinstance(effect, FixedPrice)
    return max(0, left - effect.price * scale) * BP_PER_UNIT


def strength_of(effect: Limited) -> int:
    """Of two effects of one class the one with the larger figure takes no less off any unit."""
    if isinstance(effect, Percent):
        return effect.percent
    if isinstance(effect, AmountEach):
        return effect.amount
    assert isinstance(effect, FixedPrice)
    return -effect.price


def nothing_left(rule: str, exponent: int) -> Refusal:
    """The rule holds and takes nothing off: its goods cost nothing more, stand at their floor, or the share rounds to nothing."""
    return Refusal(rule=rule, condition="nothing_left", have=money_text(0, exponent), need=money_text(1, exponent))
