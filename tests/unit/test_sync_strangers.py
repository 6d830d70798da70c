"""What the simulator found: machines that a restored head office forgot, a daemon and a night that fail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import CommitUnknownError, LogForkError
from pos_loyalty.store import db as store_db
from pos_loyalty.store import epochs, outbox, snapshot_state
from pos_loyalty.store.db import backup
from pos_loyalty.store.right_facts import LogPart
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import GiftCardRequest
from sync import backoff, daemon, taking
from sync.identity import Holder
from sync.rights import RightsRequest
from sync.server import rights as granting
from sync.server import steps
from sync.server.calls import Calls
from sync.server.chains import is_here
from sync.server.rights import Granting, RightTerms
from sync.snapshot_wire import Hold
from tests.shop import Shop
from tests.simulation.disk import Disk, WatchedConnection
from tests.simulation.escrow import PROGRAMME
from tests.simulation.shop import NOW, HeadOffice, Till, log_of, pull_all
from tests.simulation.taking import Source, built, take
from tests.unit.test_sync_identity import enrolled, sync_fully


def machine(office: HeadOffice, folder: Path, key: str) -> Till:
    """An empty machine that becomes till A."""
    folder.mkdir()
    till = Till(folder, "A")
    enrolled(office, till, key * 32)
    return till


def two_machines(tmp_path: Path) -> tuple[HeadOffice, Till, Path]:
    """Till A sold at one machine, which was lost; another one began with an empty file. Head office's backup is from between."""
    office = HeadOffice(tmp_path)
    first = machine(office, tmp_path / "first", "a1")
    for n in range(3):
        first.sell(f"A{n}")
    sync_fully(first, office)
    backup(office.db, tmp_path / "night.db")
    second = machine(office, tmp_path / "second", "a2")
    second.sell("B1")
    second.sell("B2")
    sync_fully(second, office)
    return office, second, tmp_path / "night.db"


def test_a_machine_that_head_office_forgot_is_no_fork_and_sends_all_again(tmp_path: Path) -> None:
    office, till, night = two_machines(tmp_path)
    office.restore(night)
    pages = pull_all(till, office)
    assert [(page.as_of_seq, page.members) for page in pages] == [(0, ())], "nothing is told of what another machine wrote"
    assert outbox.state(till.db).acked_seq == 0
    sync_fully(till, office)
    assert [row[1:] for row in log_of(office.db, "A") if row in log_of(till.db, "A")] == [row[1:] for row in log_of(till.db, "A")]
    assert verify(office.db) == verify(till.db) == ()


def test_a_new_machine_that_head_office_forgot_gets_the_rules_to_sell_by(tmp_path: Path) -> None:
    """It has no log to send; its first sale is one."""
    office = HeadOffice(tmp_path)
    first = machine(office, tmp_path / "first", "a1")
    first.sell("A1")
    sync_fully(first, office)
    steps.publish_programme(office.store, PROGRAMME.encode(), NOW)
    backup(office.db, tmp_path / "night.db")
    second = machine(office, tmp_path / "second", "a2")
    office.restore(tmp_path / "night.db")
    (page,) = pull_all(second, office)
    assert page.programmes is not None and page.members == ()
    second.sell("B1")
    sync_fully(second, office)
    assert set(log_of(second.db, "A")) <= set(log_of(office.db, "A"))


def test_a_new_machine_that_head_office_forgot_is_told_members_once_it_said_that_it_has_no_fact(tmp_path: Path) -> None:
    office = HeadOffice(tmp_path)
    first = machine(office, tmp_path / "first", "a1")
    first.sell("A1")
    sync_fully(first, office)
    office.give_points("M1", "2000000000015", 700)
    backup(office.db, tmp_path / "night.db")
    second = machine(office, tmp_path / "second", "a2")
    office.restore(tmp_path / "night.db")
    assert [page.members for page in pull_all(second, office)] == [()], "what machine is it, and how long is its log?"
    asked, terms = RightsRequest(ask_id="0" * 32, head=epochs.place_of(second.db)), Granting(RightTerms(), Calls())
    for _ in range(2):  # that it knows how far head office is only its second question says
        said = granting.answer(office.store, Holder(till="A", epoch=2), asked, terms, second.new_id, NOW)
        asked = replace(asked, seen=said.head)
    told = [member for page in pull_all(second, office) for member in page.members]
    assert {member.member_id: [lot.centi for lot in member.lots] for member in told}["M1"] == [700]
    second.sell("B1", "M1", spend=300)
    pull_all(second, office)
    assert second.db.execute("SELECT SUM(remaining) FROM lot WHERE member = 'M1'").fetchone() == (400,), "with its own on top"
    sync_fully(second, office)
    assert set(log_of(second.db, "A")) <= set(log_of(office.db, "A"))
    assert verify(office.db) == verify(second.db) == ()


def test_the_log_of_another_machine_is_no_hello(tmp_path: Path) -> None:
    office, till, night = two_machines(tmp_path)
    office.restore(night)
    asked = RightsRequest(ask_id="0" * 32, head=epochs.place_of(till.db))
    answer = granting.answer(office.store, Holder(till="A", epoch=2), asked, Granting(RightTerms(), Calls()), till.new_id, NOW)
    assert answer.held_back == "log", "three facts of the first machine are not two of this one"


def test_an_epoch_that_goes_on_from_a_forgotten_machine_is_a_gap(tmp_path: Path) -> None:
    """The numbers that it goes on from are there, but they are of the machine before."""
    office, till, night = two_machines(tmp_path)
    enrolled(office, till, "a3" * 32)
    till.sell("B3")
    sync_fully(till, office)
    office.restore(night)
    till.sell("B4")
    sync_fully(till, office)
    assert set(log_of(till.db, "A")) <= set(log_of(office.db, "A"))
    assert verify(office.db) == ()


def test_a_forgotten_epoch_goes_on_from_where_its_first_fact_says(tmp_path: Path) -> None:
    """Head office holds more of the epoch before: the machine went on from a backup. The enrolment after it head office knows."""
    office = HeadOffice(tmp_path)
    till = machine(office, tmp_path / "first", "a1")
    for n in range(3):
        till.sell(f"A{n}")
    backup(till.db, tmp_path / "till.db")
    till.sell("A3")
    sync_fully(till, office)
    backup(office.db, tmp_path / "night.db")
    till.db.close()
    (tmp_path / "second").mkdir()
    (tmp_path / "till.db").rename(tmp_path / "second" / "A.db")
    again = Till(tmp_path / "second", "A")
    enrolled(office, again, "a2" * 32)
    again.sell("B1")
    enrolled(office, again, "a3" * 32)
    again.sell("B2")
    office.restore(tmp_path / "night.db")
    sync_fully(again, office)
    assert set(log_of(again.db, "A")) <= set(log_of(office.db, "A"))
    assert verify(office.db) == ()


def test_a_daemon_whom_only_a_person_can_help_does_not_look_each_second() -> None:
    stopped = daemon.SyncReport(
        sent_facts=0,
        fetched_members=0,
        suspended_facts=0,
        unsent_facts=3,
        trouble="a fork",
        needs_person=True,
        wake_at=NOW - timedelta(days=1),
    )
    assert daemon._wait_s(stopped, NOW, 15.0) == backoff.LONGEST_S


def test_a_guess_whose_count_is_not_stored_leaves_the_till_selling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a sale: a gift card that nobody knows is shown, and the COMMIT of the count fails."""
    disk = Disk(tmp_path / "till.db")
    monkeypatch.setattr(store_db, "Connection", WatchedConnection.on(lambda: disk))
    shop = Shop(tmp_path)
    disk.plan("lost commit", 1, Random(0))
    with pytest.raises(CommitUnknownError):
        shop.till.gift_card(GiftCardRequest(card="GC-0000-0000-0000-0000"))
    assert shop.sell().state == "completed"
    shop.close()


def test_a_night_whose_commit_fails_leaves_the_till_selling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path / "till.db")
    monkeypatch.setattr(store_db, "Connection", WatchedConnection.on(lambda: disk))
    shop = Shop(tmp_path)
    disk.plan("lost commit", 1, Random(0))
    with pytest.raises(CommitUnknownError):
        shop.till.nightly()
    assert shop.sell().state == "completed"
    shop.close()


def third_enrolment(tmp_path: Path) -> tuple[HeadOffice, Till]:
    """Head office is put back to before the second machine, with its empty file; that one is enrolled anew and goes on."""
    office, till, night = two_machines(tmp_path)
    office.restore(night)
    credential = enrolled(office, till, "a3" * 32).credential
    assert (credential.epoch, credential.continues and credential.continues.seq) == (3, 2)
    return office, till


def test_one_that_is_enrolled_anew_after_that_has_no_other_log_either(tmp_path: Path) -> None:
    """What head office holds of the till another machine wrote, under the same numbers."""
    office, till = third_enrolment(tmp_path)
    assert [page.as_of_seq for page in pull_all(till, office)] == [0]
    sync_fully(till, office)
    assert outbox.unsent_count(till.db) == 0 and verify(office.db) == verify(till.db) == ()
    assert {row[1] for row in log_of(till.db, "A")} <= {row[1] for row in log_of(office.db, "A")}


def test_nor_is_its_snapshot_of_another_log(tmp_path: Path) -> None:
    office, till = third_enrolment(tmp_path)
    built(office)
    take(till, Source(office))
    assert snapshot_state.standing(till.db) is None, "all of it is applied"
    sync_fully(till, office)
    assert outbox.unsent_count(till.db) == 0


def test_a_snapshot_counts_what_both_machines_hold_of_one_log(tmp_path: Path) -> None:
    """A machine goes on from a backup of its log: head office holds more of the epoch before, and after a restore less."""
    office = HeadOffice(tmp_path)
    till = machine(office, tmp_path / "first", "a1")
    till.sell("A1")
    till.sell("A2")
    sync_fully(till, office)
    backup(office.db, tmp_path / "early.db")
    folder = tmp_path / "second"
    folder.mkdir()
    till.sell("A3")
    backup(till.db, folder / "A.db")
    till.sell("A4")
    sync_fully(till, office)
    second = Till(folder, "A")
    enrolled(office, second, "a2" * 32)
    holds = [Hold(till="A", epoch=1, seq=4, hash=log_of(till.db, "A")[3][2].hex())]
    assert taking._as_of(second.db, second.here, holds) == 3
    holds = [Hold(till="A", epoch=1, seq=2, hash=log_of(till.db, "A")[1][2].hex())]
    assert taking._as_of(second.db, second.here, holds) == 2
    with pytest.raises(LogForkError):
        taking._as_of(second.db, second.here, [replace(holds[0], hash="00" * 32)])


def test_what_a_forgotten_machine_wrote_is_waited_for_until_another_in_its_place_is_heard(tmp_path: Path) -> None:
    """Head office knows neither how much that one wrote nor whether it comes: unless it hears who is the till now."""
    office, _, night = two_machines(tmp_path)
    machine(office, tmp_path / "third", "a3")
    office.restore(night)
    part = LogPart(till="A", epoch=3, seq=1)
    assert not is_here(office.store, part)
    fourth = machine(office, tmp_path / "fourth", "a4")
    assert fourth.here.signer.credential.epoch == 2, "what it gave before it gives again"
    assert not is_here(office.store, part)
    asked, terms = RightsRequest(ask_id="0" * 32, head=epochs.place_of(fourth.db)), Granting(RightTerms(), Calls())
    for _ in range(2):
        said = granting.answer(office.store, Holder(till="A", epoch=2), asked, terms, fourth.new_id, NOW)
        asked = replace(asked, seen=said.head)
    assert is_here(office.store, part)


def is_waited_for(office: HeadOffice) -> bool:
    """Whether another till's fact may wait once more for till A's log, of which a hub told more than is here."""
    with office.store.write():
        return office.store.rights.awaits("A")


def test_of_a_till_that_has_all_its_log_here_no_more_is_waited_for(tmp_path: Path) -> None:
    """Of another machine that was this till the hub got it, and a restored head office gave this one the other's number."""
    office = HeadOffice(tmp_path)
    till = machine(office, tmp_path / "till", "a1")
    till.sell("A1")
    assert is_waited_for(office)
    pull_all(till, office)
    assert is_waited_for(office), "a sale of it is still to come"
    sync_fully(till, office)
    assert is_waited_for(office)
    pull_all(till, office)
    assert not is_waited_for(office), "or the other till's fact waits 600 times"
    pull_all(till, office)
    assert is_waited_for(office), "what it wrote since may come by the hub before it comes from the till"
