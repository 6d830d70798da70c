"""Till and head office over real files and the pure steps: resends, lost acks, gaps, forks, overdrafts, read-your-writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError, LogForkError, LogGapError
from pos_loyalty.store import follow, ledger, outbox, seal
from pos_loyalty.store.db import Connection, backup, write
from pos_loyalty.store.member_facts import CHANGES_MAX, CardAdded, CardStateChange, ChangeFact
from sync import pull, push
from sync.local import begin_push, keep_ack, next_batch, next_question
from sync.server import steps
from sync.wire import MemberChange, read_ack
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, HeadOffice, Till, half, log_of, pull_all, push_all

EVERYTHING = "SELECT * FROM txn", "SELECT * FROM entry", "SELECT * FROM lot", "SELECT * FROM balance", "SELECT * FROM sale"


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path, "T1")


def everything(office: HeadOffice) -> list[object]:
    return [office.rows(sql) for sql in (*EVERYTHING, "SELECT * FROM member", "SELECT * FROM suspense_case")]


def held(office: HeadOffice, till: str) -> int:
    (seq,) = office.db.execute("SELECT applied_seq FROM till WHERE id = ?", (till,)).fetchone()
    return int(seq)


def lots(db: Connection) -> list[tuple[object, ...]]:
    return list(db.execute("SELECT id, remaining FROM lot WHERE remaining > 0 ORDER BY id").fetchall())


def test_a_log_arrives_byte_for_byte_and_once(till: Till, office: HeadOffice) -> None:
    till.enrol("M1", "2000000000015")
    for n in range(7):
        till.sell(f"S{n}", "M1", earn=100)
    push_all(till, office, cap=3)
    assert log_of(office.db, "T1") == log_of(till.db, "T1")
    assert outbox.unsent_count(till.db) == 0
    assert lots(office.db) == lots(till.db)


def test_resending_anything_changes_nothing(till: Till, office: HeadOffice) -> None:
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=500)
    step = next_batch(till.db, till.here, begin_push(till.db, 500, NOW), NOW)
    assert step.send is not None
    first = office.push("T1", step.send)
    before = everything(office)
    assert office.push("T1", step.send).body == first.body
    assert everything(office) == before


def test_a_lost_ack_is_harmless(till: Till, office: HeadOffice) -> None:
    till.sell("S1")
    state = begin_push(till.db, 500, NOW)
    step = next_batch(till.db, till.here, state, NOW)
    assert step.send is not None
    office.push("T1", step.send)
    assert outbox.unsent_count(till.db) == 1, "nothing leaves the outbox before the ack came"
    till.sell("S2")
    push_all(till, office)
    assert log_of(office.db, "T1") == log_of(till.db, "T1")


def test_the_outbox_waits_for_the_ack(till: Till, office: HeadOffice) -> None:
    till.sell("S1")
    assert next_batch(till.db, till.here, begin_push(till.db, 500, NOW), NOW).send is not None
    till.restart()
    assert [row.seq for row in outbox.unsent(till.db, 10)] == [1]


def test_a_gap_is_answered_by_sending_from_where_head_office_asks(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    for n in range(4):
        till.sell(f"A{n}")
    push_all(till, office)
    backup(office.db, tmp_path / "old.db")
    for n in range(4):
        till.sell(f"B{n}")
    push_all(till, office)
    office.db.close()
    for name in ("head_office.db", "head_office.db-wal", "head_office.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "old.db").rename(office.path)
    office.open()
    till.sell("C0")
    state = push_all(till, office)
    assert state.trouble is None
    assert log_of(office.db, "T1") == log_of(till.db, "T1")


def test_a_restored_head_office_is_noticed_without_a_new_sale(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    till.sell("A0")
    push_all(till, office)
    office.db.close()
    for name in ("head_office.db", "head_office.db-wal", "head_office.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    office.open()
    pull_all(till, office)
    assert outbox.unsent_count(till.db) == 1
    push_all(till, office)
    assert log_of(office.db, "T1") == log_of(till.db, "T1")


def test_one_missing_fact_is_a_gap_and_no_fork(till: Till, office: HeadOffice) -> None:
    for n in range(3):
        till.sell(f"S{n}")
    batch = next_batch(till.db, till.here, push.begin(1, 1, NOW), NOW).send
    assert batch is not None
    with pytest.raises(LogGapError) as caught:
        read_ack(office.push("T1", batch))
    assert caught.value.expected_seq == 1
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]
    assert push_all(till, office).trouble is None


def test_a_till_ahead_of_a_restored_head_office_is_told_everything(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", "2000000000015", 1000)
    with write(till.db):
        outbox.pulled(till.db, 99, "0" * 32)
    assert [member.member_id for page in pull_all(till, office) for member in page.members] == ["M1"]
    assert outbox.state(till.db).pulled_version == 1


def test_an_older_ack_changes_nothing(till: Till, office: HeadOffice) -> None:
    till.sell("S1")
    batch = next_batch(till.db, till.here, begin_push(till.db, 500, NOW), NOW).send
    assert batch is not None
    old = office.push("T1", batch)
    till.sell("S2")
    state = push_all(till, office)
    step = push.received(state, old, NOW, half)
    assert (step.state, step.held) == (state, None)


def test_an_answer_to_an_older_question_is_dropped(till: Till, office: HeadOffice) -> None:
    question = next_question(till.db, till.here, pull.begin(0, None, NOW), NOW).send
    assert question is not None
    old = office.changes(question)
    state = pull.begin(5, None, NOW)
    step = pull.received(state, old, NOW, 60.0, half)
    assert (step.state, step.changes) == (replace(state, strays=1), None), "it is counted: the third in a row is a fault"


def test_a_lot_never_holds_more_than_it_began_with(till: Till, office: HeadOffice) -> None:
    """A till that gives back twice, as a faulty build might, fills the lot once; the rest waits in suspense."""
    office.give_points("M1", "2000000000015", 1000)
    pull_all(till, office)
    till.sell("S1", "M1", spend=400, completes=False)
    till.cancel("S1")
    till.cancel("S1")
    assert push_all(till, office).trouble is None
    assert lots(office.db) == [("opening:M1", 1000)]
    assert office.rows("SELECT amount FROM balance WHERE account = 'suspense'") == [(400,)]
    assert office.rows("SELECT reason FROM suspense_case ORDER BY id") == [("lot.overfilled",), ("sale.out_of_order",)]


def test_another_past_freezes_this_till_alone(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    other = Till(tmp_path, "T2")
    till.sell("S1")
    push_all(till, office)
    (tmp_path / "clone").mkdir()
    clone = Till(tmp_path / "clone", "T1")
    clone.sell("X1")
    clone.sell("X2")
    state = push_all(clone, office)
    assert state.is_stopped
    assert state.trouble is not None and "past" in state.trouble
    assert outbox.unsent_count(clone.db) == 2, "its queue is kept"
    assert push_all(till, office).is_stopped is False, "there was nothing to send"
    till.sell("S2")
    assert push_all(till, office).is_stopped, "a frozen till gives nothing more"
    assert held(office, "T1") == 1
    other.sell("S1")
    assert push_all(other, office).trouble is None
    assert log_of(office.db, "T2") == log_of(other.db, "T2")


def test_a_fact_with_the_id_of_another_is_a_fork(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    till.sell("S1")
    push_all(till, office)
    twin = Till(tmp_path, "T2")
    twin.name = "T1"  # its ids are those that T1 made
    twin.sell("S1")
    twin.name = "T2"
    assert push_all(twin, office).is_stopped
    assert held(office, "T2") == 0


def test_two_tills_overdraw_one_lot_and_the_rest_comes_from_suspense(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    other = Till(tmp_path, "T2")
    office.give_points("M1", "2000000000015", 1000)
    pull_all(till, office)
    pull_all(other, office)
    till.sell("S1", "M1", spend=700)
    other.sell("S1", "M1", spend=500)
    assert push_all(till, office).trouble is None
    assert push_all(other, office).trouble is None
    assert lots(office.db) == []
    (short,) = office.rows("SELECT -amount FROM balance WHERE account = 'suspense'")
    assert short == (200,)
    assert office.rows("SELECT till, seq, reason FROM suspense_case") == [("T2", 1, "lot.overdrawn")]
    assert office.rows("SELECT SUM(amount) FROM balance") == [(0,)]
    assert office.rows("SELECT COUNT(*) FROM sale WHERE state = 'completed'") == [(2,)], "no sale is lost"
    pull_all(till, office)
    pull_all(other, office)
    assert till.balance("M1") == other.balance("M1") == 0


@pytest.mark.parametrize("undo", ["cancel", "void"])
def test_undoing_an_overdrawn_sale_repays_suspense_first(till: Till, office: HeadOffice, tmp_path: Path, undo: str) -> None:
    other = Till(tmp_path, "T2")
    office.give_points("M1", "2000000000015", 1000)
    pull_all(till, office)
    pull_all(other, office)
    till.sell("S1", "M1", spend=700)
    other.sell("S1", "M1", spend=500, completes=undo == "void")
    push_all(till, office)
    push_all(other, office)
    other.cancel("S1") if undo == "cancel" else other.void("S1")
    push_all(other, office)
    assert lots(office.db) == [("opening:M1", 300)]
    assert office.rows("SELECT amount FROM balance WHERE account = 'suspense'") == []


def test_what_contradicts_opens_a_case_and_never_blocks(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    other = Till(tmp_path, "T2")
    till.enrol("M1", "2000000000015")
    other.enrol("M2", "2000000000015")
    other.enrol("M9", "2000000000091")
    till.sell("S1", "M7", earn=50)
    push_all(till, office)
    state = push_all(other, office)
    assert state.trouble is None
    assert office.rows("SELECT till, reason FROM suspense_case ORDER BY id") == [("T1", "member.unknown"), ("T2", "card.taken")]
    assert office.rows("SELECT number, member FROM card ORDER BY number") == [("2000000000015", "M1"), ("2000000000091", "M9")]
    assert office.rows("SELECT id FROM member ORDER BY id") == [("M1",), ("M2",), ("M9",)]
    assert office.rows("SELECT amount FROM balance WHERE account = 'member:M7'") == [(50,)]


def test_own_unsent_entries_stay_on_top_of_what_head_office_says(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    other = Till(tmp_path, "T2")
    office.give_points("M1", "2000000000015", 1000)
    pull_all(till, office)
    pull_all(other, office)
    till.sell("S1", "M1", spend=300, earn=50)
    other.sell("S1", "M1", spend=100)
    push_all(other, office)
    pull_all(till, office)
    assert till.balance("M1") == 1000 - 300 + 50 - 100
    push_all(till, office)
    pull_all(till, office)
    assert till.balance("M1") == 1000 - 300 + 50 - 100
    pull_all(other, office)
    assert other.balance("M1") == till.balance("M1")


def test_a_member_enrolled_at_one_till_is_known_at_the_other(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    other = Till(tmp_path, "T2")
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=250)
    push_all(till, office)
    pages = pull_all(other, office)
    assert other.balance("M1") == 250
    (member,) = [member for page in pages for member in page.members]
    assert (member.sales.count, member.sales.spent_minor) == (1, 10_000)
    assert [card.number for card in member.cards] == ["2000000000015"]


def test_a_members_key_reaches_head_office_beside_the_log(till: Till, office: HeadOffice) -> None:
    till.enrol("M1", "2000000000015")
    push_all(till, office)
    (sealed,) = office.db.execute("SELECT sealed FROM member_key").fetchone()
    (personal,) = office.db.execute("SELECT personal FROM member").fetchone()
    key = seal.open_key("M1", sealed, HEAD_OFFICE_KEY.hex())
    assert seal.open_personal("M1", personal, key).name == "Анна"
    assert all(key.hex().encode() not in payload for _, payload, _ in log_of(office.db, "T1"))


def test_changes_come_in_pages_and_only_once(till: Till, office: HeadOffice) -> None:
    for n in range(3):
        office.give_points(f"M{n}", f"29{n:011d}", 0)
    steps.import_members(office.store, [MemberChange(member_id=f"N{n:04d}") for n in range(1200)], NOW)
    pages = pull_all(till, office)
    assert [len(page.members) for page in pages] == [500, 500, 203]
    assert [page.complete for page in pages] == [False, False, True]
    assert pull_all(till, office)[0].members == ()


def test_an_import_twice_changes_nothing(office: HeadOffice) -> None:
    office.give_points("M1", "2000000000015", 1000)
    before = everything(office)
    office.give_points("M1", "2000000000015", 1000)
    assert everything(office) == before


def test_an_ack_off_our_chain_stops_the_till(till: Till) -> None:
    till.sell("S1")
    with pytest.raises(LogForkError):
        keep_ack(till.db, push.Held(seq=1, hash=bytes(32)))
    assert outbox.unsent_count(till.db) == 1


def test_steps_wait_and_halve_when_head_office_is_gone(till: Till) -> None:
    till.sell("S1")
    state = push.failed(begin_push(till.db, 400, NOW), HeadOfficeGoneError("gone", 120), NOW, half).state
    assert state.batch_max == 200
    assert (state.wake_at - NOW).total_seconds() == 120
    assert next_batch(till.db, till.here, state, NOW).send is None
    assert next_batch(till.db, till.here, state, state.wake_at).send is not None


def test_entries_in_a_fact_are_what_the_till_says(till: Till, office: HeadOffice) -> None:
    """The booked entries of an honest sale are the payload's own, one for one."""
    office.give_points("M1", "2000000000015", 1000)
    pull_all(till, office)
    fact = till.sell("S1", "M1", spend=400, earn=30)
    push_all(till, office)
    columns = "e.kind, debit_acct, credit_acct, amount, lot"
    rows = office.rows(f"SELECT {columns} FROM entry e JOIN txn t ON t.id = e.txn WHERE till = 'T1' ORDER BY n")
    assert rows == [(e.kind, e.debit, e.credit, e.amount, e.lot_id) for e in fact.entries]


def test_more_cards_than_a_page_holds_stop_no_till(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    """Each of two tills that are cut off gives a member cards, together more than one till alone would."""
    office.give_points("M1", "2000000000015", 100)
    other = Till(tmp_path, "T2")
    for each, first in ((till, 0), (other, 100)):
        pull_all(each, office)
        cards = tuple(CardAdded(card=f"29{first + n:06d}") for n in range(CHANGES_MAX))
        with write(each.db):
            draft = ledger.Draft(
                id=each.new_id(), kind="member.changed", store="S1", member="M1", body=ChangeFact(member_id="M1", changes=cards)
            )
            follow.book(each.db, draft, NOW)
    with write(till.db):
        lost = CardStateChange(card="2000000000015", state="lost")
        change = ChangeFact(member_id="M1", changes=(lost,))
        draft = ledger.Draft(id=till.new_id(), kind="member.changed", store="S1", member="M1", body=change)
        follow.book(till.db, draft, NOW)
    for each in (till, other):
        push_all(each, office)
    assert office.rows("SELECT COUNT(*) > 64 FROM card WHERE member = 'M1'") == [(1,)], "nothing is lost at head office"
    (page,) = pull_all(till, office)
    told = [card for member in page.members for card in member.cards]
    assert len(told) == 64 and all(card.state == "active" for card in told), "those that work come first"
