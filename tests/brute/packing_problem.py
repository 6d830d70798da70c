"""A whole stage-item problem rebuilt from the basket and the file, as the plain JSON that tests/oracles understand."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.brute.conditions import World, rule_holds, uses_left
from tests.brute.figures import Row, Table, UnsureError, fits, money, programme_of, rows_of, share

SCALE = 10_000
MONEY_WORDS = ("percent", "amount_each", "fixed_price", "n_for_m", "bundle", "gift")


def problem_of(text: str, basket: Table, member: Table | None, state: Table) -> dict[str, Any]:
    """Kinds (one a row) and offers of all rules of stage item that hold. Raises UnsureError when it is not one pool of them."""
    programme = programme_of(text)
    if {"group", "price_list", "search", "rounding", "caps"} & set(programme):
        raise UnsureError("tables")
    rows = rows_of(basket, programme)
    world = World(programme, basket, member, state, rows)
    listed = [row.total for row in rows]
    held = [rule for rule in programme.get("rule", ()) if rule.get("stage") is not None and rule_holds(rule, world, listed)]
    if any(rule["stage"] != "item" for rule in held):
        raise UnsureError("stages")
    kinds = [[int(row.price) * SCALE, int(row.price - row.floor) * SCALE, row.units] for row in rows]
    return {"kinds": kinds, "offers": [_offer(rule, world, kinds) for rule in held]}


def _offer(rule: Table, world: World, kinds: list[list[int]]) -> dict[str, Any]:
    (effect,) = [each for each in rule["then"] if each["do"] in MONEY_WORDS]
    times = [effect["max_times"]] if "max_times" in effect else []
    if effect["do"] in ("n_for_m", "bundle", "gift") and (left := uses_left(rule, world)) is not None:
        times.append(left)
    purse = [money(effect["max_amount"])] if "max_amount" in effect else []
    purse += [world.state["budgets"][rule["id"]]] if "budget" in rule else []
    told: dict[str, Any] = {
        "id": rule["id"],
        "priority": rule.get("priority", 0),
        "times": min(times) if times else None,
        "money": min(purse) * SCALE if purse else None,
        "is_whole": effect.get("whole", False),
    }
    return told | _shape(effect, world.rows, kinds)


def _shape(effect: Table, rows: Sequence[Row], kinds: list[list[int]]) -> dict[str, Any]:
    on = _kinds(effect.get("on", {}), rows)
    rate_bp = int(share(effect.get("percent", "100%")) * 10_000)
    match effect["do"]:
        case "n_for_m":
            rooms = [{kinds[i][1] for i in on if kinds[i][0] == price} for price in {kinds[i][0] for i in on}]
            if any(len(each) > 1 for each in rooms) or effect.get("pool") == "basket":
                raise UnsureError("who of equal price is free")
            flags = {"is_dearest": effect.get("which") == "dearest", "is_partial": effect.get("partial_group", True)}
            group = {"form": "group", "kinds": on, "n": effect["n"], "k": effect.get("k", 1), "rate_bp": rate_bp}
            return group | flags | {"is_basket": False}
        case "bundle":
            given = {key: money(effect[key]) * SCALE if key in effect else None for key in ("fixed", "amount")}
            rate = rate_bp if "percent" in effect else None
            return {"form": "set", "slots": _slots(effect["slots"], rows), "rate_bp": rate} | given
        case "gift":
            raise UnsureError("gift")
    if {"max_units", "max_units_per_line"} & set(effect):
        raise UnsureError("max_units")
    values = [[i, min(kinds[i][1], _unit_off(effect, kinds[i][0]))] for i in on]
    return {"form": "each", "values": [pair for pair in values if pair[1] > 0]}


def _unit_off(effect: Table, price: int) -> int:
    if effect["do"] == "percent":
        return int(Fraction(price) * share(effect["percent"]))
    if effect["do"] == "amount_each":
        return money(effect["amount"]) * SCALE
    return max(0, price - money(effect["price"]) * SCALE)


def _kinds(selector: Table, rows: Sequence[Row]) -> list[int]:
    return [i for i, row in enumerate(rows) if fits(selector, row)]


def _slots(wanted: Sequence[Table], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{"kinds": _kinds(each.get("on", {}), rows), "count": each.get("count", 1)} for each in wanted]
