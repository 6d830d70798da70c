"""What the till tells the engine of what went before: limits, budgets, counters, coupons, plans; and what a void takes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.cli.main import main
from pos_loyalty.engine.model import Quote, Tender
from pos_loyalty.errors import ConflictError, QuoteStaleError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import (
    CancelRequest,
    CompleteRequest,
    IdentifyRequest,
    QuoteRequest,
    SaleAnswer,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.values import Minor, decode, encode
from tests.shop import CARD, MEMBER, OTHER_CARD, PROGRAMME, Shop, make_basket

HEAD = PROGRAMME.partition("[[rule]]")[0].replace("version = 1", "version = 2")
COFFEE = 'on = { category = "drinks/coffee" }'
LIMITED = """
[[rule]]
id = "ten"
stage = "item"
limits = { %s }
then = [{ do = "percent", percent = "10%%" }]
"""
BUDGET = """
[[rule]]
id = "ten"
stage = "item"
budget = "50.00"
then = [{ do = "percent", percent = "10%" }]
"""
SIXTH = """
[[rule]]
id = "count"
then = [{ do = "counter_add", key = "coffee" }]
[[rule]]
id = "sixth"
stage = "item"
when = [{ is = "counter", key = "coffee", n = 6 }]
then = [{ do = "percent", percent = "100%" }]
"""
SPENT = """
[[rule]]
id = "spent"
stage = "order"
when = [{ is = "customer", member = true }]
then = [{ do = "ladder", by = "spent", days = 30, steps = [
  { from = "500.00", percent = "5%" }, { from = "800.00", percent = "10%" },
] }]
"""
BOUGHT = """
[[rule]]
id = "back"
stage = "order"
when = [{ is = "history", bought = true, days = 60, on = { sku = "4601" } }]
then = [{ do = "percent", percent = "7%" }]
"""
PLAN = """
[[plan]]
id = "club"
sku = "PLAN"
days = 30
[[rule]]
id = "club-price"
stage = "customer"
when = [{ is = "customer", paid = true }]
then = [{ do = "percent", percent = "20%" }]
"""
COUPON = """
[[coupon]]
id = "next"
prefix = "NEXT"
digits = 20
title = { ru = "−50 %", en = "50% off" }
[[rule]]
id = "issue"
when = [{ is = "basket_amount", min = "250.00" }]
then = [{ do = "issue_coupon", series = "next", count = 2, days = 10 }]
[[rule]]
id = "by-coupon"
stage = "order"
when = [{ is = "coupon", series = "next" }]
then = [{ do = "percent", percent = "50%" }]
"""
BY_CARD = """
[[rule]]
id = "card"
stage = "order"
when = [{ is = "tender", kind = "card" }]
then = [{ do = "percent", percent = "10%" }]
"""
ROUND = """
[[rule]]
id = "cash"
stage = "payment"
then = [{ do = "round_total", step = "10.00", tenders = ["cash"] }]
"""


def under(shop: Shop, rules: str) -> Shop:
    shop.publish(HEAD + rules)
    assert "@2#" in shop.till.programme().name, shop.till._desk.shelf.fault
    return shop


def quoted(shop: Shop, card: str | None = CARD, **more: object) -> Quote:
    return shop.till.quote(QuoteRequest(basket=replace(make_basket(), opened_at=shop.now, **more), card=card))


def sold(shop: Shop, sale_id: str, card: str | None = CARD, *, complete: bool = True, **more: object) -> SaleAnswer:
    return paid(shop, quoted(shop, card, **more), sale_id, complete=complete)


def paid(shop: Shop, quote: Quote, sale_id: str, kind: str = "cash", *, complete: bool = True) -> SaleAnswer:
    tenders = (Tender(kind=kind, amount_minor=quote.due_minor),)
    request = SaleRequest(
        sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=tenders, complete=complete
    )
    return shop.till.authorise(request, f"key {sale_id}")


@pytest.mark.parametrize(
    ("limit", "second", "other", "tomorrow"),
    [("member = 1", 30_000, 27_000, 30_000), ("day = 1", 30_000, 30_000, 27_000), ("total = 1", 30_000, 30_000, 30_000)],
)
def test_limits_count_what_this_till_sold(shop: Shop, limit: str, second: int, other: int, tomorrow: int) -> None:
    under(shop, LIMITED % limit)
    shop.add_member("member-2", OTHER_CARD, 1)
    assert sold(shop, "one").quote.total_minor == 27_000
    assert quoted(shop).total_minor == second
    assert quoted(shop, OTHER_CARD).total_minor == other
    shop.now += timedelta(days=1)
    assert quoted(shop).total_minor == tomorrow
    shop.now -= timedelta(days=1)
    shop.till.void("one", VoidRequest(), "void")
    assert quoted(shop).total_minor == 27_000
    assert verify(shop.db) == ()


def test_an_open_sale_holds_its_use_and_a_cancelled_one_gives_it_back(shop: Shop) -> None:
    under(shop, LIMITED % "total = 1")
    sold(shop, "one", complete=False)
    assert quoted(shop).total_minor == 30_000
    shop.till.cancel("one", CancelRequest(), "cancel")
    assert quoted(shop).total_minor == 27_000


def test_two_quotes_do_not_share_the_last_use(shop: Shop) -> None:
    under(shop, LIMITED % "total = 1")
    first, second = quoted(shop), quoted(shop)
    paid(shop, first, "one")
    before = shop.rows()
    with pytest.raises(QuoteStaleError, match="was used since the quote") as caught:
        paid(shop, second, "two")
    assert decode(caught.value.quote or b"", Quote).total_minor == 30_000
    assert {name for name, rows in shop.rows().items() if rows != before[name]} <= {"attempt"}


def test_a_quote_that_nothing_touched_is_sold_though_others_were_sold_between(shop: Shop) -> None:
    under(shop, LIMITED % "total = 2")
    first, second = quoted(shop), quoted(shop)
    paid(shop, first, "one")
    assert paid(shop, second, "two").quote.total_minor == 27_000
    assert quoted(shop).total_minor == 30_000


def test_a_budget_is_the_programmes_less_what_this_till_gave(shop: Shop) -> None:
    under(shop, BUDGET)
    assert [sold(shop, name).quote.total_minor for name in ("one", "two")] == [27_000, 28_000]
    assert quoted(shop).total_minor == 30_000
    shop.till.void("one", VoidRequest(), "void")
    assert quoted(shop).total_minor == 27_000
    assert verify(shop.db) == ()


def test_points_use_up_a_budget_by_what_they_pay(shop: Shop) -> None:
    under(shop, BUDGET.replace('stage = "item"', "").replace('do = "percent", percent = "10%"', 'do = "points", rate = "10%"'))
    given = [sum(each.centi for each in sold(shop, name).quote.accruals) for name in ("one", "two")]
    assert given == [3_000, 2_000]
    assert [(each.condition, each.have) for each in quoted(shop).refusals] == [("budget", "0.00")]
    shop.till.void("one", VoidRequest(), "void")
    assert sum(each.centi for each in quoted(shop).accruals) == 3_000
    assert verify(shop.db) == ()


def test_the_sixth_coffee_is_free_across_receipts_and_a_void_takes_its_count_back(shop: Shop) -> None:
    under(shop, SIXTH)
    assert [sold(shop, f"s{n}").quote.total_minor for n in range(2)] == [30_000, 30_000]
    assert quoted(shop).total_minor == 15_000
    shop.till.void("s1", VoidRequest(), "void")
    assert quoted(shop).total_minor == 30_000
    sold(shop, "open", complete=False)
    assert quoted(shop).total_minor == 15_000, "two open sales are never both the sixth"
    assert verify(shop.db) == ()


def test_a_cumulative_ladder_reads_the_members_days(shop: Shop) -> None:
    under(shop, SPENT)
    totals = [sold(shop, f"s{n}").quote.total_minor for n in range(4)]
    assert totals == [30_000, 30_000, 28_500, 27_000]
    shop.now += timedelta(days=31)
    assert quoted(shop).total_minor == 30_000
    shop.now -= timedelta(days=1)


def test_what_was_bought_before_counts_until_it_is_voided(shop: Shop) -> None:
    under(shop, BOUGHT)
    assert sold(shop, "one").quote.total_minor == 30_000
    assert quoted(shop).total_minor == 27_900
    shop.now += timedelta(days=61)
    assert quoted(shop).total_minor == 30_000
    shop.now -= timedelta(days=61)
    shop.till.void("one", VoidRequest(), "void")
    assert quoted(shop).total_minor == 30_000


def test_a_membership_bought_here_holds_for_its_days(shop: Shop) -> None:
    under(shop, PLAN)
    plan = replace(make_basket(count="1").lines[0], line_id="p", sku="PLAN", name="Клуб", category="")
    sold(shop, "plan", lines=(plan,))
    assert quoted(shop).total_minor == 24_000
    until = shop.till.identify(IdentifyRequest(card=CARD)).paid_until
    assert until is not None and until > shop.now + timedelta(days=29)
    shop.now += timedelta(days=31)
    assert quoted(shop).total_minor == 30_000
    shop.now -= timedelta(days=31)
    shop.till.void("plan", VoidRequest(), "void")
    assert quoted(shop).total_minor == 30_000
    assert shop.till.identify(IdentifyRequest(card=CARD)).paid_until is None


def test_a_coupon_is_issued_printed_used_once_and_given_back(shop: Shop) -> None:
    under(shop, COUPON)
    held = sold(shop, "one", complete=False)
    assert held.coupons == (), "told when the money is there"
    done = shop.till.complete("one", CompleteRequest(), "complete one")
    codes = [coupon.code for coupon in done.coupons]
    assert len(set(codes)) == 2 and all(code.startswith("NEXT") and len(code) == 24 for code in codes)
    assert (done.coupons[0].title["en"], done.coupons[0].series) == ("50% off", "next")
    assert codes[0] in shop.till.receipt_text("one") and "КУПОН" in shop.till.receipt_text("one", "ru")
    assert quoted(shop, None, coupons=(codes[0].lower(),)).total_minor == 15_000
    sold(shop, "two", None, complete=False, coupons=(codes[0],))
    assert quoted(shop, None, coupons=(codes[0],)).total_minor == 30_000, "an open sale holds it"
    shop.till.cancel("two", CancelRequest(), "cancel two")
    sold(shop, "three", None, coupons=(codes[0],))
    refused = quoted(shop, None, coupons=(codes[0],))
    assert refused.total_minor == 30_000
    assert [each.have for each in refused.refusals if each.condition == "coupon"] == [f"used:{codes[0]}"]
    shop.till.void("three", VoidRequest(), "void three")
    assert quoted(shop, None, coupons=(codes[0],)).total_minor == 15_000
    assert verify(shop.db) == ()


@pytest.mark.parametrize("way", [str.lower, lambda code: f" {code} ", str])
def test_a_coupon_however_it_is_typed_is_used_once(shop: Shop, way: Callable[[str], str]) -> None:
    under(shop, COUPON)
    code = sold(shop, "one").coupons[0].code
    assert sold(shop, "two", None, coupons=(way(code),)).quote.total_minor == 15_000
    assert shop.db.execute("SELECT code FROM coupon_use").fetchall() == [(code,)]
    for typed in (way(code), code, code.lower()):
        refused = quoted(shop, None, coupons=(typed,))
        assert (refused.total_minor, refused.coupons) == (30_000, ())
    assert verify(shop.db) == ()


def test_a_coupon_of_a_sale_that_was_voided_or_never_paid_is_worth_nothing(shop: Shop) -> None:
    under(shop, COUPON)
    code = sold(shop, "one").coupons[0].code
    shop.till.void("one", VoidRequest(), "void")
    assert quoted(shop, None, coupons=(code,)).total_minor == 30_000
    for_use, _, gone = shop.till.receipt_text("one").partition("НЕ ДЕЙСТВУЮТ")
    assert code not in for_use and code in gone
    sold(shop, "two", complete=False)
    (unpaid,) = shop.db.execute("SELECT MAX(code) FROM issue WHERE txn = (SELECT txn FROM sale WHERE sale_id = 'two')").fetchone()
    assert quoted(shop, None, coupons=(unpaid,)).total_minor == 30_000


def test_a_coupon_ends_with_its_term(shop: Shop) -> None:
    under(shop, COUPON)
    code = sold(shop, "one").coupons[0].code
    shop.now += timedelta(days=9)
    assert quoted(shop, None, coupons=(code,)).total_minor == 15_000
    shop.now += timedelta(days=1)
    assert quoted(shop, None, coupons=(code,)).total_minor == 30_000


def test_two_quotes_do_not_share_a_coupon(shop: Shop) -> None:
    under(shop, COUPON)
    code = sold(shop, "one").coupons[0].code
    first, second = quoted(shop, None, coupons=(code,)), quoted(shop, None, coupons=(code,))
    paid(shop, first, "two")
    with pytest.raises(QuoteStaleError, match="was used since the quote"):
        paid(shop, second, "three")


def test_a_series_without_free_codes_is_said_and_nothing_is_sold(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    under(shop, COUPON.replace("digits = 20", "digits = 4"))
    quote = quoted(shop)
    monkeypatch.setattr("pos_loyalty.till.coupons.random_bits", lambda made: 7)
    with pytest.raises(ConflictError, match="hardly a code left"):
        paid(shop, quote, "one")
    assert shop.db.execute("SELECT COUNT(*) FROM sale").fetchone() == (0,)


def test_paid_otherwise_than_planned_gets_a_new_quote_and_writes_nothing(shop: Shop) -> None:
    under(shop, BY_CARD)
    quote = quoted(shop)
    assert quote.total_minor == 30_000
    before = shop.rows()
    with pytest.raises(QuoteStaleError, match="hangs on how it is paid: card") as caught:
        paid(shop, quote, "one", "card")
    assert shop.rows() == before
    renewed = decode(caught.value.quote or b"", Quote)
    assert renewed.due_minor == 27_000
    assert paid(shop, renewed, "one", "card").quote.due_minor == 27_000
    with pytest.raises(QuoteStaleError) as caught:
        paid(shop, quoted(shop, tenders=(Tender(kind="card", amount_minor=Minor(1)),)), "two", "cash")
    assert decode(caught.value.quote or b"", Quote).due_minor == 30_000


def test_rounding_for_cash_asks_for_the_tenders_and_others_do_not(shop: Shop) -> None:
    basket = make_basket(price_minor=15_333)
    under(shop, ROUND)
    quote = shop.till.quote(QuoteRequest(basket=basket, card=CARD))
    with pytest.raises(QuoteStaleError) as caught:
        paid(shop, quote, "one", "cash")
    assert decode(caught.value.quote or b"", Quote).due_minor == 30_000
    shop.publish(HEAD.replace("version = 2", "version = 3"))
    assert paid(shop, shop.till.quote(QuoteRequest(basket=basket, card=CARD)), "two", "cash").quote.due_minor == 30_666


def test_money_that_came_otherwise_than_priced_is_a_case_not_a_refusal(shop: Shop) -> None:
    under(shop, BY_CARD)
    quote = quoted(shop, tenders=(Tender(kind="card", amount_minor=Minor(1)),))
    request = SaleRequest(sale_id="one", quote_id=quote.quote_id or "", due_minor=quote.due_minor)
    shop.till.authorise(request, "key")
    paid_in_cash = CompleteRequest(tenders=(Tender(kind="cash", amount_minor=quote.due_minor),))
    assert shop.till.complete("one", paid_in_cash, "complete").state == "completed"
    (detail,) = shop.db.execute("SELECT detail FROM suspense_case").fetchone()
    assert detail == "one: paid by cash, priced for card"


def test_what_may_not_be_sold_so_is_refused_with_its_name_and_nothing_is_written(shop: Shop) -> None:
    tobacco = replace(
        make_basket().lines[0], name="Сигареты", category="tobacco", tags=("tobacco",), max_price_minor=Minor(14_000)
    )
    quote = quoted(shop, lines=(tobacco,))
    assert quote.line_refusals
    before = shop.rows()
    with pytest.raises(ConflictError, match=r"^Сигареты: .*nothing was sold\.$"):
        paid(shop, quote, "one")
    assert shop.rows() == before


def test_without_a_rule_that_asks_nothing_is_looked_up(shop: Shop) -> None:
    wants = shop.till._desk.shelf.wants(shop.db)
    assert (wants.uses, wants.counters, wants.days_back, wants.purchases_back, wants.plans, wants.tenders) == (
        False, False, 0, 0, False, False,
    )  # fmt: skip
    assert MEMBER and not wants.budgets


def test_a_member_with_a_long_past_is_not_held_with_it(shop: Shop) -> None:
    under(shop, BOUGHT)
    sold(shop, "one")
    first, second = quoted(shop), quoted(shop)
    held = shop.till._desk.quotes.get(first.quote_id or "")
    assert held is not None and held.member is not None and held.member.purchases is None
    paid(shop, first, "two")
    assert paid(shop, second, "three").quote.total_minor == 27_900, "a second purchase changes nothing here"


def test_the_command_pays_the_price_for_cash(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    under(shop, ROUND)
    basket = shop.folder / "basket.json"
    basket.write_bytes(encode(make_basket(price_minor=15_333)))
    shop.close()
    assert main(["sale", "--config", str(shop.config), "--basket", str(basket), "--json"]) == 0
    assert decode(capsys.readouterr().out, SaleAnswer).quote.due_minor == 30_000
    shop.open()
