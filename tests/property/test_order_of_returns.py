"""Goods brought back in any order and split, before and after the points' end: the same points are left. See docs/returns.md."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, quantity
from tests.shop import MEMBER, PROGRAMME, Shop

SHORT = """
[[rule]]
id = "short"
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "20%", lifetime_days = 9, on = { category = "short" } }]
[[rule]]
id = "longer"
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "15%", lifetime_days = 25, on = { category = "longer" } }]
"""
KEPT = PROGRAMME.replace("lifetime_days = 180", "lifetime_days = 12") + SHORT
LINES = ("short", "longer", "")
ORDERS = 3

Sold = dict[str, tuple[int, ...]]
"""By sale, the pieces of each line."""
Step = tuple[str, tuple[int, ...]]
"""A sale of which so many pieces of each line come back; no lines: it is voided, or cancelled while it is open."""
State = tuple[int, int, int, int]


def programme_of(chance: Random, *, forgives: bool = True) -> str:
    text = KEPT
    if forgives and chance.randrange(3) == 0:
        text = text.replace("[points]", '[points]\nowed = "forgive"')
    if chance.randrange(2):
        text = text.replace("[points]", f"[points]\ngrace_days = {chance.choice((2, 10, 40))}")
    return text


def buy(shop: Shop, chance: Random) -> Sold:
    """Some sales, each of which may spend what the ones before it brought; the last may be still open."""
    sold: Sold = {}
    count = chance.randrange(2, 5)
    for n in range(count):
        pieces = tuple(chance.randrange(3) for _ in LINES)
        pieces = pieces if any(pieces) else (1, 0, 1)
        lines = tuple(_line(k, count, chance.randrange(9_000, 90_000)) for k, count in enumerate(pieces) if count)
        redeem = chance.choice((None, "max", "max", chance.randrange(100, 40_000)))
        basket = Basket(
            basket_id=f"s{n}", store="S1", till="T1", cashier="C7", opened_at=shop.now, currency="RUB", lines=lines, redeem=redeem
        )
        is_open = n == count - 1 and redeem is not None and chance.randrange(4) == 0
        shop.till.authorise(replace(shop.ask(basket), sale_id=f"s{n}", complete=not is_open), f"s{n}")
        sold[f"s{n}"] = () if is_open else pieces
        shop.now += timedelta(days=chance.randrange(4))
    return sold


def _line(k: int, count: int, price: int) -> Line:
    return Line(line_id=str(k), sku=f"sku {k}", quantity_milli=quantity(str(count)), price_minor=Minor(price), category=LINES[k])


def steps_of(sold: Sold, chance: Random, *, is_all: bool) -> list[tuple[str, tuple[int, ...], bool]]:
    """What of each sale comes back in the end, and whether as a whole by a void."""
    steps = []
    for sale_id, pieces in sold.items():
        back = pieces if is_all or chance.randrange(3) else tuple(chance.randrange(count + 1) for count in pieces)
        if any(back) or not pieces:
            steps.append((sale_id, back, back == pieces and chance.randrange(3) == 0))
    return steps


def divided(steps: list[tuple[str, tuple[int, ...], bool]], chance: Random) -> list[Step]:
    """The same in some order, in some parts."""
    parts: list[Step] = []
    for sale_id, back, is_void in steps:
        if is_void or not back:
            parts.append((sale_id, ()))
            continue
        left = list(back)
        while any(left):
            part = [chance.randrange(count + 1) for count in left]
            part = part if any(part) else left.copy()
            left = [a - b for a, b in zip(left, part, strict=True)]
            parts.append((sale_id, tuple(part)))
    chance.shuffle(parts)
    return parts


def bring_back(shop: Shop, sold: Sold, step: Step, key: str) -> None:
    sale_id, pieces = step
    if pieces:
        lines = tuple(LineBack(line_id=str(k), quantity_milli=quantity(str(n))) for k, n in enumerate(pieces) if n)
        shop.till.return_goods(sale_id, ReturnRequest(return_id=key, lines=lines, cashier="C7"), key)
    elif sold[sale_id]:
        shop.till.void(sale_id, VoidRequest(cashier="C7", approval=shop.senior()), key)
    else:
        shop.till.cancel(sale_id, CancelRequest(), key)


def state_of(shop: Shop) -> State:
    """What the member may count on now, what they owe, what suspense and adjustments bear."""
    now_ms = int(shop.now.timestamp() * 1000)
    alive = "SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = ? AND coalesce(expires_at, 9e15) > ?"
    accounts = dict(shop.db.execute("SELECT account, amount FROM balance WHERE unit = 'point'").fetchall())
    assert verify(shop.db) == ()
    assert not any(amount for account, amount in accounts.items() if account.startswith("held:"))
    return (
        shop.db.execute(alive, (MEMBER, now_ms)).fetchone()[0],
        -accounts.get(f"owed:{MEMBER}", 0),
        accounts.get("suspense", 0),
        accounts.get("adjustment", 0),
    )


@pytest.mark.parametrize("seed", range(14))
def test_what_is_left_hangs_on_what_came_back_alone(tmp_path: Path, seed: int) -> None:
    """At one moment, with nights between or none: the same points live, the same is owed, the same is forgiven."""
    found: list[State] = []
    chance = Random(f"what {seed}")
    is_all = seed % 2 == 0
    programme, days = programme_of(chance, forgives=is_all), chance.randrange(0, 30)
    steps: list[tuple[str, tuple[int, ...], bool]] = []
    for n in range(ORDERS):
        (tmp_path / str(n)).mkdir()
        with closing(Shop(tmp_path / str(n), programme=programme)) as shop:
            sold = buy(shop, Random(f"sales {seed}"))
            steps = steps or steps_of(sold, chance, is_all=is_all)
            shop.now += timedelta(days=days)
            for k, step in enumerate(divided(steps, chance)):
                if chance.randrange(3) == 0:
                    shop.till.nightly()
                bring_back(shop, sold, step, f"r{k}")
            shop.till.nightly()
            found.append(state_of(shop))
    assert len(set(found)) == 1, (found, steps)


@pytest.mark.parametrize("seed", range(14))
def test_a_member_who_brings_everything_back_has_what_they_had(tmp_path: Path, seed: int) -> None:
    """Over any days: the opening lots are whole, nothing that was earned is left, and nothing is owed."""
    chance = Random(f"all {seed}")
    with closing(Shop(tmp_path, programme=programme_of(chance))) as shop:
        sold = buy(shop, chance)
        for k, step in enumerate(divided(steps_of(sold, chance, is_all=True), chance)):
            bring_back(shop, sold, step, f"r{k}")
            if chance.randrange(2):
                shop.now += timedelta(days=chance.randrange(12))
            if chance.randrange(3) == 0:
                shop.till.nightly()
        shop.till.nightly()
        assert state_of(shop) == (50_000, 0, 0, 0)
        alive = shop.db.execute("SELECT id, remaining FROM lot WHERE remaining > 0").fetchall()
        assert alive == [(f"opening-{MEMBER}", 50_000)]
