"""A store's hub has figures of head office's that count its tills' logs, and does not know yet how far: it takes in a snapshot,
or head office forgot with a restore whose hub asked. What the simulator found."""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET
from msgspec.structs import replace

from sync import pull
from sync.hub.telling import note_page
from sync.local import apply_changes, begin_pull, next_question
from sync.taking import advance
from tests.simulation.shop import NOW, HeadOffice, Till, half, pull_all
from tests.simulation.taking import Source, built, files_of, take
from tests.unit.test_hub_new_machine import told
from tests.unit.test_hub_relay import RelayHub, hub, office, send, tills

__all__ = ["hub", "office"]


def hears(hub: RelayHub, office: HeadOffice, *, is_known: bool = True) -> None:
    """The hub asks head office, as its line does. ``is_known``: head office knows whose hub that is."""
    here, is_all = replace(hub.till.here, is_hub=True), False
    while not is_all:
        asked = next_question(hub.till.db, here, begin_pull(hub.till.db, NOW), NOW).send
        assert asked is not None
        step = pull.received(begin_pull(hub.till.db, NOW), office.changes(asked), NOW, 60.0, half)
        assert step.changes is not None, step.state.trouble
        page = step.changes if is_known else replace(step.changes, holds=UNSET)
        note_page(hub.relay, page)
        apply_changes(hub.till.db, here, page, NOW)
        is_all = step.changes.complete


def redeems(till: Till, hub: RelayHub, sale: str) -> None:
    """Ten hundredths, by the hub."""
    till.sell(sale, "M1", spend=10)
    send(till, hub)


def asks(till: Till, hub: RelayHub) -> int:
    """What the till shows then."""
    apply_changes(till.db, till.here, told(till, hub), NOW)
    return till.balance("M1")


def test_what_a_snapshot_counts_is_not_told_twice_while_the_hub_takes_it_in(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Its members are in the hub's file before the hub is told how far they count the tills' logs."""
    till, other = tills(tmp_path, office).values()
    office.give_points("M1", "2900000000001", 1_000)
    hears(hub, office)
    pull_all(till, office)
    redeems(till, hub, "1")
    assert asks(other, hub) == 990
    hub.bring(office)
    built(office)
    source, count, is_over = Source(office), 1, False
    while not is_over:
        is_over = advance(hub.till.db, hub.till.here, files_of(hub.till), source, lambda: NOW).is_over
        count += 1
        redeems(till, hub, str(count))
        assert asks(other, hub) >= 1_000 - 10 * count
    hears(hub, office)
    assert asks(other, hub) == 1_000 - 10 * count


def test_what_a_snapshot_of_a_restored_head_office_counts_is_not_told_twice_where_its_version_is_the_same(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till, other = tills(tmp_path, office).values()
    office.give_points("M1", "2900000000001", 1_000)
    saved = tmp_path / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    for n in range(2, 9):
        office.give_points(f"M{n}", f"29{n:011d}", 100)
    hears(hub, office)
    pull_all(till, office)
    heard = office.store.version()
    office.restore(saved)
    redeems(till, hub, "1")
    hub.bring(office)
    while office.store.version() < heard:
        office.give_points(f"N{office.store.version()}", f"28{office.store.version():011d}", 100)
    built(office)
    take(hub.till, Source(office))
    redeems(till, hub, "2")
    assert asks(other, hub) in (0, 980)
    hears(hub, office)
    redeems(till, hub, "3")
    assert asks(other, hub) == 970


def test_what_a_restored_head_office_counts_is_not_told_twice_while_it_does_not_know_whose_hub_asks(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till, other = tills(tmp_path, office).values()
    office.give_points("M1", "2900000000001", 1_000)
    hears(hub, office)
    pull_all(till, office)
    redeems(till, hub, "1")
    hub.bring(office)
    hears(hub, office, is_known=False)
    assert asks(other, hub) in (0, 990)
    hears(hub, office)
    assert asks(other, hub) == 990
