"""What points pay and what is earned, by the documents, once the money of every row is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from tests.brute.conditions import World, rule_holds
from tests.brute.figures import Table, UnsureError, fits, money, names, share


@dataclass(frozen=True)
class PointsVerdict:
    """Hundredths of points: paid, the most that could be, earned; what they paid and what is due, in kopecks."""

    paid: int
    most: int
    earned: int
    off: int
    due: int


def points_verdict(world: World, nets: Sequence[int]) -> PointsVerdict:
    """Judge the points of a receipt whose rows cost so much."""
    table = world.programme.get("points", {})
    if set(table) - {"value", "step"} or any(row.is_weight for row in world.rows):
        raise UnsureError("points")
    worth = money(table.get("value", "1.00"))
    most = _most(world, nets, worth)
    wish = world.basket.get("redeem")
    paid = 0 if wish is None else most if wish == "max" else _whole(min(most, wish), worth)
    off = paid * worth // 100
    rounded = _rounded(world, nets, off)
    money_paid = sum(net for net, row in zip(nets, world.rows, strict=True) if not row.is_outlawed) - off - rounded
    return PointsVerdict(paid, most, _earned(world, money_paid, nets), off, sum(nets) - off - rounded)


def _rounded(world: World, nets: Sequence[int], off: int) -> int:
    """What rules of round_total take off what is due."""
    rules = [rule for rule in world.programme["rule"] if rule.get("stage") == "payment"]
    if not rules:
        return 0
    (rule,) = rules
    (effect,) = rule["then"]
    kinds = [tender["kind"] for tender in world.basket.get("tenders", ())]
    if "tenders" in effect and not (kinds and all(kind in names(effect, "tenders") for kind in kinds)):
        return 0
    over = (sum(nets) - off) % money(effect["step"])
    room = sum(max(0, net - int(row.floor * row.units)) for net, row in zip(nets, world.rows, strict=True) if not row.is_outlawed)
    if over and (off or room < over or {"percent", "amount"} & set(world.programme.get("caps", {}))):
        raise UnsureError("room to round")
    return over


def _most(world: World, nets: Sequence[int], worth: int) -> int:
    table = world.programme.get("redeem")
    if table is None or world.member is None:
        return 0
    if set(table) - {"limit", "minimum_money", "on"}:
        raise UnsureError("redeem")
    mine = [fits(table.get("on", {}), row) for row in world.rows]
    base = sum(net for net, on in zip(nets, mine, strict=True) if on)
    room = sum(max(0, net - int(row.floor * row.units)) for net, row, on in zip(nets, world.rows, mine, strict=True) if on)
    least = sum(nets) - money(table.get("minimum_money", "0"))
    in_money = min(floor(share(table["limit"]) * base), room, max(0, least))
    in_points = _held(world.member, datetime.fromisoformat(world.basket["opened_at"])) - world.member.get("owed_centi", 0)
    if "redeemable_centi" in world.member:
        in_points = min(in_points, world.member["redeemable_centi"])
    return _whole(min(max(0, in_points), in_money * 100 // worth), worth)


def _held(member: Table, now: datetime) -> int:
    held = 0
    for lot in member.get("lots", ()):
        begins, ends = lot.get("usable_from"), lot.get("expires_at")
        if (begins is None or datetime.fromisoformat(begins) <= now) and (ends is None or now < datetime.fromisoformat(ends)):
            held += lot["centi"]
    return held


def _whole(centi: int, worth: int) -> int:
    """The most points, not more than these, that pay whole kopecks."""
    return next(each for each in range(centi, -1, -1) if each * worth % 100 == 0)


def _earned(world: World, paid: int, nets: Sequence[int]) -> int:
    if world.member is None:
        return 0
    table = world.programme.get("points", {})
    step = int(Decimal(table.get("step", "0.01")) * 100)
    running = [Fraction(net) for net in nets]
    earned = Fraction(0)
    rules: list[Any] = [rule for rule in world.programme["rule"] if any(each["do"] == "points" for each in rule["then"])]
    if len(rules) > 1 or (paid == 0 and rules):
        raise UnsureError("points of several rules, or of nothing")
    for rule in rules:
        if set(rule) - {"id", "then", "when"} or len(rule["then"]) > 1 or not rule_holds(rule, world, running):
            raise UnsureError("points")
        (effect,) = rule["then"]
        if set(effect) == {"do", "rate"}:
            earned += share(effect["rate"]) * paid
        elif set(effect) == {"do", "fixed"}:
            earned += Fraction(effect["fixed"]) * 100
        else:
            raise UnsureError("points")
    return floor(earned) // step * step
