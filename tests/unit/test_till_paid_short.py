"""Less money than the due: in one step it is no sale, and afterwards no return pays back more than ever came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, CompleteRequest, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor
from tests.shop import CARD, MEMBER, OPENING_CENTI, Shop
from tests.unit.test_till_returns import back, goods, take

PAIR = goods(("book", 20_000, "1"), ("pen", 10_000, "1"))


def cash(minor: int) -> Tender:
    return Tender(kind="cash", amount_minor=Minor(minor))


def asked(shop: Shop, *tenders: Tender, complete: bool = True, **more: object) -> SaleRequest:
    return replace(shop.ask(PAIR, CARD), complete=complete, tenders=tenders, **more)


def paid_short(shop: Shop, *tenders: Tender) -> None:
    """Goods of 300.00, authorised, and then completed with less."""
    shop.till.authorise(asked(shop, cash(30_000), complete=False), "authorise")
    shop.till.complete("sale-1", CompleteRequest(tenders=tenders), "complete")


def spent_minor(shop: Shop) -> int:
    from pos_loyalty.store import members

    stored = members.by_id(shop.db, MEMBER)
    assert stored is not None
    return stored.sales.spent_minor


@pytest.mark.parametrize("minor", [0, 1, 29_999])
def test_one_step_sells_nothing_for_less_than_its_due(shop: Shop, minor: int) -> None:
    txns = shop.rows()["txn"]
    with pytest.raises(ConflictError, match="nothing was sold"):
        shop.till.authorise(asked(shop, cash(minor)), "short")
    assert shop.rows()["txn"] == txns and shop.rows()["suspense_case"] == []
    assert shop.till.authorise(asked(shop, cash(30_000)), "whole").state == "completed"
    assert verify(shop.db) == ()


def test_one_step_without_tenders_is_paid_in_whole(shop: Shop) -> None:
    shop.till.authorise(asked(shop), "untold")
    answer = take(shop, "r1", all=True)
    assert (answer.refund_minor, answer.tenders, answer.unpaid_minor) == (30_000, (), 0)


def test_an_exchange_takes_the_whole_difference(shop: Shop) -> None:
    shop.sell()  # 270.00
    given = back("x1", all=True, sale_id="sale-1")
    with pytest.raises(ConflictError, match="2999 minor units less"):
        shop.till.authorise(asked(shop, cash(1), sale_id="new", returns=given), "short")
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (0,)
    answer = shop.till.authorise(asked(shop, cash(3_000), sale_id="new", returns=given), "whole")
    assert sum(tender.amount_minor for tender in answer.tenders) == 30_000


@pytest.mark.parametrize("complete", [True, False])
def test_a_host_makes_no_exchange_and_pays_nothing_out_at_a_sale(shop: Shop, complete: bool) -> None:
    with pytest.raises(InputError, match="made by the till alone"):
        shop.till.authorise(asked(shop, Tender(kind="exchange", amount_minor=Minor(30_000)), complete=complete), "exchange")
    for kind in ("cash", "gift"):
        negative = Tender(kind=kind, amount_minor=Minor(-1), card="GC" if kind == "gift" else None)
        with pytest.raises(InputError, match="out of range"):
            shop.till.authorise(asked(shop, negative, cash(30_001), complete=complete), f"negative {kind}")
    assert shop.db.execute("SELECT COUNT(*) FROM sale").fetchone() == (0,)


def test_at_completion_an_exchange_that_nobody_made_is_a_case(shop: Shop) -> None:
    paid_short(shop, Tender(kind="exchange", amount_minor=Minor(30_000)))
    (detail,) = shop.db.execute("SELECT detail FROM suspense_case").fetchone()
    assert "no goods came back" in detail
    shop.till.authorise(replace(asked(shop, complete=False), sale_id="other"), "other")
    with pytest.raises(InputError, match="out of range"):
        shop.till.complete("other", CompleteRequest(tenders=(cash(30_001), cash(-1))), "other complete")


def test_a_refund_goes_out_in_money_only(shop: Shop) -> None:
    shop.till.authorise(asked(shop, cash(30_000)), "whole")
    for tenders in ((cash(30_001), cash(-1)), (Tender(kind="exchange", amount_minor=Minor(30_000)),)):
        with pytest.raises(InputError):
            take(shop, "r1", all=True, tenders=tenders)
    assert take(shop, "r1", all=True, tenders=(cash(30_000),)).refund_minor == 30_000


@pytest.mark.parametrize("minor", [1, 5_000, 15_000, 29_999])
@pytest.mark.parametrize("order", [("book", "pen"), ("pen", "book"), ("book pen",)])
def test_all_that_comes_back_pays_back_what_came(shop: Shop, minor: int, order: tuple[str, ...]) -> None:
    paid_short(shop, cash(minor))
    out = []
    for number, lines in enumerate(order):
        parts = [(sku, "1") for sku in lines.split()]
        would = shop.till.preview_return(back(f"r{number}", *parts, sale_id="sale-1")).would
        answer = take(shop, f"r{number}", *parts)
        assert would is not None
        assert (would.refund_minor, would.unpaid_minor) == (answer.refund_minor, answer.unpaid_minor)
        assert answer.refund_minor + answer.unpaid_minor == sum({"book": 20_000, "pen": 10_000}[sku] for sku, _ in parts)
        assert sum(tender.amount_minor for tender in answer.tenders) == answer.refund_minor
        out.append(answer.refund_minor)
    assert sum(out) == minor
    assert all(each >= 0 for each in out)
    assert spent_minor(shop) == 0, "what came back was not bought, paid or not"
    assert shop.usable_centi() == OPENING_CENTI
    assert verify(shop.db) == ()


def test_what_stays_is_paid_for_before_money_goes_out(shop: Shop) -> None:
    paid_short(shop, cash(25_000))
    answer = take(shop, "r1", ("book", "1"))
    assert (answer.refund_minor, answer.unpaid_minor) == (15_000, 5_000)  # the pen is kept, for 100.00
    assert spent_minor(shop) == 10_000


def test_a_void_pays_back_what_came(shop: Shop) -> None:
    paid_short(shop, cash(25_000))
    shop.till.void("sale-1", VoidRequest(), "void")
    (refund_minor,) = shop.db.execute(
        "SELECT CAST(payload AS TEXT) ->> '$.end.refund_minor' FROM txn WHERE kind = 'sale.reversed'"
    ).fetchone()
    assert refund_minor == 25_000


def test_a_second_completion_makes_no_refund_greater(shop: Shop) -> None:
    paid_short(shop, cash(1))
    shop.till.complete("sale-1", CompleteRequest(tenders=(cash(30_000),)), "again")
    assert take(shop, "r1", all=True).refund_minor == 1


def test_short_goods_buy_no_more_by_exchange(shop: Shop) -> None:
    paid_short(shop, cash(1))
    given = ReturnRequest(return_id="x1", sale_id="sale-1", all=True, cashier="C7")
    shop.now += timedelta(minutes=1)
    with pytest.raises(ConflictError, match="29998 minor units less"):
        shop.till.authorise(asked(shop, cash(1), sale_id="new", returns=given), "exchange")


def test_goods_that_were_never_paid_are_told_in_an_exchange(shop: Shop) -> None:
    """Their refund is nothing, so it pays nothing: they came back all the same."""
    paid_short(shop, cash(0))
    given = ReturnRequest(return_id="x1", sale_id="sale-1", all=True, cashier="C7")
    shop.now += timedelta(minutes=1)
    answer = shop.till.authorise(asked(shop, cash(30_000), sale_id="new", returns=given), "exchange")
    assert answer.returned is not None
    assert (answer.returned.return_id, answer.returned.refund_minor, answer.returned.is_last) == ("x1", 0, True)
    assert verify(shop.db) == ()


def test_an_exchange_that_the_till_did_not_make_brought_no_money(shop: Shop) -> None:
    bogus = Tender(kind="exchange", amount_minor=Minor(25_000))
    paid_short(shop, bogus, cash(5_000))
    answer = take(shop, "r1", all=True)
    assert (answer.refund_minor, answer.unpaid_minor) == (5_000, 25_000)
    assert verify(shop.db) == ()


def test_a_till_s_own_case_hides_no_forged_row(shop: Shop) -> None:
    """The cashier could make the case, and then the rows."""
    paid_short(shop, cash(15_000))
    assert verify(shop.db) == ()
    for forged in (
        "UPDATE lot SET expires_at = expires_at + 1000000000 WHERE id LIKE 'T1/sale-1:%'",
        "UPDATE lot SET member = 'member-2' WHERE id LIKE 'T1/sale-1:%'",
        "UPDATE sale SET total_minor = 1",
        "UPDATE sale SET tenders = CAST('[]' AS BLOB)",
    ):
        shop.db.execute("SAVEPOINT forged")
        shop.db.execute(forged)
        assert verify(shop.db) != (), forged
        shop.db.execute("ROLLBACK TO forged")
        shop.db.execute("RELEASE forged")


@pytest.mark.parametrize("cashier", ["S1", "s1", " S1 "])
def test_a_senior_who_is_the_cashier_is_no_second_person(shop: Shop, cashier: str) -> None:
    senior = shop.senior()
    shop.till.authorise(asked(shop), "sale")
    shop.now += timedelta(days=1)
    label = cashier.replace("S1", senior.person).replace("s1", senior.person.lower())
    with pytest.raises(NotAllowedError):
        shop.till.void("sale-1", VoidRequest(cashier=label, approval=senior), "void")
    assert shop.till.sale("sale-1").state == "completed"


def earned_centi(shop: Shop) -> int:
    """What the sale brought its member, by the ledger alone."""
    (centi,) = shop.db.execute(
        "SELECT coalesce(SUM(amount), 0) FROM entry WHERE kind = 'accrue' AND lot LIKE 'T1/sale-1:%'"
    ).fetchone()
    return int(centi)


@pytest.mark.parametrize(("minor", "centi"), [(0, 0), (1, 0), (10_000, 500), (15_000, 750), (29_999, 1_499), (30_000, 1_500)])
def test_points_come_in_proportion_to_what_was_paid(shop: Shop, minor: int, centi: int) -> None:
    paid_short(shop, cash(minor))  # 5 % of 300.00 would be 15 points
    answer = shop.till.sale("sale-1")
    assert earned_centi(shop) == centi == sum(each.centi for each in answer.quote.accruals)
    assert shop.usable_centi() == OPENING_CENTI + centi
    assert verify(shop.db) == ()


@pytest.mark.parametrize("order", [("book", "pen"), ("pen", "book")])
@pytest.mark.parametrize("minor", [1, 7, 9_999, 12_000, 29_999])
def test_returns_take_back_what_the_paid_part_earned_and_no_more(shop: Shop, minor: int, order: tuple[str, ...]) -> None:
    paid_short(shop, cash(minor))
    earned = earned_centi(shop)
    first = take(shop, "r0", (order[0], "1"))
    share = {"book": 2, "pen": 1}[order[0]]
    assert abs(3 * first.taken_back_centi - share * earned) <= 3, "points go with the goods, whatever money went back"
    second = take(shop, "r1", (order[1], "1"))
    assert first.taken_back_centi + second.taken_back_centi == earned
    assert (shop.usable_centi(), second.owed_in_all_centi) == (OPENING_CENTI, 0)
    assert shop.db.execute("SELECT COUNT(*) FROM rule_use").fetchone() == (0,)
    assert verify(shop.db) == ()


def test_a_void_takes_back_what_the_paid_part_earned(shop: Shop) -> None:
    paid_short(shop, cash(12_000))
    answer = shop.till.void("sale-1", VoidRequest(), "void")
    assert (shop.usable_centi(), answer.owed_centi) == (OPENING_CENTI, 0)
    assert verify(shop.db) == ()


def test_a_payment_after_the_cancel_brings_its_part_too(shop: Shop) -> None:
    shop.till.authorise(asked(shop, cash(30_000), complete=False), "authorise")
    shop.till.cancel("sale-1", CancelRequest(), "cancel")
    shop.till.complete("sale-1", CompleteRequest(tenders=(cash(10_000),)), "complete")
    assert earned_centi(shop) == 500
    shop.till.complete("sale-1", CompleteRequest(tenders=(cash(30_000),)), "again")
    assert earned_centi(shop) == 500, "a second completion brings nothing: it is a case"
    assert take(shop, "r1", all=True).taken_back_centi == 500
    assert shop.usable_centi() == OPENING_CENTI


def test_tenders_that_were_short_when_it_was_authorised_count_at_the_end(shop: Shop) -> None:
    shop.till.authorise(asked(shop, cash(10_000), complete=False), "authorise")
    assert [each.centi for each in shop.till.sale("sale-1").quote.accruals] == [1_500], "nothing is paid yet"
    shop.till.complete("sale-1", CompleteRequest(tenders=(cash(30_000),)), "complete")
    assert earned_centi(shop) == 1_500
