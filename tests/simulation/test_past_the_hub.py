"""What went past a store's hub, and what went no further than the hub, when a till's machine is gone for good. Laws: the hub
holds what head office says that it holds; what was given back once counts once, whoever tells of it; what head office will never
hear of is no right of anybody's, and no till shows it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace as replace_struct

from pos_loyalty.store import relay_income, right_holds
from pos_loyalty.store.db import write
from pos_loyalty.store.right_facts import LogPart, RightLine
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Points
from sync.income import hear
from sync.rights import GivenBack, Income
from sync.server import enrol
from sync.server import rights as granting
from sync.wire import Reply
from tests.simulation.escrow import MEMBERS
from tests.simulation.hub_world import LEASES, ByHub, HubWorld, StoreCounter
from tests.simulation.hub_world import StoreHub as HubMachine
from tests.simulation.test_hub_world import check_all, held_at
from tests.simulation.test_lost_hub import is_never_too_much

SHOWN = "SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = ?"
RETURNED = "SELECT COUNT(*) FROM right_return AS r JOIN txn AS t ON t.id = r.txn WHERE t.till = 'T1' AND r.to_till IS NOT NULL"


class NextMachine(StoreCounter):
    """Another machine in a till's place: its facts have ids of their own."""

    def new_id(self) -> UUID:
        self.n += 1
        return UUID(int=int.from_bytes(b"next", "big") << 64 | self.n)


def everybodys_home(folder: Path) -> HubWorld:
    """All members buy most in the store, so its hub holds its share of their points."""
    made = HubWorld(folder, 0)
    made.is_faulty = False
    for member_id in sorted(MEMBERS):
        for name in ("T1", "T2"):
            made.counters[name].sell(member_id, 5_000, None, complete=True)
    made.counters["T3"].sell("M2", 5_000, None, complete=True)
    made.quiet(3)
    return made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    made = everybodys_home(tmp_path)
    yield made
    made.close()


def go(world: HubWorld, *names: str) -> None:
    """One after another, minutes apart; "" is the hub's line."""
    for name in names:
        world.now += timedelta(minutes=2)
        world.office.now = world.now
        world.counters[name].go() if name else world.line_go()


def give_back_past_the_hub(world: HubWorld, patch: pytest.MonkeyPatch) -> None:
    """T1 sells, the hub says that nobody stands there any more, and then is silent: what T1 gives back goes straight."""
    honest = ByHub.rights

    def rights(self: ByHub, question: bytes) -> Reply:
        reply = honest(self, question)
        world.is_hub_silent = True
        return reply

    world.counters["T1"].sell("M0", 5_000, None, complete=True)
    with patch.context() as here:
        here.setattr(ByHub, "rights", rights)
        go(world, "T1")
    assert world.is_hub_silent
    go(world, "T1")
    world.is_hub_silent = False


def replace(world: HubWorld) -> None:
    """T1's machine is gone; another one with an empty file is enrolled in its place."""
    world.counters["T1"].till.close()
    shutil.rmtree(world.folder / "T1")
    world.counters["T1"] = NextMachine(world, "T1")
    world.counters["T1"].n = 1_000


def end(world: HubWorld) -> None:
    """All are there and agree."""
    world.quiet(1)
    world.counters["T1"].sell("M2", 5_000, None, complete=True)
    world.quiet()
    check_all(world)


def income_of(world: HubWorld) -> int:
    return int(world.hub.node.db.execute("SELECT COUNT(*) FROM relay_right WHERE till = 'T1'").fetchone()[0])


def test_what_a_machine_gave_back_past_the_hub_before_it_was_replaced_is_the_hubs(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = income_of(world)
    give_back_past_the_hub(world, monkeypatch)
    assert int(str(world.office.rows(RETURNED)[0][0])) > income_of(world) == before
    replace(world)
    go(world, "T1", "", "")
    assert income_of(world) > before
    world.is_cut = True
    go(world, "T2")
    world.counters["T2"].stand("M0")
    assert held_at(world, "T2") >= 8_000, "40% of 4 x 50.00, which T1 earned"
    end(world)


def test_it_is_so_where_nobody_took_the_machines_place(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    give_back_past_the_hub(world, monkeypatch)
    go(world, "")
    assert income_of(world) == world.office.rows(RETURNED)[0][0]


@pytest.mark.parametrize("facts_max", [500, 1])
def test_what_both_roads_tell_of_counts_once(world: HubWorld, monkeypatch: pytest.MonkeyPatch, facts_max: int) -> None:
    """Head office first, a fact at a time or all at once, then the till itself; and again after what the hub kept has burned."""
    monkeypatch.setattr(granting, "GIVEN_MAX", facts_max)
    for _ in range(3):
        give_back_past_the_hub(world, monkeypatch)
        world.is_hub_silent = True
    world.is_hub_silent = False
    for _ in range(4):
        go(world, "")
    assert income_of(world) == world.office.rows(RETURNED)[0][0]
    go(world, "T1", "", "T1")
    world.hub.burn()
    go(world, "T1", "", "T1", "")
    assert income_of(world) == world.office.rows(RETURNED)[0][0]
    end(world)


def test_it_counts_once_for_a_head_office_that_was_restored(
    world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To before T1 gave it back: it hears that anew, tells the hub anew, and the hub knows it."""
    before = tmp_path / "before.db"
    world.office.db.execute("VACUUM INTO ?", (str(before),))
    give_back_past_the_hub(world, monkeypatch)
    go(world, "")
    world.office.restore(before)
    world.quiet()
    assert income_of(world) == world.office.rows(RETURNED)[0][0]
    check_all(world)


def sold_at_the_hub_alone(world: HubWorld) -> None:
    """The outside line is cut: M0 stands at T1, buys and goes, and buys at T2, which hears of it; then T1's machine is gone."""
    world.is_cut = True
    world.counters["T1"].stand("M0")
    world.counters["T1"].sell("M0", 5_000, None, complete=True)
    go(world, "T1", "T1", "T2", "T2")


def test_no_till_shows_what_only_the_hub_had_of_a_machine_that_is_gone(world: HubWorld) -> None:
    sold_at_the_hub_alone(world)
    shown = int(world.counters["T2"].db.execute(SHOWN, ("M0",)).fetchone()[0])
    replace(world)
    world.is_cut = False
    go(world, "", "T1", "T2")
    there = int(str(world.office.rows("SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = 'M0'")[0][0]))
    assert shown == there + 8_000, "T2 was told of them"
    for name in ("T1", "T2"):
        assert world.counters[name].db.execute(SHOWN, ("M0",)).fetchone() == (there,), name
    (kept,) = world.hub.node.relay.execute("SELECT COUNT(*) FROM kept_fact WHERE till = 'T1' AND epoch = 1").fetchone()
    (held,) = world.office.rows("SELECT COUNT(*) FROM txn WHERE till = 'T1' AND epoch = 1")[0]
    assert kept <= int(str(held)), "nothing is kept that head office never gets"
    end(world)


@pytest.mark.parametrize("lose_it", [HubMachine.burn, HubMachine.enrol_anew])
def test_no_till_shows_what_a_hub_told_it_that_is_lost_too(world: HubWorld, lose_it: Callable[[HubMachine], None]) -> None:
    """Nobody can tell anew of those whom such facts were about but head office, which tells of all."""
    go(world, "T2")
    sold_at_the_hub_alone(world)
    (before,) = world.counters["T2"].db.execute(SHOWN, ("M0",)).fetchone()
    replace(world)
    lose_it(world.hub)
    world.is_cut = False
    go(world, "", "T2", "T1", "", "T2")
    (there,) = world.office.rows("SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = 'M0'")[0]
    assert before > int(str(there)) == world.counters["T2"].db.execute(SHOWN, ("M0",)).fetchone()[0]
    end(world)


def test_what_only_the_hub_heard_was_given_back_is_not_given_twice(world: HubWorld) -> None:
    """To head office it is with T1's machine until that is called lost; then it is free, and the hub must not have it too."""
    member_id = "M0"
    lots = "SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = ?"
    points = world.office.db.execute(lots, (member_id,)).fetchone()[0]
    hub_held = sum(relay_income_held(world, member_id))
    world.counters["T1"].stand(member_id)
    assert held_at(world, "T1") > 0
    go(world, "T1", "")
    world.is_cut = True
    world.now += timedelta(minutes=20)  # nobody stands there any more
    go(world, "T1", "T1")
    assert sum(relay_income_held(world, member_id)) == hub_held > 0, "all is back, as far as the hub knows"
    replace(world)
    world.is_cut = False
    go(world, "", "T1", "T2", "", "T1", "T2")
    world.now += timedelta(hours=1)  # a till with a hub says hello to head office once an hour
    go(world, "T2")
    enrol.lose(world.office.store, "T1", 1, "M9", world.now + LEASES)
    assert is_never_too_much(world)
    for name in ("T3", "T2"):
        go(world, name)
        world.counters[name].stand(member_id)
    assert held_at(world, "T3") + held_at(world, "T2") <= points, "nobody holds a point that another holds"
    end(world)


def relay_income_held(world: HubWorld, member_id: str) -> list[int]:
    held = right_holds.lots_held(world.hub.node.db, world.hub.node.holder, member_id, world.now)
    return [one.centi for one in held.values()]


def test_a_log_is_known_for_sure_as_far_as_nothing_is_missing(world: HubWorld) -> None:
    db = world.hub.node.db

    def known() -> list[tuple[str, int, int]]:
        return [row[:3] for row in relay_income.known(db, 50) if row[0] == "T9"]

    def came(epoch: int, seq: int) -> None:
        with write(db):
            relay_income.came(db, LogPart(till="T9", epoch=epoch, seq=seq))

    with write(db):
        relay_income.put_known_from(db, "T9", 1, 10)
    came(1, 12)
    assert known() == [("T9", 1, 0)], "what it gave back before it came here nobody has told yet"
    with write(db):
        relay_income.now_known(db, "T9", 1, 12)
    came(1, 15)
    assert known() == [("T9", 1, 15)]
    came(2, 3)
    came(1, 20)
    assert known() == [("T9", 2, 0), ("T9", 1, 15)] and relay_income.known_from(db, "T9") == (2, 3)
    with write(db):
        relay_income.now_known(db, "T9", 2, 5)
        relay_income.drop(db, "T9", 1, 11)
    came(2, 7)
    assert known() == [("T9", 2, 7), ("T9", 1, 11)]
    with write(db):
        relay_income.drop(db, "T9", 2, 4)
    came(2, 8)
    assert known() == [("T9", 2, 4), ("T9", 1, 11)], "of what stands between, all that was heard is let go"


def test_a_hub_that_knows_nothing_of_a_machine_any_more_hears_what_that_gave_back(world: HubWorld) -> None:
    """Its file was put back, and nobody found out, for its own log was the same; the till has another machine by now."""
    before, db = income_of(world), world.hub.node.db
    assert before > 0
    with write(db):
        for table in ("relay_right", "relay_start", "relay_known"):
            with watched(db, table, "till = 'T1'", ()):
                db.execute(f"DELETE FROM {table} WHERE till = 'T1'")
    replace(world)
    go(world, "T1", "", "")
    assert income_of(world) == before
    end(world)


def test_a_log_that_goes_on_after_a_page_lets_go_of_nothing(world: HubWorld) -> None:
    db, line = world.hub.node.db, RightLine(lot_id="L1", member_id="M0", centi=Points(7))
    with write(db):
        relay_income.put_known_from(db, "T9", 1, 0)
        relay_income.add(db, LogPart(till="T9", epoch=1, seq=20), (line,), world.hub.node.holder.epoch)

    def heard() -> int:
        return next(log.heard for log in relay_income.known(db, 50) if log.till == "T9")

    page = Income(till="T9", epoch=1, seq=10, given=(GivenBack(seq=10, lines=(line,)),))
    hear(db, [replace_struct(page, goes_on=True)], lambda till, epoch: 0, world.now)
    assert heard() == 20
    hear(db, [page], lambda till, epoch: 0, world.now)
    assert heard() == 10, "head office has no more of that log"
