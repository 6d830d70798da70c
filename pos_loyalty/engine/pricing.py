"""Stages 2 to 5: which rules act, in which order, and what comes off each line. Each stage sees what the one before it left.

Inside a stage the best for the customer acts (on a line in stages item and customer, on the receipt in stage order);
between stages they stack. Percentages of stages item and customer stay exact and are rounded once for each line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.conditions import Lack, Situation, lack_of
from pos_loyalty.engine.effects import Act, Ladder, Matched, Percent, matched, off_lines, share_of, sum_off
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Beaten, Refusal
from pos_loyalty.engine.money import half_up, percent_of
from pos_loyalty.engine.programme import ReadyRule
from pos_loyalty.values import BP_PER_UNIT, Minor, Value

PRIOR = "prior"
MANUAL = "manual"

Places = Mapping[int, Sequence[int]]


class Cut(Value, gc=False):
    """The share that one rule takes off one line."""

    rule: str
    rate_bp: int
    priority: int


class Off(Value, gc=False):
    """Money that one rule takes off one calculation line."""

    place: int
    rule: str
    off_minor: int


class Held(Value):
    """The rules of a stage that hold, and the others with the reason."""

    rules: tuple[ReadyRule, ...]
    refusals: tuple[Refusal, ...]


class Cuts(Value):
    """What a percentage stage decides: the best cut of each line, and the rules that won no line."""

    best: Mapping[int, Cut]
    beaten: tuple[Beaten, ...]


class OrderOffs(Value):
    """What stage order decides."""

    offs: tuple[Off, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]


class Stopped(Value):
    """Money that a floor kept on a calculation line."""

    place: int
    stopped_minor: int


class LineOffs(Value):
    """Offs of lines together with what floors stopped."""

    offs: tuple[Off, ...]
    stopped: tuple[Stopped, ...]


def held_of(candidates: Sequence[ReadyRule], situation: Situation) -> Held:
    """Which rules of one stage hold. A rule that only gives points needs a member to give them to."""
    rules: list[ReadyRule] = []
    refusals: list[Refusal] = []
    lacks: dict[int, Lack | None] = {}
    for rule in candidates:
        lack = _lack(rule, situation, lacks)
        if lack is None:
            rules.append(rule)
        else:
            refusals.append(Refusal(rule=rule.id, condition=lack.condition, have=lack.have, need=lack.need))
    return Held(rules=tuple(rules), refusals=tuple(refusals))


def _lack(rule: ReadyRule, situation: Situation, lacks: dict[int, Lack | None]) -> Lack | None:
    if not rule.money and situation.member is None:
        return Lack(condition="customer", have="no member", need="a member")
    for term in rule.terms:
        if term.number not in lacks:
            lacks[term.number] = lack_of(term, situation)
        lack = lacks[term.number]
        if lack is not None:
            return lack
    return None


def best_cuts(rules: Sequence[ReadyRule], found: Places, left_minor: Sequence[int]) -> Cuts:
    """The best percentage for each line: the larger share, then the higher priority, then the smaller id."""
    best: dict[int, Cut] = {}
    mine: dict[str, dict[int, int]] = {}
    for rule in rules:
        for act in rule.money:
            if not isinstance(act.effect, Percent):
                continue
            rate = int(act.effect.percent)
            for place in found.get(act.selector, ()):
                if left_minor[place] <= 0:
                    continue
                rates = mine.setdefault(rule.id, {})
                rates[place] = max(rate, rates.get(place, 0))
                before = best.get(place)
                if before is None or (rate, rule.priority) > (before.rate_bp, before.priority):
                    best[place] = Cut(rule=rule.id, rate_bp=rate, priority=rule.priority)
    winners = {cut.rule for cut in best.values()}
    beaten = tuple(_beaten_on_lines(rule, mine[rule], best, left_minor) for rule in mine if rule not in winners)
    return Cuts(best=best, beaten=beaten)


def _beaten_on_lines(rule: str, rates: Mapping[int, int], best: Mapping[int, Cut], left_minor: Sequence[int]) -> Beaten:
    lost: dict[str, int] = {}
    for place, rate in rates.items():
        cut = best[place]
        difference = percent_of(left_minor[place], cut.rate_bp) - percent_of(left_minor[place], rate)
        lost[cut.rule] = lost.get(cut.rule, 0) + difference
    by = min(lost, key=lambda winner: (-lost[winner], winner))
    return Beaten(rule=rule, by=by, difference_minor=Minor(sum(lost.values())))


def left_after(lines: Sequence[CalcLine], cuts: Mapping[int, Cut]) -> list[int]:
    """What one stage of percentages leaves, each line rounded for show; the exact chain is rounded in ``cut_offs``."""
    return [
        line.list_minor - min(percent_of(line.list_minor, cuts[place].rate_bp), room_of(line, line.list_minor))
        if place in cuts
        else line.list_minor
        for place, line in enumerate(lines)
    ]


def room_of(line: CalcLine, left_minor: int) -> int:
    """How much may still come off a line: what stands above its floor."""
    return max(0, left_minor - line.floor_minor)


def cut_offs(lines: Sequence[CalcLine], item: Mapping[int, Cut], customer: Mapping[int, Cut]) -> LineOffs:
    """The percentages of both stages as money: the exact chain rounded half up once for each line, then split over the rules."""
    offs: list[Off] = []
    stopped: list[Stopped] = []
    for place in sorted(item.keys() | customer.keys()):
        line = lines[place]
        chain = [cut for cut in (item.get(place), customer.get(place)) if cut is not None]
        wanted, parts = _chain(line.list_minor, chain, room_of(line, line.list_minor))
        offs += [Off(place=place, rule=cut.rule, off_minor=part) for cut, part in zip(chain, parts, strict=True) if part]
        if wanted > sum(parts):
            stopped.append(Stopped(place=place, stopped_minor=wanted - sum(parts)))
    return LineOffs(offs=tuple(offs), stopped=tuple(stopped))


def _chain(list_minor: int, chain: Sequence[Cut], room_minor: int) -> tuple[int, list[int]]:
    if len(chain) == 1:
        wanted = int(percent_of(list_minor, chain[0].rate_bp))
        return wanted, [min(wanted, room_minor)]
    first, second = chain
    exact = (list_minor * first.rate_bp * BP_PER_UNIT, list_minor * (BP_PER_UNIT - first.rate_bp) * second.rate_bp)
    wanted = half_up(sum(exact), BP_PER_UNIT * BP_PER_UNIT)
    total = min(wanted, room_minor)
    earlier = min(total, half_up(exact[0], BP_PER_UNIT * BP_PER_UNIT))
    return wanted, [earlier, total - earlier]


def order_offs(rules: Sequence[ReadyRule], left_minor: Sequence[int], situation: Situation) -> OrderOffs:
    """What the best order rule takes off: the larger sum, then the higher priority, then the smaller id."""
    rules = [rule for rule in rules if rule.money]
    rooms = [room_of(line, left_minor[place]) for place, line in enumerate(situation.lines)]
    selectors = {rule.money[0].selector for rule in rules}
    money = {selector: _matched(situation.found.get(selector, ()), left_minor, rooms) for selector in selectors}
    sums: dict[str, int] = {}
    for rule in rules:
        if len(rule.money) > 1:
            sums[rule.id] = sum([off.off_minor for off in _offs_of(rule, left_minor, rooms, situation)])
        else:  # the split over lines need not be made to know the sum
            share = share_of(rule.money[0].effect, _reached(rule.money[0], left_minor, situation))
            sums[rule.id] = 0 if share is None else sum_off(share, money[rule.money[0].selector])
    taking = [rule for rule in rules if sums[rule.id] > 0]
    refusals = tuple(_took_nothing(rule, left_minor, situation) for rule in rules if not sums[rule.id])
    if not taking:
        return OrderOffs(offs=(), beaten=(), refusals=refusals)
    best = min(taking, key=lambda rule: (-sums[rule.id], -rule.priority, rule.id))
    beaten = tuple(
        Beaten(rule=rule.id, by=best.id, difference_minor=Minor(sums[best.id] - sums[rule.id]))
        for rule in taking
        if rule is not best
    )
    return OrderOffs(offs=_offs_of(best, left_minor, rooms, situation), beaten=beaten, refusals=refusals)


def _matched(places: Sequence[int], left_minor: Sequence[int], rooms: Sequence[int]) -> Matched:
    return matched([left_minor[i] for i in places], [rooms[i] for i in places])


def _offs_of(rule: ReadyRule, left_minor: Sequence[int], rooms: Sequence[int], situation: Situation) -> tuple[Off, ...]:
    left, room = list(left_minor), list(rooms)
    taken = [0] * len(left)
    for act in rule.money:
        places = situation.found.get(act.selector, ())
        share = share_of(act.effect, _reached(act, left_minor, situation))
        if share is None or not places:
            continue
        parts = off_lines(share, _matched(places, left, room))
        for place, part in zip(places, parts, strict=True):
            left[place] -= part
            room[place] -= part
            taken[place] += part
    return tuple(Off(place=place, rule=rule.id, off_minor=off) for place, off in enumerate(taken) if off)


def _reached(act: Act, left_minor: Sequence[int], situation: Situation) -> int:
    if not isinstance(act.effect, Ladder):
        return 0
    if act.effect.base == "list":
        return situation.list_sums.get(act.selector, 0)
    return sum(left_minor[i] for i in situation.found.get(act.selector, ()))


def _took_nothing(rule: ReadyRule, left_minor: Sequence[int], situation: Situation) -> Refusal:
    for act in rule.money:
        if isinstance(act.effect, Ladder):
            reached = _reached(act, left_minor, situation)
            need = act.effect.steps[0].from_
            if reached < need:
                have = money_text(reached, situation.exponent)
                return Refusal(rule=rule.id, condition="ladder", have=have, need=money_text(need, situation.exponent))
    return nothing_left(rule.id, situation.exponent)


def nothing_left(rule: str, exponent: int) -> Refusal:
    """The rule holds and takes nothing off: its goods cost nothing more, stand at their floor, or the share rounds to nothing."""
    return Refusal(rule=rule, condition="nothing_left", have=money_text(0, exponent), need=money_text(1, exponent))


def manual_offs(lines: Sequence[CalcLine], left_minor: Sequence[int]) -> LineOffs:
    """What the cashier takes off by hand, as far as each line has room."""
    offs, stopped = [], []
    for place, line in enumerate(lines):
        if line.manual_minor:
            part = min(line.manual_minor, room_of(line, left_minor[place]))
            if part:
                offs.append(Off(place=place, rule=MANUAL, off_minor=part))
            if part < line.manual_minor:
                stopped.append(Stopped(place=place, stopped_minor=line.manual_minor - part))
    return LineOffs(offs=tuple(offs), stopped=tuple(stopped))
