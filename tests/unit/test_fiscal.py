"""The fiscal form: positions multiply out to the money paid, for pieces, marked units and weights."""

from __future__ import annotations

from random import Random

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.fiscal import Paid, moves, weighed_positions
from pos_loyalty.engine.model import Line, Quote
from pos_loyalty.engine.returns import ReturnLine, return_of
from pos_loyalty.values import Minor
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
    assert (answer.due_minor, offs(answer)) == (100, {"1": {"some": 7500}})  # prices make 0.99, too little, and 1.02
    assert printed(answer) == [("2", 33), ("1", 34)]


def written(answer: Quote) -> int:
    """The receipt's own sum: each position rounded half up."""
    return sum((2 * p.price_minor * p.quantity_milli + 1000) // 2000 for each in answer.lines for p in each.fiscal)


@pytest.mark.parametrize("quantity", [1, 999, 1000, 1001, 1999, 2000, 3217, 9999, 100_001])
def test_every_sum_of_a_weight_can_be_written(quantity: int) -> None:
    for sum_minor in (*range(250), 39_712, 99_999):
        made = weighed_positions(sum_minor, quantity, 12_345)
        assert sum((2 * p.price_minor * p.quantity_milli + 1000) // 2000 for p in made) == sum_minor
        assert sum(p.quantity_milli for p in made) == quantity
        assert len(made) == 1 or (made[1].price_minor - made[0].price_minor == 1 and made[1].quantity_milli % 1000 == 0)


@pytest.mark.parametrize("quantity", ["3.217", "9.217"])
def test_points_as_a_tender_never_pay_more_than_a_weight_costs(quantity: str) -> None:
    tables = '[redeem]\nlimit = "100%"\nform = "counter_provision"\n'
    weight = line("1", 12_345, quantity, measure="weight", prior_off_minor=2)
    answer = ask("0.01%", weight, tables=tables + 'on = { sku = "1" }\n', redeem="max")
    only = answer.lines[0]
    assert only.points_minor <= only.net_minor and answer.due_minor >= 0
    assert written(answer) - answer.redemption.off_minor == answer.due_minor
    assert return_of(answer, (), [ReturnLine(line_id="1", quantity_milli=weight.quantity_milli)]).refund_minor == answer.due_minor


def test_a_weight_that_the_host_sold_under_its_floor_falls_no_further() -> None:
    weight = line("1", 12_345, "3.217", measure="weight", prior_off_minor=2, floor_minor=12_345)
    answer = ask("5%", weight)
    assert (answer.due_minor, offs(answer), written(answer)) == (39_712, {"1": {"prior": 2}}, 39_712)


ROUND = '[[rule]]\nid = "round"\nstage = "payment"\nthen = [{ do = "round_total", step = "1.00" }]\n'


def test_a_rounded_total_stays_whole_when_weights_move() -> None:
    weight = line("1", 12_345, "3.217", measure="weight")
    alone = ask("10%", weight, tables=ROUND)
    assert (alone.due_minor, alone.applied, written(alone)) == (35_700, ("round", "some"), 35_700)
    beside = ask("10%", weight, line("2", 5_055), tables=ROUND)
    assert beside.due_minor % 100 == 0 and written(beside) == beside.due_minor
    whole = ask("10%", line("1", 10_000, "3.210", measure="weight"), line("2", 100, floor_minor=100), tables=ROUND)
    assert whole.due_minor % 100 == 0 and written(whole) == whole.due_minor


def test_a_total_that_is_whole_already_stays_so() -> None:
    weight = line("1", 10_000, "3.300", measure="weight", prior_off_minor=7)
    answer = ask("0.01%", weight, line("2", 7, floor_minor=7), tables=ROUND.replace("1.00", "0.10"))
    assert answer.due_minor % 10 == 0 and written(answer) == answer.due_minor


def kopeck_sums(line_sold: Line, upto: int) -> set[int]:
    """All sums that some price in kopecks makes of this weight, half up, up to a sum. Written out anew."""
    milli = int(line_sold.quantity_milli)
    return {(2 * price * milli + 1000) // 2000 for price in range(2 * upto * 1000 // milli + 3)}


@pytest.mark.parametrize("seed", range(60))
def test_a_lone_weight_moves_to_the_largest_sum_below_that_it_may_take(seed: int) -> None:
    """With no pieces beside it the customer pays less: the nearest sum below within the room and the bound, else none."""
    chance = Random(seed)
    for _ in range(40):
        sold = line("1", 1_000, f"{chance.randrange(1, 4)}.{chance.randrange(1000):03}", measure="weight")
        pays = chance.randrange(1, 300)
        room, headroom = chance.randrange(4), chance.randrange(4)
        most = chance.choice((None, 0, 1, 2))
        sums = kopeck_sums(sold, pays + 10)
        low, high = max(each for each in sums if each <= pays), min(each for each in sums if each >= pays)
        fall, rise = pays - low, high - pays
        moved = moves([Paid(line=sold, paid_minor=Minor(pays), room_minor=room, headroom_minor=headroom)], most)
        may_move = fall and (fall <= room or (rise <= headroom))
        expected = fall if may_move and fall <= room and (most is None or fall <= most) else 0
        assert moved == [expected], (sold.quantity_milli, pays, room, headroom, most)
