"""Which lines a selector holds, asked of the index as a quote does."""

from __future__ import annotations

import pytest

from pos_loyalty.engine.model import Line
from pos_loyalty.engine.selectors import ALL, Goods, Selector, categories_of, found_by, index_of
from tests.worlds import line

LINES = (
    line("coffee", sku="4601", category="drinks/coffee", brand="Z", tags=("hot", "own")),
    line("tea", sku="4602", category="drinks/tea", tags=("hot",)),
    line("drink", sku="4603", category="drinks"),
    line("bread", sku="4604", category="bakery/bread", brand="Z"),
    line("odd", sku="4605", category="drinksother/coffee"),
    line("bare", sku="4606"),
)


def held(selector: Selector) -> list[str]:
    return [LINES[place].line_id for place in found_by(index_of([selector]), LINES).get(0, [])]


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
    ],
)
def test_a_selector_holds_its_lines(selector: Selector, lines: list[str]) -> None:
    assert held(selector) == lines


def test_selectors_are_found_together_by_number() -> None:
    index = index_of([Selector(sku="4601"), ALL, Selector(brand="nobody's"), Selector(tag="hot")])
    assert found_by(index, LINES[:2]) == {0: [0], 1: [0, 1], 3: [0, 1]}


def test_a_category_stands_under_all_above_it() -> None:
    assert list(categories_of("a/b/c")) == ["a/b/c", "a/b", "a"]
    assert list(categories_of("")) == []


def test_a_line_without_names_is_held_by_no_name() -> None:
    nameless = Line(line_id="1", sku="x", quantity_milli=LINES[0].quantity_milli, price_minor=LINES[0].price_minor)
    assert found_by(index_of([Selector(brand="Z"), Selector(category="drinks")]), [nameless]) == {}
