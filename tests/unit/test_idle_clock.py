"""What a till gives back when nobody needs it, where facts are from beyond now: of a clock that ran ahead and was put right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.store import follow, right_asking, right_holds
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GrantFact, RightHolder, RightLine
from pos_loyalty.values import Points
from sync import idle
from tests.simulation.shop import NOW, Till

AHEAD = NOW + timedelta(days=400)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    made = Till(tmp_path, "T1")
    made.enrol("M1", "2900000000001")
    made.sell("S1", "M1", earn=700)
    yield made
    made.db.close()


def takes(till: Till, lot_id: str, name: str, giver: RightHolder | None = None) -> None:
    """It takes a grant while its clock stands ahead."""
    line = RightLine(lot_id=lot_id, member_id=name, centi=Points(300))
    grant = GrantFact(grant_id=new_id().hex, till="T1", epoch=1, lease_until=AHEAD, lines=(line,), giver=giver)
    with write(till.db):
        follow.book(till.db, Draft(id=new_id(), kind="rights.taken", store="S1", body=grant), AHEAD)


def test_money_of_a_gift_card_goes_back(till: Till) -> None:
    takes(till, "gift:C1", "C1")
    assert [line.lot_id for line in right_holds.idle_gifts(till.db, "T1", 1, NOW, NOW)] == ["gift:C1"]


def test_who_came_while_the_clock_ran_ahead_stands_here_no_more(till: Till) -> None:
    """All that came since was looked through again with each round, for as long as that."""
    (lot,) = (row[0] for row in till.db.execute("SELECT id FROM lot WHERE member = 'M1'"))
    takes(till, lot, "M1", RightHolder(till="HUB", epoch=1))
    with write(till.db):
        (line,) = idle.lines(till.db, "T1", 1, LATER)
        assert (line.lot_id, line.centi) == (lot, 1_000)
        assert idle.lines(till.db, "T1", 1, LATER) == [], "each fact once"


def test_head_office_is_asked_whether_it_would_have_it_back(till: Till) -> None:
    """Or it would stay until its lease ends: whoever comes next moves on past it."""
    (lot,) = (row[0] for row in till.db.execute("SELECT id FROM lot WHERE member = 'M1'"))
    takes(till, lot, "M1")
    assert right_asking.due(till.db, NOW, 10, NOW).member_ids == ("M1",)
