"""What a return gives back and takes back, read from the quote that was sold: the engine is never asked again about what stays.

The refund is what was paid for exactly those units. Points that paid for them go back to their own lots, those that expire last
first. Points that they earned are taken back: all that the sale brought less what the goods still kept would have brought by the
rates that the sale stored, so ten small returns equal one large. Points for the receipt as a whole, a referral's too, go with the
last of their goods. Points that bought a coupon or a privilege stay spent: only a void takes those back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.earning_shares import exact_shares, shared
from pos_loyalty.engine.gifts import Part, charge_for_gifts
from pos_loyalty.engine.model import CounterMove, FiscalPosition, LotUse, Quote, QuoteLine
from pos_loyalty.engine.money import allocate, rest_in, whole_in
from pos_loyalty.engine.referral import REFERRAL
from pos_loyalty.engine.returnable import Earning
from pos_loyalty.engine.returned_lines import (
    Back,
    Shape,
    is_price_kept,
    nothing_back,
    paid_share,
    positions,
    shape_of,
    share,
    units_back,
)
from pos_loyalty.engine.returned_uses import UseBack, uses_back
from pos_loyalty.errors import InputError
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Thousandths, Value


class ReturnLine(Value):
    """So much of a line comes back. ``units``: which ones, from 0 in the order of the line's marks; else the first left."""

    line_id: str
    quantity_milli: Thousandths
    units: tuple[int, ...] = ()


class ReturnedLine(Value):
    """What came back of a line: money refunded, and what points had paid. ``fiscal``: positions of the refund's receipt.

    They multiply out to the refund, with what points had paid where points stood as a tender.
    """

    line_id: str
    quantity_milli: Thousandths
    units: tuple[int, ...]
    refund_minor: Minor
    points_minor: Minor
    progress_minor: Minor
    fiscal: tuple[FiscalPosition, ...]


class TakenBack(Value):
    """Points of a rule that the sale brought and the return takes; ``member_id`` when they were not the buyer's."""

    rule: str
    centi: Points
    member_id: str | None = None


class Returned(Value):
    """A return. ``restored``: points that go back to lots. ``counters`` move down; ``charged_minor``: what the refund is less
    for gifts that stay though their goods are back, below nothing where an earlier charge goes back with the gift; no other
    figure is below nothing. ``is_last``: nothing of the sale is kept any more.
    """

    lines: tuple[ReturnedLine, ...]
    refund_minor: Minor
    points_minor: Minor
    restored: tuple[LotUse, ...]
    taken_back: tuple[TakenBack, ...]
    counters: tuple[CounterMove, ...]
    tier_progress_minor: Minor
    uses: tuple[UseBack, ...] = ()
    charged_minor: Minor = Minor(0)
    is_last: bool = False


class Step(Value):
    """A line of the quote before and after this return."""

    line: QuoteLine
    shape: Shape
    before: Back
    after: Back


def return_of(quote: Quote, before: Sequence[Returned], lines: Sequence[ReturnLine]) -> Returned:
    """A return of these lines after the returns ``before`` of the same sale. Raises InputError when there is not so much left."""
    steps = _steps(quote, before, lines)
    returned = tuple([_line(step, before) for step in steps if step.after != step.before])
    refund_minor = Minor(sum([line.refund_minor for line in returned]))
    parts = [(step.line, step.shape, step.after) for step in steps]
    taken_back = _taken_back(quote, before, steps)
    return Returned(
        lines=returned,
        refund_minor=refund_minor,
        points_minor=Minor(sum([line.points_minor for line in returned])),
        restored=_restored(quote, before, steps),
        taken_back=taken_back,
        counters=_counters(quote, before, steps),
        tier_progress_minor=Minor(sum([line.progress_minor for line in returned])),
        uses=_uses(quote, before, parts, taken_back) if quote.uses else (),
        charged_minor=_charged(quote, before, parts, refund_minor) if quote.gifts else Minor(0),
        is_last=_is_all(steps),
    )


def _uses(
    quote: Quote, before: Sequence[Returned], parts: Sequence[Part], taken_back: Sequence[TakenBack]
) -> tuple[UseBack, ...]:
    taken: dict[str, int] = {}
    for each in (*[each for returned in before for each in returned.taken_back], *taken_back):
        taken[each.rule] = taken.get(each.rule, 0) + each.centi
    return uses_back(quote, [use for returned in before for use in returned.uses], parts, taken)


def _charged(quote: Quote, before: Sequence[Returned], parts: Sequence[Part], refund_minor: int) -> Minor:
    """A charge takes at most the refund: money that was paid out is not asked back."""
    paid = sum([returned.refund_minor - returned.charged_minor for returned in before])
    whole = sum([returned.refund_minor for returned in before]) + refund_minor
    return Minor(refund_minor - max(0, whole - charge_for_gifts(quote, parts) - paid))


def _is_all(steps: Sequence[Step]) -> bool:
    return all(step.after.quantity_milli == step.shape.quantity_milli for step in steps)


def _steps(quote: Quote, before: Sequence[Returned], lines: Sequence[ReturnLine]) -> list[Step]:
    asked: dict[str, tuple[int, ReturnLine]] = {}
    for number, line in enumerate(lines):
        if line.line_id in asked:
            raise InputError(f"return.lines[{number}].line_id", f'"{line.line_id}" stands twice')
        asked[line.line_id] = (number, line)
    if not asked:
        raise InputError("return.lines", "nothing comes back")
    steps = []
    for sold in quote.lines:
        shape = shape_of(sold)
        back = _back_before(sold.line_id, shape, before)
        number, wanted = asked.pop(sold.line_id, (0, None))
        after = back if wanted is None else _after(wanted, shape, back, f"return.lines[{number}]")
        steps.append(Step(line=sold, shape=shape, before=back, after=after))
    for line_id, (number, _) in asked.items():
        raise InputError(f"return.lines[{number}].line_id", f'there is no line "{line_id}" in the sale')
    return steps


def _back_before(line_id: str, shape: Shape, before: Sequence[Returned]) -> Back:
    back = nothing_back(shape)
    for line in (line for each in before for line in each.lines if line.line_id == line_id):
        numbers = None if back.numbers is None else back.numbers | frozenset(line.units)
        back = Back(quantity_milli=back.quantity_milli + line.quantity_milli, numbers=numbers)
    return back


def _after(wanted: ReturnLine, shape: Shape, back: Back, place: str) -> Back:
    quantity = wanted.quantity_milli
    if quantity <= 0:
        raise InputError(f"{place}.quantity", "a quantity is more than 0")
    if shape.units > 1 and rest_in(quantity, MILLI_PER_UNIT):
        raise InputError(f"{place}.quantity", "goods sold by the piece come back in whole numbers")
    if back.quantity_milli + quantity > shape.quantity_milli:
        left = Thousandths(shape.quantity_milli - back.quantity_milli)
        raise InputError(f"{place}.quantity", f"only {left.text} of the line is left to come back")
    if back.numbers is None:
        if wanted.units and (shape.units > 1 or wanted.units != (0,)):
            raise InputError(f"{place}.units", "the units of this line are not told apart")
        return Back(quantity_milli=back.quantity_milli + quantity)
    free = [number for number in range(shape.units) if number not in back.numbers]
    units = wanted.units or tuple(free[: whole_in(quantity, MILLI_PER_UNIT)])
    if len(set(units)) * MILLI_PER_UNIT != quantity or not set(units) <= set(free):
        raise InputError(f"{place}.units", "these are not as many units as the quantity says, or not all of them are still sold")
    return Back(quantity_milli=back.quantity_milli + quantity, numbers=back.numbers | frozenset(units))


def _line(step: Step, before: Sequence[Returned]) -> ReturnedLine:
    line, shape, after = step.line, step.shape, step.after
    earlier = [each for returned in before for each in returned.lines if each.line_id == line.line_id]
    refund = max(0, paid_share(line, shape, after) - sum([each.refund_minor for each in earlier]))
    points = max(0, share(line.points_minor, shape, after) - sum([each.points_minor for each in earlier]))
    progress = max(0, share(line.progress_minor, shape, after) - sum([each.progress_minor for each in earlier]))
    fiscal_minor = refund + points if is_price_kept(line) else refund
    return ReturnedLine(
        line_id=line.line_id,
        quantity_milli=Thousandths(after.quantity_milli - step.before.quantity_milli),
        units=() if after.numbers is None else tuple(sorted(after.numbers - (step.before.numbers or frozenset()))),
        refund_minor=Minor(refund),
        points_minor=Minor(points),
        progress_minor=Minor(progress),
        fiscal=positions(line, shape, (step.before, after), fiscal_minor),
    )


def _restored(quote: Quote, before: Sequence[Returned], steps: Sequence[Step]) -> tuple[LotUse, ...]:
    """Points go back as the money that they paid comes back; what does not divide comes with the last of it."""
    redemption = quote.redemption
    paying = redemption.centi - sum([thing.centi for thing in redemption.things])
    back = sum([share(step.line.points_minor, step.shape, step.after) for step in steps])
    due = whole_in(paying * back, redemption.off_minor) if redemption.off_minor else 0
    for thing in redemption.things:
        if thing.off_minor:
            due += whole_in(thing.centi * _off_back(thing.rule, steps), thing.off_minor)
    restored: list[LotUse] = []
    for use in reversed(redemption.lots):
        part = min(due, use.centi)
        due -= part
        had = sum([each.centi for returned in before for each in returned.restored if each.lot_id == use.lot_id])
        if part > had:
            restored.append(LotUse(lot_id=use.lot_id, centi=Points(part - had)))
    return tuple(restored)


def _off_back(rule: str, steps: Sequence[Step]) -> int:
    return sum(
        [share(off.off_minor, step.shape, step.after) for step in steps for off in step.line.adjustments if off.rule == rule]
    )


def _taken_back(quote: Quote, before: Sequence[Returned], steps: Sequence[Step]) -> tuple[TakenBack, ...]:
    earlier: dict[tuple[str, str | None], int] = {}
    for each in (each for returned in before for each in returned.taken_back):
        key = (each.rule, each.member_id)
        earlier[key] = earlier.get(key, 0) + each.centi
    left = {(each.rule, each.member_id): each.centi - earlier.get((each.rule, each.member_id), 0) for each in quote.accruals}
    is_all = _is_all(steps)
    taken = {key: centi for key, centi in left.items() if key[0] == REFERRAL and is_all}
    if quote.earning is not None:
        own = {rule: centi for (rule, _), centi in left.items() if rule != REFERRAL}
        taken |= {(rule, None): centi for rule, centi in _of_rules(quote, own, steps).items()}
    return tuple(
        [TakenBack(rule=key[0], centi=Points(taken[key]), member_id=key[1]) for key in sorted(taken, key=_by_rule) if taken[key]]
    )


def _by_rule(key: tuple[str, str | None]) -> tuple[str, str]:
    return key[0], key[1] or ""


def _of_rules(quote: Quote, left: Mapping[str, int], steps: Sequence[Step]) -> dict[str, int]:
    """What each rule loses. ``left``: what earlier returns left of what it gave."""
    earning = quote.earning
    assert earning is not None
    was = _exact([(step.line, step.shape, step.before) for step in steps], earning)
    now = _exact([(step.line, step.shape, step.after) for step in steps], earning)
    lost = {rule: max(0, was.get(rule, 0) - now.get(rule, 0)) for rule in left}
    if earning.take_back == "each_return":
        alone = replace(earning, round="down", most_centi=None, most=())
        amount = sum(shared(lost, alone).values())
    else:
        amount = sum(left.values()) - sum(shared(now, earning).values())
    return _split(max(0, amount), lost, left, earning.step_centi)


def _exact(parts: Sequence[tuple[QuoteLine, Shape, Back]], earning: Earning) -> dict[str, int]:
    """Rule to its exact share of what is still kept of the lines."""
    kept = [(line, shape, back) for line, shape, back in parts if back.quantity_milli < shape.quantity_milli]
    return exact_shares(
        [
            (line.earned, line.earning_minor - share(line.earning_minor, shape, back), shape.units - units_back(shape, back))
            for line, shape, back in kept
        ],
        earning,
    )


def _split(centi: int, lost: Mapping[str, int], left: Mapping[str, int], step_centi: int) -> dict[str, int]:
    """Points taken back, by rule: by what each lost, no more than it has left; what that leaves over, by what is left."""
    rules = sorted(left)
    steps = whole_in(centi, step_centi)
    caps = [whole_in(left[rule], step_centi) for rule in rules]
    parts = allocate([lost[rule] for rule in rules], steps, caps)
    rooms = [cap - part for cap, part in zip(caps, parts, strict=True)]
    more = allocate(rooms, steps - sum(parts), rooms)
    return {rule: (part + extra) * step_centi for rule, part, extra in zip(rules, parts, more, strict=True)}


def _counters(quote: Quote, before: Sequence[Returned], steps: Sequence[Step]) -> tuple[CounterMove, ...]:
    """Counters fall by the goods that are back, whatever they were rewarded with; one for the receipt with the last of them."""
    moves = []
    for move in quote.counters:
        by_units = fallen = 0
        is_all = True
        for step in steps:
            for counted in step.line.counted:
                if counted.key == move.key:
                    by_units += counted.add
                    fallen += whole_in(counted.add * units_back(step.shape, step.after), step.shape.units)
                    is_all = is_all and step.after.quantity_milli == step.shape.quantity_milli
        fallen += move.add - by_units if is_all else 0
        fallen += sum([each.add for returned in before for each in returned.counters if each.key == move.key])
        if fallen > 0:
            moves.append(CounterMove(key=move.key, add=-fallen))
    return tuple(moves)
