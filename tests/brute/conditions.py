"""Whether a rule's conditions hold, by the documents alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.brute.figures import Row, Table, UnsureError, fits, money, names

SCOPES = {"customer": "member", "member": "member", "programme": "total", "total": "total", "day": "today"}
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class World:
    """All that a decision may look at."""

    programme: Table
    basket: Table
    member: Table | None
    state: Table
    rows: Sequence[Row]

    @property
    def local(self) -> datetime:
        """The time of the decision at the shop."""
        return datetime.fromisoformat(self.basket["opened_at"]).astimezone(ZoneInfo(self.programme["timezone"]))


def rule_holds(rule: Table, world: World, running: Sequence[Fraction]) -> bool:
    """All conditions, limits and budget of a rule. ``running``: what each row costs now."""
    for key in ("pilot", "control"):
        if key in rule:
            raise UnsureError(key)
    if "pilot" in world.programme:
        raise UnsureError("pilot")
    if (left := uses_left(rule, world)) is not None and left <= 0:
        return False
    if "budget" in rule and world.state.get("budgets", {}).get(rule["id"], 0) <= 0:
        return False
    return all(holds(condition, rule, world, running) for condition in rule.get("when", ()))


def uses_left(rule: Table, world: World) -> int | None:
    """How often the rule may still be used, by its limits and by its conditions ``uses``; None without either."""
    asked = [(SCOPES[key], most) for key, most in rule.get("limits", {}).items()]
    asked += [(SCOPES[each["scope"]], each["max"]) for each in rule.get("when", ()) if each["is"] == "uses"]
    if not asked:
        return None
    uses = world.state.get("uses")
    if uses is None or (world.member is None and any(key == "member" for key, _ in asked)):
        return 0
    mine = uses.get(rule["id"], {})
    return min(most - mine.get(key, 0) for key, most in asked)


def holds(condition: Table, rule: Table, world: World, running: Sequence[Fraction]) -> bool:
    """One condition."""
    member, basket = world.member, world.basket
    match condition["is"]:
        case "all":
            return all(holds(each, rule, world, running) for each in condition["of"])
        case "any":
            return any(holds(each, rule, world, running) for each in condition["of"])
        case "not":
            return not holds(condition["of"], rule, world, running)
        case "basket_amount" | "basket_qty" | "contains":
            return _goods_hold(condition, world, running)
        case "customer":
            return _is_such(condition, world)
        case "coupon":
            return _has_coupon(condition["series"], world)
        case "when":
            return _is_inside(condition, world.local)
        case "store":
            return basket["store"] in names(condition, "store")
        case "till":
            return basket["till"] in names(condition, "till")
        case "tender":
            kinds = [tender["kind"] for tender in basket.get("tenders", ())]
            return bool(kinds) and all(kind in names(condition, "kind") for kind in kinds)
        case "first_purchase":
            return member is not None and "sales" in member and member["sales"]["count"] == 0
        case "nth_purchase":
            if member is None or "sales" not in member:
                return False
            turn = member["sales"]["count"] + 1
            return turn % condition["n"] == 0 if condition.get("every") else turn == condition["n"]
        case "history":
            return _has_bought(condition, member)
        case "birthday":
            return member is not None and "birthday" in member and _is_near(condition, member, world.local.date())
        case "profile":
            return _has_attribute(condition, member)
        case "uses":
            return _has_uses(condition, rule, world)
        case "budget":
            return bool(world.state.get("budgets", {}).get(rule["id"], 0) > 0)
    raise UnsureError(condition["is"])


def _goods_hold(condition: Table, world: World, running: Sequence[Fraction]) -> bool:
    rows = world.rows
    mine = [i for i, row in enumerate(rows) if fits(condition.get("on", {}), row)]
    if condition["is"] == "contains":
        wanted = [{i for i, row in enumerate(rows) if fits(each.get("on", {}), row)} for each in condition["goods"]]
        counts = [each.get("count", 1) for each in condition["goods"]]
        return _can_fill(wanted, counts, [row.units for row in rows])
    if condition["is"] == "basket_qty":
        least = Decimal(str(condition["min"]))
        if condition.get("measure") == "weight":
            return sum(rows[i].milli for i in mine if rows[i].is_weight) >= least * 1000
        return sum(rows[i].units for i in mine) >= least
    amount = sum((running[i] if condition.get("base") == "running" else rows[i].total for i in mine), Fraction(0))
    return ("min" not in condition or amount >= money(condition["min"])) and (
        "max" not in condition or amount <= money(condition["max"])
    )


def _can_fill(wanted: Sequence[set[int]], counts: Sequence[int], units: Sequence[int]) -> bool:
    if not wanted:
        return True
    if counts[0] == 0:
        return _can_fill(wanted[1:], counts[1:], units)
    return any(
        units[i] > 0 and _can_fill(wanted, [counts[0] - 1, *counts[1:]], [left - (j == i) for j, left in enumerate(units)])
        for i in wanted[0]
    )


def _is_such(condition: Table, world: World) -> bool:
    member = world.member
    asked = {key for key in condition if key != "is"}
    if member is None:
        return condition.get("member") is False and asked == {"member"}
    tiers = [tier["id"] for tier in world.programme.get("tier", ())]
    tier, now = member.get("tier"), datetime.fromisoformat(world.basket["opened_at"])
    paid_until = datetime.fromisoformat(member["paid_until"]) if member.get("paid_until") else None
    answers = {
        "member": condition.get("member") is True,
        "tier": tier in names(condition, "tier"),
        "tier_from": tier in tiers and tiers.index(tier) >= tiers.index(condition.get("tier_from", tier)),
        "segment": bool(set(names(condition, "segment")) & set(member.get("segments", ()))),
        "staff": member.get("staff", False) == condition.get("staff"),
        "paid": (paid_until is not None and now < paid_until) == condition.get("paid"),
    }
    return all(answers[key] for key in asked)


def _has_coupon(series: str, world: World) -> bool:
    table = next(each for each in world.programme["coupon"] if each["id"] == series)
    day = world.local.date()
    if "since" in table and day < date.fromisoformat(str(table["since"])):
        return False
    if "until" in table and day > date.fromisoformat(str(table["until"])):
        return False
    if "code" not in table:
        raise UnsureError("unique coupons")
    return table["code"].upper() in {code.strip().upper() for code in world.basket.get("coupons", ())}


def _is_inside(condition: Table, local: datetime) -> bool:
    day = local.date()
    minute = local.hour * 60 + local.minute
    if "zone" in condition:
        raise UnsureError("zone")
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (condition.get("from", "00:00"), condition.get("to", "24:00")))
    if start < end:
        if not start <= minute < end:
            return False
    elif minute < end:
        day -= timedelta(days=1)
    elif minute < start:
        return False
    if "since" in condition and day < date.fromisoformat(str(condition["since"])):
        return False
    if "until" in condition and day > date.fromisoformat(str(condition["until"])):
        return False
    return "weekdays" not in condition or WEEK[day.weekday()] in condition["weekdays"]


def _has_bought(condition: Table, member: Table | None) -> bool:
    if set(condition) - {"is", "amount", "visits"}:
        raise UnsureError("history")
    if member is None or "sales" not in member:
        return False
    sales = member["sales"]
    return sales["spent_minor"] >= money(condition.get("amount", "0")) and sales["count"] >= condition.get("visits", 0)


def _is_near(condition: Table, member: Table, today: date) -> bool:
    if "set_before" in condition or member["birthday"] == "02-29":
        raise UnsureError("birthday")
    near = (today + timedelta(days=n) for n in range(-condition.get("after", 0), condition.get("before", 0) + 1))
    return any(day.strftime("%m-%d") == member["birthday"] for day in near)


def _has_attribute(condition: Table, member: Table | None) -> bool:
    profile = (member or {}).get("profile") or {}
    key = condition["key"]
    return key in profile and ("value" not in condition or profile[key] in names(condition, "value"))


def _has_uses(condition: Table, rule: Table, world: World) -> bool:
    uses = world.state.get("uses")
    scope = SCOPES[condition["scope"]]
    if uses is None or (scope == "member" and world.member is None):
        return False
    return bool(uses.get(rule["id"], {}).get(scope, 0) < condition["max"])
