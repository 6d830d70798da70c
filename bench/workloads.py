"""A catalogue, baskets and rules from one seed, for the engine's benches and its peers; the rules as a programme of ours.

Kinds, mixes and distributions are those of the shared workload files; ``Source(folder)`` reads such files instead of drawing.
Money is whole minor units, rates are basis points.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from pos_loyalty.engine.model import Basket, Line, Member
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Thousandths

SEED = 20261121
GOODS, CATEGORIES, BRANDS, TIERS, GROUPS = 2_000, 40, 100, 4, 6
POPULARITY, POPULARITY_FROM = 0.8, 5
PRICE_MU, PRICE_SIGMA, PRICE_MIN = 9.578, 0.819, 999
ZONE = "Europe/Moscow"
VAT_BP = 2_200

KINDS = ("pct", "pct", "multibuy", "abs", "nthfree", "pct_brand", "pct_sku", "bundle", "threshold", "points")
PERCENTS = ("pct", "pct_brand", "pct_sku")
MULTIBUYS = ("multibuy", "nthfree", "bundle", "abs")
LINE_AND_BASKET = (*PERCENTS, "points", "threshold")

Meaning = Literal["best", "groups", "packed"]
"""How the rules become a programme.

``best``: multi-buys in stage item, of line percentages the best on each line in stage customer. ``groups``: the same, but
percentages of the six stacking groups act one after another, the best of each group. ``packed``: percentages and multi-buys
compete in stage item for the same units: the hardest.
"""
MEANINGS: tuple[Meaning, ...] = ("best", "groups", "packed")
NO_HINTS = "[hints]\nmost = 0\n"
"""Hints ask the engine again, once for each thing that might be added."""


class Item(msgspec.Struct, frozen=True):
    """One row of the catalogue."""

    sku: str
    cat: str
    brand: str
    price: int


class GivenLine(msgspec.Struct, frozen=True):
    """One line of a given basket; ``qty`` in pieces."""

    line: int
    sku: str
    cat: str
    brand: str
    qty: int
    price: int


class GivenBasket(msgspec.Struct, frozen=True):
    """A basket as the workload files write it; ``ts`` is local time without a zone."""

    id: str
    store: int
    ts: str
    member: int
    tier: int
    lines: tuple[GivenLine, ...]


class GivenRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule as the workload files write it. Any selector matches; none means the whole basket."""

    id: int
    kind: str
    group: int
    priority: int
    tier: int
    skus: tuple[str, ...] = ()
    cats: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    bp: int = 0
    n: int = 0
    fixed: int = 0
    min_qty: int = 0
    off: int = 0
    min_amount: int = 0


@dataclass(frozen=True)
class Source:
    """Where workloads come from: drawn by the seed, or read from a folder of the shared workload files."""

    folder: Path | None = None

    def catalogue(self) -> tuple[Item, ...]:
        """Two thousand goods; prices are log-normal and end in 9."""
        if self.folder is not None:
            return msgspec.json.decode((self.folder / "catalogue.json").read_bytes(), type=_CatalogueFile).items
        rng = random.Random(SEED)
        return tuple(_item(n, rng) for n in range(GOODS))

    def baskets(self, lines: int, count: int) -> tuple[GivenBasket, ...]:
        """So many baskets of so many lines; a file may hold fewer, then they are those it holds."""
        path = self.folder / f"baskets_{lines}.json" if self.folder is not None else None
        if path is not None and path.exists():
            return msgspec.json.decode(path.read_bytes(), type=_BasketsFile).baskets[:count]
        goods = self.catalogue()
        rng = random.Random(SEED + lines)
        weights = _popularity()
        return tuple(_basket(n, lines, goods, weights, rng) for n in range(count))

    def rules(self, count: int) -> tuple[GivenRule, ...]:
        """The first so many mixed rules, in every ten of them four multi-buys."""
        path = self.folder / f"rules_{count}.json" if self.folder is not None else None
        if path is not None and path.exists():
            return msgspec.json.decode(path.read_bytes(), type=_RulesFile).rules
        goods = self.catalogue()
        rng = random.Random(SEED + 1)
        weights = _popularity()
        return tuple(_rule(n, goods, weights, rng) for n in range(count))

    def line_and_basket_rules(self, count: int) -> tuple[GivenRule, ...]:
        """So many rules that are no multi-buys: percentages, points and thresholds."""
        many = self.rules(-(-count * 10 // 6) + 10)
        return tuple(rule for rule in many if rule.kind in LINE_AND_BASKET)[:count]


class _CatalogueFile(msgspec.Struct):
    items: tuple[Item, ...]


class _BasketsFile(msgspec.Struct):
    baskets: tuple[GivenBasket, ...]


class _RulesFile(msgspec.Struct):
    rules: tuple[GivenRule, ...]


def asked(given: GivenBasket) -> tuple[Basket, Member]:
    """A given basket and its member as the engine is asked."""
    at = datetime.fromisoformat(given.ts).replace(tzinfo=ZoneInfo(ZONE))
    lines = tuple(
        Line(
            line_id=str(line.line),
            sku=line.sku,
            name=f"Товар {line.sku}",
            quantity_milli=Thousandths(line.qty * MILLI_PER_UNIT),
            price_minor=Minor(line.price),
            category=line.cat,
            brand=line.brand,
            vat_bp=VAT_BP,
        )
        for line in given.lines
    )
    basket = Basket(basket_id=given.id, store=f"S{given.store}", till="T1", opened_at=at, currency="RUB", lines=lines)
    return basket, Member(member_id=f"m{given.member}", tier=f"t{given.tier}")


def units_of(rule: GivenRule, basket: GivenBasket) -> int:
    """How many units of a basket a rule's selectors match."""
    skus, cats, brands = set(rule.skus), set(rule.cats), set(rule.brands)
    return sum(line.qty for line in basket.lines if line.sku in skus or line.cat in cats or line.brand in brands)


def strangers(count: int) -> tuple[GivenRule, ...]:
    """Rules of every kind about goods that no basket holds."""
    return tuple(
        msgspec.structs.replace(rule, id=1_000_000 + n, skus=(f"X{n}",), cats=(), brands=())
        for n, rule in enumerate(rule for rule in Source().rules(-(-count * 10 // 9) + 10) if rule.kind != "threshold")
    )[:count]


def programme(rules: Sequence[GivenRule], meaning: Meaning, tables: str = "") -> str:
    """The rules as the text of a programme of ours, with more tables of it if given."""
    head = f'format = 1\nid = "bench"\nversion = 1\ncurrency = "RUB"\ntimezone = "{ZONE}"\n[points]\nlifetime_days = 180\n'
    tiers = "".join(f'[[tier]]\nid = "t{n}"\n' for n in range(TIERS))
    return (
        head
        + tables
        + tiers
        + (_group_tables() if meaning == "groups" else "")
        + "".join(_rule_text(rule, meaning) for rule in rules)
    )


def _group_tables() -> str:
    names = [f"g{n}" for n in range(GROUPS)]
    rows = (
        f"[compatibility.{one}]\n" + "".join(f'{other} = "{"best_of" if one == other else "stack"}"\n' for other in names[n:])
        for n, one in enumerate(names)
    )
    return "".join(f'[[group]]\nid = "{name}"\n' for name in names) + "".join(rows)


def _rule_text(rule: GivenRule, meaning: Meaning) -> str:
    stage, priority, group = _stage(rule, meaning), rule.priority, ""
    if meaning == "groups" and rule.kind in PERCENTS:  # groups act in the order of their numbers
        group = f'group = "g{rule.group}"\n'
        priority += 100 * (GROUPS - rule.group)
    when = [f'{{ is = "customer", tier_from = "t{rule.tier}" }}'] if rule.tier else []
    if rule.kind == "threshold":
        when.append(f'{{ is = "basket_amount", min = "{_money(rule.min_amount)}", base = "running" }}')
    return (
        f'[[rule]]\nid = "r{rule.id}"\nstage = "{stage}"\npriority = {priority}\n{group}'
        f"when = [{', '.join(when)}]\nthen = [{_effect(rule)}]\n"
    )


def _stage(rule: GivenRule, meaning: Meaning) -> str:
    if rule.kind in PERCENTS:
        return "item" if meaning == "packed" else "customer"
    return {"points": "points", "threshold": "order"}.get(rule.kind, "item")


def _effect(rule: GivenRule) -> str:
    on = _selector(rule)
    about = f", on = {on}" if on else ""
    match rule.kind:
        case "points":
            return f'{{ do = "points", rate = "{_rate(rule.bp)}"{about} }}'
        case "multibuy" | "nthfree":
            return f'{{ do = "n_for_m", n = {rule.n}{about} }}'
        case "bundle":
            return f'{{ do = "bundle", slots = [{{ on = {on}, count = {rule.n} }}], fixed = "{_money(rule.fixed)}" }}'
        case "abs":
            return f'{{ do = "bundle", slots = [{{ on = {on}, count = {rule.min_qty} }}], amount = "{_money(rule.off)}" }}'
        case _:
            return f'{{ do = "percent", percent = "{_rate(rule.bp)}"{about} }}'


def _selector(rule: GivenRule) -> str:
    named = {"sku": rule.skus, "category": rule.cats, "brand": rule.brands}
    parts = [_named(kind, names) for kind, names in named.items() if names]
    return f"{{ {', '.join(parts)} }}" if parts else ""


def _named(kind: str, names: Sequence[str]) -> str:
    return f"{kind} = [" + ", ".join('"' + name + '"' for name in names) + "]"


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _rate(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02}%"


def _item(n: int, rng: random.Random) -> Item:
    price = max(PRICE_MIN, int(rng.lognormvariate(PRICE_MU, PRICE_SIGMA)) // 10 * 10 + 9)
    return Item(f"S{n:05}", f"C{rng.randrange(CATEGORIES):02}", f"B{rng.randrange(BRANDS):03}", price)


def _popularity() -> list[float]:
    """Cumulative weights of the goods: low numbers are bought most."""
    return list(accumulate(1 / (n + POPULARITY_FROM) ** POPULARITY for n in range(GOODS)))


def _basket(n: int, lines: int, goods: Sequence[Item], weights: list[float], rng: random.Random) -> GivenBasket:
    chosen: dict[str, Item] = {}
    while len(chosen) < lines:
        item = rng.choices(goods, cum_weights=weights)[0]
        chosen.setdefault(item.sku, item)
    rows = tuple(
        GivenLine(number, item.sku, item.cat, item.brand, rng.choice((1, 1, 1, 1, 2, 2, 3, 4)), item.price)
        for number, item in enumerate(chosen.values(), start=1)
    )
    ts = f"2026-11-21T12:{rng.randrange(60):02}:00"
    return GivenBasket(f"{lines}-{n}", 1, ts, rng.randrange(1_000_000), rng.randrange(TIERS), rows)


def _rule(n: int, goods: Sequence[Item], weights: list[float], rng: random.Random) -> GivenRule:
    kind = KINDS[n % len(KINDS)]
    group, priority, tier = rng.randrange(GROUPS), rng.randrange(100), rng.choice((0, 0, 0, 0, 1, 2, 3))
    rule = GivenRule(n, kind, group, priority, tier)
    category = (f"C{rng.randrange(CATEGORIES):02}",)

    def popular(draws: int) -> tuple[str, ...]:
        return tuple(sorted({item.sku for item in rng.choices(goods, cum_weights=weights, k=draws)}))

    change = msgspec.structs.replace
    match kind:
        case "pct":
            return change(rule, cats=category, bp=rng.choice((300, 500, 700, 1000, 1500)))
        case "pct_brand":
            return change(rule, brands=(f"B{rng.randrange(BRANDS):03}",), bp=rng.choice((500, 1000, 2000)))
        case "pct_sku":
            return change(rule, skus=popular(12), bp=rng.choice((500, 1000, 2000, 3000)))
        case "points":
            return change(rule, cats=category, bp=rng.choice((100, 300, 500, 1000)))
        case "threshold":
            return change(rule, min_amount=rng.choice((100_000, 200_000, 500_000)), bp=rng.choice((200, 300, 500)))
        case "multibuy":
            return change(rule, skus=popular(20), n=3)
        case "nthfree":
            return change(rule, cats=category, n=rng.choice((4, 5, 6)))
        case "abs":
            return change(rule, skus=popular(15), min_qty=2, off=rng.choice((2_000, 5_000, 10_000)))
        case _:
            skus = popular(10)
            prices = {item.sku: item.price for item in goods}
            middle = sorted(prices[sku] for sku in skus)[len(skus) // 2]
            return change(rule, skus=skus, n=3, fixed=3 * middle * 8 // 10 // 100 * 100)
