"""Hints: what to add, what it saves, and when it is not worth telling."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, Quote
from tests.worlds import NOBODY, NOW, basket, line, programme

TWO_PLUS_ONE = '[[rule]]\nid = "two-plus-one"\nstage = "item"\nthen = [{ do = "n_for_m", n = 3, on = { category = "tea" } }]\n'


def ask(tables: str, *lines: Line) -> Quote:
    return quote(basket(*lines), None, programme(tables), NOBODY, NOW)


def told(answer: Quote) -> list[tuple[str, str | None, str | None, int | None, int]]:
    return [
        (
            hint.rule,
            hint.add.sku,
            hint.add.quantity_milli.text if hint.add.quantity_milli is not None else None,
            hint.add.amount_minor,
            hint.saves_minor,
        )
        for hint in answer.hints
    ]


def test_the_third_unit_is_free() -> None:
    assert told(ask(TWO_PLUS_ONE, line("1", 15_000, "2", category="tea"))) == [("two-plus-one", "1", "1", None, 15_000)]


def test_the_cheapest_matching_goods_are_named() -> None:
    answer = ask(TWO_PLUS_ONE, line("dear", 20_000, category="tea"), line("cheap", 9_000, category="tea/green"))
    assert told(answer) == [("two-plus-one", "cheap", "1", None, 9_000)]


def test_nothing_is_said_where_nothing_is_missing_or_too_much() -> None:
    assert told(ask(TWO_PLUS_ONE, line("1", 15_000, "3", category="tea"))) == []
    assert told(ask(TWO_PLUS_ONE, line("1", 15_000, category="bread"))) == []


def test_money_that_is_missing_and_what_it_saves() -> None:
    rule = """
[[rule]]
id = "from-1000"
stage = "order"
when = [{ is = "basket_amount", min = "1000.00" }]
then = [{ do = "percent", percent = "10%" }]
"""
    assert told(ask(rule, line("1", 90_000))) == [("from-1000", None, None, 10_000, 10_000)]
    assert told(ask(rule, line("1", 70_000))) == [("from-1000", None, None, 30_000, 10_000)]
    assert told(ask(rule, line("1", 60_000))) == []  # 100.00 saved for 400.00 more is not worth it
    assert told(ask('[hints]\nworth = "25%"\n' + rule, line("1", 60_000))) == [("from-1000", None, None, 40_000, 10_000)]
    assert told(ask("[hints]\nmost = 0\n" + rule, line("1", 90_000))) == []


def ladder(more: str = "", on: str = "") -> str:
    then = f'do = "ladder", steps = [{{ from = "1000.00", percent = "5%" }}, {{ from = "3000.00", percent = "7%" }}]{on}{more}'
    return f'[hints]\nworth = "10%"\n[[rule]]\nid = "steps"\nstage = "order"\nthen = [{{ {then} }}]\n'


@pytest.mark.parametrize("base", ["list", "running"])
def test_money_that_is_missing_to_the_first_step_of_a_ladder(base: str) -> None:
    rule = """[hints]
worth = "10%"
[[rule]]
id = "steps"
stage = "order"
when = [{ is = "basket_amount", min = "1000.00" }]
then = [{ do = "percent", percent = "5%" }]
"""
    stepped = ladder(f', base = "{base}"')
    for price in (94_900, 99_999, 1_000):
        assert told(ask(stepped, line("1", price))) == told(ask(rule, line("1", price)))
    assert told(ask(stepped, line("1", 94_900))) == [("steps", None, None, 5_100, 5_000)]
    assert told(ask(stepped, line("1", 100_000))) == [], "the first step is reached"


def test_a_ladder_on_some_goods_asks_for_money_of_those() -> None:
    answer = ask(ladder(on=', on = { category = "tea" }'), line("1", 94_900, category="tea"), line("2", 50_000))
    assert told(answer) == [("steps", None, None, 5_100, 5_000)]


def test_nothing_in_a_basket_makes_up_for_earlier_purchases() -> None:
    for by in ("spent", "visits"):
        assert told(ask(ladder(f', by = "{by}"').replace("00.00", "00"), line("1", 94_900))) == []


def test_what_a_better_offer_takes_is_not_counted_as_saved() -> None:
    better = '[[rule]]\nid = "half"\nstage = "item"\nthen = [{ do = "percent", percent = "50%", on = { category = "tea" } }]\n'
    assert told(ask(TWO_PLUS_ONE + better, line("1", 15_000, "2", category="tea"))) == []


def test_a_gift_that_is_not_there_is_suggested() -> None:
    rule = """
[[rule]]
id = "gift"
stage = "item"
then = [{ do = "gift", buy = [{ on = { sku = "a" } }], on = { sku = "b" }, worth = "80.00" }]
"""
    answer = ask(rule, line("a", 4_000))
    assert told(answer) == [("gift", "b", "1", None, 8_000)]
    assert answer.total_minor == 4_000


def test_a_rule_that_asks_for_it_is_suggested_when_only_its_goods_are_missing() -> None:
    rule = """
[[rule]]
id = "lip-balm"
stage = "item"
suggest = true
when = [{ is = "basket_amount", min = "100.00" }]
then = [{ do = "fixed_price", price = "49.00", on = { sku = "balm" } }]
"""
    assert told(ask(rule, line("1", 20_000))) == [("lip-balm", "balm", "1", None, 0)]
    assert told(ask(rule, line("1", 2_000))) == []
    assert told(ask(rule, line("1", 20_000), line("balm", 9_900))) == []


def test_only_the_two_cheapest_are_told() -> None:
    rules = "".join(
        f'[[rule]]\nid = "r{n}"\nstage = "item"\nthen = [{{ do = "n_for_m", n = 2, on = {{ sku = "s{n}" }} }}]\n'
        for n in range(4)
    )
    answer = ask(rules, *(line(str(n), 1_000 * (4 - n), sku=f"s{n}") for n in range(4)))
    assert [hint.rule for hint in answer.hints] == ["r2", "r3"]


def test_a_hint_counts_the_price_tag_and_no_other_offer() -> None:
    tag = '''
[[price_list]]
id = "tags"
rows = """
sku,store,since,until,price,member_price
tea,,,,50.00,
"""
'''
    pair = '[[rule]]\nid = "pair"\nstage = "item"\nthen = [{ do = "n_for_m", n = 2, percent = "70%" }]\n'
    assert told(ask(tag + pair, line("1", 10_000, sku="tea"))) == [("pair", "tea", "1", None, 3_500)]
    rules = """
[[rule]]
id = "half-tea"
stage = "item"
then = [{ do = "percent", percent = "50%", on = { category = "tea" } }]
[[rule]]
id = "from-500"
stage = "order"
when = [{ is = "basket_amount", min = "500.00" }]
then = [{ do = "amount", amount = "40.00" }]
"""
    assert told(ask(rules, line("1", 40_000, category="tea"))) == [("from-500", None, None, 10_000, 4_000)]


def test_a_gift_at_a_share_saves_that_share() -> None:
    rule = """
[[rule]]
id = "gift"
stage = "item"
then = [{ do = "gift", buy = [{ on = { sku = "a" } }], on = { sku = "b" }, percent = "50%", worth = "300.00" }]
"""
    assert told(ask(rule, line("a", 4_000))) == [("gift", "b", "1", None, 15_000)]
