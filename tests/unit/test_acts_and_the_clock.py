"""Acts by hand go by trusted time: a clock that is wrong makes no dead points alive and no live points dead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import CancelRequest
from pos_loyalty.till.staff_model import AdjustRequest, MergeRequest
from pos_loyalty.values import Points
from tests.shop import MEMBER, NOW, OPENING_CENTI, OTHER_CARD, Shop

ANNA, BORIS = Approval(person="Anna", pin="1234"), Approval(person="Boris", pin="998877")
YEAR = timedelta(days=365)


@pytest.fixture
def staffed(shop: Shop) -> Shop:
    for person in (ANNA, BORIS):
        staff.add(shop.db, person.person, "senior", person.pin, shop.till._desk.secrets.pepper)
    return shop


def lots(shop: Shop) -> dict[str, int]:
    return dict(shop.db.execute("SELECT id, remaining FROM lot WHERE remaining > 0"))


def test_points_that_are_dead_pay_for_nothing_when_the_clock_goes_back(staffed: Shop) -> None:
    staffed.now = NOW + YEAR + timedelta(hours=1)
    staffed.till.adjust(MEMBER, AdjustRequest(centi=Points(7_000), reason="a gift", by=ANNA, approval=BORIS), "give")
    staffed.now = NOW + YEAR - timedelta(hours=1)
    staffed.till.adjust(MEMBER, AdjustRequest(centi=Points(-5_000), reason="a mistake", by=ANNA, approval=BORIS), "take")
    left = lots(staffed)
    assert left.pop(f"opening-{MEMBER}") == OPENING_CENTI, "the opening lot died before; what is alive is taken"
    assert list(left.values()) == [2_000]
    assert verify(staffed.db) == ()


def test_points_that_are_dead_are_not_carried_over_when_the_clock_goes_back(staffed: Shop) -> None:
    staffed.add_member("member-2", OTHER_CARD, 7_000)
    staffed.sell("s1", redeem=500, complete=False)
    staffed.now = NOW + YEAR + timedelta(hours=1)
    staffed.till.cancel("s1", CancelRequest(), "x1")
    staffed.now = NOW + YEAR - timedelta(hours=1)
    merged = staffed.till.merge(MEMBER, MergeRequest(into="member-2", reason="one person", by=ANNA, approval=BORIS), "m")
    assert (merged.lots, merged.moved_centi) == (0, 0)
    assert verify(staffed.db) == ()


def test_points_given_by_a_clock_that_is_behind_live_as_long_as_others(staffed: Shop) -> None:
    """Else a member would be given points that are lost already, and that settle nothing."""
    gift = AdjustRequest(centi=Points(1_000), reason="a gift", by=ANNA, approval=BORIS)
    owing = AdjustRequest(centi=Points(-OPENING_CENTI - 400), reason="a mistake", by=ANNA, approval=BORIS, owe=True)
    staffed.till.adjust(MEMBER, owing, "take")
    staffed.now = NOW + YEAR + timedelta(hours=1)
    right = staffed.till.adjust(MEMBER, AdjustRequest(centi=Points(100), reason="a gift", by=ANNA, approval=BORIS), "right")
    staffed.now = NOW - YEAR
    behind = staffed.till.adjust(MEMBER, gift, "behind")
    assert behind.expires_at is not None and behind.expires_at == right.expires_at
    assert (behind.settled_centi, behind.balance_centi) == (300, 700)
    assert verify(staffed.db) == ()
