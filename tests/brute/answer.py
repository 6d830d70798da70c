"""What a basket costs by the documents: every scenario, every best way of every pool, floors, the hand, caps and points.

Where documents say that several answers are as good as one another, all of them are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import combinations
from math import floor

from tests.brute.conditions import World, rule_holds, uses_left
from tests.brute.figures import Row, Table, UnsureError, fits, half_up, money, programme_of, rows_of, share, shares_of
from tests.brute.packing import Claim, Unit, best_ways, claims_of, laid_on_units, lays_sums

MONEY_STAGES = ("item", "customer", "order")
MIXED_MAX = 300


@dataclass(frozen=True)
class End:
    """What one scenario can come to: the money of each row before points."""

    nets: tuple[int, ...]
    slack: int
    """So many kopecks of the total the documents leave open."""
    is_open: bool
    """Whether they leave open which row bears what."""


@dataclass(frozen=True)
class Verdict:
    """All totals that the documents allow, lowest scenario first; with one End every row is known."""

    rows: tuple[Row, ...]
    lowest: int
    highest: int
    ends: tuple[End, ...]
    value: Fraction | None
    """What comes off units, exactly, when there is one scenario and one pool."""
    world: World


def verdict(text: str, basket: Table, member: Table | None, state: Table) -> Verdict:
    """Judge a world. Raises UnsureError where the documents do not decide."""
    programme = programme_of(text)
    if programme.get("search", {}).get("mode", "best_for_customer") != "best_for_customer" or "price_list" in programme:
        raise UnsureError("tables")
    if set(programme.get("rounding", {})) & {"after", "discount"}:
        raise UnsureError("rounding")
    rows = rows_of(basket, programme)
    world = World(programme, basket, member, state, rows)
    by_scenario = [_run(scenario, world) for scenario in scenarios(world)]
    totals = [
        (min(sum(end.nets) - end.slack for end in ends), max(sum(end.nets) + end.slack for end in ends))
        for ends, _ in by_scenario
    ]
    lowest, highest = min(low for low, _ in totals), min(high for _, high in totals)
    near = [end for ends, _ in by_scenario for end in ends if sum(end.nets) - end.slack <= highest]
    value = by_scenario[0][1] if len(by_scenario) == 1 else None
    return Verdict(tuple(rows), lowest, highest, tuple(near), value, world)


def relation(one: Table, other: Table, programme: Table) -> str:
    """stack, best_of or exclusive."""
    inside = "best_of" if one["stage"] == other["stage"] else "stack"
    table = programme.get("compatibility", {})
    a, b = one.get("group"), other.get("group")
    if a is None or b is None:
        return inside
    return str(table.get(a, {}).get(b) or table.get(b, {}).get(a) or inside)


def scenarios(world: World) -> list[list[Table]]:
    """The largest sets of rules that may be on one receipt."""
    programme = world.programme
    if any(group.get("force") for group in programme.get("group", ())):
        raise UnsureError("force")
    listed = [row.total for row in world.rows]
    rules = [
        rule
        for rule in programme.get("rule", ())
        if rule.get("stage") in MONEY_STAGES and (_looks_at_running(rule) or rule_holds(rule, world, listed))
    ]
    rivals = {
        (i, j)
        for i, j in combinations(range(len(rules)), 2)
        if _are_rivals(rules[i], rules[j], relation(rules[i], rules[j], programme))
    }
    if len(rules) > 12:
        raise UnsureError("many rules")
    free = [
        chosen
        for size in range(len(rules), -1, -1)
        for chosen in combinations(range(len(rules)), size)
        if not any(pair in rivals for pair in combinations(chosen, 2))
    ]
    largest = [chosen for chosen in free if not any(set(chosen) < set(other) for other in free)]
    return [[rules[i] for i in chosen] for chosen in largest]


def _are_rivals(one: Table, other: Table, relation: str) -> bool:
    return relation == "exclusive" or (relation == "best_of" and "order" in (one["stage"], other["stage"]))


def _looks_at_running(rule: Table) -> bool:
    if '"base": "running"' in str(rule).replace("'", '"'):
        if rule["stage"] != "order":
            raise UnsureError("running")
        return True
    return False


def _run(scenario: Sequence[Table], world: World) -> tuple[list[End], Fraction | None]:
    rows = world.rows
    units = [Unit(number, row.price, row.floor) for number, row in enumerate(rows) for _ in range(row.units)]
    states: dict[tuple[Unit, ...], tuple[int, bool]] = {tuple(sorted(units)): (0, False)}
    value = Fraction(0)
    pools = _pools(scenario, world.programme)
    is_order = any(rule["stage"] == "order" for rule in scenario) or bool(world.basket.get("manual"))
    for number, pool in enumerate(pools):
        later: dict[tuple[Unit, ...], tuple[int, bool]] = {}
        for before, (slack, is_open) in states.items():
            if number and any("max_units" in str(rule) for rule in pool):
                raise UnsureError("picked from what is left")
            limits = {rule["id"]: _limits(rule, world) for rule in pool}
            if number:
                before = leveled(before, rows, claims_of(pool, before, rows, limits))
            claims = claims_of(pool, before, rows, limits)
            value, ways = best_ways(claims, before)
            for way in ways:
                after, doubt = laid_on_units(way, claims, before)
                is_followed = is_order or number + 1 < len(pools)
                if doubt == "cut" and is_followed:
                    raise UnsureError("who bears a cut")
                more = len(rows) if doubt and (is_followed or doubt != "kopecks") else 0
                key = tuple(sorted(after))
                known = later.get(key, (0, False))
                later[key] = (max(known[0], slack + more), known[1] or is_open or doubt != "")
        states = later
        if len(states) > MIXED_MAX:
            raise UnsureError("too many ties")
    ends = set()
    for left, (slack, is_open) in states.items():
        nets = [half_up_net(row, [unit.price for unit in left if unit.row == i]) for i, row in enumerate(rows)]
        ends.add(End(tuple(_after_order(nets, scenario, world)), slack, is_open))
    return sorted(ends, key=lambda end: (sum(end.nets), end.nets, end.slack)), value if len(pools) < 2 else None


def leveled(units: Sequence[Unit], rows: Sequence[Row], claims: Sequence[Claim]) -> tuple[Unit, ...]:
    """The units before a pool: whole kopecks when a rule of it lays a sum, those with the largest parts of a kopeck up."""
    if all(unit.price.denominator == 1 for unit in units) or not any(lays_sums(claim, units) for claim in claims):
        return tuple(units)
    after: list[Unit] = []
    for number, row in enumerate(rows):
        mine = sorted(
            (unit for unit in units if unit.row == number), key=lambda unit: (floor(unit.price) - unit.price, unit.price)
        )
        missing = half_up_net(row, [unit.price for unit in mine]) - sum(floor(unit.price) for unit in mine)
        last, first = mine[missing - 1 : missing], mine[missing : missing + 1]
        if last and first and last[0].price != first[0].price and (last[0].price - first[0].price).denominator == 1:
            raise UnsureError("which unit goes up")
        after += [Unit(number, Fraction(floor(unit.price) + (i < missing)), unit.floor) for i, unit in enumerate(mine)]
    return tuple(sorted(after))


def half_up_net(row: Row, prices: Sequence[Fraction]) -> int:
    """What a row costs when the chain of its percentages is rounded once: the discount goes up from a half."""
    return int(row.total) - half_up(row.total - sum(prices, Fraction(0)))


def _pools(scenario: Sequence[Table], programme: Table) -> list[list[Table]]:
    """Classes of best_of, each by its highest priority and smallest id; item before customer."""
    rules = [rule for rule in scenario if rule["stage"] in ("item", "customer")]
    classes: list[list[Table]] = []
    for rule in rules:
        mine = [each for each in classes if any(relation(rule, other, programme) == "best_of" for other in each)]
        classes = [each for each in classes if each not in mine] + [[rule, *(other for each in mine for other in each)]]
    if any(len({rule["stage"] for rule in each}) > 1 for each in classes):
        for each in classes:
            each.sort(key=lambda rule: rule["stage"] != "item")

    def order(each: Sequence[Table]) -> tuple[int, int, str]:
        stage = 0 if any(rule["stage"] == "item" for rule in each) else 1
        return stage, -max(rule.get("priority", 0) for rule in each), min(rule["id"] for rule in each)

    return sorted(classes, key=order)


def _limits(rule: Table, world: World) -> dict[str, object]:
    purse = world.state.get("budgets", {}).get(rule["id"]) if "budget" in rule else None
    return {"times": uses_left(rule, world), "money": purse}


def _after_order(nets: list[int], scenario: Sequence[Table], world: World) -> list[int]:
    rows = world.rows
    start = [Fraction(net) for net in nets]
    acting = [rule for rule in scenario if rule["stage"] == "order"]
    acting.sort(key=cmp_to_key(lambda a, b: -1 if (-a.get("priority", 0), a["id"]) < (-b.get("priority", 0), b["id"]) else 1))
    for rule in acting:
        if _looks_at_running(rule) and not rule_holds(rule, world, start):
            continue
        purse = world.state.get("budgets", {}).get(rule["id"], 0) if "budget" in rule else None
        for effect in rule["then"]:
            if effect["do"] in ("percent", "amount", "ladder"):
                parts = _order_off(effect, nets, start, world, purse)
                purse = None if purse is None else purse - sum(parts)
                nets = [net - part for net, part in zip(nets, parts, strict=True)]
    for by_hand in world.basket.get("manual", ()):
        if "manual" in world.programme.get("caps", {}):
            raise UnsureError("roles")
        (i,) = [i for i, row in enumerate(rows) if by_hand["line_id"] in row.line_ids]
        if len(rows[i].line_ids) > 1:
            raise UnsureError("the hand on one of merged lines")
        if not rows[i].is_outlawed:
            nets[i] -= min(by_hand["off_minor"], max(0, nets[i] - _lowest(rows[i])))
    return _capped(nets, world)


def _lowest(row: Row) -> int:
    return int(row.floor * row.units)


def _order_off(effect: Table, nets: Sequence[int], start: Sequence[Fraction], world: World, purse: int | None) -> list[int]:
    rows = world.rows
    if set(effect) & {"max_units", "max_units_per_line", "whole"}:
        raise UnsureError("units of the receipt")
    mine = [fits(effect.get("on", {}), row) for row in rows]
    room = [max(0, net - _lowest(row)) if on else 0 for net, row, on in zip(nets, rows, mine, strict=True)]
    base = Fraction(sum(net for net, on in zip(nets, mine, strict=True) if on))
    rate, wish = share(effect["percent"]) if "percent" in effect else None, effect.get("amount")
    if effect["do"] == "ladder":
        if effect.get("by", "basket") != "basket":
            raise UnsureError("ladder")
        counted = start if effect.get("base") == "running" else [row.total for row in rows]
        reached = sum((each for each, on in zip(counted, mine, strict=True) if on), Fraction(0))
        steps = [step for step in effect["steps"] if money(step["from"]) <= reached]
        if not steps:
            return [0] * len(rows)
        step = max(steps, key=lambda step: money(step["from"]))
        rate, wish = share(step["percent"]) if "percent" in step else None, step.get("amount")
        if rate is not None and "max_base" in effect and base:
            rate *= min(Fraction(1), money(effect["max_base"]) / base)
    if rate is None:
        total, weights = money(str(wish)), [Fraction(net) if on else Fraction(0) for net, on in zip(nets, mine, strict=True)]
    else:
        weights = [rate * net if on else Fraction(0) for net, on in zip(nets, mine, strict=True)]
        if world.programme.get("rounding", {}).get("overflow") != "spread":
            weights = [min(weight, Fraction(each)) for weight, each in zip(weights, room, strict=True)]
        total = half_up(sum(weights, Fraction(0)))
    most = [total] + ([money(effect["max_amount"])] if "max_amount" in effect else []) + ([purse] if purse is not None else [])
    return shares_of(min(most), weights, room)


def _capped(nets: list[int], world: World) -> list[int]:
    caps = world.programme.get("caps", {})
    if not set(caps) & {"percent", "amount"}:
        return nets
    if any(row.is_outlawed for row in world.rows):
        raise UnsureError("cap over restricted goods")
    listed = [int(row.total) for row in world.rows]
    most = [int(share(caps["percent"]) * sum(listed))] if "percent" in caps else []
    most += [money(caps["amount"])] if "amount" in caps else []
    over = sum(listed) - sum(nets) - min(most)
    if over <= 0:
        return nets
    if len(nets) > 1:
        return [sum(listed) - min(most)] + [0] * (len(nets) - 1)
    return [nets[0] + over]
