"""The fiscal form: positions that multiply out exactly to the money paid, and the VAT inside it. Source: 54-FZ.

A piece line becomes (n − r) × p and r × (p + 1 minor unit). A weighed line can carry only sums that price × weight rounds to:
it moves to the nearest one, piece lines take up the difference, and what nobody can take up goes to the customer.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.model import FiscalPosition, Line
from pos_loyalty.engine.money import allocate, split_evenly, sum_of, unit_price_nearest, unit_price_within
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Thousandths, Value

FISCAL = "fiscal"


class Paid(Value):
    """A basket line and its money: what is paid, how far that may fall (``room``) and rise (``headroom``)."""

    line: Line
    paid_minor: int
    room_minor: int
    headroom_minor: int


def moves(lines: Sequence[Paid], due_min_minor: int) -> list[int]:
    """What rule ``fiscal`` takes off each line so that all can be written; negative where a line pays a kopeck more.

    The sum is never negative: nobody pays more than the quote's discounts left. ``due_min_minor`` must stay in money.
    """
    weighed = [i for i, paid in enumerate(lines) if paid.line.measure == "weight"]
    falls = {i: _fall(lines[i], _low(lines[i])) for i in weighed}
    off = [falls.get(i, 0) for i in range(len(lines))]
    if not any(off):
        return off
    pieces = [i for i in range(len(lines)) if i not in falls]
    nearest = {i: _fall(lines[i], _nearest(lines[i])) for i in weighed}
    rest = _even_out(lines, pieces, sum(nearest.values()))
    if rest is not None:
        return _laid(off, nearest, rest)
    rest = _even_out(lines, pieces, sum(falls.values()))
    if rest is not None:
        return _laid(off, falls, rest)
    rises = _as_far_as_they_go(lines, pieces, sum(falls.values()))
    off = _laid(off, falls, rises)
    return _keep_minimum(lines, weighed, off, due_min_minor)


def _fall(paid: Paid, sum_minor: int) -> int:
    return paid.paid_minor - sum_minor


def _low(paid: Paid) -> int:
    """The largest sum that can be written and is not more than what is paid."""
    return sum_of(unit_price_within(paid.paid_minor, paid.line.quantity_milli), paid.line.quantity_milli)


def _high(paid: Paid) -> int:
    """The next sum that can be written above the low one."""
    return sum_of(unit_price_within(paid.paid_minor, paid.line.quantity_milli) + 1, paid.line.quantity_milli)


def _may(paid: Paid, sum_minor: int) -> bool:
    return -paid.headroom_minor <= paid.paid_minor - sum_minor <= paid.room_minor


def _nearest(paid: Paid) -> int:
    """The nearest sum that can be written and may be paid; the lower of two equally near."""
    low, high = _low(paid), _high(paid)
    if _may(paid, high) and (not _may(paid, low) or high - paid.paid_minor < paid.paid_minor - low):
        return high
    return low


def _even_out(lines: Sequence[Paid], pieces: Sequence[int], fallen_minor: int) -> dict[int, int] | None:
    """Offs on piece lines that take up the difference exactly; None when they cannot."""
    if fallen_minor >= 0:
        off = _as_far_as_they_go(lines, pieces, fallen_minor)
        return off if -sum(off.values()) == fallen_minor else None
    parts = allocate([lines[i].paid_minor for i in pieces], -fallen_minor, [lines[i].room_minor for i in pieces])
    return dict(zip(pieces, parts, strict=True)) if sum(parts) == -fallen_minor else None


def _as_far_as_they_go(lines: Sequence[Paid], pieces: Sequence[int], fallen_minor: int) -> dict[int, int]:
    """Piece lines pay more, each at most as much as came off it."""
    parts = allocate([lines[i].paid_minor for i in pieces], fallen_minor, [lines[i].headroom_minor for i in pieces])
    return {i: -part for i, part in zip(pieces, parts, strict=True)}


def _laid(off: Sequence[int], weighed: dict[int, int], pieces: dict[int, int]) -> list[int]:
    return [weighed.get(i, pieces.get(i, 0)) for i in range(len(off))]


def _keep_minimum(lines: Sequence[Paid], weighed: Sequence[int], off: list[int], due_min_minor: int) -> list[int]:
    """Where the lower sums break a floor or the least money, weighed lines take the higher ones."""
    due = sum(paid.paid_minor for paid in lines) - sum(off)
    for i in weighed:
        higher = _fall(lines[i], _high(lines[i]))
        if (due < due_min_minor or off[i] > lines[i].room_minor) and off[i] > 0 and -higher <= lines[i].headroom_minor:
            due += off[i] - higher
            off[i] = higher
    return off


def positions(line: Line, paid_minor: int) -> tuple[FiscalPosition, ...]:
    """The positions of one line; they multiply out to what is paid. A unit with a mark stands alone."""
    if line.measure == "weight":
        is_full = sum_of(line.price_minor, line.quantity_milli) == paid_minor
        price = line.price_minor if is_full else unit_price_nearest(paid_minor, line.quantity_milli)
        return (FiscalPosition(quantity_milli=Thousandths(line.quantity_milli), price_minor=price),)
    pieces = line.quantity_milli // MILLI_PER_UNIT
    price_minor, dearer = split_evenly(paid_minor, pieces)
    if line.marks:
        cheaper = (_position(1, price_minor),) * (pieces - dearer)
        return cheaper + (_position(1, price_minor + 1),) * dearer
    if not dearer:
        return (_position(pieces, price_minor),)
    return (_position(pieces - dearer, price_minor), _position(dearer, price_minor + 1))


def pieces_of(line: Line) -> int:
    """How many pieces a line sold by the piece has."""
    return line.quantity_milli // MILLI_PER_UNIT


def _position(pieces: int, price_minor: int) -> FiscalPosition:
    return FiscalPosition(quantity_milli=Thousandths(pieces * MILLI_PER_UNIT), price_minor=Minor(price_minor))
