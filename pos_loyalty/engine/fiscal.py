"""The fiscal form: positions that multiply out exactly to the money paid, and the VAT inside it. Source: 54-FZ.

A piece line becomes (n − r) × p and r × (p + 1 minor unit). A weighed line can carry only sums that price × weight rounds to:
it moves to the nearest one, piece lines take up the difference, and what nobody can take up goes to the customer. Where a floor,
points, the least money or a rounded total forbid that, it keeps its sum in two positions, whole kilograms a kopeck apart.
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


def moves(lines: Sequence[Paid], fall_max_minor: int | None) -> list[int]:
    """What rule ``fiscal`` takes off each line so that weights have a price; negative where a line pays a kopeck more.

    Every line stays within its room and headroom. The sum is never negative, for nobody pays more than discounts left, and never
    more than ``fall_max_minor`` (None: no bound). A weighed line that cannot move keeps its sum and takes two positions.
    """
    weighed = [i for i, paid in enumerate(lines) if paid.line.measure == "weight"]
    nearest = {i: _nearest(lines[i]) for i in weighed}
    if not any(nearest.values()):
        return [0] * len(lines)
    falls = {i: _below(lines[i]) for i in weighed}
    pieces = [i for i in range(len(lines)) if i not in falls]
    for moved in (nearest, falls):
        rest = _even_out(lines, pieces, sum(moved.values()))
        if rest is not None:
            return _laid(len(lines), moved, rest)
    fallen = sum(falls.values())
    rest = _as_far_as_they_go(lines, pieces, fallen)
    if fall_max_minor is not None and fallen + sum(rest.values()) > fall_max_minor:
        return [0] * len(lines)
    return _laid(len(lines), falls, rest)


def _low(paid: Paid) -> int:
    """The largest sum that a price makes and that is not more than what is paid."""
    return sum_of(unit_price_within(paid.paid_minor, paid.line.quantity_milli), paid.line.quantity_milli)


def _high(paid: Paid) -> int:
    """The next sum that a price makes above the low one."""
    return sum_of(unit_price_within(paid.paid_minor, paid.line.quantity_milli) + 1, paid.line.quantity_milli)


def _below(paid: Paid) -> int:
    """What comes off for the sum below; nothing when that is too low."""
    fall = paid.paid_minor - _low(paid)
    return fall if fall <= paid.room_minor else 0


def _nearest(paid: Paid) -> int:
    """What comes off for the nearest sum that may be paid, the lower of two equally near; nothing when neither may."""
    fall = paid.paid_minor - _low(paid)
    if not fall:
        return 0
    rise = _high(paid) - paid.paid_minor
    may_fall, may_rise = fall <= paid.room_minor, rise <= paid.headroom_minor
    if may_rise and (not may_fall or rise < fall):
        return -rise
    return fall if may_fall else 0


def _even_out(lines: Sequence[Paid], pieces: Sequence[int], fallen_minor: int) -> dict[int, int] | None:
    """Offs on piece lines that take up the difference exactly; None when they cannot."""
    if fallen_minor > 0:
        off = _as_far_as_they_go(lines, pieces, fallen_minor)
        return off if -sum(off.values()) == fallen_minor else None
    parts = allocate([lines[i].paid_minor for i in pieces], -fallen_minor, [lines[i].room_minor for i in pieces])
    return dict(zip(pieces, parts, strict=True)) if sum(parts) == -fallen_minor else None


def _as_far_as_they_go(lines: Sequence[Paid], pieces: Sequence[int], fallen_minor: int) -> dict[int, int]:
    """Piece lines pay more, each at most as much as came off it."""
    parts = allocate([lines[i].paid_minor for i in pieces], fallen_minor, [lines[i].headroom_minor for i in pieces])
    return {i: -part for i, part in zip(pieces, parts, strict=True)}


def _laid(size: int, weighed: dict[int, int], pieces: dict[int, int]) -> list[int]:
    return [weighed[i] if i in weighed else pieces[i] for i in range(size)]


def positions(line: Line, paid_minor: Minor) -> tuple[FiscalPosition, ...]:
    """The positions of one line; they multiply out to what is paid. A unit with a mark stands alone."""
    if line.measure == "weight":
        return weighed_positions(paid_minor, line.quantity_milli, line.price_minor)
    pieces = line.quantity_milli // MILLI_PER_UNIT
    if pieces == 1:
        return (FiscalPosition(quantity_milli=line.quantity_milli, price_minor=paid_minor),)
    price_minor, dearer = split_evenly(paid_minor, pieces)
    if line.marks:
        cheaper = (_position(1, price_minor),) * (pieces - dearer)
        return cheaper + (_position(1, price_minor + 1),) * dearer
    if not dearer:
        return (FiscalPosition(quantity_milli=line.quantity_milli, price_minor=Minor(price_minor)),)
    return (_position(pieces - dearer, price_minor), _position(dearer, price_minor + 1))


def weighed_positions(sum_minor: int, quantity_milli: int, price_minor: int) -> tuple[FiscalPosition, ...]:
    """The positions of a weight: at the given price when that makes the sum, at the nearest one, or in two.

    A sum that no price makes is less than a kopeck for each kilogram above one that some price makes: so many whole kilograms
    cost a kopeck more and stand last, as with pieces.
    """
    price = Minor(price_minor)
    if sum_of(price, quantity_milli) != sum_minor:
        price = unit_price_nearest(sum_minor, quantity_milli)
    if sum_of(price, quantity_milli) == sum_minor:
        return (FiscalPosition(quantity_milli=Thousandths(quantity_milli), price_minor=price),)
    price = unit_price_within(sum_minor, quantity_milli)
    dearer = sum_minor - sum_of(price, quantity_milli)
    rest = quantity_milli - dearer * MILLI_PER_UNIT
    assert rest > 0
    return (FiscalPosition(quantity_milli=Thousandths(rest), price_minor=price), _position(dearer, price + 1))


def pieces_of(line: Line) -> int:
    """How many pieces a line sold by the piece has."""
    return line.quantity_milli // MILLI_PER_UNIT


def _position(pieces: int, price_minor: int) -> FiscalPosition:
    return FiscalPosition(quantity_milli=Thousandths(pieces * MILLI_PER_UNIT), price_minor=Minor(price_minor))
