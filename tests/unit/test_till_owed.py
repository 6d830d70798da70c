"""What a member owes is settled by points that come later, in the same fact, once, and nothing else about them changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Entry
from pos_loyalty.store import ledger
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import (
    AwardRequest,
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    IdentifyRequest,
    SaleAnswer,
    VoidRequest,
)
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest
from pos_loyalty.values import Points
from tests.shop import CARD, MEMBER, OPENING_CENTI, OTHER_CARD, PROGRAMME, Shop, make_basket

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
OWING = (
    PROGRAMME.replace("version = 1", "version = 2").replace("[points]", "[points]\nclaim_days = 14")
    + """
[[rule]]
id = "review"
stage = "act"
act = "review"
then = [{ do = "points", fixed = "5" }]
"""
)
PENDING = OWING.replace("version = 2", "version = 3").replace("lifetime_days = 180", "lifetime_days = 180\ndelay_days = 14")


@pytest.fixture
def owing(shop: Shop) -> Shop:
    """The member has nothing and owes 10 points."""
    shop.publish(OWING)
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    adjust(shop, -OPENING_CENTI - 1_000, "o")
    assert net(shop) == (0, 1_000)
    return shop


def adjust(shop: Shop, centi: int, key: str, member_id: str = MEMBER) -> object:
    request = AdjustRequest(centi=Points(centi), reason="by hand", by=ANNA, approval=BORIS, owe=True)
    return shop.till.adjust(member_id, request, key)


def net(shop: Shop, member_id: str = MEMBER) -> tuple[int, int]:
    """What the lots hold and what is owed, by plain sums over the entries."""
    held = owed = 0
    for debit, credit, amount in shop.db.execute("SELECT debit_acct, credit_acct, amount FROM entry"):
        held += amount * ((credit == f"member:{member_id}") - (debit == f"member:{member_id}"))
        owed += amount * ((debit == f"owed:{member_id}") - (credit == f"owed:{member_id}"))
    assert held == shop.usable_centi(member_id) and owed >= 0
    return held, owed


def buy(shop: Shop, sale_id: str, price_minor: int = 10_000, **more: object) -> SaleAnswer:
    """A book of 100.00 unless another price is said; it brings 4.50 points (coffee is 10 % off) for each 100.00."""
    request = shop.ask(make_basket(price_minor=price_minor, count="1"), **more)  # type: ignore[arg-type]
    return shop.till.authorise(replace(request, sale_id=sale_id, complete=True), f"key {sale_id}")


def back(shop: Shop, sale_id: str) -> None:
    shop.till.return_goods(sale_id, ReturnRequest(return_id=f"r {sale_id}", all=True, cashier="C7"), f"back {sale_id}")


def test_a_sale_settles_what_its_points_reach_to_and_says_so(owing: Shop) -> None:
    answer = buy(owing, "s1")
    assert (answer.settled_centi, answer.owed_centi, answer.balance_centi) == (450, 550, 0)
    assert net(owing) == (0, 550)
    assert owing.till.identify(IdentifyRequest(card=CARD)).owed_centi == 550
    more = buy(owing, "s2", 20_000)
    assert (more.settled_centi, more.owed_centi, more.balance_centi) == (550, 0, 350)
    assert net(owing) == (350, 0)
    assert owing.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 350
    third = buy(owing, "s3")
    assert (third.settled_centi, third.owed_centi) == (0, 0)
    assert owing.till.sale("s1").settled_centi == 450 and owing.till.sale("s1").owed_centi == 0
    kinds = owing.db.execute("SELECT DISTINCT kind, rule FROM entry WHERE credit_acct = ?", (f"owed:{MEMBER}",)).fetchall()
    assert kinds == [("adjust", "points.owed")]
    assert verify(owing.db) == ()


def test_the_receipt_tells_it_in_both_languages(owing: Shop) -> None:
    buy(owing, "s1")
    paper = owing.till.receipt_text("s1", "en").replace("\u00a0", " ")
    assert "Settled of points owed" in paper and "-4.5" in paper.replace("−", "-") and "Points owed" in paper
    paper = owing.till.receipt_text("s1", "ru")
    assert "В счёт долга" in paper and "Долг по баллам" in paper
    buy(owing, "s2", 90_000)
    assert "Долг" not in owing.till.receipt_text("s2", "ru"), "nothing is owed any more"
    assert "В счёт долга" in owing.till.receipt_text("s2", "ru")


@pytest.mark.parametrize("undo", ["return", "void"])
def test_points_that_settled_are_owed_again_when_their_goods_come_back(owing: Shop, undo: str) -> None:
    buy(owing, "s1", 40_000)  # 18 points: 10 settle, 8 are left
    assert net(owing) == (800, 0)
    if undo == "return":
        back(owing, "s1")
    else:
        owing.till.void("s1", VoidRequest(), "v")
    assert net(owing) == (0, 1_000)
    assert verify(owing.db) == ()


def test_a_sale_in_two_steps_settles_when_it_is_completed(owing: Shop) -> None:
    request = replace(owing.ask(), sale_id="s1")
    owing.till.authorise(request, "k1")
    assert net(owing) == (0, 1_000)
    owing.till.cancel("s1", CancelRequest(), "k2")
    assert net(owing) == (0, 1_000)
    late = owing.till.complete("s1", CompleteRequest(), "k3")
    assert (late.settled_centi, net(owing)) == (1_000, (350, 0))
    owing.till.complete("s1", CompleteRequest(), "k4")
    assert net(owing) == (350, 0), "completed again, it brings nothing"
    assert verify(owing.db) == ()


def test_pending_points_settle_at_once(owing: Shop) -> None:
    owing.publish(PENDING)
    buy(owing, "s1", 40_000)
    assert net(owing) == (800, 0)
    lot = owing.db.execute("SELECT amount, remaining, usable_from > ? FROM lot WHERE id = 'T1/s1:base'", (0,)).fetchone()
    assert lot == (1_800, 800, 1)
    assert owing.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0
    owing.now += timedelta(days=30)
    assert owing.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 800
    assert verify(owing.db) == ()


def test_a_claim_an_award_and_points_by_hand_settle(owing: Shop) -> None:
    request = replace(owing.ask(make_basket(price_minor=10_000, count="1"), card=None), sale_id="s1", complete=True)
    owing.till.authorise(request, "k1")
    claimed = owing.till.claim("s1", ClaimRequest(member_id=MEMBER, by="C7", approval=BORIS), "c")
    assert (claimed.settled_centi, claimed.owed_centi, claimed.balance_centi) == (450, 550, 0)
    given = owing.till.award(MEMBER, AwardRequest(act="review"), "a")
    assert (given.settled_centi, given.owed_centi, given.balance_centi) == (500, 50, 0)
    by_hand = adjust(owing, 200, "h")
    assert (by_hand.settled_centi, by_hand.owed_in_all_centi, by_hand.balance_centi) == (50, 0, 150)  # type: ignore[attr-defined]
    back(owing, "s1")
    assert net(owing) == (0, 300), "4.50 are taken: 1.50 are there, three are owed again"
    assert verify(owing.db) == ()


def test_who_goes_over_brings_lots_that_settle_what_both_owe(owing: Shop) -> None:
    other = owing.till.enrol(EnrolRequest(card=OTHER_CARD), "e").member_id
    adjust(owing, 700, "h1", other)
    answer = owing.till.merge(other, MergeRequest(into=MEMBER, reason="one", by=ANNA, approval=BORIS), "m1")
    assert (answer.settled_centi, answer.balance_centi) == (700, 0)
    assert net(owing) == (0, 300) and net(owing, other) == (0, 0)
    third = owing.till.enrol(EnrolRequest(card="2200000000033"), "e3").member_id
    adjust(owing, 1_000, "h2", third)
    answer = owing.till.merge(MEMBER, MergeRequest(into=third, reason="one", by=ANNA, approval=BORIS), "m2")
    assert (answer.owed_centi, answer.settled_centi, answer.balance_centi) == (300, 300, 700)
    assert net(owing, third) == (700, 0) and net(owing) == (0, 0)
    assert verify(owing.db) == ()


def test_goods_of_who_went_over_come_back_and_the_new_members_lots_pay(owing: Shop) -> None:
    adjust(owing, 1_000, "even")
    buy(owing, "s1", 40_000)
    other = owing.till.enrol(EnrolRequest(card=OTHER_CARD), "e").member_id
    owing.till.merge(MEMBER, MergeRequest(into=other, reason="one", by=ANNA, approval=BORIS), "m1")
    assert net(owing, other) == (1_800, 0)
    back(owing, "s1")
    assert net(owing, other) == net(owing) == (0, 0), "what the one owes, the lots of the other settle at once"
    assert verify(owing.db) == ()


def test_what_settled_is_not_lost_with_its_lot(owing: Shop) -> None:
    buy(owing, "s1", 40_000)
    owing.now += timedelta(days=200)
    owing.till.nightly()
    assert net(owing) == (0, 0)
    assert owing.db.execute("SELECT SUM(amount) FROM entry WHERE kind = 'expire'").fetchone() == (800,)
    assert verify(owing.db) == ()


def test_a_till_takes_no_settlement_that_its_file_does_not_show(owing: Shop) -> None:
    buy(owing, "s1", 40_000)
    owing.db.execute("DELETE FROM entry WHERE rule = 'points.owed'")
    assert any("its entries are not those of the payload" in each for each in verify(owing.db))


def test_the_settlement_stands_in_the_fact_of_the_sale(owing: Shop) -> None:
    buy(owing, "s1", 40_000)
    (fact,) = ledger.sale_facts(owing.db, "T1", "s1")
    accrual, settling = fact.entries
    assert settling == Entry(
        kind="adjust", debit=f"member:{MEMBER}", credit=f"owed:{MEMBER}", amount=1_000, member_id=MEMBER, lot_id=accrual.lot_id,
        rule="points.owed",
    )  # fmt: skip
