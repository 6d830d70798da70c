"""Redemption: how many points may pay, what stops there, on which lines and out of which lots."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Lot, Quote
from pos_loyalty.values import Points
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme, why

DAY = timedelta(days=1)
REDEEM = '[redeem]\nlimit = "30%"\nminimum_money = "1.00"\non = { except = { category = "household" } }\n'
LOTS = (lot("late", 5000, expires_at=NOW + 9 * DAY), lot("soon", 2000, expires_at=NOW + DAY), lot("lost", 7777, expires_at=NOW))


def ask(redeem: object, *, tables: str = REDEEM, lots: tuple[Lot, ...] = LOTS, price: int = 10_000, **more: object) -> Quote:
    goods = basket(line("1", price), line("2", price), redeem=redeem)
    return quote(goods, member(lots=lots, **more), programme(tables), NOBODY, NOW)


def uses(answer: Quote) -> list[tuple[str, int]]:
    return [(use.lot_id, use.centi) for use in answer.redemption.lots]


def test_the_most_is_told_even_when_nothing_is_redeemed() -> None:
    answer = ask(None)
    assert (answer.redemption.centi, answer.redemption.max_centi, answer.due_minor) == (0, 6000, 20_000)
    assert answer.refusals == ()


def test_max_redeems_the_most_from_the_lot_that_expires_first() -> None:
    answer = ask("max")
    assert (answer.redemption.centi, answer.redemption.off_minor) == (6000, 6000)
    assert uses(answer) == [("soon", 2000), ("late", 4000)]
    assert [each.points_minor for each in answer.lines] == [3000, 3000]
    assert (answer.total_minor, answer.due_minor) == (20_000, 14_000)
    assert answer.refusals == ()


def test_a_number_is_redeemed_as_asked() -> None:
    answer = ask(2001)
    assert (answer.redemption.centi, uses(answer)) == (2001, [("soon", 2000), ("late", 1)])
    assert [each.points_minor for each in answer.lines] == [1001, 1000]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: ask(6001), ("limit", "60.00", "60.01")),
        (lambda: ask(9000, lots=LOTS[:1]), ("balance", "50.00", "90.00")),
        (lambda: ask(9000, redeemable_centi=Points(100)), ("rights", "1.00", "90.00")),
        (lambda: ask(9000, owed_centi=Points(2500)), ("balance", "45.00", "90.00")),
        (lambda: ask(9000, tables='[redeem]\nlimit = "100%"\nminimum_money = "150.00"'), ("minimum_money", "50.00", "90.00")),
        (lambda: ask(9000, tables=""), ("programme", "0.00", "90.00")),
        (lambda: ask("max", lots=()), ("balance", "0.00", "0.01")),
    ],
)
def test_what_stops_is_told(answer: object, said: tuple[str, str, str]) -> None:
    assert callable(answer)
    assert why(answer(), "redeem") == said


def test_without_a_card_nothing_is_redeemed() -> None:
    answer = quote(basket(line("1"), redeem="max"), None, programme(REDEEM), NOBODY, NOW)
    assert why(answer, "redeem") == ("customer", "0.00", "0.01")
    assert answer.redemption.lots == ()


def test_goods_left_out_take_no_points_and_do_not_raise_the_limit() -> None:
    goods = basket(line("1", 10_000), line("2", 90_000, category="household/soap"), redeem="max")
    answer = quote(goods, member(lots=LOTS), programme(REDEEM), NOBODY, NOW)
    assert answer.redemption.centi == 3000
    assert [each.points_minor for each in answer.lines] == [3000, 0]


def test_the_limit_is_counted_after_discounts_and_rounds_down() -> None:
    half = '[[rule]]\nid = "half"\nstage = "item"\nthen = [{ do = "percent", percent = "50%" }]'
    assert ask("max", tables=REDEEM + half, price=1111).redemption.centi == 333  # 2 × 5.55 are left


def test_a_little_money_stays() -> None:
    whole = REDEEM.replace("30%", "100%")
    assert ask("max", tables=whole, price=500).due_minor == 100
    assert ask("max", tables=whole, price=50).redemption.centi == 0
    assert ask("max", tables=whole, price=30).due_minor == 60


def test_pending_points_wait() -> None:
    assert ask("max", lots=(lot("a", 5000, usable_from=NOW + DAY),)).redemption.max_centi == 0


def test_floors_hold_against_points() -> None:
    goods = basket(line("1", 1000, floor_minor=900), line("2", 1000, floor_minor=1000), redeem="max")
    answer = quote(goods, member(lots=LOTS), programme(REDEEM), NOBODY, NOW)
    assert answer.redemption.centi == 100
    assert [each.points_minor for each in answer.lines] == [100, 0]


@pytest.mark.parametrize(
    ("value", "asked", "centi", "off"),
    [("0.50", 1001, 1000, 500), ("3.00", 1001, 1001, 3003), ("0.30", 1005, 1000, 300), ("0.01", 199, 100, 1)],
)
def test_a_point_need_not_be_worth_one_unit(value: str, asked: int, centi: int, off: int) -> None:
    tables = f'[points]\nvalue = "{value}"\n[redeem]\nlimit = "100%"\n'
    answer = ask(asked, tables=tables)
    assert (answer.redemption.centi, answer.redemption.off_minor) == (centi, off)
    assert sum(each.points_minor for each in answer.lines) == off
    if asked != centi:
        assert why(answer, "redeem") is not None
