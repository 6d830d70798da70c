"""Calculation lines: equal piece lines joined, in an order that scanning does not change; bad input refused with the place."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, RECEIPT_MINOR_MAX, Basket, Line, ManualOff, Member
from pos_loyalty.engine.money import sum_of
from pos_loyalty.errors import InputError
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Value


class CalcLine(Value, gc=False):
    """One or more equal lines, priced together. list = gross − what the host took off before us."""

    line: Line
    quantity_milli: int
    gross_minor: Minor
    list_minor: Minor
    floor_minor: Minor
    manual_minor: Minor
    members: tuple[int, ...]
    """Places in the basket sorted by line_id."""
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
    if line.prior_off_minor < 0 or line.floor_minor < 0 or (line.vat_bp is not None and line.vat_bp < 0):
        raise InputError(place, "prior_off_minor, floor_minor and vat_bp are not negative")


def check_member(member: Member | None) -> None:
    """Raise InputError when a lot stands twice, holds less than nothing or has a date without offset."""
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


def calc_lines(lines: Sequence[Line], manual: Sequence[ManualOff]) -> tuple[CalcLine, ...]:
    """Join equal piece lines and put all in the canonical order. ``lines`` are sorted by line_id."""
    by_hand: dict[str, int] = {}
    for off in manual:
        by_hand[off.line_id] = by_hand.get(off.line_id, 0) + off.off_minor
    groups: dict[object, list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault(_sameness(line, line.line_id in by_hand), []).append(place)
    made = [_joined(lines, places, by_hand) for places in groups.values()]
    made.sort(key=_order)
    return tuple(made)


def _sameness(line: Line, has_manual: bool) -> object:
    if line.measure == "weight" or line.prior_off_minor or has_manual:
        return line.line_id
    return (
        line.sku, line.price_minor, line.floor_minor, line.cost_minor, line.vat_bp,
        line.category, line.brand, line.tags, line.seller,
    )  # fmt: skip


def _order(made: CalcLine) -> tuple[object, ...]:
    line = made.line
    return (line.sku, line.price_minor, line.category, line.brand, line.tags, line.floor_minor, made.quantity_milli, line.line_id)


def _joined(lines: Sequence[Line], places: list[int], manual: dict[str, int]) -> CalcLine:
    first = lines[places[0]]
    grosses = tuple(sum_of(lines[i].price_minor, lines[i].quantity_milli) for i in places)
    gross = sum(grosses)
    quantity = sum(lines[i].quantity_milli for i in places)
    return CalcLine(
        line=first,
        quantity_milli=quantity,
        gross_minor=Minor(gross),
        list_minor=Minor(gross - min(gross, first.prior_off_minor)),
        floor_minor=sum_of(first.floor_minor, quantity),
        manual_minor=Minor(manual.get(first.line_id, 0)),
        members=tuple(places),
        grosses=grosses,
    )
