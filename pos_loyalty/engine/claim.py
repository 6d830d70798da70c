"""A forgotten card: what a receipt sold without a member brings later. Pure, and never more than the rules give on what was paid.

The basket is asked again with the member; of that answer only the rates on each line are taken. The money is the stored one,
less what came back. So a member price that was not given earns nothing more, and nothing that was paid earns twice. Rules with
limits or a budget are left out: their uses were never counted. So are points for somebody else, and what is not points.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.earning import earning_minor
from pos_loyalty.engine.earning_shares import exact_shares, shared
from pos_loyalty.engine.lots import NEVER
from pos_loyalty.engine.model import Accrual, Line, Quote, QuoteLine
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.returnable import EarnedOn, Earning
from pos_loyalty.engine.returned_lines import Back, nothing_back, shape_of, share, units_back
from pos_loyalty.engine.returns import Returned
from pos_loyalty.values import Minor, Points, Value


class LineClaim(Value):
    """The rates of a line and its money that earns, whole: what came back is not taken off here."""

    line_id: str
    earned: tuple[EarnedOn, ...]
    earning_minor: Minor


class Claimed(Value):
    """What the receipt brings, and what its returns need."""

    accruals: tuple[Accrual, ...]
    lines: tuple[LineClaim, ...]
    earning: Earning | None


def claim_of(
    stored: Quote, asked: Quote, lines: Sequence[Line], before: Sequence[Returned], programme: Programme, at: datetime
) -> Claimed:
    """What ``stored``, sold without a member, brings by the rates of ``asked``. ``before``: what came back since.

    The dates of the points are those of the sale; what would be lost at ``at`` already is left out.
    """
    own = {each.rule: each for each in asked.accruals if each.member_id is None and (each.expires_at or NEVER) > at}
    vat = {line.line_id: line.vat_bp for line in lines}
    claims = _lines(stored, asked, vat, programme, {use.rule for use in asked.uses})
    if asked.earning is None or not claims:
        return Claimed(accruals=(), lines=(), earning=None)
    undated = {rule for rule, centi in _kept(stored.lines, claims, (), asked.earning).items() if centi and rule not in own}
    if undated:
        claims = _lines(stored, asked, vat, programme, undated | {use.rule for use in asked.uses})
    parts = _kept(stored.lines, claims, before, asked.earning)
    accruals = tuple(
        replace(own[rule], centi=Points(parts[rule])) for rule in sorted(own.keys() & parts.keys()) if parts[rule] > 0
    )
    return Claimed(accruals=accruals, lines=tuple(claims.values()), earning=asked.earning)


def _lines(
    stored: Quote, asked: Quote, vat: Mapping[str, int | None], programme: Programme, without: Collection[str]
) -> dict[str, LineClaim]:  # fmt: skip
    """What each line on which money was paid earns, without these rules."""
    rates = {line.line_id: tuple(each for each in line.earned if each.rule not in without) for line in asked.lines}
    return {
        line.line_id: LineClaim(
            line_id=line.line_id,
            earned=rates[line.line_id],
            earning_minor=Minor(earning_minor(line.net_minor, line.points_minor, vat.get(line.line_id), programme.points)),
        )
        for line in stored.lines
        if rates.get(line.line_id) and line.net_minor > line.points_minor
    }


def as_claimed(stored: Quote, claimed: Claimed, member_id: str) -> Quote:
    """The stored quote as if the member had been named: a return of the sale takes back by this one."""
    by_line = {each.line_id: each for each in claimed.lines}
    lines = tuple(
        replace(line, earned=by_line[line.line_id].earned, earning_minor=by_line[line.line_id].earning_minor)
        if line.line_id in by_line
        else line
        for line in stored.lines
    )
    return replace(stored, member_id=member_id, lines=lines, accruals=claimed.accruals, earning=claimed.earning)


def _kept(
    lines: Iterable[QuoteLine], claims: Mapping[str, LineClaim], before: Sequence[Returned], earning: Earning
) -> Mapping[str, int]:
    """Points by rule on what was not returned."""
    counted = []
    for line in lines:
        claim = claims.get(line.line_id)
        if claim is None:
            continue
        shape = shape_of(line)
        back = nothing_back(shape)
        for each in (each for returned in before for each in returned.lines if each.line_id == line.line_id):
            numbers = None if back.numbers is None else back.numbers | frozenset(each.units)
            back = Back(quantity_milli=back.quantity_milli + each.quantity_milli, numbers=numbers)
        if back.quantity_milli < shape.quantity_milli:
            money = claim.earning_minor - share(claim.earning_minor, shape, back)
            counted.append((claim.earned, money, shape.units - units_back(shape, back)))
    return shared(exact_shares(counted, earning), earning)
