"""Why a rule that holds takes nothing off: its goods are not what it asks for, are too few, or cost as little already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.chain import Strand
from pos_loyalty.engine.effects import Act, Bundle, FixedPrice, Gift, Limited
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.filling import Pile, units_taken
from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.money import half_up
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.question import Question, Spot, nothing_left, spots_of
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.selectors import Selector

GOODS, PRICE, QUANTITY = "goods", "price", "quantity"
DISCOUNTED, NOT_DISCOUNTED = "discounted", "not_discounted"

Slots = Sequence[Mapping[Spot, int]]
"""How many units of each run may fill each slot."""


def state_asked(on: Selector) -> str:
    """Whether a selector asks for goods that are reduced already, or for those that nothing has reduced; empty for neither."""
    return DISCOUNTED if on.discounted else NOT_DISCOUNTED if on.not_discounted else ""


def state_refused(rule: str, asked: str) -> Refusal:
    """The goods are in the basket, and all of them are what the rule does not ask for."""
    have = NOT_DISCOUNTED if asked == DISCOUNTED else DISCOUNTED
    return Refusal(rule=rule, condition=GOODS, have=have, need=asked)


def set_refused(rule: str, filled: Sequence[int], wanted: Sequence[int]) -> Refusal:
    """Some slots of a set lack units; a set of one slot needs no list."""
    if len(wanted) == 1:
        return Refusal(rule=rule, condition=QUANTITY, have=str(filled[0]), need=str(wanted[0]))
    have, need = (token(GOODS, *[str(count) for count in counts]) for counts in (filled, wanted))
    return Refusal(rule=rule, condition=QUANTITY, have=have, need=need)


def slots_filled(slots: Slots, wanted: Sequence[int], strands: Sequence[Strand]) -> list[dict[Spot, int]]:
    """The units that each slot gets, dear ones first; no unit fills two."""
    spots = sorted({spot for slot in slots for spot in slot}, key=lambda spot: (-_left(spot, strands), spot))
    piles = [
        Pile(
            wanted_by=sum([1 << number for number, slot in enumerate(slots) if spot in slot]),
            count=strands[spot[0]].runs[spot[1]][0],
        )
        for spot in spots
    ]
    return [{spot: units for spot, units in zip(spots, row, strict=True) if units} for row in units_taken(wanted, piles)]


def why_nothing(rule: ReadyRule, drafted: Sequence[tuple[Act, Slots]], strands: Sequence[Strand], question: Question) -> Refusal:
    """Why a rule takes nothing off that nobody beats. ``drafted``: the units that its effects on groups may claim.

    When an effect of it has no reason of its own, floors or budgets keep it, or its goods cost nothing.
    """
    reasons = []
    for act in rule.money:
        slots = next((slots for other, slots in drafted if other is act), ())
        if isinstance(act.effect, Limited):
            reasons.append(_of_units(rule.id, act, strands, question))
        elif isinstance(act.effect, Bundle | Gift) and slots:
            reasons.append(_of_set(rule.id, act.effect, slots, strands, question.programme.exponent))
        else:
            reasons.append(None)
    told = [reason for reason in reasons if reason is not None]
    return told[0] if told and len(told) == len(reasons) else nothing_left(rule.id, question.programme.exponent)


def _of_units(rule: str, act: Act, strands: Sequence[Strand], question: Question) -> Refusal | None:
    spots = spots_of(act.selector, strands, question)
    if not spots:
        asked = state_asked(question.programme.selectors[act.selector])
        return state_refused(rule, asked) if asked else None
    if not isinstance(act.effect, FixedPrice):
        return None
    dearest = max(spots, key=lambda spot: _left(spot, strands))
    costs = half_up(_left(dearest, strands), strands[dearest[0]].scale)
    return _price_refused(rule, costs, act.effect.price, question.programme.exponent)


def _of_set(rule: str, effect: Bundle | Gift, slots: Slots, strands: Sequence[Strand], exponent: int) -> Refusal | None:
    wanted = [slot.count for slot in (effect.slots if isinstance(effect, Bundle) else effect.buy)]
    bought = slots_filled(slots, wanted if isinstance(effect, Bundle) else [*wanted, 1], strands)
    filled = [sum(units.values()) for units in bought]
    if filled[: len(wanted)] != wanted:
        return set_refused(rule, filled[: len(wanted)], wanted)
    if isinstance(effect, Gift):
        return None if filled[-1] else Refusal(rule=rule, condition=GOODS, have="0", need=str(effect.qty))
    if effect.fixed is None:
        return None
    scale = max([strands[spot[0]].scale for units in bought for spot in units], default=1)
    costs = half_up(sum([count * _left(spot, strands) for units in bought for spot, count in units.items()]), scale)
    return _price_refused(rule, costs, effect.fixed, exponent)


def _price_refused(rule: str, costs_minor: int, price_minor: int, exponent: int) -> Refusal | None:
    """What the goods cost as they are, and what they would cost by the rule; None when they cost more."""
    if costs_minor > price_minor:
        return None
    return Refusal(rule=rule, condition=PRICE, have=money_text(costs_minor, exponent), need=money_text(price_minor, exponent))


def _left(spot: Spot, strands: Sequence[Strand]) -> int:
    return strands[spot[0]].runs[spot[1]][1]
