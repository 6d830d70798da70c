"""Laws about two questions: what must come out the same, or not worse, when a world changes a little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from msgspec.structs import replace as with_fields

from pos_loyalty.values import encode
from tests.property.quote_laws import off_by_rule
from tests.property.seeded_goods import GOODS, PRICES
from tests.property.seeded_worlds import Table, World, ask


def shuffled(world: World, seed: int) -> Iterator[str]:
    """Byte for byte the same for any order of lines, rules, groups, coupons, lots and tables of the file."""
    chance = Random(seed)

    def mixed(values: list[Table]) -> list[Table]:
        return chance.sample(values, len(values))

    basket = world.basket | {"lines": mixed(world.basket["lines"])}
    if "coupons" in basket:
        basket["coupons"] = mixed(basket["coupons"])
    member = world.member
    if member is not None and "lots" in member:
        member = member | {"lots": mixed(member["lots"])}
    programme = {key: mixed(value) if key in ("rule", "group", "coupon") else value for key, value in world.programme.items()}
    one, other = ask(world), ask(World(programme, basket, member, world.state))
    data, again = (encode(with_fields(each, programme="")) for each in (one, other))
    if data != again:
        was, now = json.loads(data), json.loads(again)
        yield "other bytes in " + ", ".join(sorted(key for key in was if was[key] != now[key]))
    if encode(ask(world)) != encode(one):
        yield "another answer to the same question"


def split(world: World, seed: int) -> Iterator[str]:
    """A piece line as two lines costs the same, by every rule."""
    chance = Random(seed)
    lines = [line for line in world.basket["lines"] if line.get("measure") != "weight"]
    places = [i for i, line in enumerate(lines) if int(line["quantity"]) > 1]
    if not places or "price_list" in world.programme:
        return
    i = chance.choice(places)
    count = int(lines[i]["quantity"])
    first = chance.randrange(1, count)
    parts = [lines[i] | {"quantity": str(first)}, lines[i] | {"quantity": str(count - first), "line_id": "zz"}]
    basket = {key: value for key, value in world.basket.items() if key not in ("manual", "choices")}
    whole = ask(replace(world, basket=basket | {"lines": lines}))
    in_two = ask(replace(world, basket=basket | {"lines": [*lines[:i], *parts, *lines[i + 1 :]]}))
    if (whole.total_minor, whole.due_minor) != (in_two.total_minor, in_two.due_minor):
        yield f"total: {whole.total_minor} and {in_two.total_minor}"
    if off_by_rule(whole) != off_by_rule(in_two):
        yield f"rules: {off_by_rule(whole)} and {off_by_rule(in_two)}"
    if (whole.accruals, whole.redemption, whole.refusals) != (in_two.accruals, in_two.redemption, in_two.refusals):
        yield "points or refusals"


def fewer_kopecks(world: World, seed: int) -> Iterator[str]:
    """One more unit never raises the total by more than its price, and a kopeck a line for rounding.

    It does not hold, and is not asked, where conditions want less or look at running sums, where units are picked over the
    receipt (gifts, ``max_units``), where the total is rounded, and where later shares differ by unit: so rules of one stage, or
    whole-receipt shares after the items of goods without floors.
    """
    rules = [rule for rule in world.programme["rule"] if _only_grows(rule)]
    stages = {rule.get("stage") for rule in rules} - {None}
    basket = {key: value for key, value in world.basket.items() if key not in ("manual", "redeem")}
    programme = {key: value for key, value in world.programme.items() if key not in ("caps", "compatibility", "group")}
    rules = [{key: value for key, value in rule.items() if key != "group"} for rule in rules]
    if len(stages) > 1:
        rules = [rule for rule in rules if rule.get("stage") == "item" or _is_for_all(rule)]
        basket["lines"] = [{k: v for k, v in line.items() if k != "floor_minor"} for line in basket["lines"]]
        programme.pop("floors", None)
    chance = Random(seed)
    sku = chance.choice([each for each in GOODS if each not in ("s5", "s6", "s7")])
    price = next((line["price_minor"] for line in basket["lines"] if line["sku"] == sku), chance.choice(PRICES))
    added = {"line_id": "zz", "sku": sku, "quantity": "1", "price_minor": price} | GOODS[sku]
    pieces = [line for line in basket["lines"] if line.get("measure") != "weight"]
    before, after = (
        ask(replace(world, programme=programme | {"rule": rules}, basket=basket | {"lines": lines}))
        for lines in (pieces, [*pieces, added])
    )
    if before.proof.proven and after.proof.proven:
        slack = sum(1 for each in (*before.lines, *after.lines) if each.adjustments)
        if after.total_minor > before.total_minor + price + slack:
            yield f"dearer: {before.total_minor} + {price} became {after.total_minor}"


def _only_grows(rule: Table) -> bool:
    text = json.dumps(rule)
    words = ('"max":', '"not"', '"running"', '"gift"', '"max_units', '"basket"', '"member": false', '"whole"', '"round_total"')
    return not any(word in text for word in words)


def _is_for_all(rule: Table) -> bool:
    effects = [effect for effect in rule["then"] if effect["do"] != "points"]
    share = ("percent", "ladder") if rule.get("stage") == "order" else ("percent",)
    return all(effect["do"] in share and not {"on", "max_amount"} & set(effect) for effect in effects)


def everything_off(world: World, seed: int) -> Iterator[str]:
    """100 % leaves exactly nothing where no floor and no law stands against it."""
    stage = ("item", "customer", "order")[seed % 3]
    rule = {"id": "all", "stage": stage, "then": [{"do": "percent", "percent": "100%"}]}
    lines = [
        {k: v for k, v in line.items() if k != "floor_minor"} for line in world.basket["lines"] if line["sku"] not in ("s6", "s7")
    ]
    programme = {
        key: value
        for key, value in world.programme.items()
        if key not in ("floors", "caps", "group", "compatibility", "pilot", "search")
    }
    rules = [rule, *({k: v for k, v in each.items() if k != "group"} for each in world.programme["rule"])]
    answer = ask(replace(world, programme=programme | {"rule": rules}, basket=world.basket | {"lines": lines}))
    if (answer.total_minor, answer.due_minor) != (0, 0):
        yield f"left: {answer.total_minor}"


def under_control(world: World, _seed: int) -> Iterator[str]:
    """A member of the control group gets nothing of a rule, and the quote says so for every rule that would have come up."""
    rules = [rule | {"control": "99.99%"} for rule in world.programme["rule"]]
    answer = ask(replace(world, programme=world.programme | {"rule": rules}, member=world.member or {"member_id": "M"}))
    if answer.applied or set(off_by_rule(answer)) - {"manual", "fiscal"}:
        yield f"applied: {answer.applied}"
    others = [each for each in answer.refusals if each.rule not in ("redeem", "coupon", "manual")]
    if any(each.condition not in ("control", "restricted") for each in others):  # restricted goods come before any group
        yield "refused: " + str([each for each in others if each.condition != "control"])
