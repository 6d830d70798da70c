"""How a sold line comes apart: what each of its units was paid, in the order of its fiscal positions, for ever the same.

A figure of the line is split over its pieces as the fiscal receipt splits the sum: none differs from another by more than one,
the larger ones last. Weighed goods go by weight. Every figure of a part is "all that is back now" less "all that was back
before", so that any parts make the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.fiscal import weighed_positions
from pos_loyalty.engine.model import FiscalPosition, QuoteLine
from pos_loyalty.engine.money import half_up, split_evenly, sum_of, whole_in
from pos_loyalty.values import MILLI_PER_UNIT, Thousandths, Value


class Back(Value, gc=False):
    """What of a line is back: so many thousandths, and which units where they are told apart."""

    quantity_milli: int
    numbers: frozenset[int] | None = None


class Shape(Value, gc=False):
    """How much a line is, and of how many pieces; ``units`` 1 may be a weighed line."""

    quantity_milli: int
    units: int
    has_numbers: bool
    """Whether the fiscal receipt shows each unit by itself."""


def shape_of(line: QuoteLine) -> Shape:
    """The shape of a sold line."""
    quantity = sum([position.quantity_milli for position in line.fiscal])
    return Shape(
        quantity_milli=quantity,
        units=line.units,
        has_numbers=1 < line.units == len(line.fiscal),
    )


def nothing_back(shape: Shape) -> Back:
    """Before the first return."""
    return Back(quantity_milli=0, numbers=frozenset() if shape.has_numbers else None)


def units_back(shape: Shape, back: Back) -> int:
    """Whole units that are back; a weighed line is one unit, back with its last gram."""
    if shape.units == 1:
        return 1 if back.quantity_milli == shape.quantity_milli else 0
    return whole_in(back.quantity_milli, MILLI_PER_UNIT)


def share(total: int, shape: Shape, back: Back) -> int:
    """What of a figure of the line belongs to what is back."""
    if shape.units == 1:
        return half_up(total * back.quantity_milli, shape.quantity_milli)
    each, larger = split_evenly(total, shape.units)
    first_larger = shape.units - larger
    if back.numbers is not None:
        return each * len(back.numbers) + sum([number >= first_larger for number in back.numbers])
    pieces = whole_in(back.quantity_milli, MILLI_PER_UNIT)
    return each * pieces + max(0, pieces - first_larger)


def is_price_kept(line: QuoteLine) -> bool:
    """Whether points stood as a tender: the fiscal positions then carry the net, else what was paid."""
    return bool(line.points_minor) and sum([sum_of(p.price_minor, p.quantity_milli) for p in line.fiscal]) == line.net_minor


def paid_share(line: QuoteLine, shape: Shape, back: Back) -> int:
    """The money that was paid for what is back. Weighed goods cost what their fiscal price says."""
    paid = line.net_minor - line.points_minor
    if is_price_kept(line):
        if shape.units == 1:
            return half_up(paid * back.quantity_milli, shape.quantity_milli)
        return share(line.net_minor, shape, back) - share(line.points_minor, shape, back)
    if shape.units == 1 and back.quantity_milli < shape.quantity_milli:
        return min(paid, sum_of(line.fiscal[0].price_minor, back.quantity_milli))
    return share(paid, shape, back)


def positions(line: QuoteLine, shape: Shape, steps: tuple[Back, Back], sum_minor: int) -> tuple[FiscalPosition, ...]:
    """The fiscal positions of what came back between two steps; they multiply out to ``sum_minor``.

    A part of a weighed line keeps the price that was sold where that makes its sum, else it is written as a sale of that sum is.
    """
    before, after = steps
    if shape.units == 1:
        made = weighed_positions(sum_minor, after.quantity_milli - before.quantity_milli, line.fiscal[0].price_minor)
        return tuple([replace(position, kind=line.fiscal[0].kind) for position in made])
    if after.numbers is not None:
        return tuple([line.fiscal[number] for number in sorted(after.numbers - (before.numbers or frozenset()))])
    return tuple(_between(line.fiscal, before.quantity_milli, after.quantity_milli))


def _between(fiscal: Sequence[FiscalPosition], start: int, end: int) -> Iterator[FiscalPosition]:
    passed = 0
    for position in fiscal:
        first, last = max(start, passed), min(end, passed + position.quantity_milli)
        if first < last:
            yield replace(position, quantity_milli=Thousandths(last - first))
        passed += position.quantity_milli
