"""One pool of stages item and customer: rules of which one acts on a unit. The best combination is found and laid on the lines.

Plain percentages on units that no other offer wants need no search: the best of them acts. All other units become kinds, and
search.py packs the offers on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pos_loyalty.engine.chain import Strand, finer, settle
from pos_loyalty.engine.drafts import Draft, Drafts, drafts_of
from pos_loyalty.engine.effects import Act, Limited, NForM, Percent
from pos_loyalty.engine.idle import why_nothing
from pos_loyalty.engine.kinds import Best, Sorted, least_of, offers_of, sort_units
from pos_loyalty.engine.laying import Exact, Ground, Laid, Whole, lay, relaid
from pos_loyalty.engine.model import Beaten, Refusal
from pos_loyalty.engine.money import half_up, up
from pos_loyalty.engine.packing import Effort, Offer, Packed
from pos_loyalty.engine.question import (
    NO_LIMIT,
    Question,
    Spot,
    nothing_left,
    room_each,
    spots_of,
    strength_of,
    wanted_each,
    worth_each,
)
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from pos_loyalty.values import BP_PER_UNIT, Minor, Value


class Plain(Value):
    """Plain rules on runs: the best of each run, and the lines as they stood."""

    best: Mapping[Spot, Best]
    shut: Mapping[Spot, int]
    """What floors kept whole: the most that any rule would have taken off one unit."""
    strands: Sequence[Strand]

    def units(self, spot: Spot) -> int:
        """How many units a run has."""
        return self.strands[spot[0]].runs[spot[1]][0]

    def left_on(self, spots: Iterable[Spot]) -> int:
        """What all units of some runs cost."""
        return sum([count * left for count, left, _ in [self.strands[place].runs[run] for place, run in spots]])


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
    value: int
    """What was taken off."""
    bound: int
    """The most that any combination could take off."""
    proven: bool
    spent: Effort

    @property
    def times(self) -> dict[str, int]:
        """Complete applications of group offers, by rule."""
        return _times(self.searched) if self.searched is not None else {}


SCALE_MAX = BP_PER_UNIT**8
"""So fine may the lines of a pool be: the money of a receipt at this scale stays far from what the search takes for lost."""
NOTHING = Effort(applications=0, nodes=0)
NOTHING_LAID = Laid(exact=(), whole=())


def run_pool(rules: Sequence[ReadyRule], strands: list[Strand], question: Question, effort: Effort) -> PoolDone:
    """Let the rules of one pool act. ``rules`` hold and are sorted by id."""
    by_priority = question.programme.search.mode == "priority"
    strands, scale = _in_one_scale(strands)
    plain_rules, others = _told_apart(rules, strands, question)
    drafted = drafts_of(others, strands, question)
    if scale > 1 and any(scale > SCALE_MAX or _lays_sums(draft) for draft in drafted.drafts):
        is_down = question.programme.rounding.discount == "down"
        strands, scale = [settle(s, line, is_down=is_down) for s, line in zip(strands, question.lines, strict=True)], 1
        plain_rules, others = _told_apart(rules, strands, question)
        drafted = drafts_of(others, strands, question)
    plain = _plain(plain_rules, strands, question)
    if not drafted.drafts:
        return _done(rules, strands, (drafted, plain, None, scale), NOTHING_LAID)
    sorted_units = sort_units(drafted.drafts, strands, question, plain.best)
    offers = offers_of(drafted.drafts, sorted_units, plain.best, scale)
    before = question.before.get(rules[0].pool)
    packed = pack_by_priority(sorted_units.kinds, offers) if by_priority else pack(sorted_units.kinds, offers, effort, before)
    is_down = question.programme.rounding.discount == "down"
    ground = Ground(strands=strands, lines=question.lines, scale=scale, is_down=is_down)
    found = lay(packed, drafted.drafts, offers, sorted_units, ground)
    searched = Searched(drafts=drafted.drafts, sorted_units=sorted_units, offers=tuple(offers), packed=packed)
    return _done(rules, strands, (drafted, plain, searched, scale), found)


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


def _told_apart(
    rules: Sequence[ReadyRule], strands: Sequence[Strand], question: Question
) -> tuple[list[ReadyRule], list[ReadyRule]]:
    """Rules that need no search, and the others."""
    if question.programme.search.mode == "priority":
        return [], list(rules)
    plain: list[ReadyRule] = []
    others: list[ReadyRule] = []
    for rule in rules:
        (plain if rule.is_plain or _is_unbound(rule, strands, question) else others).append(rule)
    return plain, others


def _lays_sums(draft: Draft) -> bool:
    """Whether an offer may lay a sum on its goods, which takes whole minor units, rather than a share on each unit."""
    effect = draft.act.effect
    if isinstance(effect, Limited) or (isinstance(effect, NForM) and effect.spread == "unit"):
        return least_of(draft.allowance.money_minor, effect.max_amount) is not None
    return True


def _in_one_scale(strands: list[Strand]) -> tuple[list[Strand], int]:
    scale = max([strand.scale for strand in strands], default=1)
    return ([finer(strand, scale) for strand in strands], scale) if scale > 1 else (strands, 1)


def _plain(rules: Sequence[ReadyRule], strands: Sequence[Strand], question: Question) -> Plain:
    """The plain rule that takes most off each unit: then the higher priority, then the smaller id."""
    best: dict[Spot, Best] = {}
    shut: dict[Spot, int] = {}
    lines = question.lines
    for rule, act, effect in _rivals(rules):
        priority = rule.priority
        rate_bp = int(effect.percent) if isinstance(effect, Percent) else None
        for spot in spots_of(act.selector, strands, question):
            place, run = spot
            strand, line = strands[place], lines[place]
            left = strand.runs[run][1]
            worth = wanted = wanted_each(effect, left, strand.scale) if rate_bp is None else left * rate_bp
            if line.floor_minor:
                worth = min(wanted, room_each(line, left, strand.scale) * BP_PER_UNIT)
            if not worth:
                shut[spot] = max(wanted, shut.get(spot, 0))
                continue
            held = best.get(spot)
            if held is None or worth > held.value or (worth == held.value and priority > held.rule.priority):
                best[spot] = Best(value=worth, rule=rule, wanted=wanted)
    return Plain(best=best, shut=shut, strands=strands)


def _rivals(rules: Iterable[ReadyRule]) -> list[tuple[ReadyRule, Act, Limited]]:
    """The plain effects, less those of which one on the same goods that wins every tie takes no less off any unit."""
    rivals: list[tuple[ReadyRule, Act, Limited]] = []
    strongest: dict[int, tuple[Limited, int]] = {}
    for rule in rules:
        for act in rule.money:
            effect = act.effect
            assert isinstance(effect, Limited)
            if act.selector not in strongest:
                strongest[act.selector] = effect, rule.priority
            else:
                other, priority = strongest[act.selector]
                if type(effect) is type(other):
                    difference = strength_of(effect) - strength_of(other)
                    if difference <= 0 and rule.priority <= priority:
                        continue
                    if difference >= 0 and rule.priority >= priority:
                        strongest[act.selector] = effect, rule.priority
            rivals.append((rule, act, effect))
    return rivals


def _plain_laid(plain: Plain, touched: Mapping[Spot, int]) -> tuple[Exact, ...]:
    laid = []
    for spot in sorted(plain.best):
        held = plain.best[spot]
        units = plain.units(spot) - touched.get(spot, 0)
        if units:
            laid.append(Exact(spot=spot, units=units, rule=held.rule.id, each=held.value))
    return tuple(laid)


def _done(
    rules: Sequence[ReadyRule], strands: list[Strand], parts: tuple[Drafts, Plain, Searched | None, int], found: Laid
) -> PoolDone:
    drafted, plain, searched, scale = parts
    touched: Mapping[Spot, int] = {}
    value = bound = 0
    proven, spent = True, NOTHING
    if searched is not None:
        touched, packed = searched.sorted_units.touched, searched.packed
        value, bound, proven = packed.value, packed.bound, packed.proven
        spent = Effort(applications=packed.applications, nodes=packed.nodes)
    by_best = _plain_laid(plain, touched)
    unsearched = sum([share.units * share.each for share in by_best])
    laid = Laid(exact=(*found.exact, *by_best), whole=found.whole, bought=found.bought)
    return PoolDone(
        rules=rules,
        strands=relaid(strands, laid),
        laid=laid,
        drafted=drafted,
        plain=plain,
        searched=searched,
        scale=scale * BP_PER_UNIT,
        value=value + unsearched,
        bound=bound + unsearched,
        proven=proven,
        spent=spent,
    )


def stopped_by_floors(done: PoolDone, question: Question) -> list[tuple[int, int]]:
    """(place, value) that a floor kept of single units' shares."""
    lines = question.lines
    floored = {place for place, line in enumerate(lines) if line.floor_minor}
    if not floored:
        return []
    plain = done.plain
    drafts = done.searched.drafts if done.searched is not None else ()
    limited = {draft.rule.id: draft.act.effect for draft in drafts if isinstance(draft.act.effect, Limited)}
    stopped = [(spot[0], each * plain.units(spot)) for spot, each in sorted(plain.shut.items()) if spot not in plain.best]
    shares: tuple[Exact | Whole, ...] = (*done.laid.exact, *done.laid.whole)
    for share in shares:
        place, run = share.spot
        if place not in floored:
            continue
        effect = limited.get(share.rule)
        if effect is not None:
            strand = plain.strands[place]
            left = strand.runs[run][1]
            kept = wanted_each(effect, left, strand.scale) - worth_each(
                effect, left, room_each(lines[place], left, strand.scale), strand.scale
            )
        else:
            held = plain.best.get(share.spot)
            kept = held.wanted - held.value if held is not None and held.rule.id == share.rule else 0
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
        mine = taken.setdefault(part.spot, {})
        mine[part.rule] = mine.get(part.rule, 0) + part.off_minor * fine
    return taken


class Losers(Value):
    """Rules that hold and took nothing."""

    beaten: list[Beaten]
    refusals: list[Refusal]


def losers(done: PoolDone, question: Question) -> Losers:
    """Rules that hold and took nothing: beaten by the one that took most of what they wanted, or nothing was left for them."""
    named = {refusal.rule for refusal in done.drafted.refusals}
    named.update([share.rule for share in done.laid.exact], [part.rule for part in done.laid.whole if part.off_minor])
    beaten: list[Beaten] = []
    refusals: list[Refusal] = list(done.drafted.refusals)
    lost = [rule for rule in done.rules if rule.id not in named]
    if not lost:
        return Losers(beaten=beaten, refusals=refusals)
    taken = _taken(done.laid, done.scale)
    drafts: dict[str, list[int]] = {}
    for number, draft in enumerate(done.searched.drafts if done.searched is not None else ()):
        drafts.setdefault(draft.rule.id, []).append(number)
    floored = {place for place, line in enumerate(question.lines) if line.floor_minor}
    prey: dict[int, tuple[int, tuple[str, int]]] = {}
    for rule in lost:
        effect = rule.money[0].effect if len(rule.money) == 1 else None
        if rule.id in drafts and done.searched is not None:
            by, off = _winner(_searched_spots(drafts[rule.id], done.searched), taken)
            worth = _searched_alone(drafts[rule.id], done.searched) if off else 0
        elif isinstance(effect, Percent) and not floored:
            selector = rule.money[0].selector
            if selector not in prey:
                spots = spots_of(selector, done.plain.strands, question)
                prey[selector] = (done.plain.left_on(spots), _winner(spots, taken))
            left, (by, off) = prey[selector]
            worth = left * effect.percent
        else:
            worths = _plain_alone(rule, done.plain, question)
            by, off = _winner(worths, taken)
            worth = sum(worths.values())
        if worth and off:
            beaten.append(Beaten(rule=rule.id, by=by, difference_minor=Minor(half_up(max(off, worth) - worth, done.scale))))
        elif worth:
            refusals.append(nothing_left(rule.id, question.programme.exponent))
        else:
            mine = [done.searched.drafts[number] for number in drafts.get(rule.id, ())] if done.searched is not None else []
            drafted = [(draft.act, draft.slots) for draft in mine]
            refusals.append(why_nothing(rule, drafted, done.plain.strands, question))
    return Losers(beaten=beaten, refusals=refusals)


def _winner(wanted: Iterable[Spot], taken: Mapping[Spot, Mapping[str, int]]) -> tuple[str, int]:
    """Who took most of the runs that a rule wanted, and what all took there; nobody and nothing."""
    lost: dict[str, int] = {}
    for spot in wanted:
        if spot in taken:
            for winner, off in taken[spot].items():
                lost[winner] = lost.get(winner, 0) + off
    if len(lost) <= 1:
        return next(iter(lost.items()), ("", 0))
    return min(lost, key=lambda winner: (-lost[winner], winner)), sum(lost.values())


def _plain_alone(rule: ReadyRule, plain: Plain, question: Question) -> dict[Spot, int]:
    """The runs that a plain rule wanted, and what it would have taken off each alone."""
    worths: dict[Spot, int] = {}
    for act in rule.money:
        assert isinstance(act.effect, Limited)
        for spot in spots_of(act.selector, plain.strands, question):
            strand = plain.strands[spot[0]]
            count, left, _ = strand.runs[spot[1]]
            room = room_each(question.lines[spot[0]], left, strand.scale)
            worth = count * worth_each(act.effect, left, room, strand.scale)
            if worth > worths.get(spot, 0):
                worths[spot] = worth
    return worths


def _searched_spots(drafts: Sequence[int], searched: Searched) -> set[Spot]:
    """The runs that a rule in the search wanted."""
    return {spot for number in drafts for units in searched.drafts[number].slots for spot in units}


def _searched_alone(drafts: Sequence[int], searched: Searched) -> int:
    """The most that one effect of a rule in the search would have taken off alone."""
    return max([alone(searched.sorted_units.kinds, searched.offers[number]) for number in drafts])
