"""Stages 2 to 6 for one set of rules that may act together: item, customer, order, the cashier's hand, caps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pos_loyalty.engine.caps import ByHand, Capped, capped, manual_offs
from pos_loyalty.engine.chain import Off, Strand, begin, clean_minor, clean_units, left_minor, rounded, settle
from pos_loyalty.engine.gates import gate_lack
from pos_loyalty.engine.gift_cards import GIFT_CARD
from pos_loyalty.engine.lacks import lack_of
from pos_loyalty.engine.lines import CalcLine, room_of
from pos_loyalty.engine.model import Beaten
from pos_loyalty.engine.order import NOTHING, Ordered, Receipt, order_offs
from pos_loyalty.engine.packing import Effort
from pos_loyalty.engine.pools import PoolDone, run_pool
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.question import Missing, Question
from pos_loyalty.engine.ready import CUSTOMERS, ITEMS, LATER, RECEIPT, ReadyRule
from pos_loyalty.engine.situation import Lack, Situation
from pos_loyalty.values import Value


class Priced(Value, kw_only=True):
    """What came off, what is left of each calculation line, which rules hold, and what the reasons are told from."""

    offs: tuple[Off, ...]
    left_minor: tuple[int, ...]
    held: tuple[ReadyRule, ...]
    acting: frozenset[str]
    lacks: tuple[tuple[ReadyRule, Lack], ...]
    """Rules that do not hold, and the first condition that fails."""
    dones: tuple[PoolDone, ...]
    ordered: Ordered
    by_hand: ByHand
    cap: Capped
    outer_minor: int | None = None
    """The most that any scenario could take off single units and groups, where not every one is answered exactly."""
    left_out: tuple[Beaten, ...] = ()
    """Rules of scenarios that lost."""
    proven: bool

    @property
    def missing(self) -> list[Missing]:
        """What rules that were refused would need in the basket."""
        short = [missing for done in self.dones for missing in done.drafted.missing]
        return [*short, *self.ordered.missing] + [
            Missing(rule=rule, selector=lack.selector, amount_minor=lack.amount_minor, quantity_milli=lack.quantity_milli)
            for rule, lack in self.lacks
            if lack.amount_minor or lack.quantity_milli
        ]

    @property
    def spent(self) -> Effort:
        """The effort of all pools."""
        spent = [done.spent for done in self.dones]
        return Effort(applications=sum([each.applications for each in spent]), nodes=sum([each.nodes for each in spent]))


class Held(Value):
    """The rules of a stage that hold, and the others with the condition that fails."""

    rules: list[ReadyRule]
    lacks: list[tuple[ReadyRule, Lack]]


class Noted(NamedTuple):
    """What one question was answered so far. Scenarios share it: what they have in common is found out once."""

    lacks: dict[int, Lack | None]
    """Of conditions that no stage changes, by number."""
    pools: dict[tuple[str, ...], PoolDone]
    """By the rules of the pool and of all pools before it: the lines and the effort that a pool finds follow from those."""


class Course(Value):
    """What all pools of stages item and customer came to."""

    strands: list[Strand]
    held: list[ReadyRule]
    lacks: list[tuple[ReadyRule, Lack]]
    dones: tuple[PoolDone, ...]


NO_MEMBER = Lack(condition="customer", have="none", need="member")
NOT_BY_HAND = ByHand(offs=(), stopped=(), refusals=())


def held_of(candidates: Sequence[ReadyRule], situation: Situation, programme: Programme, known: dict[int, Lack | None]) -> Held:
    """Which rules hold now. ``known`` carries what was found out about conditions that no stage changes to the next ones."""
    moving: dict[int, Lack | None] = {}
    is_nobody, stopped = situation.member is None, bool(situation.state.stopped)
    rules: list[ReadyRule] = []
    lacks: list[tuple[ReadyRule, Lack]] = []
    for rule in candidates:
        lack = gate_lack(rule, programme, situation) if rule.has_gate or stopped else None
        if lack is None and is_nobody and rule.needs_member:
            lack = NO_MEMBER
        if lack is None:
            for term in rule.terms:
                answers, number = moving if rule.is_moving else known, term.number
                if number in answers:
                    lack = answers[number]
                else:
                    lack = answers[number] = lack_of(term, situation)
                if lack is not None:
                    break
        if lack is None:
            rules.append(rule)
        else:
            lacks.append((rule, lack))
    return Held(rules=rules, lacks=lacks)


def price(candidates: Sequence[ReadyRule], situation: Situation, question: Question, effort: Effort, noted: Noted) -> Priced:
    """Run all stages for rules that may act together. ``situation`` shows the lines as the shelf does.

    ``noted`` is for one question and effort.
    """
    programme, lines = question.programme, question.lines
    turns: tuple[list[ReadyRule], ...] = ([], [], [], [])
    for rule in candidates:
        turns[rule.turn].append(rule)
    course = _course((turns[ITEMS], turns[CUSTOMERS]), situation, question, effort, noted)
    listed = [line.list_minor for line in lines]
    offs = _line_offs(course.strands, course.held, is_down=programme.rounding.discount == "down")
    left = _less(listed, offs)
    order, ordered = Held(rules=[], lacks=[]), NOTHING
    if turns[RECEIPT]:
        situation = _seen(situation, left, course.strands, programme)
        order = held_of(turns[RECEIPT], situation, programme, noted.lacks)
        ordered = order_offs(order.rules, _receipt(left, course.strands, question), situation, question)
        offs += ordered.offs
        left = _less(left, ordered.offs)
    # A line of which the host took more than it costs is listed at nothing.
    is_by_hand = question.has_hand or 0 in listed
    by_hand = manual_offs(lines, left, programme.caps, programme.exponent) if is_by_hand else NOT_BY_HAND
    cap = capped(offs + by_hand.offs, _below_caps(lines, listed, programme), programme.caps)
    left = _less(listed, cap.offs)
    too_low = [line for line, each in zip(lines, left, strict=True) if each < line.floor_minor and each < line.list_minor]
    assert not too_low, "a line below its floor"
    if turns[LATER] and programme.has_running:
        touched = {off.place for off in (*ordered.offs, *by_hand.offs)}
        situation = _seen(situation, left, course.strands, programme, touched)
    late = held_of(turns[LATER], situation, programme, noted.lacks)
    return Priced(
        offs=cap.offs,
        left_minor=tuple(left),
        held=(*course.held, *order.rules, *late.rules),
        acting=frozenset([off.rule for off in cap.offs]),
        lacks=(*course.lacks, *order.lacks, *late.lacks),
        dones=course.dones,
        ordered=ordered,
        by_hand=by_hand,
        cap=cap,
        proven=ordered.proven and programme.search.mode == "best_for_customer" and all(done.proven for done in course.dones),
    )


def _seen(
    situation: Situation, left: Sequence[int], strands: Sequence[Strand], programme: Programme, touched: Collection[int] = ()
) -> Situation:
    """The lines as conditions see them now. On lines that were ``touched`` as a whole no unit is without a reduction."""
    if not programme.has_dynamic:
        return replace(situation, running_minor=left)
    return replace(
        situation,
        running_minor=left,
        clean_minor=[0 if place in touched else clean_minor(strand) for place, strand in enumerate(strands)],
        clean_units=[0 if place in touched else clean_units(strand) for place, strand in enumerate(strands)],
    )


def _receipt(left: Sequence[int], strands: Sequence[Strand], question: Question) -> Receipt:
    """The lines as stage order finds them."""
    return Receipt(
        left_minor=left,
        rooms_minor=[room_of(line, each) for line, each in zip(question.lines, left, strict=True)],
        clean_minor=[clean_minor(strand) for strand in strands] if question.programme.has_dynamic else left,
    )


def _course(
    turns: Sequence[Sequence[ReadyRule]], situation: Situation, question: Question, effort: Effort, noted: Noted
) -> Course:
    """Stages item and customer, pool after pool; ``turns``: the rules that act with item offers, then the others."""
    programme, lines = question.programme, question.lines
    is_down = programme.rounding.discount == "down"
    strands = [begin(line) for line in lines]
    all_held: list[ReadyRule] = []
    lacks: list[tuple[ReadyRule, Lack]] = []
    dones: list[PoolDone] = []
    left = effort
    path: tuple[str, ...] = ()
    for turn, asked in enumerate(turns):
        if not asked:
            continue
        if turn == CUSTOMERS and programme.has_running:
            situation = _seen(situation, left_minor(strands, lines, is_down=is_down), strands, programme)
        held = held_of(asked, situation, programme, noted.lacks)
        lacks += held.lacks
        all_held += held.rules
        for rivals in _pools(held.rules):
            path = (*path, "", *[rule.id for rule in rivals])
            done = noted.pools.get(path)
            if done is None:
                done = noted.pools[path] = run_pool(rivals, strands, question, left)
            strands = done.strands
            dones.append(done)
            left = _less_effort(left, done.spent)
        if turn == ITEMS and programme.rounding.after == "stage":
            strands = [settle(strand, line, is_down=is_down) for strand, line in zip(strands, lines, strict=True)]
    return Course(strands=strands, held=all_held, lacks=lacks, dones=tuple(dones))


def _pools(rules: list[ReadyRule]) -> list[list[ReadyRule]]:
    numbers = {rule.pool for rule in rules}
    if len(numbers) == 1:
        return [rules]
    pools: dict[int, list[ReadyRule]] = {number: [] for number in sorted(numbers)}
    for rule in rules:
        pools[rule.pool].append(rule)
    return list(pools.values())


def _less_effort(effort: Effort, spent: Effort) -> Effort:
    return Effort(applications=effort.applications - spent.applications, nodes=effort.nodes - spent.nodes)


def _line_offs(strands: Sequence[Strand], held: Sequence[ReadyRule], *, is_down: bool) -> tuple[Off, ...]:
    """What came off each line, rounded; in the order in which the rules' pools act."""
    found: dict[str, list[Off]] = {}
    for place, strand in enumerate(strands):
        offs = rounded(strand, is_down=is_down)
        if strand.settled:  # a rule may have acted in more than one way
            sums: dict[str, int] = {}
            for rule, off in offs:
                sums[rule] = sums.get(rule, 0) + off
            offs = tuple(sums.items())
        for rule, off in offs:
            if off:
                found.setdefault(rule, []).append(Off(place=place, rule=rule, off_minor=off))
    if len(found) > 1:
        in_order = sorted([(rule.pool, rule.id) for rule in held if rule.id in found])
        return tuple([off for _, rule in in_order for off in found[rule]])
    return tuple([off for offs in found.values() for off in offs])


def _less(left: Sequence[int], offs: Sequence[Off]) -> list[int]:
    less = list(left)
    for off in offs:
        less[off.place] -= off.off_minor
    return less


def _below_caps(lines: Sequence[CalcLine], listed: Sequence[int], programme: Programme) -> int:
    """What caps go by: the receipt as the shelf prices it, without money for gift cards."""
    if not programme.gift_series:
        return sum(listed)
    return sum([minor for line, minor in zip(lines, listed, strict=True) if line.floor.name != GIFT_CARD])
