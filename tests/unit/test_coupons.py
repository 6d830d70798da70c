"""Coupons: shared codes, unique codes, dates, and what is said about a bad one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import CouponState, Quote, State
from tests.worlds import NOW, basket, line, programme

PROGRAMME = programme("""
[[coupon]]
id = "welcome"
code = "WELCOME10"
since = "2026-11-01"
until = "2026-11-21"
[[coupon]]
id = "paper"
until = "2026-12-31"
[[rule]]
id = "welcome-rule"
stage = "order"
when = [{ is = "coupon", series = "welcome" }]
then = [{ do = "percent", percent = "10%" }]
[[rule]]
id = "paper-rule"
stage = "order"
when = [{ is = "coupon", series = "paper" }]
then = [{ do = "amount", amount = "5.00" }]
""")
KNOWN = State(coupons={"P-1": CouponState(series="paper", usable=True), "P-2": CouponState(series="paper", usable=False)})


def ask(*codes: str, state: State = KNOWN, at: datetime = NOW) -> Quote:
    return quote(basket(line("1"), coupons=codes), None, PROGRAMME, state, at)


def told(answer: Quote) -> set[tuple[str, str, str]]:
    return {(each.rule, each.have, each.need) for each in answer.refusals}


@pytest.mark.parametrize("code", ["WELCOME10", "welcome10", " Welcome10 "])
def test_a_shared_code_turns_its_rule_on(code: str) -> None:
    assert ask(code).applied == ("welcome-rule",)


def test_without_a_coupon_the_rule_says_which_is_needed() -> None:
    assert told(ask()) == {
        ("welcome-rule", "none", "a coupon of welcome"),
        ("paper-rule", "none", "a coupon of paper"),
    }


def test_an_expired_coupon_says_so() -> None:
    late = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)  # midnight in Moscow
    assert ask("WELCOME10", at=datetime(2026, 11, 21, 20, 59, 59, tzinfo=UTC)).applied == ("welcome-rule",)
    answer = ask("WELCOME10", at=late)
    assert answer.applied == ()
    assert ("welcome-rule", "WELCOME10 ended on 2026-11-21", "a coupon in its dates") in told(answer)


def test_a_coupon_before_its_time_says_so() -> None:
    assert ask("WELCOME10", at=datetime(2026, 10, 31, 21, 0, tzinfo=UTC)).applied == ("welcome-rule",), "the first day counts"
    answer = ask("WELCOME10", at=datetime(2026, 10, 31, 20, 59, tzinfo=UTC))
    assert ("welcome-rule", "WELCOME10 begins on 2026-11-01", "a coupon that has begun") in told(answer)


def test_a_unique_coupon_is_known_by_the_till_s_state() -> None:
    assert ask("P-1").applied == ("paper-rule",)
    assert ("paper-rule", "P-2 is used up", "an unused coupon") in told(ask("P-2"))
    assert ask("P-2", "P-1").applied == ("paper-rule",), "one good coupon is enough"
    assert ("coupon", "P-1 is not known", "a coupon of this programme") in told(ask("P-1", state=State()))


def test_an_unknown_code_is_told_even_when_nothing_asks_for_it() -> None:
    assert ("coupon", "XYZ is not known", "a coupon of this programme") in told(ask("XYZ"))


def test_a_bad_coupon_is_told_even_when_its_goods_are_not_here() -> None:
    answer = quote(basket(coupons=("P-2",)), None, PROGRAMME, KNOWN, NOW)
    assert told(answer) == {("coupon", "P-2 is used up", "an unused coupon")}


def test_the_order_of_codes_does_not_matter() -> None:
    codes = ("WELCOME10", "P-2", "P-1", "XYZ", "welcome10")
    assert ask(*codes) == ask(*reversed(codes))
