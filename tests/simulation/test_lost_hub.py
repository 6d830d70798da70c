"""A hub, or a till of a store with a hub, that is gone for good. Laws: what it held comes free, and never what it gave to others
while nobody but these others knows of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import outbox, right_holds
from pos_loyalty.values import encode
from sync import rights
from sync.server import enrol
from tests.simulation.hub_world import LEASES, HubWorld
from tests.simulation.hub_world import StoreHub as HubMachine
from tests.simulation.test_hub_world import check_all, held_at


def lose(world: HubWorld, name: str) -> int:
    """A person's word, when all leases are long over."""
    return enrol.lose(world.office.store, name, None, "M9", world.now + LEASES).centi


def let_go(world: HubWorld, name: str) -> None:
    enrol.revoke(world.office.store, name, "M9", world.now)


def held_of(world: HubWorld, name: str) -> int:
    """By head office's rows, of all lots."""
    lots = [str(lot) for (lot,) in world.office.rows("SELECT id FROM lot")]
    return sum(right_holds.holders(world.office.db, lot).get((name, 1), 0) for lot in lots)


def is_never_too_much(world: HubWorld) -> bool:
    lots = world.office.rows("SELECT id, remaining FROM lot")
    return all(right_holds.held_by_all(world.office.db, str(lot)) <= int(str(left)) for lot, left in lots)


def go(world: HubWorld, *names: str) -> None:
    """One after another, minutes apart."""
    for name in names:
        world.now += timedelta(minutes=2)
        world.office.now = world.now
        world.counters[name].go()


def test_what_a_lost_hub_held_is_free_when_its_leases_ended_and_another_gives_it(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 2)
    world.quiet(2)
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    world.counters["T2"].sell("M0", 5_000, None, complete=True)
    world.quiet(3)
    lost = world.hub.name
    assert held_of(world, lost) > 0
    with pytest.raises(ConflictError, match="may redeem by itself until"):
        enrol.lose(world.office.store, lost, None, "M9", world.now)
    world.hub.enrol_anew()
    world.hub.lost.clear()
    with pytest.raises(ConflictError, match=f"keys revoke --till {lost}"):
        lose(world, lost)
    let_go(world, lost)
    with pytest.raises(ConflictError, match=f"{world.hub.name}, T1, T2 of store S1"):
        lose(world, lost)
    world.quiet(3)
    held = held_of(world, lost)
    assert held > 0 and lose(world, lost) == held
    assert held_of(world, lost) == 0 and is_never_too_much(world)
    world.quiet(3)
    assert not world.hub.node.is_restored, "what the lost one told is not this one's word"
    world.is_cut = True
    world.counters["T1"].stand("M0")
    assert held_at(world, "T1") > 0
    world.is_cut = False
    world.quiet()
    check_all(world)
    world.close()


def given_in_its_last_hour(tmp_path: Path) -> HubWorld:
    """T1 earned, T2 got it by the hub and nobody else knows; then the hub is gone, and the line is up again."""
    world = HubWorld(tmp_path, 0)
    world.quiet(2)
    first, second = world.counters["T1"], world.counters["T2"]
    world.counters["T3"].sell("M1", 5_000, None, complete=True)
    world.is_cut = True
    first.sell("M0", 5_000, None, complete=True)
    first.go()
    second.sell("M0", 5_000, None, complete=True)
    second.go()
    first.stand("M0")
    assert held_at(world, "T1") == 16_000, "40% of 8 x 50.00: its own, and the other till's by the hub"
    world.is_cut, world.is_hub_silent = False, True
    return world


def test_a_hub_is_not_lost_before_all_told_what_it_gave_them(tmp_path: Path) -> None:
    """Its own log went down with it: that T1 holds T2's points stands in T1's log alone, which waits for T2's."""
    world = given_in_its_last_hour(tmp_path)
    let_go(world, world.hub.name)
    go(world, "T1")
    with pytest.raises(ConflictError, match="T1, T2 of store S1"):
        lose(world, world.hub.name)
    go(world, "T2", "T2", "T1", "T1")
    assert held_of(world, "T1") == 16_000, "now it is known"
    assert lose(world, world.hub.name) == 0 and is_never_too_much(world)
    assert held_of(world, "T1") == 16_000
    world.hub.enrol_anew()
    world.quiet()
    check_all(world)
    world.close()


def test_a_question_from_before_a_hub_was_let_go_is_no_word_of_what_it_gave(tmp_path: Path) -> None:
    """It came late: T1 got T2's points by the hub after it had asked."""
    world = HubWorld(tmp_path, 0)
    world.quiet(2)
    first, second = world.counters["T1"], world.counters["T2"]
    world.counters["T3"].sell("M1", 5_000, None, complete=True)
    second.sell("M0", 5_000, None, complete=True)
    go(world, "T2", "T1")
    world.line_go()
    world.is_hub_silent = True
    go(world, "T1", "T2")
    late = encode(rights.question(first.db, first.new_id(), rights.Asks()))
    world.is_hub_silent, world.is_cut = False, True
    go(world, "T2")
    first.stand("M0")
    assert held_at(world, "T1") > 0, "by the hub, and nobody else knows"
    world.is_hub_silent, world.is_cut = True, False
    let_go(world, world.hub.name)
    assert world.office.rights("T1", 1, late).status == 200
    go(world, "T2", "T2")
    with pytest.raises(ConflictError, match="T1 of store S1"):
        lose(world, world.hub.name)
    go(world, "T1", "T1")
    lose(world, world.hub.name)
    assert is_never_too_much(world)
    world.hub.enrol_anew()
    world.quiet()
    check_all(world)
    world.close()


def test_a_till_whose_hub_always_answers_is_waited_for_no_longer_than_to_its_next_visit(tmp_path: Path) -> None:
    """All it hears of head office's own log is the answer to its hello of the hour."""
    world = HubWorld(tmp_path, 0)
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    world.quiet(2)
    saved = tmp_path / "night.db"
    world.office.db.execute("VACUUM INTO ?", (str(saved),))
    world.counters["T3"].stand("M0")
    world.office.restore(saved)
    world.now += timedelta(hours=1)
    world.office.now = world.now
    world.line_go()
    go(world, "T3", "T1", "T2")
    assert world.office.store.rights.waits_for() == ()
    world.quiet()
    check_all(world)
    world.close()


def test_a_till_is_not_lost_before_its_hub_told_what_it_gave_to_whom(tmp_path: Path) -> None:
    """T2 is gone. What it earned and gave back to the hub is T1's by now: it must not be free because T2 is lost."""
    world = given_in_its_last_hour(tmp_path)
    go(world, "T2")
    assert held_of(world, "T2") >= 0
    with pytest.raises(ConflictError, match="keys revoke --till T2"):
        lose(world, "T2")
    let_go(world, "T2")
    with pytest.raises(ConflictError, match=f"{world.hub.name}, T1 of store S1"):
        lose(world, "T2")
    world.line_go()
    world.line_go()
    with pytest.raises(ConflictError, match="What T2 gave or got may not be known here yet: T1 of store S1"):
        lose(world, "T2")
    go(world, "T1", "T1")
    lose(world, "T2")
    assert is_never_too_much(world)
    world.close()


def test_a_hub_that_a_restore_took_is_let_go_and_lost_as_any(tmp_path: Path) -> None:
    """Head office forgot its enrolment, and T2's log names it. T1 said hello, then took what only the hub knew of."""
    world = HubWorld(tmp_path, 0)
    before = tmp_path / "before.db"
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    world.quiet(2)
    name = world.hub.name
    first, second = world.counters["T1"], world.counters["T2"]
    let_go(world, name)
    world.office.db.execute("VACUUM INTO ?", (str(before),))
    world.hub.enrol_anew()
    world.hub.lost.clear()
    second.sell("M0", 5_000, None, complete=True)
    world.quiet(3)
    gone = world.hub.name
    assert held_of(world, gone) > 0, "the store's share"
    world.office.restore(before)
    assert gone in world.office.store.rights.waits_for()
    world.is_hub_silent = True
    go(world, "T1", "T2", "T1", "T2")
    world.is_hub_silent, world.is_cut = False, True
    world.now += timedelta(minutes=1)
    first.stand("M0")
    assert held_at(world, "T1") > 0, "by the hub, out of what head office forgot"
    world.is_hub_silent, world.is_cut = True, False
    go(world, "T3")
    with pytest.raises(ConflictError, match=f"keys revoke --till {gone}"):
        lose(world, gone)
    let_go(world, gone)
    with pytest.raises(ConflictError, match="T1, T2 of store S1"):
        lose(world, gone)
    go(world, "T1", "T2", "T1", "T2")
    lose(world, gone)
    assert held_of(world, gone) == 0 and is_never_too_much(world)
    world.hub.enrol_anew()
    world.hub.lost.clear()
    world.quiet()
    check_all(world)
    world.close()


@pytest.mark.parametrize("lose_it", [HubMachine.burn, HubMachine.enrol_anew])
def test_what_only_a_hub_had_comes_again_from_a_till_that_sells_no_more(
    tmp_path: Path, lose_it: Callable[[HubMachine], None]
) -> None:
    """Head office never heard of that till, so neither it nor the hub can say from where on its log is missing."""
    world = HubWorld(tmp_path, 5)
    world.is_faulty = False
    world.line_go()
    till = world.counters["T1"]
    till.go()
    world.is_cut = True
    till.sell("M1", 5_000, None, complete=True)
    go(world, "T1")
    assert world.office.rows("SELECT COUNT(*) FROM txn WHERE till = 'T1'") == [(0,)]
    world.is_cut = False
    lose_it(world.hub)
    for _ in range(3):
        world.line_go()
        go(world, "T1")
    world.line_go()
    go(world, "T1")
    assert world.office.rows("SELECT COUNT(*) FROM txn WHERE till = 'T1' AND sale_id IS NOT NULL") == [(1,)]
    assert outbox.unsent_count(till.db) == 0
    world.close()
