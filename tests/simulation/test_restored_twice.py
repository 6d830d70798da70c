"""A grant whose answer was lost, and a head office restored from backups with it and without it: what the till did not take
before its next hello it never takes, and what it could not take is free for others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.values import encode
from sync import right_round, rights
from tests.simulation.escrow import OPENING_CENTI, World
from tests.simulation.test_escrow_world import check, held_by

WHO = "M0"
LOT = f"opening:{WHO}"


def sync(world: World) -> None:
    """Each till in turn, twice: the last hello lets head office grant again."""
    for counter in (*world.counters.values(), *world.counters.values()):
        world.now += timedelta(minutes=20)
        world.office.now = world.now
        counter._syncer = None
        counter.go()


def lose_a_grant(world: World, name: str) -> None:
    """A till asks for all that is free of the member, head office gives it, and the answer never comes."""
    counter = world.counters[name]
    question = rights.question(counter.db, counter.new_id(), right_round.asks_for(WHO))
    assert world.office.rights(name, counter.here.signer.credential.epoch, encode(question)).status == 200


def backup(world: World, name: str) -> Path:
    path = world.folder / name
    world.office.db.execute("VACUUM INTO ?", (str(path),))
    return path


def world_of(folder: Path) -> World:
    """Its tills sold something, and head office knows of it."""
    world = World(folder, 0)
    world.is_faulty = False
    for counter in world.counters.values():
        counter.sell("M1", 1_000, None, complete=True)
    sync(world)
    return world


def redeem_all(world: World, name: str) -> None:
    world.counters[name].sell(WHO, 20_000, "max", complete=True)


@pytest.mark.parametrize("before_hello", [False, True], ids=["all said hello", "one has not"])
def test_a_grant_that_one_backup_knows_and_the_other_does_not_is_told_to_nobody(tmp_path: Path, before_hello: bool) -> None:
    world = world_of(tmp_path)
    without = backup(world, "without.db")
    lose_a_grant(world, "T1")
    knowing = backup(world, "with.db")
    world.office.restore(without)
    sync(world)
    world.counters["T3"].stand(WHO)
    sync(world)
    world.office.restore(knowing)
    if before_hello:
        world.counters["T1"].go()
        world.counters["T1"].stand(WHO)
    redeem_all(world, "T3")
    sync(world)
    for name in ("T1", "T3", "T2"):
        world.counters[name].stand(WHO)
        redeem_all(world, name)
    sync(world)
    assert world.cases() == []
    check(world)
    world.close()


def test_what_was_lost_on_its_way_is_free_for_others_after_a_restore(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    lose_a_grant(world, "T1")
    world.office.restore(backup(world, "with.db"))
    sync(world)
    for counter in world.counters.values():
        counter.stand(WHO)
    sync(world)
    assert sum(held_by(counter.db, counter.name).get(LOT, 0) for counter in world.counters.values()) == OPENING_CENTI
    check(world)
    world.close()


def test_a_question_that_a_restore_overtook_frees_nothing_that_its_till_took_since(tmp_path: Path) -> None:
    """It waited in a queue before head office. The till asked again and took what came, and its log does not say so there yet."""
    world = world_of(tmp_path)
    first, second, third = world.counters.values()
    late = encode(rights.question(first.db, first.new_id(), rights.Asks()))
    first.stand(WHO)
    knowing = backup(world, "with.db")
    second.stand("M1")
    world.office.restore(knowing)
    for counter in (second, third):
        counter.go()
    assert world.office.rights(first.name, first.here.signer.credential.epoch, late).status == 200
    third.stand(WHO)
    assert held_by(third.db, "T3").get(LOT, 0) == 0
    redeem_all(world, "T1")
    sync(world)
    assert world.cases() == []
    check(world)
    world.close()


@pytest.mark.parametrize("is_first", [False, True], ids=["it asked before", "it never asked before"])
def test_a_question_that_a_restore_overtook_is_no_hello(tmp_path: Path, is_first: bool) -> None:
    """It waited in a queue before head office. The till asked again and took what head office forgot, and its log says so."""
    world = world_of(tmp_path)
    first, second, third = world.counters.values()
    asked = rights.question(first.db, first.new_id(), rights.Asks())
    without = backup(world, "without.db")
    first.stand(WHO)
    world.office.restore(without)
    for counter in (second, third):
        counter.go()
    late = encode(replace(asked, seen=None) if is_first else asked)
    assert world.office.rights(first.name, first.here.signer.credential.epoch, late).status == 200
    assert world.office.store.rights.waits_for() == (first.name,)
    third.stand(WHO)
    assert held_by(third.db, "T3").get(LOT, 0) == 0
    redeem_all(world, "T1")
    sync(world)
    assert world.cases() == []
    check(world)
    world.close()


def test_one_go_of_each_till_is_enough_for_a_restored_head_office_to_grant_again(tmp_path: Path) -> None:
    """Its first question does not know of the new epoch yet; it asks again at once."""
    world = world_of(tmp_path)
    night = backup(world, "night.db")
    world.counters["T2"].stand("M1")
    world.office.restore(night)
    for counter in world.counters.values():
        assert world.office.store.rights.is_waiting()
        counter.go()
    assert not world.office.store.rights.is_waiting()
    world.counters["T3"].stand(WHO)
    assert held_by(world.counters["T3"].db, "T3")[LOT] > 0
    world.close()


def test_a_grant_that_a_restored_head_office_kept_is_still_its_tills(tmp_path: Path) -> None:
    """It was taken before the restore, and the fact that says so is sent after it."""
    world = world_of(tmp_path)
    lose_a_grant(world, "T1")
    knowing = backup(world, "with.db")
    world.counters["T1"].stand(WHO)
    mine = held_by(world.counters["T1"].db, "T1")[LOT]
    world.office.restore(knowing)
    sync(world)
    world.counters["T3"].stand(WHO)
    assert held_by(world.counters["T1"].db, "T1")[LOT] == mine
    redeem_all(world, "T1")
    redeem_all(world, "T3")
    sync(world)
    check(world)
    world.close()
