"""Stage 7: how many points may be redeemed, how many are, on which lines and out of which lots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import gcd

from pos_loyalty.engine import lots
from pos_loyalty.engine.figures import points_text
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Basket, Member, Redemption, Refusal
from pos_loyalty.engine.money import allocate, percent_within, whole_in
from pos_loyalty.engine.pricing import Places, room_of
from pos_loyalty.engine.programme import Programme
from pos_loyalty.values import CENTI_PER_POINT, Minor, Points, Value

REDEEM = "redeem"


class Redeemed(Value):
    """Points redeemed, the money they pay on each calculation line, and why not more."""

    redemption: Redemption
    parts: tuple[int, ...]
    refusals: tuple[Refusal, ...]


class Grain(Value):
    """The fewest points that pay a whole number of minor units, and that number."""

    centi: int
    minor: int


class Limit(Value):
    """The most that may be redeemed, and what stops there."""

    centi: int
    by: str


def grain_of(point_minor: int) -> Grain:
    """Points are redeemed in grains, so that money and points are both whole."""
    common = gcd(CENTI_PER_POINT, point_minor)
    return Grain(centi=whole_in(CENTI_PER_POINT, common), minor=whole_in(point_minor, common))


def redeem(
    basket: Basket,
    member: Member | None,
    programme: Programme,
    lines: Sequence[CalcLine],
    left: tuple[Places, Sequence[int]],
    now: datetime,
) -> Redeemed:
    """Decide the redemption. ``left``: the lines each selector found, and what discounts left of every line."""
    found, left_minor = left
    grain = grain_of(programme.point_minor)
    limit = _limit(member, programme, lines, left, now)
    asked = limit.centi if basket.redeem == "max" else basket.redeem or 0
    grains = whole_in(min(asked, limit.centi), grain.centi)
    centi, off = grains * grain.centi, grains * grain.minor
    places = found.get(programme.redeem_selector, ())
    parts = [0] * len(lines)
    shares = allocate([left_minor[i] for i in places], off, [room_of(lines[i], left_minor[i]) for i in places])
    for place, share in zip(places, shares, strict=True):
        parts[place] = share
    uses = lots.take(lots.usable(member.lots, now), centi) if member is not None else ()
    redemption = Redemption(centi=Points(centi), off_minor=Minor(off), max_centi=Points(limit.centi), lots=uses)
    return Redeemed(redemption=redemption, parts=tuple(parts), refusals=_refusals(basket, limit, centi, asked))


def _refusals(basket: Basket, limit: Limit, centi: int, asked: int) -> tuple[Refusal, ...]:
    if basket.redeem is None:
        return ()
    if basket.redeem == "max":
        if limit.centi:
            return ()
        return (Refusal(rule=REDEEM, condition=limit.by, have=points_text(0), need=points_text(1)),)
    if asked > limit.centi:
        return (Refusal(rule=REDEEM, condition=limit.by, have=points_text(limit.centi), need=points_text(asked)),)
    if asked > centi:
        return (Refusal(rule=REDEEM, condition="whole_minor_units", have=points_text(centi), need=points_text(asked)),)
    return ()


def _limit(
    member: Member | None, programme: Programme, lines: Sequence[CalcLine], left: tuple[Places, Sequence[int]], now: datetime
) -> Limit:
    if programme.redeem is None:
        return Limit(centi=0, by="programme")
    if member is None:
        return Limit(centi=0, by="customer")
    found, left_minor = left
    grain = grain_of(programme.point_minor)
    places = found.get(programme.redeem_selector, ())
    balance = max(0, lots.usable_centi(member.lots, now) - member.owed_centi)
    rights = balance if member.redeemable_centi is None else member.redeemable_centi
    bounds = (
        ("balance", whole_in(balance, grain.centi)),
        ("rights", whole_in(rights, grain.centi)),
        ("limit", whole_in(percent_within(sum(left_minor[i] for i in places), programme.redeem.limit), grain.minor)),
        ("floors", whole_in(sum(room_of(lines[i], left_minor[i]) for i in places), grain.minor)),
        ("minimum_money", whole_in(max(0, sum(left_minor) - programme.redeem.minimum_money), grain.minor)),
    )
    by, grains = min(bounds, key=lambda bound: bound[1])
    return Limit(centi=grains * grain.centi, by=by)
