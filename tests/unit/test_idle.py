"""Why a rule that holds takes nothing off: what its goods are, how many there are, what they cost already."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.explain import told
from pos_loyalty.engine.model import Line, Quote
from tests.worlds import NOBODY, NOW, basket, line, programme, why

TEA_FIRST = '[[rule]]\nid = "first"\nstage = "item"\nthen = [{ do = "percent", percent = "50%", on = { category = "tea" } }]\n'


def rule(then: str, stage: str = "item") -> str:
    return f'[[rule]]\nid = "r"\nstage = "{stage}"\nthen = [{{ {then} }}]\n'


def ask(tables: str, *lines: Line) -> Quote:
    return quote(basket(*lines), None, programme(tables), NOBODY, NOW)


def text(tables: str, *lines: Line, language: str = "ru") -> str:
    answer = ask(tables, *lines)
    return next(each.text for each in told(answer, programme(tables), language) if each.kind == "refusal")  # type: ignore[arg-type]


TEA, MILK = line("1", 10_000, "2", category="tea"), line("2", 5_000, category="milk")


@pytest.mark.parametrize("stage", ["item", "customer", "order"])
@pytest.mark.parametrize("effect", ['do = "percent", percent = "10%"', 'do = "percent", percent = "10%", max_amount = "5.00"'])
def test_goods_that_nothing_has_reduced(stage: str, effect: str) -> None:
    on = f"{effect}, on = {{ discounted = true }}"
    answer = ask(rule(on, stage), TEA)
    assert why(answer, "r") == ("goods", "not_discounted", "discounted")
    assert text(rule(on, stage), TEA).endswith("действует на уже уценённые товары, а таких в чеке нет")


@pytest.mark.parametrize("stage", ["customer", "order"])
def test_goods_that_are_reduced_already(stage: str) -> None:
    tables = TEA_FIRST + rule('do = "percent", percent = "10%", on = { not_discounted = true }', stage)
    assert why(ask(tables, TEA), "r") == ("goods", "discounted", "not_discounted")
    assert why(ask(tables, TEA, MILK), "r") is None
    assert text(tables, TEA, language="en").endswith("acts on goods that nothing has reduced; these are reduced already")
    by_host = line("1", 10_000, prior_off_minor=100)
    alone = rule('do = "percent", percent = "10%", on = { not_discounted = true }', stage)
    assert why(ask(alone, by_host), "r") == ("goods", "discounted", "not_discounted")


def test_units_for_a_group_that_are_not_reduced() -> None:
    tables = rule('do = "n_for_m", n = 3, on = { discounted = true }')
    assert why(ask(tables, line("1", 10_000, "3")), "r") == ("goods", "not_discounted", "discounted")
    assert why(ask(tables, line("1", 10_000), line("2", 10_000, prior_off_minor=100)), "r") == ("quantity", "1", "3")


def test_goods_of_an_order_rule_that_cost_nothing_are_not_said_to_be_reduced() -> None:
    tables = rule('do = "percent", percent = "10%", on = { discounted = true }', "order")
    assert why(ask(tables, line("1", 0), MILK), "r") == ("goods", "not_discounted", "discounted")
    assert why(ask(tables, line("1", 0)), "r") == ("nothing_left", "0.00", "0.01")


def test_a_fixed_price_that_is_no_lower() -> None:
    fixed = rule('do = "fixed_price", price = "100.00"')
    assert why(ask(fixed, TEA, MILK), "r") == ("price", "100.00", "100.00"), "the dearest is told"
    assert why(ask(fixed, line("3", 10_001), MILK), "r") is None
    limited = rule('do = "fixed_price", price = "60.00", max_units = 1')
    assert why(ask(limited, MILK), "r") == ("price", "50.00", "60.00")
    assert text(limited, MILK) == "«r»: сейчас и так 50,00, цена по акции 60,00"
    assert text(limited, MILK, language="en") == "“r”: costs 50.00 as it is, 60.00 by the offer"
    later = rule('do = "fixed_price", price = "60.00"', "customer")
    assert why(ask(TEA_FIRST + later, TEA), "r") == ("price", "50.00", "60.00"), "after the first rule"


def test_where_a_floor_keeps_it_nothing_is_left() -> None:
    fixed = rule('do = "fixed_price", price = "60.00"')
    assert why(ask(fixed, line("1", 10_000, floor_minor=10_000)), "r") == ("nothing_left", "0.00", "0.01")


def test_two_effects_have_one_reason_only_when_each_has_its_own() -> None:
    fixed = 'do = "fixed_price", price = "60.00", on = { category = "milk" }'
    percent = 'do = "percent", percent = "10%", on = { category = "tea" }'
    tables = rule(f"{fixed} }}, {{ {percent}")
    shut = line("3", 10_000, category="tea", floor_minor=10_000)
    assert why(ask(tables, MILK, shut), "r") == ("nothing_left", "0.00", "0.01")


LUNCH = 'do = "bundle", {}, slots = [{{ on = {{ category = "tea" }}, count = 2 }}, {{ on = {{ category = "milk" }} }}]'


def test_a_set_that_costs_no_more_already() -> None:
    tables = rule(LUNCH.format('fixed = "250.00"'))
    assert why(ask(tables, TEA, MILK), "r") == ("price", "250.00", "250.00")
    dearer = line("3", 12_000, category="tea")
    assert why(ask(rule(LUNCH.format('fixed = "300.00"')), TEA, MILK, dearer), "r") == ("price", "270.00", "300.00")


def test_a_set_says_which_goods_are_missing() -> None:
    tables = rule(LUNCH.format('percent = "10%"'))
    assert why(ask(tables, TEA), "r") == ("quantity", "goods:2|0", "goods:2|1")
    assert text(tables, TEA) == "«r»: в наборе не хватает: 2-го товара (milk) — 1 шт."
    assert text(tables, MILK, language="en") == "“r”: missing from the set: 2 of the 1st (tea) goods"
    one = line("1", 10_000, category="tea")
    assert text(tables, one) == "«r»: в наборе не хватает: 1-го товара (tea) — 1 шт. и 2-го товара (milk) — 1 шт."


def test_a_unit_fills_one_slot() -> None:
    tables = rule('do = "bundle", percent = "10%", slots = [{ on = { category = "milk" } }, { on = { sku = ["1", "2"] } }]')
    assert why(ask(tables, MILK), "r") == ("quantity", "goods:1|0", "goods:1|1")
    assert why(ask(tables, MILK, TEA), "r") is None
    assert text(tables, MILK) == "«r»: в наборе не хватает: 2-го товара (1 или 2) — 1 шт."


def test_a_gift_that_had_to_be_bought_is_no_gift() -> None:
    tables = rule('do = "gift", buy = [{ on = { category = "tea" }, count = 2 }], on = { category = "tea" }')
    assert why(ask(tables, TEA), "r") == ("goods", "0", "1")
    assert why(ask(tables, TEA, line("3", 9_000, category="tea")), "r") is None
    short = line("3", 9_000, category="tea")
    assert text(tables, short) == "«r»: нужно 2 шт. (tea), в чеке 1"
    assert text(tables, short, language="en") == "“r”: needs 2 (tea), the receipt has 1"


def test_a_set_in_a_condition_is_named_too() -> None:
    when = 'when = [{ is = "contains", goods = [{ on = { brand = "Alpha" } }, { on = { tag = ["a", "b", "c", "d"] } }] }]'
    tables = rule('do = "percent", percent = "10%"').replace("then", f"{when}\nthen")
    assert text(tables, TEA) == "«r»: в наборе не хватает: 1-го товара (Alpha) — 1 шт. и 2-го товара — 1 шт."
