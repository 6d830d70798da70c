"""Calculation lines: equal piece lines joined, in an order that scanning does not change; bad input refused with the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.floors import LEGAL, Floor, ReadyFloors, floor_of
from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, RECEIPT_MINOR_MAX, Basket, Line, ManualOff, Member
from pos_loyalty.engine.money import sum_of
from pos_loyalty.engine.shelf import Place, Tag, TagPrice, tag_price
from pos_loyalty.errors import InputError
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Value


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
    seen: set[str] = set()
    gross = 0
    for number, line in enumerate(basket.lines):
        if line.line_id in seen:
            raise InputError(f"basket.lines[{number}].line_id", f'"{line.line_id}" stands twice in the basket')
        seen.add(line.line_id)
        _check_line(line, number)
        gross += sum_of(line.price_minor, line.quantity_milli)
    if gross > RECEIPT_MINOR_MAX:
        raise InputError("basket.lines", "the basket costs more than a receipt may hold; look for a bar code typed as a price")
    if sum(len(line.marks) for line in basket.lines) > MARKS_MAX:
        raise InputError("basket.lines", f"more than {MARKS_MAX} marks stand in the basket; split it")
    for number, manual in enumerate(basket.manual):
        if manual.line_id not in seen:
            raise InputError(f"basket.manual[{number}].line_id", f'there is no line "{manual.line_id}"')
        if manual.off_minor < 0:
            raise InputError(f"basket.manual[{number}].off_minor", "is negative")
    if isinstance(basket.redeem, int) and basket.redeem < 0:
        raise InputError("basket.redeem", "is negative")


def _check_line(line: Line, number: int) -> None:
    place = f"basket.lines[{number}]"
    if line.price_minor < 0:
        raise InputError(f"{place}.price_minor", f"{line.price_minor} is negative")
    if line.quantity_milli <= 0:
        raise InputError(f"{place}.quantity", "a quantity is more than 0; a return is its own verb")
    if line.measure == "piece" and line.quantity_milli % MILLI_PER_UNIT:
        raise InputError(f"{place}.quantity", "goods sold by the piece come in whole numbers")
    if line.marks and len(line.marks) * MILLI_PER_UNIT != line.quantity_milli:
        raise InputError(f"{place}.marks", f"{len(line.marks)} marks do not fit the quantity: each unit has one")
    if line.cost_minor is not None and line.cost_minor < 0:
        raise InputError(f"{place}.cost_minor", "is negative")
    if line.prior_off_minor < 0 or line.floor_minor < 0 or (line.vat_bp is not None and line.vat_bp < 0):
        raise InputError(place, "prior_off_minor, floor_minor and vat_bp are not negative")


def check_member(member: Member | None) -> None:
    """Raise InputError when a lot stands twice or holds less than nothing, or when a date has no offset."""
    seen: set[str] = set()
    for number, lot in enumerate(member.lots if member is not None else ()):
        place = f"member.lots[{number}]"
        if lot.lot_id in seen:
            raise InputError(f"{place}.lot_id", f'"{lot.lot_id}" stands twice')
        seen.add(lot.lot_id)
        if lot.centi < 0:
            raise InputError(f"{place}.centi", "is negative")
        for date in (lot.usable_from, lot.expires_at):
            if date is not None and date.utcoffset() is None:
                raise InputError(place, "a date has no offset from UTC")
    for name in ("birthday_set_at", "joined_at", "paid_until"):
        date = getattr(member, name, None)
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
    if len({line.sku for line in lines}) == len(lines):
        made = [_joined(lines, [place], by_hand, shelf) for place in range(len(lines))]
        made.sort(key=_sku)
        return tuple(made)
    groups: dict[object, list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault(_sameness(line, line.line_id in by_hand), []).append(place)
    made = [_joined(lines, places, by_hand, shelf) for places in groups.values()]
    made.sort(key=_order)
    return tuple(made)


def _sku(made: CalcLine) -> str:
    return made.line.sku


def _sameness(line: Line, has_manual: bool) -> object:
    if line.measure == "weight" or line.prior_off_minor or has_manual:
        return line.line_id
    return (
        line.sku, line.price_minor, line.floor_minor, line.cost_minor, line.vat_bp, line.category, line.brand, line.tags,
        line.seller, line.volume_ml, line.strength_bp, line.max_price_minor,
    )  # fmt: skip


def _order(made: CalcLine) -> tuple[object, ...]:
    line = made.line
    return (line.sku, line.price_minor, line.category, line.brand, line.tags, line.floor_minor, made.quantity_milli, line.line_id)


def _joined(lines: Sequence[Line], places: list[int], by_hand: Mapping[str, list[ManualOff]], shelf: Shelf) -> CalcLine:
    first = lines[places[0]]
    if len(places) == 1:
        quantity = int(first.quantity_milli)
        gross = int(sum_of(first.price_minor, quantity))
        grosses: tuple[int, ...] = (gross,)
    else:
        grosses = tuple([sum_of(lines[i].price_minor, lines[i].quantity_milli) for i in places])
        gross = sum(grosses)
        quantity = sum([lines[i].quantity_milli for i in places])
    floor = floor_of(first, shelf.floors, shelf.place.store, shelf.place.day)
    if floor.refusal or first.prior_off_minor:
        floor = _checked(floor, first, gross, quantity)
    floor_minor = sum_of(floor.each_minor, quantity) if floor.each_minor else Minor(0)
    list_minor = gross - min(gross, first.prior_off_minor)
    tag = tag_price(first, shelf.tags, shelf.place) if shelf.tags else None
    if tag is not None:
        tagged = max(sum_of(tag.each_minor, quantity), floor_minor)
        tag, list_minor = (tag, tagged) if tagged < list_minor else (None, list_minor)
    return CalcLine(
        line=first,
        quantity_milli=quantity,
        units=1 if first.measure == "weight" else quantity // MILLI_PER_UNIT,
        gross_minor=Minor(gross),
        list_minor=Minor(list_minor),
        tag=tag,
        floor=floor,
        floor_minor=floor_minor,
        manual=tuple(by_hand.get(first.line_id, ())),
        members=tuple(places),
        line_ids=(first.line_id,) if len(places) == 1 else tuple([lines[i].line_id for i in places]),
        grosses=grosses,
    )


def _checked(floor: Floor, line: Line, gross_minor: int, quantity_milli: int) -> Floor:
    """A line that may not be sold so, by its price or by what the host took off, takes no discount at all."""
    refusal = floor.refusal
    if not refusal and floor.name == LEGAL and gross_minor - line.prior_off_minor < sum_of(floor.each_minor, quantity_milli):
        refusal = "legal_minimum"
    if not refusal:
        return floor
    return Floor(each_minor=line.price_minor, name=floor.name, is_hidden=floor.is_hidden, refusal=refusal)


def room_of(line: CalcLine, left_minor: int) -> int:
    """How much may still come off a line: what stands above its floor."""
    return max(0, left_minor - line.floor_minor)
