"""Goods that come back at a till: money, points, uses, counters and sums as if what is back had never been sold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from pos_loyalty.store import trusted_time
from pos_loyalty.store.db import write
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import CancelRequest, CompleteRequest, IdentifyRequest, SaleAnswer, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest, UnsoldLine
from pos_loyalty.values import Minor, Points, quantity
from tests.shop import CARD, MEMBER, NOW, OPENING_CENTI, PROGRAMME, Shop, make_basket

M1, C7, C8 = (Approval(person=name, pin="998877") for name in ("M1", "C7", "C8"))
COUNTED = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[returns]
days = 14
without_receipt = "approved"

[[rule]]
id = "cups"
limits = { total = 100 }
when = [{ is = "customer", member = true }]
then = [{ do = "counter_add", key = "cups" }]

[[rule]]
id = "tea"
stage = "item"
limits = { total = 10 }
budget = "1000.00"
then = [{ do = "amount_each", amount = "10.00", on = { sku = "tea" }, max_units = 4 }]
"""
)


def back(return_id: str, *lines: tuple[str, str], **more: object) -> ReturnRequest:
    parts = tuple(LineBack(line_id=line_id, quantity_milli=quantity(count)) for line_id, count in lines)
    return ReturnRequest(return_id=return_id, lines=parts, cashier="C7", **more)  # type: ignore[arg-type]


def take(shop: Shop, return_id: str, *lines: tuple[str, str], **more: object) -> ReturnAnswer:
    return shop.till.return_goods("sale-1", back(return_id, *lines, **more), f"key {return_id}")


def goods(*lines: tuple[str, int, str], **more: object) -> Basket:
    made = tuple(
        Line(line_id=sku, sku=sku, name=sku, price_minor=Minor(price), quantity_milli=quantity(count),
             measure="weight" if "." in count else "piece", category="drinks/coffee" if sku == "coffee" else "")
        for sku, price, count in lines
    )  # fmt: skip
    return Basket(basket_id="B2", store="S1", till="T1", cashier="C7", opened_at=NOW, currency="RUB", lines=made, **more)  # type: ignore[arg-type]


def sell(shop: Shop, basket: Basket, sale_id: str = "sale-1", **more: object) -> SaleAnswer:
    request = replace(shop.ask(basket), sale_id=sale_id, complete=True, **more)
    return shop.till.authorise(request, f"key {sale_id}")


def left(shop: Shop) -> dict[str, object]:
    """What a shop knows of its members and rules, in the words of SQL."""
    member = shop.till.identify(IdentifyRequest(card=CARD))
    known = shop.till._desk
    from pos_loyalty.store import habits, members

    stored = members.by_id(known.db, MEMBER)
    assert stored is not None
    return {
        "points": shop.usable_centi(),
        "owed": member.owed_centi,
        "balances": shop.db.execute("SELECT account, unit, amount FROM balance ORDER BY account").fetchall(),
        "uses": shop.db.execute("SELECT scope, key, rule, times, given_minor FROM rule_use ORDER BY 1, 2, 3").fetchall(),
        "counters": shop.db.execute("SELECT key, units FROM member_counter ORDER BY key").fetchall(),
        "sales": stored.sales,
        "bought": habits.purchases_of(known.db, MEMBER, 0),
        "days": [day for day in habits.days_of(known.db, MEMBER, 0) if day.visits or day.net_minor or day.earned_centi],
    }


def test_a_part_comes_back_for_what_was_paid_for_it_and_points_follow(shop: Shop) -> None:
    shop.sell(redeem=10_000)  # two coffees of 135.00; 100 points pay, 170.00 in cash bring 8.50
    answer = take(shop, "r1", ("1", "1"))
    assert (answer.refund_minor, answer.restored_centi, answer.taken_back_centi, answer.owed_centi) == (8_500, 5_000, 425, 0)
    assert answer.tenders == (Tender(kind="cash", amount_minor=Minor(8_500)),)
    assert [(p.quantity_milli.text, p.price_minor) for p in answer.lines[0].fiscal] == [("1", 8_500)]
    assert answer.balance_centi == shop.usable_centi() == OPENING_CENTI - 5_000 + 425
    assert shop.till.sale("sale-1").state == "completed"
    assert verify(shop.db) == ()


def test_all_of_it_leaves_nothing_and_the_sale_cannot_be_voided(shop: Shop) -> None:
    shop.publish(COUNTED)
    before = left(shop)
    sell(shop, goods(("coffee", 15_000, "2"), ("tea", 9_900, "4"), ("cheese", 99_990, "0.345"), redeem="max"))
    assert left(shop) != before
    first = take(shop, "r1", ("tea", "2"), ("cheese", "0.1"))
    assert not first.is_last
    with pytest.raises(ConflictError, match="take back what is left"):
        shop.till.void("sale-1", VoidRequest(), "void")
    assert take(shop, "r2", all=True).is_last
    assert left(shop) == before
    assert verify(shop.db) == ()
    with pytest.raises(ConflictError, match="came back already"):
        take(shop, "r3", all=True)
    with pytest.raises(InputError, match="only 0 of the line is left"):
        take(shop, "r4", ("coffee", "1"))


def test_uses_and_money_given_fall_by_whole_applications(shop: Shop) -> None:
    shop.publish(COUNTED)
    sell(shop, goods(("tea", 9_900, "4")))
    uses = "SELECT times, given_minor FROM rule_use WHERE scope = 'all' AND rule = 'tea'"
    assert shop.db.execute(uses).fetchone() == (1, 4_000)
    take(shop, "r1", ("tea", "3"))
    assert shop.db.execute(uses).fetchone() == (1, 1_000)
    assert shop.db.execute("SELECT units FROM member_counter").fetchone() == (1,)
    take(shop, "r2", ("tea", "1"))
    assert shop.db.execute(uses).fetchone() is None
    assert verify(shop.db) == ()


def test_points_that_are_spent_already_are_owed_and_said_so(shop: Shop) -> None:
    shop.sell()  # brings 13.50
    rich = goods(("book", 200_000, "1"), redeem="max")
    sell(shop, rich, "sale-2")
    spent = shop.usable_centi() - 7_432  # what the second sale brought: 5 % of 1,486.50, rounded down
    assert spent == 0
    shop.till.return_goods("sale-2", back("b", all=True), "key b")
    assert shop.usable_centi() == OPENING_CENTI + 1_350
    sell(shop, replace(rich, basket_id="B3"), "sale-3")
    answer = take(shop, "r1", all=True)
    assert answer.taken_back_centi == 1_350 and answer.owed_centi == 0, "the third sale's points are there to take"
    assert verify(shop.db) == ()


def test_what_nobody_has_is_owed(shop: Shop) -> None:
    shop.sell()
    sell(shop, goods(("book", 105_000, "1"), redeem="max"), "sale-2")
    have = shop.usable_centi()
    third = goods(("pen", 100_000, "1"), redeem=have)
    sell(shop, third, "sale-3")
    brought = shop.usable_centi()
    sell(shop, goods(("cap", 2 * brought, "1"), redeem="max"), "sale-4")
    rest = shop.usable_centi()
    answer = take(shop, "r1", all=True)
    assert answer.owed_centi == max(0, 1_350 - rest) > 0
    assert answer.owed_in_all_centi == shop.till.identify(IdentifyRequest(card=CARD)).owed_centi == answer.owed_centi
    assert verify(shop.db) == ()


def test_the_same_return_again_is_answered_and_never_booked_twice(shop: Shop) -> None:
    shop.sell()
    answer = take(shop, "r1", ("1", "1"))
    rows = shop.rows()
    assert take(shop, "r1", ("1", "1")) == answer
    assert shop.rows() == rows
    other_key = shop.till.return_goods("sale-1", back("r1", ("1", "1")), "another key")
    assert other_key.refund_minor == answer.refund_minor
    with pytest.raises(ConflictError, match="Return id r1 stands for another return"):
        shop.till.return_goods("sale-1", back("r1", ("1", "2")), "third key")
    with pytest.raises(ConflictError, match="Idempotency-Key was used"):
        shop.till.return_goods("sale-1", back("r2", ("1", "1")), "key r1")
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (1,)
    shop.reopen()
    assert take(shop, "r1", ("1", "1")) == answer
    assert verify(shop.db) == ()


def test_a_return_needs_a_completed_sale_and_its_lines(shop: Shop) -> None:
    shop.sell(complete=False)
    before = shop.rows()
    with pytest.raises(ConflictError, match="is authorised; cancel it instead"):
        take(shop, "r1", ("1", "1"))
    with pytest.raises(NotFoundError, match="no head office"):
        shop.till.return_goods("other", back("r1", ("1", "1")), "key o")
    assert shop.rows()["txn"] == before["txn"]
    shop.till.complete("sale-1", CompleteRequest(), "complete")
    with pytest.raises(InputError, match=r'there is no line "9"'):
        take(shop, "r2", ("9", "1"))
    with pytest.raises(InputError, match="nothing comes back"):
        take(shop, "r3")
    with pytest.raises(InputError, match=r"make 5, the refund to pay out is 27000"):
        take(shop, "r4", all=True, tenders=(Tender(kind="cash", amount_minor=Minor(5)),))
    shop.till.void("sale-1", VoidRequest(), "void")
    with pytest.raises(ConflictError, match="is reversed; nothing of it is left"):
        take(shop, "r5", ("1", "1"))


def test_the_refund_goes_back_as_it_was_paid(shop: Shop) -> None:
    paid = (Tender(kind="card", amount_minor=Minor(20_000)), Tender(kind="cash", amount_minor=Minor(10_000)))
    sell(shop, make_basket(), tenders=paid)  # 270.00 due, 30.00 of change in cash
    first = take(shop, "r1", ("1", "1"))
    second = take(shop, "r2", ("1", "1"))
    sums = {"card": 0, "cash": 0}
    for tender in (*first.tenders, *second.tenders):
        sums[tender.kind] += tender.amount_minor
    assert sums == {"card": 20_000, "cash": 7_000}
    assert sum(tender.amount_minor for tender in first.tenders) == first.refund_minor == 13_500


def test_what_went_back_in_cash_does_not_go_back_in_cash_again(shop: Shop) -> None:
    paid = (Tender(kind="card", amount_minor=Minor(20_000)), Tender(kind="cash", amount_minor=Minor(7_000)))
    sell(shop, make_basket(), tenders=paid)
    mixed = (Tender(kind="cash", amount_minor=Minor(7_000)), Tender(kind="card", amount_minor=Minor(6_500)))
    assert take(shop, "r1", ("1", "1"), tenders=mixed).tenders == mixed
    assert take(shop, "r2", ("1", "1")).tenders == (Tender(kind="card", amount_minor=Minor(13_500)),)


def test_the_sale_is_found_by_the_code_of_its_receipt(shop: Shop) -> None:
    fiscal = Fiscal(fn="9999078900004792", fd="12345", fp="0352220716")
    sell(shop, make_basket(count="4"), fiscal=fiscal)
    assert "[QR PL1|T1|sale-1]" in shop.till.receipt_text("sale-1").replace(" ", "").replace("[QR", "[QR ")
    ours = replace(back("r1", ("1", "1")), receipt="PL1|T1|sale-1")
    assert shop.till.return_by_receipt(ours, "k1").sale_id == "sale-1"
    theirs = replace(back("r2", ("1", "1")), receipt="t=20261121T1230&s=540.00&fn=9999078900004792&i=12345&fp=352220716&n=1")
    assert shop.till.return_by_receipt(theirs, "k2").sale_id == "sale-1"
    for code, told in (("n=2", "not a sale"), ("fp=1", "neither here|not in this till")):
        wrong = theirs.receipt.replace("n=1", code) if code == "n=2" else theirs.receipt.replace("fp=352220716", code)
        with pytest.raises((InputError, NotFoundError), match=told):
            shop.till.return_by_receipt(replace(back("r3", ("1", "1")), receipt=wrong), "k3")
    with pytest.raises(InputError, match="neither the code of our receipt"):
        shop.till.return_by_receipt(replace(back("r4", ("1", "1")), receipt="4601234567893"), "k4")
    with pytest.raises(InputError, match="is the receipt of sale"):
        shop.till.return_goods("sale-9", replace(back("r5", ("1", "1")), receipt="PL1|T1|sale-1"), "k5")


def test_marked_units_come_back_by_their_marks(shop: Shop) -> None:
    line = replace(make_basket().lines[0], marks=("m-a", "m-b"))
    sell(shop, replace(make_basket(), lines=(line,)))
    one = LineBack(line_id="1", quantity_milli=quantity("1"), marks=("m-b",))
    assert shop.till.return_goods("sale-1", ReturnRequest(return_id="r1", lines=(one,)), "k1").lines[0].units == (1,)
    with pytest.raises(InputError, match="not all of them are still sold"):
        shop.till.return_goods("sale-1", ReturnRequest(return_id="r2", lines=(one,)), "k2")
    with pytest.raises(InputError, match='"m-c" was not sold on this line'):
        shop.till.return_goods("sale-1", ReturnRequest(return_id="r3", lines=(replace(one, marks=("m-c",)),)), "k3")


def test_late_returns_and_those_without_a_receipt_need_a_second_person(shop: Shop) -> None:
    shop.publish(COUNTED)
    sell(shop, goods(("tea", 9_900, "4")))
    shop.now += timedelta(days=15)
    for person, role in ((M1, "senior"), (C7, "senior"), (C8, "cashier")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    with pytest.raises(NotAllowedError, match="more than 14 days old: a second person"):
        take(shop, "r1", ("tea", "1"))
    with pytest.raises(NotAllowedError, match="not the cashier alone"):
        take(shop, "r1", ("tea", "1"), approval=C7)
    for wrong in (C8, replace(M1, pin="1111")):
        with pytest.raises(NotAllowedError):
            take(shop, "r1", ("tea", "1"), approval=wrong)
    assert take(shop, "r1", ("tea", "1"), approval=M1).refund_minor == 8_900
    shop.now -= timedelta(days=15)
    found = UnsoldLine(line_id="1", sku="tea", quantity_milli=quantity("2"), price_minor=Minor(12_000), name="Чай")
    request = ReturnRequest(return_id="u1", goods=(found,), cashier="C7", member_id=MEMBER, take_back_centi=Points(890))
    with pytest.raises(NotAllowedError, match="There is no receipt: a second person"):
        shop.till.return_by_receipt(request, "u1")
    points = shop.usable_centi()
    answer = shop.till.return_by_receipt(replace(request, approval=M1), "u1")
    assert (answer.refund_minor, answer.taken_back_centi, answer.restored_centi) == (17_800, 890, 0), "the price it was sold for"
    assert shop.usable_centi() == points - 890
    unknown = replace(found, sku="tent")
    asked = ReturnRequest(return_id="u2", goods=(unknown,), cashier="C7", approval=M1)
    assert shop.till.return_by_receipt(asked, "u2").refund_minor == 24_000
    assert verify(shop.db) == ()


def test_without_leave_nothing_comes_back_without_a_receipt(shop: Shop) -> None:
    found = UnsoldLine(line_id="1", sku="tea", quantity_milli=quantity("2"), price_minor=Minor(12_000))
    with pytest.raises(ConflictError, match="nothing back without a receipt"):
        shop.till.return_by_receipt(ReturnRequest(return_id="u1", goods=(found,)), "u1")


def test_a_void_does_not_do_what_a_late_return_needs_a_senior_for(shop: Shop) -> None:
    shop.publish(COUNTED)
    sell(shop, goods(("tea", 10_000, "2")))
    shop.sell("young")
    shop.now += timedelta(days=14)
    senior = shop.senior()
    with pytest.raises(NotAllowedError, match="of an earlier day"):
        shop.till.void("young", VoidRequest(cashier="C7"), "v0")
    with pytest.raises(NotAllowedError, match="not the cashier alone"):
        shop.till.void("young", VoidRequest(cashier=senior.person, approval=senior), "v0")
    with pytest.raises(NotAllowedError, match="not right"):
        shop.till.void("young", VoidRequest(cashier="C7", approval=replace(senior, pin="0000")), "v0")
    assert shop.till.void("young", VoidRequest(cashier="C7", approval=senior), "v1").state == "reversed"
    act = shop.till.acts().acts[0]
    assert (act.kind, act.by, act.approved_by) == ("sale.reversed", "C7", senior.person)
    shop.now += timedelta(days=1)
    before = shop.rows()
    with pytest.raises(ConflictError, match=r"more than 14 days old: it cannot be voided.*a senior approves"):
        shop.till.void("sale-1", VoidRequest(cashier="C7"), "v2")
    assert shop.rows() == before
    assert shop.till.void("young", VoidRequest(), "v3").state == "reversed", "a retry of what was done is answered"
    staff.add(shop.db, M1.person, "senior", M1.pin, shop.till._desk.secrets.pepper)
    assert take(shop, "r1", ("tea", "2"), approval=M1).is_last


def test_a_cashier_alone_voids_on_the_day_of_the_sale_only(shop: Shop) -> None:
    """The shop's day: it is 12:30 in Moscow. Neither a clock that is turned back nor a basket that is dated ahead helps."""
    sell(shop, goods(("tea", 10_000, "2")), "today")
    sell(shop, goods(("tea", 10_000, "2")), "tomorrow")
    sell(shop, replace(goods(("tea", 10_000, "2")), opened_at=shop.now + timedelta(days=3)), "ahead")
    shop.now += timedelta(hours=11, minutes=29)
    assert shop.till.void("today", VoidRequest(cashier="C7"), "v1").state == "reversed"
    shop.now += timedelta(minutes=1)
    for sale_id in ("tomorrow", "ahead"):
        with pytest.raises(NotAllowedError, match="of an earlier day"):
            shop.till.void(sale_id, VoidRequest(cashier="C7"), f"v2 {sale_id}")
    shop.sell("later")
    shop.now -= timedelta(hours=12)
    with pytest.raises(NotAllowedError, match="of an earlier day"):
        shop.till.void("tomorrow", VoidRequest(cashier="C7"), "v3")


def test_a_sale_of_a_clock_that_was_ahead_is_of_no_day_of_its_own(shop: Shop) -> None:
    """Nobody knows any more when it was: for all the days until the one it names it would be the cashier's alone to void."""
    senior = shop.senior()
    shop.now += timedelta(days=40)
    sell(shop, replace(goods(("tea", 10_000, "2")), opened_at=shop.now))
    shop.now -= timedelta(days=40)
    with write(shop.db):
        trusted_time.confirm(shop.db, shop.till._desk.clocks())
    for days in (0, 1, 30):
        shop.now += timedelta(days=days)
        with pytest.raises(NotAllowedError, match="a day that is yet to come"):
            shop.till.void("sale-1", VoidRequest(cashier="C7"), f"v {days}")
    assert shop.till.void("sale-1", VoidRequest(cashier="C7", approval=senior), "v").state == "reversed"


def test_a_basket_dated_ahead_is_not_young_for_ever(shop: Shop) -> None:
    shop.publish(COUNTED)
    sell(shop, replace(goods(("tea", 10_000, "2")), opened_at=shop.now + timedelta(days=300)))
    shop.now += timedelta(days=15)
    with pytest.raises(NotAllowedError, match="more than 14 days old"):
        take(shop, "r1", ("tea", "1"))
    with pytest.raises(ConflictError, match="more than 14 days old"):
        shop.till.void("sale-1", VoidRequest(), "v1")


def test_a_return_counts_in_the_members_sums_days_and_purchases(shop: Shop) -> None:
    from pos_loyalty.store import habits, members

    shop.sell()
    take(shop, "r1", ("1", "1"))
    member = members.by_id(shop.db, MEMBER)
    assert member is not None and member.sales is not None
    assert (member.sales.count, member.sales.spent_minor) == (1, 13_500)
    (day,) = habits.days_of(shop.db, MEMBER, 0)
    assert (day.net_minor, day.visits, day.earned_centi) == (13_500, 1, 675)
    (bought,) = habits.purchases_of(shop.db, MEMBER, 0)
    assert (bought.quantity_milli, bought.net_minor) == (1_000, 13_500)
    take(shop, "r2", ("1", "1"))
    member = members.by_id(shop.db, MEMBER)
    assert member is not None and member.sales is not None
    assert (member.sales.count, member.sales.spent_minor) == (0, 0)
    assert habits.purchases_of(shop.db, MEMBER, 0) == ()


def test_points_of_a_sale_that_was_paid_late_are_not_given_back_twice(shop: Shop) -> None:
    shop.sell(redeem=10_000, complete=False)
    shop.till.cancel("sale-1", CancelRequest(), "cancel")
    shop.till.complete("sale-1", CompleteRequest(), "late")
    answer = take(shop, "r1", all=True)
    assert answer.refund_minor == 17_000 and answer.restored_centi == 0
    assert shop.usable_centi() == OPENING_CENTI
    suspense = shop.db.execute("SELECT amount FROM balance WHERE account = 'suspense'").fetchone()
    assert suspense is None and verify(shop.db) == ()


@pytest.mark.parametrize(
    ("forged", "told"),
    [
        ("UPDATE sale_return SET refund_minor = refund_minor + 1", "refund_minor are not those of the payload"),
        ("UPDATE return_line SET net_minor = 1", "its lines are not those of the payload"),
        ("DELETE FROM return_line; DELETE FROM sale_return", "return r1 is missing"),
        ("UPDATE rule_use SET times = times + 1 WHERE rule = 'cups'", "Rule cups counts"),
        ("UPDATE member_counter SET units = 9", "Counter cups"),
    ],
)
def test_verify_finds_a_forged_return(shop: Shop, forged: str, told: str) -> None:
    shop.publish(COUNTED)
    sell(shop, goods(("tea", 9_900, "4")))
    take(shop, "r1", ("tea", "3"))
    assert verify(shop.db) == ()
    shop.db.executescript(forged)
    assert any(told in sentence for sentence in verify(shop.db)), verify(shop.db)
