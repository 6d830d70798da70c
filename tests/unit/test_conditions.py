"""Conditions of a rule in a quote: which rules act, and what the refusal of the others says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, ManualOff, Member
from pos_loyalty.values import Minor
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
    assert lack('{ is = "basket_amount", max = "610.49" }') == ("basket_amount", "610.50", "at_most:610.49")
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
    assert lack('{ is = "basket_qty", min = "0.346", measure = "weight" }') == ("basket_qty", "weight:0.345", "weight:0.346")


def test_customer() -> None:
    assert lack('{ is = "customer", member = true }') == ("customer", "none", "member")
    assert lack('{ is = "customer", member = true }', who=member()) is None
    assert lack('{ is = "customer", tier_from = "silver" }', who=member(tier="gold")) is None
    assert lack('{ is = "customer", tier_from = "silver" }', who=member(tier="bronze")) == (
        "customer", "tier:bronze", "tier_from:silver",
    )  # fmt: skip


def test_when_is_the_shop_s_local_time() -> None:
    lunch = '{ is = "when", weekdays = ["sat"], from = "12:00", to = "12:31" }'
    assert lack(lunch) is None
    assert lack(lunch, at=datetime(2026, 11, 21, 9, 31, tzinfo=UTC)) == ("when", "2026-11-21 12:31", "when:sat|12:00-12:31")
    assert lack('{ is = "when", from = "12:00", to = "13:00", zone = "Asia/Vladivostok" }') == (
        "when", "2026-11-21 19:30", "when:12:00-13:00|@Asia/Vladivostok",
    )  # fmt: skip
    assert lack('{ is = "when", until = "2026-11-20" }') == ("when", "2026-11-21 12:30", "when:..2026-11-20")


def test_not_all_and_any() -> None:
    cheap = '{ is = "basket_amount", max = "1" }'
    many = '{ is = "basket_qty", min = "2" }'
    assert lack(f'{{ is = "not", of = {cheap} }}') is None
    assert lack(f'{{ is = "not", of = {many} }}') == ("not", "holds:basket_qty", "not:basket_qty")
    assert lack(f'{{ is = "all", of = [{many}, {cheap}] }}') == ("basket_amount", "610.50", "at_most:1.00")
    assert lack(f'{{ is = "any", of = [{cheap}, {many}] }}') is None
    assert lack(f'{{ is = "any", of = [{cheap}, {{ is = "customer", member = true }}] }}') == (
        "any", "610.50 / none", "at_most:1.00 / member",
    )  # fmt: skip


def test_all_conditions_of_a_rule_must_hold_and_the_first_that_fails_is_told() -> None:
    both = '{ is = "basket_qty", min = "9" }, { is = "customer", member = true }'
    assert lack(both) == ("basket_qty", "3", "9")
    assert lack(both.replace("9", "1")) == ("customer", "none", "member")


def test_a_rule_that_is_asked_what_nobody_knows_is_refused() -> None:
    assert lack('{ is = "history", visits = 3, days = 30 }', who=member()) == ("history", "unknown", "visits:3")
    assert lack('{ is = "uses", scope = "day", max = 3 }') == ("uses", "unknown", "uses:3")
    assert lack('{ is = "not", of = { is = "birthday" } }') == ("not", "none", "not:birthday")


SOAP_HALVED = """
[[rule]]
id = "halved"
stage = "item"
then = [{ do = "percent", percent = "50%", on = { category = "soap" }, max_units = 1 }]
"""
SOAP = line("soap", 10_000, "2", category="soap")


@pytest.mark.parametrize(
    ("stage", "when", "told"),
    [
        ("order", 'is = "basket_qty", min = 2, on = { not_discounted = true }', ("basket_qty", "1", "2")),
        ("customer", 'is = "basket_qty", min = 2, on = { discounted = true }', ("basket_qty", "1", "2")),
        ("order", 'is = "basket_amount", min = "100.00", on = { not_discounted = true }', None),
        ("order", 'is = "basket_amount", min = "100.01", on = { not_discounted = true }', ("basket_amount", "100.00", "100.01")),
        (
            "order",
            'is = "basket_amount", min = "50.01", base = "running", on = { discounted = true }',
            ("basket_amount", "50.00", "50.01"),
        ),
        ("order", 'is = "contains", goods = [{ on = { discounted = true } }, { on = { not_discounted = true } }]', None),
        (
            "order",
            'is = "contains", goods = [{ on = { not_discounted = true }, count = 2 }]',
            ("contains", "goods:1", "goods:2"),
        ),
        ("customer", 'is = "contains", goods = [{ on = { discounted = true } }]', None),
        ("item", 'is = "basket_qty", min = 2, on = { not_discounted = true }', None),
    ],
)
def test_conditions_see_which_units_earlier_stages_reduced(stage: str, when: str, told: tuple[str, str, str] | None) -> None:
    """Of two soaps at 100.00 one was halved in stage item; the rule stands in another pool, for it stacks."""
    rule = f'[[rule]]\nid = "r"\nstage = "{stage}"\nwhen = [{{ {when} }}]\nthen = [{{ do = "percent", percent = "1%" }}]'
    answer = quote(basket(SOAP), None, programme(SOAP_HALVED + rule), NOBODY, NOW)
    assert why(answer, "r") == told


@pytest.mark.parametrize(("word", "told"), [("basket_amount", ("0.00", "1.00")), ("basket_qty", ("0", "1"))])
def test_what_the_host_or_the_cashier_took_something_off_is_discounted_too(word: str, told: tuple[str, str]) -> None:
    rules = """
[[rule]]
id = "clean"
when = [{ is = "WORD", min = "1", on = { not_discounted = true } }]
then = [{ do = "points", rate = "1%" }]
"""
    untouched, before = line("1"), line("1", prior_off_minor=Minor(1))
    by_hand = (ManualOff(line_id="1", off_minor=Minor(1)),)
    asked = programme(rules.replace("WORD", word) + '[caps]\nmanual = { "" = "100%" }')
    assert why(quote(basket(untouched), member(), asked, NOBODY, NOW), "clean") is None
    assert why(quote(basket(before), member(), asked, NOBODY, NOW), "clean") == (word, *told)
    assert why(quote(basket(untouched, manual=by_hand), member(), asked, NOBODY, NOW), "clean") == (word, *told)


@pytest.mark.parametrize(("word", "told"), [("basket_amount", ("0.00", "1.00")), ("basket_qty", ("0", "1"))])
def test_before_any_stage_only_the_host_s_own_price_cuts_are_discounts(word: str, told: tuple[str, str]) -> None:
    when = f'{{ is = "{word}", min = "1", on = {{ not_discounted = true }} }}'
    rules = f'[[rule]]\nid = "r"\nstage = "item"\nwhen = [{when}]\nthen = [{{ do = "percent", percent = "1%" }}]'
    assert why(quote(basket(line("1")), None, programme(rules), NOBODY, NOW), "r") is None
    before = basket(line("1", prior_off_minor=Minor(1)))
    assert why(quote(before, None, programme(rules), NOBODY, NOW), "r") == (word, *told)
