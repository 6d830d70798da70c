"""Whatever order sales and returns come in: lots less what is owed are what the goods still kept brought, to the hundredth."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, quantity
from tests.shop import NOW, Shop

ROUNDS = 14
RATE_BP = 500
CARDS = ("2200000000026", "2200000000033", "2200000000040", "2200000000057")


class Buyer:
    """What a member bought and gave back, by plain sums: no figure of ours is asked."""

    def __init__(self, number: int) -> None:
        self.member_id, self.card = f"buyer-{number}", CARDS[number]
        self.opening_centi = 20 * number + 10
        self.kept: dict[str, tuple[int, int, int]] = {}
        """By sale: pieces kept, the price of one, points redeemed. A sale that points paid comes back whole or not at all."""

    def net_centi(self) -> int:
        net = self.opening_centi
        for pieces, price, redeemed in self.kept.values():
            net += (pieces * price - redeemed) * RATE_BP // 10_000 - redeemed
        return net


def step(shop: Shop, chance: Random, buyer: Buyer, number: int) -> None:
    """One sale, return or void."""
    move = chance.choice(("sale", "spend", "part", "all", "void")) if buyer.kept else "sale"
    if move in ("sale", "spend"):
        sale_id, pieces, price = f"s{number}", chance.randrange(1, 6), chance.randrange(990, 60_000)
        if move == "spend":
            pieces, price = 1, 2 * held_and_owed(shop, buyer.member_id)[0] + 990
        line = Line(line_id="1", sku="pen", name="pen", quantity_milli=quantity(str(pieces)), price_minor=Minor(price))
        redeem = "max" if move == "spend" else None
        basket = Basket(
            basket_id=sale_id, store="S1", till="T1", cashier="C7", opened_at=NOW, currency="RUB", lines=(line,), redeem=redeem
        )
        request = shop.ask(basket, card=buyer.card)
        answer = shop.till.authorise(replace(request, sale_id=sale_id, complete=True), f"key {number}")
        buyer.kept[sale_id] = pieces, price, answer.quote.redemption.centi
        return
    sale_id = chance.choice(sorted(buyer.kept))
    pieces, price, redeemed = buyer.kept[sale_id]
    if move == "void" and not shop.db.execute("SELECT 1 FROM sale_return WHERE sale_id = ?", (sale_id,)).fetchone():
        shop.till.void(sale_id, VoidRequest(), f"key {number}")
        del buyer.kept[sale_id]
        return
    back = pieces if redeemed or move != "part" else chance.randrange(1, pieces + 1)
    lines = (LineBack(line_id="1", quantity_milli=quantity(str(back))),)
    shop.till.return_goods(sale_id, ReturnRequest(return_id=f"r{number}", lines=lines, cashier="C7"), f"key {number}")
    buyer.kept[sale_id] = pieces - back, price, redeemed
    if back == pieces:
        del buyer.kept[sale_id]


def held_and_owed(shop: Shop, member_id: str) -> tuple[int, int]:
    held = shop.db.execute("SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = ?", (member_id,)).fetchone()[0]
    owed = shop.db.execute("SELECT -coalesce(SUM(amount), 0) FROM balance WHERE account = ?", (f"owed:{member_id}",)).fetchone()[
        0
    ]
    return held, owed


@pytest.mark.parametrize("seed", range(3))
def test_lots_less_what_is_owed_is_what_the_kept_goods_brought(shop: Shop, seed: int) -> None:
    chance = Random(f"owed {seed}")
    buyers = [Buyer(number) for number in range(len(CARDS))]
    for buyer in buyers:
        shop.add_member(buyer.member_id, buyer.card, buyer.opening_centi)
    owing = settled = 0
    for number in range(ROUNDS * len(buyers)):
        buyer = chance.choice(buyers)
        step(shop, chance, buyer, number)
        held, owed = held_and_owed(shop, buyer.member_id)
        assert held - owed == buyer.net_centi(), (seed, number)
        assert owed >= 0 and (owed == 0 or held == 0), "who owes has nothing, for what comes settles at once"
        owing += owed > 0
    settled = shop.db.execute("SELECT COUNT(*) FROM entry WHERE rule IN ('points.owed', 'points.given_back')").fetchone()[0]
    assert owing and settled, "the walk met debts and settled some"
    assert verify(shop.db) == ()
