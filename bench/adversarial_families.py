"""The families of bad weather for ``bench.adversarial``: each draws programmes, and baskets that fit them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from bench.workloads import GivenBasket, GivenRule, Source, asked, programme
from pos_loyalty.engine.model import Basket, Line, Lot, ManualOff, Member, SalesSoFar, State, Tender, UsesSoFar
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Thousandths

NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
HEAD = 'format = 1\nid = "bad-weather"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'
TAGS = tuple(f"t{n}" for n in range(8))
SKUS = tuple(f"s{n}" for n in range(60))
SERIES, COUPONS_MAX = 100, 32


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the engine is asked."""

    basket: Basket
    member: Member | None
    state: State


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a programme and a question are drawn."""

    programme: Callable[[random.Random], str]
    ask: Callable[[random.Random], Question]


def rule(name: str, stage: str, then: str, *, when: str = "", more: str = "") -> str:
    """One rule as text."""
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\n{more}when = [{when}]\nthen = [{then}]\n'


def money(minor: int) -> str:
    """Minor units in quotation marks."""
    return f'"{minor // 100}.{minor % 100:02}"'


def share(rng: random.Random, least: int = 1, most: int = 100) -> str:
    """A percentage in quotation marks."""
    return f'"{rng.randint(least, most)}%"'


def some(rng: random.Random, names: Sequence[str], least: int, most: int) -> str:
    """A list of some names."""
    return "[" + ", ".join(f'"{name}"' for name in sorted(rng.sample(names, rng.randint(least, most)))) + "]"


def skus(rng: random.Random, least: int, most: int) -> str:
    """A selector of some SKUs."""
    return f"{{ sku = {some(rng, SKUS, least, most)} }}"


def tags(rng: random.Random) -> str:
    """A selector of one to three tags."""
    return f"{{ tag = {some(rng, TAGS, 1, 3)} }}"


def n_for_m(rng: random.Random, on: str, most: int = 6) -> str:
    """Of n units k, at random."""
    n = rng.randint(2, most)
    words = f'do = "n_for_m", n = {n}, k = {rng.randint(1, n - 1)}, percent = {share(rng, 10)}, on = {on}'
    return f'{{ {words}, which = "{rng.choice(("cheapest", "dearest"))}", spread = "{rng.choice(("set", "unit"))}" }}'


def bundle(rng: random.Random, slots: int, least: int = 2, most: int = 20) -> str:
    """So many slots of overlapping SKUs."""
    goods = ", ".join(f"{{ on = {skus(rng, least, most)}, count = {rng.randint(1, 3)} }}" for _ in range(slots))
    figure = rng.choice((f"fixed = {money(rng.randrange(100, 60_000))}", f"percent = {share(rng)}", f"amount = {money(5_000)}"))
    return f'{{ do = "bundle", slots = [{goods}], {figure} }}'


def line(rng: random.Random, number: int, **words: object) -> Line:
    """One line; the words replace what would be drawn."""
    drawn: dict[str, object] = {
        "line_id": str(number),
        "sku": rng.choice(SKUS),
        "quantity_milli": Thousandths(rng.choice((1, 1, 1, 2, 3, 4)) * MILLI_PER_UNIT),
        "price_minor": Minor(rng.randrange(100, 60_000)),
        "tags": tuple(sorted(rng.sample(TAGS, rng.randint(1, 4)))),
        "vat_bp": 2_200,
    }
    return Line(**{**drawn, **words})  # type: ignore[arg-type]


def question(lines: Sequence[Line], *, member: Member | None = None, state: State | None = None, **words: object) -> Question:
    """A question about some lines."""
    basket = Basket(
        basket_id="B1",
        store="S1",
        till="T1",
        opened_at=NOW,
        currency="RUB",
        lines=tuple(lines),
        **words,  # type: ignore[arg-type]
    )
    return Question(basket=basket, member=member or Member(member_id="m1"), state=state or State(uses={}))


def equal_prices(rng: random.Random) -> str:
    """Twelve offers that overlap by tags."""
    return HEAD + "".join(rule(f"r{n}", "item", n_for_m(rng, tags(rng))) for n in range(12))


def ask_equal_prices(rng: random.Random) -> Question:
    """Every unit costs the same."""
    price = Minor(rng.choice((1, 99, 10_000)))
    return question([line(rng, n, sku=f"s{n}", price_minor=price) for n in range(rng.randint(5, 60))])


def overlapping(rng: random.Random) -> str:
    """Thirty bundles of one to four slots over the same goods."""
    return HEAD + "".join(rule(f"r{n}", "item", bundle(rng, rng.randint(1, 4))) for n in range(30))


def ask_goods(rng: random.Random) -> Question:
    """Up to sixty lines of the goods that bundles are about."""
    return question([line(rng, n, sku=SKUS[n]) for n in rng.sample(range(len(SKUS)), rng.randint(5, 60))])


def wide(rng: random.Random) -> str:
    """Offers over all goods, large sets: every unit takes part in everything."""
    offers = [n_for_m(rng, f'{{ tag = ["{TAGS[0]}"] }}', most=40) for _ in range(4)]
    slots = ", ".join(f'{{ on = {{ tag = "{tag}" }}, count = {rng.randint(2, 12)} }}' for tag in TAGS[:4])
    offers.append(f'{{ do = "bundle", slots = [{slots}], fixed = {money(rng.randrange(1_000, 90_000))} }}')
    return HEAD + "".join(rule(f"r{n}", "item", offer) for n, offer in enumerate(offers))


def ask_wide(rng: random.Random) -> Question:
    """Every line carries every tag and a price of its own."""
    return question([line(rng, n, sku=f"s{n}", tags=TAGS) for n in range(rng.randint(20, 120))])


def huge(rng: random.Random) -> str:
    """A few offers of every kind."""
    gift = f'{{ do = "gift", buy = [{{ on = {tags(rng)}, count = 2 }}], on = {tags(rng)}, qty = {rng.randint(1, 5)} }}'
    offers = [n_for_m(rng, tags(rng), 50), n_for_m(rng, tags(rng)), bundle(rng, 2), bundle(rng, 3), gift]
    return HEAD + "".join(rule(f"r{n}", "item", offer) for n, offer in enumerate(offers))


def ask_huge(rng: random.Random) -> Question:
    """Up to a hundred thousand units on a line."""
    units = [rng.choice((1, 7, 999, 100_000)) for _ in range(rng.randint(1, 30))]
    lines = [line(rng, n, price_minor=Minor(rng.randrange(0, 2_000))) for n in range(len(units))]
    return question([_of(each, count) for each, count in zip(lines, units, strict=True)])


def _of(given: Line, units: int) -> Line:
    words = {name: getattr(given, name) for name in given.__struct_fields__}
    return Line(**{**words, "quantity_milli": Thousandths(units * MILLI_PER_UNIT)})


def thousand_lines(rng: random.Random) -> str:
    """A hundred mixed rules, packed: percentages compete with multi-buys for units."""
    return programme(_shuffled(rng, 100), "packed")


def many_rules(rng: random.Random) -> str:
    """A thousand mixed rules."""
    return programme(_shuffled(rng, 1_000), rng.choice(("best", "groups", "packed")))


def _shuffled(rng: random.Random, count: int) -> list[GivenRule]:
    """So many of twice as many rules of the shared kinds."""
    return sorted(rng.sample(shared_rules(2 * count), count), key=lambda each: each.id)


def ask_workload(rng: random.Random, lines: int) -> Question:
    """A basket of the shared kind."""
    basket, member = asked(rng.choice(shared_baskets(lines)))
    return Question(basket=basket, member=member, state=State(uses={}))


@cache
def shared_rules(count: int) -> tuple[GivenRule, ...]:
    """Drawn once."""
    return Source().rules(count)


@cache
def shared_baskets(lines: int) -> tuple[GivenBasket, ...]:
    """Drawn once."""
    return Source().baskets(lines, 20)


def exclusive_groups(rng: random.Random) -> str:
    """Twenty groups, a third of their pairs exclusive: far more scenarios than may be tried."""
    names = [f"g{n}" for n in range(20)]
    text = HEAD + "".join(f'[[group]]\nid = "{name}"\n' for name in names)
    for number, one in enumerate(names):
        pairs = [(other, rng.choice(("exclusive", "stack", "stack"))) for other in names[number + 1 :]]
        text += f'[compatibility.{one}]\n{one} = "best_of"\n' + "".join(f'{other} = "{how}"\n' for other, how in pairs)
    for number, name in enumerate(names):
        for part in range(3):
            stage, then = rng.choice(
                (
                    ("item", n_for_m(rng, tags(rng))),
                    ("item", f'{{ do = "percent", percent = {share(rng, 1, 30)}, on = {tags(rng)} }}'),
                    ("customer", f'{{ do = "percent", percent = {share(rng, 1, 20)}, on = {tags(rng)} }}'),
                    ("order", f'{{ do = "amount", amount = {money(rng.randrange(100, 20_000))} }}'),
                )
            )
            text += rule(f"r{number}-{part}", stage, then, more=f'group = "{name}"\npriority = {rng.randrange(5)}\n')
    return text


def coupons(rng: random.Random) -> str:
    """A hundred series, each turns on rules of some stage."""
    text = HEAD + "".join(f'[[coupon]]\nid = "c{n}"\ncode = "CODE{n}"\n' for n in range(SERIES))
    for number in range(SERIES):
        stage, then = rng.choice(
            (
                ("item", n_for_m(rng, tags(rng))),
                ("customer", f'{{ do = "percent", percent = {share(rng, 1, 40)}, on = {tags(rng)} }}'),
                ("order", f'{{ do = "percent", percent = {share(rng, 1, 40)} }}'),
                ("order", f'{{ do = "amount", amount = {money(rng.randrange(1, 50_000))} }}'),
            )
        )
        text += rule(f"r{number}", stage, then, when=f'{{ is = "coupon", series = "c{number}" }}')
    return text


def ask_coupons(rng: random.Random) -> Question:
    """As many coupons as a basket may hold, some of them of no series."""
    codes = tuple(f"CODE{n}" for n in rng.sample(range(SERIES + 20), rng.randint(20, COUPONS_MAX)))
    return question([line(rng, n) for n in range(rng.randint(5, 40))], coupons=codes)


def condition(rng: random.Random, depth: int) -> str:
    """Conditions inside conditions."""
    if depth == 0:
        return rng.choice(
            (
                f'{{ is = "basket_amount", min = {money(rng.randrange(1, 200_000))}, on = {tags(rng)} }}',
                f'{{ is = "basket_qty", min = "{rng.randint(1, 20)}", on = {skus(rng, 1, 30)} }}',
                f'{{ is = "contains", goods = [{{ on = {tags(rng)}, count = 3 }}, {{ on = {skus(rng, 5, 30)}, count = 2 }}] }}',
                '{ is = "customer", member = true }',
                '{ is = "when", from = "22:00", to = "06:00" }',
            )
        )
    word = rng.choice(("all", "any", "any", "not"))
    if word == "not":
        return f'{{ is = "not", of = {condition(rng, depth - 1)} }}'
    return f'{{ is = "{word}", of = [{", ".join(condition(rng, depth - 1) for _ in range(3))}] }}'


def deep(rng: random.Random) -> str:
    """Forty rules of different stages behind conditions five deep."""
    text = HEAD
    for number in range(40):
        stage, then = rng.choice(
            (
                ("item", n_for_m(rng, tags(rng))),
                ("customer", f'{{ do = "percent", percent = {share(rng, 1, 30)}, on = {tags(rng)} }}'),
                ("order", f'{{ do = "percent", percent = {share(rng, 1, 30)} }}'),
            )
        )
        text += rule(f"r{number}", stage, then, when=condition(rng, rng.randint(1, 5)))
    return text


def budgets(rng: random.Random) -> str:
    """Offers with money caps, numbers of times, budgets and limits of use."""
    text = HEAD
    for number in range(20):
        then = rng.choice((n_for_m(rng, tags(rng)), bundle(rng, 2)))[:-2]
        times = rng.choice(("", f", max_times = {rng.randint(1, 4)}"))
        cap = f", max_amount = {money(rng.randrange(1, 20_000))}"
        more = f"budget = {money(1_000_000)}\nlimits = {{ member = {rng.randint(1, 9)}, total = 1000 }}\n"
        text += rule(f"r{number}", "item", then + times + cap + " }", more=more)
    return text


def ask_budgets(rng: random.Random) -> Question:
    """Little is left of most budgets and uses."""
    left = {f"r{n}": rng.choice((0, 1, 500, 5_000, 10**9)) for n in range(20)}
    uses = {f"r{n}": UsesSoFar(total=rng.choice((0, 999)), member=rng.randrange(3)) for n in range(0, 20, 2)}
    return question(ask_goods(rng).basket.lines, state=State(uses=uses, budgets=left))


def floors(rng: random.Random) -> str:
    """Deep discounts on everything, a margin, points and rounding."""
    text = HEAD + '[floors]\nmargin = "5%"\n[redeem]\nlimit = "99%"\n[points]\nlifetime_days = 30\n'
    for number in range(6):
        text += rule(f"i{number}", "item", rng.choice((n_for_m(rng, tags(rng)), bundle(rng, 2))))
        text += rule(f"c{number}", "customer", f'{{ do = "percent", percent = {share(rng, 50)}, on = {tags(rng)} }}')
        text += rule(f"o{number}", "order", f'{{ do = "amount", amount = {money(rng.randrange(1, 900_000))} }}')
        text += rule(f"p{number}", "points", f'{{ do = "points", rate = {share(rng)}, on = {tags(rng)} }}')
    return text


def ask_floors(rng: random.Random) -> Question:
    """Floors, costs, weights, marks, discounts before ours and by hand, and many lots of points."""
    lines = []
    for number in range(rng.randint(1, 60)):
        price = rng.choice((0, 1, 99, rng.randrange(100, 90_000)))
        words: dict[str, object] = {
            "price_minor": Minor(price),
            "floor_minor": Minor(rng.choice((0, price // 2, price, 2 * price))),
        }
        if rng.random() < 0.3:
            words |= {"measure": "weight", "quantity_milli": Thousandths(rng.randint(1, 9_999)), "sku": f"w{number}"}
        if rng.random() < 0.3:
            words["cost_minor"] = Minor(rng.randrange(0, 2 * price + 1))
        if rng.random() < 0.2:
            words["prior_off_minor"] = Minor(rng.randrange(0, price + 2))
        lines.append(line(rng, number, **words))
    manual = tuple(ManualOff(line_id=each.line_id, off_minor=Minor(rng.randrange(0, 9_000))) for each in lines[::7])
    lots = tuple(Lot(lot_id=f"l{n}", centi=Points(rng.randrange(0, 90_000))) for n in range(rng.choice((1, 20, 500))))
    member = Member(member_id="m1", lots=lots, sales=SalesSoFar(count=3, spent_minor=Minor(10**6)))
    return question(lines, member=member, manual=manual, redeem="max", tenders=(Tender(kind="cash", amount_minor=Minor(0)),))


FAMILIES: dict[str, Family] = {
    "equal-prices": Family(programme=equal_prices, ask=ask_equal_prices),
    "overlapping-bundles": Family(programme=overlapping, ask=ask_goods),
    "wide-sets": Family(programme=wide, ask=ask_wide),
    "huge-quantities": Family(programme=huge, ask=ask_huge),
    "thousand-lines": Family(programme=thousand_lines, ask=lambda rng: ask_workload(rng, 1_000)),
    "thousand-rules": Family(programme=many_rules, ask=lambda rng: ask_workload(rng, 100)),
    "exclusive-groups": Family(programme=exclusive_groups, ask=ask_goods),
    "coupons": Family(programme=coupons, ask=ask_coupons),
    "deep-conditions": Family(programme=deep, ask=ask_goods),
    "budgets": Family(programme=budgets, ask=ask_budgets),
    "floors": Family(programme=floors, ask=ask_floors),
}
