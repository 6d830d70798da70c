"""One pool of stages item and customer: rules of which one acts on a unit. The best combination is found and laid on the lines.

Plain percentages on units that no other offer wants need no search: the best of them acts. All other units become kinds, and
search.py packs the offers on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pos_loyalty.engine.chain import Strand, finer, settle
from pos_loyalty.engine.drafts import NO_DRAFTS, Draft, Drafts, drafts_of
from pos_loyalty.engine.effects import Limited, Percent
from pos_loyalty.engine.kinds import Best, Sorted, least_of, offers_of, sort_units
from pos_loyalty.engine.laying import Exact, Ground, Laid, Whole, lay, relaid
from pos_loyalty.engine.model import Beaten, Refusal
from pos_loyalty.engine.money import half_up, up
from pos_loyalty.engine.packing import Effort, Offer, Packed
from pos_loyalty.engine.question import NO_LIMIT, Question, Spot, nothing_left, room_each, spots_of, worth_each
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from pos_loyalty.values import BP_PER_UNIT, Minor, Value


class Plain(Value):
    """Plain rules on runs: the best of each run, and what every rule alone would take off one unit of each."""

    best: Mapping[Spot, Best]
    mine: Mapping[str, Mapping[Spot, int]]
    shut: Mapping[Spot, int]
    """What floors kept whole: the most that any rule would have taken off one unit."""
    strands: Sequence[Strand]

    def units(self, spot: Spot) -> int:
        """How many units a run has."""
        return self.strands[spot[0]].runs[spot[1]][0]


class Searched(Value):
    """The part of a pool that needed a search."""

    drafts: tuple[Draft, ...]
    sorted_units: Sorted
    offers: tuple[Offer, ...]
    packed: Packed


class PoolDone(Value):
    """What a pool left of the lines, how it came about, and the effort it took. Values are minor units × ``scale``."""

    rules: Sequence[ReadyRule]
    strands: list[Strand]
    laid: Laid
    drafted: Drafts
    plain: Plain
    searched: Searched | None
    scale: int
    proven: bool
    spent: Effort

    @property
    def value(self) -> int:
        """What was taken off."""
        return self._plain_value() + (self.searched.packed.value if self.searched is not None else 0)

    @property
    def bound(self) -> int:
        """The most that any combination could take off."""
        return self._plain_value() + (self.searched.packed.bound if self.searched is not None else 0)

    def _plain_value(self) -> int:
        touched = self.searched.sorted_units.touched if self.searched is not None else {}
        plain = self.plain
        return sum([each.value * (plain.units(spot) - touched.get(spot, 0)) for spot, each in plain.best.items()])

    @property
    def times(self) -> dict[str, int]:
        """Complete applications of group offers, by rule."""
        return _times(self.searched) if self.searched is not None else {}


NOTHING = Effort(applications=0, nodes=0)


def run_pool(rules: Sequence[ReadyRule], strands: list[Strand], question: Question, effort: Effort) -> PoolDone:
    """Let the rules of one pool act. ``rules`` hold and are sorted by id."""
    by_priority = question.programme.search.mode == "priority"
    plain_rules = [] if by_priority else [rule for rule in rules if rule.is_plain or _is_unbound(rule, strands, question)]
    others = [rule for rule in rules if rule not in plain_rules] if len(plain_rules) < len(rules) else []
    strands, scale = _levelled(strands, question, is_whole=bool(others))
    drafted = drafts_of(others, strands, question) if others else NO_DRAFTS
    plain = _plain(plain_rules, strands, question)
    if not drafted.drafts:
        laid = Laid(exact=_plain_laid(plain, strands, {}), whole=())
        return _done(rules, strands, (drafted, plain, None, scale), laid)
    sorted_units = sort_units(drafted.drafts, strands, question, plain.best)
    offers = offers_of(drafted.drafts, sorted_units, plain.best, scale)
    packed = pack_by_priority(sorted_units.kinds, offers) if by_priority else pack(sorted_units.kinds, offers, effort)
    is_down = question.programme.rounding.discount == "down"
    ground = Ground(strands=strands, lines=question.lines, scale=scale, is_down=is_down)
    found = lay(packed, drafted.drafts, offers, sorted_units, ground)
    laid = Laid(exact=found.exact + _plain_laid(plain, strands, sorted_units.touched), whole=found.whole)
    searched = Searched(drafts=drafted.drafts, sorted_units=sorted_units, offers=tuple(offers), packed=packed)
    return _done(rules, strands, (drafted, plain, searched, scale), laid)


def _is_unbound(rule: ReadyRule, strands: Sequence[Strand], question: Question) -> bool:
    """Whether a rule is plain but for a money limit that all its goods together do not reach here."""
    if rule.counter is not None:
        return False
    for act in rule.money:
        effect = act.effect
        if not isinstance(effect, Limited) or effect.max_units is not None or effect.max_units_per_line is not None:
            return False
        most = least_of(question.allowances.get(rule.id, NO_LIMIT).money_minor, effect.max_amount)
        if most is None:
            continue
        wanted = 0
        for place, run in spots_of(act.selector, strands, question):
            count, left, _ = strands[place].runs[run]
            fine = strands[place].scale * BP_PER_UNIT
            wanted += up(count * worth_each(effect, left, left, strands[place].scale), fine)
        if wanted > most:
            return False
    return True


def _levelled(strands: list[Strand], question: Question, *, is_whole: bool) -> tuple[list[Strand], int]:
    """All lines in one scale; in whole minor units where sums will be laid on them."""
    scale = max([strand.scale for strand in strands], default=1)
    if scale == 1:
        return strands, 1
    if is_whole:
        is_down = question.programme.rounding.discount == "down"
        pairs = zip(strands, question.lines, strict=True)
        return [settle(strand, line, is_down=is_down) for strand, line in pairs], 1
    return [finer(strand, scale) for strand in strands], scale


def _plain(rules: Sequence[ReadyRule], strands: Sequence[Strand], question: Question) -> Plain:
    """The plain rule that takes most off each unit: then the higher priority, then the smaller id."""
    best: dict[Spot, Best] = {}
    mine: dict[str, dict[Spot, int]] = {}
    shut: dict[Spot, int] = {}
    lines = question.lines
    for rule in rules:
        worths = mine[rule.id] = {}
        for act in rule.money:
            effect = act.effect
            assert isinstance(effect, Limited)
            rate_bp = int(effect.percent) if isinstance(effect, Percent) else None
            for spot in spots_of(act.selector, strands, question):
                strand, line = strands[spot[0]], lines[spot[0]]
                left = strand.runs[spot[1]][1]
                if rate_bp is not None and not line.floor_minor:
                    worth = wanted = left * rate_bp
                else:
                    worth = worth_each(effect, left, room_each(line, left, strand.scale), strand.scale)
                    wanted = worth_each(effect, left, left, strand.scale)
                if worth <= worths.get(spot, 0):
                    if wanted > worth == 0:
                        shut[spot] = max(wanted, shut.get(spot, 0))
                    continue
                worths[spot] = worth
                held = best.get(spot)
                if held is None or worth > held.value or (worth == held.value and rule.priority > held.rule.priority):
                    best[spot] = Best(value=worth, rule=rule, wanted=wanted)
    return Plain(best=best, mine=mine, shut=shut, strands=strands)


def _plain_laid(plain: Plain, strands: Sequence[Strand], touched: Mapping[Spot, int]) -> tuple[Exact, ...]:
    laid = []
    for spot in sorted(plain.best):
        units = strands[spot[0]].runs[spot[1]][0] - touched.get(spot, 0)
        if units:
            held = plain.best[spot]
            laid.append(Exact(spot=spot, units=units, rule=held.rule.id, each=held.value))
    return tuple(laid)


def _done(
    rules: Sequence[ReadyRule], strands: list[Strand], parts: tuple[Drafts, Plain, Searched | None, int], laid: Laid
) -> PoolDone:
    drafted, plain, searched, scale = parts
    packed = searched.packed if searched is not None else None
    return PoolDone(
        rules=rules,
        strands=relaid(strands, laid),
        laid=laid,
        drafted=drafted,
        plain=plain,
        searched=searched,
        scale=scale * BP_PER_UNIT,
        proven=packed is None or packed.proven,
        spent=Effort(applications=packed.applications, nodes=packed.nodes) if packed is not None else NOTHING,
    )


def stopped_by_floors(done: PoolDone, question: Question) -> list[tuple[int, int]]:
    """(place, value) that a floor kept of single units' shares."""
    strands = done.plain.strands
    limited = {
        draft.rule.id: draft.act.effect
        for draft in (done.searched.drafts if done.searched is not None else ())
        if isinstance(draft.act.effect, Limited)
    }
    plain = done.plain
    stopped = [(spot[0], each * plain.units(spot)) for spot, each in sorted(plain.shut.items()) if spot not in plain.best]
    laid: tuple[Exact | Whole, ...] = (*done.laid.exact, *done.laid.whole)
    for share in laid:
        place, run = share.spot
        if not question.lines[place].floor_minor:
            continue
        held = done.plain.best.get(share.spot)
        left = strands[place].runs[run][1]
        effect = limited.get(share.rule)
        if effect is not None:
            room = room_each(question.lines[place], left, strands[place].scale) * BP_PER_UNIT
            kept = max(0, worth_each(effect, left, left, strands[place].scale) - room)
        else:
            kept = held.wanted - held.value if held is not None and held.rule.id == share.rule else 0
        if kept:
            stopped.append((place, kept * share.units))
    return stopped


def _times(searched: Searched) -> dict[str, int]:
    times: dict[str, int] = {}
    for taken in searched.packed.taken:
        if taken.offer < len(searched.drafts):
            draft = searched.drafts[taken.offer]
            if not isinstance(draft.act.effect, Limited):
                times[draft.rule.id] = times.get(draft.rule.id, 0) + taken.times
    return times


def _taken(laid: Laid, fine: int) -> dict[Spot, dict[str, int]]:
    """What every acting rule took off each run."""
    taken: dict[Spot, dict[str, int]] = {}
    for share in laid.exact:
        mine = taken.setdefault(share.spot, {})
        mine[share.rule] = mine.get(share.rule, 0) + share.units * share.each
    for part in laid.whole:
        if part.off_minor:
            mine = taken.setdefault(part.spot, {})
            mine[part.rule] = mine.get(part.rule, 0) + part.off_minor * fine
    return taken


class Losers(Value):
    """Rules that hold and took nothing."""

    beaten: list[Beaten]
    refusals: list[Refusal]


def losers(done: PoolDone, exponent: int) -> Losers:
    """Rules that hold and took nothing: beaten by the one that took most of what they wanted, or nothing was left for them."""
    taken = _taken(done.laid, done.scale)
    named = {rule for found in taken.values() for rule in found}
    named.update([refusal.rule for refusal in done.drafted.refusals])
    drafts: dict[str, list[int]] = {}
    for number, draft in enumerate(done.searched.drafts if done.searched is not None else ()):
        drafts.setdefault(draft.rule.id, []).append(number)
    beaten: list[Beaten] = []
    refusals: list[Refusal] = list(done.drafted.refusals)
    for rule in done.rules:
        if rule.id in named:
            continue
        wanted, worth = _alone(rule, drafts.get(rule.id, ()), done)
        lost: dict[str, int] = {}
        for spot in wanted:
            for winner, off in taken.get(spot, {}).items():
                lost[winner] = lost.get(winner, 0) + off
        if not worth or not lost:
            refusals.append(nothing_left(rule.id, exponent))
            continue
        by = min(lost, key=lambda winner: (-lost[winner], winner))
        difference = half_up(max(0, sum(lost.values()) - worth), done.scale)
        beaten.append(Beaten(rule=rule.id, by=by, difference_minor=Minor(difference)))
    return Losers(beaten=beaten, refusals=refusals)


def _alone(rule: ReadyRule, drafts: Sequence[int], done: PoolDone) -> tuple[Iterable[Spot], int]:
    """The runs a rule wanted, and what it would have taken off them alone."""
    spots = done.plain.mine.get(rule.id, {})
    worth = sum([each * done.plain.units(spot) for spot, each in spots.items()])
    if not drafts or done.searched is None:
        return spots, worth
    wanted = set(spots)
    for number in drafts:
        wanted.update(spot for units in done.searched.drafts[number].slots for spot in units)
        worth = max(worth, alone(done.searched.sorted_units.kinds, done.searched.offers[number]))
    return wanted, worth
