"""What every LedgerStore must do, whatever database is below. A new store is one more line in ``STORES``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import LotUse
from pos_loyalty.errors import ConflictError, WireError
from pos_loyalty.store import member_folds
from pos_loyalty.store.db import open_store
from pos_loyalty.store.decision_facts import CaseClosedFact
from pos_loyalty.store.facts import GENESIS, Enrolment, Fact, SaleEnd, SaleFact, chain, payload_of
from pos_loyalty.store.member_facts import (
    AttributeChange,
    CardAdded,
    CardStateChange,
    Change,
    ChangeFact,
    ConsentChange,
    DateChange,
    NameChange,
    PhoneChange,
    SourceChange,
    StateChange,
)
from pos_loyalty.values import Points
from sync.server import steps
from sync.server.ledger_store import Case, LedgerStore, MemberState, Posting, TillHold
from sync.server.postgres import open_ledger
from sync.server.sqlite import SqliteLedgerStore
from sync.server.suspense import post
from sync.server.truth import programme_back
from sync.wire import CardChange, LotChange, MemberChange, ProgrammeBody
from tests.shop import PROGRAMME
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, basket, points, quote_of

Open = Callable[[], LedgerStore]


def in_sqlite(request: pytest.FixtureRequest) -> Open:
    folder: Path = request.getfixturevalue("tmp_path")

    def opened() -> LedgerStore:
        db = open_store(folder / "head_office.db", role="head_office", owner="head-office", now=NOW)
        return SqliteLedgerStore(db, HEAD_OFFICE_KEY)

    return opened


def in_postgres(request: pytest.FixtureRequest) -> Open:
    url = request.getfixturevalue("postgres").new_database()
    return lambda: open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW)


STORES = {"sqlite": in_sqlite, "postgres": in_postgres}


@pytest.fixture(params=sorted(STORES))
def open_again(request: pytest.FixtureRequest) -> Open:
    return STORES[request.param](request)


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


def test_a_name_with_a_sign_that_no_text_of_a_database_may_hold_is_kept(store: LedgerStore) -> None:
    """A till's fact is refused for no sign in it: its log would stand still for ever."""
    with store.write():
        booked = posting(store, fact(1, cashier="C\x00\ue000\ue001"))
        store.add(booked)
        assert store.hash_at("T1", 1, 1) == booked.hash
        frozen = TillHold(till="T\x00", epoch=1, applied_seq=0, applied_hash=GENESIS, frozen="\x00\ue000\ue001\ue000\ue002")
        store.hold(frozen, NOW)
        assert store.till("T\x00") == frozen


def test_a_programme_is_never_changed_only_followed(store: LedgerStore) -> None:
    def programme(version: int, body: bytes) -> ProgrammeBody:
        return ProgrammeBody(id="shop", version=version, sha256=sha256(body).hexdigest(), body=body)

    with store.write():
        assert store.programme_in_force(NOW) is None
        store.add_programme(programme(1, b"one"), NOW)
        store.add_programme(programme(1, b"one"), NOW)
        with pytest.raises(ConflictError):
            store.add_programme(programme(1, b"other"), NOW)
        store.add_programme(programme(2, b"two"), NOW)
        assert store.programme_in_force(NOW) == programme(2, b"two")
        store.add_programme(programme(1, b"one"), NOW)
        assert store.programme_in_force(NOW) == programme(1, b"one"), "an older version can be brought back"
        store.add_programme(programme(2, b"two"), NOW, NOW + timedelta(hours=1))
        assert store.programme_in_force(NOW) == programme(1, b"one"), "the day has not come"
        assert store.programme_in_force(NOW + timedelta(hours=1)) == programme(2, b"two")
        assert [one.number for one in store.publications()] == [1, 2, 3, 4]


def test_cases_name_no_person() -> None:
    assert set(Case.__struct_fields__) == {"seq", "reason", "detail"}


def test_the_truth_of_sales_is_kept_and_told(store: LedgerStore) -> None:
    steps.publish_programme(store, PROGRAMME.encode(), NOW)
    steps.publish_programme(store, PROGRAMME.replace("version = 1", "version = 2", 1).encode(), NOW)
    said = replace(posting(store, sale(1, "S1")), cases=(Case(seq=1, reason="sale.unknown", detail="nobody began it"),))
    with store.write():
        store.add(said)
        store.hold(TillHold(till="T1", epoch=1, applied_seq=1, applied_hash=said.hash), NOW)
    with store.write():
        (due,) = store.truth.due(10)
        assert (due.till, due.epoch, due.seq) == ("T1", 1, 1)
        store.truth.note(due, {"differs": 1}, {(1, 1): "other figures"})
        assert not store.truth.due(10)
    with store.write():
        store.truth.note(due, {"differs": 1, "agreed": 2}, {})
        named = {case.name.reason: case for case in store.truth.cases(10)}
        assert set(named) == {"sale.unknown", "sale.recomputed"}
        assert named["sale.recomputed"].details == ("other figures",)
        assert (named["sale.unknown"].kind, named["sale.unknown"].at) == ("sale.completed", NOW)
        one = named["sale.unknown"].name
        ended = CaseClosedFact(till="T1", epoch=1, seq=1, reason=one.reason, note="asked the shop", by="M9")
        store.truth.close_case(ended, NOW)
    with store.write():
        assert [case.name.reason for case in store.truth.cases(10)] == ["sale.recomputed"]
        closed = store.truth.case(one)
        assert closed is not None and closed.closed is not None and closed.closed.note == "asked the shop"
        assert len(store.truth.all_cases(10)) == 2
    assert programme_back(store, "M9", "too dear", NOW).from_version == 2
    with store.write():
        seen = store.truth.overview(0, NOW)
        assert (seen.backs[0].from_version, seen.backs[0].to_version) == (2, 1)
        assert [each.version for each in seen.programmes] == [1, 2] and seen.open_cases == {"sale.recomputed": 1}
        assert seen.recomputed == {"agreed": 2, "partly": 0, "unknown": 0, "differs": 2}
        assert store.truth.watch().tills == seen.tills
        assert store.truth.stopped_before("T1", 1, 9) == () and store.truth.member("nobody") is None
        assert store.truth.bodies_of(seen.programmes[0].id, 2)
        assert store.truth.begun("T1", "S1") is not None
        assert seen.day == () and [day.sales for day in store.truth.overview(20_778, NOW).day] == [1]


@pytest.mark.parametrize("state", ["erased", "blocked", "active"])
def test_what_was_said_of_a_member_before_their_enrolment_came_counts(store: LedgerStore, state: MemberState) -> None:
    """T2 heard of them by its hub, and its log came first. Of who was erased nobody has a key, and nothing to open with one."""
    card, personal = "2000000000015", b64encode(bytes(40)).decode()
    before = (StateChange(state="blocked"), CardStateChange(card=card, state="lost"))
    with store.write():
        for seq, changes in ((1, before), (2, (StateChange(state=state),))):
            change = ChangeFact(member_id="M9", by="S1", changes=changes)
            told = fact(seq, till="T2", kind="member.changed", member="M9", receipt_no=None, change=change)
            store.keep_key(told, bytes(32))
            store.add(posting(store, told))
        enrolment = Enrolment(member_id="M9", card=card, personal=personal)
        joined = fact(9, kind="member.enrolled", member="M9", receipt_no=None, enrolment=enrolment)
        store.keep_key(joined, bytes(32))
        store.add(posting(store, joined))
        store.touch(("M9",))
    (told_of,) = store.changed(0, 500)
    assert (told_of.member_id, told_of.state) == ("M9", state)
    assert [each.state for each in told_of.cards] == ["lost"]
    again = fact(10, kind="member.enrolled", member="M9", receipt_no=None, enrolment=enrolment)
    with store.write():
        assert "member.twice" in {case.reason for case in posting(store, again).cases}
    found = find_person(store, "M9")
    assert found == ((None, 0) if state == "erased" else (bytes(40), 1))


def test_the_erasure_of_somebody_whom_nobody_enrolled_here_is_told_and_stands_when_they_are(store: LedgerStore) -> None:
    """A restore lost them, and the machine that enrolled them is gone: other tills still hold their phone."""
    change = ChangeFact(member_id="M9", by="S1", changes=(StateChange(state="erased"),))
    told = fact(1, kind="member.changed", member="M9", receipt_no=None, change=change)
    with store.write():
        store.keep_key(told, bytes(32))
        store.add(posting(store, told))
        store.touch(("M9",))
    assert [(each.member_id, each.state) for each in store.changed(0, 500)] == [("M9", "erased")]
    assert list(member_folds.differences(store._db)) == [] and find_person(store, "M9") == (None, 0)  # type: ignore[attr-defined]
    first = store.changed(0, 500)[0].version
    personal = b64encode(bytes(40)).decode()
    enrolment = Enrolment(member_id="M9", card="2000000000015", personal=personal)
    joined = fact(2, till="T2", kind="member.enrolled", member="M9", receipt_no=None, enrolment=enrolment)
    with store.write():
        store.keep_key(joined, bytes(32))
        booked = posting(store, joined)
        assert booked.cases == ()
        store.add(booked)
        store.touch(("M9",))
    (after,) = store.changed(first, 500)
    assert (after.state, [card.number for card in after.cards]) == ("erased", ["2000000000015"])
    assert find_person(store, "M9") == (None, 0)


def test_every_kind_of_change_can_be_booked_and_an_erasure_leaves_nothing(store: LedgerStore) -> None:
    """Of a member who was imported, too, of whom head office's word stands besides."""
    sealed = b64encode(bytes(40)).decode()
    every: tuple[Change, ...] = (
        ConsentChange(purpose="advertising", given=True, text_version="1", channel="till"), NameChange(sealed=sealed),
        AttributeChange(name="size", sealed=sealed), DateChange(name="wedding", sealed=sealed),
        PhoneChange(sealed=sealed, index=None, verified=False), CardAdded(card="2000000000022"),
        CardStateChange(card="2000000000015", state="lost"), StateChange(state="blocked"),
        SourceChange(origin="fair", drive="spring"),
    )  # fmt: skip
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        for seq, changes in ((1, every), (2, (StateChange(state="erased"),))):
            change = ChangeFact(member_id="M1", by="S1", changes=changes)
            told = fact(seq, kind="member.changed", member="M1", receipt_no=None, change=change)
            store.keep_key(told, bytes(32))
            store.add(posting(store, told))
    (told_of,) = store.changed(0, 500)
    assert told_of.state == "erased" and find_person(store, "M1") == (None, 0)


def find_person(store: LedgerStore, member_id: str) -> tuple[bytes | None, int]:
    """The sealed fields, and how many keys there are."""
    db = store._db  # type: ignore[attr-defined]
    with store.write():
        (personal,) = db.execute("SELECT personal FROM member WHERE id = ?", (member_id,)).fetchone()
        (keys,) = db.execute("SELECT COUNT(*) FROM member_key WHERE member = ?", (member_id,)).fetchone()
    return None if personal is None else bytes(personal), int(keys)
