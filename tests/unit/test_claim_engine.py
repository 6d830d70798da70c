"""A claimed receipt and its returns: any order of claim and return ends with the points of what was kept, and no more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.claim import Claimed, as_claimed, claim_of
from pos_loyalty.engine.model import Basket, Line, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.returns import Returned, ReturnLine, return_of
from pos_loyalty.values import Minor, Thousandths

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEAD = """
format = 1
id = "claims"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
"""
SAME_PRICES = load_programme(
    (
        HEAD
        + """
[[rule]]
id = "base"
then = [{ do = "points", rate = "3.33%" }]
[[rule]]
id = "double"
then = [{ do = "points", multiplier = "2", on = { category = "a" } }]
[[rule]]
id = "cup"
then = [{ do = "points", fixed = "0.7", per = "unit", on = { category = "b" } }]
[[rule]]
id = "coming"
then = [{ do = "points", fixed = "5", per = "receipt", max_points = "5" }]
[[rule]]
id = "ten"
stage = "item"
then = [{ do = "percent", percent = "10%", on = { category = "a" } }]
"""
    ).encode()
)
MEMBER_PRICES = load_programme(
    (
        HEAD
        + """
[points]
earn_base = "net"
[[rule]]
id = "base"
then = [{ do = "points", rate = "5%" }]
[[rule]]
id = "card-price"
stage = "customer"
when = [{ is = "customer", member = true }]
then = [{ do = "percent", percent = "40%", on = { category = "a" } }]
"""
    ).encode()
)
lines = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4), st.integers(1, 99_999)), min_size=1, max_size=4)
MEMBER = Member(member_id="M")


def basket_of(goods: list[tuple[str, int, int]]) -> Basket:
    made = tuple(
        Line(
            line_id=str(n),
            sku=f"s{n}",
            quantity_milli=Thousandths(1000 * count),
            price_minor=Minor(price),
            category=kind,
            vat_bp=2000,
        )
        for n, (kind, count, price) in enumerate(goods)
    )
    return Basket(basket_id="B", store="S", till="T", opened_at=AT, currency="RUB", lines=made)


def claimed(
    programme: Programme, basket: Basket, before: tuple[Returned, ...] = ()
) -> tuple[Quote, Quote, Claimed]:  # fmt: skip
    stored = quote(basket, None, programme, State(), AT)
    asked = quote(basket, MEMBER, programme, State(), AT)
    return stored, asked, claim_of(stored, asked, basket.lines, before, programme, AT)


def total(made: Claimed) -> int:
    return sum(each.centi for each in made.accruals)


@settings(deadline=None)
@given(lines)
def test_at_the_same_prices_a_claim_is_what_the_sale_would_have_brought(goods: list[tuple[str, int, int]]) -> None:
    stored, asked, made = claimed(SAME_PRICES, basket_of(goods))
    assert [line.net_minor for line in stored.lines] == [line.net_minor for line in asked.lines]
    assert made.accruals == asked.accruals


@settings(deadline=None)
@given(lines, st.sampled_from([SAME_PRICES, MEMBER_PRICES]), st.data())
def test_claim_then_return_is_return_then_claim(
    goods: list[tuple[str, int, int]], programme: Programme, data: st.DataObject
) -> None:
    basket = basket_of(goods)
    back = tuple(
        ReturnLine(line_id=str(n), quantity_milli=Thousandths(1000 * count))
        for n, (_, most, _) in enumerate(goods)
        if (count := data.draw(st.integers(0, most)))
    )
    stored, _, whole = claimed(programme, basket)
    if not back:
        return
    taken = sum(each.centi for each in return_of(as_claimed(stored, whole, "M"), (), back).taken_back)
    returned = return_of(stored, (), back)
    _, _, rest = claimed(programme, basket, (returned,))
    assert total(whole) - taken == total(rest)


@settings(deadline=None)
@given(lines)
def test_a_full_return_of_a_claimed_sale_leaves_nothing(goods: list[tuple[str, int, int]]) -> None:
    basket = basket_of(goods)
    stored, _, made = claimed(MEMBER_PRICES, basket)
    everything = tuple(ReturnLine(line_id=line.line_id, quantity_milli=line.quantity_milli) for line in basket.lines)
    returned = return_of(as_claimed(stored, made, "M"), (), everything)
    assert sum(each.centi for each in returned.taken_back) == total(made)


@settings(deadline=None)
@given(lines)
def test_never_more_than_the_rate_gives_on_what_was_paid(goods: list[tuple[str, int, int]]) -> None:
    stored, _, made = claimed(MEMBER_PRICES, basket_of(goods))
    without_vat = sum(line.net_minor * 10 / 12 for line in stored.lines)
    assert total(made) <= without_vat * 0.05 + len(stored.lines)


def test_points_that_would_be_lost_by_now_are_left_out() -> None:
    programme = load_programme(
        (HEAD + '[points]\nlifetime_days = 3\n[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "5%" }]\n').encode()
    )
    basket = basket_of([("a", 1, 10_000)])
    stored, asked = quote(basket, None, programme, State(), AT), quote(basket, MEMBER, programme, State(), AT)
    late = AT.replace(day=28)
    assert claim_of(stored, asked, basket.lines, (), programme, late).accruals == ()


@pytest.mark.parametrize("programme", [SAME_PRICES, MEMBER_PRICES])
def test_a_receipt_that_is_all_back_brings_nothing(programme: Programme) -> None:
    basket = basket_of([("a", 2, 10_000), ("b", 1, 333)])
    stored = quote(basket, None, programme, State(), AT)
    everything = tuple(ReturnLine(line_id=line.line_id, quantity_milli=line.quantity_milli) for line in basket.lines)
    assert claimed(programme, basket, (return_of(stored, (), everything),))[2].accruals == ()
