"""Head office was put back to a backup, and a till or the store's hub knows of what it told since. What the simulator found."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from pos_loyalty.errors import TokenError
from pos_loyalty.store import outbox, relay
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import GENESIS
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import decode
from sync.hub import keeping, telling
from sync.hub.telling import note_page
from sync.local import apply_changes, begin_pull, next_question
from sync.wire import ChangesRequest
from tests.simulation.shop import NOW, HeadOffice, Till, log_of, pull_all
from tests.unit.test_hub_at_once import told
from tests.unit.test_hub_new_machine import another_machine, held_place, question
from tests.unit.test_hub_relay import RelayHub, send, tills
from tests.unit.test_hub_relay import hub as hub
from tests.unit.test_hub_relay import office as office
from tests.unit.test_sync_identity import enrolled, sync_fully


def till_of_a_past(folder: Path, office: HeadOffice) -> tuple[Till, Path]:
    """A till that knows five members, and head office's backup from before it knew them."""
    till, saved = tills(folder, office, "A")["A"], folder / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    for n in range(5):
        office.give_points(f"M{n}", f"29{n:011d}", 100)
    pull_all(till, office)
    return till, saved


def saved_before_more(folder: Path, office: HeadOffice, hub: RelayHub) -> Path:
    """A backup of head office, which told its hub of four members more since."""
    office.give_points("M1", "2900000000001", 100)
    saved = folder / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    for n in range(2, 6):
        office.give_points(f"M{n}", f"29{n:011d}", 100)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    return saved


def test_a_till_that_knows_more_from_before_a_restore_is_sent_to_head_office(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till, saved = till_of_a_past(tmp_path, office)
    office.restore(saved)
    office.give_points("M9", "2900000000099", 100)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    assert told(till, hub).is_behind, "or it would wait until as much has changed again"


def test_a_member_of_a_past_that_head_office_forgot_is_shown_as_the_hub_tells_them_now(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Head office was put back to before it knew the member, told the till so itself, and then came to know them again."""
    till, saved = till_of_a_past(tmp_path, office)
    assert till.balance("M4") == 100
    office.restore(saved)
    office.give_points("M9", "2900000000099", 100)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    pull_all(till, office)
    office.give_points("M4", "2900000000004", 700)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    page = told(till, hub)
    assert [member.member_id for member in page.members] == ["M4"]
    apply_changes(till.db, till.here, page, NOW)
    assert till.balance("M4") == 700


def test_who_was_told_before_head_office_said_what_it_counts_is_told_anew(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Restored, it did not know whose hub asked: a page came without a word on the logs that it counts."""
    till = tills(tmp_path, office, "A")["A"]
    till.enrol("M1", "2000000000015")
    till.sell("0", "M1", earn=500)
    send(till, hub)
    hub.bring(office)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, replace(page, holds=UNSET))
    told_up_to = relay.newest(hub.relay)
    assert relay.members_since(hub.relay, told_up_to, "B", 10) == []
    keeping.note_holds(hub.relay, [("A", held_place(office))])
    assert [name for name, _ in relay.members_since(hub.relay, told_up_to, "B", 10)] == ["M1"]
    again = relay.newest(hub.relay)
    keeping.note_holds(hub.relay, [("A", held_place(office))])
    assert relay.newest(hub.relay) == again, "once"


def test_what_a_machine_before_did_and_head_office_forgot_with_a_restore_is_taken_back_from_whoever_was_told(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """The next machine has none of it, and head office's figures of the member are the same as before."""
    shop = tills(tmp_path, office)
    office.give_points("M1", "2900000000001", 100)
    pull_all(shop["B"], office)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    saved = tmp_path / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    shop["A"].sell("0", "M1", earn=500)
    send(shop["A"], hub)
    page = told(shop["B"], hub)
    place = page.hub
    apply_changes(shop["B"].db, shop["B"].here, page, NOW)
    assert shop["B"].balance("M1") == 600 and place
    hub.bring(office)
    office.restore(saved)
    new = another_machine(tmp_path, office)
    new.sell("0")
    sync_fully(new, office)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    apply_changes(shop["B"].db, shop["B"].here, told(shop["B"], hub, place), NOW)
    assert shop["B"].balance("M1") == 100


def test_a_machine_that_head_office_forgot_keeps_no_other_from_the_hub(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """Its log was asked for from the beginning, and the hub keeps none of it: who is the till now, head office says."""
    till = tills(tmp_path, office, "A")["A"]
    with write(hub.relay):
        relay.keep(hub.relay, relay.Kept(till="A", epoch=4, seq=0, hash=None))
    asker = till.here.signer.credential
    with pytest.raises(TokenError):
        keeping.check_in_force(hub.relay, asker)
    keeping.note_holds(hub.relay, [("A", Place(epoch=1, seq=0, hash=GENESIS.hex()))])
    keeping.check_in_force(hub.relay, asker)
    till.sell("0")
    send(till, hub)
    assert told(till, hub).as_of_seq == 1


def test_a_till_asks_from_where_its_file_stands(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """It hears by two roads: what head office told it straight, the hub is not asked for, which would tell words of before."""
    till, beside, elsewhere = tills(tmp_path, office, "ABC").values()
    by_hub = begin_pull(till.db, NOW)
    office.give_points("M1", "2900000000001", 100)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, page)
    for other in (beside, elsewhere):
        pull_all(other, office)
    beside.sell("0", "M1", earn=500)
    send(beside, hub)
    elsewhere.sell("0", "M1", earn=50)
    sync_fully(elsewhere, office)
    pull_all(till, office)
    behind = next_question(till.db, till.here, by_hub, NOW).send
    assert behind is not None
    asked = decode(behind, ChangesRequest)
    for _ in range(3):
        page = telling.changes(hub.till.db, hub.relay, till.here.signer.credential, asked, NOW, telling.Line(silent_s=None))
        apply_changes(till.db, till.here, page, NOW)
        asked = replace(asked, since=page.version, mark=page.mark)
    assert till.balance("M1") == 150, "the sale beside it is told when the hub has heard of the one elsewhere"


def test_a_word_from_before_a_restore_takes_no_place_of_one_since(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """The till heard the restored head office itself, and its hub did not: of the version numbers of before and since neither is
    the later one."""
    made = tills(tmp_path, office)
    saved = saved_before_more(tmp_path, office, hub)
    made["B"].enrol("M9", "2000000000015")
    office.restore(saved)
    with office.store.write():
        office.store.rights.begin_anew(2, (), NOW)
    office.give_points("M5", "2900000000005", 700)
    pull_all(made["A"], office)
    pull_all(made["B"], office)
    made["B"].sell("0", "M5", earn=500)
    send(made["B"], hub)
    page = told(made["A"], hub)
    assert page.is_behind and page.complete
    apply_changes(made["A"].db, made["A"].here, page, NOW)
    assert made["A"].balance("M5") == 700, "as head office said, till it or the hub knows of the sale besides"
    for page in pull_all(hub.till, office):
        note_page(hub.relay, replace(page, anew=True))
    apply_changes(made["A"].db, made["A"].here, told(made["A"], hub), NOW)
    assert made["A"].balance("M5") == 1_200


def test_a_till_that_can_reach_its_hub_alone_is_told_what_a_restored_head_office_says(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """It was told under a mark that head office forgot. What the store's other tills do it hears at once, the rest when head
    office should long have told it."""
    till, beside = tills(tmp_path, office).values()
    saved = saved_before_more(tmp_path, office, hub)
    asked = question(till)
    for _ in range(9):
        page = telling.changes(hub.till.db, hub.relay, till.here.signer.credential, asked, NOW, telling.Line(60, 601))
        apply_changes(till.db, till.here, page, NOW)
        asked = question(till)
    assert till.balance("M5") == 100
    office.restore(saved)
    office.give_points("M5", "2900000000005", 700)
    pull_all(beside, office)
    beside.sell("0", "M1", earn=500)
    send(beside, hub)
    for page in pull_all(hub.till, office):
        note_page(hub.relay, replace(page, anew=True))

    def hears(vain_s: int) -> list[int]:
        line = telling.Line(silent_s=0, vain_s=vain_s)
        page = telling.changes(hub.till.db, hub.relay, till.here.signer.credential, question(till), NOW, line)
        apply_changes(till.db, till.here, page, NOW)
        return [till.balance("M1"), till.balance("M5"), int(page.is_behind)]

    assert hears(0)[2] == 1
    assert hears(600)[1] == 100, "head office tells of that, or else the hub"
    assert [hears(601) for _ in range(3)][-1] == [600, 700, 0]
    assert hears(0) == [600, 700, 0]


def test_a_new_machine_on_the_same_file_is_asked_for_all_that_a_restore_lost(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Its hub is a new one too, and has the log from the last fact on that head office had confirmed before: head office asks for
    more of the epoch before than the hub has, and the till has all of it."""
    till, saved = tills(tmp_path, office, "A")["A"], tmp_path / "saved.db"
    till.sell("0")
    sync_fully(till, office)
    office.db.execute("VACUUM INTO ?", (str(saved),))
    for n in range(1, 4):
        till.sell(f"{n}")
    sync_fully(till, office)
    till.sell("4")
    office.restore(saved)
    enrolled(office, till, "ee" * 32)
    till.sell("5")
    for _ in range(3):
        send(till, hub)
        hub.bring(office)
    send(till, hub)
    assert outbox.unsent_count(till.db) == 0 and keeping.next_up(hub.relay, hub.hub) is None
    assert office.db.execute("SELECT seq FROM txn WHERE till = 'A' ORDER BY seq").fetchall() == [
        (seq,) for seq, _, _ in log_of(till.db, "A")
    ]


def settled(till: Till, hub: RelayHub, office: HeadOffice) -> None:
    """Till and hub go on until they are quiet; head office has all of the till's log."""
    for _ in range(5):
        send(till, hub)
        assert hub.bring(office, 50) < 50, "the same again and again"
        for page in pull_all(hub.till, office):
            if isinstance(page.holds, tuple):
                keeping.note_holds(hub.relay, [(each.till, each.place) for each in page.holds])
    send(till, hub)
    assert outbox.unsent_count(till.db) == 0 and keeping.next_up(hub.relay, hub.hub) is None
    ours, theirs = ({(seq, hash_) for seq, _, hash_ in log_of(db, "A")} for db in (till.db, office.db))
    assert ours == theirs


@pytest.mark.parametrize("machines", [1, 2])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_the_hub_has_already_comes_again_where_a_restore_lost_it(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, machines: int, *, is_known: bool
) -> None:
    """The till goes on from its own file as a new machine, perhaps twice, which head office knows after its restore or not."""
    till, saved = tills(tmp_path, office, "A")["A"], tmp_path / "saved.db"
    for begin, end in ((0, 3), (3, 7)):
        for n in range(begin, end):
            till.sell(f"{n}")
        send(till, hub)
        hub.bring(office)
        send(till, hub)
        if begin == 0:
            office.db.execute("VACUUM INTO ?", (str(saved),))
    if is_known:
        office.restore(saved)
    for n in range(machines):
        enrolled(office, till, f"e{n}" * 32)
        till.sell(f"machine {n}")
        if not is_known:
            send(till, hub)
    if not is_known:
        office.restore(saved)
    settled(till, hub, office)
