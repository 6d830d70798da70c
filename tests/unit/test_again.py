"""A basket weighed again with one line more comes to what it would when it is weighed from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from pos_loyalty.engine import quote
from pos_loyalty.engine.again import again, listed_of
from pos_loyalty.engine.decide import Weighed, decide, weigh
from pos_loyalty.engine.model import Basket, Line, Member, State
from pos_loyalty.engine.programme import load_programme
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.values import Minor, Thousandths, convert
from tests.property.busy_shop import busy_world
from tests.property.seeded_worlds import World, contested_world, judged_world, wild_world
from tests.worlds import NOBODY, NOW, basket, line, member
from tests.worlds import programme as programme_of

SEEDS = 14


def _lines(weighed: Weighed) -> Iterator[Line]:
    """One or three more of all goods of the basket, and goods that are not in it."""
    for held in weighed.calc:
        for units in (1, 3):
            yield replace(held.line, line_id="+", quantity_milli=Thousandths(1000 * units), prior_off_minor=Minor(0), marks=())
    yield Line(line_id="+", sku="+", quantity_milli=Thousandths(1000), price_minor=Minor(12345))


@pytest.mark.parametrize("world_of", [busy_world, contested_world, judged_world, wild_world])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_line_more_is_weighed_as_if_from_nothing(world_of: Callable[[int], World], seed: int) -> None:
    world = world_of(seed)
    member = None if world.member is None else convert(world.member, Member)
    try:
        programme = load_programme(world.text.encode())
        weighed = decide(convert(world.basket, Basket), member, programme, convert(world.state, State), NOW).weighed
    except LoyaltyError:
        return
    for more in _lines(weighed):
        basket = replace(weighed.asked.basket, lines=(*weighed.asked.basket.lines, more))
        anew = weigh(replace(weighed.asked, basket=basket), {})
        if not (anew.priced.proven and weighed.priced.proven):
            continue
        made = again(weighed, more, weighed.asked.effort)
        assert made.listed_minor == listed_of(anew.calc)
        assert made.priced.left_minor == anew.priced.left_minor
        assert made.priced.acting == anew.priced.acting


def test_a_unit_more_may_be_the_sixth() -> None:
    """Four were bought before and one is here, so the next one is the sixth and costs nothing."""
    sixth = """[[rule]]
id = "sixth"
stage = "item"
when = [{ is = "counter", key = "coffee", n = 6, on = { sku = "coffee" } }]
then = [{ do = "percent", percent = "100%", on = { sku = "coffee" } }]
[[rule]]
id = "ten"
stage = "item"
then = [{ do = "percent", percent = "10%" }]
"""
    coffee = line("1", 15_000, sku="coffee")
    weighed = decide(basket(coffee), member(counters={"coffee": 4}), programme_of(sixth), NOBODY, NOW).weighed
    made = again(weighed, replace(coffee, line_id="+"), weighed.asked.effort)
    assert (sum(weighed.priced.left_minor), sum(made.priced.left_minor)) == (13_500, 13_500)
    assert made.priced.acting == {"sixth", "ten"}


@pytest.mark.parametrize("seed", range(40))
def test_a_hint_comes_true(seed: int) -> None:
    """Who adds what the hint says pays its price less what the hint promised."""
    world = busy_world(seed)
    whose = None if world.member is None else convert(world.member, Member)
    programme = load_programme(world.text.encode())
    before, state = convert(world.basket, Basket), convert(world.state, State)
    answer = quote(before, whose, programme, state, NOW)
    for hint in answer.hints:
        alike = [each for each in before.lines if each.sku == hint.add.sku]
        if not alike or hint.add.quantity_milli is None:
            continue
        cheapest = min(alike, key=lambda each: (each.price_minor, each.line_id))
        more = replace(cheapest, line_id="+", quantity_milli=hint.add.quantity_milli, prior_off_minor=Minor(0), marks=())
        after = quote(replace(before, lines=(*before.lines, more)), whose, programme, state, NOW)
        cost = after.gross_minor - answer.gross_minor
        assert after.total_minor == answer.total_minor + cost - hint.saves_minor
