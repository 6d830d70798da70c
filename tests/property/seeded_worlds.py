"""Random worlds by a seed: a programme as the text of a file, a basket, a member and a state, as raw tables.

``judged_world`` keeps to small receipts and to what the documents decide; ``wild_world`` uses the whole language.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.values import convert
from tests.property.seeded_goods import basket_of
from tests.property.seeded_rules import contested_rule, groups, money_rule, points_rule, rounding_rule, tables, wild_rule
from tests.worlds import NOW

Table = dict[str, Any]


@dataclass(frozen=True)
class World:
    """One question to the engine, as people would write it."""

    programme: Table
    basket: Table
    member: Table | None
    state: Table

    @property
    def text(self) -> str:
        """The programme's file."""
        return toml(self.programme)

    @property
    def told(self) -> str:
        """All of it, to be run again by hand."""
        parts = [("basket", self.basket), ("member", self.member), ("state", self.state)]
        return self.text + "".join(f"# {name} = {json.dumps(part, ensure_ascii=False)}\n" for name, part in parts)


def ask(world: World) -> Quote:
    """The engine's answer. Raises LoyaltyError."""
    member = None if world.member is None else convert(world.member, Member)
    programme = load_programme(world.text.encode())
    return quote(convert(world.basket, Basket), member, programme, convert(world.state, State), NOW)


def effort(*, few: int, some: int, many: int) -> int:
    """How many worlds to try: ``few`` for the mutants (LAWS=judge), ``many`` in the long form (LAWS=long)."""
    return {"judge": few, "long": many}.get(os.environ.get("LAWS", ""), some)


NEEDED = {"line_id", "sku", "quantity", "price_minor"}
HEAD: Table = {"format": 1, "id": "trial", "version": 3, "currency": "RUB", "timezone": "Europe/Moscow"}


def judged_world(seed: int) -> World:
    """A receipt of at most eight units under a few rules that the brute force can judge."""
    chance = Random(f"judged {seed}")
    programme = HEAD | tables(chance)
    labels = groups(chance, programme)
    count = chance.choice((1, 2, 2, 3, 3, 4, 5))
    rules = [money_rule(chance, f"r{number}", labels) for number in range(count)]
    if seed % 3 == 0:  # offers that fight for the same units
        rules = [contested_rule(chance, f"r{number}") for number in range(chance.choice((2, 3, 4, 5)))]
    later = [points_rule(chance, "p0")] if chance.random() < 0.4 else []
    later += [rounding_rule(chance, "z0")] if chance.random() < 0.15 else []
    programme["rule"] = rules + later
    return World(programme, basket_of(chance, units=8), member_of(chance), state_of(chance, rules))


def contested_world(seed: int) -> World:
    """A larger receipt of ten to twenty-four units, and offers for goods that fight for them."""
    chance = Random(f"contested {seed}")
    rules = [contested_rule(chance, f"r{number}") for number in range(chance.choice((2, 4, 6, 9)))]
    rules = [rule for rule in rules if rule["stage"] == "item" and rule["then"][0]["do"] != "gift"]
    basket = basket_of(chance, units=chance.choice((10, 14, 18, 24)))
    return World(HEAD | {"rule": rules}, basket, None, {})


def wild_world(seed: int) -> World:
    """Anything that the language can say, over a receipt of up to eight lines."""
    chance = Random(f"wild {seed}")
    programme = HEAD | tables(chance) | wild_tables(chance)
    labels = groups(chance, programme)
    count = chance.choice((0, 1, 2, 3, 4, 5, 6, 8))
    rules = [wild_rule(chance, f"r{number}", labels) for number in range(count)]
    programme["rule"] = rules
    basket = basket_of(chance, units=chance.choice((1, 4, 10, 25)))
    for line in basket["lines"]:
        if chance.random() < 0.1:
            line["prior_off_minor"] = chance.choice((1, 7, 500, line["price_minor"]))
    basket["choices"] = {
        rule["id"]: chance.choice(basket["lines"])["line_id"] for rule in rules if basket["lines"] and chance.random() < 0.3
    }
    return World(programme, basket, member_of(chance), state_of(chance, rules))


def member_of(chance: Random) -> Table | None:
    """Nobody, or a member of whom more or less is known."""
    if chance.random() < 0.25:
        return None
    member: Table = {"member_id": f"M{chance.randrange(50)}"}
    known: Mapping[str, Any] = {
        "tier": chance.choice(("silver", "gold")),
        "segments": chance.choice(([], ["students"], ["students", "parents"])),
        "birthday": chance.choice(("11-21", "11-23", "11-17", "05-09")),
        "sales": {"count": chance.choice((0, 1, 4)), "spent_minor": chance.choice((0, 99_999, 100_000, 750_000))},
        "staff": chance.random() < 0.3,
        "paid_until": chance.choice(("2026-11-21T09:30:05Z", "2026-11-21T09:30:06Z", "2027-01-01T00:00:00Z")),
        "profile": {"shoe": chance.choice(("41", "42"))},
        "lots": [
            {
                "lot_id": f"lot-{n}",
                "centi": chance.choice((1, 333, 5_000, 100_000)),
                "usable_from": chance.choice((None, "2026-11-20T21:00:00Z", "2026-11-22T21:00:00Z")),
                "expires_at": chance.choice((None, "2026-11-21T09:30:05Z", "2026-11-30T21:00:00Z", "2027-01-31T21:00:00Z")),
            }
            for n in range(chance.randrange(4))
        ],
        "owed_centi": chance.choice((0, 0, 500)),
        "redeemable_centi": chance.choice((None, None, 0, 777)),
        "counters": {"coffee": chance.randrange(7)},
        "days": [
            {"day": "2026-11-20", "net_minor": 50_000, "visits": 2},
            {"day": "2026-11-21", "net_minor": 100, "visits": 1, "earned_centi": 300, "redeemed_centi": 100},
        ],
    }
    member |= {key: value for key, value in known.items() if chance.random() < 0.7}
    return {key: value for key, value in member.items() if value is not None}


def state_of(chance: Random, rules: list[Table]) -> Table:
    """Uses and budgets, now and then not known at all."""
    state: Table = {"budgets": {rule["id"]: chance.choice((0, 1, 999, 5_000)) for rule in rules if chance.random() < 0.8}}
    if chance.random() < 0.8:
        state["uses"] = {
            rule["id"]: {scope: chance.randrange(4) for scope in ("total", "member", "today")}
            for rule in rules
            if chance.random() < 0.7
        }
    return state


def wild_tables(chance: Random) -> Table:
    """Tables that only the laws judge."""
    wild: Table = {}
    if chance.random() < 0.2:
        wild["rounding"] = {
            "discount": chance.choice(("half_up", "down")),
            "after": chance.choice(("chain", "stage")),
            "overflow": chance.choice(("stop", "spread")),
        }
    if chance.random() < 0.2:
        wild["search"] = {"mode": chance.choice(("best_for_customer", "priority")), "nodes": chance.choice((0, 7, 2_000))}
    if chance.random() < 0.2:
        rows = ["sku,store,since,until,price,member_price", "s0,,,,7.77,5.55", "s2,S1,2026-11-01,2026-11-30,,1.00"]
        wild["price_list"] = [{"id": "tags", "rows": "\n".join(rows) + "\n"}]
    if chance.random() < 0.2:
        wild["hints"] = {"most": chance.choice((0, 1, 3)), "worth": chance.choice(("0%", "30%"))}
    if chance.random() < 0.1:
        wild["plan"] = [{"id": "club", "sku": "s4", "days": 365, "at_once": chance.random() < 0.5}]
    if chance.random() < 0.1:
        wild["pilot"] = {"share": chance.choice(("1%", "50%", "100%"))}
    return wild


def smaller(world: World, is_bad: Callable[[World], bool]) -> World:
    """The world less all that can go while it stays bad; for people who have to understand it."""
    again = True
    while again:
        again = False
        for candidate in _less(world):
            if is_bad(candidate):
                world, again = candidate, True
                break
    return world


def _less(world: World) -> list[World]:
    found = []
    programme, basket = world.programme, world.basket
    for key in ("rule", "group", "coupon", "tier", "price_list", "plan"):
        for i in range(len(programme.get(key, ()))):
            kept = [each for j, each in enumerate(programme[key]) if j != i]
            found.append(
                replace(
                    world,
                    programme={k: v for k, v in programme.items() if k != key} | ({key: kept} if kept or key == "rule" else {}),
                )
            )
    for key in set(programme) - set(HEAD) - {"rule"}:
        found.append(replace(world, programme={k: v for k, v in programme.items() if k != key}))
    for key in ("floors", "caps", "points", "redeem"):
        for inner in programme.get(key, {}):
            less = {k: v for k, v in programme[key].items() if k != inner}
            found.append(replace(world, programme=programme | {key: less}))
    for i, rule in enumerate(programme.get("rule", ())):
        variants = [{k: v for k, v in rule.items() if k != key} for key in set(rule) - {"id", "then"}]
        for j, effect in enumerate(rule["then"]):
            less_effects = [{k: v for k, v in effect.items() if k != key} for key in set(effect) - {"do"}]
            variants += [rule | {"then": [*rule["then"][:j], less, *rule["then"][j + 1 :]]} for less in less_effects]
            variants += [rule | {"then": [*rule["then"][:j], *rule["then"][j + 1 :]]}] if len(rule["then"]) > 1 else []
        rules = programme["rule"]
        found += [replace(world, programme=programme | {"rule": [*rules[:i], each, *rules[i + 1 :]]}) for each in variants]
    lines = basket["lines"]
    for i, line in enumerate(lines):
        manual = [each for each in basket.get("manual", ()) if each["line_id"] != line["line_id"]]
        found.append(replace(world, basket=basket | {"lines": [*lines[:i], *lines[i + 1 :]], "manual": manual}))
        for key in set(line) - NEEDED:  # goods stay alike
            alike = [{k: v for k, v in each.items() if k != key or each["sku"] != line["sku"]} for each in lines]
            found.append(replace(world, basket=basket | {"lines": alike}))
        less_lines = []
        if line["quantity"] != "1" and line.get("measure") != "weight":
            less_lines.append(line | {"quantity": "1"})
        found += [replace(world, basket=basket | {"lines": [*lines[:i], less, *lines[i + 1 :]]}) for less in less_lines]
    for key in ("manual", "coupons", "redeem", "tenders", "choices"):
        if basket.get(key):
            found.append(replace(world, basket={k: v for k, v in basket.items() if k != key}))
    if world.member is not None:
        found.append(replace(world, member=None))
        less_members = [{k: v for k, v in world.member.items() if k != key} for key in set(world.member) - {"member_id"}]
        found += [replace(world, member=less) for less in less_members]
    return [*found, replace(world, state={})] if world.state else found


def toml(programme: Mapping[str, Any]) -> str:
    """A programme file in the form that people write."""
    text = "".join(f"{key} = {_inline(value)}\n" for key, value in programme.items() if not isinstance(value, dict | list))
    for key, value in programme.items():
        if key == "compatibility":
            text += "".join(f"[compatibility.{name}]\n{_fields(row)}" for name, row in value.items())
        elif isinstance(value, dict):
            text += f"[{key}]\n{_fields(value)}"
        elif isinstance(value, list):
            text += "".join(f"[[{key}]]\n{_fields(each)}" for each in value)
    return text


def _fields(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_inline(value)}\n" for key, value in table.items())


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_inline(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
