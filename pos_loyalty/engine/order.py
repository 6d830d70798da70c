"""Stage 4: offers for the whole receipt. Of rules that compete the better one acts; rules that stack act by priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import cast

from pos_loyalty.engine.caps import Stopped, manual_offs, most_off
from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.compatibility import largest_sets, relation_of
from pos_loyalty.engine.effects import Act, Ladder, OrderMoney
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Beaten, Member, Refusal
from pos_loyalty.engine.money import percent_of
from pos_loyalty.engine.order_shares import Matched, Share, matched, off_lines, share_of, sum_off
from pos_loyalty.engine.question import NO_LIMIT, Question, nothing_left
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.situation import NOBODY, Situation
from pos_loyalty.values import Minor, Value

COMBINATIONS_MAX = 256


class Ordered(Value):
    """What stage order took off, and why not more. ``proven``: every combination of competing rules was tried."""

    offs: tuple[Off, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]
    stopped: tuple[Stopped, ...]
    proven: bool


NOTHING = Ordered(offs=(), beaten=(), refusals=(), stopped=(), proven=True)


class Receipt(Value):
    """The lines as stage order finds them: what is left of each, how far it may fall, how much of it nothing has reduced yet."""

    left_minor: Sequence[int]
    rooms_minor: Sequence[int]
    clean_minor: Sequence[int]


def order_offs(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> Ordered:
    """Let the rules of stage order act. ``rules`` hold and are sorted by id."""
    if not rules:
        return NOTHING
    money: dict[int, Matched] = {}
    sums = {rule.id: _sum_of(rule, receipt, situation, question, money) for rule in rules}
    taking = [rule for rule in rules if sums[rule.id] > 0]
    refusals = tuple([_took_nothing(rule, situation) for rule in rules if not sums[rule.id]])
    if not taking:
        stopped = _stopped(rules, receipt, situation, question)
        return Ordered(offs=(), beaten=(), refusals=refusals, stopped=stopped, proven=True)
    chosen, proven = _chosen(taking, sums, receipt, situation, question)
    offs = _acted(chosen, receipt, situation, question)
    acting = {off.rule for off in offs}
    beaten = tuple([_beaten(rule, chosen, sums, question) for rule in taking if rule not in chosen])
    idle = tuple([nothing_left(rule.id, situation.exponent) for rule in chosen if rule.id not in acting])
    stopped = _stopped(chosen, receipt, situation, question)
    return Ordered(offs=offs, beaten=beaten, refusals=refusals + idle, stopped=stopped, proven=proven)


def _stopped(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> tuple[Stopped, ...]:
    """What floors kept of percentages, as if each acted first."""
    lines = question.lines
    stopped: list[Stopped] = []
    if all(rooms == left for rooms, left in zip(receipt.rooms_minor, receipt.left_minor, strict=True)):
        return ()
    for rule in rules:
        for act in rule.money:
            share = _share(rule, act, situation, question)
            if share is None or not share.rate_bp or share.is_spread:
                continue
            for place in _places(act, situation):
                kept = percent_of(receipt.left_minor[place], share.rate_bp) - receipt.rooms_minor[place]
                if kept > 0:
                    stopped.append(Stopped(place=place, floor=lines[place].floor.name, stopped_minor=kept))
    return tuple(stopped)


def _beaten(rule: ReadyRule, chosen: Sequence[ReadyRule], sums: Mapping[str, int], question: Question) -> Beaten:
    """Lost to the rival that takes most."""
    rivals = [other for other in chosen if _compete(rule, other, question)]
    by = min(rivals, key=lambda other: (-sums[other.id], other.id))
    return Beaten(rule=rule.id, by=by.id, difference_minor=Minor(max(0, sums[by.id] - sums[rule.id])))


def _compete(one: ReadyRule, other: ReadyRule, question: Question) -> bool:
    """Whether only one of two rules of the stage may act on a receipt."""
    relations = question.programme.compatibility.relations
    return relation_of((one.stage, one.group), (other.stage, other.group), relations) != "stack"


def _chosen(
    rules: list[ReadyRule], sums: Mapping[str, int], receipt: Receipt, situation: Situation, question: Question
) -> tuple[list[ReadyRule], bool]:
    """The largest sets of rules that may act together: the one that leaves least; then by what each takes, priority and id."""
    by_priority = question.programme.search.mode == "priority"
    order = sorted(
        rules, key=lambda rule: (-rule.priority, rule.id) if by_priority else (-sums[rule.id], -rule.priority, rule.id)
    )
    if len({rule.group for rule in order}) == 1 and (by_priority or not question.has_hand):
        return (order[:1] if _compete(order[0], order[0], question) else order), True
    numbers = range(len(order))
    rivals = [frozenset([j for j in numbers if j != i and _compete(order[i], order[j], question)]) for i in numbers]
    first = [order[i] for i in _greedy(rivals)]
    if by_priority:
        return first, True
    best, least = first, _left_by(first, receipt, situation, question)
    sets = islice(largest_sets(numbers, rivals), COMBINATIONS_MAX + 1)
    combinations = sorted([tuple(sorted(found)) for found in sets])
    for chosen in combinations:
        left = _left_by([order[i] for i in chosen], receipt, situation, question)
        if left < least:
            best, least = [order[i] for i in chosen], left
    return best, len(combinations) <= COMBINATIONS_MAX


def _greedy(rivals: Sequence[frozenset[int]]) -> list[int]:
    chosen: list[int] = []
    for number, others in enumerate(rivals):
        if not others.intersection(chosen):
            chosen.append(number)
    return chosen


def _left_by(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> int:
    """What is to be paid after these rules, the cashier's hand and the caps."""
    after = _after(receipt, _acted(rules, receipt, situation, question))
    total = sum(after.left_minor)
    caps, lines = question.programme.caps, question.lines
    if question.has_hand:
        by_hand = manual_offs(lines, after.left_minor, caps, question.programme.exponent)
        total -= sum([off.off_minor for off in by_hand.offs])
    if caps.percent is None and caps.amount is None:
        return total
    listed = sum([line.list_minor for line in lines])
    return max(total, listed - most_off(listed, caps))


def _acted(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> tuple[Off, ...]:
    """The offs of rules that act one after another: higher priority first, then by id."""
    offs: list[Off] = []
    for rule in sorted(rules, key=lambda each: (-each.priority, each.id)):
        made = _offs_of(rule, receipt, situation, question)
        receipt = _after(receipt, made)
        offs += made
    return tuple(offs)


def _after(receipt: Receipt, offs: Sequence[Off]) -> Receipt:
    """What a rule leaves to the next one. Ladders and ``not_discounted`` go on by what stood before the stage."""
    left, rooms = list(receipt.left_minor), list(receipt.rooms_minor)
    for off in offs:
        left[off.place] -= off.off_minor
        rooms[off.place] -= off.off_minor
    return Receipt(left_minor=left, rooms_minor=rooms, clean_minor=receipt.clean_minor)


def _sum_of(rule: ReadyRule, receipt: Receipt, situation: Situation, question: Question, money: dict[int, Matched]) -> int:
    """What a rule alone would take off. ``money`` keeps what was matched by selector."""
    if len(rule.money) > 1:
        return sum([off.off_minor for off in _offs_of(rule, receipt, situation, question)])
    # The split over lines need not be made to know the sum.
    act = rule.money[0]
    share = _share(rule, act, situation, question)
    if share is None:
        return 0
    lines = money.get(act.selector)
    if lines is None:
        lines = money[act.selector] = _matched(_places(act, situation), act, receipt, question)
    return sum_off(share, lines)


def _offs_of(rule: ReadyRule, receipt: Receipt, situation: Situation, question: Question) -> list[Off]:
    taken: dict[int, int] = {}
    for act in rule.money:
        share = _share(rule, act, situation, question)
        places = _places(act, situation)
        if share is None or not places:
            continue
        if share.max_amount is not None and taken:
            share = _less(share, sum(taken.values()), rule, question)
        parts = off_lines(share, _matched(places, act, receipt, question))
        made = [Off(place=place, rule=rule.id, off_minor=part) for place, part in zip(places, parts, strict=True) if part]
        if len(rule.money) > 1:
            receipt = _after(receipt, made)
        for off in made:
            taken[off.place] = taken.get(off.place, 0) + off.off_minor
    return [Off(place=place, rule=rule.id, off_minor=off) for place, off in sorted(taken.items())]


def _less(share: Share, taken_minor: int, rule: ReadyRule, question: Question) -> Share:
    """A budget is one for all effects of a rule; a maximum belongs to each effect."""
    budget = question.allowances.get(rule.id, NO_LIMIT).money_minor
    if budget is None or share.max_amount is None:
        return share
    return Share(
        rate_bp=share.rate_bp,
        amount_minor=share.amount_minor,
        max_amount=min(share.max_amount, max(0, budget - taken_minor)),
        max_base=share.max_base,
        is_spread=share.is_spread,
        is_down=share.is_down,
    )


def _share(rule: ReadyRule, act: Act, situation: Situation, question: Question) -> Share | None:
    effect = cast(OrderMoney, act.effect)
    reached = _reached(act, situation)
    share = None if reached is None else share_of(effect, reached)
    if share is None:
        return None
    rounding, budget = question.programme.rounding, question.allowances.get(rule.id, NO_LIMIT).money_minor
    most = share.max_amount if budget is None else budget if share.max_amount is None else min(budget, share.max_amount)
    if most is share.max_amount and rounding.discount == "half_up" and rounding.overflow == "stop":
        return share
    return Share(
        rate_bp=share.rate_bp,
        amount_minor=share.amount_minor,
        max_amount=most,
        max_base=share.max_base,
        is_spread=rounding.overflow == "spread",
        is_down=rounding.discount == "down",
    )


def _places(act: Act, situation: Situation) -> Sequence[int]:
    return situation.found.get(act.selector, ())


def _matched(places: Sequence[int], act: Act, receipt: Receipt, question: Question) -> Matched:
    on = question.programme.selectors[act.selector]
    left, rooms = receipt.left_minor, receipt.rooms_minor
    if not on.not_discounted and not on.discounted:
        return matched([left[i] for i in places], [rooms[i] for i in places])
    clean = receipt.clean_minor
    mine = [min(left[i], clean[i] if on.not_discounted else max(0, left[i] - clean[i])) for i in places]
    return matched(mine, [min(part, rooms[i]) for part, i in zip(mine, places, strict=True)])


def _reached(act: Act, situation: Situation) -> int | None:
    """What a ladder climbs by; None when it is not known. Other effects climb nothing."""
    effect = act.effect
    if not isinstance(effect, Ladder):
        return 0
    if effect.by != "basket":
        return _climbed(effect, situation.member, situation.local.date(), situation.exponent)
    if effect.base == "list":
        return situation.list_sums.get(act.selector, 0)
    return sum([situation.running_minor[i] for i in situation.found.get(act.selector, ())])


def _climbed(effect: Ladder, member: Member | None, today: date, exponent: int) -> int | None:
    """Money spent, or visits in whole units of the currency, before this sale."""
    if member is None:
        return None
    unit = int(10**exponent)
    if effect.days is None:
        if member.sales is None:
            return None
        return member.sales.spent_minor if effect.by == "spent" else member.sales.count * unit
    if member.days is None:
        return None
    since = (today - timedelta(days=effect.days - 1)).isoformat()
    days = [day for day in member.days if since <= day.day <= today.isoformat()]
    return sum([day.net_minor if effect.by == "spent" else day.visits * unit for day in days])


def _took_nothing(rule: ReadyRule, situation: Situation) -> Refusal:
    for act in rule.money:
        if isinstance(act.effect, Ladder):
            reached = _reached(act, situation)
            need = act.effect.steps[0].from_
            if reached is None and situation.member is None:
                return Refusal(rule=rule.id, condition="customer", have=NOBODY, need="member")
            if reached is None or reached < need:
                have = "unknown" if reached is None else _climb_text(act.effect, reached, situation.exponent)
                return Refusal(
                    rule=rule.id, condition="ladder", have=have, need=_climb_text(act.effect, need, situation.exponent)
                )
    return nothing_left(rule.id, situation.exponent)


def _climb_text(effect: Ladder, reached: int, exponent: int) -> str:
    text = money_text(reached, exponent)
    return f"visits:{text.partition('.')[0]}" if effect.by == "visits" else text
