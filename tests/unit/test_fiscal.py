"""The fiscal form: positions multiply out to the money paid, for pieces, marked units and weights."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, Quote
from tests.worlds import NOBODY, NOW, basket, line, lot, member, offs, programme

SOME = '[[rule]]\nid = "some"\nstage = "item"\nthen = [{ do = "percent", percent = "%s" }]\n'


def ask(rate: str, *lines: Line, tables: str = "", redeem: object = None) -> Quote:
    return quote(basket(*lines, redeem=redeem), member(lots=(lot("a", 10**9),)), programme(SOME % rate + tables), NOBODY, NOW)


def printed(answer: Quote, place: int = 0) -> list[tuple[str, int]]:
    return [(each.quantity_milli.text, each.price_minor) for each in answer.lines[place].fiscal]


def test_pieces_that_do_not_divide_become_two_positions() -> None:
    assert printed(ask("10%", line("1", 333, "4"))) == [("1", 299), ("3", 300)]  # 13.32 less 1.33
    assert printed(ask("10%", line("1", 333, "7"))) == [("2", 299), ("5", 300)]


def test_pieces_that_divide_stay_one_position() -> None:
    assert printed(ask("10%", line("1", 1000, "3"))) == [("3", 900)]


def test_a_marked_unit_stands_alone() -> None:
    assert printed(ask("50%", line("1", 101, "3", marks=("a", "b", "c")))) == [("1", 50), ("1", 50), ("1", 51)]


def test_points_are_a_lower_price() -> None:
    answer = ask("50%", line("1", 2000, "2"), tables='[redeem]\nlimit = "10%"\n', redeem="max")
    assert printed(answer) == [("2", 900)]


def test_a_weight_at_its_full_price_shows_that_price() -> None:
    answer = ask("1%", line("1", 89_990, "0.345", measure="weight", floor_minor=89_990))
    assert printed(answer) == [("0.345", 89_990)]


@pytest.mark.parametrize("rate", ["3%", "7.5%", "33.33%"])
@pytest.mark.parametrize("quantity", ["0.345", "1.234", "3.217", "9.999"])
def test_a_weight_alone_pays_the_lower_sum(rate: str, quantity: str) -> None:
    answer = ask(rate, line("1", 12_345, quantity, measure="weight"))
    only = answer.lines[0]
    (position,) = only.fiscal
    assert (2 * position.price_minor * position.quantity_milli + 1000) // 2000 == only.net_minor == answer.due_minor
    assert 0 <= offs(answer)["1"].get("fiscal", 0) <= 10


WEIGHT = line("1", 10_000, "3.217", measure="weight")
"""5 % off leaves 305.61, which no price makes: 305.58 and 305.62 are the neighbours."""


def test_alone_it_pays_the_sum_below() -> None:
    answer = ask("5%", WEIGHT)
    assert offs(answer) == {"1": {"some": 1609, "fiscal": 3}}
    assert printed(answer) == [("3.217", 9499)]


def test_beside_a_piece_it_pays_the_nearest_sum_and_the_piece_takes_up_the_difference() -> None:
    answer = ask("5%", WEIGHT, line("2", 5000))
    assert offs(answer) == {"1": {"some": 1609, "fiscal": -1}, "2": {"some": 250, "fiscal": 1}}
    assert answer.total_minor == 30_561 + 4750


def test_of_two_equally_near_sums_the_lower_is_paid() -> None:
    answer = ask("5%", line("1", 1005, "2.000", measure="weight"), line("2", 5000))  # 19.09 between 19.08 and 19.10
    assert offs(answer) == {"1": {"some": 101, "fiscal": 1}, "2": {"some": 250, "fiscal": -1}}


def test_a_weight_never_pays_more_than_its_price_even_when_points_make_it_odd() -> None:
    none = '[[rule]]\nid = "none"\nstage = "order"\nwhen = [{ is = "customer", member = false }]\n'
    tables = '[redeem]\nlimit = "100%"\n' + none + 'then = [{ do = "percent", percent = "1%" }]\n'
    weight, piece = line("1", 1000, "3.000", measure="weight", tags=("full",)), line("2", 1000, tags=("full",))
    goods = basket(weight, piece, redeem=133)  # 1.00 and 0.33: 29.00 lies between 28.98 and 29.01
    answer = quote(goods, member(lots=(lot("a", 10**9),)), programme(tables), NOBODY, NOW)
    assert [each.points_minor for each in answer.lines] == [100, 33]
    assert offs(answer) == {"1": {"fiscal": 2}, "2": {}}


def test_a_piece_at_its_floor_and_full_price_moves_neither_way() -> None:
    answer = ask("5%", WEIGHT, line("2", 5000, floor_minor=5000))
    assert offs(answer) == {"1": {"some": 1609, "fiscal": 3}, "2": {}}


def test_a_piece_at_its_floor_may_pay_more_up_to_its_price() -> None:
    answer = ask("5%", WEIGHT, line("2", 5000, floor_minor=4750))
    assert offs(answer) == {"1": {"some": 1609, "fiscal": 3}, "2": {"some": 250, "fiscal": -3}}


def test_the_least_money_stands_even_when_a_weight_moves() -> None:
    tables = '[redeem]\nlimit = "100%"\nminimum_money = "1.00"\n'
    answer = ask("50%", line("1", 5000, "3.000", measure="weight"), tables=tables, redeem="max")
    assert answer.due_minor == 102  # 0.99 would be too little
    assert offs(answer)["1"]["fiscal"] == -2
