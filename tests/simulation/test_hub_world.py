"""A store with a hub. Laws: nothing is overdrawn, whatever is cut, crashes, burns or is put back; at quiet all sides are equal;
and while the outside line is cut, what one till gave the next one redeems."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import LogForkError, LoyaltyError, WireError
from pos_loyalty.store import ledger, outbox, right_holds, rule_stops
from pos_loyalty.store.decision_facts import RuleStopFact
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.verify import verify
from pos_loyalty.till import stops
from pos_loyalty.values import Points
from sync.hub import granting, keeping
from sync.server.sqlite_rights import SqliteRightStore
from tests.simulation.escrow import Counter
from tests.simulation.hub_world import HubWorld, worded
from tests.simulation.test_escrow_world import balances, check

SEEDS = range(int(os.environ.get("HUB_WORLDS", "12")))
FOUND = (122, 142, 145)
"""Seeds that told of a gap that was never filled, a cancel that was refused, two tills that waited for each other."""
EVENTS = 120


def run(folder: Path, seed: int, events: int = EVENTS) -> HubWorld:
    world = HubWorld(folder, seed)
    for _ in range(events):
        world.step()
    world.quiet()
    return world


@pytest.mark.parametrize("seed", [*SEEDS, *FOUND])
def test_no_lot_is_ever_overdrawn_and_all_sides_agree(tmp_path: Path, seed: int) -> None:
    world = run(tmp_path, seed)
    check_all(world)
    world.close()


def check_all(world: HubWorld) -> None:
    """What holds at quiet, at the hub too."""
    check(world)
    assert verify(world.hub.node.db) == ()
    lots = dict(world.office.rows("SELECT id, remaining FROM lot"))
    name, epoch = world.hub.name, world.hub.signer.credential.epoch
    held: defaultdict[str, int] = defaultdict(int)
    for lot in lots:
        for holder, centi in right_holds.holders(world.office.db, str(lot)).items():
            held[str(lot)] += centi
            if holder == (name, epoch):
                own = right_holds.held(world.hub.node.db, name, epoch, (str(lot),), world.now)
                assert own[str(lot)].centi == centi, "the hub and head office say the same"
        assert held[str(lot)] <= int(str(lots[lot])), "what all hold is there"
    for counter in world.counters.values():
        assert outbox.unsent_count(counter.db) == 0


def _the_hub_gives_twice_what_it_holds(patch: pytest.MonkeyPatch) -> None:
    honest = granting._lines

    def lines(*args: Any) -> Any:
        return tuple(replace(line, centi=2 * line.centi) for line in honest(*args))

    patch.setattr(granting, "_lines", lines)


def _the_hub_does_not_write_down_what_it_gave(patch: pytest.MonkeyPatch) -> None:
    """Its own sum forgets what it gave."""
    honest = right_holds.lots_held

    def lots_held(db: Any, holder: Any, member_id: str, now: Any) -> Any:
        given = dict(db.execute(GIVEN, {"till": holder.till, "epoch": holder.epoch}).fetchall())
        found = honest(db, holder, member_id, now)
        for lot_id, centi in given.items():
            one = found.get(lot_id) or right_holds.Holding(lot_id=lot_id, centi=Points(0), usable_centi=Points(0))
            found[lot_id] = replace(one, usable_centi=Points(one.usable_centi + centi))
        return found

    patch.setattr(right_holds, "lots_held", lots_held)


def _head_office_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqliteRightStore, "awaits", lambda self, till: False)


def _a_hub_calls_safe_what_it_keeps(patch: pytest.MonkeyPatch) -> None:
    honest = keeping.ack_of

    def ack_of(kept: Any, now: Any, silent_s: Any) -> Any:
        place = Place(epoch=kept.epoch, seq=kept.seq, hash=kept.hash.hex())
        return honest(replace(kept, safe=place), now, silent_s)

    patch.setattr(keeping, "ack_of", ack_of)


GIVEN = """SELECT l.lot, SUM(l.centi) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
WHERE g.giver = :till AND g.giver_epoch = :epoch GROUP BY l.lot"""
PLANTED = (
    _the_hub_gives_twice_what_it_holds,
    _the_hub_does_not_write_down_what_it_gave,
    _head_office_does_not_wait,
    _a_hub_calls_safe_what_it_keeps,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[..., None]) -> None:
    plant(monkeypatch)
    for seed in (36, 142, *SEEDS):  # the first two tell of a head office that does not wait
        (tmp_path / f"{seed}").mkdir()
        world = HubWorld(tmp_path / f"{seed}", seed)
        try:
            for _ in range(EVENTS):
                world.step()
            world.quiet()
            check_all(world)
        except (AssertionError, LoyaltyError):
            return
        finally:
            world.close()
    pytest.fail("the laws hold all the same")


def test_cut_off_points_of_one_till_redeem_at_the_next(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 0)
    world.quiet(2)
    first, second = world.counters["T1"], world.counters["T2"]
    world.counters["T3"].sell("M1", 5_000, None, complete=True)
    world.is_cut = True
    before = balances(second.db)["M0"]
    first.sell("M0", 5_000, None, complete=True)
    first.go()
    world.now += timedelta(seconds=1)
    second.stand("M0")
    earned = balances(second.db)["M0"] - before
    assert earned == 8_000, "40% of 4 x 50.00"
    second.sell("M0", 50_000, "max", complete=True)
    assert second.db.execute("SELECT SUM(redeemed_centi) FROM sale").fetchone()[0] == earned, "nobody is at home here yet"
    second.go()
    first.go()
    assert balances(first.db)["M0"] == balances(second.db)["M0"]
    assert world.cases() == [] and outbox.unsent_count(first.db) > 0
    world.quiet()
    check(world)
    world.close()


def test_what_a_till_redeems_is_booked_after_the_log_that_brought_it(tmp_path: Path) -> None:
    """The hub burns down with all that it kept, and the till that redeemed speaks first."""
    world = HubWorld(tmp_path, 0)
    world.quiet(2)
    first, second = world.counters["T1"], world.counters["T2"]
    world.counters["T3"].sell("M1", 5_000, None, complete=True)
    world.is_cut = True
    first.sell("M0", 5_000, None, complete=True)
    first.go()
    world.now += timedelta(seconds=1)
    second.stand("M0")
    second.sell("M0", 50_000, "max", complete=True)
    world.hub.burn()
    world.is_cut, world.is_hub_silent = False, True
    world.now += timedelta(minutes=1)
    second.go()
    redeemed = "SELECT COUNT(*) FROM entry WHERE kind = 'redeem'"
    assert world.office.rows(redeemed) == [(0,)], "it waits"
    for counter in (first, second):
        world.now += timedelta(minutes=1)
        counter.go()
    assert world.office.rows(redeemed) != [(0,)] and world.cases() == []
    world.quiet()
    check_all(world)
    world.close()


def test_points_that_nobody_called_for_are_called_back(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 1)
    world.quiet(2)
    world.is_cut = True
    first, second = world.counters["T1"], world.counters["T2"]
    second.sell("M0", 5_000, None, complete=True)
    second.go()
    first.stand("M0")
    first.go()
    usable = held_at(world, "T1")
    assert usable > 0, "they came to where the member stands"
    second.stand("M0")
    assert held_at(world, "T2") == 0
    world.now += timedelta(seconds=1)
    first.go()
    second.stand("M0")
    assert (held_at(world, "T1"), held_at(world, "T2")) == (0, usable)
    world.close()


def test_a_till_that_never_spoke_to_the_hub_counts_its_own_sales_once(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 3)
    world.quiet(2)
    first, other = world.counters["T1"], world.counters["T3"]
    first.sell("M0", 5_000, None, complete=True)
    world.is_hub_silent = True
    for _ in range(3):
        first.go()
        world.now += timedelta(seconds=30)
    assert outbox.unsent_count(first.db) == 0
    world.hub.burn()
    other.sell("M0", 5_000, None, complete=True)
    world.quiet()
    assert balances(first.db)["M0"] == balances(world.office.db)["M0"]
    world.close()


def test_what_a_restored_head_office_forgot_is_not_believed_for_ever(tmp_path: Path) -> None:
    """T1 was told versions straight that are gone with the restore; by the hub it hears of what came since all the same."""
    world = HubWorld(tmp_path, 6)
    world.quiet(2)
    world.office.db.execute("VACUUM INTO ?", (str(tmp_path / "night.db"),))
    first, other = world.counters["T1"], world.counters["T3"]
    world.is_hub_silent = True
    for _ in range(6):
        other.sell("M0", 5_000, None, complete=True)
        other.go()
        world.now += timedelta(seconds=30)
        first.go()
    world.is_hub_silent = False
    world.office.restore(tmp_path / "night.db")
    told = outbox.state(first.db).pulled_version
    for n in range(8):
        if n == 3:
            other.sell("M0", 5_000, None, complete=True)
        for go in (other.go, world.line_go, first.go):
            world.now += timedelta(seconds=10)
            go()
    assert world.office.rows("SELECT MAX(version) FROM member")[0][0] < told  # type: ignore[operator]
    assert balances(first.db)["M0"] == balances(world.office.db)["M0"]
    world.close()


def test_a_rule_stopped_at_one_till_reaches_the_next_while_the_line_is_cut(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 4)
    world.quiet(2)
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    first, second = world.counters["T1"], world.counters["T2"]
    world.is_cut = True
    stops.stop(first.till._desk, RuleStopFact(rule="base", by="M9", reason="printed wrong", is_wide=True))
    first.go()
    world.now += timedelta(seconds=2)
    second.go()
    assert rule_stops.here(second.db) == ("base",)
    world.quiet()
    assert {stop.till for stop in rule_stops.standing(world.office.db)} == {"T1", "T2", world.hub.name}
    check(world)
    world.close()


def held_at(world: HubWorld, name: str) -> int:
    counter = world.counters[name]
    lots = tuple(lot for (lot,) in counter.db.execute("SELECT id FROM lot WHERE member = 'M0'"))
    epoch = counter.here.signer.credential.epoch
    return sum(one.usable_centi for one in right_holds.held(counter.db, name, epoch, lots, world.now).values())


@pytest.mark.parametrize("says", [LogForkError, WireError])
def test_a_till_whose_log_head_office_does_not_take_gets_no_points_of_the_hub(tmp_path: Path, says: type[LoyaltyError]) -> None:
    """Head office would not hear of what it redeems. Who stands there does not call the points away from another till either."""
    world = HubWorld(tmp_path, 0)
    world.quiet(3)
    first, second, node = world.counters["T1"], world.counters["T2"], world.hub.node
    world.is_cut = True
    second.sell("M1", 5_000, None, complete=True)
    second.go()
    waiting = keeping.next_up(node.relay, node.hub)
    assert waiting is not None and waiting.till == "T2"
    keeping.brought(node.relay, waiting, worded(lambda: raising(says("it is not taken"))))
    first.sell("M0", 5_000, None, complete=True)
    first.go()
    second.stand("M0")
    first.stand("M0")
    assert redeemable(second, "M0") == 0 < redeemable(first, "M0")
    assert not granting.is_called("T1", node._called(world.now), world.now)
    world.close()


def raising(error: LoyaltyError) -> bytes:
    raise error


def redeemable(counter: Counter, member_id: str) -> int:
    """By the rights that the till holds."""
    lots = tuple(lot.lot_id for lot in ledger.lots_of(counter.db, member_id))
    held = right_holds.held(counter.db, counter.name, counter.here.signer.credential.epoch, lots, counter.world.now)
    return sum(one.usable_centi for one in held.values())
