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
from pos_loyalty.values import Value


class LineMoney(Value, gc=False):
    """One basket line in money. What is paid is net − points."""

    line: Line
    place: int
    """Of its calculation line."""
    gross_minor: int
    offs: tuple[tuple[str, int], ...]
    net_minor: int
    points_minor: int


def line_money(lines: Sequence[Line], calc: Sequence[CalcLine], offs: Sequence[Off], paid: Paid) -> tuple[LineMoney, ...]:
    """The money of each basket line, in the order of ``lines``, in a form that the fiscal receipt can carry."""
    by_place: dict[int, list[Off]] = {}
    for off in offs:
        found = by_place.get(off.place)
        if found is None:
            by_place[off.place] = [off]
        else:
            found.append(off)
    made: list[LineMoney | None] = [None] * len(lines)
    is_weighed = False
    for place, each in enumerate(calc):
        mine = by_place.get(place, ())
        if len(each.members) == 1:
            made[each.members[0]] = _whole(each, place, mine, paid.parts[place])
        else:
            for member, money in zip(each.members, _shared(lines, each, place, mine, paid), strict=True):
                made[member] = money
        is_weighed = is_weighed or each.line.measure == "weight"
    whole = tuple([money for money in made if money is not None])
    return _fiscally(whole, calc, paid) if is_weighed else whole


def _shelf_offs(each: CalcLine) -> tuple[tuple[str, int], ...]:
    """What the host took off before us, and what the price tag takes off further."""
    prior = min(each.gross_minor, each.line.prior_off_minor)
    offs = ((PRIOR, prior),) if prior else ()
    tagged = each.gross_minor - prior - each.list_minor
    return (*offs, (each.tag.list_id, tagged)) if each.tag is not None and tagged else offs


def _whole(each: CalcLine, place: int, mine: Sequence[Off], points_minor: int) -> LineMoney:
    offs = tuple([(off.rule, off.off_minor) for off in mine])
    if each.list_minor < each.gross_minor:
        offs += _shelf_offs(each)
    net = each.list_minor - sum([off.off_minor for off in mine])
    return LineMoney(
        line=each.line, place=place, gross_minor=each.gross_minor, offs=offs, net_minor=net, points_minor=points_minor
    )  # fmt: skip


def _shared(lines: Sequence[Line], each: CalcLine, place: int, mine: Sequence[Off], paid: Paid) -> list[LineMoney]:
    left = list(each.grosses)
    floors = [sum_of(each.floor.each_minor, lines[i].quantity_milli) for i in each.members]
    offs: list[list[tuple[str, int]]] = [[] for _ in left]
    for rule, amount in (*_shelf_offs(each), *((off.rule, off.off_minor) for off in mine)):
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
            gross_minor=each.grosses[i],
            offs=tuple(offs[i]),
            net_minor=left[i],
            points_minor=points[i],
        )
        for i, member in enumerate(each.members)
    ]


def _fiscally(moneys: tuple[LineMoney, ...], calc: Sequence[CalcLine], paid: Paid) -> tuple[LineMoney, ...]:
    moves = fiscal.moves([_paid(money, calc[money.place], paid) for money in moneys], paid.fall_max_minor)
    return tuple([_moved(money, off) if off else money for money, off in zip(moneys, moves, strict=True)])


def _paid(money: LineMoney, each: CalcLine, paid: Paid) -> fiscal.Paid:
    pays = paid_minor(money, paid)
    floor = sum_of(each.floor.each_minor, money.line.quantity_milli)
    headroom = sum(off for rule, off in money.offs if rule != PRIOR)
    room = min(max(0, pays - floor), money.net_minor - money.points_minor)
    return fiscal.Paid(line=money.line, paid_minor=pays, room_minor=room, headroom_minor=headroom)


def paid_minor(money: LineMoney, paid: Paid) -> int:
    """What the fiscal receipt says of a line: points lower it, unless they stand as a tender."""
    return money.net_minor if paid.tenders else money.net_minor - money.points_minor


def _moved(money: LineMoney, off: int) -> LineMoney:
    return LineMoney(
        line=money.line,
        place=money.place,
        gross_minor=money.gross_minor,
        offs=(*money.offs, (fiscal.FISCAL, off)),
        net_minor=money.net_minor - off,
        points_minor=money.points_minor,
    )
