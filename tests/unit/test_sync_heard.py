"""What head office gave to a lot it grants to nobody until every till shows by its question that it was told of that."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.engine.model import Entry
from pos_loyalty.store import ledger, right_holds
from pos_loyalty.values import decode
from sync.local import apply_changes, begin_pull, next_question
from sync.server import steps
from sync.wire import Changes, ChangesRequest
from tests.simulation.shop import NOW, HeadOffice, Till
from tests.unit.test_sync_identity import enrolled, sync_fully

LOT, MINUTE = "opening:M1", timedelta(minutes=1)
GIVEN_CENTI = 300


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    made = HeadOffice(tmp_path)
    made.give_points("M1", "2900000000001", 1_000)
    return made


@pytest.fixture
def till(tmp_path: Path, office: HeadOffice) -> Till:
    """It was told all there was, and head office knows that it was."""
    made = Till(tmp_path, "A")
    enrolled(office, made)
    sync_fully(made, office)
    take(made, asks(made, office, 1))
    asks(made, office, 2)
    assert office.store.all_asked_by() == NOW + 2 * MINUTE
    return made


def question_of(till: Till) -> ChangesRequest:
    step = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW)
    assert step.send is not None
    return decode(step.send, ChangesRequest)


def asks(till: Till, office: HeadOffice, minute: int) -> Changes:
    """Its question, and the answer, which is lost on the way unless it is taken in."""
    return steps.changes(office.store, question_of(till), NOW + minute * MINUTE)


def take(till: Till, answer: Changes) -> None:
    apply_changes(till.db, till.here, answer, NOW)


def gives(office: HeadOffice, minute: int) -> None:
    """Goods came back at two tills: points that one of them took are put back to the lot that had paid."""
    taken = Entry(kind="adjust", debit="member:M1", credit="adjustment", amount=GIVEN_CENTI, member_id="M1", lot_id=LOT)
    entries = (taken, replace(taken, debit="adjustment", credit="member:M1", rule="points.given_back"))
    with office.store.write():
        said = ledger.Draft(id=new_id(), kind="points.settled", store="head-office", member="M1", entries=entries)
        ledger.append(office.db, said, NOW + minute * MINUTE)
        office.store.touch(["M1"])


def is_free(office: HeadOffice) -> bool:
    return right_holds.held_by_all(office.db, LOT) == 0


def test_an_answer_that_may_be_lost_tells_nobody(office: HeadOffice, till: Till) -> None:
    """The till goes on without it, takes goods back, and gives the same points to the lot: these it may redeem."""
    gives(office, 3)
    for minute in (4, 5):
        asks(till, office, minute)
        assert not is_free(office)
    take(till, asks(till, office, 6))
    assert not is_free(office)
    asks(till, office, 7)
    assert is_free(office)


def test_who_shows_that_it_has_an_earlier_answer_had_been_told_by_then(office: HeadOffice, till: Till) -> None:
    """However much changes meanwhile: it need not have the newest."""
    gives(office, 3)
    take(till, asks(till, office, 4))
    office.give_points("M2", "2900000000002", 100)
    asks(till, office, 5)
    assert is_free(office)
    gives(office, 6)
    assert not is_free(office)


def test_a_page_that_is_not_the_last_is_not_all(office: HeadOffice, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.server.steps.MEMBERS_MAX", 1)
    office.give_points("M2", "2900000000002", 100)
    gives(office, 3)
    first = asks(till, office, 4)
    assert not first.complete
    take(till, first)
    take(till, asks(till, office, 5))
    assert not is_free(office)
    asks(till, office, 6)
    assert is_free(office)


def test_what_a_till_wrote_before_it_was_told_comes_first(office: HeadOffice, till: Till) -> None:
    """It may have given the same by then."""
    gives(office, 3)
    till.sell("1")
    take(till, asks(till, office, 4))
    asks(till, office, 5)
    assert not is_free(office)
    sync_fully(till, office)
    asks(till, office, 6)
    assert is_free(office)


def test_a_head_office_that_was_put_back_believes_no_version_of_before(office: HeadOffice, till: Till, tmp_path: Path) -> None:
    saved = tmp_path / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    office.give_points("M2", "2900000000002", 100)
    take(till, asks(till, office, 3))
    office.restore(saved)
    gives(office, 4)
    asks(till, office, 5)
    asks(till, office, 6)
    assert not is_free(office)
    take(till, asks(till, office, 7))
    asks(till, office, 8)
    assert is_free(office)


def test_a_machine_that_was_enrolled_anew_has_heard_nothing_of_what_the_one_before_had(
    office: HeadOffice, till: Till, tmp_path: Path
) -> None:
    """It has an older file, or begins with a snapshot of before."""
    saved = tmp_path / "of_before.db"
    till.db.execute("VACUUM INTO ?", (str(saved),))
    gives(office, 3)
    take(till, asks(till, office, 4))
    asks(till, office, 5)
    assert is_free(office)
    till.db.close()
    saved.replace(till.path)
    till.open()
    enrolled(office, till, "33" * 32)
    assert not is_free(office)
    sync_fully(till, office)
    take(till, asks(till, office, 6))
    asks(till, office, 7)
    assert is_free(office)


def test_a_new_machine_without_a_fact_holds_up_nothing_of_before(office: HeadOffice, till: Till, tmp_path: Path) -> None:
    """It knows of no lot: whatever it will be told is of now, whether this answer reaches it or another."""
    gives(office, 3)
    take(till, asks(till, office, 4))
    asks(till, office, 5)
    other = Till(tmp_path, "B")
    enrolled(office, other, "33" * 32)
    asks(other, office, 6)
    assert is_free(office)
    gives(office, 7)
    take(till, asks(till, office, 8))
    asks(till, office, 9)
    assert not is_free(office)
