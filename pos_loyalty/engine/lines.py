"""Calculation lines: equal piece lines joined, in an order that scanning does not change; bad input refused with the place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pos_loyalty.engine.floors import LAWFUL, LEGAL, Floor, ReadyFloors, floors_by_line
from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, RECEIPT_MINOR_MAX, Basket, Line, ManualOff, Member
from pos_loyalty.engine.money import NOTHING_MINOR, sum_of
from pos_loyalty.engine.shelf import Place, Tag, TagPrice, tag_price
from pos_loyalty.errors import InputError
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Value

SURELY_HELD_MILLI = (RECEIPT_MINOR_MAX - LINES_MAX) * MILLI_PER_UNIT
"""Thousandths of a minor unit that a receipt holds however its lines are rounded."""


class CalcLine(Value, gc=False):
    """One or more equal lines, priced together. list = gross − what the host took off, or the price tag if that is lower."""

    line: Line
    quantity_milli: int
    units: int
    """Pieces; a weighed line is one unit."""
    gross_minor: Minor
    list_minor: Minor
    tag: TagPrice | None
    floor: Floor
    floor_minor: Minor
    manual: tuple[ManualOff, ...]
    members: tuple[int, ...]
    """Places in the basket sorted by line_id."""
    line_ids: tuple[str, ...]
    grosses: tuple[int, ...]


def check_basket(basket: Basket, currency: str) -> None:
    """Raise InputError naming the place of the first fault."""
    if basket.currency != currency:
        raise InputError("basket.currency", f"{basket.currency} is not the currency of the programme, which is {currency}")
    if len(basket.lines) > LINES_MAX:
        raise InputError("basket.lines", f"{len(basket.lines)} lines are more than the {LINES_MAX} that a basket may hold")
    _check_lines(basket.lines)
    if basket.manual:
        _check_manual(basket.manual, {line.line_id for line in basket.lines})
    if isinstance(basket.redeem, int) and basket.redeem < 0:
        raise InputError("basket.redeem", "is negative")


def _check_lines(lines: Sequence[Line]) -> None:
    """Line by line, then what they come to."""
    seen: set[str] = set()
    gross_milli = marks = 0
    for number, line in enumerate(lines):
        price, quantity, vat, cost = line.price_minor, line.quantity_milli, line.vat_bp, line.cost_minor
        if line.line_id in seen:
            raise _fault(number, ".line_id", f'"{line.line_id}" stands twice in the basket')
        seen.add(line.line_id)
        if price < 0:
            raise _fault(number, ".price_minor", f"{price} is negative")
        if quantity <= 0:
            raise _fault(number, ".quantity", "a quantity is more than 0; a return is its own verb")
        if quantity % MILLI_PER_UNIT and line.measure == "piece":
            raise _fault(number, ".quantity", "goods sold by the piece come in whole numbers")
        if line.marks:
            marks += len(line.marks)
            if len(line.marks) * MILLI_PER_UNIT != quantity:
                raise _fault(number, ".marks", f"{len(line.marks)} marks do not fit the quantity: each unit has one")
        if cost is not None and cost < 0:
            raise _fault(number, ".cost_minor", "is negative")
        if line.prior_off_minor < 0 or line.floor_minor < 0 or (vat is not None and vat < 0):
            raise _fault(number, "", "prior_off_minor, floor_minor and vat_bp are not negative")
        gross_milli += price * quantity
    if gross_milli > SURELY_HELD_MILLI and _gross(lines) > RECEIPT_MINOR_MAX:
        raise InputError("basket.lines", "the basket costs more than a receipt may hold; look for a bar code typed as a price")
    if marks > MARKS_MAX:
        raise InputError("basket.lines", f"more than {MARKS_MAX} marks stand in the basket; split it")


def _gross(lines: Sequence[Line]) -> int:
    return sum([sum_of(line.price_minor, line.quantity_milli) for line in lines])


def _fault(number: int, field: str, message: str) -> InputError:
    return InputError(f"basket.lines[{number}]{field}", message)


def _check_manual(manual: Sequence[ManualOff], line_ids: Collection[str]) -> None:
    for number, off in enumerate(manual):
        if off.line_id not in line_ids:
            raise InputError(f"basket.manual[{number}].line_id", f'there is no line "{off.line_id}"')
        if off.off_minor < 0:
            raise InputError(f"basket.manual[{number}].off_minor", "is negative")


def check_member(member: Member | None) -> None:
    """Raise InputError when a lot stands twice or holds less than nothing, or when a date has no offset."""
    if member is None:
        return
    seen: set[str] = set()
    for number, lot in enumerate(member.lots):
        place = f"member.lots[{number}]"
        if lot.lot_id in seen:
            raise InputError(f"{place}.lot_id", f'"{lot.lot_id}" stands twice')
        seen.add(lot.lot_id)
        if lot.centi < 0:
            raise InputError(f"{place}.centi", "is negative")
        for date in (lot.usable_from, lot.expires_at):
            if date is not None and date.utcoffset() is None:
                raise InputError(place, "a date has no offset from UTC")
    joined, paid_until = ("joined_at", member.joined_at), ("paid_until", member.paid_until)
    for name, date in (("birthday_set_at", member.birthday_set_at), joined, paid_until):
        if date is not None and date.utcoffset() is None:
            raise InputError(f"member.{name}", "the date has no offset from UTC")


class Shelf(Value):
    """What decides prices and floors of lines before any rule: price tags, floors, where and when."""

    tags: Mapping[str, tuple[Tag, ...]]
    floors: ReadyFloors
    place: Place


def calc_lines(lines: Sequence[Line], manual: Sequence[ManualOff], shelf: Shelf) -> tuple[CalcLine, ...]:
    """Join equal piece lines and put all in the canonical order. ``lines`` are sorted by line_id."""
    by_hand: dict[str, list[ManualOff]] = {}
    for off in manual:
        by_hand.setdefault(off.line_id, []).append(off)
    by_sku: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        by_sku.setdefault(line.sku, []).append(number)
    place = shelf.place
    floors = floors_by_line(lines, shelf.floors, place.store, place.day)
    made: list[CalcLine] = []
    for sku in sorted(by_sku):
        places = by_sku[sku]
        if len(places) == 1:
            made.append(_calc_line(lines, places, floors, by_hand, shelf))
        else:
            alike = [_calc_line(lines, same, floors, by_hand, shelf) for same in _joined(lines, places, by_hand)]
            alike.sort(key=_order)
            made += alike
    return tuple(made)


def _joined(lines: Sequence[Line], places: Sequence[int], by_hand: Mapping[str, object]) -> list[list[int]]:
    """Places of lines of one SKU, those together that are priced as one."""
    groups: dict[object, list[int]] = {}
    for place in places:
        line = lines[place]
        groups.setdefault(_sameness(line, line.line_id in by_hand), []).append(place)
    return list(groups.values())


def _sameness(line: Line, has_manual: bool) -> object:
    if line.measure == "weight" or line.prior_off_minor or has_manual:
        return line.line_id
    return (
        line.price_minor, line.floor_minor, line.cost_minor, line.vat_bp, line.category, line.brand, line.tags,
        line.seller, line.volume_ml, line.strength_bp, line.max_price_minor,
    )  # fmt: skip


def _order(made: CalcLine) -> tuple[object, ...]:
    line = made.line
    return (line.price_minor, line.category, line.brand, line.tags, line.floor_minor, made.quantity_milli, line.line_id)


def _calc_line(
    lines: Sequence[Line], places: Sequence[int], floors: Sequence[Floor], by_hand: Mapping[str, list[ManualOff]], shelf: Shelf
) -> CalcLine:
    """The line that those at ``places`` make, which are the same but for their quantity."""
    line = lines[places[0]]
    each, prior, floor = line.price_minor, line.prior_off_minor, floors[places[0]]
    if line.measure == "weight":
        units, quantity = 1, int(line.quantity_milli)
        gross = sum_of(each, quantity)
    else:
        units = line.quantity_milli // MILLI_PER_UNIT
        if len(places) > 1:
            units = sum([lines[i].quantity_milli // MILLI_PER_UNIT for i in places])
        quantity = units * MILLI_PER_UNIT
        gross = each if units == 1 else Minor(each * units)
    if floor.refusal or prior:
        floor = _checked(floor, line, gross, quantity)
    floor_minor = sum_of(floor.each_minor, quantity) if floor.each_minor else NOTHING_MINOR
    list_minor = Minor(max(0, gross - prior)) if prior else gross
    tag = tag_price(line, shelf.tags, shelf.place) if shelf.tags else None
    if tag is not None:
        tagged = max(sum_of(tag.each_minor, quantity), floor_minor)
        tag, list_minor = (tag, tagged) if tagged < list_minor else (None, list_minor)
    return CalcLine(
        line=line,
        quantity_milli=quantity,
        units=units,
        gross_minor=gross,
        list_minor=list_minor,
        tag=tag,
        floor=floor,
        floor_minor=floor_minor,
        manual=tuple(by_hand.get(line.line_id, ())),
        members=tuple(places),
        line_ids=(line.line_id,) if len(places) == 1 else tuple([lines[i].line_id for i in places]),
        grosses=(gross,) if len(places) == 1 else tuple([sum_of(each, lines[i].quantity_milli) for i in places]),
    )


def _checked(floor: Floor, line: Line, gross_minor: int, quantity_milli: int) -> Floor:
    """A line that may not be sold so, by its price or by what the host took off, takes no discount at all."""
    refusal = floor.refusal
    if not refusal and floor.name in LAWFUL and gross_minor - line.prior_off_minor < sum_of(floor.each_minor, quantity_milli):
        refusal = "legal_minimum" if floor.name == LEGAL else floor.name
    if not refusal:
        return floor
    return Floor(each_minor=line.price_minor, name=floor.name, is_hidden=floor.is_hidden, refusal=refusal)


def room_of(line: CalcLine, left_minor: int) -> int:
    """How much may still come off a line: what stands above its floor."""
    return max(0, left_minor - line.floor_minor)
