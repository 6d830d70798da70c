"""Stages 5 and 6: what the cashier takes off by hand, within the role's limit; the most that a receipt's discounts may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.lines import CalcLine, room_of
from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.money import allocate, percent_within
from pos_loyalty.engine.rules import CapsTable
from pos_loyalty.values import Value

MANUAL = "manual"
PRIOR = "prior"
CAP = "cap"


class Stopped(Value, gc=False):
    """Money that a floor or a cap kept on a calculation line."""

    place: int
    floor: str
    stopped_minor: int


class ByHand(Value):
    """What came off by hand, and what did not."""

    offs: tuple[Off, ...]
    stopped: tuple[Stopped, ...]
    refusals: tuple[Refusal, ...]


class Capped(Value):
    """The offs that stay under the caps, what was cut, and the most that points may still take off (None: no bound)."""

    offs: tuple[Off, ...]
    stopped: tuple[Stopped, ...]
    points_minor: int | None


def manual_offs(lines: Sequence[CalcLine], left_minor: Sequence[int], caps: CapsTable, exponent: int) -> ByHand:
    """The cashier's own offs, as far as each line has room and each role may go; the host's that were more than a line costs."""
    offs, stopped, refusals = [], [], []
    for place in [place for place, line in enumerate(lines) if line.manual or line.line.prior_off_minor]:
        line = lines[place]
        prior = line.line.prior_off_minor
        if prior > line.gross_minor:
            have, need = money_text(line.gross_minor, exponent), money_text(prior, exponent)
            refusals.append(Refusal(rule=PRIOR, condition="line", have=have, need=need))
        if not line.manual:
            continue
        wanted = sum([manual.off_minor for manual in line.manual])
        may = _may(line, caps.manual)
        part = min(may, room_of(line, left_minor[place]))
        if part:
            offs.append(Off(place=place, rule=MANUAL, off_minor=part))
        if part < may:
            stopped.append(Stopped(place=place, floor=line.floor.name, stopped_minor=may - part))
        if part < wanted:
            word = "role" if may < wanted and part == may else "line"
            refusals.append(
                Refusal(rule=MANUAL, condition=word, have=money_text(part, exponent), need=money_text(wanted, exponent))
            )
    return ByHand(offs=tuple(offs), stopped=tuple(stopped), refusals=tuple(refusals))


def _may(line: CalcLine, roles: Mapping[str, int]) -> int:
    """What the roles allow together; without a table everything. A role that the table does not name may nothing."""
    if not roles:
        return sum([manual.off_minor for manual in line.manual])
    asked: dict[str, int] = {}
    for manual in line.manual:
        asked[manual.role] = asked.get(manual.role, 0) + manual.off_minor
    return sum([min(off, percent_within(line.list_minor, roles.get(role, 0))) for role, off in asked.items()])


def most_off(list_minor: int, caps: CapsTable) -> int:
    """The most that may come off a receipt, by a table that has a cap."""
    bounds: list[int] = [percent_within(list_minor, caps.percent)] if caps.percent is not None else []
    bounds += [caps.amount] if caps.amount is not None else []
    return min(bounds)


def capped(offs: Sequence[Off], list_minor: int, caps: CapsTable) -> Capped:
    """Cut what passes the caps. ``offs`` stand in the order of action: the last rule's are cut first, by ALLOCATE."""
    if caps.percent is None and caps.amount is None:
        return Capped(offs=tuple(offs), stopped=(), points_minor=None)
    most, total = most_off(list_minor, caps), sum([off.off_minor for off in offs])
    excess = total - most
    if excess <= 0:
        return Capped(offs=tuple(offs), stopped=(), points_minor=-excess)
    kept = {id(off): off for off in offs}
    stopped: list[Stopped] = []
    for rule in reversed(list(dict.fromkeys(off.rule for off in offs))):
        mine = [off for off in offs if off.rule == rule]
        parts = [off.off_minor for off in mine]
        for off, part in zip(mine, allocate(parts, min(excess, sum(parts)), parts), strict=True):
            stopped.append(Stopped(place=off.place, floor=CAP, stopped_minor=part))
            kept[id(off)] = Off(place=off.place, rule=rule, off_minor=off.off_minor - part)
            excess -= part
        if not excess:
            break
    return Capped(offs=tuple([off for off in kept.values() if off.off_minor]), stopped=tuple(stopped), points_minor=0)
