"""A till that has nothing yet, in a store whose line is cut: the hub tells it everything, and nothing is wrong afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.store import follow, members, outbox, relay
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.verify import verify
from pos_loyalty.values import encode
from sync import pull
from sync.hub import telling
from sync.local import apply_changes, begin_pull, next_question
from sync.wire import Changes, ChangesRequest, Reply, decode
from tests.simulation.escrow import LOST
from tests.simulation.hub_world import HubWorld
from tests.simulation.shop import Till, half, json_reply
from tests.simulation.test_escrow_world import balances
from tests.unit.test_sync_identity import enrolled


def ask(world: HubWorld, till: Till, state: pull.PullState) -> tuple[pull.PullState, Changes]:
    """One page by the hub, applied."""
    step = next_question(till.db, till.here, state, world.now)
    assert step.send is not None
    asked = decode(step.send, ChangesRequest)
    page = world.hub.node.changes(till.here.signer.credential, asked, world.now)
    took = pull.received(state, json_reply(200, encode(page)), world.now, 0.0, half)
    assert took.changes is not None
    apply_changes(till.db, till.here, took.changes, world.now)
    return took.state, page


def fetched(world: HubWorld, till: Till) -> list[Changes]:
    """All pages by the hub, until it says that there are no more."""
    state, pages = begin_pull(till.db, world.now), list[Changes]()
    while not pages or not pages[-1].complete:
        assert len(pages) < 50
        state, page = ask(world, till, state)
        pages.append(page)
    return pages


def add_codes(world: HubWorld, *codes: str) -> None:
    db = world.office.db
    with write(db):
        draft = Draft(id=new_id(), kind="coupons.added", store="head-office", body=CouponsFact(series="flyer", codes=codes))
        follow.book(db, draft, world.now)


@pytest.fixture
def world(tmp_path: Path) -> HubWorld:
    """Sales and codes that head office told the hub of, a new till, and a sale of which only the hub knows."""
    world = HubWorld(tmp_path, 0)
    world.counters["T3"].sell("M1", 5_000, None, complete=True)
    for n in range(4):
        add_codes(world, *(f"CODE-{n}{k}" for k in range(3)))
        world.quiet(1)
    return world


def new_till(world: HubWorld) -> Till:
    folder = world.folder / "new"
    folder.mkdir()
    till = Till(folder, "T9")
    enrolled(world.office, till, "9a" * 32)
    return till


def cut(world: HubWorld) -> None:
    world.is_cut = True
    world.counters["T1"].sell("M0", 5_000, None, complete=True)
    world.counters["T1"].go()
    world.now += timedelta(minutes=5)


def test_while_the_line_is_cut_the_hub_tells_a_new_till_all(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    till = new_till(world)
    monkeypatch.setattr(telling, "COUPONS_MAX", 7)
    monkeypatch.setattr(telling, "MEMBERS_MAX", 2)
    cut(world)
    pages = fetched(world, till)
    assert not any(page.is_behind for page in pages) and max(len(page.coupons) for page in pages) <= 7
    assert balances(till.db) == balances(world.counters["T1"].db), "with the sale of which only the hub knows"
    codes = {code for (code,) in till.db.execute("SELECT code FROM coupon_word")}
    assert codes == {f"CODE-{n}{k}" for n in range(4) for k in range(3)}
    at_hub = world.hub.node.db
    assert members.count(till.db) == members.count(at_hub) > 0
    assert outbox.state(till.db).pulled_version == outbox.state(at_hub).pulled_version
    till.sell("N1", "M0", spend=100)
    assert verify(till.db) == ()
    world.is_cut = False
    world.quiet(2)
    state = begin_pull(till.db, world.now)
    question = next_question(till.db, till.here, state, world.now).send
    assert question is not None
    straight = decode(world.office.changes(question, world.now).body, Changes)
    assert {member.member_id for member in straight.members} == {"M0"}, "head office knows where it is, and tells the rest"
    till.db.close()
    world.close()


def test_while_head_office_is_heard_a_new_till_goes_there(world: HubWorld) -> None:
    till = new_till(world)
    world.line_go()
    _, page = ask(world, till, begin_pull(till.db, world.now))
    assert page.is_behind and page.members == () and page.coupons == ()
    till.db.close()
    world.close()


def test_a_hub_that_does_not_keep_all_codes_tells_no_new_till(world: HubWorld) -> None:
    """It burned down with what it kept, and went on from where its own file was."""
    till = new_till(world)
    world.hub.burn()
    add_codes(world, "LATE-1")
    world.quiet(1)
    cut(world)
    _, page = ask(world, till, begin_pull(till.db, world.now))
    assert page.is_behind and page.coupons == ()
    till.db.close()
    world.close()


def test_after_a_restore_of_head_office_only_codes_of_now_are_told(world: HubWorld) -> None:
    saved = world.folder / "saved.db"
    world.office.db.execute("VACUUM INTO ?", (str(saved),))
    add_codes(world, "LOST-1")
    world.quiet(1)
    assert relay.coupons_between(world.hub.node.relay, 0, 1_000_000)
    world.office.restore(saved)
    add_codes(world, "NEW-1")
    world.quiet(2)
    till = new_till(world)
    cut(world)
    fetched(world, till)
    codes = {code for (code,) in till.db.execute("SELECT code FROM coupon_word")}
    assert "NEW-1" in codes and "LOST-1" not in codes and len(codes) == 13
    till.db.close()
    world.close()


def test_a_till_that_was_away_misses_no_code(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """More codes than a page holds came between two of its questions, in several pages of head office's."""
    second = world.counters["T2"]
    monkeypatch.setattr(telling, "COUPONS_MAX", 4)
    for n in range(4):
        add_codes(world, *(f"MORE-{n}{k}" for k in range(3)))
        world.now += timedelta(minutes=1)
        world.office.now = world.now
        world.line_go()
    for _ in range(6):
        world.now += timedelta(minutes=1)
        second.go()
    codes = {code for (code,) in second.db.execute("SELECT code FROM coupon_word WHERE code LIKE 'MORE%'")}
    assert len(codes) == 12
    world.close()


def test_a_till_that_reaches_nothing_but_the_hub_goes_on_by_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new hub hears head office, so it sends the till there for all that the one before may have told: nobody answers."""
    world = HubWorld(tmp_path, 0)
    world.quiet(4)
    second, third = world.counters["T2"], world.counters["T3"]
    second.go()
    for name in ("push", "changes", "rights"):
        monkeypatch.setattr(second.road()._to["straight"], name, unreached)  # type: ignore[attr-defined]
    world.hub.enrol_anew()

    def minutes(count: int) -> None:
        for _ in range(count):
            world.now += timedelta(minutes=2)
            world.office.now = world.now
            third.go()
            world.hub.line._syncer._pull = None
            world.line_go()
            second.go()

    minutes(8)
    third.sell("M0", 5_000, None, complete=True)
    minutes(3)
    assert balances(second.db)["M0"] == balances(third.db)["M0"] > 0
    assert world.hub.node.in_vain == {}, "when it asks so again, it begins to wait anew"
    world.close()


def unreached(question: bytes) -> Reply:
    raise LOST
