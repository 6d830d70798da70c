"""Back from calculation lines to the basket's own lines: every kopeck off, every point paid, the fiscal form and the VAT."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine import fiscal
from pos_loyalty.engine.caps import PRIOR
from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Line
from pos_loyalty.engine.money import allocate, sum_of
from pos_loyalty.engine.payment import Paid
from pos_loyalty.values import Minor, Value

Pair = tuple[str, int]
"""A rule and what it takes off a line."""


class LineMoney(Value, gc=False):
    """One basket line in money. What is paid is net − points."""

    line: Line
    place: int
    """Of its calculation line."""
    units: int
    """Pieces; a weighed line is one unit."""
    gross_minor: Minor
    offs: tuple[Pair, ...]
    net_minor: Minor
    points_minor: Minor


def line_money(lines: Sequence[Line], calc: Sequence[CalcLine], offs: Sequence[Off], paid: Paid) -> tuple[LineMoney, ...]:
    """The money of each basket line, in the order of ``lines``, in a form that the fiscal receipt can carry."""
    by_place: dict[int, list[Pair]] = {}
    for off in offs:
        by_place.setdefault(off.place, []).append((off.rule, off.off_minor))
    made: list[LineMoney | None] = [None] * len(lines)
    is_weight_reduced = False
    for place, (each, points) in enumerate(zip(calc, paid.parts, strict=True)):
        pairs: Sequence[Pair] = by_place.get(place, ())
        if each.list_minor < each.gross_minor:
            pairs = (*_shelf_offs(each), *pairs)
        if pairs or points:  # a weight at its own price needs no other
            is_weight_reduced = is_weight_reduced or each.line.measure == "weight"
        if len(each.members) > 1:
            for member, money in zip(each.members, _shared(lines, each, place, pairs, paid), strict=True):
                made[member] = money
            continue
        made[each.members[0]] = LineMoney(
            line=each.line,
            place=place,
            units=each.units,
            gross_minor=each.gross_minor,
            offs=tuple(pairs),
            net_minor=Minor(each.gross_minor - sum([off for _, off in pairs])) if pairs else each.gross_minor,
            points_minor=points,
        )
    whole = tuple([money for money in made if money is not None])
    return _fiscally(whole, calc, paid) if is_weight_reduced else whole


def _shelf_offs(each: CalcLine) -> tuple[Pair, ...]:
    """What the host took off before us, and what the price tag takes off further."""
    prior = min(each.gross_minor, each.line.prior_off_minor)
    offs = ((PRIOR, prior),) if prior else ()
    tagged = each.gross_minor - prior - each.list_minor
    return (*offs, (each.tag.list_id, tagged)) if each.tag is not None and tagged else offs


def _shared(lines: Sequence[Line], each: CalcLine, place: int, pairs: Sequence[Pair], paid: Paid) -> list[LineMoney]:
    """The basket lines that were joined, each with its share."""
    left = list(each.grosses)
    floors = [sum_of(each.floor.each_minor, lines[i].quantity_milli) for i in each.members]
    offs: list[list[Pair]] = [[] for _ in left]
    for rule, amount in pairs:
        parts = allocate(each.grosses, amount, [max(0, have - floor) for have, floor in zip(left, floors, strict=True)])
        for i, part in enumerate(parts):
            left[i] -= part
            if part:
                offs[i].append((rule, part))
    rooms = left if paid.tenders else [max(0, have - floor) for have, floor in zip(left, floors, strict=True)]
    points = allocate(left, paid.parts[place], rooms)
    return [
        LineMoney(
            line=lines[member],
            place=place,
            units=fiscal.pieces_of(lines[member]),
            gross_minor=Minor(each.grosses[i]),
            offs=tuple(offs[i]),
            net_minor=Minor(left[i]),
            points_minor=Minor(points[i]),
        )
        for i, member in enumerate(each.members)
    ]


def _fiscally(moneys: tuple[LineMoney, ...], calc: Sequence[CalcLine], paid: Paid) -> tuple[LineMoney, ...]:
    moves = fiscal.moves([_paid(money, calc[money.place], paid) for money in moneys], paid.fall_max_minor)
    return tuple([_moved(money, off) if off else money for money, off in zip(moneys, moves, strict=True)])


def _paid(money: LineMoney, each: CalcLine, paid: Paid) -> fiscal.Paid:
    pays = paid_minor(money, paid)
    floor = sum_of(each.floor.each_minor, money.line.quantity_milli)
    headroom = sum([off for rule, off in money.offs if rule != PRIOR])
    room = min(max(0, pays - floor), money.net_minor - money.points_minor)
    return fiscal.Paid(line=money.line, paid_minor=pays, room_minor=room, headroom_minor=headroom)


def paid_minor(money: LineMoney, paid: Paid) -> int:
    """What the fiscal receipt says of a line: points lower it, unless they stand as a tender."""
    return money.net_minor if paid.tenders else money.net_minor - money.points_minor


def _moved(money: LineMoney, off: int) -> LineMoney:
    return LineMoney(
        line=money.line,
        place=money.place,
        units=money.units,
        gross_minor=money.gross_minor,
        offs=(*money.offs, (fiscal.FISCAL, off)),
        net_minor=Minor(money.net_minor - off),
        points_minor=money.points_minor,
    )
