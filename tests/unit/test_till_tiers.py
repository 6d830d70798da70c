"""Tiers at a till without head office: up with the sale, down with a void, by night, by a person; the receipt and the answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.engine.model import Basket
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import members
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import IdentifyRequest, SaleAnswer, VoidRequest
from pos_loyalty.till.staff_model import MergeRequest
from pos_loyalty.till.tier_model import TierAnswer, TierRequest
from pos_loyalty.till.tiers import tiers_due
from tests.shop import CARD, MEMBER, NOW, OTHER_CARD, PROGRAMME, Shop, make_basket

LADDER = """
[tiers]
months = 12
grace_days = 5
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "500.00"
[[tier]]
id = "gold"
title = { ru = "Золото", en = "Gold" }
from_spent = "1000.00"
"""

ANNA = Approval(person="Anna", pin="998877")


def staffed(shop: Shop) -> Shop:
    staff.add(shop.db, ANNA.person, "senior", ANNA.pin, shop.till._desk.secrets.pepper)
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = staffed(Shop(tmp_path, programme=PROGRAMME + LADDER))
    yield made
    made.close()


def sell(shop: Shop, sale_id: str, rubles: int, *, complete: bool = True) -> SaleAnswer:
    """A product without a rule on it, so that the money is what it says."""
    request = shop.ask(bread(shop, rubles))
    return shop.till.authorise(replace(request, sale_id=sale_id, complete=complete), f"key {sale_id}")


def bread(shop: Shop, rubles: int) -> Basket:
    basket = make_basket(count="1", price_minor=rubles * 100)
    return replace(basket, lines=(replace(basket.lines[0], category="bread"),), opened_at=shop.now)


def test_the_answer_says_why_the_tier_is_theirs(shop: Shop) -> None:
    assert standing(shop).reason is None
    sell(shop, "a", 600)
    assert standing(shop).reason == "reached"
    shop.till.set_tier(MEMBER, TierRequest(tier="gold", by=ANNA, reason="jubilee", until=date(2027, 1, 1)), "gold")
    assert standing(shop).reason == "staff"


def standing(shop: Shop) -> TierAnswer:
    found = shop.till.identify(IdentifyRequest(card=CARD)).standing
    assert found is not None
    return found


def moves(db: Connection) -> list[tuple[object, ...]]:
    select = (
        "SELECT m.reason, m.tier, m.biz_day, m.since, m.until, m.is_warned, m.before FROM member_tier AS m JOIN txn ON id = txn"
    )
    return db.execute(select + " ORDER BY hlc").fetchall()


def night(shop: Shop) -> int:
    return tiers_due(shop.till._desk).count


def test_a_tier_is_reached_in_the_write_of_the_sale(shop: Shop) -> None:
    sell(shop, "s1", 400)
    assert standing(shop).tier is None
    assert (standing(shop).next_tier, standing(shop).missing) == ("silver", 10_000)
    answer = sell(shop, "s2", 100)
    now = standing(shop)
    assert (now.tier, now.title, now.since, now.until) == (
        "silver",
        {"ru": "Серебро", "en": "Silver"},
        date(2026, 11, 21),
        date(2027, 11, 20),
    )
    kinds = [kind for (kind,) in shop.db.execute("SELECT kind FROM txn ORDER BY seq DESC LIMIT 2")]
    assert kinds == ["member.tiered", "sale.completed"]
    assert "Ваш уровень: Серебро" in shop.till.receipt_text(answer.sale_id, "ru")
    assert "Your tier: Silver" in shop.till.receipt_text(answer.sale_id, "en")
    assert "уровень" not in shop.till.receipt_text("s1", "ru")
    assert verify(shop.db) == ()


def test_it_waits_for_the_payment(shop: Shop) -> None:
    sell(shop, "s1", 600, complete=False)
    assert standing(shop).tier is None
    from pos_loyalty.till.model import CompleteRequest

    shop.till.complete("s1", CompleteRequest(), "k")
    assert standing(shop).tier == "silver"
    before = moves(shop.db)
    shop.till.complete("s1", CompleteRequest(), "k")
    assert moves(shop.db) == before, "the same key moves nobody again"
    assert verify(shop.db) == ()


def test_a_void_takes_back_what_its_sale_reached(shop: Shop) -> None:
    sell(shop, "s1", 600)
    sell(shop, "s2", 500)
    assert standing(shop).tier == "gold"
    shop.till.void("s2", VoidRequest(), "v2")
    assert standing(shop).tier == "silver"
    shop.till.void("s1", VoidRequest(), "v1")
    assert standing(shop).tier is None
    assert [move[:2] for move in moves(shop.db)] == [
        ("reached", "silver"),
        ("reached", "gold"),
        ("returned", "silver"),
        ("returned", None),
    ]
    assert verify(shop.db) == ()


def test_warned_and_down_by_night_and_never_twice(shop: Shop) -> None:
    sell(shop, "s1", 600)
    assert night(shop) == 0
    shop.now = NOW + timedelta(days=365 - 30)
    assert night(shop) == 1
    assert night(shop) == 0
    assert standing(shop).warned_for == date(2027, 11, 20)
    answer = sell(shop, "s2", 100)
    assert "ещё 400.00 RUB" in shop.till.receipt_text(answer.sale_id, "ru")
    shop.now = NOW + timedelta(days=365 + 4)
    assert night(shop) == 0, "grace"
    shop.now = NOW + timedelta(days=365 + 5)
    assert night(shop) == 1
    assert standing(shop).tier is None
    assert verify(shop.db) == ()


@pytest.mark.parametrize("every", [1, 7, 40, 800])
def test_missed_nights_change_nothing(tmp_path: Path, every: int) -> None:
    shop = Shop(tmp_path, programme=PROGRAMME + LADDER)
    buys = {0: 1200, 200: 600, 380: 300, 700: 100}
    for day in range(800):
        shop.now = NOW + timedelta(days=day)
        if day in buys:
            sell(shop, f"s{day}", buys[day])
        if day % every == every - 1:
            night(shop)
    night(shop)
    told = moves(shop.db)
    shop.close()
    assert [move[:2] for move in told] == [
        ("reached", "gold"),
        ("warned", "gold"),
        ("fell", "silver"),
        ("warned", "silver"),
        ("fell", None),
    ]
    if every > 1:
        assert told == _each_night(tmp_path)


def _each_night(folder: Path) -> list[tuple[object, ...]]:
    other = folder / "each"
    other.mkdir()
    shop = Shop(other, programme=PROGRAMME + LADDER)
    for day in range(800):
        shop.now = NOW + timedelta(days=day)
        if day in (0, 200, 380, 700):
            sell(shop, f"s{day}", {0: 1200, 200: 600, 380: 300, 700: 100}[day])
        if day in (335, 370, 365, 366, 700, 704, 705, 730, 735, 740) or day % 3 == 0:
            night(shop)
    night(shop)
    told = moves(shop.db)
    shop.close()
    return told


def test_a_person_decides_and_the_tier_is_frozen(shop: Shop) -> None:
    until = date(2027, 1, 31)
    request = TierRequest(tier="gold", until=until, by=ANNA, reason="a guest of the house")
    answer = shop.till.set_tier(MEMBER, request, "k1")
    assert (answer.tier, answer.is_frozen, answer.until) == ("gold", True, until)
    assert shop.till.set_tier(MEMBER, request, "k1") == answer
    with pytest.raises(ConflictError):
        shop.till.set_tier(MEMBER, replace(request, tier="silver"), "k1")
    shop.now = NOW + timedelta(days=60)
    assert night(shop) == 0
    assert standing(shop).tier == "gold"
    shop.now = NOW + timedelta(days=72)
    assert night(shop) == 0, "grace after it: five days"
    shop.now = NOW + timedelta(days=77)
    assert night(shop) == 1
    assert standing(shop).tier is None
    assert shop.db.execute("SELECT decided_by FROM member_tier WHERE reason = 'staff'").fetchone() == ("Anna",)
    assert verify(shop.db) == ()


def test_a_frozen_tier_is_not_raised_before_its_day(shop: Shop) -> None:
    shop.till.set_tier(MEMBER, TierRequest(tier=None, until=date(2026, 12, 31), by=ANNA, reason="misuse"), "k1")
    sell(shop, "s1", 1200)
    assert standing(shop).tier is None
    shop.now = NOW + timedelta(days=41)
    assert night(shop) == 1
    assert standing(shop).tier == "gold"
    assert verify(shop.db) == ()


def test_a_decision_that_cannot_be_is_refused(shop: Shop) -> None:
    request = TierRequest(tier="platinum", until=date(2027, 1, 31), by=ANNA, reason="x")
    with pytest.raises(InputError, match="not among the tiers"):
        shop.till.set_tier(MEMBER, request, "k1")
    with pytest.raises(InputError, match="before today"):
        shop.till.set_tier(MEMBER, replace(request, tier="gold", until=date(2026, 11, 20)), "k2")
    with pytest.raises(NotFoundError):
        shop.till.set_tier("nobody", replace(request, tier="gold"), "k3")
    assert moves(shop.db) == []


def test_a_higher_ladder_takes_nothing_at_once(shop: Shop) -> None:
    sell(shop, "s1", 600)
    higher = (PROGRAMME + LADDER).replace("500.00", "700.00").replace("version = 1", "version = 2")
    shop.publish(higher)
    assert night(shop) == 0
    assert standing(shop).tier == "silver"
    shop.now = NOW + timedelta(days=371)
    night(shop)
    assert standing(shop).tier is None


def test_a_lower_ladder_lifts_by_night(shop: Shop) -> None:
    sell(shop, "s1", 600)
    shop.publish((PROGRAMME + LADDER).replace("1000.00", "600.00").replace("version = 1", "version = 2"))
    assert night(shop) == 1
    assert standing(shop).tier == "gold"
    assert verify(shop.db) == ()


def test_a_tier_that_came_with_the_member_lasts_a_period_from_the_first_look(shop: Shop) -> None:
    with write(shop.db):
        told = members.PulledMember(member_id=MEMBER, version=1, tier="gold", joined_ms=0)
        members.put_pulled(shop.db, [told], as_of_seq=shop.db.execute("SELECT MAX(seq) FROM txn").fetchone()[0])
    assert night(shop) == 1
    shop.now = NOW + timedelta(days=300)
    night(shop)
    assert standing(shop).tier == "gold"
    shop.now = NOW + timedelta(days=371)
    night(shop)
    assert standing(shop).tier is None
    assert [move[0] for move in moves(shop.db)] == ["recounted", "warned", "fell"]
    assert verify(shop.db) == ()


def test_verify_finds_a_forged_tier_and_a_forged_move(shop: Shop) -> None:
    sell(shop, "s1", 600)
    with write(shop.db):
        shop.db.execute("UPDATE member SET tier = 'gold' WHERE id = ?", (MEMBER,))
    assert any("by the log it is silver" in said for said in verify(shop.db))
    with write(shop.db):
        shop.db.execute("UPDATE member SET tier = 'silver' WHERE id = ?", (MEMBER,))
        shop.db.execute("UPDATE member_tier SET until = until + 365")
    assert any("is not what the log says" in said for said in verify(shop.db))


def test_nothing_is_counted_where_no_tier_has_a_threshold(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path, programme=PROGRAMME + '[[tier]]\nid = "silver"\n'))
    sell(shop, "s1", 600)
    assert (standing(shop).tier, standing(shop).measure) == (None, None)
    shop.till.set_tier(MEMBER, TierRequest(tier="silver", by=ANNA, reason="x"), "k")
    assert standing(shop).tier == "silver"
    assert verify(shop.db) == ()
    shop.close()
    assert wiring.settings(shop.config).till_database.exists()


def test_two_who_become_one_reach_the_tier_of_what_both_bought(shop: Shop) -> None:
    boris = Approval(person="Boris", pin="1234")
    staff.add(shop.db, boris.person, "cashier", boris.pin, shop.till._desk.secrets.pepper)
    shop.add_member("member-2", OTHER_CARD, 100)
    sell(shop, "s1", 400)
    shop.till.authorise(replace(shop.ask(bread(shop, 300), card=OTHER_CARD), sale_id="s2", complete=True), "key s2")
    assert standing(shop).tier is None
    request = MergeRequest(into=MEMBER, reason="one person", by=boris, approval=ANNA)
    shop.till.merge("member-2", request, "m1")
    assert (standing(shop).tier, standing(shop).missing) == ("silver", 30_000)
    assert [(row[0], row[1], row[6]) for row in moves(shop.db)] == [("reached", "silver", None)]
    assert night(shop) == 0
    shop.till.merge("member-2", request, "m2")
    assert len(moves(shop.db)) == 1
    assert verify(shop.db) == ()
