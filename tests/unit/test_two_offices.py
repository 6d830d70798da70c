"""Two processes of head office over one PostgreSQL database (docs/scale.md): what either told is known after a restore.

The database is a file here: what a process knows of the other stands in the mark and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from sync.identity import Holder
from sync.server.right_desk import FileMark, RightDesk
from tests.simulation.shop import NOW
from tests.unit.test_sync_identity import enrolled, sync_fully
from tests.unit.test_sync_rights import TERMS, Bureau, Clerk, overdrawn, says_hello, world


@pytest.fixture
def office(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def other_desk(office: Bureau, mark: Path) -> RightDesk:
    """Of the process that stands in."""
    desk = RightDesk(TERMS, FileMark(mark))
    desk.opened(office.store, NOW)
    return desk


def all_granted_by(desk: RightDesk, office: Bureau, till: Clerk) -> None:
    holder = Holder(till=till.name, epoch=till.here.signer.credential.epoch)
    till.take(desk.answer(office.store, holder, till.question(), office.new_id, NOW))
    assert till.usable() == 1_000


def test_one_process_forgets_no_till_that_the_other_granted_something(office: Bureau, tmp_path: Path) -> None:
    """They write one mark, one after the other."""
    tills = world(tmp_path, office, "AB")
    night = office.saved(tmp_path / "night.db")
    other = other_desk(office, office.mark)
    d = Clerk(tmp_path, "D")
    enrolled(office, d, "d0" * 32)
    sync_fully(d, office)
    all_granted_by(other, office, d)
    for till in tills.values():
        office.answer(till, till.question())
    office.restore(night)
    for till in tills.values():
        sync_fully(till, office)
        assert says_hello(office, till) == "hello", "D was enrolled after the backup, and holds all there is"
    d.redeem("S1", 900)
    sync_fully(d, office)
    assert says_hello(office, d) == ""
    assert overdrawn(office) == []


def test_who_was_granted_something_by_a_process_on_another_machine_is_waited_for(office: Bureau, tmp_path: Path) -> None:
    """It has a mark of its own, and opens the database after the first one found out that it was restored."""
    tills = world(tmp_path, office, "AB")
    night = office.saved(tmp_path / "night.db")
    elsewhere = tmp_path / "elsewhere.mark"
    elsewhere.write_bytes(office.mark.read_bytes())
    d = Clerk(tmp_path, "D")
    enrolled(office, d, "d0" * 32)
    sync_fully(d, office)
    all_granted_by(other_desk(office, elsewhere), office, d)
    for till in tills.values():
        office.answer(till, till.question())
    office.restore(night)
    other_desk(office, elsewhere)
    epoch = office.store.rights.own_head().epoch
    for _ in range(2):
        other_desk(office, elsewhere)
        other_desk(office, office.mark)
    assert office.store.rights.own_head().epoch == epoch, "once is enough"
    for till in tills.values():
        sync_fully(till, office)
        assert says_hello(office, till) == "hello", "D was enrolled after the backup, and holds all there is"


def test_a_slower_process_takes_nothing_back_of_what_was_told(office: Bureau, tmp_path: Path) -> None:
    first, second = FileMark(office.mark), FileMark(office.mark)
    told = first.read()
    assert told is not None
    place = told.head
    first.add(replace(told, head=replace(place, seq=place.seq + 2), tills=("A",)))
    second.add(replace(told, head=replace(place, seq=place.seq + 1), tills=("B",)))
    assert second.read() == replace(told, head=replace(place, seq=place.seq + 2), tills=("A", "B"))
