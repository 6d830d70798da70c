"""By which road a till is answered, as people see it: the store's hub, or straight past it, since when, and how long the hub is
silent; and what head office shows of its hubs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.clock import utc_now
from pos_loyalty.store import outbox, right_holds, roads
from pos_loyalty.store.verify import verify
from pos_loyalty.web.figures import figures
from sync.beside import Answered, Beside
from sync.server.meter import Meter
from sync.server.meter import figures as office_figures
from tests.shop import CONFIG, NOW, Shop
from tests.simulation.hub_world import HubWorld

WITH_HUB = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\n\n[hub]\nurl = "http://127.0.0.1:2"\n'
S = timedelta(seconds=1)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, WITH_HUB)
    yield made
    made.close()


def test_a_road_stands_since_it_was_taken_and_the_hubs_word_is_written_seldom(shop: Shop) -> None:
    db = shop.db
    assert roads.seen(db) is None and shop.till.health().road is None
    roads.note(db, "hub", NOW, NOW)
    for n in range(1, 40):
        roads.note(db, "hub", NOW + n * S, NOW + n * S)
    seen = roads.seen(db)
    assert seen is not None and (seen.road, seen.since, seen.hub_at) == ("hub", NOW, NOW + 30 * S)
    roads.note(db, "straight", NOW + 39 * S, NOW + 60 * S)
    roads.note(db, "straight", NOW + 39 * S, NOW + 90 * S)
    seen = roads.seen(db)
    assert seen is not None and (seen.road, seen.since, seen.hub_at) == ("straight", NOW + 60 * S, NOW + 39 * S)
    roads.note(db, "straight", None, NOW + 100 * S)
    assert roads.seen(db) == seen, "a daemon that has just started does not know when the hub answered; the file does"
    roads.note(db, "hub", NOW + 200 * S, NOW + 200 * S)
    seen = roads.seen(db)
    assert seen is not None and (seen.road, seen.since) == ("hub", NOW + 200 * S)
    assert verify(db) == ()


def test_health_and_figures_tell_the_road(shop: Shop) -> None:
    now = utc_now()
    roads.note(shop.db, "straight", now - 90 * S, now - 60 * S)
    health = shop.till.health()
    assert health.road is not None and (health.road.road, health.problems) == ("straight", ())
    told = {figure.name: list(figure.samples.values()) for figure in figures(health, now)}
    assert told["pos_loyalty_till_by_hub"] == [0] and told["pos_loyalty_till_hub_silent_seconds"] == [90]
    roads.note(shop.db, "hub", now, now)
    told = {figure.name: list(figure.samples.values()) for figure in figures(shop.till.health(), now)}
    assert told["pos_loyalty_till_by_hub"] == [1] and told["pos_loyalty_till_hub_silent_seconds"] == [0]


def test_a_till_without_a_hub_tells_no_road(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    roads.note(shop.db, "straight", None, NOW)
    assert shop.till.health().road is None, "it had one once"
    told = {figure.name: figure.samples for figure in figures(shop.till.health(), NOW)}
    assert told["pos_loyalty_till_by_hub"] == told["pos_loyalty_till_hub_silent_seconds"] == {}
    shop.close()


def test_the_daemon_notes_who_answered_and_not_where_it_would_go_next(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 0)
    world.quiet(1)
    first = world.counters["T1"]

    def go(*, silent: bool) -> roads.RoadSeen:
        world.is_hub_silent = silent
        world.now += timedelta(minutes=2)
        road = first.road()  # type: ignore[attr-defined]
        first.go()
        assert first._syncer is not None
        first._syncer._beside = Beside(
            go_straight=road.go_straight, answered=lambda: Answered(by=road.state.answered_by, hub_at=road.state.hub_answered_at)
        )
        first._syncer.once(lambda: world.now)
        seen = roads.seen(first.db)
        assert seen is not None
        return seen

    began = go(silent=False)
    assert began.road == "hub" and began.hub_at is not None
    went = go(silent=True)
    assert (went.road, went.hub_at) == ("straight", began.hub_at)
    assert go(silent=True).since == went.since, "the hub is tried again and again, and stays silent"
    back = go(silent=False)
    assert back.road == "hub" and back.since > went.since
    world.close()


def test_head_office_shows_hubs_apart_with_what_they_hold_and_keep(tmp_path: Path) -> None:
    world = HubWorld(tmp_path, 2)
    for counter in world.counters.values():
        counter.sell("M1", 5_000, None, complete=True)
    world.quiet(2)
    second = world.counters["T2"]
    second.sell("M0", 5_000, None, complete=True)
    world.quiet(3)
    name = world.hub.name
    lots = [str(lot) for (lot,) in world.office.rows("SELECT id FROM lot")]
    held = sum(right_holds.holders(world.office.db, lot).get((name, 1), 0) for lot in lots)
    with world.office.store.write():
        seen = world.office.store.truth.overview(0, world.now)
    (hub,) = seen.hubs
    assert (hub.hub, hub.store, hub.state, hub.waiting, hub.held_centi) == (name, "S1", "active", 0, held) and held > 0
    assert [till.till for till in seen.tills] == ["T1", "T2", "T3"]
    all_held = sum(right_holds.held_by_all(world.office.db, lot) for lot in lots)
    assert seen.exposure.held_by_tills_centi <= all_held + 16_000, "what a hub gave on is not counted twice"
    second.sell("M0", 5_000, None, complete=True)
    second.go()
    world.now += timedelta(minutes=1)
    world.hub.line._syncer.once(lambda: world.now)
    with world.office.store.write():
        watched = world.office.store.truth.watch()
    kept = outbox.unsent_count(second.db)
    assert watched.hubs[0].waiting == kept > 0, "it asked before it brought the sale"
    told = {figure.name: figure.samples for figure in office_figures(Meter(), watched, world.now + timedelta(minutes=1))}
    assert list(told["pos_loyalty_hub_lag_seconds"].values()) == [60]
    assert list(told["pos_loyalty_hub_waiting_facts"].values()) == [kept]
    assert len(told["pos_loyalty_till_lag_seconds"]) == 3
    for _ in range(2):
        world.now += timedelta(minutes=1)
        world.line_go()
    with world.office.store.write():
        assert world.office.store.truth.watch().hubs[0].waiting == 0
    world.close()
