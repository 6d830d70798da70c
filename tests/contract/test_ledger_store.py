"""What every LedgerStore must do, whatever database is below. A new store is one more line in ``STORES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pos_loyalty.engine.model import LotUse
from pos_loyalty.errors import ConflictError, WireError
from pos_loyalty.store.db import open_store
from pos_loyalty.store.facts import GENESIS, Fact, SaleEnd, SaleFact, chain, payload_of
from pos_loyalty.values import Points
from sync.server.ledger_store import Case, LedgerStore, Posting, TillHold
from sync.server.sqlite import SqliteLedgerStore
from sync.server.suspense import post
from sync.wire import CardChange, LotChange, MemberChange, ProgrammeBody
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, basket, points, quote_of

Open = Callable[[], LedgerStore]


def open_sqlite(folder: Path) -> LedgerStore:
    db = open_store(folder / "head_office.db", role="head_office", owner="head-office", now=NOW)
    return SqliteLedgerStore(db, HEAD_OFFICE_KEY)


STORES = {"sqlite": open_sqlite}


@pytest.fixture(params=sorted(STORES))
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return lambda: STORES[request.param](tmp_path)


@pytest.fixture
def store(open_again: Open) -> Iterator[LedgerStore]:
    opened = open_again()
    yield opened
    opened.close()


def fact(seq: int, **other: object) -> Fact:
    about = {
        "schema": 0, "id": f"{seq:032x}", "store": "S1", "till": "T1", "epoch": 1, "seq": seq, "at": NOW, "boot_id": "b",
        "mono_ns": seq, "hlc": seq, "engine": "1", "kind": "sale.completed", "receipt_no": f"T1-{seq}", "cashier": "C1",
    }  # fmt: skip
    return Fact(**(about | other))  # type: ignore[arg-type]


def sale(seq: int, sale_id: str, *, earn: int = 0, spend: tuple[LotUse, ...] = ()) -> Fact:
    quote = quote_of(sale_id, "M1", earn, spend)
    about = SaleFact(
        sale_id=sale_id,
        basket=basket("T1", sale_id),
        quote=quote,
        tenders=(),
        offline_centi=Points(0),
        biz_day=20_778,
        completed=True,
    )
    entries = points.reserve(quote, f"T1/{sale_id}") + points.settle(quote, f"T1/{sale_id}", NOW)
    return fact(seq, member="M1", sale=about, entries=entries, programme=quote.programme)


def posting(store: LedgerStore, fact: Fact) -> Posting:
    payload = payload_of(fact)
    return post(fact, payload, GENESIS, chain(GENESIS, payload), store.known(fact))


def member(member_id: str, number: str, centi: int) -> MemberChange:
    lot = LotChange(lot_id=f"opening:{member_id}", centi=Points(centi), amount_centi=Points(centi))
    return MemberChange(member_id=member_id, cards=(CardChange(number=number),), lots=(lot,))


def lots_of(store: LedgerStore, member_id: str) -> dict[str, int]:
    (found,) = [member for member in store.changed(0, 500) if member.member_id == member_id]
    return {lot.lot_id: lot.centi for lot in found.lots}


def test_what_is_in_a_transaction_is_there_after_reopening(store: LedgerStore, open_again: Open) -> None:
    hold = TillHold(till="T1", epoch=1, applied_seq=7, applied_hash=bytes(range(32)))
    with store.write():
        assert store.till("T1") is None
        store.hold(hold, NOW)
    other = open_again()
    with other.write():
        assert other.till("T1") == hold
    other.close()


def test_a_failed_transaction_leaves_nothing(store: LedgerStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write():
        store.add(posting(store, sale(1, "S1", earn=100)))
        raise ZeroDivisionError
    with store.write():
        assert store.hash_at("T1", 1, 1) is None
        assert store.known(sale(1, "S1")).is_id_taken is False


def test_freezing_stays_until_it_is_lifted(store: LedgerStore) -> None:
    with store.write():
        store.hold(TillHold(till="T1", epoch=1, applied_seq=0, applied_hash=GENESIS, frozen="two pasts"), NOW)
        found = store.till("T1")
        assert found is not None
        assert found.frozen == "two pasts"
        assert store.till("T2") is None


def test_a_booked_fact_is_known(store: LedgerStore) -> None:
    with store.write():
        booked = posting(store, sale(1, "S1", earn=100))
        store.add(booked)
        assert store.hash_at("T1", 1, 1) == booked.hash
        known = store.known(sale(1, "S1", earn=100))
    assert known.is_id_taken
    assert known.sale_state == "completed"
    (lot,) = known.lots.values()
    assert (lot.lot_id, lot.member_id, lot.amount_centi, lot.centi) == ("T1/S1:base", "M1", 100, 100)


def test_versions_rise_with_each_change_and_pages_follow_them(store: LedgerStore) -> None:
    with store.write():
        assert store.version() == 0
        store.add_members([member("M1", "2901", 500), member("M2", "2902", 600), member("M3", "2903", 700)], NOW)
        first = store.changed(0, 2)
        assert [found.member_id for found in first] == ["M1", "M2"]
        assert [found.member_id for found in store.changed(first[-1].version, 2)] == ["M3"]
        before = store.version()
        store.touch(["M2", "nobody", "M1"])
        assert [found.member_id for found in store.changed(before, 10)] == ["M2", "M1"]
        assert store.changed(store.version(), 10) == ()


def test_an_import_again_changes_nothing_and_a_taken_card_is_refused(store: LedgerStore) -> None:
    with store.write():
        store.add_members([member("M1", "2901", 500)], NOW)
        before = store.changed(0, 10)
        store.add_members([member("M1", "2901", 900)], NOW)
        assert store.changed(0, 10) == before
        with pytest.raises(ConflictError):
            store.add_members([member("M2", "2901", 1)], NOW)


def test_a_lot_gives_what_it_holds_and_suspense_the_rest(store: LedgerStore) -> None:
    with store.write():
        store.add_members([member("M1", "2901", 500)], NOW)
        overdraft = sale(1, "S1", spend=(LotUse(lot_id="opening:M1", centi=Points(800)),))
        booked = posting(store, overdraft)
        assert [case.reason for case in booked.cases] == ["lot.overdrawn"]
        store.add(booked)
        assert lots_of(store, "M1") == {}
        undo = fact(2, kind="sale.reversed", receipt_no=None, member="M1", end=SaleEnd(sale_id="S1"))
        assert store.known(undo).lent_centi == {"opening:M1": 300}
        assert store.known(undo).sale_state == "completed"


def test_a_fact_that_no_table_can_hold_is_refused(store: LedgerStore) -> None:
    with pytest.raises(WireError), store.write():
        booked = posting(store, fact(1, hlc=2**64))
        store.add(booked)
    with store.write():
        assert store.hash_at("T1", 1, 1) is None


def test_a_programme_is_never_changed_only_followed(store: LedgerStore) -> None:
    def programme(version: int, body: bytes) -> ProgrammeBody:
        return ProgrammeBody(id="shop", version=version, sha256=sha256(body).hexdigest(), body=body)

    with store.write():
        assert store.newest_programme() is None
        store.add_programme(programme(1, b"one"), NOW)
        store.add_programme(programme(1, b"one"), NOW)
        with pytest.raises(ConflictError):
            store.add_programme(programme(1, b"other"), NOW)
        store.add_programme(programme(2, b"two"), NOW)
        assert store.newest_programme() == programme(2, b"two")
        store.add_programme(programme(1, b"one"), NOW)
        assert store.newest_programme() == programme(1, b"one"), "an older version can be brought back"


def test_cases_name_no_person() -> None:
    assert set(Case.__struct_fields__) == {"seq", "reason", "detail"}
