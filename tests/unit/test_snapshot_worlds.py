"""Snapshots in random worlds: a till shows head office's word as of the number it held, and its own facts since."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pos_loyalty.errors import HeadOfficeGoneError, NotFoundError
from pos_loyalty.store import members, snapshot_state
from pos_loyalty.store.db import backup, write
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import IdentifyRequest
from sync import taking
from sync.server import steps
from sync.wire import CardChange, LotChange, MemberChange
from tests.shop import OTHER_CARD, Shop
from tests.simulation.shop import NOW, HeadOffice, Till, pull_all, push_all
from tests.simulation.taking import Source, built, files_of, take

TABLES = {
    "member": "id", "card": "number", "lot": "id", "member_word": "member", "tier_word": "member", "coupon_word": "code",
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many portions, chunks and pages of those who are gone, in worlds of a few members."""
    monkeypatch.setattr("sync.taking.PORTION", 2)
    monkeypatch.setattr("sync.taking.UNNAMED_MAX", 3)
    monkeypatch.setattr("sync.server.snapshots.LINES_MAX", 3)


class World:
    """Two tills that sell, one that only looks, and head office."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.rng = random.Random(seed)
        self.office = HeadOffice(folder)
        self.tills = [Till(folder, name) for name in ("T1", "T2")]
        self.made = 0
        self.import_some()
        for till in self.tills:
            pull_all(till, self.office)

    def number(self) -> int:
        self.made += 1
        return self.made

    def import_some(self) -> None:
        told = []
        for _ in range(self.rng.randint(1, 6)):
            n = self.number()
            lots = tuple(
                LotChange(lot_id=f"L{n}.{k}", centi=1000, amount_centi=1000)  # type: ignore[arg-type]
                for k in range(self.rng.randint(0, 3))
            )
            name = f"{self.rng.choice('abMz')}{n:03d}"
            told.append(MemberChange(member_id=name, cards=(CardChange(number=f"22{n:011d}"),), lots=lots))
        steps.import_members(self.office.store, told, NOW)

    def step(self, *, pulls: bool = True) -> None:
        till = self.rng.choice(self.tills)
        known = [name for (name,) in till.db.execute("SELECT id FROM member WHERE state = 'active' ORDER BY id")]
        match self.rng.choice(["sell", "sell", "sell", "spend", "spend", "enrol", "push", "pull", "import"]):
            case "sell" if known:
                till.sell(f"S{self.number()}", self.rng.choice(known), earn=self.rng.randint(1, 500))
            case "spend" if known:
                who = self.rng.choice(known)
                centi = till.balance(who)
                if centi:
                    till.sell(f"S{self.number()}", who, spend=self.rng.randint(1, centi))
            case "enrol":
                n = self.number()
                till.enrol(f"N{n:03d}", f"23{n:011d}")
            case "push":
                push_all(till, self.office)
            case "pull" if pulls:
                pull_all(till, self.office)
            case "import":
                self.import_some()

    def close(self) -> None:
        for one in (*self.tills, self.office):
            one.db.close()


def told_by_head_office(world: World) -> dict[str, int]:
    """By plain SQL, at this moment."""
    return dict(world.office.db.execute(TOLD_SELECT).fetchall())


def enrolled_since(till: Till, seq: int) -> set[str]:
    rows = till.db.execute("SELECT member FROM txn WHERE kind = 'member.enrolled' AND seq > ?", (seq,))
    return {member for (member,) in rows}


Lots = dict[tuple[str, str], int]


def lots_of_head_office(world: World) -> Lots:
    return {(member, lot): centi for member, lot, centi in world.office.db.execute("SELECT member, id, remaining FROM lot")}


def own_since(till: Till, seq: int) -> Lots:
    """What the till's own later facts moved, by plain SQL over its entries."""
    rows = till.db.execute(
        """SELECT e.member, e.lot, SUM(CASE WHEN e.credit_acct = 'member:' || e.member THEN e.amount
          WHEN e.debit_acct = 'member:' || e.member THEN -e.amount ELSE 0 END)
        FROM entry e JOIN txn t ON t.id = e.txn WHERE t.seq > ? AND e.lot IS NOT NULL GROUP BY e.member, e.lot""",
        (seq,),
    )
    return {(member, lot): centi for member, lot, centi in rows}


def expected_of(member: str, told: Lots, own: Lots) -> int:
    """Lot by lot: none goes below nothing, though two tills may have taken the same points."""
    names = {key for key in (*told, *own) if key[0] == member}
    return sum(max(0, told.get(key, 0) + own.get(key, 0)) for key in names)


@pytest.mark.parametrize("seed", range(12))
def test_shown_is_head_offices_as_of_the_held_number_and_own_facts_since(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "w", seed)
    for _ in range(world.rng.randint(5, 40)):
        world.step()
    built(world.office)
    told, told_lots = told_by_head_office(world), lots_of_head_office(world)
    held = dict(world.office.db.execute("SELECT id, applied_seq FROM till").fetchall())
    for _ in range(world.rng.randint(0, 15)):
        world.step(pulls=False)
    for till in world.tills:
        source = Source(world.office)
        source.cut_after = world.rng.choice([None, 0, 1, 50])
        while True:
            try:
                if taking.advance(till.db, till.here, files_of(till), source, lambda: NOW).is_over:
                    break
            except HeadOfficeGoneError:
                till.restart()
        since = own_since(till, held.get(till.name, 0))
        enrolled_later = enrolled_since(till, held.get(till.name, 0))
        for name in set(told) | enrolled_later:
            assert till.balance(name) == expected_of(name, told_lots, since), (seed, till.name, name)
            assert members.state_of(till.db, name) == "active"
        for (name,) in till.db.execute("SELECT id FROM member"):
            assert name in told or name in enrolled_later or members.by_id(till.db, name) is None
        assert verify(till.db) == ()
        push_all(till, world.office)
        pull_all(till, world.office)
        assert verify(till.db) == ()
    for till in world.tills:
        pull_all(till, world.office)
        assert {name: till.balance(name) for name in told_by_head_office(world)} == told_by_head_office(world)
    world.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_snapshot_gives_the_rows_that_pages_give(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "w", 100 + seed)
    for _ in range(40):
        world.step()
    for till in world.tills:
        push_all(till, world.office)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    by_pages, by_snapshot = Till(tmp_path / "a", "T3"), Till(tmp_path / "b", "T3")
    pull_all(by_pages, world.office)
    built(world.office)
    take(by_snapshot, Source(world.office))
    for table, key in TABLES.items():
        rows = [till.db.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall() for till in (by_pages, by_snapshot)]
        assert rows[0] == rows[1], table
    assert verify(by_snapshot.db) == ()
    assert [page.members for page in pull_all(by_snapshot, world.office)] == [()], "changes lead on from the snapshot"
    world.close()


@pytest.mark.parametrize("seed", range(8))
def test_who_is_of_a_past_that_head_office_lost_does_not_live_on(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "w", 200 + seed)
    for _ in range(20):
        world.step()
    backup(world.office.db, tmp_path / "old.db")
    for _ in range(20):
        world.step()
    for till in world.tills:
        push_all(till, world.office)
        pull_all(till, world.office)
    watcher = Till(tmp_path / "w", "T9")
    pull_all(watcher, world.office)
    world.office.restore(tmp_path / "old.db")
    there, there_lots = told_by_head_office(world), lots_of_head_office(world)
    built(world.office)
    for till in (watcher, *world.tills):
        take(till, Source(world.office))
        held = world.office.db.execute("SELECT coalesce(MAX(applied_seq), 0) FROM till WHERE id = ?", (till.name,)).fetchone()[0]
        own = enrolled_since(till, held)
        live = {m for (m,) in till.db.execute("SELECT id FROM member WHERE state = 'active'")}
        assert live == set(there) | own
        since = own_since(till, held)
        assert {m: till.balance(m) for m in live} == {m: expected_of(m, there_lots, since) for m in live}
        assert verify(till.db) == ()
    for _ in range(3):
        for till in (*world.tills, watcher):
            pull_all(till, world.office)
            push_all(till, world.office)
    for till in (*world.tills, watcher):
        pull_all(till, world.office)
        assert {m: till.balance(m) for m in told_by_head_office(world)} == told_by_head_office(world)
        assert verify(till.db) == ()
    world.close()


def test_a_card_that_is_still_to_come_is_told_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    try:
        with pytest.raises(NotFoundError, match="or enrol a new member"):
            shop.till.identify(IdentifyRequest(card=OTHER_CARD))
        with write(shop.db):
            snapshot_state.put(shop.db, snapshot_state.Applied(manifest=b"{}"))
        with pytest.raises(NotFoundError, match="members are still coming"):
            shop.till.identify(IdentifyRequest(card=OTHER_CARD))
        assert shop.sell().state == "completed"
        assert verify(shop.db) == ()
    finally:
        shop.close()


TOLD_SELECT = """SELECT m.id, coalesce(SUM(l.remaining), 0) FROM member AS m LEFT JOIN lot AS l ON l.member = m.id
WHERE m.version > 0 GROUP BY m.id"""
