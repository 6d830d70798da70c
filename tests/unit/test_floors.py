"""Floors worked out by hand: shop, law, cost and margin; restricted goods; lines that may not be sold."""

from __future__ import annotations

from datetime import datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, ManualOff, Quote
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, lot, member, off_by_rule, programme, why

HALF = """
[[rule]]
id = "half"
stage = "item"
then = [{ do = "percent", percent = "50%" }]
"""
VODKA = """
[[floors.minimum]]
kind = "vodka"
on = { tag = "vodka" }
price = "409.00"
volume = "0.5"
strength_from = "37%"
strength_to = "40%"
since = 2026-01-01
[[floors.minimum]]
kind = "vodka"
on = { tag = "vodka" }
price = "349.00"
volume = "0.5"
until = 2025-12-31
"""


def ask(tables: str, *lines: Line, **more: object) -> Quote:
    return quote(basket(*lines, **more), None, programme(tables), NOBODY, NOW)


def vodka(price_minor: int, **more: object) -> Line:
    return line("1", price_minor, tags=("vodka",), **({"volume_ml": 700, "strength_bp": 4000} | more))


@pytest.mark.parametrize(
    ("price", "more", "net", "floor"),
    [
        (80_000, {}, 57_260, "legal"),  # 409.00 for half a litre is 572.60 for 0.7
        (80_000, {"volume_ml": 333}, 40_000, ""),  # 272.40 rounded up lies under the half
        (50_000, {"volume_ml": 333, "floor_minor": 30_000}, 30_000, "shop"),
        (80_000, {"strength_bp": 3699}, 40_000, ""),
        (80_000, {"strength_bp": 3700}, 57_260, "legal"),
        (80_000, {"strength_bp": 4001}, 40_000, ""),
        (80_000, {"strength_bp": None}, 80_000, "no_strength"),  # what is not known never lowers a legal price
        (80_000, {"volume_ml": None}, 80_000, "no_volume"),
    ],
)
def test_the_legal_minimum_goes_by_volume_and_strength(price: int, more: dict[str, object], net: int, floor: str) -> None:
    answer = ask(HALF + VODKA, vodka(price, **more))
    assert answer.lines[0].net_minor == net
    assert [stop.floor for stop in answer.floors] == ([floor] if floor else [])
    assert answer.line_refusals == ()


def test_the_minimum_is_that_of_the_day() -> None:
    then = datetime.fromisoformat("2025-12-31T23:59:59+03:00")
    answer = quote(basket(vodka(80_000), opened_at=then), None, programme(HALF + VODKA), NOBODY, then)
    assert answer.lines[0].net_minor == 48_860


def test_a_price_under_the_legal_minimum_refuses_the_line() -> None:
    answer = ask(HALF + VODKA, vodka(57_259), line("2", 1000))
    assert [(each.line_id, each.reason) for each in answer.line_refusals] == [("1", "legal_minimum")]
    assert [each.net_minor for each in answer.lines] == [57_259, 500]
    prior = ask(HALF + VODKA, vodka(60_000, prior_off_minor=5000))
    assert [each.reason for each in prior.line_refusals] == ["legal_minimum"]
    assert prior.lines[0].net_minor == 55_000
    unknown = ask(HALF + VODKA, vodka(60_000, prior_off_minor=5000, volume_ml=None))
    assert [each.reason for each in unknown.line_refusals] == ["no_volume"]


def test_a_legal_floor_beats_points_and_the_cashiers_hand() -> None:
    tables = VODKA + '[redeem]\nlimit = "100%"\n'
    by_hand = (ManualOff(line_id="1", off_minor=Minor(20_000)),)
    who = member(lots=(lot("a", 10_000_000),))
    answer = quote(basket(vodka(60_000), redeem="max", manual=by_hand), who, programme(tables), NOBODY, NOW)
    assert answer.due_minor == 57_260
    assert why(answer, "manual") == ("line", "27.40", "200.00")


def test_cost_and_margin_round_up() -> None:
    answer = ask('[floors]\nmargin = "10%"\n' + HALF, line("1", 10_000, cost_minor=8_001), line("2", 10_000))
    assert [each.net_minor for each in answer.lines] == [8_802, 5_000]
    assert [(stop.line_id, stop.floor, stop.stopped_minor) for stop in answer.floors] == [("1", "margin", 3_802)]


def test_tobacco_takes_no_part() -> None:
    tables = """
[redeem]
limit = "100%"
[[rule]]
id = "half"
stage = "item"
then = [{ do = "percent", percent = "50%" }, { do = "points", rate = "10%" }]
[[rule]]
id = "from-100"
stage = "order"
when = [{ is = "basket_amount", min = "100.00" }]
then = [{ do = "amount", amount = "10.00" }]
"""
    smoke = line("1", 50_000, category="tobacco/cigarettes")
    who = member(lots=(lot("a", 100_000_000),))
    answer = quote(basket(smoke, line("2", 4_000), redeem="max"), who, programme(tables), NOBODY, NOW)
    assert [(each.net_minor, each.points_minor) for each in answer.lines] == [(50_000, 0), (2_000, 2_000)]
    assert why(answer, "from-100") == ("basket_amount", "40.00", "100.00")
    assert answer.accruals == ()


def test_a_price_over_the_printed_one_refuses_the_line() -> None:
    answer = ask(HALF, line("1", 20_100, tags=("nicotine",), max_price_minor=20_000))
    assert [each.reason for each in answer.line_refusals] == ["maximum_price"]


def test_alcohol_may_be_shut_out_of_discounts_in_some_stores() -> None:
    tables = '[floors]\nalcohol = { on = { tag = "alcohol" }, treat = "priced", only_in = ["S1", "S9"] }\n' + HALF
    wine = line("1", 10_000, tags=("alcohol",))
    assert ask(tables, wine).total_minor == 10_000
    assert ask(tables, wine, store="S2").total_minor == 5_000


def test_ordinary_tobacco_is_goods_like_others() -> None:
    tables = '[floors]\ntobacco = { on = { tag = "nicotine" }, treat = "ordinary" }\n' + HALF
    assert off_by_rule(ask(tables, line("1", 10_000, tags=("nicotine",)))) == {"half": 5_000}


def test_what_a_floor_keeps_of_an_order_percentage_is_told() -> None:
    ten = '[[rule]]\nid = "ten"\nstage = "order"\nthen = [{ do = "percent", percent = "10%" }]\n'
    answer = ask(ten, line("1", 20_000, floor_minor=19_000), line("2", 10_000))
    assert off_by_rule(answer) == {"ten": 2_000}
    assert [(stop.line_id, stop.floor, stop.stopped_minor) for stop in answer.floors] == [("1", "shop", 1_000)]


def test_rules_for_restricted_goods_alone_say_so() -> None:
    answer = ask(HALF, line("1", 20_000, tags=("nicotine",)))
    assert why(answer, "half") == ("restricted", "tobacco", "ordinary")
    assert why(ask(HALF, line("1", 20_000, tags=("nicotine",)), line("2", 100)), "half") is None
