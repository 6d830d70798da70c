"""What a hub was given back, and head office will never hear of: the machine that gave it is gone, and head office was put back,
or what the hub kept beside its file burned. Law: nobody holds a point that another holds, whoever is called lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.store import epochs, relay_drops, relay_income, right_holds
from sync import income
from sync.rights import Income
from sync.server import enrol
from sync.wire import Reply
from tests.simulation.escrow import LOST
from tests.simulation.hub_world import LEASES, HubWorld, Outside
from tests.simulation.test_hub_world import held_at
from tests.simulation.test_past_the_hub import RETURNED, end, everybodys_home, give_back_past_the_hub, go, income_of, replace

WHO = "M0"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    made = everybodys_home(tmp_path)
    yield made
    made.close()


def backup(world: HubWorld, folder: Path) -> Path:
    path = folder / "before.db"
    world.office.db.execute("VACUUM INTO ?", (str(path),))
    return path


def points_of(world: HubWorld) -> int:
    return int(str(world.office.rows(f"SELECT SUM(remaining) FROM lot WHERE member = '{WHO}'")[0][0]))


def given_back(world: HubWorld) -> None:
    """T1 got all of the member's points by the hub, and gives them back when nobody stands there any more."""
    world.counters["T1"].stand(WHO)
    assert held_at(world, "T1") > 0
    go(world, "T1", "")


def no_answer(self: Outside, question: bytes) -> Reply:
    raise LOST


def gone(world: HubWorld) -> None:
    world.counters.pop("T1").till.close()
    shutil.rmtree(world.folder / "T1")


def lost(world: HubWorld, *anew: str, epoch: int = 1) -> None:
    """T1's machine is let go, all others say hello, and its leases are long over. ``anew``: it has another one by now."""
    if not anew:
        enrol.revoke(world.office.store, "T1", "M9", world.now)
    for _ in range(2):
        go(world, "", "", "T2", "T2", "", "T3", "T3", *anew, *anew)
        world.now += timedelta(hours=2)
    enrol.lose(world.office.store, "T1", epoch, "M9", world.now + LEASES)


def all_hold(world: HubWorld) -> int:
    """T3 asks head office for all, and T2 the hub, cut off."""
    go(world, "T3")
    world.counters["T3"].stand(WHO)
    world.is_cut = True
    go(world, "T2")
    world.counters["T2"].stand(WHO)
    world.is_cut = False
    hub = sum(one.centi for one in right_holds.lots_held(world.hub.node.db, world.hub.node.holder, WHO, world.now).values())
    return held_at(world, "T3") + held_at(world, "T2") + max(0, hub)


def test_a_head_office_that_was_put_back_to_before_it_heard_so(world: HubWorld, tmp_path: Path) -> None:
    given_back(world)
    before = backup(world, tmp_path)
    world.now += timedelta(minutes=20)
    go(world, "T1", "T1", "", "T1")
    gone(world)
    world.office.restore(before)
    lost(world)
    assert all_hold(world) <= points_of(world)


def test_it_is_so_of_what_head_office_told_itself(world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It went past the hub, and head office forgot it before the hub brought anything of that log."""
    given_back(world)
    before = backup(world, tmp_path)
    world.now += timedelta(minutes=20)
    give_back_past_the_hub(world, monkeypatch)
    known = sum(one.heard for one in relay_income.known(world.hub.node.db, 50))
    world.line_go()
    assert sum(one.heard for one in relay_income.known(world.hub.node.db, 50)) > known
    gone(world)
    world.office.restore(before)
    lost(world)
    assert all_hold(world) <= points_of(world)


def test_another_machine_that_took_the_place_meanwhile_changes_nothing(world: HubWorld, tmp_path: Path) -> None:
    given_back(world)
    before = backup(world, tmp_path)
    world.now += timedelta(minutes=20)
    go(world, "T1", "T1", "", "T1")
    world.office.restore(before)
    replace(world)
    world.is_hub_silent = True
    go(world, "T1")
    world.counters["T1"].sell("M2", 5_000, None, complete=True)
    go(world, "T1")
    world.is_hub_silent = False
    lost(world, "T1")
    assert all_hold(world) <= points_of(world)


def test_a_hub_whose_relay_burned_before_it_brought_it(world: HubWorld) -> None:
    given_back(world)
    world.is_cut = True
    world.now += timedelta(minutes=20)
    go(world, "T1", "T1")
    gone(world)
    world.hub.burn()
    world.is_cut = False
    lost(world)
    assert all_hold(world) <= points_of(world)


def test_what_waits_to_be_brought_is_not_forgotten(world: HubWorld) -> None:
    """Head office takes it later: then the store goes on with it while the line is cut."""
    given_back(world)
    db, hub = world.hub.node.db, world.hub.node.holder
    world.is_cut = True
    world.now += timedelta(minutes=20)
    go(world, "T1", "T1")
    log = next(one for one in relay_income.known(db, 50) if one.till == "T1")
    held = {lot: one.centi for lot, one in right_holds.lots_held(db, hub, WHO, world.now).items()}
    ends = Income(till="T1", epoch=log.epoch, seq=log.heard - 1)

    def hear(unbrought: int) -> dict[str, int]:
        income.hear(db, (ends,), lambda till, epoch: unbrought, world.now)
        return {lot: one.centi for lot, one in right_holds.lots_held(db, hub, WHO, world.now).items() if one.centi > 0}

    assert hear(relay_drops.unbrought(world.hub.node.relay, "T1", log.epoch)) == held
    assert hear(log.heard) == held and hear(log.heard - 1) == {}
    world.is_cut = False
    go(world, "", "")
    after = right_holds.lots_held(db, hub, WHO, world.now)
    assert {lot: one.centi for lot, one in after.items()} == held, "head office got it, and told of it"
    end(world)


@pytest.mark.parametrize("is_burned", [False, True], ids=["kept", "burned"])
def test_a_log_is_begun_where_the_hub_knows_it_also_after_a_restore(
    world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_burned: bool
) -> None:
    """T1 gave back past the hub, and head office is put back to a moment after that, but before the end of T1's log there. The
    hub hears of no rights meanwhile."""
    given_back(world)
    world.now += timedelta(minutes=20)
    give_back_past_the_hub(world, monkeypatch)
    before = backup(world, tmp_path)
    world.is_hub_silent = True
    world.counters["T1"].sell("M2", 5_000, None, complete=True)
    go(world, "T1")
    world.is_hub_silent = False
    if is_burned:
        world.hub.burn()
    with monkeypatch.context() as here:
        here.setattr(Outside, "rights", no_answer)
        go(world, "")
        world.office.restore(before)
        go(world, "")
        world.now += timedelta(minutes=20)
        world.counters["T1"].sell(WHO, 5_000, None, complete=True)
        for _ in range(3):
            go(world, "T1", "T1", "")
    go(world, "", "")
    assert income_of(world) == world.office.rows(RETURNED)[0][0]
    end(world)


def test_a_machine_that_a_restore_forgot_is_heard_by_the_hub_again(world: HubWorld, tmp_path: Path) -> None:
    """Head office is put back to before it was enrolled: to it the till's log is that of the machine before."""

    def kept() -> list[tuple[int, int]]:
        return world.hub.node.relay.execute(
            "SELECT epoch, MAX(seq) FROM kept_fact WHERE till = 'T1' GROUP BY epoch ORDER BY epoch"
        ).fetchall()

    before, first = backup(world, tmp_path), kept()
    replace(world)
    go(world, "T1")
    for _ in range(3):
        world.counters["T1"].sell("M2", 5_000, None, complete=True)
    go(world, "T1", "", "T1", "")
    assert kept()[:-1] == first
    world.office.restore(before)
    go(world, "")
    assert kept() == first, "the rest it sends again"
    world.counters["T1"].sell("M2", 5_000, None, complete=True)
    go(world, *("T1", "T1", "") * 3, "T1")
    assert kept() == [*first, (2, epochs.place_of(world.counters["T1"].db).seq)]
    end(world)
