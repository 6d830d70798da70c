"""Points earned: every form of giving, limits, rounding, and the dates of what was given. Figures are worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, MemberDay, Quote, State
from pos_loyalty.engine.returnable import EarnedOn
from pos_loyalty.values import Points
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme, why

BASE = '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "3%" }]\n'


def rule(name: str, then: str, more: str = "") -> str:
    return f'[[rule]]\nid = "{name}"\n{more}\nthen = [{{ do = "points", {then} }}]\n'


def ask(tables: str, *lines: Line, redeem: object = None, at: datetime = NOW, **who: object) -> Quote:
    person = member(lots=(lot("a", 100_000),), **who)
    return quote(basket(*lines, redeem=redeem), person, programme(tables), NOBODY, at)


def earned(answer: Quote) -> dict[str, int]:
    return {each.rule: each.centi for each in answer.accruals}


def test_the_rate_rises_with_the_receipt() -> None:
    tables = rule("more", 'steps = [{ from = "500.00", rate = "1%" }, { from = "1000.00", rate = "2%" }]')
    assert earned(ask(tables, line("1", 50_000))) == {"more": 500}
    assert earned(ask(tables, line("1", 99_999))) == {"more": 999}
    assert earned(ask(tables, line("1", 60_000), line("2", 40_000))) == {"more": 2000}
    assert why(ask(tables, line("1", 49_999)), "more") == ("ladder", "499.99", "500.00")


def test_steps_look_at_the_receipt_after_discounts_and_before_points() -> None:
    off = '[[rule]]\nid = "off"\nstage = "order"\nthen = [{ do = "amount", amount = "1.00" }]\n'
    steps = rule("more", 'steps = [{ from = "500.00", rate = "1%" }, { from = "1000.00", rate = "2%" }]')
    assert earned(ask(steps + off, line("1", 100_000))) == {"more": 999}
    redeem = '[redeem]\nlimit = "50%"\n'
    assert earned(ask(redeem + steps, line("1", 100_000), redeem="max")) == {"more": 1000}  # 2 % of 500.00


def test_fixed_points_for_a_receipt_and_for_units() -> None:
    tables = rule("welcome", 'fixed = "50"') + rule("cup", 'fixed = "1.5", per = "unit", on = { sku = "c" }')
    three = (line("1", 100, "3", sku="c"), line("2", 100, "0.450", sku="c", measure="weight"))
    assert earned(ask(tables, *three)) == {"welcome": 5000, "cup": 600}
    assert earned(ask(tables, line("1", sku="t"))) == {"welcome": 5000}


def test_nothing_is_earned_on_what_costs_nothing() -> None:
    tables = rule("welcome", 'fixed = "50"') + rule("cup", 'fixed = "1", per = "unit"')
    assert earned(ask(tables, line("1", 0))) == {}
    assert why(ask(tables, line("1", 0)), "welcome") == ("nothing_earned", "0.00", "0.01")
    assert earned(ask(tables, line("1", 0), line("2", 100, "2"))) == {"welcome": 5000, "cup": 200}


def test_a_multiplier_takes_rates_and_points_for_units_but_not_those_for_the_receipt() -> None:
    tables = (
        BASE + rule("cup", 'fixed = "1", per = "unit"') + rule("welcome", 'fixed = "7"') + rule("half-more", 'multiplier = "1.5"')
    )
    assert earned(ask(tables, line("1", 10_000, "2"))) == {"base": 600, "cup": 200, "welcome": 700, "half-more": 400}


def test_a_beaten_multiplier_is_told_what_it_lost_by() -> None:
    tables = BASE + rule("cup", 'fixed = "1", per = "unit"') + rule("x2", 'multiplier = "2"') + rule("x3", 'multiplier = "3"')
    answer = ask(tables, line("1", 10_000, "2"))
    assert earned(answer) == {"base": 600, "cup": 200, "x3": 1600}
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("x2", "x3", 800)]


def test_a_rule_has_its_own_most() -> None:
    tables = rule("base", 'rate = "3%", max_points = "2.5"') + rule("cup", 'fixed = "1", per = "unit"')
    assert earned(ask(tables, line("1", 10_000))) == {"base": 250, "cup": 100}
    whole = '[points]\nstep = "1"\n'
    assert earned(ask(whole + tables, line("1", 10_000))) == {"base": 200, "cup": 100}  # 3.5, rounded down once


GROUPS = '[[group]]\nid = "a"\n[[group]]\nid = "b"\n[[group]]\nid = "c"\n'


def grouped(*rules: tuple[str, str, str]) -> str:
    return "".join(rule(name, then, f'group = "{group}"') for name, group, then in rules)


def test_groups_that_stack_add_their_rates() -> None:
    tables = GROUPS + '[compatibility.a]\nb = "stack"\n' + grouped(
        ("a1", "a", 'rate = "1%"'), ("a2", "a", 'rate = "2%"'), ("b1", "b", 'rate = "4%"'), ("b2", "b", 'rate = "3%"')
    )  # fmt: skip
    answer = ask(tables, line("1", 10_000))
    assert earned(answer) == {"a2": 200, "b1": 400}
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("a1", "a2", 100), ("b2", "b1", 100)]


def test_a_group_that_stacks_with_itself_adds_all_its_rules() -> None:
    tables = GROUPS + '[compatibility.a]\na = "stack"\n' + grouped(
        ("a1", "a", 'rate = "1%"'), ("a2", "a", 'rate = "2%"'), ("x2", "a", 'multiplier = "2"'), ("x3", "a", 'multiplier = "3"')
    )  # fmt: skip
    assert earned(ask(tables, line("1", 10_000))) == {"a1": 100, "a2": 200, "x2": 300, "x3": 600}


def test_what_competes_with_either_of_two_that_stack_competes_with_both() -> None:
    tables = GROUPS + '[compatibility.a]\nb = "stack"\n' + grouped(
        ("a1", "a", 'rate = "2%"'), ("b1", "b", 'rate = "3%"'), ("c1", "c", 'rate = "4%"')
    )  # fmt: skip
    assert earned(ask(tables, line("1", 10_000))) == {"c1": 400}


def test_rules_without_a_group_never_add() -> None:
    tables = GROUPS + '[compatibility.a]\nb = "stack"\n' + BASE + rule("more", 'rate = "4%"')
    assert earned(ask(tables, line("1", 10_000))) == {"more": 400}


def test_points_are_rounded_up_once_a_receipt() -> None:
    up = '[points]\nstep = "1"\nround = "up"\n' + rule("back", 'rate = "15%"')
    assert earned(ask(up, line("1", 10_000), line("2", 13_000), line("3", 5900))) == {"back": 4400}  # 43.35
    assert earned(ask(up, line("1", 20_000))) == {"back": 3000}
    two = up + rule("cup", 'fixed = "0.35", per = "unit", max_points = "0.35"')
    assert earned(ask(two, line("1", 10_000))) == {"back": 1600}  # 15.35, of which cup may not give a whole one


def test_goods_outside_the_table_earn_nothing() -> None:
    tables = '[points]\non = { except = { category = "gift-card" } }\n' + BASE + rule("cup", 'fixed = "1", per = "unit"')
    assert earned(ask(tables, line("1", 10_000), line("2", 10_000, category="gift-card"))) == {"base": 300, "cup": 100}


def test_tobacco_earns_nothing() -> None:
    tables = BASE + rule("cup", 'fixed = "1", per = "unit"')
    assert earned(ask(tables, line("1", 10_000), line("2", 10_000, category="tobacco"))) == {"base": 300, "cup": 100}


def test_points_on_the_price_without_vat() -> None:
    net = '[points]\nearn_base = "net"\n' + rule("base", 'rate = "20%"')
    assert earned(ask(net, line("1", 12_000, vat_bp=2000))) == {"base": 2000}
    assert earned(ask(net, line("1", 12_000), line("2", 12_000, vat_bp=0))) == {"base": 4800}
    zenoti = '[points]\nearn_base = "net"\n' + rule("base", 'rate = "20%"')
    assert earned(ask(zenoti, line("1", 31_500, vat_bp=500))) == {"base": 6000}


def test_who_redeems_may_earn_nothing() -> None:
    tables = '[points]\nearn_if_redeemed = false\n[redeem]\nlimit = "50%"\n' + BASE
    assert earned(ask(tables, line("1", 10_000))) == {"base": 300}
    answer = ask(tables, line("1", 10_000), redeem=1)
    assert earned(answer) == {}
    assert why(answer, "base") == ("redeemed", "0.01", "0.00")


def test_a_receipt_has_its_most() -> None:
    tables = '[points]\nper_receipt = "2.99"\nstep = "0.5"\n' + BASE
    assert earned(ask(tables, line("1", 10_000))) == {"base": 250}
    assert earned(ask(tables, line("1", 5_000))) == {"base": 150}
    small = '[points]\nper_receipt = "0.4"\nstep = "0.5"\n' + BASE
    assert why(ask(small, line("1", 10_000)), "base") == ("per_receipt", "0.40", "0.50")


def test_a_day_has_its_most() -> None:
    tables = '[points]\nper_day = "5"\n' + BASE
    today, before = MemberDay(day="2026-11-21", earned_centi=Points(300)), MemberDay(day="2026-11-20", earned_centi=Points(400))
    assert earned(ask(tables, line("1", 10_000), days=(before, today))) == {"base": 200}
    assert earned(ask(tables, line("1", 10_000), days=(before,))) == {"base": 300}
    late = datetime(2026, 11, 21, 21, tzinfo=UTC)  # the next day in Moscow
    assert earned(ask(tables, line("1", 10_000), days=(today,), at=late)) == {"base": 300}
    full = MemberDay(day="2026-11-21", earned_centi=Points(501))
    assert why(ask(tables, line("1", 10_000), days=(full,)), "base") == ("per_day", "0.00", "0.01")


def test_a_limit_for_the_day_gives_nothing_when_the_days_are_not_known() -> None:
    answer = ask('[points]\nper_day = "5"\n' + BASE, line("1", 10_000))
    assert earned(answer) == {}
    assert why(answer, "base") == ("per_day", "unknown", "5.00")


def test_a_line_keeps_the_rates_at_which_it_earned() -> None:
    tables = (
        BASE + rule("x2", 'multiplier = "2.5", on = { sku = "c" }') + rule("cup", 'fixed = "1", per = "unit", on = { sku = "c" }')
    )
    tables += rule("welcome", 'fixed = "5"')
    answer = ask(tables, line("1", 10_000, sku="c"), line("2", 10_000))
    assert answer.lines[0].earned == (
        EarnedOn(rule="base", rate=30_000),
        EarnedOn(rule="cup", unit_centi=100),
        EarnedOn(rule="welcome"),
        EarnedOn(rule="x2", rate=45_000, unit_centi=150),
    )
    assert answer.lines[1].earned == (EarnedOn(rule="base", rate=30_000), EarnedOn(rule="welcome"))
    assert [each.earning_minor for each in answer.lines] == [10_000, 10_000]
    assert answer.earning is not None
    assert [(each.rule, each.centi) for each in answer.earning.fixed] == [("welcome", 500)]


DATES = [  # life, given at (UTC), usable from, lost at
    ("lifetime_months = 12\nmonth_end = true", (2020, 7, 6, 9), (2020, 7, 6, 9), (2021, 7, 31, 21)),
    ("lifetime_months = 12", (2020, 7, 6, 9), (2020, 7, 6, 9), (2021, 7, 5, 21)),
    ("lifetime_months = 1", (2026, 1, 31, 9), (2026, 1, 31, 9), (2026, 2, 27, 21)),
    ("lifetime_months = 1", (2024, 1, 31, 9), (2024, 1, 31, 9), (2024, 2, 28, 21)),
    ("lifetime_months = 11", (2026, 2, 28, 9), (2026, 2, 28, 9), (2027, 1, 27, 21)),
    ("lifetime_days = 10\nmonth_end = true", (2026, 1, 20, 9), (2026, 1, 20, 9), (2026, 1, 31, 21)),
    ("lifetime_days = 12\nmonth_end = true", (2026, 12, 20, 9), (2026, 12, 20, 9), (2027, 1, 31, 21)),
    ("lifetime_months = 1\ndelay_days = 1", (2026, 1, 31, 20, 59), (2026, 1, 31, 21), (2026, 2, 28, 21)),
    ("lifetime_months = 1\ndelay_days = 1", (2026, 1, 31, 21), (2026, 2, 1, 21), (2026, 3, 1, 21)),
]


@pytest.mark.parametrize(("life", "given", "usable_from", "lost"), DATES)
def test_the_dates_of_points(life: str, given: tuple[int, ...], usable_from: tuple[int, ...], lost: tuple[int, ...]) -> None:
    def instant(parts: tuple[int, ...]) -> datetime:
        year, month, day, hour, *minute = parts
        return datetime(year, month, day, hour, *minute, tzinfo=UTC)

    (accrual,) = ask(f"[points]\n{life}\n" + BASE, line("1"), at=instant(given)).accruals
    assert (accrual.usable_from, accrual.expires_at) == (instant(usable_from), instant(lost))


def test_a_rule_s_own_life_takes_the_table_s_place() -> None:
    tables = "[points]\nlifetime_months = 12\nmonth_end = true\n"
    tables += rule("short", 'rate = "50%", lifetime_days = 7, month_end = false') + rule("base", 'fixed = "1"')
    short, base = sorted(ask(tables, line("1")).accruals, key=lambda each: each.rule, reverse=True)
    assert short.expires_at == datetime(2026, 11, 27, 21, tzinfo=UTC)
    assert base.expires_at == datetime(2027, 11, 30, 21, tzinfo=UTC)


def test_a_rule_that_takes_money_off_is_not_told_to_have_lost_or_earned_nothing() -> None:
    both = """
[[rule]]
id = "both"
stage = "order"
then = [{ do = "amount", amount = "1.00" }, { do = "points", rate = "1%" }]
"""
    answer = ask(BASE + both, line("1", 10_000))
    assert (earned(answer), answer.beaten, answer.applied) == ({"base": 297}, (), ("base", "both"))
    nothing = ask(both.replace("1%", "0.01%"), line("1", 110))
    assert (earned(nothing), nothing.refusals, nothing.applied) == ({}, (), ("both",))


def test_a_group_that_stacks_with_itself_still_competes_with_others() -> None:
    tables = GROUPS + '[compatibility.a]\na = "stack"\nb = "stack"\n' + grouped(
        ("a1", "a", 'rate = "1%"'), ("a2", "a", 'rate = "2%"'), ("b1", "b", 'rate = "4%"'), ("c1", "c", 'rate = "5%"')
    )  # fmt: skip
    assert earned(ask(tables, line("1", 10_000))) == {"c1": 500}
    without = tables.replace("[compatibility.a]\n", '[compatibility.c]\na = "stack"\nb = "stack"\n[compatibility.a]\n')
    assert earned(ask(without, line("1", 10_000))) == {"a1": 100, "a2": 200, "b1": 400, "c1": 500}


def test_a_limit_of_a_step_still_gives_it() -> None:
    tables = '[points]\nper_receipt = "0.5"\nstep = "0.5"\n' + BASE
    assert earned(ask(tables, line("1", 10_000))) == {"base": 50}
    assert why(ask(tables, line("1", 100)), "base") == ("nothing_earned", "0.00", "0.50")


def test_a_budget_pays_for_points_too() -> None:
    tables = '[points]\nvalue = "0.50"\n' + rule("base", 'rate = "3%"', 'budget = "9.00"')
    for left, points in ((150, 300), (149, 298), (1000, 300)):
        answer = quote(basket(line("1", 10_000)), member(), programme(tables), State(budgets={"base": left}), NOW)
        assert earned(answer) == {"base": points}
