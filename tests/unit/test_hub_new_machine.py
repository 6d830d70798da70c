"""A till's machine was lost, or enrolled anew, and its store's hub keeps the log of the one before. What the simulator found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.errors import HeadOfficeGoneError, LogGapError
from pos_loyalty.store import outbox, relay
from pos_loyalty.store.db import backup
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import decode, encode
from sync import push
from sync.hub import granting, keeping, telling, view
from sync.local import apply_changes, begin_pull, begin_push, next_question
from sync.wire import Changes, ChangesRequest, Relayed, problem
from tests.simulation.shop import NOW, HeadOffice, Till, json_reply, log_of
from tests.unit.test_hub_relay import RelayHub, next_body, send, tills
from tests.unit.test_hub_relay import hub as hub
from tests.unit.test_hub_relay import office as office
from tests.unit.test_sync_identity import enrolled, sync_fully


def question(till: Till) -> ChangesRequest:
    """What it asks next."""
    asked = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW).send
    assert asked is not None
    return decode(asked, ChangesRequest)


def told(till: Till, hub: RelayHub) -> Changes:
    """A page of the hub's for this till."""
    line = telling.Line(silent_s=None)
    return telling.changes(hub.till.db, hub.relay, till.here.signer.credential, question(till), NOW, line)


def another_machine(tmp_path: Path, office: HeadOffice, name: str = "A") -> Till:
    """With an empty file, as the next epoch of this till."""
    folder = tmp_path / "another"
    folder.mkdir()
    made = Till(folder, name)
    enrolled(office, made, "ee" * 32)
    assert made.here.signer.credential.epoch == 2
    return made


def twice_enrolled(tmp_path: Path, office: HeadOffice) -> Till:
    """A machine whose predecessor never sold."""
    tills(tmp_path, office, "A")
    return another_machine(tmp_path, office)


def is_seen_from_its_first_sale(till: Till, office: HeadOffice, hub: RelayHub) -> None:
    """That went past the hub; the second one comes by it."""
    till.sell("past the hub")
    sync_fully(till, office)
    till.sell("by the hub")
    body = next_body(till, begin_push(till.db, 5, NOW))
    assert body is not None
    with pytest.raises(LogGapError) as gap:
        hub.push(till, body)
    assert gap.value.expected_seq == 1
    send(till, hub)
    assert told(till, hub).as_of_seq == 2


def test_a_new_machine_takes_the_hubs_page_and_its_acks(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    old = tills(tmp_path, office, "A")["A"]
    for n in range(4):
        old.sell(f"{n}")
    send(old, hub)
    hub.bring(office)
    new = another_machine(tmp_path, office)
    page = told(new, hub)
    assert (page.as_of_seq, page.relayed and page.relayed.safe) == (0, None)
    apply_changes(new.db, new.here, page, NOW)
    new.sell("first")
    send(new, hub)
    assert outbox.unsent_count(new.db) == 1, "what head office holds of the machine before is no ack"
    hub.bring(office)
    send(new, hub)
    apply_changes(new.db, new.here, told(new, hub), NOW)
    assert outbox.unsent_count(new.db) == 0


def test_one_that_goes_on_from_its_own_log_is_told_as_far_as_that_is_the_same(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till = tills(tmp_path, office, "A")["A"]
    for n in range(3):
        till.sell(f"{n}")
    send(till, hub)
    hub.bring(office)
    till.sell("past the hub")
    enrolled(office, till, "ee" * 32)
    page = told(till, hub)
    assert page.as_of_seq == 3 and not page.is_behind
    apply_changes(till.db, till.here, page, NOW)
    assert outbox.unsent_count(till.db) == 2, "the sale, and that it began anew"


def test_a_machine_whose_log_the_hub_cannot_place_is_sent_to_head_office(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till = tills(tmp_path, office, "A")["A"]
    till.sell("0")
    send(till, hub)
    for key in ("ee", "ff"):
        enrolled(office, till, key * 32)
        sync_fully(till, office)
    page = told(till, hub)
    assert page.is_behind and page.members == () and page.relayed == Relayed()
    apply_changes(till.db, till.here, page, NOW)


def test_what_waits_of_a_machine_before_is_not_in_the_way_of_the_next(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    send(old, hub)  # and head office is silent
    new = another_machine(tmp_path, office)
    new.sell("first")
    send(new, hub)
    hub.bring(office)
    send(new, hub)
    apply_changes(new.db, new.here, told(new, hub), NOW)
    assert outbox.unsent_count(new.db) == 0 and keeping.next_up(hub.relay, hub.hub) is None
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and kept.refused is None


def test_head_offices_word_on_the_next_machine_ends_the_refusal_of_the_one_before(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    send(old, hub)
    new = another_machine(tmp_path, office)
    hub.bring(office)
    refused = relay.kept(hub.relay, "A")
    assert refused is not None and refused.refused is not None
    new.sell("straight")
    sync_fully(new, office)
    keeping.note_holds(hub.relay, [("A", held_place(office))])
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and kept.refused is None
    hub.bring(office)
    assert keeping.next_up(hub.relay, hub.hub) is None


def held_place(office: HeadOffice) -> Place:
    held = office.store.till("A")
    assert held is not None
    return Place(epoch=held.epoch, seq=held.applied_seq, hash=held.applied_hash.hex())


def test_an_ack_of_another_log_is_none(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    for name, till in made.items():
        till.sell(name)
        send(till, hub)
    waiting = keeping.next_up(hub.relay, hub.hub)
    assert waiting is not None and waiting.till == "A"
    body = next_body(made["B"], begin_push(made["B"].db, 5, NOW))
    assert body is not None
    theirs = hub.carry(office, "B", body)
    with pytest.raises(HeadOfficeGoneError, match="another log"):
        keeping.brought(hub.relay, waiting, theirs)
    assert keeping.next_up(hub.relay, hub.hub) == waiting


def test_the_next_epoch_leaves_no_gap_after_what_the_hub_knows(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """What it gave back to the hub may stand there."""
    till = tills(tmp_path, office, "A")["A"]
    till.sell("0")
    send(till, hub)
    for n in range(1, 4):
        till.sell(f"{n}")
    sync_fully(till, office)
    enrolled(office, till, "ee" * 32)
    body = next_body(till, begin_push(till.db, 5, NOW))
    assert body is not None
    with pytest.raises(LogGapError) as gap:
        hub.push(till, body)
    assert gap.value.expected_seq == 2
    head, asker = held_place(office), till.here.signer.credential
    assert granting._known_of((1, 1), asker, head) == 1
    assert granting._known_of(None, asker, head) == head.seq


@pytest.mark.parametrize("is_seen", [True, False])
def test_the_log_of_an_empty_file_is_seen_from_its_first_fact(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, is_seen: bool
) -> None:
    """Its first sale went past the hub, which keeps the log of the machine before, or keeps none: else a page would count the
    second alone."""
    keeping.note_holds(hub.relay, [])
    if is_seen:
        old = tills(tmp_path, office, "A")["A"]
        old.sell("0")
        send(old, hub)
        hub.bring(office)
    new = another_machine(tmp_path, office) if is_seen else twice_enrolled(tmp_path, office)
    is_seen_from_its_first_sale(new, office, hub)


def test_what_head_office_told_of_the_next_machine_need_not_come(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    send(old, hub)
    hub.bring(office)
    new = another_machine(tmp_path, office)
    new.sell("past the hub")
    sync_fully(new, office)
    keeping.note_holds(hub.relay, [("A", held_place(office))])
    new.sell("by the hub")
    body = next_body(new, begin_push(new.db, 5, NOW))
    assert body is not None
    hub.push(new, body)
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and (kept.epoch, kept.seq) == (2, 2)


def test_what_waits_of_an_epoch_before_goes_with_what_goes_on_from_it(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """Head office does not take the batch that the old key signed: the till sends all of it again, and is shown it until then."""
    till = tills(tmp_path, office, "A")["A"]
    till.enrol("M1", "2000000000015")
    send(till, hub)
    hub.bring(office)
    till.sell("0", "M1", earn=500)
    send(till, hub)
    enrolled(office, till, "ee" * 32)
    till.sell("1", "M1", earn=50)
    send(till, hub)
    for bring in (0, 1, 1, 1):
        hub.bring(office, bring)
        apply_changes(till.db, till.here, told(till, hub), NOW)
        assert till.balance("M1") == 550, "none of its own sales is left out"
    for _ in range(3):
        send(till, hub)
        hub.bring(office)
    send(till, hub)
    assert outbox.unsent_count(till.db) == 0 and keeping.next_up(hub.relay, hub.hub) is None


def test_a_lot_that_was_empty_before_head_office_told_of_it_is_there_when_points_come_back(tmp_path: Path) -> None:
    """Told in one page after a sale had taken all that an earlier one had brought; then that sale is cancelled."""
    till = Till(tmp_path, "A")
    till.enrol("M1", "2000000000015")
    till.sell("0", "M1", earn=500)
    till.sell("1", "M1", spend=500, completes=False)
    till.cancel("1")
    *counted, cancelled = [fact_of(payload) for _, payload, _ in log_of(till.db, "A")]
    seen = view.with_facts(view.fresh("M1"), view.begun("M1", counted), [cancelled], lambda till, sale: None)
    assert [lot.centi for lot in seen.lots] == [500] == [till.balance("M1")]


@pytest.mark.parametrize("cap", [1, 500])
@pytest.mark.parametrize("is_brought", [True, False])
def test_a_backup_that_is_behind_what_the_hub_keeps_is_sent_to_its_end(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, cap: int, is_brought: bool
) -> None:
    """Facts 3 to 5 of the machine before are at the hub; its file of fact 2 goes on, and head office has nothing of it."""
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    old.sell("1")
    folder = tmp_path / "another"
    folder.mkdir()
    backup(old.db, folder / "A.db")
    for n in range(2, 5):
        old.sell(f"{n}")
    send(old, hub)
    new = Till(folder, "A")
    enrolled(office, new, "ee" * 32)
    if is_brought:
        hub.bring(office)
    for n in range(6):
        new.sell(f"new {n}")
        send(new, hub, cap)
        hub.bring(office)
    send(new, hub, cap)
    held = {(epoch, seq) for epoch, seq in office.db.execute("SELECT epoch, seq FROM txn WHERE till = 'A'")}
    assert outbox.unsent_count(new.db) == 0 and keeping.next_up(hub.relay, hub.hub) is None
    assert {tuple(row) for row in new.db.execute("SELECT epoch, seq FROM txn")} == held


def test_a_log_of_which_head_office_told_nothing_is_seen_from_its_beginning(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Its first sale went past the hub, after head office's last word to the hub: else a page would count the second alone."""
    till = tills(tmp_path, office, "A")["A"]
    keeping.note_holds(hub.relay, [])
    is_seen_from_its_first_sale(till, office, hub)


def test_what_comes_while_a_batch_of_the_machine_before_is_let_go_stays(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """The hub takes it over another connection, just before it lets go of what head office refused."""
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    send(old, hub)
    new = another_machine(tmp_path, office)
    new.sell("straight")
    sync_fully(new, office)
    keeping.note_holds(hub.relay, [("A", held_place(office))])
    body = next_body(new, begin_push(new.db, 5, NOW)) or next_body(new, push.resume(begin_push(new.db, 5, NOW), 0))
    assert body is not None
    there, came = relay.open_relay(hub.path), list[int]()

    def comes(statement: str) -> None:
        if statement.startswith("BEGIN") and not came:
            came.append(keeping.receive(there, hub.hub, "A", body, NOW).applied_seq)

    hub.relay.set_trace_callback(comes)
    assert hub.bring(office, 1) == 1
    hub.relay.set_trace_callback(None)
    kept = relay.kept(there, "A")
    assert came and kept is not None and (kept.epoch, kept.seq) == (2, came[0])
    there.close()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_batch_that_head_office_is_too_old_for_waits_until_it_is_updated(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, is_replaced: bool
) -> None:
    """A machine that is gone sends nothing again."""
    old = tills(tmp_path, office, "A")["A"]
    old.sell("0")
    send(old, hub)
    if is_replaced:
        new = another_machine(tmp_path, office)
        new.sell("1")
        send(new, hub)
    waiting = keeping.next_up(hub.relay, hub.hub)
    assert waiting is not None
    said = json_reply(422, encode(problem("peer", 422, "a kind of fact that nobody knows here")))
    assert keeping.brought(hub.relay, waiting, said) > 0
    assert keeping.next_up(hub.relay, hub.hub) == waiting
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and kept.refused is None
