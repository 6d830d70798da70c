"""Money of calculation lines between the pools of stages item and customer: exact, unit by unit, rounded once at the end.

A line is a few runs of equal units. Amounts are scaled: every pool that takes shares makes a minor unit 10,000 times finer, so
nothing is rounded on the way. What came off is kept by rule in the order of action; ``settled`` rounds it, once for the line.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.money import half_up, split_evenly, whole_in
from pos_loyalty.values import Value

Run = tuple[int, int, bool]
"""How many equal units, what one costs now (scaled), and whether nothing has reduced it yet."""


class Off(Value, gc=False):
    """Money that one rule takes off one calculation line."""

    place: int
    rule: str
    off_minor: int


class Strand(Value, gc=False):
    """One calculation line: the scale of its amounts, its runs, and what came off so far and is not rounded yet, by rule."""

    scale: int
    runs: tuple[Run, ...]
    pending: tuple[tuple[str, int], ...] = ()
    settled: tuple[tuple[str, int], ...] = ()
    """What came off in whole minor units, by rule."""


def begin(line: CalcLine) -> Strand:
    """A line as the shelf shows it. What the host or a price tag took off counts as a reduction."""
    is_clean = line.list_minor == line.gross_minor
    if line.units == 1:
        return Strand(scale=1, runs=((1, line.list_minor, is_clean),))
    return Strand(scale=1, runs=even_runs(line.list_minor, line.units, is_clean=is_clean))


def even_runs(sum_minor: int, units: int, *, is_clean: bool) -> tuple[Run, ...]:
    """Units that make a sum, none more than one minor unit dearer than another."""
    each, dearer = split_evenly(sum_minor, units)
    if not dearer:
        return ((units, each, is_clean),)
    return ((units - dearer, each, is_clean), (dearer, each + 1, is_clean))


def finer(strand: Strand, scale: int) -> Strand:
    """The same money in a finer scale."""
    if strand.scale == scale:
        return strand
    by = whole_in(scale, strand.scale)
    return Strand(
        scale=scale,
        runs=tuple([(count, left * by, is_clean) for count, left, is_clean in strand.runs]),
        pending=tuple([(rule, amount * by) for rule, amount in strand.pending]),
        settled=strand.settled,
    )


def rounded(strand: Strand, *, is_down: bool) -> tuple[tuple[str, int], ...]:
    """All that came off by rule, in whole minor units: the exact part rounded once, shared out in the order of action."""
    pending = strand.pending
    if not pending:
        return strand.settled
    if len(pending) == 1:
        rule, amount = pending[0]
        return (*strand.settled, (rule, whole_in(amount, strand.scale) if is_down else half_up(amount, strand.scale)))
    offs = list(strand.settled)
    exact = before = 0
    for rule, amount in pending:
        exact += amount
        upto = whole_in(exact, strand.scale) if is_down else half_up(exact, strand.scale)
        offs.append((rule, upto - before))
        before = upto
    return tuple(offs)


def settle(strand: Strand, line: CalcLine, *, is_down: bool) -> Strand:
    """The line in whole minor units again, rounded once; no unit moves by more than the minor unit that it is a part of."""
    if strand.scale == 1 and not strand.pending:
        return strand
    offs = rounded(strand, is_down=is_down)
    left = line.list_minor - sum([off for _, off in offs])
    floors = [whole_in(each, strand.scale) for _, each, _ in strand.runs]
    up = left - sum([count * floor for (count, _, _), floor in zip(strand.runs, floors, strict=True)])
    parts = [each - floor * strand.scale for (_, each, _), floor in zip(strand.runs, floors, strict=True)]
    dearer = dict.fromkeys(range(len(parts)), 0)
    for number in sorted(dearer, key=lambda number: -parts[number]):
        dearer[number] = min(up, strand.runs[number][0]) if parts[number] else 0
        up -= dearer[number]
    assert up == 0, "a rounded sum lies between its units rounded down and rounded up"
    runs: list[Run] = []
    for number, (count, _, is_clean) in enumerate(strand.runs):
        if count > dearer[number]:
            runs.append((count - dearer[number], floors[number], is_clean))
        if dearer[number]:
            runs.append((dearer[number], floors[number] + 1, is_clean))
    return Strand(scale=1, runs=tuple(runs), settled=offs)


def left_minor(strands: Sequence[Strand], lines: Sequence[CalcLine], *, is_down: bool) -> list[int]:
    """What each line costs now, rounded as it would be if nothing more came off."""
    return [
        line.list_minor - sum([off for _, off in rounded(strand, is_down=is_down)]) if strand.pending or strand.settled
        else line.list_minor
        for strand, line in zip(strands, lines, strict=True)
    ]  # fmt: skip


def clean_units(strand: Strand) -> int:
    """How many units nothing has reduced."""
    return sum([count for count, _, is_clean in strand.runs if is_clean])


def clean_minor(strand: Strand) -> int:
    """Money of the units that nothing has reduced."""
    return sum([count * whole_in(left, strand.scale) for count, left, is_clean in strand.runs if is_clean])
