"""Makes the demo's committed data: catalogue.json, members.json, baskets/1.json to 25.json. The same seed gives the same bytes.

``python -m demo.make_data`` writes them anew; ``demo/goods.py`` is what people edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from demo.goods import GOODS
from demo.shop import CARD_PREFIX, MEMBERS, SALES, DemoLot, DemoMember
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Points, Thousandths, encode
from pos_loyalty.web.verbs import Product

HERE = Path(__file__).parent
SEED = 2026_11_21
MOSCOW = ZoneInfo("Europe/Moscow")
FRIDAY = datetime(2026, 11, 20, 16, 35, tzinfo=MOSCOW)
SATURDAY = datetime(2026, 11, 21, 8, 40, tzinfo=MOSCOW)
ON_FRIDAY = 4
"""So many baskets are opened on Friday, the others on Saturday from morning to evening."""
JOINED = datetime(2025, 3, 1, 12, 0, tzinfo=MOSCOW)
SOON, LATE = datetime(2026, 12, 10, tzinfo=MOSCOW), datetime(2030, 1, 1, tzinfo=MOSCOW)
"""When the second lot of a member is lost, at the earliest, and all the others."""
SKU_PREFIX = "460123"
COUPONS = {1: ("WELCOME10",), 8: ("WELCOME10",), 16: ("WELCOME10",), 19: ("WELCOME10",), 22: ("SUMMER15",)}
"""The last one has ended."""
LAST_DAY = frozenset({2, 8, 11, 15, 20})
"""In these baskets the first fresh thing or dairy is on its last day, and the shop has tagged it so."""
REDEEMS = frozenset({2, 6, 7, 10, 11, 12, 14, 16, 18, 20, 24, 25})
CASHIERS = ("C3", "C7")
TIERS = (("bronze", 22), ("silver", 12), ("gold", 6))
SHAPES = (
    ("drinks/coffee:own", "bakery/pastry"),
    ("ready/soup", "ready/sandwich", "drinks/tea:own", "bakery/bread"),
    ("dairy/milk", "dairy/cheese", "dairy/cheese", "dairy/cheese", "bakery/bread", "fruit", "grocery/cereal", "grocery/sweets"),
    ("drinks/coffee:own", "drinks/coffee:own", "bakery/pastry", "bakery/pastry"),
    ("fruit", "fruit", "fruit", "dairy/milk", "drinks/soft"),
    ("drinks/coffee", "drinks/tea", "grocery/sweets", "grocery/sweets", "household"),
    ("ready/sandwich", "drinks/soft", "drinks/coffee:own"),
    ("household", "household", "grocery/cereal", "grocery/cereal", "dairy/cheese", "dairy/milk", "fruit", "drinks/soft"),
)
"""What people buy together; ``:own`` asks for goods made here."""


def main() -> None:
    """Write every file where it is committed."""
    write_all(HERE)


def write_all(folder: Path) -> None:
    """Write every file under a folder."""
    products = catalogue()
    _write(folder / "catalogue.json", products)
    _write(folder / "members.json", members())
    (folder / "baskets").mkdir(exist_ok=True)
    for number, basket in enumerate(baskets(products), start=1):
        (folder / "baskets" / f"{number}.json").write_bytes(msgspec.json.format(_plain(basket), indent=2) + b"\n")


def catalogue() -> tuple[Product, ...]:
    """The goods of the table, each with a SKU that is a whole EAN-13."""
    products: list[Product] = []
    category, vat_bp, measure = "", 0, "piece"
    for row in GOODS.strip().splitlines():
        if row.startswith("#"):
            category, vat, *rest = row.removeprefix("#").split()
            vat_bp, measure = int(vat), "weight" if rest else "piece"
            continue
        name, brand, price, cost, tags = (cell.strip() for cell in row.split("|"))
        price_minor = int(price.replace(".", ""))
        fields = {
            "sku": ean13(f"{SKU_PREFIX}{len(products) + 1:06d}"),
            "name": name,
            "price_minor": price_minor,
            "category": category,
            "brand": brand,
            "tags": tuple(tags.split()),
            "measure": measure,
            "cost_minor": price_minor * int(cost) // 100,
            "vat_bp": vat_bp,
        }
        products.append(msgspec.convert(fields, Product))
    return tuple(products)


def members() -> tuple[DemoMember, ...]:
    """Forty members with cards; most hold points, some of which are lost soon or wait for their first day."""
    random = Random(SEED + 1)
    tiers = [tier for tier, count in TIERS for _ in range(count)]
    return tuple(_member(number, tiers[number * 7 % MEMBERS], random) for number in range(MEMBERS))


def baskets(products: Sequence[Product]) -> tuple[Basket, ...]:
    """Twenty-five baskets, no SKU twice in one."""
    random = Random(SEED + 2)
    return tuple(_basket(number, products, random) for number in range(1, SALES + 1))


def ean13(digits: str) -> str:
    """Twelve digits and their check digit."""
    assert len(digits) == 12
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _member(number: int, tier: str, random: Random) -> DemoMember:
    member_id = f"M{number + 1:03d}"
    joined_at = JOINED + timedelta(days=_below(random, 500), minutes=_below(random, 480))
    lots = []
    for place in range((2, 1, 3, 2, 0, 1)[number % 6]):
        granted_at = joined_at.replace(hour=0, minute=0) + timedelta(days=20 * place + 1)
        expires_at = SOON + timedelta(days=number % 14) if place == 1 else LATE
        lots.append(
            DemoLot(
                lot_id=f"opening/{member_id}/{place + 1}",
                centi=Points(100 * (60 + _below(random, 340)) + 25 * _below(random, 4)),
                usable_from=granted_at,
                expires_at=expires_at,
            )
        )
    card = ean13(f"{CARD_PREFIX}00{7000017 + 7919 * number:08d}")
    return DemoMember(member_id=member_id, card=card, tier=tier, joined_at=joined_at, lots=tuple(lots))


def _basket(number: int, products: Sequence[Product], random: Random) -> Basket:
    opened_at = _opened_at(number, random)
    chosen: list[Product] = []
    for wish in SHAPES[(number - 1) % len(SHAPES)]:
        category, _, tag = wish.partition(":")
        fitting = [p for p in products if p.category == category and (not tag or tag in p.tags) and p not in chosen]
        chosen.append(fitting[_below(random, len(fitting))])
    if number in LAST_DAY:
        aged = next(p for p in chosen if "fresh" in p.tags or p.category.startswith("dairy"))
        chosen[chosen.index(aged)] = msgspec.structs.replace(aged, tags=(*aged.tags, "last-day"))
    return Basket(
        basket_id=f"T1-{opened_at:%Y%m%d}-{number:03d}",
        store="S1",
        till="T1",
        cashier=CASHIERS[number > ON_FRIDAY],
        opened_at=opened_at,
        currency="RUB",
        lines=tuple(_line(place, product, random) for place, product in enumerate(chosen, start=1)),
        coupons=COUPONS.get(number, ()),
        redeem="max" if number in REDEEMS else None,
    )


def _opened_at(number: int, random: Random) -> datetime:
    seconds = _below(random, 60)
    if number <= ON_FRIDAY:
        return FRIDAY + timedelta(minutes=17 * (number - 1), seconds=seconds)
    return SATURDAY + timedelta(minutes=36 * (number - ON_FRIDAY - 1), seconds=seconds)


def _line(place: int, product: Product, random: Random) -> Line:
    is_weighed = product.measure == "weight"
    pieces = (1, 1, 1, 2, 2, 3)[_below(random, 6)]
    return Line(
        line_id=str(place),
        sku=product.sku,
        name=product.name,
        quantity_milli=Thousandths(180 + _below(random, 1500)) if is_weighed else Thousandths(pieces * MILLI_PER_UNIT),
        price_minor=product.price_minor,
        category=product.category,
        brand=product.brand,
        tags=product.tags,
        measure=product.measure,
        cost_minor=product.cost_minor,
        floor_minor=Minor(0),
        vat_bp=product.vat_bp,
    )


def _below(random: Random, limit: int) -> int:
    """A whole number under the limit, by the one generator call that no Python release has changed."""
    return int(random.random() * limit)


def _write(path: Path, rows: Sequence[object]) -> None:
    """A JSON list with one value a line, so that a change is one line of a diff."""
    path.write_bytes(b"[\n" + b",\n".join(b"  " + _plain(row) for row in rows) + b"\n]\n")


def _plain(value: object) -> bytes:
    """JSON as a host would write it: what is absent or empty is left out."""

    def trimmed(part: object) -> object:
        if isinstance(part, dict):
            return {key: trimmed(each) for key, each in part.items() if each not in ("", [], {}, None, 0)}
        return [trimmed(each) for each in part] if isinstance(part, list) else part

    return msgspec.json.encode(trimmed(msgspec.json.decode(encode(value))))


if __name__ == "__main__":
    main()
