"""Money laws of points in the ledger: set aside once, given back once, lost once, by the calendar and not by the clock's whim."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, NotAllowedError
from pos_loyalty.store.facts import fact_of, payload_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, CompleteRequest, IdentifyRequest, QuoteRequest
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest
from pos_loyalty.values import Points
from tests.money.corner import OLGA, SILVER_FROM_500, VERA, Corner, basket_of
from tests.shop import CARD, MEMBER, NOW, OPENING_CENTI, OTHER_CARD

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BOOK = ("book", 30_000, "1")


def test_a_cancelled_sale_gives_all_points_back_once(corner: Corner) -> None:
    """150 points are set aside for 300.00, the card is declined: 500 again, not 350; and cancelled once more: not 650."""
    corner.till.authorise(replace(corner.priced("s", BOOK, redeem="max"), complete=False), "s")
    assert (corner.account("held:T1/s"), corner.account(f"member:{MEMBER}")) == (15_000, 35_000)
    for key in ("cancel", "cancel again"):
        corner.till.cancel("s", CancelRequest(), key)
        assert (corner.account("held:T1/s"), corner.account(f"member:{MEMBER}")) == (0, OPENING_CENTI)
        assert corner.lots() == [(OPENING_CENTI, 365)]
    assert verify(corner.db) == ()


def test_a_completed_sale_settles_what_it_set_aside_once(corner: Corner) -> None:
    """150 points set aside become 150 redeemed, and 7.50 come in; payment told twice brings nothing more."""
    corner.till.authorise(replace(corner.priced("s", BOOK, redeem="max"), complete=False), "s")
    for key in ("paid", "paid again"):
        corner.till.complete("s", CompleteRequest(), key)
        assert (corner.account("held:T1/s"), corner.account("programme:test:redeemed")) == (0, 15_000)
        assert corner.account(f"member:{MEMBER}") == OPENING_CENTI - 15_000 + 750


def test_the_same_points_do_not_pay_twice(corner: Corner) -> None:
    """Two baskets of 1,000.00 are priced with 500 points each. The first is paid so; the second is not, for there are none."""
    one = corner.priced("s1", ("sofa", 100_000, "1"), redeem="max")
    two = corner.priced("s2", ("sofa", 100_000, "1"), redeem="max")
    corner.till.authorise(one, "k1")
    with pytest.raises(ConflictError):
        corner.till.authorise(two, "k2")
    assert corner.account("programme:test:redeemed") == 50_000


def test_one_request_is_booked_once(corner: Corner) -> None:
    """10 points by hand; the answer is lost on the way, and the same is sent again: 510, not 520."""
    corner.staffed()
    request = AdjustRequest(centi=Points(1_000), reason="till was down", by=VERA, approval=OLGA)
    first = corner.till.adjust(MEMBER, request, "one key")
    assert corner.till.adjust(MEMBER, request, "one key") == first
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI + 1_000


@pytest.mark.parametrize(("by", "approval"), [(VERA, None), (OLGA, None), (OLGA, OLGA), (OLGA, VERA)])
def test_nobody_gives_points_alone(corner: Corner, by: object, approval: object) -> None:
    """A cashier and a senior give points together; not one of them, nor one of them twice, nor a cashier as the second."""
    corner.staffed()
    request = AdjustRequest(centi=Points(1_000), reason="a friend", by=by, approval=approval)  # type: ignore[arg-type]
    with pytest.raises(NotAllowedError):
        corner.till.adjust(MEMBER, request, "key")
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI


def test_two_cards_of_one_person_make_no_points(corner: Corner) -> None:
    """500 points and 70 are 570 after the merge, with their dates, and the other one has none."""
    corner.staffed().add_member("same", OTHER_CARD, 7_000)
    answer = corner.till.merge("same", MergeRequest(into=MEMBER, reason="two cards", by=VERA, approval=OLGA), "key")
    assert (answer.moved_centi, answer.balance_centi) == (7_000, 57_000)
    assert (corner.account(f"member:{MEMBER}"), corner.account("member:same")) == (57_000, 0)
    assert corner.lots() == [(7_000, 365), (50_000, 365)]
    assert verify(corner.db) == ()


def test_a_forgotten_card_brings_its_points_once(corner: Corner) -> None:
    """300.00 without a card bring 15 points with Olga's word; the same receipt shown again brings none."""
    corner.staffed().buys("s", BOOK, card=None)
    request = ClaimRequest(card=CARD, by="Vera", approval=OLGA)
    assert corner.till.claim("s", request, "key").accrued_centi == 1_500
    with pytest.raises(ConflictError):
        corner.till.claim("s", request, "another key")
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI + 1_500


def test_a_clock_turned_back_makes_no_receipt_young(corner: Corner) -> None:
    """100.00 without a card would bring 5 points for fourteen days. A month later somebody sets the clock back to that day."""
    corner.staffed().buys("s", ("book", 10_000, "1"), card=None)
    corner.now = NOW + timedelta(days=30)
    corner.buys("later", ("book", 10_000, "1"), card=None)
    corner.now = NOW
    with pytest.raises(ConflictError, match="too old"):
        corner.till.claim("s", ClaimRequest(card=CARD, by="Vera", approval=OLGA), "claim")
    assert corner.account(f"member:{MEMBER}") == OPENING_CENTI


def test_points_are_lost_once(corner: Corner) -> None:
    """The year is over: 500 points are booked as lost. The night after there is nothing to lose, and nothing is owed by it."""
    corner.now += 366 * DAY
    for _ in range(2):
        corner.till.nightly()
        assert (corner.account("programme:test:expired"), corner.account(f"member:{MEMBER}")) == (OPENING_CENTI, 0)
    assert corner.lots() == []
    assert verify(corner.db) == ()


def test_a_missed_night_lends_nobody_dead_points(corner: Corner) -> None:
    """The year is over, and no night has run yet: the 500 points pay nothing all the same."""
    corner.now += 366 * DAY
    basket = basket_of(BOOK, redeem="max", opened_at=corner.now)
    assert corner.till.quote(QuoteRequest(basket=basket, card=CARD)).redemption.centi == 0


def test_a_clock_turned_back_revives_no_points(corner: Corner) -> None:
    """Ten points end on the tenth day. It passes; then the clock is turned back by two hours, before their end: 0 are usable."""
    corner.add_member("ten", OTHER_CARD, 100)
    corner.is_given("ten-days", 1_000, 10, "ten")
    corner.now = NOW + 10 * DAY + HOUR
    corner.buys("s", ("pen", 100, "1"), card=None, opened_at=corner.now)
    corner.now -= 2 * HOUR
    assert corner.till.identify(IdentifyRequest(card=OTHER_CARD)).usable_centi == 100
    basket = basket_of(BOOK, redeem="max", opened_at=corner.now)
    assert corner.till.quote(QuoteRequest(basket=basket, card=OTHER_CARD)).redemption.centi == 100


def test_a_changed_payload_is_seen_though_all_else_agrees(corner: Corner) -> None:
    """Somebody makes 500 points 900: in the fact, the entry, the lot and both balances. Only the chain of hashes tells."""
    row_id, payload = corner.db.execute("SELECT id, payload FROM txn WHERE kind = 'points.adjusted'").fetchone()
    fact = fact_of(payload)
    forged = payload_of(replace(fact, entries=tuple(replace(entry, amount=Points(90_000)) for entry in fact.entries)))
    with_triggers_off(corner, "UPDATE txn SET payload = ? WHERE id = ?", (forged, row_id))
    with_triggers_off(corner, "UPDATE entry SET amount = 90000 WHERE txn = ?", (row_id,))
    with_triggers_off(corner, "UPDATE lot SET amount = 90000, remaining = 90000", ())
    with_triggers_off(corner, "UPDATE balance SET amount = 90000 * sign(amount)", ())
    told = verify(corner.db)
    assert len(told) == 1 and "hashed" in told[0]


def test_a_changed_balance_is_named(corner: Corner) -> None:
    """500 points by the entries, 900 in the account: the account is named, with both figures."""
    corner.db.execute("UPDATE balance SET amount = 90000 WHERE account = ?", (f"member:{MEMBER}",))
    told = verify(corner.db)
    assert len(told) == 1 and all(each in told[0] for each in (MEMBER, "90000", "50000"))


def test_a_changed_lot_is_named(corner: Corner) -> None:
    """500 points by the entries, 400 in the lot: the lot is named, with both figures."""
    corner.db.execute("UPDATE lot SET remaining = 40000")
    told = verify(corner.db)
    assert len(told) == 1 and all(each in told[0] for each in ("40000", "50000"))


def test_goods_brought_back_leave_no_tier(make_corner: Callable[..., Corner]) -> None:
    """Silver begins at 500.00. A sofa of 600.00 reaches it; the sofa comes back, and so does the tier."""
    corner = make_corner(SILVER_FROM_500)
    corner.buys("s", ("sofa", 60_000, "1"))
    assert corner.till.identify(IdentifyRequest(card=CARD)).tier == "silver"
    corner.brings_back("s")
    assert corner.till.identify(IdentifyRequest(card=CARD)).tier is None


def with_triggers_off(corner: Corner, sql: str, values: tuple[object, ...]) -> None:
    """As someone does who may write to the file: what guards a table is taken away and put back."""
    guards = corner.db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        corner.db.execute(f"DROP TRIGGER {name}")
    corner.db.execute(sql, values)
    for _, guard in guards:
        corner.db.execute(guard)
