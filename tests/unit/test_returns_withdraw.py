"""What a sale issued goes when the goods that brought it come back: coupons that are unused, and paid memberships."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, IdentifyRequest, QuoteRequest, SaleAnswer
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest
from pos_loyalty.values import quantity
from tests.shop import CARD, PROGRAMME, Shop
from tests.unit.test_returns_elsewhere import Chain, chain  # noqa: F401 - a fixture
from tests.unit.test_till_returns import goods, sell

ISSUING = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "next"
[[coupon]]
id = "thanks"
[[plan]]
id = "club"
sku = "club-card"
days = 365

[[rule]]
id = "big"
limits = { member = 5 }
when = [{ is = "basket_amount", min = "1000.00" }]
then = [{ do = "issue_coupon", series = "next", days = 30, count = 2 }]

[[rule]]
id = "always"
then = [{ do = "issue_coupon", series = "thanks", days = 30 }]

[[rule]]
id = "use-next"
stage = "order"
when = [{ is = "coupon", series = "next" }]
then = [{ do = "amount", amount = "50.00" }]

[[rule]]
id = "use-thanks"
stage = "order"
when = [{ is = "coupon", series = "thanks" }]
then = [{ do = "amount", amount = "5.00" }]
"""
)


@pytest.fixture
def issuing(shop: Shop) -> Shop:
    shop.publish(ISSUING)
    return shop


def bought(shop: Shop) -> tuple[SaleAnswer, dict[str, list[str]]]:
    """Three pens of 400.00 and a membership; the coupons by series."""
    answer = sell(shop, goods(("pen", 40_000, "3"), ("club-card", 10_000, "1")))
    codes: dict[str, list[str]] = {}
    for coupon in answer.coupons:
        codes.setdefault(coupon.series, []).append(coupon.code)
    assert {series: len(each) for series, each in codes.items()} == {"next": 2, "thanks": 1}
    return answer, codes


def back(shop: Shop, return_id: str, *lines: tuple[str, str]) -> ReturnAnswer:
    parts = tuple(LineBack(line_id=line, quantity_milli=quantity(count)) for line, count in lines)
    request = ReturnRequest(return_id=return_id, lines=parts, all=not parts, cashier="C7")
    return shop.till.return_goods("sale-1", request, return_id)


def is_good(shop: Shop, code: str) -> bool:
    basket = replace(goods(("cap", 50_000, "1"), coupons=(code,)), till=shop.till._desk.config.till.id)
    return bool(shop.till.quote(QuoteRequest(basket=basket, card=CARD)).coupons)


def paid_until(shop: Shop) -> object:
    return shop.till.identify(IdentifyRequest(card=CARD)).paid_until


def test_all_of_it_withdraws_all_that_it_issued(issuing: Shop) -> None:
    _, codes = bought(issuing)
    assert paid_until(issuing) is not None and is_good(issuing, codes["next"][0]) and is_good(issuing, codes["thanks"][0])
    answer = back(issuing, "r1")
    assert set(answer.withdrawn) == {*codes["next"], *codes["thanks"]} and answer.withdrawn_used == ()
    assert not any(is_good(issuing, code) for code in answer.withdrawn)
    assert paid_until(issuing) is None
    assert issuing.till.sale("sale-1").coupons == ()
    assert verify(issuing.db) == ()


def test_a_part_withdraws_what_the_rest_would_not_have_brought(issuing: Shop) -> None:
    _, codes = bought(issuing)
    assert back(issuing, "r1", ("club-card", "1")).withdrawn == (), "1,200.00 are kept"
    assert paid_until(issuing) is None, "the line of the membership is back"
    answer = back(issuing, "r2", ("pen", "1"))
    assert set(answer.withdrawn) == set(codes["next"]), "800.00 are kept"
    assert is_good(issuing, codes["thanks"][0]) and not is_good(issuing, codes["next"][0])
    assert verify(issuing.db) == ()


def test_a_used_coupon_stays_and_the_cashier_is_told(issuing: Shop) -> None:
    _, codes = bought(issuing)
    used, unused = codes["next"]
    request = replace(issuing.ask(goods(("cap", 50_000, "1"), coupons=(used,))), sale_id="s2", complete=True)
    issuing.till.authorise(request, "k2")
    answer = back(issuing, "r1")
    assert unused in answer.withdrawn and answer.withdrawn_used == (used,)
    assert issuing.till.sale("s2").state == "completed" and not is_good(issuing, unused)
    assert back(issuing, "r1") == answer
    assert verify(issuing.db) == ()


def test_a_coupon_that_was_only_reserved_does_not_come_back_to_life(issuing: Shop) -> None:
    _, codes = bought(issuing)
    request = replace(issuing.ask(goods(("cap", 50_000, "1"), coupons=(codes["next"][0],))), sale_id="s2")
    issuing.till.authorise(request, "k2")
    back(issuing, "r1")
    issuing.till.cancel("s2", CancelRequest(), "k3")
    assert not is_good(issuing, codes["next"][0])


def test_verify_finds_a_withdrawal_that_was_taken_away(issuing: Shop) -> None:
    bought(issuing)
    back(issuing, "r1")
    issuing.db.execute("DELETE FROM withdrawn WHERE n = 0")
    assert any("what it withdrew" in each for each in verify(issuing.db))


def test_a_coupon_withdrawn_at_another_till_is_refused_when_head_office_has_told(chain: Chain) -> None:  # noqa: F811
    for shop in (chain.first, chain.second):
        shop.publish(ISSUING.replace("version = 2", "version = 3"))
    _, codes = bought(chain.first)
    chain.push(chain.first)
    chain.pull(chain.second)
    assert is_good(chain.second, codes["next"][0])
    request = ReturnRequest(return_id="r1", all=True, cashier="C7", receipt="PL1|T1|sale-1")
    assert chain.second.till.return_by_receipt(request, "r1").withdrawn == (), "the codes are in the first till's file"
    chain.push(chain.second)
    for shop in (chain.first, chain.second):
        chain.pull(shop)
        assert not is_good(shop, codes["next"][0])
        assert verify(shop.db) == ()
    assert chain.cases() == [] and verify(chain.office.db) == ()
