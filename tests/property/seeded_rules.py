"""Rules, groups and tables of a programme by a seed."""

from __future__ import annotations

from itertools import combinations_with_replacement
from random import Random
from typing import Any

from tests.property.seeded_goods import on, selector

Table = dict[str, Any]

RATES = ("1%", "5%", "7.5%", "10%", "12.5%", "33.33%", "50%", "99.99%", "100%")
SUMS = ("0.01", "0.99", "3.33", "10.00", "49.99", "300.00")


def rate(chance: Random) -> str:
    """A share of a price."""
    return chance.choice(RATES) if chance.random() < 0.6 else f"{chance.randrange(1, 100)}%"


def amount(chance: Random) -> str:
    """A sum of money."""
    if chance.random() < 0.6:
        return chance.choice(SUMS)
    return f"{chance.randrange(1, 200)}.{chance.randrange(100):02d}"


def wanted(chance: Random, count: int) -> Table:
    """So many units of some goods."""
    return on(chance) | ({"count": count} if count > 1 or chance.random() < 0.3 else {})


def _limited(chance: Random) -> Table:
    more: Table = {}
    if chance.random() < 0.15:
        more["max_amount"] = amount(chance)
    if chance.random() < 0.15:
        more["max_units"] = chance.choice((1, 2, 3))
        more["which"] = chance.choice(("cheapest", "dearest"))
    if chance.random() < 0.05:
        more["max_units_per_line"] = chance.choice((1, 2))
    return more


def _often(chance: Random) -> Table:
    more: Table = {}
    if chance.random() < 0.25:
        more["max_times"] = chance.choice((1, 2))
    if chance.random() < 0.15:
        more["max_amount"] = amount(chance)
    return more


def unit_effect(chance: Random) -> Table:
    """Money off each of some units."""
    kind = chance.choice(("percent", "percent", "amount_each", "fixed_price"))
    figure = {
        "percent": {"percent": rate(chance)},
        "amount_each": {"amount": amount(chance)},
        "fixed_price": {"price": amount(chance)},
    }
    return {"do": kind} | figure[kind] | on(chance) | _limited(chance)


def group_effect(chance: Random) -> Table:
    """Money off several units together."""
    kind = chance.choice(("n_for_m", "n_for_m", "bundle", "bundle", "gift"))
    if kind == "n_for_m":
        n = chance.choice((2, 2, 3, 3, 4))
        effect: Table = {"do": kind, "n": n} | on(chance)
        if chance.random() < 0.3 and n > 2:
            effect["k"] = chance.randrange(1, n)
        if chance.random() < 0.4:
            effect["percent"] = rate(chance)
        for key, value in (("which", "dearest"), ("spread", "unit"), ("partial_group", False)):
            if chance.random() < 0.25:
                effect[key] = value
        return effect | _often(chance)
    if kind == "bundle":
        slots = [wanted(chance, chance.choice((1, 1, 2))) for _ in range(chance.choice((1, 2, 2, 3)))]
        if len(slots) == 1:
            slots[0]["count"] = chance.choice((2, 3))
        figure = chance.choice(({"fixed": amount(chance)}, {"percent": rate(chance)}, {"amount": amount(chance)}))
        return {"do": kind, "slots": slots} | figure | _often(chance)
    bought, given = chance.choice(
        (({"category": "drinks"}, {"category": "bakery"}), ({"tag": "hot"}, {"category": ["household", "cheese"]}))
    )
    effect = {"do": kind, "buy": [{"on": bought, "count": chance.choice((1, 2))}], "on": given}
    if chance.random() < 0.3:
        effect["percent"] = rate(chance)
    if chance.random() < 0.3:
        effect["choice"] = "dearest"
    return effect | _often(chance)


def order_effect(chance: Random) -> Table:
    """Money off the receipt."""
    kind = chance.choice(("percent", "amount", "ladder"))
    if kind == "percent":
        more = {"max_amount": amount(chance)} if chance.random() < 0.2 else {}
        return {"do": kind, "percent": rate(chance)} | on(chance) | more
    if kind == "amount":
        return {"do": kind, "amount": amount(chance)} | on(chance)
    starts = sorted(
        chance.sample(("0.00", "1.00", "10.00", "50.00", "99.99", "100.00", "300.00"), chance.choice((1, 2, 3))), key=float
    )
    cuts = sorted(chance.sample(range(1, 90), len(starts)))
    in_money = chance.random() < 0.3
    steps = [
        {"from": start} | ({"amount": f"{cut}.50"} if in_money else {"percent": f"{cut}%"})
        for start, cut in zip(starts, cuts, strict=True)
    ]
    more = {"max_base": amount(chance)} if chance.random() < 0.2 and not in_money else {}
    if chance.random() < 0.2:
        more["base"] = "running"
    return {"do": kind, "steps": steps} | on(chance) | more


def condition(chance: Random, stage: str) -> Table:
    """One condition that the documents decide."""
    plain: tuple[Table, ...] = (
        {"is": "basket_amount", "min": amount(chance)} | on(chance),
        {"is": "basket_qty", "min": str(chance.choice((1, 2, 3, 5)))} | on(chance),
        {"is": "basket_qty", "min": "0.5", "measure": "weight"},
        {"is": "contains", "goods": [wanted(chance, 1), wanted(chance, chance.choice((1, 2)))]},
        {"is": "customer", "member": True},
        {"is": "customer", "member": False},
        {"is": "customer", "tier_from": chance.choice(("silver", "gold"))},
        {"is": "customer", "tier": "silver", "segment": ["students", "x"]},
        {"is": "customer", "paid": True},
        {"is": "coupon", "series": chance.choice(("welcome", "old"))},
        {"is": "when", "weekdays": chance.choice((["sat"], ["fri", "sun"])), "from": "12:00", "to": "13:00"},
        {"is": "when", "from": "22:00", "to": chance.choice(("12:30", "12:31"))},
        {"is": "when", "since": "2026-11-21", "until": chance.choice(("2026-11-21", "2026-12-31"))},
        {"is": "store", "store": "S1"},
        {"is": "till", "till": ["T1", "T2"]},
        {"is": "tender", "kind": "cash"},
        {"is": "first_purchase"},
        {"is": "nth_purchase", "n": chance.choice((2, 5))},
        {"is": "nth_purchase", "n": 5, "every": True},
        {"is": "history", "amount": "1000.00"},
        {"is": "birthday", "before": chance.choice((1, 2)), "after": chance.choice((3, 4))},
        {"is": "profile", "key": "shoe", "value": "42"},
        {"is": "uses", "scope": chance.choice(("customer", "programme", "day")), "max": chance.choice((1, 2, 3))},
    )
    found = chance.choice(plain)
    if stage == "order" and found["is"] == "basket_amount" and chance.random() < 0.3:
        found["base"] = "running"
    luck = chance.random()
    if luck < 0.1:
        return {"is": "not", "of": {"is": "store", "store": "S2"}}
    if luck < 0.2:
        return {"is": "any", "of": [found, {"is": "basket_qty", "min": "4"}]}
    return found


def money_rule(chance: Random, name: str, labels: list[str]) -> Table:
    """A rule of one money effect."""
    stage = chance.choice(("item", "item", "item", "customer", "order", "order"))
    effect = order_effect(chance) if stage == "order" else unit_effect(chance)
    if stage == "item" and chance.random() < 0.6:
        effect = group_effect(chance)
    rule: Table = {"id": name, "stage": stage, "priority": chance.choice((0, 0, 1, -1)), "then": [effect]}
    if labels and chance.random() < 0.7:
        rule["group"] = chance.choice(labels)
    if chance.random() < 0.35:
        rule["when"] = [condition(chance, stage) for _ in range(chance.choice((1, 1, 2)))]
    if chance.random() < 0.1:
        rule["limits"] = {chance.choice(("member", "day", "total")): chance.choice((1, 2, 3))}
    if chance.random() < 0.1:
        rule["budget"] = "50.00"
    return rule


def contested_rule(chance: Random, name: str) -> Table:
    """A rule of stage item that nothing stops from acting; now and then one on the whole receipt beside it."""
    if chance.random() < 0.15:
        return {"id": name, "stage": "order", "then": [order_effect(chance)]}
    effect = group_effect(chance) if chance.random() < 0.75 else unit_effect(chance)
    return {"id": name, "stage": "item", "priority": chance.choice((0, 0, 1)), "then": [effect]}


def points_rule(chance: Random, name: str) -> Table:
    """A rule that gives points."""
    figure = chance.choice(({"rate": "5%"}, {"rate": "3.33%"}, {"fixed": "7"}))
    return {"id": name, "then": [{"do": "points"} | figure]}


def rounding_rule(chance: Random, name: str) -> Table:
    """A rule that rounds what is due."""
    effect: Table = {"do": "round_total", "step": chance.choice(("1.00", "0.50", "10.00"))}
    if chance.random() < 0.5:
        effect["tenders"] = chance.choice(("cash", ["cash", "card"]))
    return {"id": name, "stage": "payment", "then": [effect]}


def wild_rule(chance: Random, name: str, labels: list[str]) -> Table:
    """Any rule of the language."""
    rule = money_rule(chance, name, labels)
    for effect in rule["then"]:
        wild_effect(chance, effect)
    if chance.random() < 0.15:
        rule["then"].append(unit_effect(chance) if rule["stage"] != "order" else order_effect(chance))
    if chance.random() < 0.3:
        rule["then"].append(later_effect(chance))
    if chance.random() < 0.2:
        rule = {"id": name, "then": [later_effect(chance)]} | ({"when": rule["when"]} if "when" in rule else {})
    elif chance.random() < 0.1:
        bought = chance.choice(
            ({"on": selector(chance)}, {"amount": amount(chance)}, {"percent": "10%"}, {"privilege": "lounge"})
        )
        due = chance.choice(({"do": "round_total", "step": "1.00"}, {"do": "redeem_for", "points": "10"} | bought))
        rule = {"id": name, "stage": "payment", "then": [due]}
    extra: tuple[Table, ...] = ({"pilot": "50%"}, {"control": "50%"}, {"suggest": True}, {"funded_by": "acme"})
    if chance.random() < 0.1:
        rule |= chance.choice(extra)
    if chance.random() < 0.15:
        more: tuple[Table, ...] = (
            {"is": "counter", "key": "coffee", "n": 3, "on": {"category": "drinks"}},
            {"is": "basket_amount", "max": "300.00", "base": "running"},
            {"is": "history", "visits": 2, "days": 30},
            {"is": "budget"},
        )
        rule["when"] = [*rule.get("when", ()), chance.choice(more)]
    return rule


def wild_effect(chance: Random, effect: Table) -> None:
    """Words that the brute force does not judge, put into an effect."""
    if chance.random() < 0.1 and effect["do"] in ("percent", "amount_each", "fixed_price"):
        effect["on"] = effect.get("on", {}) | chance.choice(
            ({"not_discounted": True}, {"discounted": True}, {"not_restricted": "alcohol"})
        )
    if chance.random() < 0.2 and "max_amount" in effect and effect["do"] in ("percent", "amount_each", "fixed_price"):
        effect["whole"] = True
    if chance.random() < 0.1 and effect["do"] == "n_for_m":
        effect["pool"] = "basket"
        effect.pop("partial_group", None)
    if effect["do"] == "gift" and chance.random() < 0.4:
        effect["on"] = selector(chance)
        effect["qty"] = chance.choice((1, 2))
        effect["choice"] = chance.choice(("cheapest", "dearest", "cashier"))


def later_effect(chance: Random) -> Table:
    """An effect that takes no money off."""
    figure = chance.choice(
        ({"rate": "5%"}, {"multiplier": "1.5"}, {"fixed": "2", "per": "unit"}, {"steps": [{"from": "10.00", "rate": "2%"}]})
    )
    plain: tuple[Table, ...] = (
        {"do": "points"} | figure | on(chance),
        {"do": "points"} | figure | {"delay_days": 1, "lifetime_days": 30},
        {"do": "points", "rate": "50%", "max_points": "3"},
        {"do": "issue_coupon", "series": "paper", "days": 14},
        {"do": "privilege", "name": "lounge", "days": 1},
        {"do": "counter_add", "key": "coffee", "on": {"category": "drinks"}},
        {"do": "tier_progress"},
        {"do": "message", "text": {"ru": "Спасибо", "en": "Thank you"}},
    )
    return dict(chance.choice(plain))


def groups(chance: Random, programme: Table) -> list[str]:
    """Groups and how they bear one another, put into the programme; none in half of the worlds."""
    if chance.random() < 0.5:
        return []
    labels = ["aa", "bb", "cc"][: chance.choice((1, 2, 3))]
    programme["group"] = [{"id": label} for label in labels]
    table: dict[str, Table] = {}
    for one, other in combinations_with_replacement(labels, 2):
        if chance.random() < 0.7:
            table.setdefault(one, {})[other] = chance.choice(("stack", "best_of", "exclusive"))
    if table:
        programme["compatibility"] = table
    return labels


def tables(chance: Random) -> Table:
    """Tiers, coupons, floors, caps, points and how they pay."""
    found: Table = {
        "tier": [{"id": "silver"}, {"id": "gold"}],
        "coupon": [{"id": "welcome", "code": "WELCOME"}, {"id": "old", "code": "OLD", "until": "2026-01-01"}, {"id": "paper"}],
    }
    floors: Table = {}
    if chance.random() < 0.2:
        floors["margin"] = chance.choice(("0%", "10%", "33.33%"))
    if chance.random() < 0.3:
        floors["minimum"] = [{"kind": "vodka", "on": {"category": "alcohol/vodka"}, "price": "409.00", "volume": "0.5"}]
    if chance.random() < 0.1:
        floors["alcohol"] = {"on": {"tag": "alcohol"}, "treat": chance.choice(("priced", "restricted"))}
    if floors:
        found["floors"] = floors
    if chance.random() < 0.1:
        found["caps"] = chance.choice(({"percent": "30%"}, {"amount": "25.00"}, {"percent": "0.01%"}))
    if chance.random() < 0.5:
        found["points"] = {"value": chance.choice(("1.00", "0.50", "0.30", "3.00")), "step": chance.choice(("0.01", "1", "0.25"))}
    if chance.random() < 0.5:
        found["redeem"] = {
            "limit": chance.choice(("30%", "99.99%", "100%")),
            "minimum_money": chance.choice(("0", "1.00", "50.00")),
        }
    if chance.random() < 0.1:
        found["rounding"] = {"overflow": "spread"}
    return found
