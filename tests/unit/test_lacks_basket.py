"""Conditions on what is in the basket: what holds, what is told, and how far it is."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from pos_loyalty.engine.situation import Lack
from tests.unit.conditions import Said, lack, nth_units, said
from tests.worlds import basket, line, member

COFFEE = line("1", 15_000, "2", category="drinks/coffee")
CHEESE = line("2", 90_000, "0.345", category="dairy/cheese", measure="weight")
TEA = line("3", 5_000, "1", category="drinks/tea")
BASKET = basket(COFFEE, CHEESE)
"""300.00 of coffee, 310.50 of cheese."""


def distance(found: Lack | None) -> tuple[int, int]:
    """(money, thousandths) that would make it hold."""
    assert found is not None
    return found.amount_minor, found.quantity_milli


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('min = "610.50"', None),
        ('min = "610.51"', ("610.50", "610.51")),
        ('max = "610.50"', None),
        ('max = "610.49"', ("610.50", "at_most:610.49")),
        ('min = "300.00", max = "300.00", on = { category = "drinks" }', None),
        ('min = "1", on = { sku = "nothing" }', ("0.00", "1.00")),
    ],
)
def test_the_ends_of_an_amount_are_inside(when: str, told: Said) -> None:
    assert said(f'is = "basket_amount", {when}', BASKET) == told


def test_an_amount_is_as_far_as_what_is_missing_and_too_much_is_unreachable() -> None:
    short = lack('is = "basket_amount", min = "700.00"', BASKET)
    assert distance(short) == (8_950, 0)
    assert short is not None and short.selector >= 0
    far = lack('is = "basket_amount", max = "1.00"', BASKET)
    assert distance(far) == (0, 0)
    assert far is not None and far.selector == -1


def test_an_amount_is_counted_before_discounts_or_after_earlier_stages() -> None:
    left = {"running_minor": [15_000, 31_050]}
    assert said('is = "basket_amount", min = "600.00"', BASKET, **left) is None
    assert said('is = "basket_amount", min = "600.00", base = "running"', BASKET, **left) == ("460.50", "600.00")


ONE_REDUCED = {"running_minor": [22_500, 31_050], "clean_minor": [15_000, 31_050], "clean_units": [1, 1]}
"""One of the two coffees was halved by an earlier stage."""


@pytest.mark.parametrize(
    ("on", "base", "have"),
    [
        ("not_discounted = true", "list", "460.50"),
        ("not_discounted = true", "running", "460.50"),
        ("discounted = true", "list", "150.00"),
        ("discounted = true", "running", "75.00"),
        ('discounted = true, category = "dairy"', "list", "0.00"),
    ],
)
def test_an_amount_of_units_that_were_reduced_or_not(on: str, base: str, have: str) -> None:
    when = f'is = "basket_amount", min = "999.00", base = "{base}", on = {{ {on} }}'
    assert said(when, BASKET, **ONE_REDUCED) == (have, "999.00")


def test_before_any_discount_everything_is_not_discounted() -> None:
    assert said('is = "basket_amount", min = "610.51", on = { not_discounted = true }', BASKET) == ("610.50", "610.51")
    assert said('is = "basket_amount", min = "1", on = { discounted = true }', BASKET) == ("0.00", "1.00")
    assert distance(lack('is = "basket_amount", min = "1", on = { discounted = true }', BASKET)) == (0, 0), "nothing to buy"


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('min = "3"', None),
        ("min = 4", ("3", "4")),
        ('min = "2", on = { category = "dairy" }', ("1", "2")),
        ('min = "0.345", measure = "weight"', None),
        ('min = "0.346", measure = "weight"', ("weight:0.345", "weight:0.346")),
        ('min = "1", measure = "weight", on = { category = "drinks" }', ("weight:0", "weight:1")),
    ],
)
def test_pieces_count_each_and_a_weighed_line_once(when: str, told: Said) -> None:
    assert said(f'is = "basket_qty", {when}', BASKET) == told


def test_a_number_of_units_is_as_far_as_what_is_missing() -> None:
    assert distance(lack("is = 'basket_qty', min = 5", BASKET)) == (0, 2_000)
    assert distance(lack("is = 'basket_qty', min = '1', measure = 'weight'", BASKET)) == (0, 655)


def test_units_that_were_reduced_are_counted_apart() -> None:
    assert said("is = 'basket_qty', min = 9, on = { not_discounted = true }", BASKET, **ONE_REDUCED) == ("2", "9")
    assert said("is = 'basket_qty', min = 9, on = { discounted = true }", BASKET, **ONE_REDUCED) == ("1", "9")
    kilos = "is = 'basket_qty', min = '9', measure = 'weight', on = { discounted = true }"
    assert said(kilos, BASKET, clean_minor=[30_000, 0], clean_units=[2, 0]) == ("weight:0.345", "weight:9")


DRINKS, HOT = '{ on = { category = "drinks" }, count = 2 }', '{ on = { category = "drinks/coffee" }, count = 2 }'


def test_no_unit_fills_two_entries() -> None:
    two_coffees = basket(COFFEE)
    assert said(f'is = "contains", goods = [{DRINKS}]', two_coffees) is None
    assert said(f'is = "contains", goods = [{DRINKS}, {HOT}]', two_coffees) == ("goods:2|0", "goods:2|2")
    assert said(f'is = "contains", goods = [{DRINKS}, {HOT}]', basket(COFFEE, TEA)) == ("goods:2|1", "goods:2|2")


def test_an_entry_gives_way_to_one_that_wants_less() -> None:
    tea = line("3", quantity="2", category="drinks/tea")
    assert said(f'is = "contains", goods = [{DRINKS}, {HOT}]', basket(COFFEE, tea)) is None, "the drinks are the teas"
    assert said(f'is = "contains", goods = [{HOT}, {DRINKS}]', basket(COFFEE, tea)) is None


def test_a_set_is_as_far_as_its_one_short_entry() -> None:
    near = lack(f'is = "contains", goods = [{DRINKS}, {HOT}]', basket(COFFEE, TEA))
    assert distance(near) == (0, 1_000)
    assert near is not None and near.selector >= 0
    both = lack(f'is = "contains", goods = [{DRINKS}, {{ on = {{ sku = "cake" }} }}]', basket(TEA))
    assert (both.have, both.selector, distance(both)) == ("goods:1|0", -1, (0, 0)) if both is not None else False


def test_sets_look_at_units_that_were_reduced_apart() -> None:
    entries = "{ on = { discounted = true } }, { on = { not_discounted = true }, count = 2 }"
    assert said(f'is = "contains", goods = [{entries}]', BASKET, **ONE_REDUCED) is None
    assert said(f'is = "contains", goods = [{entries}]', BASKET) == ("goods:0|2", "goods:1|2")


TAGS = ("a", "b", "c", "d")
ENTRIES = (("ab", 1), ("bc", 2), ("cd", 1))


def _fits(units: tuple[str, ...]) -> bool:
    """By trying every way to lay units on places."""
    places = [set(tags) for tags, count in ENTRIES for _ in range(count)]
    return any(all(unit in place for unit, place in zip(way, places, strict=True)) for way in permutations(units, len(places)))


def test_a_set_is_complete_exactly_when_some_way_to_lay_it_is() -> None:
    goods = ", ".join(f"{{ on = {{ tag = {list(tags)} }}, count = {count} }}" for tags, count in ENTRIES)
    seen = set()
    for counts in product(range(3), repeat=4):
        units = tuple(tag for tag, count in zip(TAGS, counts, strict=True) for _ in range(count))
        lines = [line(tag, quantity=str(count), tags=(tag,)) for tag, count in zip(TAGS, counts, strict=True) if count]
        holds = said(f'is = "contains", goods = [{goods}]', basket(*lines)) is None
        assert holds is _fits(units), counts
        seen.add(holds)
    assert seen == {True, False}


def test_three_entries_move_along_a_chain() -> None:
    """a fills x; then y takes it and x moves to b; then z takes that and they all move on."""
    goods = '{ on = { tag = ["p", "q"] } }, { on = { tag = ["p", "r"] } }, { on = { tag = ["p"] } }'
    lines = [line(tag, tags=(tag,)) for tag in ("p", "q", "r")]
    assert said(f'is = "contains", goods = [{goods}]', basket(*lines)) is None


COUNTER = 'is = "counter", key = "coffee", n = 6, on = { category = "drinks/coffee" }'


@pytest.mark.parametrize(
    ("before", "units", "nth"),
    [(5, 1, 1), (4, 1, 0), (4, 2, 1), (0, 5, 0), (0, 6, 1), (5, 7, 2), (6, 5, 0), (6, 6, 1), (11, 1, 1), (-1, 1, 0), (-1, 7, 1)],
)
def test_every_sixth_coffee_is_counted_across_receipts(before: int, units: int, nth: int) -> None:
    """Written out: sixth coffees are the numbers 6, 12, 18 … of those bought; a return may have brought the counter below 0."""
    assert nth == sum(1 for number in range(before + 1, before + units + 1) if number in (6, 12, 18))
    of = basket(line("1", quantity=str(units), category="drinks/coffee"), TEA)
    who = member(counters={"coffee": before})
    assert nth_units(COUNTER, of, who) == nth
    assert (lack(COUNTER, of, who) is None) is (nth > 0)


def test_a_counter_tells_how_far_the_next_one_is() -> None:
    found = lack(COUNTER, basket(COFFEE), member(counters={"coffee": 7}))
    assert found is not None
    assert (found.have, found.need, distance(found)) == ("3", "6", (0, 3_000))
    assert said(COUNTER, basket(COFFEE), member(counters={})) == ("2", "6")


def test_a_counter_that_is_not_known_is_refused() -> None:
    assert said(COUNTER, BASKET, member()) == ("unknown", "6")
    assert said(COUNTER, BASKET) == ("none", "6")
    assert nth_units(COUNTER, BASKET, member()) == nth_units(COUNTER, BASKET, None) == 0
