"""Which lines a selector holds, asked of the index as a quote does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.figures import MoneyFigure
from pos_loyalty.engine.model import Line, Purchase
from pos_loyalty.engine.selectors import ALL, Goods, Selector, categories_of, found_by, index_of, sieve_of
from tests.worlds import line

LINES = (
    line("coffee", sku="4601", category="drinks/coffee", brand="Z", tags=("hot", "own")),
    line("tea", sku="4602", category="drinks/tea", tags=("hot",)),
    line("drink", sku="4603", category="drinks"),
    line("bread", sku="4604", category="bakery/bread", brand="Z"),
    line("odd", sku="4605", category="drinksother/coffee"),
    line("bare", 9_999, sku="4606"),
)
RESTRICTED = {"alcohol": Selector(category="drinksother"), "tobacco": Selector(category="drinks", exclude=Goods(brand="Z"))}
"""For these tests alone; see also the real ones in a programme's [floors]."""


def held(selector: Selector) -> list[str]:
    return [LINES[place].line_id for place in found_by(index_of([selector], RESTRICTED), LINES).get(0, [])]


@pytest.mark.parametrize(
    ("selector", "lines"),
    [
        (ALL, ["coffee", "tea", "drink", "bread", "odd", "bare"]),
        (Selector(sku="4602"), ["tea"]),
        (Selector(sku=("4602", "4606", "9999")), ["tea", "bare"]),
        (Selector(category="drinks"), ["coffee", "tea", "drink"]),
        (Selector(category="drinks/coffee"), ["coffee"]),
        (Selector(category="coffee"), []),
        (Selector(brand="Z"), ["coffee", "bread"]),
        (Selector(tag="hot"), ["coffee", "tea"]),
        (Selector(tag=("own", "hot")), ["coffee", "tea"]),
        (Selector(sku="4606", brand="Z"), ["coffee", "bread", "bare"]),
        (Selector(category="drinks", exclude=Goods(category="drinks/coffee")), ["tea", "drink"]),
        (Selector(exclude=Goods(tag="hot", sku="4606")), ["drink", "bread", "odd"]),
        (Selector(brand="Z", exclude=Goods(brand="Z")), []),
        (Selector(category=("drinks", "drinks/coffee")), ["coffee", "tea", "drink"]),
        (Selector(exclude=Goods(category="drinks")), ["bread", "odd", "bare"]),
        (Selector(price_from=MoneyFigure(10_000)), ["coffee", "tea", "drink", "bread", "odd"]),
        (Selector(price_from=MoneyFigure(10_001)), []),
        (Selector(price_to=MoneyFigure(9_999)), ["bare"]),
        (Selector(price_to=MoneyFigure(9_998)), []),
        (Selector(category="drinks", price_from=MoneyFigure(5), price_to=MoneyFigure(10_000)), ["coffee", "tea", "drink"]),
        (Selector(brand="Z", price_to=MoneyFigure(9_999)), []),
        (Selector(not_restricted="alcohol"), ["coffee", "tea", "drink", "bread", "bare"]),
        (Selector(not_restricted=("alcohol", "tobacco")), ["coffee", "bread", "bare"]),
        (Selector(category="drinks", not_restricted="tobacco"), ["coffee"]),
        (Selector(tag="hot", not_restricted="alcohol"), ["coffee", "tea"]),
        (Selector(brand="Z", not_discounted=True), ["coffee", "bread"]),
    ],
)
def test_a_selector_holds_its_lines(selector: Selector, lines: list[str]) -> None:
    assert held(selector) == lines


def test_selectors_are_found_together_by_number() -> None:
    index = index_of([Selector(sku="4601"), ALL, Selector(brand="nobody's"), Selector(tag="hot")])
    assert found_by(index, LINES[:2]) == {0: [0], 1: [0, 1], 3: [0, 1]}


def test_selectors_of_all_goods_but_some_are_found_too() -> None:
    but_hot, dear = Selector(exclude=Goods(tag="hot")), Selector(price_from=MoneyFigure(10_000))
    index = index_of([but_hot, dear, Selector(exclude=Goods(tag="hot"), discounted=True), Selector(exclude=Goods(sku="4606"))])
    assert found_by(index, LINES[1:3]) == {0: [1], 1: [0, 1], 2: [1], 3: [0, 1]}
    assert index.dynamic == {2: "discounted"}
    assert found_by(index, LINES[5:]) == {0: [0], 2: [0]}


@pytest.mark.parametrize("hidden", [(), (0,), (1, 3), tuple(range(6))])
def test_a_hidden_line_is_held_by_nothing(hidden: tuple[int, ...]) -> None:
    index = index_of([ALL, Selector(brand="Z"), Selector(exclude=Goods(tag="hot")), Selector(category="drinks")])
    whole, seen = found_by(index, LINES), found_by(index, LINES, hidden)
    expected = {number: [place for place in places if place not in hidden] for number, places in whole.items()}
    assert seen == {number: places for number, places in expected.items() if places}


@pytest.mark.parametrize("selector", [ALL, Selector(sku="4601"), Selector(category="drinks", exclude=Goods(tag="hot"))])
@pytest.mark.parametrize("kind", [None, "alcohol", "tobacco"])
def test_one_question_and_the_index_agree(selector: Selector, kind: str | None) -> None:
    asked = replace(selector, not_restricted=kind)
    sieve = sieve_of(asked, RESTRICTED)
    assert [each.line_id for each in LINES if sieve.has(each)] == held(asked)
    always = sieve_of(selector, RESTRICTED, (kind,) if kind else ())
    bought = {each.line_id: Purchase(day="2026-11-20", sku=each.sku, category=each.category, brand=each.brand, tags=each.tags)
              for each in LINES}  # fmt: skip
    assert [name for name, each in bought.items() if always.had(each)] == held(asked)


def test_a_category_stands_under_all_above_it() -> None:
    assert list(categories_of("a/b/c")) == ["a/b/c", "a/b", "a"]
    assert list(categories_of("")) == []


def test_a_line_without_names_is_held_by_no_name() -> None:
    nameless = Line(line_id="1", sku="x", quantity_milli=LINES[0].quantity_milli, price_minor=LINES[0].price_minor)
    assert found_by(index_of([Selector(brand="Z"), Selector(category="drinks")]), [nameless]) == {}
