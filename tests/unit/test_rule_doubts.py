"""Doubts about rules whose parts do not fit together, each with its place; and none about the nearest rule that is meant so."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pos_loyalty.engine.rule_doubts import apart
from pos_loyalty.engine.selectors import Goods, Selector
from pos_loyalty.engine.warnings import FAULTS_MAX, looked_through
from tests.unit.test_warnings import HEAD, doubts_of, rule

DOC = (Path(__file__).parents[2] / "docs" / "programme.md").read_text(encoding="utf-8")


def counting(on: str, then: str, added: str) -> str:
    when = f'{{ is = "counter", key = "k", n = 6, on = {{ {on} }} }}'
    adding = rule("add", f'do = "counter_add", key = "k", on = {{ {added} }}', stage="")
    return rule("r", f'do = "percent", percent = "100%", on = {{ {then} }}', when=when) + adding


COFFEE, TEA = 'category = "drinks/coffee"', 'category = "drinks/tea"'
MULTIPLIER = rule("r", 'do = "points", multiplier = "2"', stage="") + '[redeem]\nlimit = "30%"\n'
PAID = '{ is = "customer", paid = true }'
PLAN = '[[plan]]\nid = "p"\nsku = "1"\ndays = 30\n'
DOUBTS = [
    (counting(COFFEE, TEA, COFFEE), "rule[0].when[0].on", "none of them is among the goods of then[0]"),
    (counting(TEA, TEA, COFFEE), "rule[0].when[0].on", 'no rule adds these goods to the counter "k"'),
    (rule("r", when='{ is = "budget" }'), "rule[0].when[0]", "has no budget"),
    (rule("r", when='{ is = "any", of = [{ is = "basket_qty", min = 2 }, { is = "budget" }] }'), "rule[0].when[0]", "has no budget"),
    (rule("r", 'do = "fixed_price", price = "50", on = { price_to = "50" }'), "rule[0].then[0].price", "the goods cost 50.00 or less already"),
    (MULTIPLIER, "rule[0].then[0].multiplier", "nothing to multiply"),
    (MULTIPLIER + rule("s", 'do = "points", fixed = "5"', stage=""), "rule[0].then[0].multiplier", "nothing to multiply"),
    (rule("r", 'do = "percent", percent = "5%", which = "dearest"'), "rule[0].then[0].which", "there is no max_units"),
    (rule("r", when=PAID), "rule[0].when[0]", "no [[plan]]"),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), DOUBTS, ids=[f"{place} {text}"[:60] for _, place, text in DOUBTS])
def test_parts_that_do_not_fit_are_doubted(toml: str, place: str, sentence: str) -> None:
    assert sentence in doubts_of(toml)[place]


IN_ORDER = [
    counting('category = "drinks"', COFFEE, COFFEE),
    counting(COFFEE, 'category = "drinks"', f'{COFFEE}, tag = "hot"'),
    counting(COFFEE, 'tag = "hot"', COFFEE),
    rule("r", when='{ is = "budget" }', more='budget = "10"'),
    rule("r", 'do = "fixed_price", price = "49.99", on = { price_to = "50" }'),
    MULTIPLIER + rule("s", 'do = "points", rate = "1%"', stage=""),
    MULTIPLIER + rule("s", 'do = "points", fixed = "1", per = "unit"', stage=""),
    MULTIPLIER + rule("s", 'do = "points", steps = [{ from = "1", rate = "1%" }]', stage=""),
    rule("r", 'do = "percent", percent = "5%", which = "dearest", max_units = 1'),
    rule("r", when=PAID) + PLAN,
    rule("r", when='{ is = "customer", paid = false }'),
]


@pytest.mark.parametrize("toml", IN_ORDER)
def test_the_nearest_rule_that_is_meant_so_is_not(toml: str) -> None:
    assert doubts_of(toml) == {}


@pytest.mark.parametrize(
    ("one", "other", "is_apart"),
    [
        (Selector(sku="1"), Selector(sku=("2", "3")), True),
        (Selector(sku="1"), Selector(sku=("1", "3")), False),
        (Selector(brand="A"), Selector(brand="B"), True),
        (Selector(tag="a"), Selector(tag="b"), False),
        (Selector(sku="1"), Selector(category="c"), False),
        (Selector(category="a/b"), Selector(category="a/bc"), True),
        (Selector(category="a/b"), Selector(category="a"), False),
        (Selector(category="a", exclude=Goods(category="a/b")), Selector(category="a/b"), True),
        (Selector(), Selector(sku="1"), False),
        (Selector(exclude=Goods(sku="1")), Selector(sku="1"), True),
    ],
)
def test_goods_are_apart_only_where_no_line_can_be_both(one: Selector, other: Selector, is_apart: bool) -> None:
    assert (apart(one, other), apart(other, one)) == (is_apart, is_apart)


def test_the_examples_of_the_page_raise_none_of_these_doubts() -> None:
    (head,) = re.findall(r"```toml head\n(.*?)```", DOC, re.DOTALL)
    shown = (
        "none of them is among",
        "adds these goods",
        "no budget",
        "or less already",
        "to multiply",
        "no max_units",
        "no [[plan]]",
    )
    for example in re.findall(r"```toml example\n(.*?)```", DOC, re.DOTALL):
        texts = [each.text for each in looked_through((head + example).encode()).warnings]
        assert [text for text in texts if any(part in text for part in shown)] == [], example


@pytest.mark.parametrize(("then", "count"), [('do = "percent", percent = "0%"', 150), ('do = "percent", percent = "x"', 150), ('do = "percent", percent = "0%"', 40)])  # fmt: skip
def test_faults_that_are_not_listed_are_counted(then: str, count: int) -> None:
    toml = "".join(rule(f"r{number}", then) for number in range(count))
    found = looked_through((HEAD + toml).encode())
    assert (len(found.faults), found.more_faults) == (min(count, FAULTS_MAX), max(0, count - FAULTS_MAX))
