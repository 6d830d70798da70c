"""Stage 7: how many points may be used, how many pay, on which lines and out of which lots.

Points pay in two forms. ``discount``: they lower the price, so floors hold against them. ``counter_provision``: the lines keep
their price for VAT and the fiscal receipt, and points stand as a tender of that kind. Either way what is due falls by as much,
and every minor unit that points pay stands on a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import gcd

from msgspec import field
from msgspec.structs import replace

from pos_loyalty.engine import lots
from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.earning import redeemed_today
from pos_loyalty.engine.figures import points_text
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Issue, Lot, LotUse, Member, Redemption, Refusal, Tender
from pos_loyalty.engine.money import NOTHING_MINOR, allocate, percent_within, whole_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.returnable import PointsFor
from pos_loyalty.engine.rules import RedeemTable
from pos_loyalty.values import CENTI_PER_POINT, Minor, Points, Value

REDEEM = "redeem"
COUNTER_PROVISION = "counter_provision"
NOBODY = "customer"
UNKNOWN = "unknown"


class Payable(Value):
    """What points may pay, by place of calculation lines: what discounts left, and how much of it stands above the floor.

    ``cap_minor``: the most that points may still take off the receipt; None when nothing bounds it. ``budgets_minor``: what is
    left for each rule that has a budget.
    """

    lines: Sequence[CalcLine]
    found: Mapping[int, Sequence[int]]
    left_minor: Sequence[int]
    rooms_minor: Sequence[int]
    cap_minor: int | None = None
    budgets_minor: Mapping[str, int] = field(default_factory=dict)


class Purse(Value):
    """The usable lots in the order of redemption, how much of them may be used here and now, and what stops there."""

    lots: tuple[Lot, ...]
    centi: int
    by: str
    have: str = ""
    need: str = ""
    """What a refusal says instead of amounts: nobody is there, or something is not known."""


class Things(Value):
    """What points bought under ``redeem_for``, and what is left: goods to be paid and points to pay with."""

    goods: Payable
    purse: Purse
    offs: tuple[Off, ...] = ()
    things: tuple[PointsFor, ...] = ()
    lots: tuple[LotUse, ...] = ()
    issues: tuple[Issue, ...] = ()
    privileges: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class Redeemed(Value):
    """Points used, the money they pay on each calculation line, and why not more. ``tenders``: where they stand as a tender."""

    redemption: Redemption
    parts: tuple[Minor, ...]
    tenders: tuple[Tender, ...]
    refusals: tuple[Refusal, ...]


class Grain(Value):
    """The fewest points that pay a whole number of minor units, and that number."""

    centi: int
    minor: int


class Limit(Value):
    """The most that may be redeemed, what stops there, and what a refusal says when it is not about the amount."""

    centi: int
    by: str
    have: str = ""
    need: str = ""


def grain_of(point_minor: int) -> Grain:
    """Points are redeemed in grains, so that money and points are both whole."""
    common = gcd(CENTI_PER_POINT, point_minor)
    return Grain(centi=whole_in(CENTI_PER_POINT, common), minor=whole_in(point_minor, common))


def purse_of(member: Member | None, programme: Programme, at: datetime) -> Purse:
    """What the member may use: usable points less what is owed, within rights and what the day still allows."""
    if member is None:
        return Purse(lots=(), centi=0, by=NOBODY, have="none", need="member")
    usable = lots.usable(member.lots, at)
    balance = max(0, sum([lot.centi for lot in usable]) - member.owed_centi)
    bounds = [("balance", balance)]
    if member.redeemable_centi is not None:
        bounds.append(("rights", member.redeemable_centi))
    if programme.redeem is not None and programme.redeem.per_day is not None:
        today = redeemed_today(member, at, programme.zone)
        if today is None:
            return Purse(lots=usable, centi=0, by="per_day", have=UNKNOWN, need=points_text(programme.redeem.per_day))
        bounds.append(("per_day", max(0, programme.redeem.per_day - today)))
    by, centi = min(bounds, key=lambda bound: bound[1])
    return Purse(lots=usable, centi=centi, by=by)


def taken_from(purse: Purse, centi: int) -> tuple[tuple[LotUse, ...], Purse]:
    """The lots that so many points come from, and the purse without them."""
    uses = lots.take(purse.lots, centi)
    assert sum([use.centi for use in uses]) == centi <= purse.centi
    used = {use.lot_id: use.centi for use in uses}
    left = tuple([replace(lot, centi=Points(lot.centi - used.get(lot.lot_id, 0))) for lot in purse.lots]) if used else purse.lots
    return uses, Purse(lots=left, centi=purse.centi - centi, by=purse.by, have=purse.have, need=purse.need)


def redeem(wish: int | str | None, programme: Programme, things: Things) -> Redeemed:
    """Decide what points pay. ``wish``: hundredths of a point, "max" or None; ``things``: what was bought with points before."""
    goods, purse = things.goods, things.purse
    table = programme.redeem
    grain = _step(grain_of(programme.point_minor), table)
    limit = _limit(programme, goods, purse, grain)
    asked = limit.centi if wish == "max" else int(wish or 0)
    grains = whole_in(min(asked, limit.centi), grain.centi)
    if table is not None and table.least is not None and grains * grain.centi < table.least:
        grains = 0
    centi, off = grains * grain.centi, grains * grain.minor
    uses, _ = taken_from(purse, centi)
    is_tender = table is not None and table.form == COUNTER_PROVISION
    bought = sum(thing.centi for thing in things.things)
    return Redeemed(
        redemption=Redemption(
            centi=Points(centi + bought),
            off_minor=Minor(off),
            max_centi=Points(limit.centi),
            lots=_joined(things.lots + uses),
            things=things.things,
        ),
        parts=_parts(goods, programme, off),
        tenders=(Tender(kind=COUNTER_PROVISION, amount_minor=Minor(off)),) if is_tender and off else (),
        refusals=_refusals(wish, limit, (centi, asked), table),
    )


def _parts(goods: Payable, programme: Programme, off_minor: int) -> tuple[Minor, ...]:
    parts = [NOTHING_MINOR] * len(goods.lines)
    if off_minor:
        places = goods.found.get(programme.redeem_selector, ())
        rooms = _rooms(goods, programme.redeem)
        shares = allocate([goods.left_minor[i] for i in places], off_minor, [rooms[i] for i in places])
        for place, share in zip(places, shares, strict=True):
            parts[place] = Minor(share)
    return tuple(parts)


def _rooms(goods: Payable, table: RedeemTable | None) -> Sequence[int]:
    """A tender takes nothing off a price, so floors do not hold against it."""
    return goods.left_minor if table is not None and table.form == COUNTER_PROVISION else goods.rooms_minor


def _joined(uses: Sequence[LotUse]) -> tuple[LotUse, ...]:
    """One use a lot, in the order in which lots were first touched."""
    centi: dict[str, int] = {}
    for use in uses:
        centi[use.lot_id] = centi.get(use.lot_id, 0) + use.centi
    return tuple([LotUse(lot_id=lot_id, centi=Points(each)) for lot_id, each in centi.items()])


def _step(grain: Grain, table: RedeemTable | None) -> Grain:
    """The smallest grain that is also a whole number of steps."""
    if table is None or table.step is None:
        return grain
    times = whole_in(table.step, gcd(table.step, grain.centi))
    return Grain(centi=grain.centi * times, minor=grain.minor * times)


def _limit(programme: Programme, goods: Payable, purse: Purse, grain: Grain) -> Limit:
    table = programme.redeem
    if table is None:
        return Limit(centi=0, by="programme")
    if purse.have:
        return Limit(centi=0, by=purse.by, have=purse.have, need=purse.need)
    left, rooms = goods.left_minor, _rooms(goods, table)
    places = goods.found.get(programme.redeem_selector, ())
    bounds = [
        (purse.by, whole_in(purse.centi, grain.centi)),
        ("limit", whole_in(percent_within(sum([left[i] for i in places]), table.limit), grain.minor)),
        ("floors", whole_in(sum([rooms[i] for i in places]), grain.minor)),
        ("minimum_money", whole_in(max(0, sum(left) - table.minimum_money), grain.minor)),
    ]
    if goods.cap_minor is not None:
        bounds.append(("cap", whole_in(goods.cap_minor, grain.minor)))
    by, grains = min(bounds, key=lambda bound: bound[1])
    most = grains * grain.centi
    if table.least is not None and 0 < most < table.least:
        return Limit(centi=0, by="least", have=points_text(most), need=points_text(table.least))
    return Limit(centi=most, by=by)


def _refusals(wish: int | str | None, limit: Limit, figures: tuple[int, int], table: RedeemTable | None) -> tuple[Refusal, ...]:
    centi, asked = figures
    if wish is None or (wish != "max" and not asked):
        return ()
    if limit.have:
        return (Refusal(rule=REDEEM, condition=limit.by, have=limit.have, need=limit.need),)
    if wish == "max":
        return () if limit.centi else (Refusal(rule=REDEEM, condition=limit.by, have=points_text(0), need=points_text(1)),)
    if asked > limit.centi:
        return (Refusal(rule=REDEEM, condition=limit.by, have=points_text(limit.centi), need=points_text(asked)),)
    if not centi and table is not None and table.least is not None and asked < table.least:
        return (Refusal(rule=REDEEM, condition="least", have=token("asked", points_text(asked)), need=points_text(table.least)),)
    if asked > centi:
        condition = "step" if table is not None and table.step is not None else "whole_minor_units"
        return (Refusal(rule=REDEEM, condition=condition, have=points_text(centi), need=points_text(asked)),)
    return ()
