"""When every till told all and was told all, over every store: one that is lost is waited for no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.store import ledger, right_holds
from pos_loyalty.store.till_facts import TillKeyFact
from pos_loyalty.values import Points
from sync.server.ledger_store import LedgerStore, TillHold
from sync.wire import LotChange, MemberChange
from tests.contract.test_ledger_stores import fact, member, open_again, posting, store
from tests.contract.test_right_stores import LOT, enrolled, grant_of, out_of
from tests.simulation.shop import NOW

__all__ = ["open_again", "store"]


def hears(store: LedgerStore, till: str, at: datetime) -> None:
    """It asked, with all of its log sent and all versions told."""
    store.asked(till, at)
    store.rights.note_knows(till, store.version(), at)


def test_who_asks_from_what_an_answer_told_had_it_by_then(store: LedgerStore) -> None:
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        hears(store, "T1", NOW)
        gives_back(store, NOW + timedelta(minutes=2))
        store.touch(("M1",))
        seen = store.version()
        store.rights.note_answer("T1", seen, NOW + timedelta(minutes=3))
        store.touch(("M1",))
        assert store.rights.held_by_all(LOT) == 300
        store.rights.note_knows("T1", seen - 1, NOW + timedelta(minutes=4))
        assert store.rights.held_by_all(LOT) == 300, "that answer was lost"
        store.rights.note_knows("T1", seen, NOW + timedelta(minutes=5))
        assert store.rights.held_by_all(LOT) == 0
        gives_back(store, NOW + timedelta(minutes=4))
        assert store.rights.held_by_all(LOT) == 300, "it was told before that"


def gives_back(store: LedgerStore, at: datetime) -> None:
    """Head office puts points of the lot back to it."""
    back = Entry(
        kind="adjust", debit="adjustment", credit="member:M1", amount=300, member_id="M1", lot_id=LOT, rule="points.given_back"
    )
    said = ledger.Draft(id=new_id(), kind="points.settled", store="head-office", member="M1", entries=(out_of(LOT, 300), back))
    ledger.append(store._db, said, at)  # type: ignore[attr-defined]


@pytest.mark.parametrize("has_sent", [False, True])
def test_of_a_machine_that_is_lost_nobody_waits_to_hear(store: LedgerStore, has_sent: bool) -> None:
    """Also where it asked and never wrote: what head office gave back to a lot was granted to nobody for ever."""
    enrolled(store, "T1", "T2")
    later = NOW + timedelta(days=1)
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        hears(store, "T1", NOW)
        hears(store, "T2", NOW)
        if has_sent:
            store.add(posting(store, fact(1, till="T1")))
            store.hold(TillHold(till="T1", epoch=1, applied_seq=1, applied_hash=bytes(32)), NOW)
            store.keys.book(TillKeyFact(till="T1", epoch=2, store="S1", state="active", public_key="cd" * 32), NOW)
        gives_back(store, later)
        hears(store, "T2", later + timedelta(days=1))
        assert (store.rights.held_by_all(LOT), store.all_asked_by()) == (300, NOW)
        gone = store.keys.key("T1", store.keys.newest_epoch("T1"))
        assert gone is not None
        store.keys.book(replace(gone, state="revoked"), later)
        assert store.rights.held_by_all(LOT) == 300, "a new code lets it in again"
        store.keys.book(replace(gone, state="lost"), later)
        assert (store.rights.held_by_all(LOT), store.all_asked_by()) == (0, later + timedelta(days=1))


def test_who_is_the_till_since_an_older_machine_was_lost_is_waited_for(store: LedgerStore) -> None:
    enrolled(store, "T1")
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=1, applied_hash=bytes(32)), NOW)
        first = store.keys.key("T1", 1)
        assert first is not None
        store.keys.book(replace(first, epoch=2), NOW)
        store.keys.book(replace(first, state="lost"), NOW)
        store.asked("T1", NOW)
        assert store.all_asked_by() == NOW


def test_who_heard_while_the_clock_ran_ahead_heard_nobody_knows_when(store: LedgerStore) -> None:
    """A minute of it was enough, and whatever ended within these days was booked as ended, or granted, at once."""
    ahead = NOW + timedelta(days=40)
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        for till in ("T1", "T2"):
            hears(store, till, ahead)
            store.rights.note_answer(till, store.version(), ahead)
        hears(store, "T2", NOW)
        gives_back(store, NOW + timedelta(minutes=2))
        store.forget_later(NOW + timedelta(hours=1))
        assert store.all_asked_by() == datetime(1970, 1, 1, tzinfo=UTC)
        hears(store, "T2", NOW + timedelta(minutes=3))
        assert store.rights.held_by_all(LOT) == 300, "T1 may be silent since"
        hears(store, "T1", NOW + timedelta(minutes=4))
        assert (store.rights.held_by_all(LOT), store.all_asked_by()) == (0, NOW + timedelta(minutes=3))


def test_who_asks_when_the_clock_was_put_right_heard_by_now_and_not_later(store: LedgerStore) -> None:
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        hears(store, "T1", NOW + timedelta(days=40))
        hears(store, "T1", NOW)
        gives_back(store, NOW + timedelta(minutes=2))
        assert store.rights.held_by_all(LOT) == 300
        hears(store, "T1", NOW + timedelta(minutes=3))
        assert store.rights.held_by_all(LOT) == 0


def test_what_a_till_that_asked_while_the_clock_ran_ahead_may_have_redeemed_is_out_of_reach(store: LedgerStore) -> None:
    """Its lot ended yesterday, and what it redeemed before that it may be still to tell."""
    end = NOW + timedelta(days=1)
    lot = LotChange(lot_id=LOT, centi=Points(300), amount_centi=Points(300), expires_at=end)
    held = Lot(lot_id=LOT, centi=Points(300), expires_at=end)
    later = NOW + timedelta(days=2)
    enrolled(store, "T1")
    with store.write():
        store.add_members([MemberChange(member_id="M1", lots=(lot,))], NOW)
        store.hold(TillHold(till="T1", epoch=1, applied_seq=1, applied_hash=bytes(32)), NOW)
        store.rights.book(grant_of(200), NOW)
        db = store._db  # type: ignore[attr-defined]
        for at, free in ((NOW, 100), (NOW + timedelta(days=40), 100), (later, 300)):
            db.execute("UPDATE till SET asked_ms = 0")
            store.asked("T1", at)
            assert [each.centi for each in right_holds.free(db, (held,), later)] == [free]
