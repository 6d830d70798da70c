"""Points that buy a thing: goods, sums, shares, coupons and privileges, and what else of the receipt they leave alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Issue, Line, Quote, State
from pos_loyalty.engine.returnable import PointsFor
from pos_loyalty.values import Minor, Points
from tests.worlds import NOBODY, NOW, basket, line, lot, member, off_by_rule, offs, programme, why

DAY = timedelta(days=1)
LOTS = (lot("late", 20_000), lot("soon", 7_000, expires_at=NOW + DAY))


def thing(then: str, more: str = "") -> str:
    return f'[[rule]]\nid = "thing"\nstage = "payment"\n{more}\nthen = [{{ do = "redeem_for", {then} }}]\n'


MUG = thing('points = "50", on = { sku = "mug" }')
TWO = (line("1", 30_000, sku="mug"), line("2", 10_000))


def ask(tables: str, *lines: Line, choice: str | None = "1", redeem: object = None, **who: object) -> Quote:
    choices = {} if choice is None else {"thing": choice}
    person = member(**({"lots": LOTS} | who))
    return quote(basket(*(lines or TWO), choices=choices, redeem=redeem), person, programme(tables), NOBODY, NOW)


def test_a_chosen_unit_becomes_free() -> None:
    answer = ask(MUG)
    assert offs(answer) == {"1": {"thing": 30_000}, "2": {}}
    assert (answer.total_minor, answer.due_minor, answer.applied) == (10_000, 10_000, ("thing",))
    assert answer.redemption.things == (PointsFor(rule="thing", times=1, centi=Points(5000), off_minor=Minor(30_000)),)
    assert (answer.redemption.centi, answer.redemption.off_minor) == (5000, 0)
    assert [(use.lot_id, use.centi) for use in answer.redemption.lots] == [("soon", 5000)]


def test_nothing_is_bought_unasked() -> None:
    answer = ask(MUG, choice=None)
    assert (answer.due_minor, answer.redemption.centi) == (40_000, 0)
    assert why(answer, "thing") == ("choice", "none", "50.00")


def test_only_goods_of_the_rule_can_be_chosen() -> None:
    assert why(ask(MUG, choice="2"), "thing") == ("choice", "line:2", "goods")
    assert why(ask(MUG, choice="no such line"), "thing") == ("choice", "line:no such line", "goods")
    assert why(ask(MUG, line("1"), choice="1"), "thing") == ("choice", "line:1", "goods"), "no mug is in the basket"


def test_a_choice_for_what_offers_none_is_told() -> None:
    half = '[[rule]]\nid = "half"\nstage = "item"\nthen = [{ do = "percent", percent = "50%", on = { sku = "milk" } }]\n'
    bought = basket(*TWO, choices={"half": "1", "nobody": "2"})
    answer = quote(bought, member(lots=LOTS), programme(MUG + half), NOBODY, NOW)
    assert why(answer, "half") == ("choice", "line:1", "rule")
    assert why(answer, "nobody") == ("choice", "line:2", "rule")
    acting = quote(basket(line("1", sku="milk"), choices={"half": "1"}), None, programme(half), NOBODY, NOW)
    assert (acting.applied, acting.refusals) == (("half",), ())


def test_points_must_be_there() -> None:
    answer = ask(MUG, lots=(lot("a", 4999),))
    assert (answer.due_minor, why(answer, "thing")) == (40_000, ("points", "49.99", "50.00"))
    assert why(ask(MUG, lots=LOTS, owed_centi=Points(22_001)), "thing") == ("points", "49.99", "50.00")
    assert why(ask(MUG, lots=LOTS, redeemable_centi=Points(100)), "thing") == ("points", "1.00", "50.00")


def test_without_a_card_nothing_is_bought() -> None:
    answer = quote(basket(*TWO, choices={"thing": "1"}), None, programme(MUG), NOBODY, NOW)
    assert why(answer, "thing") == ("customer", "none", "member")


def test_so_many_units_as_the_rule_the_points_and_the_line_allow() -> None:
    five = line("1", 1000, "5", sku="mug")
    assert off_by_rule(ask(MUG, five)) == {"thing": 1000}
    many = MUG.replace('points = "50"', 'points = "50", max_times = 4')
    answer = ask(many, five)
    assert off_by_rule(answer) == {"thing": 4000}
    assert answer.redemption.things[0].times == 4
    assert off_by_rule(ask(many, five, lots=(lot("a", 14_999),))) == {"thing": 2000}
    assert off_by_rule(ask(many, line("1", 1000, "2", sku="mug"))) == {"thing": 2000}


def test_a_free_unit_costs_what_discounts_left_of_it() -> None:
    tables = MUG + '[[rule]]\nid = "off"\nstage = "order"\nthen = [{ do = "amount", amount = "1.00" }]\n'
    three = line("1", 1000, "3", sku="mug")  # 29.00 is left: 9.66, 9.67, 9.67
    assert off_by_rule(ask(tables, three)) == {"off": 100, "thing": 967}


def test_a_weighed_position_is_one_unit() -> None:
    assert off_by_rule(ask(MUG, line("1", 1000, "1.250", sku="mug", measure="weight"))) == {"thing": 1250}


def test_a_floor_holds_against_points() -> None:
    assert off_by_rule(ask(MUG, line("1", 1000, sku="mug", floor_minor=400))) == {"thing": 600}
    answer = ask(MUG, line("1", 1000, sku="mug", floor_minor=1000))
    assert (off_by_rule(answer), answer.redemption.centi) == ({}, 0)
    assert why(answer, "thing") == ("floor", "0.00", "0.01")


def test_a_sum_comes_off_whole_or_not_at_all() -> None:
    tables = thing('points = "50", amount = "40.00", off = { except = { sku = "mug" } }')
    answer = ask(tables)
    assert offs(answer) == {"1": {}, "2": {"thing": 4000}}
    dear = thing('points = "50", amount = "100.01", off = { except = { sku = "mug" } }')
    assert why(ask(dear), "thing") == ("nothing_left", "100.00", "100.01")
    many = thing('points = "50", amount = "40.00", max_times = 5, off = { except = { sku = "mug" } }')
    answer = ask(many)
    assert (off_by_rule(answer), answer.redemption.centi) == ({"thing": 8000}, 10_000)


def test_a_share_is_rounded_once_and_shared_out() -> None:
    tables = thing('points = "50", percent = "10%"')
    answer = ask(tables, line("1", 33), line("2", 33), line("3", 39))  # 10.5 of 1.05
    assert off_by_rule(answer) == {"thing": 11}
    assert answer.redemption.things[0].times == 1


def test_money_is_redeemed_after_things_and_from_what_is_left() -> None:
    tables = MUG + '[redeem]\nlimit = "50%"\n'
    answer = ask(tables, redeem="max")
    assert (answer.total_minor, answer.due_minor) == (10_000, 5_000)
    assert (answer.redemption.centi, answer.redemption.off_minor, answer.redemption.max_centi) == (10_000, 5_000, 5_000)
    assert [(use.lot_id, use.centi) for use in answer.redemption.lots] == [("soon", 7000), ("late", 3000)]


def test_the_receipt_s_cap_counts_things() -> None:
    tables = '[caps]\namount = "250.00"\n' + MUG + '[redeem]\nlimit = "100%"\n'
    assert why(ask(tables), "thing") == ("cap", "250.00", "300.00")
    answer = ask('[caps]\namount = "350.00"\n' + MUG + '[redeem]\nlimit = "100%"\n', redeem="max")
    assert (off_by_rule(answer), answer.redemption.off_minor) == ({"thing": 30_000}, 5000)


def test_points_of_a_day_count_things() -> None:
    tables = MUG + '[redeem]\nlimit = "100%"\nper_day = "60"\n'
    assert ask(tables, redeem="max", days=()).redemption.centi == 6000
    assert why(ask(tables), "thing") == ("per_day", "unknown", "60.00")


@pytest.mark.parametrize(
    ("then", "issue"),
    [
        (
            'points = "50", coupon = "next", days = 30',
            Issue(rule="thing", kind="coupon", series="next", usable_from=NOW, expires_at=datetime(2026, 12, 20, 21, tzinfo=UTC)),
        ),
        (
            'points = "50", coupon = "next"',
            Issue(rule="thing", kind="coupon", series="next", usable_from=NOW, expires_at=datetime(2026, 12, 31, 21, tzinfo=UTC)),
        ),
        (
            'points = "50", privilege = "lounge", days = 1',
            Issue(
                rule="thing",
                kind="privilege",
                series="lounge",
                usable_from=NOW,
                expires_at=datetime(2026, 11, 21, 21, tzinfo=UTC),
            ),
        ),
    ],
)
def test_coupons_and_privileges_can_be_bought(then: str, issue: Issue) -> None:
    answer = ask('[[coupon]]\nid = "next"\nuntil = "2026-12-31"\n' + thing(then, ""), choice="yes")
    assert answer.issued == (issue,)
    assert answer.privileges == (("lounge",) if issue.kind == "privilege" else ())
    assert (answer.due_minor, answer.redemption.centi, answer.redemption.off_minor) == (40_000, 5000, 0)
    assert answer.applied == ("thing",)


def test_a_privilege_for_this_sale_is_shown_and_not_kept() -> None:
    answer = ask(thing('points = "50", privilege = "lounge"'), choice="yes")
    assert (answer.issued, answer.privileges) == ((), ("lounge",))


def test_what_points_bought_earns_nothing() -> None:
    answer = ask(MUG + '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "10%" }]\n')
    assert {each.rule: each.centi for each in answer.accruals} == {"base": 1000}


def within(budget: int, then: str, *lines: Line) -> Quote:
    tables = thing(then, 'budget = "5000.00"')
    goods = basket(*(lines or TWO), choices={"thing": "1"})
    return quote(goods, member(lots=LOTS), programme(tables), State(budgets={"thing": budget}), NOW)


def test_a_budget_is_never_passed() -> None:
    amount = 'points = "10", amount = "100.00", max_times = 3'
    assert why(within(9_999, amount), "thing") == ("budget", "99.99", "100.00")
    assert off_by_rule(within(20_000, amount)) == {"thing": 20_000}
    unit = 'points = "10", on = { sku = "mug" }, max_times = 3'
    mugs = line("1", 1000, "3", sku="mug")
    assert off_by_rule(within(2_999, unit, mugs)) == {"thing": 2_000}
    assert why(within(999, unit, mugs), "thing") == ("budget", "9.99", "10.00")
    assert off_by_rule(within(150, 'points = "10", percent = "10%"')) == {"thing": 150}


def test_only_units_of_the_chosen_line_become_free() -> None:
    many = thing('points = "10", on = { sku = "mug" }, max_times = 3')
    equal = (line("a", 1000, "2", sku="mug"), line("b", 1000, sku="mug"))
    assert [off_by_rule(ask(many, *equal, choice=chosen)) for chosen in "ab"] == [{"thing": 2000}, {"thing": 1000}]
