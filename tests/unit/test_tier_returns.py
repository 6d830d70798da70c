"""What goods brought back do to a tier: a return's fact counts against the day of its sale, in the same write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest

from pos_loyalty.engine.returns import ReturnLine, return_of
from pos_loyalty.store import ledger
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.return_facts import ReturnFact
from pos_loyalty.store.tier_history import moves_of
from pos_loyalty.till.answers import stored_sale
from pos_loyalty.till.tiers import tier_facts_after, tiers_due
from pos_loyalty.values import Minor, Thousandths
from tests.shop import MEMBER, NOW, PROGRAMME, Shop
from tests.unit.test_till_tiers import LADDER, sell, standing

LATER = LADDER.replace("months = 12", 'months = 12\nreturned = "at_period_end"')


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, programme=PROGRAMME + LADDER)
    yield made
    made.close()


def bring_back(shop: Shop, sale_id: str) -> list[str]:
    """All of a sale, as a return books it: its fact, then what follows for the tier."""
    desk = shop.till._desk
    stored = stored_sale(desk, sale_id)
    lines = (ReturnLine(line_id="1", quantity_milli=Thousandths(1000)),)
    returned = return_of(stored.quote, (), lines)
    fields: dict[str, object] = {
        "return_id": f"back-{sale_id}",
        "sale_till": "T1",
        "sale_id": sale_id,
        "lines": lines,
        "returned": returned,
        "refund_minor": Minor(returned.refund_minor),
        "tenders": (),
        "biz_day": desk.business_day(shop.now),
    }
    if "asked" in ReturnFact.__struct_fields__:
        fields["asked"] = "0" * 64
    with write(shop.db):
        body = ReturnFact(**fields)  # type: ignore[arg-type]
        draft = Draft(id=shop.new_id(), kind="sale.returned", store="S1", member=MEMBER, body=body)
        ledger.append(shop.db, draft, shop.now)
        return [fact.tier.reason for fact in tier_facts_after(shop.db, desk, MEMBER, shop.now) if fact.tier]


def test_a_tier_of_goods_brought_back_is_lost_at_once(shop: Shop) -> None:
    sell(shop, "s1", 400)
    shop.now = NOW + timedelta(days=3)
    sell(shop, "s2", 200)
    assert standing(shop).tier == "silver"
    shop.now = NOW + timedelta(days=10)
    assert bring_back(shop, "s2") == ["returned"]
    assert (standing(shop).tier, standing(shop).missing) == (None, 10_000)
    assert {(move.visits, move.spent_minor) for move in moves_of(shop.db, MEMBER)} == {(1, 40_000), (1, 20_000), (-1, -20_000)}
    sell(shop, "s3", 90)
    assert standing(shop).tier is None, "what came back never counts again"


def test_or_at_the_end_of_its_period(shop: Shop) -> None:
    shop.publish((PROGRAMME + LATER).replace("version = 1", "version = 2"))
    sell(shop, "s1", 600)
    shop.now = NOW + timedelta(days=10)
    assert bring_back(shop, "s1") == []
    assert standing(shop).tier == "silver"
    shop.now = NOW + timedelta(days=370)
    assert tiers_due(shop.till._desk).count == 1
    assert standing(shop).tier is None


def test_goods_kept_keep_the_tier(shop: Shop) -> None:
    sell(shop, "s1", 600)
    sell(shop, "s2", 50)
    assert bring_back(shop, "s2") == []
    assert standing(shop).tier == "silver"


def test_nobody_moves_without_a_member(shop: Shop) -> None:
    with write(shop.db):
        assert tier_facts_after(shop.db, shop.till._desk, None, NOW) == ()
        assert tier_facts_after(shop.db, shop.till._desk, "nobody", NOW) == ()


def test_a_long_history_is_looked_at_in_no_time(shop: Shop) -> None:
    for n in range(300):
        shop.now = NOW + timedelta(days=n)
        sell(shop, f"s{n}", 5)
    began = process_time()
    for _ in range(20):
        with write(shop.db):
            assert tier_facts_after(shop.db, shop.till._desk, MEMBER, shop.now) == ()
    assert (process_time() - began) / 20 < 0.1, "300 sales, each time all of them"
