"""Units sorted into kinds that no offer can tell apart, and the offers said in kinds: the question for search.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.chain import Strand
from pos_loyalty.engine.drafts import Draft
from pos_loyalty.engine.effects import Bundle, Gift, Limited, NForM
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf, Slot
from pos_loyalty.engine.question import Question, Spot, room_each, worth_each
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.values import BP_PER_UNIT, Value

Signature = tuple[int, int, tuple[int, ...], str, int]
"""Price and room of a unit, the slots of all drafts that it may fill, and the plain rule that is best for it with its worth."""


class Best(Value, gc=False):
    """The plain rule that takes most off a unit, and how much (10,000 times finer than the pool)."""

    value: int
    rule: ReadyRule
    wanted: int
    """What it would take off without a floor."""


class Sorted(Value):
    """Kinds, the units of each as (place, run, units) in the canonical order, and the kinds that may fill each slot."""

    kinds: tuple[Kind, ...]
    units: tuple[tuple[tuple[int, int, int], ...], ...]
    of_slot: tuple[tuple[int, ...], ...]
    """Of the slots of all drafts, one draft after another."""
    plain: tuple[tuple[str, int], ...]
    """For each kind the best plain rule and its worth; an empty name when there is none."""
    touched: Mapping[Spot, int]
    """How many units of each run stand in kinds."""


def sort_units(drafts: Sequence[Draft], strands: Sequence[Strand], question: Question, best: Mapping[Spot, Best]) -> Sorted:
    """Sort every unit that a draft may claim."""
    slots = [units for draft in drafts for units in draft.slots]
    members: dict[Spot, list[tuple[int, int]]] = {}
    for slot, units in enumerate(slots):
        for spot, count in units.items():
            if spot in members:
                members[spot].append((slot, count))
            else:
                members[spot] = [(slot, count)]
    found: dict[Signature, list[tuple[int, int, int]]] = {}
    touched: dict[Spot, int] = {}
    for spot in sorted(members):
        place, run = spot
        left = strands[place].runs[run][1]
        room = room_each(question.lines[place], left, strands[place].scale)
        mine = best.get(spot)
        name, value = (mine.rule.id, mine.value) if mine is not None else ("", 0)
        wanting = members[spot]
        before = 0
        for upto in sorted({count for _, count in wanting}):
            signature = (left, room, tuple([slot for slot, count in wanting if count >= upto]), name, value)
            found.setdefault(signature, []).append((place, run, upto - before))
            before = upto
        touched[spot] = before
    order = sorted(found, key=_type)
    of_slot: list[list[int]] = [[] for _ in slots]
    for kind, signature in enumerate(order):
        for slot in signature[2]:
            of_slot[slot].append(kind)
    return Sorted(
        kinds=tuple([
            Kind(price=s[0] * BP_PER_UNIT, room=s[1] * BP_PER_UNIT, count=sum([units for _, _, units in found[s]])) for s in order
        ]),
        units=tuple([tuple(found[s]) for s in order]),
        of_slot=tuple([tuple(kinds) for kinds in of_slot]),
        plain=tuple([(s[3], s[4]) for s in order]),
        touched=touched,
    )  # fmt: skip


def offers_of(drafts: Sequence[Draft], sorted_units: Sorted, best: Mapping[Spot, Best], scale: int) -> list[Offer]:
    """The drafts as offers, in their order; then the plain rules that are best for some kind, by id."""
    offers: list[Offer] = []
    first = 0
    for draft in drafts:
        upto = first + len(draft.slots)
        offers.append(_offer(draft, sorted_units.of_slot[first:upto], sorted_units.kinds, scale))
        first = upto
    plain: dict[str, list[tuple[int, int]]] = {}
    for kind, (rule, value) in enumerate(sorted_units.plain):
        if value:
            plain.setdefault(rule, []).append((kind, value))
    priorities = {each.rule.id: each.rule.priority for each in best.values()}
    for rule in sorted(plain):
        offers.append(Offer(id=rule, priority=priorities[rule], shape=EachUnit(values=tuple(plain[rule]))))
    return offers


def _offer(draft: Draft, slots: Sequence[tuple[int, ...]], all_kinds: Sequence[Kind], scale: int) -> Offer:
    effect = draft.act.effect
    fine = scale * BP_PER_UNIT
    shape: EachUnit | NOfGroup | SetOf | GiftOf
    times: int | None = draft.allowance.times
    if isinstance(effect, Limited):
        kinds = [(kind, all_kinds[kind]) for kind in slots[0]]
        values = [
            (kind, worth_each(effect, whole_in(k.price, BP_PER_UNIT), whole_in(k.room, BP_PER_UNIT), scale)) for kind, k in kinds
        ]
        shape, times = EachUnit(values=tuple([(kind, value) for kind, value in values if value > 0])), None
    elif isinstance(effect, NForM):
        shape = NOfGroup(
            kinds=slots[0],
            n=effect.n,
            k=effect.k,
            rate_bp=effect.percent,
            is_dearest=effect.which == "dearest",
            is_partial=effect.partial_group,
            is_basket=effect.pool == "basket",
        )
    elif isinstance(effect, Bundle):
        shape = SetOf(
            slots=tuple([Slot(kinds=kinds, count=slot.count) for kinds, slot in zip(slots, effect.slots, strict=True)]),
            fixed=None if effect.fixed is None else effect.fixed * fine,
            rate_bp=effect.percent,
            amount=None if effect.amount is None else effect.amount * fine,
        )
    else:
        assert isinstance(effect, Gift)
        buy = tuple([Slot(kinds=kinds, count=each.count) for kinds, each in zip(slots, effect.buy, strict=False)])
        order = _dear_first if effect.choice == "dearest" else _cheap_first
        gifts = tuple(sorted(slots[-1], key=lambda kind: (*order(all_kinds[kind]), kind)))
        shape = GiftOf(buy=buy, gifts=gifts, qty=effect.qty, rate_bp=effect.percent)
    if not isinstance(effect, Limited):
        times = least_of(times, effect.max_times)
    money = least_of(draft.allowance.money_minor, effect.max_amount)
    return Offer(
        id=draft.rule.id,
        priority=draft.rule.priority,
        shape=shape,
        times=times,
        money=None if money is None else money * fine,
        is_whole=isinstance(effect, Limited) and effect.whole,
    )


def _type(signature: Signature) -> tuple[object, ...]:
    """By price; of equal prices the units that may fall further come first, so that they are rewarded first."""
    return signature[0], -signature[1], signature[2:]


def _dear_first(kind: Kind) -> tuple[int, int]:
    """By price; of equal prices the unit that may fall further."""
    return -kind.price, -kind.room


def _cheap_first(kind: Kind) -> tuple[int, int]:
    return kind.price, -kind.room


def least_of(one: int | None, other: int | None) -> int | None:
    """The smaller limit; None is no limit."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
