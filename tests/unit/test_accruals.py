"""Points earned: on which money, at which rate, when they may be used and when they are lost."""

from __future__ import annotations

from datetime import UTC, datetime

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, Quote, State
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme, why

BASE = '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "3%" }]\n'
REDEEM = '[redeem]\nlimit = "50%"\n'


def ask(tables: str, *lines: Line, redeem: object = None) -> Quote:
    return quote(basket(*lines, redeem=redeem), member(lots=(lot("a", 100_000),)), programme(tables), NOBODY, NOW)


def earned(answer: Quote) -> dict[str, int]:
    return {each.rule: each.centi for each in answer.accruals}


def test_points_are_floored_once_a_receipt() -> None:
    three = [line(str(n), 33, sku=str(n)) for n in range(3)]  # 3 × 0.99 hundredths: 2, not 0
    assert earned(ask(BASE, *three)) == {"base": 2}
    assert earned(ask(BASE, line("1", 28_900))) == {"base": 867}


def test_points_are_given_in_steps() -> None:
    assert earned(ask('[points]\nstep = "1"\n' + BASE, line("1", 9_999))) == {"base": 200}
    nothing = ask('[points]\nstep = "1"\n' + BASE, line("1", 3333))
    assert earned(nothing) == {}
    assert why(nothing, "base") == ("nothing_earned", "0.00", "1.00")


def test_points_are_earned_on_money_paid() -> None:
    assert earned(ask(REDEEM + BASE, line("1", 10_000), redeem="max")) == {"base": 150}
    before = '[points]\nearn_on = "before_redemption"\n'
    assert earned(ask(before + REDEEM + BASE, line("1", 10_000), redeem="max")) == {"base": 300}


def test_the_best_rate_acts_on_each_line() -> None:
    coffee = '[[rule]]\nid = "coffee"\nthen = [{ do = "points", rate = "10%", on = { sku = "c" } }]\n'
    tea = '[[rule]]\nid = "tea"\nthen = [{ do = "points", rate = "1%", on = { sku = "t" } }]\n'
    answer = ask(BASE + coffee + tea, line("1", 10_000, sku="c"), line("2", 10_000, sku="t"))
    assert earned(answer) == {"base": 300, "coffee": 1000}
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("tea", "base", 200)]


def test_a_multiplier_multiplies_what_other_rules_give() -> None:
    double = '[[rule]]\nid = "double"\nthen = [{ do = "points", multiplier = "2.5", on = { sku = "c" } }]\n'
    weaker = '[[rule]]\nid = "weaker"\nthen = [{ do = "points", multiplier = "2" }]\n'
    assert earned(ask(BASE + double, line("1", 10_000, sku="c"), line("2", 10_000))) == {"base": 600, "double": 450}
    answer = ask(BASE + double + weaker, line("1", 10_000, sku="c"))
    assert earned(answer) == {"base": 300, "double": 450}
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("weaker", "double", 150)]
    assert why(ask(double, line("1", sku="c")), "double") == ("nothing_earned", "0.00", "0.01")


def test_without_a_card_nobody_earns() -> None:
    answer = quote(basket(line("1")), None, programme(BASE), NOBODY, NOW)
    assert why(answer, "base") == ("customer", "none", "member")
    assert answer.accruals == ()


def test_delay_and_lifetime_count_the_shop_s_days() -> None:
    tables = '[points]\nlifetime_days = 180\n' + BASE + """
[[rule]]
id = "later"
stage = "order"
then = [{ do = "amount", amount = "1.00" }, { do = "points", multiplier = "2", delay_days = 1, lifetime_days = 30 }]
"""  # fmt: skip
    base, later = ask(tables, line("1", 100_000)).accruals
    assert (base.usable_from, base.expires_at) == (NOW, datetime(2027, 5, 19, 21, tzinfo=UTC))
    assert (later.usable_from, later.expires_at) == (
        datetime(2026, 11, 21, 21, tzinfo=UTC),
        datetime(2026, 12, 21, 21, tzinfo=UTC),
    )
    assert ask(BASE, line("1")).accruals[0].expires_at is None


def test_a_currency_without_small_coins_gives_the_same_share() -> None:
    from pos_loyalty.engine import load_programme
    from tests.worlds import HEAD

    yen = load_programme((HEAD.replace("RUB", "JPY") + BASE).encode())
    answer = quote(basket(line("1", 1000), currency="JPY"), member(), yen, NOBODY, NOW)
    assert earned(answer) == {"base": 3000}


def test_money_and_points_of_a_rule_share_its_budget() -> None:
    then = '[{ do = "percent", percent = "%s" }, { do = "points", rate = "50%%" }]'
    both = f'[[rule]]\nid = "both"\nstage = "order"\nbudget = "50.00"\nthen = {then}\n'

    def given(percent: str, value: str, budget: int = 5000) -> tuple[int, int]:
        tables = f'[points]\nvalue = "{value}"\n' + both % percent
        state = State(budgets={"both": budget})
        answer = quote(basket(line("1", 20_000)), member(), programme(tables), state, NOW)
        return answer.gross_minor - answer.total_minor, sum(each.centi for each in answer.accruals)

    assert given("50%", "1.00") == (5000, 0)
    assert given("20%", "1.00") == (4000, 1000)
    assert given("20%", "0.50") == (4000, 2000)
    assert given("20%", "1.00", 9_999_999) == (4000, 1000), "the programme's own budget is the most"
