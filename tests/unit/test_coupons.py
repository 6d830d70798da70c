"""Coupons: shared codes, unique codes, dates, and what is said about a bad one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.coupons import coupon_code
from pos_loyalty.engine.model import CouponState, CouponTaken, Quote, State
from pos_loyalty.errors import ProgrammeError
from tests.worlds import NOW, basket, line, programme

PROGRAMME_TABLES = """
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
"""
PROGRAMME = programme(PROGRAMME_TABLES)
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
        ("welcome-rule", "none", "coupon:welcome"),
        ("paper-rule", "none", "coupon:paper"),
    }


def test_an_expired_coupon_says_so() -> None:
    late = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)  # midnight in Moscow
    assert ask("WELCOME10", at=datetime(2026, 11, 21, 20, 59, 59, tzinfo=UTC)).applied == ("welcome-rule",)
    answer = ask("WELCOME10", at=late)
    assert answer.applied == ()
    assert ("welcome-rule", "ended:2026-11-21|WELCOME10", "coupon:welcome") in told(answer)


def test_a_coupon_before_its_time_says_so() -> None:
    assert ask("WELCOME10", at=datetime(2026, 10, 31, 21, 0, tzinfo=UTC)).applied == ("welcome-rule",), "the first day counts"
    answer = ask("WELCOME10", at=datetime(2026, 10, 31, 20, 59, tzinfo=UTC))
    assert ("welcome-rule", "begins:2026-11-01|WELCOME10", "coupon:welcome") in told(answer)


def test_a_unique_coupon_is_known_by_the_till_s_state() -> None:
    assert ask("P-1").applied == ("paper-rule",)
    assert ("paper-rule", "used:P-2", "coupon:paper") in told(ask("P-2"))
    assert ask("P-2", "P-1").applied == ("paper-rule",), "one good coupon is enough"
    assert ("coupon", "unknown:P-1", "coupon") in told(ask("P-1", state=State()))


def test_an_unknown_code_is_told_even_when_nothing_asks_for_it() -> None:
    assert ("coupon", "unknown:XYZ", "coupon") in told(ask("XYZ")), "codes of the series paper have no form"


def test_a_bad_coupon_is_told_even_when_its_goods_are_not_here() -> None:
    answer = quote(basket(coupons=("P-2",)), None, PROGRAMME, KNOWN, NOW)
    assert told(answer) == {("coupon", "used:P-2", "coupon:paper")}


def test_the_order_of_codes_does_not_matter() -> None:
    codes = ("WELCOME10", "P-2", "P-1", "XYZ", "welcome10")
    assert ask(*codes) == ask(*reversed(codes))


PATTERNS = """
[[coupon]]
id = "flyer"
prefix = "99"
digits = 11
check = "mod10"
unique = false
per_receipt = 2
[[coupon]]
id = "app"
prefix = "APP-"
digits = 8
check = "luhn"
[[rule]]
id = "flyer-rule"
stage = "order"
when = [{ is = "coupon", series = "flyer" }]
then = [{ do = "amount", amount = "5.00" }]
[[rule]]
id = "app-rule"
stage = "order"
when = [{ is = "coupon", series = "app" }]
then = [{ do = "amount", amount = "1.00" }]
"""
SERIES = programme(PATTERNS).series


def judged(*codes: str, state: State | None = None) -> Quote:
    return quote(basket(line("1"), coupons=codes), None, programme(PATTERNS), state or State(), NOW)


def test_codes_are_made_of_prefix_serial_and_check_digits() -> None:
    assert coupon_code(SERIES["flyer"], 12) == "9900000000127"  # an EAN-13
    assert coupon_code(SERIES["app"], 123456) == "APP-01234566"
    assert coupon_code(SERIES["app"], 10**7 + 123456) == "APP-01234566", "the highest digits are lost"
    plain = coupon_code(programme('[[coupon]]\nid = "paper"\n').series["paper"], 2**64 - 1)
    assert plain == "18446744073709551615"


def test_a_code_that_fits_is_good_where_no_till_must_know_it() -> None:
    answer = judged("9900000000127")
    assert (answer.applied, answer.coupons) == (("flyer-rule",), ()), "it is not used up"


def test_a_slip_of_the_hand_is_seen() -> None:
    assert ("flyer-rule", "check:9900000000126", "coupon:flyer") in told(judged("9900000000126"))
    assert ("app-rule", "check:APP-01234567", "coupon:app") in told(judged("APP-01234567"))


def test_a_good_unique_code_that_the_till_does_not_know_says_so() -> None:
    code = coupon_code(SERIES["app"], 7)
    assert ("app-rule", f"unknown:{code}", "coupon:app") in told(judged(code))
    held = State(coupons={code: CouponState(series="app", usable=True)})
    answer = judged(code.lower(), state=held)
    assert (answer.applied, answer.coupons) == (("app-rule",), (CouponTaken(code=code, series="app"),))


def test_what_fits_no_series_is_not_of_the_programme() -> None:
    for code in ("APP-012345", "APP-0123456X", "99000000001", "BPP-01234566", "SUMMER"):
        assert ("coupon", f"no_series:{code}", "coupon") in told(judged(code))


@pytest.mark.parametrize(
    "code",
    ["APP-0123456", "APP-012345667", "APP-O1234566", "APP-\N{CYRILLIC CAPITAL LETTER O}1234566", "app-0l234566", "990000000012"],
)
def test_a_code_that_is_almost_one_of_a_series_is_mistyped(code: str) -> None:
    assert ("coupon", f"check:{code.upper()}", "coupon") in told(judged(code))


def test_only_so_many_of_a_series_count() -> None:
    codes = [coupon_code(SERIES["flyer"], serial) for serial in (1, 2, 3)]
    answer = judged(*codes)
    assert answer.applied == ("flyer-rule",)
    assert told(answer) == {("app-rule", "none", "coupon:app"), ("coupon", f"per_receipt:{codes[2]}", "per_receipt:2")}
    two = State(coupons={code: CouponState(series="paper", usable=True) for code in ("P-1", "P-3")})
    assert ask("P-1", "P-3", state=two).coupons == (CouponTaken(code="P-1", series="paper"),)


def test_a_coupon_whose_rule_does_not_act_is_kept() -> None:
    dear = PROGRAMME_TABLES.replace('series = "paper" }]', 'series = "paper" }, { is = "basket_amount", min = "500.00" }]')
    assert quote(basket(line("1"), coupons=("P-1",)), None, programme(dear), KNOWN, NOW).coupons == ()
    assert ask("P-1", "WELCOME10").coupons == (), "the better rule acts, and the shared code is nobody's"
    assert ask("P-1").coupons == (CouponTaken(code="P-1", series="paper"),)


@pytest.mark.parametrize(
    ("series", "place"),
    [
        ('code = "SALE"\nprefix = "S"', "coupon[0].code"),
        ('code = "79927398710"\ncheck = "luhn"', "coupon[0].code"),
        ('prefix = "S"', "coupon[0].digits"),
        ("unique = false", "coupon[0].digits"),
        ("digits = 8\nunique = false", "coupon[0].check"),
        ("digits = 3", "coupon[0].digits"),
    ],
)
def test_a_series_that_cannot_be_is_refused(series: str, place: str) -> None:
    with pytest.raises(ProgrammeError) as caught:
        programme(f'[[coupon]]\nid = "s"\n{series}\n')
    assert caught.value.place == place


def test_a_shared_code_may_carry_its_check_digit() -> None:
    assert programme('[[coupon]]\nid = "s"\ncode = "79927398713"\ncheck = "luhn"\n').series["s"].code == "79927398713"


@pytest.mark.parametrize("typed", ["P-1", "p-1", " p-1 "])
def test_a_coupon_is_taken_under_the_code_that_the_till_knows_it_by(typed: str) -> None:
    answer = ask(typed)
    assert (answer.applied, answer.coupons) == (("paper-rule",), (CouponTaken(code="P-1", series="paper"),))
    by_hand = State(coupons={"p-1": CouponState(series="paper", usable=True)})
    assert ask("p-1", state=by_hand).coupons == (CouponTaken(code="p-1", series="paper"),)
