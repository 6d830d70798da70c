"""Head office books expired points: when every till has sent all, once, and a missed night changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pysqlite3.dbapi2 import Connection

from pos_loyalty.store.db import open_store
from pos_loyalty.store.right_facts import GrantFact, RightLine
from pos_loyalty.store.verify import verify
from pos_loyalty.values import Points
from sync.server import expiry
from sync.server.expiry import WAIT_DAYS, expire_due
from sync.server.ledger_store import TillHold
from sync.server.sqlite import SqliteLedgerStore
from sync.server.steps import import_members
from sync.wire import CardChange, LotChange, MemberChange
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW

DAY = timedelta(days=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    opened = open_store(tmp_path / "head_office.db", role="head_office", owner="head-office", now=NOW)
    yield opened
    opened.close()


@pytest.fixture
def store(db: Connection) -> SqliteLedgerStore:
    store = SqliteLedgerStore(db, HEAD_OFFICE_KEY)
    lots = tuple(
        LotChange(lot_id=f"lot-{days}", centi=Points(100), amount_centi=Points(100), expires_at=NOW + days * DAY)
        for days in (1, 2, 50)
    )
    import_members(store, [MemberChange(member_id="M1", cards=(CardChange(number="2200000000019"),), lots=lots)], NOW)
    return store


def _left(db: Connection) -> dict[str, int]:
    return dict(db.execute("SELECT id, remaining FROM lot"))


def test_what_expired_is_booked_once_and_a_missed_night_changes_nothing(db: Connection, store: SqliteLedgerStore) -> None:
    assert expire_due(store, NOW + 3 * DAY) == 1
    assert _left(db) == {"lot-1": 0, "lot-2": 0, "lot-50": 100}
    facts = db.execute("SELECT COUNT(*) FROM txn").fetchone()
    assert expire_due(store, NOW + 4 * DAY) == 0
    assert db.execute("SELECT COUNT(*) FROM txn").fetchone() == facts
    assert db.execute("SELECT SUM(amount) FROM entry WHERE kind = 'expire'").fetchone() == (200,)
    assert verify(db) == ()


def test_the_first_instant_after_the_end_is_no_longer_usable(db: Connection, store: SqliteLedgerStore) -> None:
    assert expire_due(store, NOW + DAY + timedelta(hours=1) - timedelta(milliseconds=1)) == 0
    assert expire_due(store, NOW + DAY + timedelta(hours=1)) == 1


def test_a_silent_till_is_waited_for(db: Connection, store: SqliteLedgerStore) -> None:
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
        store.asked("T1", NOW)
    assert expire_due(store, NOW + 3 * DAY) == 0
    with store.write():
        store.asked("T1", NOW + 2 * DAY)
    assert expire_due(store, NOW + 3 * DAY) == 1
    assert _left(db)["lot-1"] == 0 and _left(db)["lot-2"] == 100


def test_a_till_that_never_comes_back_is_not_waited_for_for_ever(db: Connection, store: SqliteLedgerStore) -> None:
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
    assert expire_due(store, NOW + (WAIT_DAYS + 1) * DAY) == 1
    assert _left(db) == {"lot-1": 0, "lot-2": 100, "lot-50": 100}


def test_tills_hear_of_it(db: Connection, store: SqliteLedgerStore) -> None:
    with store.write():
        before = store.version()
    expire_due(store, NOW + 3 * DAY)
    with store.write():
        (changed,) = store.changed(before, 10)
    assert [lot.lot_id for lot in changed.lots] == ["lot-50"]


def test_a_clock_that_ran_ahead_for_a_moment_ends_nothing_early(db: Connection, store: SqliteLedgerStore) -> None:
    """Every till asked while head office's clock stood forty days ahead; then the clock was put right."""
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
        store.asked("T1", NOW + 60 * DAY)
    assert expire_due(store, NOW) == 0
    assert _left(db) == {"lot-1": 100, "lot-2": 100, "lot-50": 100}


def test_who_asked_while_the_clock_ran_ahead_is_waited_for_like_anybody(db: Connection, store: SqliteLedgerStore) -> None:
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
        store.asked("T1", NOW + 60 * DAY)
    assert expire_due(store, NOW + 3 * DAY) == 0, "it may have redeemed on the first day, cut off since"
    with store.write():
        store.asked("T1", NOW + 3 * DAY)
    assert expire_due(store, NOW + 3 * DAY) == 1
    assert _left(db) == {"lot-1": 0, "lot-2": 0, "lot-50": 100}
    with store.write():
        store.asked("T1", None)
    assert expire_due(store, NOW + 3 * DAY + timedelta(hours=1)) == 0


@pytest.mark.parametrize("free", ["N0", "N5", "N9"])
def test_what_a_silent_till_holds_keeps_nobody_elses_points_in_the_books(
    db: Connection, store: SqliteLedgerStore, free: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds more ended lots than are looked at in one transaction."""
    monkeypatch.setattr(expiry, "LOTS_MAX", 2)
    ends = NOW + DAY
    names = [f"N{n}" for n in range(10)]
    lots = {name: LotChange(lot_id=f"lot:{name}", centi=Points(70), amount_centi=Points(70), expires_at=ends) for name in names}
    import_members(store, [MemberChange(member_id=name, lots=(lots[name],)) for name in names], NOW)
    lines = tuple(RightLine(lot_id=f"lot:{name}", member_id=name, centi=Points(70)) for name in names if name != free)
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
        store.asked("T1", NOW)
        store.rights.book(GrantFact(grant_id="7" * 32, till="T1", epoch=1, lease_until=NOW + 30 * DAY, lines=lines), NOW)
    assert expire_due(store, NOW + (WAIT_DAYS + 2) * DAY) == 3, "the free one, and two of M1's"
    assert _left(db)[f"lot:{free}"] == 0
    assert sum(_left(db)[f"lot:{name}"] for name in names) == 9 * 70
    with store.write():
        store.asked("T1", NOW + 40 * DAY)
    assert expire_due(store, NOW + 40 * DAY) == 9
    assert verify(db) == ()
