"""A hub that was put back stays so: it starts anew, its log goes on by itself, its mark is gone. And what one gave before it
burned reaches its till, of whatever epoch head office is."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.store import epochs, relay
from pos_loyalty.store.decision_facts import RuleStopFact
from pos_loyalty.till import stops
from sync import rights
from sync.rights import Asks
from sync.server import enrol
from tests.simulation.hub_world import HubWorld
from tests.simulation.lending import LendingWorld, account_of, check_quiet, held_by, show_card
from tests.simulation.test_gift_card_rights import FACE, pay, sold_card
from tests.simulation.test_hub_world import check_all


def put_back(world: LendingWorld, *, is_marked: bool) -> str:
    """A card that the first till sold is at the second, and the hub's file of before holds it."""
    first, second, _ = world.counters.values()
    code = sold_card(first)
    first.go()
    saved = world.hub.backup()
    world.pass_s(1)
    show_card(second, code)
    assert held_by(second.db, second, account_of(first, code)) == FACE
    if not is_marked:
        (world.hub.folder / "hub.db.mark").unlink()
    world.hub.restore(saved)
    return code


def pays_once(world: LendingWorld, code: str) -> None:
    first, second, _ = world.counters.values()
    show_card(first, code)
    assert held_by(first.db, first, account_of(first, code)) == 0
    with pytest.raises((ConflictError, NotFoundError)):
        pay(first, code, FACE)
    pay(second, code, FACE)
    world.is_restored = True
    world.quiet()
    check_quiet(world)
    world.close()


def test_a_hub_whose_log_went_on_since_it_was_put_back_gives_nothing_when_it_starts_anew(tmp_path: Path) -> None:
    """The store stops rules meanwhile, and the hub writes that down: its log is as long as the one that was told."""
    world = LendingWorld(tmp_path, 0)
    told = world.counters["T1"]
    code = put_back(world, is_marked=True)
    before = epochs.place_of(world.hub.node.db).seq
    stops.stop(told.till._desk, RuleStopFact(rule="base", by="M9", reason="printed wrong", is_wide=True))
    told.go()
    world.pass_s(5)
    stops.resume(told.till._desk, RuleStopFact(rule="base", by="M9", reason="", is_wide=True))
    told.go()
    assert epochs.place_of(world.hub.node.db).seq >= before + 2
    world.line_go()
    world.hub.restart()
    pays_once(world, code)


def test_a_hub_that_a_till_found_out_gives_nothing_when_it_starts_anew(tmp_path: Path) -> None:
    """On another machine, where no mark lies beside its file."""
    world = LendingWorld(tmp_path, 0)
    second = world.counters["T2"]
    code = put_back(world, is_marked=False)
    world.is_cut = True
    show_card(second, code)
    assert world.hub.node.is_restored
    world.hub.restart()
    world.is_cut = False
    pays_once(world, code)


def test_a_hub_that_was_put_back_is_not_waited_for_by_a_head_office_that_was(tmp_path: Path) -> None:
    """It takes nothing and gives nothing, and says so, knowing of head office's new epoch."""
    world = LendingWorld(tmp_path, 0)
    saved = tmp_path / "night.db"
    world.office.db.execute("VACUUM INTO ?", (str(saved),))
    code = put_back(world, is_marked=True)
    world.line_go()
    for counter in world.counters.values():
        counter.stand("M1")
    world.office.restore(saved)
    assert world.hub.name in world.office.store.rights.waits_for()
    for _ in range(3):
        world.pass_s(5)
        world.line_go()
    assert world.hub.name not in world.office.store.rights.waits_for()
    pays_once(world, code)


def test_a_hub_that_is_enrolled_anew_in_its_place_gives_what_tills_bring_it(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, second, _ = world.counters.values()
    put_back(world, is_marked=True)
    world.hub.close()
    world.hub.keys -= 1
    world.hub.enrol()
    assert world.hub.signer.credential.epoch == 2 and not world.hub.node.is_restored
    code = sold_card(first)
    for _ in range(3):
        world.pass_s(20)
        world.line_go()
        first.go()
    show_card(second, code)
    assert held_by(second.db, second, account_of(first, code)) == FACE
    world.quiet()
    check_quiet(world)
    world.close()


def what_a_burned_hub_gave_reaches_its_till(world: LendingWorld) -> None:
    """The answer was lost on the way to the till, and then the hub: its log told head office."""
    first, second, third = world.counters.values()
    code = sold_card(first)
    first.go()
    asked = rights.question(second.db, new_id(), Asks(gifts=(sha256(code.encode()).hexdigest(),)))
    assert world.hub.node.rights(second.here.signer.credential, asked, new_id, world.now).grants
    world.line_go()
    world.hub.enrol_anew()
    world.quiet(4)
    show_card(third, code)
    assert held_by(third.db, third, account_of(first, code)) == FACE
    world.quiet()
    check_quiet(world)
    world.close()


def test_what_a_hub_gave_before_it_burned_reaches_its_till_by_head_office(tmp_path: Path) -> None:
    what_a_burned_hub_gave_reaches_its_till(LendingWorld(tmp_path, 0))


def test_what_a_hub_gave_before_it_burned_reaches_its_till_by_a_head_office_that_was_restored_once(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    saved = tmp_path / "night.db"
    world.office.db.execute("VACUUM INTO ?", (str(saved),))
    show_card(world.counters["T3"], sold_card(world.counters["T1"]))
    world.counters["T3"].stand("M0")
    world.office.restore(saved)
    world.quiet(3)
    assert epochs.place_of(world.office.db).epoch == 2
    what_a_burned_hub_gave_reaches_its_till(world)


def test_what_a_till_left_at_its_hub_reaches_a_head_office_that_forgot_the_hub(tmp_path: Path) -> None:
    """The till burned while the line was cut. Head office, put back to before the hub's enrolment, knows no store of that hub's,
    so it names no till of it: that says nothing of what it holds of their logs."""
    world = HubWorld(tmp_path, 0)
    world.is_faulty = False
    second = world.counters["T2"]
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    world.quiet(2)
    saved = tmp_path / "night.db"
    enrol.revoke(world.office.store, world.hub.name, "M9", world.now)
    world.office.db.execute("VACUUM INTO ?", (str(saved),))
    world.hub.enrol_anew()
    world.hub.lost.clear()
    world.quiet(1)
    world.is_cut = True
    second.sell("M1", 5_000, None, complete=True)
    second.go()
    wrote = epochs.place_of(second.db)
    assert relay.waiting_count(world.hub.node.relay) > 0
    world.office.restore(saved)
    world.is_cut = False
    for _ in range(4):
        world.now += timedelta(minutes=1)
        world.office.now = world.now
        world.hub.line._syncer._pull = None
        world.line_go()
    hold = world.office.store.till("T2")
    assert hold is not None and hold.applied_seq == wrote.seq
    world.quiet()
    check_all(world)
    world.close()
