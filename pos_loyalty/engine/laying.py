"""From what was taken back to lines: which units an offer claimed, and how its money lies on them.

Shares of single units stay exact. Sums (sets, bundles, gifts, offers with a money limit) are rounded once for each offer and
allocated in whole minor units over the units that were claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.chain import Run, Strand, even_runs
from pos_loyalty.engine.drafts import Draft
from pos_loyalty.engine.effects import Gift, Limited, NForM
from pos_loyalty.engine.kinds import Sorted
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.money import allocate, half_up, up, whole_in
from pos_loyalty.engine.packing import Offer, Packed, Taken
from pos_loyalty.engine.question import Spot, room_each
from pos_loyalty.values import BP_PER_UNIT, Value

Drawn = tuple[int, int, int]
"""Place, run and number of units."""


class Exact(Value, gc=False):
    """Off each of some units of a run, 10,000 times finer than the pool."""

    spot: Spot
    units: int
    rule: str
    each: int


class Whole(Value, gc=False):
    """Off some units of a run together, in whole minor units; nothing where an offer only claimed them."""

    spot: Spot
    units: int
    rule: str
    off_minor: int


class Bought(Value, gc=False):
    """Units of a line that were bought for a gift."""

    rule: str
    place: int
    units: int


class Laid(Value):
    """Everything that acts on the lines, in the order of action; ``bought``: what paid for gifts."""

    exact: tuple[Exact, ...]
    whole: tuple[Whole, ...]
    bought: tuple[Bought, ...] = ()


class Ground(Value):
    """The lines an offer lies on, the pool's scale, and how its sums are rounded."""

    strands: Sequence[Strand]
    lines: Sequence[CalcLine]
    scale: int
    is_down: bool


class _Drawer:
    """Hands out the units of each kind in the canonical order."""

    def __init__(self, units: Sequence[Sequence[Drawn]]) -> None:
        self._units = units
        self._left: dict[int, list[list[int]]] = {}

    def draw(self, kind: int, count: int) -> list[Drawn]:
        drawn: list[Drawn] = []
        rest = self._left.get(kind)
        if rest is None:
            rest = self._left[kind] = [list(each) for each in reversed(self._units[kind])]
        while count > 0 and rest:
            place, run, units = rest[-1]
            part = min(units, count)
            drawn.append((place, run, part))
            count -= part
            if part == units:
                rest.pop()
            else:
                rest[-1][2] -= part
        assert count == 0, "an offer claimed more units than there are"
        return drawn


def lay(packed: Packed, drafts: Sequence[Draft], offers: Sequence[Offer], sorted_units: Sorted, ground: Ground) -> Laid:
    """Where every taken offer lies. Offers after the drafts are plain rules."""
    drawer = _Drawer(sorted_units.units)
    reached: dict[int, int] = {}
    for taken in packed.taken:
        reached[taken.offer] = reached.get(taken.offer, 0) + taken.value
    margin = len(ground.lines) * ground.scale * BP_PER_UNIT
    exact: list[Exact] = []
    bought: list[Bought] = []
    sums: dict[int, list[_Row]] = {}
    for taken in packed.taken:
        offer = offers[taken.offer]
        draft = drafts[taken.offer] if taken.offer < len(drafts) else None
        row = _drawn(taken, drawer)
        if draft is None or _is_exact(draft, offer, reached[taken.offer] + margin):
            exact += [
                Exact(spot=(place, run), units=units, rule=offer.id, each=each)
                for each, drawn in row.on_parts
                for place, run, units in drawn
            ]
            row = _Row(value=0, claimed=row.rest, on_parts=())
        if draft is not None:
            sums.setdefault(taken.offer, []).append(row)
            if isinstance(draft.act.effect, Gift):
                bought += [Bought(rule=draft.rule.id, place=place, units=units) for place, _, units in row.rest]
    whole: list[Whole] = []
    for number in sorted(sums):
        most = offers[number].money
        if isinstance(drafts[number].act.effect, Limited) and most is not None and any(row.on_parts for row in sums[number]):
            whole += _units_laid(drafts[number], sums[number], whole_in(most, ground.scale * BP_PER_UNIT), ground)
        else:
            whole += _sums_laid(drafts[number], sums[number], ground)
    return Laid(exact=tuple(exact), whole=tuple(whole), bought=tuple(bought))


class _Row(Value):
    """One taken application with its units: the worth, all claimed units, those the share lands on, and the others."""

    value: int
    claimed: tuple[Drawn, ...]
    on_parts: tuple[tuple[int, tuple[Drawn, ...]], ...]
    rest: tuple[Drawn, ...] = ()


def _drawn(taken: Taken, drawer: _Drawer) -> _Row:
    on_parts: list[tuple[int, tuple[Drawn, ...]]] = []
    counts = dict(taken.claimed)
    for kind, units, each in taken.parts:
        on_parts.append((each, tuple(drawer.draw(kind, units * taken.times))))
        counts[kind] = counts.get(kind, 0) - units
    rest = [drawn for kind, units in sorted(counts.items()) for drawn in drawer.draw(kind, units * taken.times)]
    claimed = tuple([drawn for _, each in on_parts for drawn in each] + rest)
    return _Row(value=taken.value, claimed=claimed, on_parts=tuple(on_parts), rest=tuple(rest))


def _is_exact(draft: Draft, offer: Offer, most: int) -> bool:
    """Shares of single units that no money limit cuts, not even by rounding: ``most`` is what they may come to."""
    effect = draft.act.effect
    if offer.money is not None and offer.money < most:
        return False
    return isinstance(effect, Limited) or (isinstance(effect, NForM) and effect.spread == "unit")


def _sums_laid(draft: Draft, rows: Sequence[_Row], ground: Ground) -> list[Whole]:
    """One offer's money over its applications, then over the units of each."""
    fine = ground.scale * BP_PER_UNIT
    value = sum([row.value for row in rows])
    bearing = [_bearing(draft, row) for row in rows]
    rooms = [[_room(each, ground) for each in bears] for bears in bearing]
    total = whole_in(value, fine) if ground.is_down else half_up(value, fine)
    laid: list[Whole] = []
    shares = allocate([row.value for row in rows], total, [sum(mine) for mine in rooms])
    for row, bears, mine, share in zip(rows, bearing, rooms, shares, strict=True):
        parts = allocate([_price(each, ground) for each in bears], share, mine)
        laid += [_whole(draft, each, part) for each, part in zip(bears, parts, strict=True)]
        if bears is not row.claimed:
            laid += [_whole(draft, each, 0) for each in row.rest]
    return laid


def _units_laid(draft: Draft, rows: Sequence[_Row], most_minor: int, ground: Ground) -> list[Whole]:
    """Shares of single units under a money limit: rounded once for each line, and cut to the limit together."""
    fine = ground.scale * BP_PER_UNIT
    drawn: list[Drawn] = []
    exact: list[int] = []
    for row in rows:
        mine = [(units * each, (place, run, units)) for each, found in row.on_parts for place, run, units in found]
        drawn += [each for _, each in mine]
        exact += allocate([value for value, _ in mine], row.value, [value for value, _ in mine])
    places = sorted({place for place, _, _ in drawn})
    sums = [sum([value for value, each in zip(exact, drawn, strict=True) if each[0] == place]) for place in places]
    rounded = [whole_in(value, fine) if ground.is_down else half_up(value, fine) for value in sums]
    is_cut = sum(exact) == most_minor * fine
    if is_cut or sum(rounded) > most_minor:
        rounded = allocate(sums, most_minor, [up(value, fine) for value in sums])
    laid: list[Whole] = []
    for place, off in zip(places, rounded, strict=True):
        mine_of = [(value, each) for value, each in zip(exact, drawn, strict=True) if each[0] == place]
        parts = allocate([value for value, _ in mine_of], off, [_room(each, ground) for _, each in mine_of])
        laid += [_whole(draft, each, part) for (_, each), part in zip(mine_of, parts, strict=True)]
    return laid


def _bearing(draft: Draft, row: _Row) -> tuple[Drawn, ...]:
    """The units that the money lies on: the whole set, or only those that got it (gifts, spread over units)."""
    effect = draft.act.effect
    on_set = not isinstance(effect, Gift) and not (isinstance(effect, NForM) and effect.spread == "unit")
    if on_set or not row.on_parts:
        return row.claimed
    return tuple([drawn for _, each in row.on_parts for drawn in each])


def _price(drawn: Drawn, ground: Ground) -> int:
    place, run, units = drawn
    return units * ground.strands[place].runs[run][1]


def _room(drawn: Drawn, ground: Ground) -> int:
    place, run, units = drawn
    return units * room_each(ground.lines[place], ground.strands[place].runs[run][1], ground.strands[place].scale)


def _whole(draft: Draft, drawn: Drawn, off_minor: int) -> Whole:
    return Whole(spot=(drawn[0], drawn[1]), units=drawn[2], rule=draft.rule.id, off_minor=off_minor)


def relaid(strands: Sequence[Strand], laid: Laid) -> list[Strand]:
    """The lines after everything that was laid on them."""
    after = list(strands)
    exact: dict[int, list[Exact]] = {}
    whole: dict[int, list[Whole]] = {}
    for share in laid.exact:
        place = share.spot[0]
        runs = strands[place].runs
        if len(runs) == 1 and runs[0][0] == share.units:
            after[place] = _all_reduced(strands[place], share)
        else:
            exact.setdefault(place, []).append(share)
    for part in laid.whole:
        whole.setdefault(part.spot[0], []).append(part)
    for place in exact.keys() | whole.keys():
        after[place] = _relaid(strands[place], exact.get(place, ()), whole.get(place, ()))
    return after


def _relaid(strand: Strand, exact: Sequence[Exact], whole: Sequence[Whole]) -> Strand:
    finer = BP_PER_UNIT if exact else 1
    left_units = [count for count, _, _ in strand.runs]
    made: dict[tuple[int, bool], int] = {}
    pending = {rule: amount * finer for rule, amount in strand.pending}
    settled = dict(strand.settled)
    for share in exact:
        run = share.spot[1]
        left_units[run] -= share.units
        _add(made, (strand.runs[run][1] * finer - share.each, False), share.units)
        pending[share.rule] = pending.get(share.rule, 0) + share.units * share.each
    for part in whole:
        run = part.spot[1]
        left_units[run] -= part.units
        _, left, is_clean = strand.runs[run]
        if not part.off_minor:
            _add(made, (left * finer, is_clean), part.units)
            continue
        assert strand.scale == 1, "sums are laid on whole minor units"
        for count, each, _ in even_runs(left * part.units - part.off_minor, part.units, is_clean=False):
            _add(made, (each * finer, False), count)
        settled[part.rule] = settled.get(part.rule, 0) + part.off_minor
    runs: list[Run] = [
        (count, left * finer, is_clean) for count, (_, left, is_clean) in zip(left_units, strand.runs, strict=True) if count
    ]
    assert all(count > 0 for count, _, _ in runs)
    runs += [(count, left, is_clean) for (left, is_clean), count in made.items()]
    return Strand(scale=strand.scale * finer, runs=tuple(runs), pending=tuple(pending.items()), settled=tuple(settled.items()))


def _all_reduced(strand: Strand, share: Exact) -> Strand:
    """The common case: one rule takes the same off every unit of a line, so that nothing else acts there."""
    count, left, _ = strand.runs[0]
    return Strand(
        scale=strand.scale * BP_PER_UNIT,
        runs=((count, left * BP_PER_UNIT - share.each, False),),
        pending=(*[(rule, amount * BP_PER_UNIT) for rule, amount in strand.pending], (share.rule, count * share.each)),
        settled=strand.settled,
    )


def _add(made: dict[tuple[int, bool], int], key: tuple[int, bool], count: int) -> None:
    made[key] = made.get(key, 0) + count
