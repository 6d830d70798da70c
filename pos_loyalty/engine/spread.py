"""Back from calculation lines to the basket's own lines: every kopeck off, every point paid, the fiscal form and the VAT."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine import fiscal
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Adjustment, Line, QuoteLine
from pos_loyalty.engine.money import allocate, sum_of, vat_in
from pos_loyalty.engine.pricing import PRIOR, Off
from pos_loyalty.values import Minor, Value


class LineMoney(Value, gc=False):
    """One basket line in money. What is paid is net − points."""

    line: Line
    place: int
    """Of its calculation line."""
    gross_minor: int
    offs: tuple[tuple[str, int], ...]
    net_minor: int
    points_minor: int


def line_money(
    lines: Sequence[Line], calc: Sequence[CalcLine], offs: Sequence[Off], points: Sequence[int], due_min_minor: int
) -> tuple[LineMoney, ...]:
    """The money of each basket line, in the order of ``lines``, in a form that the fiscal receipt can carry."""
    by_place: dict[int, list[Off]] = {}
    for off in offs:
        by_place.setdefault(off.place, []).append(off)
    made: list[LineMoney | None] = [None] * len(lines)
    for place, each in enumerate(calc):
        mine = by_place.get(place, ())
        if len(each.members) == 1:
            made[each.members[0]] = _whole(each, place, mine, points[place])
        else:
            for member, money in zip(each.members, _shared(lines, each, place, mine, points[place]), strict=True):
                made[member] = money
    return _fiscally(tuple(money for money in made if money is not None), due_min_minor)


def _whole(each: CalcLine, place: int, mine: Sequence[Off], points_minor: int) -> LineMoney:
    offs = tuple([(off.rule, off.off_minor) for off in mine])
    if each.list_minor < each.gross_minor:
        offs += ((PRIOR, each.gross_minor - each.list_minor),)
    net = each.list_minor - sum([off.off_minor for off in mine])
    return LineMoney(
        line=each.line, place=place, gross_minor=each.gross_minor, offs=offs, net_minor=net, points_minor=points_minor
    )  # fmt: skip


def _shared(lines: Sequence[Line], each: CalcLine, place: int, mine: Sequence[Off], points_minor: int) -> list[LineMoney]:
    left = list(each.grosses)
    floors = [sum_of(lines[i].floor_minor, lines[i].quantity_milli) for i in each.members]
    offs: list[list[tuple[str, int]]] = [[] for _ in left]
    for off in mine:
        parts = allocate(each.grosses, off.off_minor, [max(0, have - floor) for have, floor in zip(left, floors, strict=True)])
        for i, part in enumerate(parts):
            left[i] -= part
            if part:
                offs[i].append((off.rule, part))
    points = allocate(left, points_minor, [max(0, have - floor) for have, floor in zip(left, floors, strict=True)])
    return [
        LineMoney(
            line=lines[member],
            place=place,
            gross_minor=each.grosses[i],
            offs=tuple(offs[i]),
            net_minor=left[i],
            points_minor=points[i],
        )
        for i, member in enumerate(each.members)
    ]


def _fiscally(moneys: tuple[LineMoney, ...], due_min_minor: int) -> tuple[LineMoney, ...]:
    if not any(money.line.measure == "weight" for money in moneys):
        return moneys
    moves = fiscal.moves([_paid(money) for money in moneys], due_min_minor)
    return tuple(_moved(money, off) if off else money for money, off in zip(moneys, moves, strict=True))


def _paid(money: LineMoney) -> fiscal.Paid:
    paid = money.net_minor - money.points_minor
    floor = sum_of(money.line.floor_minor, money.line.quantity_milli)
    headroom = sum(off for rule, off in money.offs if rule != PRIOR)
    return fiscal.Paid(line=money.line, paid_minor=paid, room_minor=max(0, paid - floor), headroom_minor=headroom)


def _moved(money: LineMoney, off: int) -> LineMoney:
    return LineMoney(
        line=money.line,
        place=money.place,
        gross_minor=money.gross_minor,
        offs=(*money.offs, (fiscal.FISCAL, off)),
        net_minor=money.net_minor - off,
        points_minor=money.points_minor,
    )


def line_answer(money: LineMoney) -> QuoteLine:
    """A line of the quote."""
    paid = money.net_minor - money.points_minor
    return QuoteLine(
        line_id=money.line.line_id,
        gross_minor=Minor(money.gross_minor),
        net_minor=Minor(money.net_minor),
        points_minor=Minor(money.points_minor),
        vat_minor=vat_in(paid, money.line.vat_bp),
        adjustments=tuple([Adjustment(rule=rule, off_minor=Minor(off)) for rule, off in sorted(money.offs)]),
        fiscal=fiscal.positions(money.line, paid),
    )
