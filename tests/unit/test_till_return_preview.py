"""What a return would do is told before it is done: the same figures as afterwards, and nothing is written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.till import staff
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnAnswer, ReturnPreview, ReturnRequest, UnsoldLine, WouldReturn
from pos_loyalty.values import Minor, Points, quantity
from tests.gifts import GIFT_PROGRAMME, add_ivanova, gift, sold_card
from tests.shop import MEMBER, Shop
from tests.unit.test_till_returns import COUNTED, M1, back, goods, sell, take


def looked(shop: Shop, return_id: str, *lines: tuple[str, str], **more: object) -> ReturnPreview:
    """A preview, which leaves every row as it was."""
    before = shop.rows()
    answer = shop.till.preview_return(replace(back(return_id, *lines, **more), sale_id="sale-1"))
    assert shop.rows() == before
    return answer


def told(answer: ReturnAnswer) -> tuple[object, ...]:
    return (answer.refund_minor, answer.charged_minor, answer.tenders, answer.restored_centi, answer.taken_back_centi,
            answer.owed_centi, answer.is_last)  # fmt: skip


def foretold(answer: ReturnPreview) -> tuple[object, ...]:
    would = answer.would
    assert would is not None
    return (would.refund_minor, would.charged_minor, would.tenders, would.restored_centi, would.taken_back_centi,
            would.owed_centi, would.is_last)  # fmt: skip


@pytest.mark.parametrize("redeem", [None, "max"])
def test_what_is_foretold_comes_true_to_the_last_line(shop: Shop, redeem: str | None) -> None:
    sell(shop, goods(("coffee", 17_777, "3"), ("apples", 12_990, "0.345"), redeem=redeem))
    sell(shop, goods(("book", 200_000, "1"), redeem="max"), "sale-2")
    assert shop.usable_centi() < 10_000, "what is taken back will be owed in part"
    for n, lines in enumerate(((("coffee", "1"),), (("apples", "0.345"), ("coffee", "1")), (("coffee", "1"),))):
        before = looked(shop, f"r{n}", *lines)
        assert foretold(before) == told(take(shop, f"r{n}", *lines))
    assert [line.left_milli for line in looked(shop, "r9").lines] == [0, 0]
    with pytest.raises(InputError, match="only 0"):
        looked(shop, "r9", ("coffee", "1"))


def test_a_sale_is_told_with_what_is_left_of_it(shop: Shop) -> None:
    sell(shop, goods(("coffee", 20_000, "3"), ("tea", 5_000, "2")))
    take(shop, "r1", ("coffee", "2"))
    answer = looked(shop, "r2")
    assert (answer.sale_till, answer.sale_id, answer.state, answer.member_id) == ("T1", "sale-1", "completed", MEMBER)
    assert [(each.line_id, each.quantity_milli, each.left_milli) for each in answer.lines] == [
        ("coffee", 3_000, 1_000),
        ("tea", 2_000, 2_000),
    ]
    assert [each.paid_minor for each in answer.lines] == [54_000, 10_000]
    assert answer.tenders == (Tender(kind="cash", amount_minor=Minor(64_000)),)
    assert answer.would is None and answer.approval == ""
    by_code = shop.till.preview_return(ReturnRequest(return_id="x", receipt="PL1|T1|sale-1"))
    assert by_code == answer
    assert looked(shop, "r2", ("coffee", "1")).would != looked(shop, "r2", all=True).would
    with pytest.raises(NotFoundError):
        shop.till.preview_return(ReturnRequest(return_id="x", sale_id="none"))


def test_marks_that_came_back_are_not_offered_again(shop: Shop) -> None:
    basket = goods(("coffee", 20_000, "3"))
    sell(shop, replace(basket, lines=(replace(basket.lines[0], marks=("a", "b", "c")),)))
    assert looked(shop, "r0").lines[0].marks == ("a", "b", "c")
    request = back("r1", ("coffee", "1"))
    shop.till.return_goods("sale-1", replace(request, lines=(replace(request.lines[0], marks=("b",)),)), "k")
    assert looked(shop, "r2").lines[0].marks == ("a", "c")


def test_a_late_return_says_that_a_senior_is_needed_and_tells_its_figures(shop: Shop) -> None:
    shop.publish(COUNTED)
    sell(shop, goods(("coffee", 20_000, "1")))
    shop.now += timedelta(days=15)
    answer = looked(shop, "r1", all=True)
    assert answer.approval == "The sale is more than 14 days old"
    assert answer.would is not None and answer.would.refund_minor == 18_000


def test_a_voided_sale_is_told_and_gives_nothing(shop: Shop) -> None:
    shop.sell()
    shop.till.void("sale-1", VoidRequest(), "void")
    assert looked(shop, "r1").state == "reversed"
    with pytest.raises(ConflictError, match="nothing of it is left"):
        looked(shop, "r1", all=True)


def test_what_an_exchange_paid_waits_for_a_person_to_say_how(shop: Shop) -> None:
    shop.sell()
    swap = back("x1", ("1", "2"), sale_id="sale-1")
    asked = replace(shop.ask(goods(("pen", 10_000, "1"))), sale_id="new", complete=True, tenders=(), returns=swap)
    shop.till.authorise(asked, "exchange")
    request = ReturnRequest(return_id="r1", sale_id="new", all=True)
    would = shop.till.preview_return(request).would
    assert would is not None and (would.tenders, would.rest_minor) == ((), 10_000)
    paid = (Tender(kind="cash", amount_minor=Minor(10_000)),)
    assert shop.till.preview_return(replace(request, tenders=paid)).would == replace(would, tenders=paid)
    wrong = (Tender(kind="cash", amount_minor=Minor(9_000)),)
    with pytest.raises(InputError, match="the refund to pay out is 10000"):
        shop.till.preview_return(replace(request, tenders=wrong))


def test_a_gift_card_gets_its_part_first(tmp_path: Path) -> None:
    shop = Shop(tmp_path, programme=GIFT_PROGRAMME)
    add_ivanova(shop)
    card = sold_card(shop, 50_000)
    basket = goods(("book", 100_000, "1"))
    asked = shop.ask(basket, card=None)
    tenders = (gift(50_000, card.code), Tender(kind="cash", amount_minor=Minor(asked.due_minor - 50_000)))
    shop.till.authorise(replace(asked, complete=True, tenders=tenders), "sell")
    would = looked(shop, "r1", all=True).would
    assert would is not None and would.rest_minor == asked.due_minor - 50_000
    assert {tender.kind: tender.amount_minor for tender in would.tenders} == {"gift": 50_000, "cash": would.rest_minor}
    shop.close()


def test_goods_without_a_receipt_are_priced_before_the_senior_is_asked(shop: Shop) -> None:
    request = ReturnRequest(
        return_id="r1", goods=(UnsoldLine(line_id="1", sku="coffee", quantity_milli=quantity("2"), price_minor=Minor(30_000)),)
    )
    with pytest.raises(ConflictError, match="nothing back without a receipt"):
        shop.till.preview_return(request)
    shop.publish(COUNTED)
    sell(shop, goods(("coffee", 20_000, "1")))
    answer = shop.till.preview_return(request)
    assert answer.approval == "There is no receipt"
    assert answer.would == WouldReturn(
        refund_minor=Minor(36_000), charged_minor=Minor(0), tenders=(), rest_minor=Minor(36_000), restored_centi=Points(0),
        taken_back_centi=Points(0), owed_centi=Points(0), balance_centi=None, is_last=False,
    )  # fmt: skip
    staff.add(shop.db, M1.person, "senior", M1.pin, shop.till._desk.secrets.pepper)
    assert shop.till.return_by_receipt(replace(request, approval=M1), "k").refund_minor == 36_000
