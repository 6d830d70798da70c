"""Points of goods that come back were redeemed first, and their lot has ended since: they are taken back all the same, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest, MergeRequest
from pos_loyalty.values import Points, quantity
from tests.shop import MEMBER, OPENING_CENTI, OTHER_CARD, PROGRAMME, Shop
from tests.unit.test_till_returns import goods, sell

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
SHORT = PROGRAMME.replace("version = 1", "version = 2").replace("lifetime_days = 180", "lifetime_days = 7")


@pytest.fixture
def short(shop: Shop) -> Shop:
    """Ten pens of 100.00 brought 50 points for seven days; 30 of them paid for something else; on the eighth day 20 are lost."""
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    assert shop.db.execute("SELECT remaining FROM lot WHERE id = 'T1/sale-1:base'").fetchone() == (2_000,)
    shop.now += timedelta(days=9)
    assert live(shop) == OPENING_CENTI
    return shop


def back(shop: Shop, return_id: str, count: int) -> int:
    """So many pens come back; answers what is taken for them, from wherever."""
    lines = (LineBack(line_id="pen", quantity_milli=quantity(str(count))),)
    request = ReturnRequest(return_id=return_id, lines=lines, cashier="C7")
    return shop.till.return_goods("sale-1", request, return_id).taken_back_centi


def live(shop: Shop) -> int:
    return living(shop, MEMBER)


def living(shop: Shop, member: str) -> int:
    """Lots that live, less what is owed."""
    at_ms = int(shop.now.timestamp() * 1000)
    lots = shop.db.execute("SELECT SUM(remaining) FROM lot WHERE member = ? AND expires_at > ?", (member, at_ms)).fetchone()
    owed = shop.db.execute("SELECT -coalesce(SUM(amount), 0) FROM balance WHERE account = ?", (f"owed:{member}",)).fetchone()
    return int(lots[0] or 0) - int(owed[0])


@pytest.mark.parametrize("is_booked", [False, True])
@pytest.mark.parametrize("parts", [(10,), (4, 6), (1,) * 10])
def test_what_was_redeemed_of_a_lot_that_ended_is_taken_back_once(short: Shop, parts: tuple[int, ...], is_booked: bool) -> None:
    if is_booked:
        short.till.nightly()
    for n, count in enumerate(parts):
        back(short, f"r{n}", count)
    assert live(short) == OPENING_CENTI - 3_000, "30 points were redeemed for goods that are back; 20 were lost already"
    assert verify(short.db) == ()


def test_a_return_before_and_one_after_the_end(shop: Shop) -> None:
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    assert back(shop, "r1", 5) == 2_500
    shop.now += timedelta(days=9)
    assert back(shop, "r2", 5) == 2_500
    assert live(shop) == OPENING_CENTI - 2_500, "the first 5 of the 30 that were used came out of points that have ended since"
    assert verify(shop.db) == ()


def test_a_void_takes_it_back_too(short: Shop) -> None:
    short.till.void("sale-1", VoidRequest(approval=short.senior()), "v")
    assert live(short) == OPENING_CENTI - 3_000
    assert verify(short.db) == ()


def test_points_that_nobody_used_are_lost_and_not_taken_again(shop: Shop) -> None:
    shop.publish(SHORT)
    sell(shop, goods(("pen", 10_000, "10")))
    shop.now += timedelta(days=9)
    shop.till.nightly()
    back(shop, "r1", 10)
    assert live(shop) == OPENING_CENTI
    assert verify(shop.db) == ()


def test_points_that_went_over_to_another_and_were_redeemed_there_are_taken_back_too(shop: Shop) -> None:
    shop.publish(SHORT)
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    shop.add_member("member-2", OTHER_CARD, 7_000)
    sell(shop, goods(("pen", 10_000, "10")))
    shop.till.merge(MEMBER, MergeRequest(into="member-2", reason="one person", by=ANNA, approval=BORIS), "m")
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    shop.now += timedelta(days=9)
    before = living(shop, "member-2")
    back(shop, "r1", 4)
    back(shop, "r2", 6)
    assert living(shop, "member-2") == before - 3_000, "30 of the 50 points were redeemed, 20 were lost"
    assert verify(shop.db) == ()


@pytest.mark.parametrize("names", [("s", "s:2"), ("s:2", "s"), ("s:base", "s:base:base"), ("p", "q:2"), ("T1:s", "T1")])
@pytest.mark.parametrize("is_void", [False, True])
def test_a_sale_is_not_taken_for_one_whose_name_begins_its_own(shop: Shop, names: tuple[str, str], is_void: bool) -> None:
    """Of two sales the first comes back at once; the points of the second pay for a third, are lost, and both come back."""
    shop.publish(SHORT)
    first, second = names
    sell(shop, goods(("pen", 10_000, "10")), first)
    if is_void:
        shop.till.void(first, VoidRequest(), "v")
    else:
        shop.till.return_goods(first, ReturnRequest(return_id="r1", all=True, cashier="C7"), "r1")
    assert live(shop) == OPENING_CENTI
    sell(shop, goods(("pen", 10_000, "10")), second)
    sell(shop, goods(("cap", 100_000, "1"), redeem=5_000), "third")
    shop.now += timedelta(days=9)
    shop.till.nightly()
    shop.till.return_goods(second, ReturnRequest(return_id="r2", all=True, cashier="C7"), "r2")
    assert live(shop) == OPENING_CENTI - 5_000, "all 50 points were redeemed"
    shop.till.return_goods("third", ReturnRequest(return_id="r3", all=True, cashier="C7"), "r3")
    assert live(shop) == OPENING_CENTI, "the opening lot paid and has it back"
    assert verify(shop.db) == ()


def pair_of(shop: Shop, *, is_all_kept: bool, owed: str = "forgive", days: int = 180) -> Shop:
    """Member 2 bought pens for 50 points and became one with member 1, who has 500, or has them taken by hand."""
    text = PROGRAMME.replace("[points]", f'[points]\nowed = "{owed}"')
    shop.publish(text.replace("version = 1", "version = 2").replace("lifetime_days = 180", f"lifetime_days = {days}"))
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    shop.add_member("member-2", OTHER_CARD, 7_000)
    if not is_all_kept:
        for member, centi in ((MEMBER, OPENING_CENTI), ("member-2", 7_000)):
            request = AdjustRequest(centi=Points(-centi), reason="by hand", by=ANNA, approval=BORIS)
            shop.till.adjust(member, request, f"all of {member}")
    shop.till.authorise(replace(shop.ask(goods(("pen", 10_000, "10")), OTHER_CARD), sale_id="sale-1", complete=True), "sale-1")
    shop.till.merge("member-2", MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), "m")
    return shop


@pytest.mark.parametrize("days", [180, 7])
@pytest.mark.parametrize("parts", [(10,), (4, 6)])
@pytest.mark.parametrize("owed", ["forgive", "keep"])
def test_nothing_is_forgiven_while_the_points_are_with_who_the_member_became(
    shop: Shop, owed: str, parts: tuple[int, ...], days: int
) -> None:
    """Before the points end and, where 30 of them were redeemed, after."""
    pair_of(shop, is_all_kept=True, owed=owed, days=days)
    sell(shop, goods(("cap", 100_000, "1"), redeem=3_000), "sale-2")
    brought = living(shop, MEMBER) - (OPENING_CENTI + 7_000 + 5_000 - 3_000)
    assert brought > 0, "the cap brings points too"
    if days == 7:
        shop.now += timedelta(days=9)
    before = living(shop, MEMBER)
    taken = sum(back(shop, f"r{n}", count) for n, count in enumerate(parts))
    assert taken == before - living(shop, MEMBER) == (3_000 if days == 7 else 5_000)
    assert living(shop, "member-2") == 0 and forgiven(shop) == 0
    assert verify(shop.db) == ()
    shop.till.return_goods("sale-2", ReturnRequest(return_id="cap", all=True, cashier="C7"), "cap")
    assert living(shop, MEMBER) == OPENING_CENTI + 7_000, "both are as if nothing had been bought"
    assert forgiven(shop) == 0 and verify(shop.db) == ()


def test_what_nobody_has_any_more_is_forgiven_after_a_merge_too(shop: Shop) -> None:
    """50 points of the pens, 35 redeemed for a cap that brings none: 15 are taken, 35 forgiven until the cap is back."""
    pair_of(shop, is_all_kept=False)
    cap = replace(shop.ask(goods(("cap", 7_000, "1"), redeem=3_500)), sale_id="sale-2", complete=True)
    brought = sum(each.centi for each in shop.till.authorise(cap, "cap").quote.accruals)
    assert back(shop, "r1", 10) == 1_500 + brought
    assert living(shop, MEMBER) == living(shop, "member-2") == 0
    assert forgiven(shop) == 3_500 - brought
    shop.till.return_goods("sale-2", ReturnRequest(return_id="cap", all=True, cashier="C7"), "cap back")
    assert living(shop, MEMBER) == living(shop, "member-2") == forgiven(shop) == 0
    assert verify(shop.db) == ()


def forgiven(shop: Shop) -> int:
    """What the shop bears, acts by hand aside."""
    by_hand = "SELECT coalesce(SUM(amount), 0) FROM entry AS e JOIN txn AS t ON t.id = e.txn WHERE t.kind = 'points.adjusted'"
    hand = shop.db.execute(f"{by_hand} AND credit_acct = 'adjustment'").fetchone()[0]
    return int(hand) - int(
        shop.db.execute("SELECT coalesce(SUM(amount), 0) FROM balance WHERE account = 'adjustment'").fetchone()[0]
    )
