"""Conditions: what holds, and what is said when it does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, Member
from tests.worlds import NOBODY, NOW, basket, line, member, programme, why

TABLES = """
[[tier]]
id = "bronze"
[[tier]]
id = "silver"
[[tier]]
id = "gold"
"""
COFFEE = line("1", 15_000, "2", category="drinks/coffee")
CHEESE = line("2", 90_000, "0.345", category="dairy/cheese", measure="weight")
BASKET = basket(COFFEE, CHEESE)  # 300.00 + 310.50


def lack(when: str, *, of: Basket = BASKET, who: Member | None = None, at: datetime = NOW) -> tuple[str, str, str] | None:
    """Why a rule with this condition does not hold; None when it applies."""
    rules = f'{TABLES}[[rule]]\nid = "r"\nstage = "order"\nwhen = [{when}]\nthen = [{{ do = "percent", percent = "10%" }}]'
    answer = quote(of, who, programme(rules), NOBODY, at)
    assert (answer.applied == ("r",)) is (why(answer, "r") is None)
    return why(answer, "r")


def test_basket_amount() -> None:
    assert lack('{ is = "basket_amount", min = "610.50" }') is None
    assert lack('{ is = "basket_amount", min = "610.51" }') == ("basket_amount", "610.50", "610.51")
    assert lack('{ is = "basket_amount", min = "300.01", on = { category = "drinks" } }') == ("basket_amount", "300.00", "300.01")
    assert lack('{ is = "basket_amount", max = "610.50" }') is None
    assert lack('{ is = "basket_amount", max = "610.49" }') == ("basket_amount", "610.50", "at most 610.49")
    assert lack('{ is = "basket_amount", min = "1", on = { sku = "x" } }') == ("basket_amount", "0.00", "1.00")


def test_basket_amount_looks_at_the_list_or_at_what_is_left() -> None:
    rules = """
[[rule]]
id = "a-half"
stage = "item"
then = [{ do = "percent", percent = "50%" }]
[[rule]]
id = "list"
stage = "customer"
when = [{ is = "basket_amount", min = "600.00" }]
then = [{ do = "percent", percent = "1%" }]
[[rule]]
id = "running"
stage = "order"
when = [{ is = "basket_amount", min = "600.00", base = "running" }]
then = [{ do = "percent", percent = "1%" }]
"""
    answer = quote(BASKET, None, programme(rules), NOBODY, NOW)
    assert answer.applied == ("a-half", "list")
    assert why(answer, "running") == ("basket_amount", "302.20", "600.00")  # 148.50 and 310.50 less 156.8025


def test_basket_qty_counts_pieces_and_a_weighed_line_as_one() -> None:
    assert lack('{ is = "basket_qty", min = "3" }') is None
    assert lack('{ is = "basket_qty", min = 4 }') == ("basket_qty", "3", "4")
    assert lack('{ is = "basket_qty", min = "0.345", measure = "weight" }') is None
    assert lack('{ is = "basket_qty", min = "0.346", measure = "weight" }') == ("basket_qty", "0.345", "0.346")


@pytest.mark.parametrize(
    ("when", "who", "said"),
    [
        ("member = true", None, ("customer", "no member", "a member")),
        ("member = true", member(), None),
        ("member = false", member(), ("customer", "a member", "no member")),
        ("member = false", None, None),
        ('tier = "gold"', member(tier="gold"), None),
        ('tier = "gold"', member(tier="silver"), ("customer", "tier silver", "tier gold")),
        ('tier = ["gold", "silver"]', member(tier="silver"), None),
        ('tier = ["gold", "silver"]', member(), ("customer", "tier none", "tier gold or silver")),
        ('tier_from = "silver"', member(tier="gold"), None),
        ('tier_from = "silver"', member(tier="silver"), None),
        ('tier_from = "silver"', member(tier="bronze"), ("customer", "tier bronze", "tier silver or higher")),
        ('tier_from = "bronze"', member(tier="unheard-of"), ("customer", "tier unheard-of", "tier bronze or higher")),
        ('tier_from = "bronze"', None, ("customer", "no member", "tier bronze or higher")),
        ('segment = "students"', member(segments=("students", "x")), None),
        ('segment = "students"', member(segments=("x",)), ("customer", "not in the segment", "segment students")),
        ("staff = true", member(staff=True), None),
        ("staff = true", member(), ("customer", "not staff", "staff")),
        ("staff = false", member(staff=True), ("customer", "staff", "not staff")),
    ],
)
def test_customer(when: str, who: Member | None, said: tuple[str, str, str] | None) -> None:
    assert lack(f'{{ is = "customer", {when} }}', who=who) == said


def test_when_is_the_shop_s_local_time() -> None:
    lunch = '{ is = "when", weekdays = ["sat"], from = "12:00", to = "12:31" }'
    assert lack(lunch) is None
    assert lack(lunch, at=datetime(2026, 11, 21, 9, 31, tzinfo=UTC)) == ("when", "2026-11-21 12:31", "sat 12:00-12:31")
    assert lack('{ is = "when", from = "12:00", to = "13:00", zone = "Asia/Vladivostok" }') == (
        "when", "2026-11-21 19:30", "12:00-13:00",
    )  # fmt: skip
    assert lack('{ is = "when", until = "2026-11-20" }') == ("when", "2026-11-21 12:30", "until 2026-11-20")


def test_not_all_and_any() -> None:
    cheap = '{ is = "basket_amount", max = "1" }'
    many = '{ is = "basket_qty", min = "2" }'
    assert lack(f'{{ is = "not", of = {cheap} }}') is None
    assert lack(f'{{ is = "not", of = {many} }}') == ("not", "basket_qty", "not basket_qty")
    assert lack(f'{{ is = "all", of = [{many}, {cheap}] }}') == ("basket_amount", "610.50", "at most 1.00")
    assert lack(f'{{ is = "any", of = [{cheap}, {many}] }}') is None
    assert lack(f'{{ is = "any", of = [{cheap}, {{ is = "customer", member = true }}] }}') == (
        "any", "610.50; no member", "at most 1.00 or a member",
    )  # fmt: skip


def test_all_conditions_of_a_rule_must_hold_and_the_first_that_fails_is_told() -> None:
    both = '{ is = "basket_qty", min = "9" }, { is = "customer", member = true }'
    assert lack(both) == ("basket_qty", "3", "9")
    assert lack(both.replace("9", "1")) == ("customer", "no member", "a member")
