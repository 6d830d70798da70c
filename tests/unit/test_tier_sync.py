"""Tiers over two tills and head office: known in part, known in whole, frozen by a person, told again, and found when forged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import Reading
from pos_loyalty.engine import load_programme
from pos_loyalty.store import ledger, programmes, sales
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Fact, SaleFact
from pos_loyalty.store.tier_due import Place, book, book_moves, look_at, state_of
from pos_loyalty.store.tier_facts import TierFact
from pos_loyalty.store.verify import verify
from pos_loyalty.values import Minor, Points
from sync.server.nightly import move_tiers, while_sure
from sync.server.steps import publish_programme
from tests.simulation.shop import NOW, HeadOffice, Till, basket, pull_all, push_all, quote_of

PROGRAMME = b"""
format = 1
id = "shop"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
[tiers]
grace_days = 0
warn_days = 10
[[tier]]
id = "silver"
from_spent = "100.00"
[[tier]]
id = "gold"
from_spent = "300.00"
"""
READY = load_programme(PROGRAMME)
DAY = (date(2026, 11, 21) - date(1970, 1, 1)).days
MEMBER, CARD = "M1", "2000000000015"


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    made = HeadOffice(tmp_path)
    publish_programme(made.store, PROGRAMME, NOW)
    return made


@pytest.fixture
def tills(tmp_path: Path) -> tuple[Till, Till]:
    return Till(tmp_path, "T1"), Till(tmp_path, "T2")


def place(till: Till) -> Place:
    return Place(store="S1", zone=READY.zone, programme=READY, is_owner=False)


def sell(till: Till, sale_id: str, rubles: int, *, later: int = 0) -> tuple[Fact, ...]:
    """A sale of so much tier progress, and the move that follows, as the checkout books them."""
    now = NOW + timedelta(days=later)
    quote = replace(quote_of(sale_id, MEMBER, 0, ()), tier_progress_minor=Minor(rubles * 100))
    sale = SaleFact(
        sale_id=sale_id,
        basket=basket(till.name, sale_id),
        quote=quote,
        tenders=(),
        offline_centi=Points(0),
        biz_day=DAY + later,
        completed=True,
    )
    with write(till.db):
        number = f"{till.name}-1-{ledger.head(till.db).seq + 1:06d}"
        sales.add(till.db, till._append("sale.completed", member=MEMBER, body=sale, receipt_no=number))
        return moved(till, now)


def void(till: Till, sale_id: str) -> tuple[Fact, ...]:
    till.void(sale_id)
    with write(till.db):
        return moved(till, NOW)


def moved(till: Till, now: datetime) -> tuple[Fact, ...]:
    look = look_at(till.db, MEMBER, place(till), DAY + (now - NOW).days)
    return () if look is None else book_moves(till.db, look, place(till), now, lambda: next_id(till))


def next_id(till: Till) -> UUID:
    return UUID(int=int.from_bytes(till.name.encode(), "big") << 64 | 1 << 60 | ledger.head(till.db).seq)


def tier(db: Connection) -> object:
    return db.execute("SELECT tier FROM member WHERE id = ?", (MEMBER,)).fetchone()[0]


def cases(office: HeadOffice) -> list[str]:
    return [reason for (reason,) in office.db.execute("SELECT reason FROM suspense_case ORDER BY id")]


def all_right(office: HeadOffice, *tills: Till) -> None:
    assert verify(office.db) == ()
    for till in tills:
        assert verify(till.db) == ()


def test_two_tills_make_a_tier_that_neither_sees_alone(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, two = tills
    one.enrol(MEMBER, CARD)
    push_all(one, office)
    pull_all(two, office)
    assert sell(one, "a", 60) == ()
    assert sell(two, "b", 60) == ()
    for till in tills:
        push_all(till, office)
    assert move_tiers(office.store, NOW) == 1
    assert move_tiers(office.store, NOW) == 0
    for till in tills:
        pull_all(till, office)
        assert tier(till.db) == "silver"
    look = look_at(two.db, MEMBER, place(two), DAY)
    assert look is not None
    state = state_of(look, READY.tier_rules)  # type: ignore[arg-type]
    assert (state.have, state.next_tier, state.missing) == (12_000, "gold", 18_000)
    assert [move.kind for move in sell(two, "c", 180)] == ["member.tiered"], "head office's figure and our own sale reach gold"
    assert tier(two.db) == "gold"
    push_all(two, office)
    assert tier(office.db) == "gold"
    assert move_tiers(office.store, NOW) == 0
    assert cases(office) == []
    all_right(office, *tills)


def test_a_move_made_here_outlives_a_pull_that_does_not_know_it(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, _ = tills
    one.enrol(MEMBER, CARD)
    push_all(one, office)
    pull_all(one, office)
    sell(one, "a", 400)
    pull_all(one, office)
    assert tier(one.db) == "gold"
    push_all(one, office)
    pull_all(one, office)
    assert tier(one.db) == tier(office.db) == "gold"
    all_right(office, one)


def test_a_till_takes_back_only_what_it_raised(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, two = tills
    one.enrol(MEMBER, CARD)
    push_all(one, office)
    pull_all(two, office)
    sell(one, "a", 400)
    assert tier(one.db) == "gold"
    assert [fact.tier and fact.tier.reason for fact in void(one, "a")] == ["returned"]
    assert tier(one.db) is None
    sell(two, "b", 150)
    for till in tills:
        push_all(till, office)
    move_tiers(office.store, NOW)
    pull_all(one, office)
    assert tier(one.db) == "silver"
    sell(one, "c", 10)
    assert void(one, "c") == (), "silver is not of this till's making"
    assert tier(one.db) == "silver"
    all_right(office, *tills)


def test_head_office_takes_back_what_came_back_elsewhere(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, two = tills
    one.enrol(MEMBER, CARD)
    push_all(one, office)
    pull_all(two, office)
    sell(one, "a", 60)
    sell(two, "b", 60)
    for till in tills:
        push_all(till, office)
    move_tiers(office.store, NOW)
    void(one, "a")
    push_all(one, office)
    assert move_tiers(office.store, NOW) == 1
    assert tier(office.db) is None
    pull_all(two, office)
    assert tier(two.db) is None
    all_right(office, *tills)


@pytest.mark.parametrize("off", [timedelta(days=400), timedelta(days=-5)])
def test_head_office_moves_nobody_by_a_clock_that_is_wrong(office: HeadOffice, tills: tuple[Till, Till], off: timedelta) -> None:
    """Ten years ahead for an hour all would fall, and nobody looks at them again before these ten years are over."""
    one, _ = tills
    one.enrol(MEMBER, CARD)
    sell(one, "a", 400)
    push_all(one, office)
    hour = timedelta(hours=1)
    runs = [(n, timedelta(0)) for n in range(5)] + [(5, off), (6, timedelta(0))]
    readings = [Reading(NOW + n * hour + wrong, "this", n * 3_600 * 10**9) for n, wrong in runs]
    moved = [while_sure(office.store, reading, move_tiers) for reading in readings]
    assert moved == [None, None, None, 0, 0, None, None]
    assert tier(office.db) == "gold"


def test_head_office_warns_and_lowers_by_its_own_log(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, _ = tills
    one.enrol(MEMBER, CARD)
    sell(one, "a", 400)
    push_all(one, office)
    move_tiers(office.store, NOW)
    assert move_tiers(office.store, NOW + timedelta(days=355)) == 1
    assert move_tiers(office.store, NOW + timedelta(days=400)) == 1
    assert tier(office.db) is None
    told = office.db.execute("SELECT reason FROM member_tier JOIN txn ON id = txn ORDER BY hlc").fetchall()
    assert told == [("reached",), ("warned",), ("fell",)]
    pull_all(one, office)
    assert tier(one.db) is None
    all_right(office, one)


def test_a_frozen_tier_is_not_moved_by_another_till(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, two = tills
    one.enrol(MEMBER, CARD)
    push_all(one, office)
    pull_all(two, office)
    body = TierFact(
        member_id=MEMBER, tier="silver", reason="staff", biz_day=DAY, since=DAY, until=DAY + 30, frozen_until=DAY + 30,
        ladder=READY.tier_rules.digest if READY.tier_rules else "", by="Anna",
    )  # fmt: skip
    with write(one.db):
        book(one.db, body, place(one), NOW, lambda: next_id(one))
    push_all(one, office)
    sell(two, "b", 400)
    assert tier(two.db) == "gold", "it had not heard"
    push_all(two, office)
    assert cases(office) == ["tier.frozen"]
    assert tier(office.db) == "silver"
    move_tiers(office.store, NOW)
    for till in tills:
        pull_all(till, office)
        assert tier(till.db) == "silver"
    assert sell(two, "c", 400) == ()
    all_right(office, *tills)


def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    ends = []
    for name in ("forward", "backward"):
        folder = tmp_path / name
        folder.mkdir()
        office, one, two = HeadOffice(folder), Till(folder, "T1"), Till(folder, "T2")
        publish_programme(office.store, PROGRAMME, NOW)
        one.enrol(MEMBER, CARD)
        push_all(one, office)
        pull_all(two, office)
        sell(one, "a", 400)
        sell(two, "b", 150)
        for till in (one, two) if name == "forward" else (two, one):
            push_all(till, office)
        move_tiers(office.store, NOW)
        ends.append(tier(office.db))
        all_right(office, one, two)
    assert ends == ["gold", "gold"]


def test_a_tier_before_its_member_is_here_is_kept(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, two = tills
    two.enrol(MEMBER, CARD)
    sell(two, "b", 400)
    one.enrol("M2", "2000000000022")
    push_all(two, office)
    assert tier(office.db) == "gold"
    all_right(office, two)


def test_verify_finds_a_forged_tier_at_head_office(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, _ = tills
    one.enrol(MEMBER, CARD)
    sell(one, "a", 150)
    push_all(one, office)
    with write(office.db):
        office.db.execute("UPDATE member SET tier = 'gold' WHERE id = ?", (MEMBER,))
    assert any("by the log it is silver" in said for said in verify(office.db))
    pull_all(one, office)
    with write(one.db):
        one.db.execute("UPDATE member SET tier = 'silver' WHERE id = ?", (MEMBER,))
    assert any(f"Member {MEMBER} stands in tier silver" in said for said in verify(one.db))


def test_a_programme_that_head_office_cannot_read_moves_nobody(tmp_path: Path) -> None:
    office = HeadOffice(tmp_path)
    with write(office.db):
        programmes.add(office.db, "shop", 1, b"format = 1", datetime(2026, 1, 1, tzinfo=UTC))
    assert move_tiers(office.store, NOW) == 0
