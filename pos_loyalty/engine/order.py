"""Stage 4: offers for the whole receipt. Of rules that compete the better one acts; rules that stack act by priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import cast

from msgspec.structs import replace

from pos_loyalty.engine.caps import Stopped, manual_offs, most_off
from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.compatibility import largest_sets, relation_of
from pos_loyalty.engine.effects import Act, Ladder, OrderMoney
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.idle import state_asked, state_refused
from pos_loyalty.engine.model import Beaten, Member, Refusal
from pos_loyalty.engine.money import percent_of
from pos_loyalty.engine.order_shares import Matched, Share, matched, off_lines, share_of, sum_off
from pos_loyalty.engine.question import NO_LIMIT, Missing, Question, nothing_left
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.situation import NOBODY, Situation
from pos_loyalty.values import Minor, Value

COMBINATIONS_MAX = 256


class Ordered(Value):
    """What stage order took off, and why not more. ``proven``: every combination of competing rules was tried."""

    offs: tuple[Off, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]
    missing: tuple[Missing, ...]
    """What ladders that are not reached would need in the basket."""
    stopped: tuple[Stopped, ...]
    proven: bool


NOTHING = Ordered(offs=(), beaten=(), refusals=(), missing=(), stopped=(), proven=True)


class Receipt(Value):
    """The lines as stage order finds them: what is left of each, how far it may fall, how much of it nothing has reduced yet."""

    left_minor: Sequence[int]
    rooms_minor: Sequence[int]
    clean_minor: Sequence[int]


def order_offs(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> Ordered:
    """Let the rules of stage order act. ``rules`` hold and are sorted by id."""
    if not rules:
        return NOTHING
    sums = _sums(rules, receipt, situation, question)
    taking = [rule for rule in rules if sums[rule.id] > 0]
    taking_nothing = [rule for rule in rules if not sums[rule.id]] if len(taking) < len(rules) else []
    refusals = tuple([_took_nothing(rule, receipt, situation, question) for rule in taking_nothing])
    missing = tuple([each for rule in taking_nothing for each in _missing(rule, situation)])
    if not taking:
        stopped = _stopped(rules, receipt, situation, question)
        return Ordered(offs=(), beaten=(), refusals=refusals, missing=missing, stopped=stopped, proven=True)
    chosen, proven = _chosen(taking, sums, receipt, situation, question)
    offs = _acted(chosen, receipt, situation, question)
    acting = {off.rule for off in offs}
    idle = tuple([nothing_left(rule.id, situation.exponent) for rule in chosen if rule.id not in acting])
    stopped = _stopped(chosen, receipt, situation, question)
    beaten = _beaten(taking, chosen, sums, question) if len(chosen) < len(taking) else ()
    return Ordered(offs=offs, beaten=beaten, refusals=refusals + idle, missing=missing, stopped=stopped, proven=proven)


def _sums(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> dict[str, int]:
    """What each rule alone would take off. Of one effect the split over lines need not be made to know the sum."""
    money: dict[int, Matched] = {}
    sums: dict[str, int] = {}
    for rule in rules:
        if len(rule.money) > 1:
            sums[rule.id] = sum([off.off_minor for off in _offs_of(rule, receipt, situation, question)])
            continue
        share = _share(rule, 0, situation, question)
        selector = rule.money[0].selector
        if selector not in money:
            money[selector] = _matched(selector, receipt, question)
        sums[rule.id] = 0 if share is None else sum_off(share, money[selector])
    return sums


def _stopped(rules: Sequence[ReadyRule], receipt: Receipt, situation: Situation, question: Question) -> tuple[Stopped, ...]:
    """What floors kept of percentages, as if each acted first."""
    lines = question.lines
    stopped: list[Stopped] = []
    if receipt.rooms_minor == receipt.left_minor:
        return ()
    for rule in rules:
        for number, act in enumerate(rule.money):
            share = _share(rule, number, situation, question)
            if share is None or not share.rate_bp or share.is_spread:
                continue
            for place in question.found.get(act.selector, ()):
                kept = percent_of(receipt.left_minor[place], share.rate_bp) - receipt.rooms_minor[place]
                if kept > 0:
                    stopped.append(Stopped(place=place, floor=lines[place].floor.name, stopped_minor=kept))
    return tuple(stopped)


def _beaten(
    rules: Sequence[ReadyRule], chosen: Sequence[ReadyRule], sums: Mapping[str, int], question: Question
) -> tuple[Beaten, ...]:
    """Rules that were not chosen: each lost to the rival that takes most, which is the same for all of a group."""
    acting = {rule.id for rule in chosen}
    by_of: dict[str, str] = {}
    beaten: list[Beaten] = []
    for rule in rules:
        if rule.id in acting:
            continue
        by = by_of.get(rule.group)
        if by is None:
            rivals = [(-sums[other.id], other.id) for other in chosen if _compete(rule, other, question)]
            by = by_of[rule.group] = min(rivals)[1]
        more = max(sums[by], sums[rule.id]) - sums[rule.id]
        beaten.append(Beaten(rule=rule.id, by=by, difference_minor=Minor(more)))
    return tuple(beaten)


def _compete(one: ReadyRule, other: ReadyRule, question: Question) -> bool:
    """Whether only one of two rules of the stage may act on a receipt."""
    relations = question.programme.compatibility.relations
    return relation_of((one.stage, one.group), (other.stage, other.group), relations) != "stack"


def _chosen(
    rules: list[ReadyRule], sums: Mapping[str, int], receipt: Receipt, situation: Situation, question: Question
) -> tuple[list[ReadyRule], bool]:
    """The largest sets of rules that may act together: the one that leaves least; then by what each takes, priority and id."""
    by_priority = question.programme.search.mode == "priority"

    def rank(rule: ReadyRule) -> tuple[int, int, str]:
        return 0 if by_priority else -sums[rule.id], -rule.priority, rule.id

    if len({rule.group for rule in rules}) == 1 and (by_priority or not question.has_hand):
        return ([min(rules, key=rank)] if _compete(rules[0], rules[0], question) else rules), True
    order = sorted(rules, key=rank)
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
    made: list[Off] = []
    for rule in sorted(rules, key=lambda each: (-each.priority, each.id)):
        if made:
            receipt = _after(receipt, made)
        made = _offs_of(rule, receipt, situation, question)
        offs += made
    return tuple(offs)


def _after(receipt: Receipt, offs: Sequence[Off]) -> Receipt:
    """What a rule leaves to the next one. Ladders and ``not_discounted`` go on by what stood before the stage."""
    left, rooms = list(receipt.left_minor), list(receipt.rooms_minor)
    for off in offs:
        left[off.place] -= off.off_minor
        rooms[off.place] -= off.off_minor
    return Receipt(left_minor=left, rooms_minor=rooms, clean_minor=receipt.clean_minor)


def _offs_of(rule: ReadyRule, receipt: Receipt, situation: Situation, question: Question) -> list[Off]:
    """In the order of lines."""
    taken: dict[int, int] = {}
    made: list[Off] = []
    for number, act in enumerate(rule.money):
        share = _share(rule, number, situation, question)
        places = question.found.get(act.selector, ())
        if share is None or not places:
            continue
        if taken:
            receipt = _after(receipt, made)
            share = _less(share, sum(taken.values()), rule, question)
        parts = off_lines(share, _matched(act.selector, receipt, question))
        made = [Off(place=place, rule=rule.id, off_minor=part) for place, part in zip(places, parts, strict=True) if part]
        if len(rule.money) > 1:
            for off in made:
                taken[off.place] = taken.get(off.place, 0) + off.off_minor
    return [Off(place=place, rule=rule.id, off_minor=off) for place, off in sorted(taken.items())] if taken else made


def _less(share: Share, taken_minor: int, rule: ReadyRule, question: Question) -> Share:
    """A budget is one for all effects of a rule, less what others took; a maximum belongs to each effect."""
    budget = question.allowances.get(rule.id, NO_LIMIT).money_minor
    if budget is None:
        return share
    most = max(0, budget - taken_minor)
    return replace(share, max_amount=most if share.max_amount is None else min(most, share.max_amount))


def _share(rule: ReadyRule, number: int, situation: Situation, question: Question) -> Share | None:
    """What an effect of a rule takes off, by its number: as loaded, or as far as a ladder was climbed; at most the budget."""
    share = rule.shares[number]
    if share is None:
        act = rule.money[number]
        reached = _reached(act, situation)
        if reached is not None:
            share = share_of(cast(OrderMoney, act.effect), reached, question.programme.rounding)
    return _less(share, 0, rule, question) if share is not None and rule.has_allowance else share


def _matched(selector: int, receipt: Receipt, question: Question) -> Matched:
    places, on = question.found.get(selector, ()), question.programme.selectors[selector]
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


def _missing(rule: ReadyRule, situation: Situation) -> list[Missing]:
    """What the money of the receipt lacks to the first step of a rule's first ladder that is not reached."""
    for act in rule.money:
        if isinstance(act.effect, Ladder) and act.effect.by == "basket":
            amount = act.effect.steps[0].from_ - (_reached(act, situation) or 0)
            if amount > 0:
                return [Missing(rule=rule, selector=act.selector, amount_minor=amount)]
    return []


def _took_nothing(rule: ReadyRule, receipt: Receipt, situation: Situation, question: Question) -> Refusal:
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
    asked = [_asked_state(act, receipt, question) for act in rule.money]
    return state_refused(rule.id, asked[0]) if all(asked) else nothing_left(rule.id, situation.exponent)


def _asked_state(act: Act, receipt: Receipt, question: Question) -> str:
    """What an effect asks of goods that cost something, when none of them is so; empty otherwise."""
    places, asked = question.found.get(act.selector, ()), state_asked(question.programme.selectors[act.selector])
    has_money = bool(asked) and any(receipt.left_minor[place] for place in places)
    return asked if has_money and not sum(_matched(act.selector, receipt, question).left_minor) else ""


def _climb_text(effect: Ladder, reached: int, exponent: int) -> str:
    text = money_text(reached, exponent)
    return f"visits:{text.partition('.')[0]}" if effect.by == "visits" else text
