"""Redemption: how many points may pay, what stops there, on which lines and out of which lots."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Lot, MemberDay, Quote, Tender
from pos_loyalty.values import Minor, Points
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
    assert why(answer, "redeem") == ("customer", "none", "member")
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


def test_only_whole_steps_are_redeemed() -> None:
    steps = REDEEM.replace('limit = "30%"', 'limit = "30%"\nstep = "25"')
    assert ask("max", tables=steps).redemption.centi == 5000  # 60.00 would do; two steps of 25 fit
    answer = ask(4999, tables=steps)
    assert (answer.redemption.centi, why(answer, "redeem")) == (2500, ("step", "25.00", "49.99"))
    assert ask(5000, tables=steps).refusals == ()


def test_a_step_and_a_point_s_worth_both_come_out_whole() -> None:
    tables = '[points]\nvalue = "0.30"\n[redeem]\nlimit = "100%"\nstep = "0.25"\n'  # 10 hundredths pay 3 kopecks: steps of 0.50
    answer = ask(199, tables=tables)
    assert (answer.redemption.centi, answer.redemption.off_minor) == (150, 45)


def test_too_few_points_are_not_redeemed() -> None:
    least = REDEEM.replace('limit = "30%"', 'limit = "30%"\nleast = "40"')
    answer = ask(3999, tables=least)
    assert (answer.redemption.centi, why(answer, "redeem")) == (0, ("least", "asked:39.99", "40.00"))
    assert ask(4000, tables=least).redemption.centi == 4000
    poor = ask("max", tables=least, lots=(lot("a", 3999),))
    assert (poor.redemption.max_centi, why(poor, "redeem")) == (0, ("least", "39.99", "40.00"))


def test_a_day_has_its_limit() -> None:
    daily = REDEEM.replace('limit = "30%"', 'limit = "30%"\nper_day = "50"')
    today, before = (
        MemberDay(day="2026-11-21", redeemed_centi=Points(2000)),
        MemberDay(day="2026-11-20", redeemed_centi=Points(9)),
    )
    answer = ask("max", tables=daily, days=(today, before))
    assert (answer.redemption.centi, answer.redemption.max_centi) == (3000, 3000)
    assert ask("max", tables=daily, days=()).redemption.centi == 5000
    spent = replace(today, redeemed_centi=Points(5001))
    assert why(ask("max", tables=daily, days=(spent,)), "redeem") == ("per_day", "0.00", "0.01")


def test_a_limit_for_the_day_needs_the_days() -> None:
    daily = REDEEM.replace('limit = "30%"', 'limit = "30%"\nper_day = "50"')
    answer = ask("max", tables=daily)
    assert (answer.redemption.centi, why(answer, "redeem")) == (0, ("per_day", "unknown", "50.00"))


def test_as_a_tender_points_leave_the_prices_alone() -> None:
    tables = '[redeem]\nlimit = "100%"\nform = "counter_provision"\n'
    goods = basket(line("1", 1000, floor_minor=1000, vat_bp=2000), line("2", 500, vat_bp=2000), redeem=1200)
    answer = quote(goods, member(lots=LOTS), programme(tables), NOBODY, NOW)
    assert (answer.total_minor, answer.due_minor, answer.redemption.off_minor) == (1500, 300, 1200)
    assert [(each.net_minor, each.points_minor, each.vat_minor) for each in answer.lines] == [(1000, 800, 167), (500, 400, 83)]
    assert [[p.price_minor for p in each.fiscal] for each in answer.lines] == [[1000], [500]]
    assert answer.tenders == (Tender(kind="counter_provision", amount_minor=Minor(1200)),)


def test_the_cap_of_the_receipt_holds_for_points() -> None:
    capped = '[caps]\namount = "30.00"\n[redeem]\nlimit = "100%"\n'
    answer = ask("max", tables=capped)
    assert answer.redemption.centi == 3000
    assert why(ask(3001, tables=capped), "redeem") == ("cap", "30.00", "30.01")


def test_no_wish_is_no_refusal() -> None:
    assert ask(0).refusals == ask(None).refusals == ()
    assert ask(0, lots=()).refusals == ()
