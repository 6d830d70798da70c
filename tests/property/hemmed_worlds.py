"""Worlds in which everything is in everything's way: floors under most lines, groups that stack, compete and exclude, offers for
the whole receipt one after another, budgets, limits, caps and the cashier's hand."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise
from random import Random

from tests.property.seeded_goods import Table, basket_of
from tests.property.seeded_rules import amount, group_effect, order_effect, rate, unit_effect
from tests.property.seeded_worlds import HEAD, World, member_of

LABELS = ("a", "b", "c", "d")
CROWD = tuple(f"g{number:02}" for number in range(24))
CHAIN = 12


def hemmed_world(seed: int) -> World:
    """Four to twelve rules over up to sixteen units; every twentieth world has more choices than may be tried."""
    chance = Random(f"hemmed {seed}")
    basket = basket_of(chance, units=chance.choice((4, 9, 16)))
    for line in basket["lines"]:
        if chance.random() < 0.6:
            line["floor_minor"] = line["price_minor"] * chance.choice((3, 5, 8, 9)) // 10
    basket["manual"] = [
        {"line_id": line["line_id"], "off_minor": chance.choice((1, 77, 4_000)), "role": "cashier"}
        for line in basket["lines"]
        if chance.random() < 0.25
    ]
    programme: Table = dict(HEAD)
    if chance.random() < 0.5:
        programme["caps"] = {"percent": chance.choice(("20%", "35%", "60%"))}
    if chance.random() < 0.3:
        programme["rounding"] = {"overflow": "spread", "after": chance.choice(("chain", "stage"))}
    if chance.random() < 0.2:
        programme["search"] = {"mode": chance.choice(("priority", "best_for_customer")), "nodes": chance.choice((0, 9, 200))}
    labels = CROWD if seed % 20 == 0 else LABELS
    programme["group"] = [{"id": label} | ({"force": True} if chance.random() < 0.05 else {}) for label in labels]
    if labels is CROWD:  # two chains of groups of which each excludes the next: some 400 choices
        pairs = [pair for pair in pairwise(CROWD) if pair[1] != CROWD[CHAIN]]
        programme["compatibility"] = {one: {other: "exclusive"} for one, other in pairs}
        rules = [_rule(chance, number, label) for number, label in enumerate(CROWD)]
    else:
        programme["compatibility"] = _relations(chance)
        rules = [_rule(chance, number, chance.choice(LABELS)) for number in range(chance.choice((4, 6, 9, 12)))]
    programme["rule"] = rules
    budgets = {rule["id"]: chance.choice((0, 99, 2_500, 90_000)) for rule in rules if "budget" in rule}
    return World(programme, basket, member_of(chance), {"budgets": budgets, "uses": {}})


def _relations(chance: Random) -> Table:
    """One usual relation in a programme, and now and then two groups that exclude one another."""
    usual = chance.choice(("stack", "best_of"))
    table: Table = {}
    for one, other in combinations_with_replacement(LABELS, 2):
        excludes = one != other and chance.random() < 0.25
        table.setdefault(one, {})[other] = "exclusive" if excludes else usual
    return table


def _rule(chance: Random, number: int, label: str) -> Table:
    stage = chance.choice(("item", "customer", "order", "order"))
    rule: Table = {"id": f"h{number:02}", "stage": stage, "priority": chance.choice((0, 0, 1, 5))}
    if label:
        rule["group"] = label
    if stage == "order":
        effects = [order_effect(chance)]
        if chance.random() < 0.3:
            effects.append({"do": "percent", "percent": rate(chance), "max_amount": amount(chance)})
    elif stage == "customer" or chance.random() < 0.5:
        effects = [unit_effect(chance)]
    else:
        effects = [group_effect(chance)]
    rule["then"] = effects
    if chance.random() < 0.2:
        rule["budget"] = "900.00"
    if chance.random() < 0.2:
        rule["when"] = [{"is": "basket_amount", "min": amount(chance), "base": chance.choice(("list", "running"))}]
    if stage != "item" and chance.random() < 0.25:
        effects[0].setdefault("on", {})[chance.choice(("not_discounted", "discounted"))] = True
    return rule
