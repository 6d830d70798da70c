"""What earlier sales leave for the next quote: uses, money given, counters, days, purchases, coupons, privileges, plans."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import CounterMove, CouponTaken, Issue, MemberDay, RuleUse, UsesSoFar
from pos_loyalty.store import coupon_words, habits, issues, ledger, sales, uses
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import SaleFact
from pos_loyalty.store.verify import verify
from tests.unit.store_facts import NOW, end_draft, sale_draft, till_store

DAY = 20_778  # 2026-11-21
PLAN_END = NOW + timedelta(days=30)
ISSUED = (
    Issue(rule="next", kind="coupon", series="next", count=2, usable_from=NOW, expires_at=NOW + timedelta(days=10)),
    Issue(rule="gold", kind="privilege", series="delivery", usable_from=NOW, expires_at=NOW + timedelta(days=365)),
    Issue(rule="club", kind="plan", series="club", usable_from=NOW, expires_at=PLAN_END),
)


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def sold(db: Connection, n: int, member: str | None = "M1", *, completed: bool = True, day: int = DAY, **quoted: Any) -> None:
    """Sale n, whose quote says these things besides."""
    draft = sale_draft(n, member, completed=completed)
    assert isinstance(draft.body, SaleFact)
    codes = tuple(f"C{n}-{k}" for k in range(sum(each.count for each in quoted.get("issued", ()) if each.kind == "coupon")))
    quote = replace(draft.body.quote, **quoted)
    draft = replace(draft, body=replace(draft.body, quote=quote, biz_day=day, coupons_made=codes))
    with write(db):
        sales.add(db, ledger.append(db, draft, NOW))


def ended(db: Connection, n: int, sale: int, kind: str) -> None:
    with write(db):
        sales.end(db, ledger.append(db, end_draft(n, sale, kind, member="M1"), NOW))


def test_uses_are_counted_in_all_by_member_and_by_day(db: Connection) -> None:
    ten = (RuleUse(rule="ten", times=2),)
    sold(db, 1, uses=ten)
    sold(db, 2, "M2", uses=ten)
    sold(db, 3, None, uses=(RuleUse(rule="ten", times=1),))
    sold(db, 4, day=DAY + 1, uses=(RuleUse(rule="five", times=1),))
    assert uses.so_far(db, "M1", DAY) == {
        "ten": UsesSoFar(total=5, member=2, today=5),
        "five": UsesSoFar(total=1, member=1, today=0),
    }
    assert uses.so_far(db, None, DAY + 1) == {"ten": UsesSoFar(total=5), "five": UsesSoFar(total=1, today=1)}
    assert uses.given_minor(db) == {"ten": 9000, "five": 0}  # 2 lines × 15.00 each time
    assert verify(db) == ()


@pytest.mark.parametrize(
    ("ends", "counts"),
    [
        ((), True),
        (("sale.completed",), True),
        (("sale.cancelled",), False),
        (("sale.completed", "sale.reversed"), False),
        (("sale.cancelled", "sale.completed"), True),
        (("sale.cancelled", "sale.cancelled"), False),
        (("sale.cancelled", "sale.completed", "sale.reversed"), False),
    ],
)
def test_a_sale_counts_while_it_is_authorised_or_completed(db: Connection, ends: tuple[str, ...], counts: bool) -> None:
    sold(db, 1, completed=False, uses=(RuleUse(rule="ten", times=1),), counters=(CounterMove(key="coffee", add=3),))
    for n, kind in enumerate(ends, start=2):
        ended(db, n, 1, kind)
    assert uses.so_far(db, "M1", DAY) == ({"ten": UsesSoFar(total=1, member=1, today=1)} if counts else {})
    assert uses.given_minor(db) == ({"ten": 3000} if counts else {})
    assert uses.counters_of(db, "M1") == ({"coffee": 3} if counts else {})
    assert db.execute("SELECT COUNT(*) FROM rule_use").fetchone() == (3 if counts else 0,)
    assert verify(db) == ()


def test_counters_add_up_by_member_and_go_below_nothing_only_inside(db: Connection) -> None:
    sold(db, 1, counters=(CounterMove(key="coffee", add=2), CounterMove(key="tea", add=1)))
    sold(db, 2, counters=(CounterMove(key="coffee", add=4),))
    sold(db, 3, "M2", counters=(CounterMove(key="coffee", add=-1),))
    assert uses.counters_of(db, "M1") == {"coffee": 6, "tea": 1}
    assert uses.counters_of(db, "M2") == {"coffee": 0}
    assert verify(db) == ()


def test_days_are_summed_from_completed_sales_and_hold_reserved_points(db: Connection) -> None:
    sold(db, 1, day=DAY - 1)
    sold(db, 2)
    sold(db, 3)
    sold(db, 4, completed=False)
    sold(db, 5, "M2")
    sold(db, 6, completed=False)
    ended(db, 7, 6, "sale.cancelled")
    sold(db, 8)
    ended(db, 9, 8, "sale.reversed")
    today = MemberDay(day="2026-11-21", net_minor=54_000, visits=2, earned_centi=1_000)  # type: ignore[arg-type]
    assert habits.days_of(db, "M1", DAY) == (today,)
    assert [each.day for each in habits.days_of(db, "M1", DAY - 1)] == ["2026-11-20", "2026-11-21"]
    with write(db):
        db.execute("UPDATE sale SET redeemed_centi = 70 WHERE sale_id = 'sale-4'")
    assert habits.days_of(db, "M1", DAY)[0].redeemed_centi == 70, "an open sale holds points already"


def test_the_days_of_a_member_are_read_from_one_index(db: Connection) -> None:
    plan = db.execute(f"EXPLAIN QUERY PLAN {habits.DAYS_SELECT}", {"member": "M1", "since": 0}).fetchall()
    assert any("USING COVERING INDEX sale_by_member" in step[3] for step in plan)


def test_purchases_are_lines_of_completed_sales_newest_first(db: Connection) -> None:
    draft = sale_draft(1, "M1", lines=1)
    assert isinstance(draft.body, SaleFact)
    line = replace(draft.body.basket.lines[0], brand="Сантос", tags=("hot", "new"))
    sale = replace(draft.body, basket=replace(draft.body.basket, lines=(line,)))
    with write(db):
        sales.add(db, ledger.append(db, replace(draft, body=sale), NOW))
    sold(db, 2, day=DAY + 3)
    sold(db, 3, completed=False)
    sold(db, 4, "M2")
    found = habits.purchases_of(db, "M1", DAY)
    assert [(each.day, each.sku) for each in found] == [
        ("2026-11-24", "4600000000000"),
        ("2026-11-24", "4600000000001"),
        ("2026-11-21", "4600000000000"),
    ]
    assert (found[2].brand, found[2].tags, found[2].category) == ("Сантос", ("hot", "new"), "drinks/coffee")
    assert (found[2].quantity_milli, found[2].net_minor) == (1000, 13_500)
    assert habits.purchases_of(db, "M1", DAY + 1) == found[:2]
    ended(db, 5, 1, "sale.reversed")
    assert habits.purchases_of(db, "M1", DAY) == found[:2]
    assert verify(db) == ()


def test_purchases_have_an_end(db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    sold(db, 1)
    monkeypatch.setattr(habits, "PURCHASES_MAX", 1)
    assert len(habits.purchases_of(db, "M1", 0)) == 1


def test_coupons_live_with_the_sale_that_issued_them(db: Connection) -> None:
    sold(db, 1, completed=False, issued=ISSUED)
    known = coupon_words.known(db, ("C1-0", "C1-1", "C1-2"))
    assert list(known) == ["C1-0", "C1-1"] and not known["C1-0"].is_live
    ended(db, 2, 1, "sale.completed")
    live = coupon_words.known(db, ("C1-0",))["C1-0"]
    assert (live.series, live.is_live, live.taken_sale) == ("next", True, None)
    assert (live.usable_from, live.expires_at) == (NOW, NOW + timedelta(days=10))
    assert [made.code for made in issues.made_by(db, sale_draft(1).id)] == ["C1-0", "C1-1"]
    ended(db, 3, 1, "sale.reversed")
    assert not coupon_words.known(db, ("C1-0",))["C1-0"].is_live
    assert verify(db) == ()


def test_a_coupon_is_taken_while_a_sale_that_takes_it_stands(db: Connection) -> None:
    sold(db, 1, issued=ISSUED)
    taken = (CouponTaken(code="C1-0", series="next"),)
    sold(db, 2, completed=False, coupons=taken)
    assert coupon_words.known(db, ("C1-0", "C1-1"))["C1-0"].taken_sale == "sale-2"
    assert coupon_words.known(db, ("C1-1",))["C1-1"].taken_sale is None
    ended(db, 3, 2, "sale.cancelled")
    assert coupon_words.known(db, ("C1-0",))["C1-0"].taken_sale is None
    sold(db, 4, coupons=taken)
    assert coupon_words.known(db, ("C1-0",))["C1-0"].taken_sale == "sale-4"
    ended(db, 5, 4, "sale.reversed")
    assert coupon_words.known(db, ("C1-0",))["C1-0"].taken_sale is None
    assert verify(db) == ()


def test_privileges_and_plans_are_held_while_their_sale_is_completed(db: Connection) -> None:
    sold(db, 1, issued=ISSUED)
    sold(db, 2, "M2", issued=ISSUED)
    assert [(each.kind, each.name) for each in issues.held(db, "M1")] == [("plan", "club"), ("privilege", "delivery")]
    assert issues.held(db, "M1")[0].expires_at == PLAN_END
    ended(db, 3, 1, "sale.reversed")
    assert issues.held(db, "M1") == ()


PLANTED = {
    "a use more": ("UPDATE rule_use SET times = times + 1 WHERE scope = 'all'", "Rule ten counts 3 uses"),
    "money given": ("UPDATE rule_use SET given_minor = 1 WHERE scope = 'day'", "1 given on day 20778"),
    "a use of nobody": ("INSERT INTO rule_use VALUES ('member', 'M9', 'ten', 1, 0)", "by member M9"),
    "a lost use": ("DELETE FROM rule_use WHERE scope = 'member'", "Rule ten counts 0 uses and 0 given by member M1"),
    "a counter": ("UPDATE member_counter SET units = 9", "Counter coffee of member M1 stands at 9, by the sales it is 2"),
    "a lost counter": ("DELETE FROM member_counter", "Counter coffee of member M1 stands at 0"),
    "another code": ("UPDATE issue SET code = 'FREE' WHERE n = 0", "what it issued"),
    "a longer plan": ("UPDATE issue SET expires_at = expires_at + 1 WHERE kind = 'plan'", "what it issued"),
    "a lost coupon": ("DELETE FROM issue WHERE n = 1", "what it issued"),
    "a coupon given back": ("DELETE FROM coupon_use", "the coupons that it took"),
    "a brand": ("UPDATE sale_line SET brand = 'Y'", "its lines"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_verify_names_what_does_not_follow_from_the_sales(db: Connection, planted: str) -> None:
    sold(
        db, 1, uses=(RuleUse(rule="ten", times=2),), counters=(CounterMove(key="coffee", add=2),), issued=ISSUED,
        coupons=(CouponTaken(code="OLD", series="next"),),
    )  # fmt: skip
    assert verify(db) == ()
    sql, named = PLANTED[planted]
    db.execute("PRAGMA foreign_keys = OFF")
    assert db.execute(sql).rowcount > 0
    assert any(named in sentence for sentence in verify(db)), verify(db)
