"""Lots: ends of their life, the order of redemption, what is lost next."""

from __future__ import annotations

from datetime import timedelta

from pos_loyalty.engine import lots
from tests.worlds import NOW, lot

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def test_usable_from_is_inside_and_expires_at_is_not() -> None:
    assert lots.is_usable(lot("a", 1, usable_from=NOW), NOW)
    assert not lots.is_usable(lot("a", 1, usable_from=NOW + SECOND), NOW)
    assert lots.is_usable(lot("a", 1, expires_at=NOW + SECOND), NOW)
    assert not lots.is_usable(lot("a", 1, expires_at=NOW), NOW)
    assert not lots.is_usable(lot("a", 0), NOW)


def test_the_soonest_to_expire_goes_first_then_the_oldest_then_the_id() -> None:
    held = [
        lot("never", 1),
        lot("late", 1, expires_at=NOW + 9 * DAY),
        lot("soon-b", 1, expires_at=NOW + DAY, usable_from=NOW - DAY),
        lot("soon-a", 1, expires_at=NOW + DAY, usable_from=NOW - DAY),
        lot("soon-old", 1, expires_at=NOW + DAY, usable_from=NOW - 2 * DAY),
        lot("lost", 1, expires_at=NOW),
        lot("pending", 1, usable_from=NOW + DAY),
    ]
    assert [each.lot_id for each in lots.usable(held, NOW)] == ["soon-old", "soon-a", "soon-b", "late", "never"]


def test_sums_and_the_next_loss() -> None:
    held = [
        lot("a", 100, expires_at=NOW + DAY),
        lot("b", 20, expires_at=NOW + DAY),
        lot("c", 3, expires_at=NOW + 2 * DAY),
        lot("d", 5000, usable_from=NOW + DAY),
        lot("e", 70_000, expires_at=NOW),
    ]
    assert lots.usable_centi(held, NOW) == 123
    assert lots.total_centi(held, NOW) == 5123
    assert lots.next_expiry(held, NOW) == lots.Expiry(at=NOW + DAY, centi=120)
    assert lots.next_expiry(held, NOW + 2 * DAY) is None


def test_taking_goes_from_lot_to_lot() -> None:
    held = [lot("a", 100), lot("b", 50), lot("c", 50)]
    assert [(use.lot_id, use.centi) for use in lots.take(held, 120)] == [("a", 100), ("b", 20)]
    assert lots.take(held, 0) == ()
    assert sum(use.centi for use in lots.take(held, 10_000)) == 200
