"""A generated till for the benches: 2,000 goods, 100 rules, members with points, baskets of 20 lines; all from one seed."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pos_loyalty.config import CardConfig
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.replay.model import card_number
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.members import PulledCard, PulledLot, PulledMember, put_pulled
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Thousandths

SEED = 20261121
NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
CARD = CardConfig(prefix="29", length=13)
GOODS, CATEGORIES, BRANDS, RULES, LINES = 2_000, 40, 100, 100, 20
POPULARITY = 0.8
LOT_CENTI = Points(50_000)
MS_PER_DAY = 86_400_000
ROWS_AT_ONCE = 10_000

Goods = list[tuple[str, str, str, int]]
"""SKU, category, brand, price in kopecks."""


def goods() -> Goods:
    """The catalogue: log-normal prices about 143 roubles."""
    rng = random.Random(SEED)
    return [
        (
            f"sku-{n}",
            f"c{rng.randrange(CATEGORIES)}/g{rng.randrange(5)}",
            f"b{rng.randrange(BRANDS)}",
            int(rng.lognormvariate(9.57, 0.75)) + 999,
        )
        for n in range(GOODS)
    ]


def programme(catalogue: Goods) -> str:
    """A hundred rules of six kinds in turn, over categories, brands, SKUs and the whole basket."""
    rng = random.Random(SEED + 1)
    head = (
        'format = 1\nid = "bench"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'
        '[points]\nvalue = "1.00"\nlifetime_days = 180\n[redeem]\nlimit = "30%"\nminimum_money = "1.00"\n'
    )
    return head + "".join(_rule(n, rng, catalogue) for n in range(RULES))


def baskets(catalogue: Goods, count: int) -> list[Basket]:
    """Baskets without a SKU twice; low numbers are bought most."""
    rng = random.Random(SEED + 2)
    weights = [1 / (n + 5) ** POPULARITY for n in range(GOODS)]
    return [_basket(n, rng, catalogue, weights) for n in range(count)]


def card_of(member: int) -> str:
    """The card of a member by number."""
    return card_number(member, CARD)


def write_shop(folder: Path, catalogue: Goods, members: int) -> Path:
    """Config, keys, programme and a database with so many members; the value is the config's path."""
    (folder / "programme.toml").write_text(programme(catalogue))
    secrets = folder / "secrets.toml"
    secrets.write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\ntoken = "{"t" * 32}"\n')
    secrets.chmod(0o600)
    config = folder / "config.toml"
    config.write_text(
        'secrets = "secrets.toml"\n[store]\nid = "S1"\nname = "Bench"\n'
        '[till]\nid = "T1"\ndatabase = "till.db"\nprogramme = "programme.toml"\nport = 0\n'
        f'[printer]\nkind = "file"\npath = "{folder}"\n[[card]]\nprefix = "{CARD.prefix}"\nlength = {CARD.length}\n'
    )
    _put_members(folder / "till.db", members)
    return config


def _put_members(path: Path, count: int) -> None:
    """Members as head office would have sent them: a card and one lot each."""
    db = open_store(path, role="till", owner="T1", now=NOW)
    for start in range(0, count, ROWS_AT_ONCE):
        numbers = range(start, min(count, start + ROWS_AT_ONCE))
        with write(db):
            put_pulled(db, map(_told, numbers), as_of_seq=0)
    db.close()


def _told(n: int) -> PulledMember:
    lot = PulledLot(lot_id=f"lot{n}", amount_centi=LOT_CENTI, remaining_centi=LOT_CENTI, expires_at_ms=4_102_444_800_000)
    return PulledMember(member_id=f"m{n}", version=n + 1, cards=(PulledCard(number=card_of(n)),), lots=(lot,))


def _basket(n: int, rng: random.Random, catalogue: Goods, weights: list[float]) -> Basket:
    chosen: dict[str, Line] = {}
    while len(chosen) < LINES:
        sku, category, brand, price = rng.choices(catalogue, weights)[0]
        chosen.setdefault(
            sku,
            Line(
                line_id=str(len(chosen) + 1),
                sku=sku,
                name=f"Товар {sku}",
                category=category,
                brand=brand,
                quantity_milli=Thousandths(rng.randint(1, 4) * MILLI_PER_UNIT),
                price_minor=Minor(price),
                vat_bp=2200,
            ),
        )
    return Basket(
        basket_id=f"B{n}",
        store="S1",
        till="T1",
        cashier="C1",
        opened_at=NOW + timedelta(seconds=n),
        currency="RUB",
        lines=tuple(chosen.values()),
        redeem="max" if n % 4 == 0 else None,
    )


def _rule(n: int, rng: random.Random, catalogue: Goods) -> str:
    percent = f'percent = "{rng.randint(2, 15)}%"'
    category, brand = f"c{rng.randrange(CATEGORIES)}", f"b{rng.randrange(BRANDS)}"
    skus = ", ".join(f'"{sku}"' for sku, *_ in rng.sample(catalogue[:200], 10))
    lowest = f'"{rng.randrange(500, 5_000)}.00"'
    stage, when, then = (
        ("item", "", f'{{ do = "percent", {percent}, on = {{ category = "{category}" }} }}'),
        ("item", "", f'{{ do = "percent", {percent}, on = {{ brand = "{brand}" }} }}'),
        ("item", "", f'{{ do = "percent", {percent}, on = {{ sku = [{skus}] }} }}'),
        (
            "customer",
            '{ is = "customer", member = true }',
            f'{{ do = "percent", {percent}, on = {{ category = "{category}" }} }}',
        ),
        (
            "order",
            f'{{ is = "basket_amount", min = {lowest} }}',
            f'{{ do = "ladder", steps = [{{ from = {lowest}, {percent} }}] }}',
        ),
        ("points", '{ is = "customer", member = true }', '{ do = "points", rate = "5%" }'),
    )[n % 6]
    return f'\n[[rule]]\nid = "r{n}"\nstage = "{stage}"\nwhen = [{when}]\nthen = [{then}]\n'
