"""Points for a friend brought: who gets them, when, and what stands against it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Quote, SalesSoFar
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme, why

REFERRAL = '[referral]\nreferrer = "300"\nfriend = "100"\nmin_amount = "500.00"\n'
FIRST = SalesSoFar(count=0)


def ask(*, price: int = 50_000, tables: str = REFERRAL, redeem: object = None, **who: object) -> Quote:
    person = member(**({"referred_by": "M7", "sales": FIRST} | who))
    return quote(basket(line("1", price), redeem=redeem), person, programme(tables), NOBODY, NOW)


def given(answer: Quote) -> list[tuple[str, int, str | None]]:
    return [(each.rule, each.centi, each.member_id) for each in answer.accruals]


def test_both_sides_get_points_for_the_first_sale() -> None:
    answer = ask()
    assert given(answer) == [("referral", 10_000, None), ("referral", 30_000, "M7")]
    assert why(answer, "referral") is None


def test_later_sales_bring_nothing_and_say_nothing() -> None:
    answer = ask(sales=SalesSoFar(count=1))
    assert (answer.accruals, answer.refusals) == ((), ())


@pytest.mark.parametrize("who", [{"referred_by": None}, {"referred_by": "M1"}])
def test_nobody_brings_themselves(who: dict[str, object]) -> None:
    answer = ask(**who)
    assert (answer.accruals, answer.refusals) == ((), ())


def test_the_first_sale_must_be_large_enough_in_money() -> None:
    answer = ask(price=49_999)
    assert (answer.accruals, why(answer, "referral")) == ((), ("basket_amount", "499.99", "500.00"))
    redeemed = ask(tables='[redeem]\nlimit = "50%"\n' + REFERRAL, redeem=1, lots=(lot("a", 100),))
    assert why(redeemed, "referral") == ("basket_amount", "499.99", "500.00")
    assert len(ask(tables=REFERRAL.replace('min_amount = "500.00"\n', ""), price=1).accruals) == 2
    free = ask(tables=REFERRAL.replace('min_amount = "500.00"\n', ""), price=0)
    assert why(free, "referral") == ("basket_amount", "0.00", "0.01")


def test_sales_must_be_known() -> None:
    assert why(ask(sales=None), "referral") == ("first_purchase", "unknown", "1")


def test_one_side_may_get_nothing() -> None:
    assert given(ask(tables=REFERRAL.replace('"100"', '"0"'))) == [("referral", 30_000, "M7")]


def test_a_referral_has_its_own_life_or_the_table_s() -> None:
    tables = "[points]\nlifetime_days = 180\n" + REFERRAL
    assert {each.expires_at for each in ask(tables=tables).accruals} == {datetime(2027, 5, 19, 21, tzinfo=UTC)}
    own = tables + "delay_days = 14\nlifetime_days = 30\n"
    assert {(each.usable_from, each.expires_at) for each in ask(tables=own).accruals} == {
        (datetime(2026, 12, 4, 21, tzinfo=UTC), datetime(2027, 1, 3, 21, tzinfo=UTC))
    }


def test_a_programme_on_trial_gives_nothing_for_friends_of_others() -> None:
    trial = '[pilot]\nsegment = ["testers"]\n' + REFERRAL
    assert (ask(tables=trial).accruals, why(ask(tables=trial), "referral")) == ((), None)
    assert len(ask(tables=trial, segments=("testers",)).accruals) == 2
