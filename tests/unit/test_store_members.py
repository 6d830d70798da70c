"""Members: found by card, id and phone; what head office says and what happened here since add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.engine.model import Entry, LotUse
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import ledger, members, sales
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.members import PulledCard, PulledLot, PulledMember
from pos_loyalty.till.model import CancelRequest, CompleteRequest, VoidRequest
from pos_loyalty.values import Minor, Points
from tests.shop import MEMBER, Shop
from tests.unit.store_facts import NOW, end_draft, enrol, lot_centi, sale_draft, sell, till_store, uuid_of


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def _pulled(member: str, version: int, lots: dict[str, int], **more: object) -> PulledMember:
    return PulledMember(
        member_id=member,
        version=version,
        lots=tuple(
            PulledLot(lot_id=lot, amount_centi=Points(1000), remaining_centi=Points(centi)) for lot, centi in lots.items()
        ),
        **more,  # type: ignore[arg-type]
    )


def _put(db: Connection, *pulled: PulledMember, as_of: int) -> None:
    with write(db):
        members.put_pulled(db, pulled, as_of_seq=as_of)


def test_a_new_member_is_found_by_card_and_id(db: Connection) -> None:
    enrol(db, 1, "M1", "2900000000018")
    found = members.by_card(db, "2900000000018")
    assert found is not None and found == members.by_id(db, "M1")
    assert (found.member_id, found.joined_at, found.lots, found.owed_centi) == ("M1", NOW, (), 0)
    assert members.cards_of(db, "M1") == ("2900000000018",)
    assert members.sealed_key(db, "M1") == b"sealed"
    assert members.by_card(db, "2900000000025") is None
    assert members.card_state(db, "2900000000025") == "unknown"


def test_a_taken_card_is_refused(db: Connection) -> None:
    enrol(db, 1, "M1", "2900000000018")
    with pytest.raises(ConflictError):
        enrol(db, 2, "M2", "2900000000018")
    assert members.by_id(db, "M2") is None and ledger.head(db).seq == 1


def test_a_card_or_member_out_of_use_finds_nobody_and_says_why(db: Connection) -> None:
    _put(
        db,
        _pulled("M1", 1, {}, cards=(PulledCard(number="1001"), PulledCard(number="1002", state="lost"))),
        _pulled("M2", 2, {}, cards=(PulledCard(number="2001"),), state="blocked"),
        _pulled("M3", 3, {}, cards=(PulledCard(number="3001"),), state="erased"),
        as_of=0,
    )
    states = {card: members.card_state(db, card) for card in ("1001", "1002", "2001", "3001")}
    assert states == {"1001": "active", "1002": "lost", "2001": "blocked", "3001": "erased"}
    assert [card for card in states if members.by_card(db, card) is not None] == ["1001"]
    assert members.by_id(db, "M2") is None and members.cards_of(db, "M1") == ("1001",)


def test_a_phone_finds_one_member_and_refuses_to_choose_between_two(db: Connection) -> None:
    _put(db, _pulled("M1", 1, {}, phone_index="aa"), _pulled("M2", 2, {}, phone_index="bb"), as_of=0)
    found = members.by_phone_index(db, b"\xbb")
    assert found is not None and found.member_id == "M2"
    assert members.by_phone_index(db, b"\xcc") is None
    _put(db, _pulled("M3", 3, {}, phone_index="bb"), as_of=0)
    with pytest.raises(ConflictError):
        members.by_phone_index(db, b"\xbb")


def test_an_erased_member_leaves_no_personal_field_here(db: Connection) -> None:
    with write(db):
        members.add(db, Enrolment(member_id="M1", card="1001"), b"key", NOW)
        db.execute("UPDATE member SET personal = CAST('sealed' AS BLOB), phone_index = x'aa'")
    assert (members.personal(db, "M1"), members.sealed_key(db, "M1")) == (b"sealed", b"key")
    _put(db, _pulled("M1", 5, {}, state="erased", phone_index="aa"), as_of=0)
    assert (members.personal(db, "M1"), members.sealed_key(db, "M1")) == (None, None)
    assert members.by_phone_index(db, b"\xaa") is None


def test_own_facts_after_the_watermark_stay_on_top_of_what_head_office_says(db: Connection) -> None:
    """HO has seen facts 1 and 2 and knows of 200 redeemed elsewhere; fact 3 is ours alone."""
    sell(db, 1, "M1")
    sell(db, 2, "M1")
    sell(db, 3, "M1", (LotUse(lot_id="T1/sale-1:base", centi=Points(100)),))
    assert lot_centi(db, "T1/sale-1:base") == 400
    _put(db, _pulled("M1", 9, {"T1/sale-1:base": 300, "T1/sale-2:base": 500, "T7/x:base": 50}), as_of=2)
    held = {lot: lot_centi(db, lot) for lot in ("T1/sale-1:base", "T1/sale-2:base", "T1/sale-3:base", "T7/x:base")}
    assert held == {"T1/sale-1:base": 200, "T1/sale-2:base": 500, "T1/sale-3:base": 500, "T7/x:base": 50}
    _put(db, _pulled("M1", 10, {"T1/sale-1:base": 200, "T1/sale-2:base": 500, "T1/sale-3:base": 500}), as_of=3)
    held = {lot: lot_centi(db, lot) for lot in held}
    assert held == {"T1/sale-1:base": 200, "T1/sale-2:base": 500, "T1/sale-3:base": 500, "T7/x:base": 0}


def test_a_lot_emptied_elsewhere_never_goes_below_nothing(db: Connection) -> None:
    sell(db, 1, "M1")
    sell(db, 2, "M1", (LotUse(lot_id="T1/sale-1:base", centi=Points(100)),))
    _put(db, _pulled("M1", 9, {}), as_of=1)
    assert lot_centi(db, "T1/sale-1:base") == 0
    with write(db):
        back = Entry(
            kind="reverse", debit="held:T1/sale-2", credit="member:M1", amount=100, member_id="M1", lot_id="T1/sale-1:base"
        )
        ledger.append(db, end_draft(3, 2, "sale.reversed", (back,), "M1"), NOW)
    assert lot_centi(db, "T1/sale-1:base") == 0


def test_sales_and_debts_count_head_offices_figures_and_ours_since(db: Connection) -> None:
    enrol(db, 1, "M1", "1001")
    sell(db, 2, "M1")
    sell(db, 3, "M1", lines=1)
    seen = members.by_id(db, "M1")
    assert seen is not None and seen.sales is not None
    assert (seen.sales.count, seen.sales.spent_minor) == (2, 27000 + 13500)
    _put(db, _pulled("M1", 4, {}, sales_count=10, spent_minor=Minor(500_000), owed_centi=Points(70)), as_of=2)
    debt = Entry(kind="reverse", debit="owed:M1", credit="programme:shop:issued", amount=30, member_id="M1")
    with write(db):
        sales.end(db, ledger.append(db, end_draft(4, 3, "sale.reversed", (debt,), "M1"), NOW))
    sell(db, 5, "M1")
    seen = members.by_id(db, "M1")
    assert seen is not None and seen.sales is not None
    assert (seen.sales.count, seen.sales.spent_minor, seen.owed_centi) == (11, 500_000 + 27000, 100)


def test_a_sale_that_was_completed_twice_counts_once(db: Connection) -> None:
    enrol(db, 1, "M1", "1001")
    sell(db, 2, "M1")
    with write(db):
        sales.end(db, ledger.append(db, end_draft(3, 2, "sale.completed", (), "M1"), NOW))
    seen = members.by_id(db, "M1")
    assert seen is not None and seen.sales is not None and (seen.sales.count, seen.sales.spent_minor) == (1, 27000)


def test_a_sale_completed_again_after_head_office_counted_it_counts_once(db: Connection) -> None:
    enrol(db, 1, "M1", "1001")
    sell(db, 2, "M1")
    _put(db, _pulled("M1", 4, {}, sales_count=1, spent_minor=Minor(27000)), as_of=2)
    for n, kind in ((3, "sale.completed"), (4, "sale.cancelled"), (5, "sale.completed")):
        with write(db):
            sales.end(db, ledger.append(db, end_draft(n, 2, kind, (), "M1"), NOW))
    assert _sales_of(db, "M1") == (1, 27000)
    for n in (6, 7):
        with write(db):
            sales.end(db, ledger.append(db, end_draft(n, 2, "sale.reversed", (), "M1"), NOW))
        assert _sales_of(db, "M1") == (0, 0), "and it is taken back once"


def test_a_sale_authorised_before_counts_when_it_is_completed(db: Connection) -> None:
    enrol(db, 1, "M1", "1001")
    with write(db):
        sales.add(db, ledger.append(db, sale_draft(2, "M1", completed=False), NOW))
    assert _sales_of(db, "M1") == (0, 0)
    for n, kind in ((3, "sale.reversed"), (4, "sale.cancelled"), (5, "sale.completed")):
        with write(db):
            sales.end(db, ledger.append(db, end_draft(n, 2, kind, (), "M1"), NOW))
    assert _sales_of(db, "M1") == (1, 27000), "a reversal of what was not completed moved nothing"


def test_a_member_is_read_from_one_state_of_the_file(db: Connection, tmp_path: Path) -> None:
    """The daemon puts a page while the till reads: the figures and the lots must be of one side of it."""
    _put(db, _pulled("M1", 1, {"L": 1000}, sales_count=1, cards=(PulledCard(number="1001"),), phone_index="aa"), as_of=0)
    daemon = till_store(tmp_path / "till.db")
    pages: list[int] = []

    def meanwhile(statement: str) -> None:
        if "FROM lot" in statement:
            pages.append(len(pages) + 2)
            _put(daemon, _pulled("M1", pages[-1], {"L": 0}, sales_count=pages[-1]), as_of=0)

    for read, key in ((members.by_id, "M1"), (members.by_card, "1001"), (members.by_phone_index, b"\xaa")):
        _put(db, _pulled("M1", 1, {"L": 1000}, sales_count=1, phone_index="aa"), as_of=0)
        db.set_trace_callback(meanwhile)
        found = read(db, key)  # type: ignore[operator]
        db.set_trace_callback(None)
        assert found is not None and found.sales is not None
        assert (found.sales.count, [lot.centi for lot in found.lots]) == (1, [1000])
        assert not db.in_transaction
    assert len(pages) == 3
    daemon.close()


def _sales_of(db: Connection, member: str) -> tuple[int, int]:
    seen = members.by_id(db, member)
    assert seen is not None and seen.sales is not None
    return seen.sales.count, seen.sales.spent_minor


def test_changes_come_in_the_order_of_versions_and_go_into_a_till(tmp_path: Path, db: Connection) -> None:
    office = open_store(tmp_path / "office.db", role="head_office", owner="HO", now=NOW)
    for n in range(4):
        _put(office, PulledMember(member_id=f"M{n}", version=n + 1, tier="gold", cards=(PulledCard(number=f"100{n}"),)), as_of=0)
    with write(office):
        members.touch(office, "M1")
    assert members.newest_version(office) == 5
    changed = members.changed_since(office, 0, 10)
    assert [(one.member_id, one.version) for one in changed] == [("M0", 1), ("M2", 3), ("M3", 4), ("M1", 5)]
    assert [one.member_id for one in members.changed_since(office, 3, 1)] == ["M3"]
    _put(db, *changed, as_of=0)
    found = members.by_card(db, "1001")
    assert found is not None and (found.member_id, found.tier) == ("M1", "gold")
    office.close()


def test_a_member_whose_card_is_anothers_is_kept_without_it(db: Connection) -> None:
    enrol(db, 1, "M1", "1001")
    with write(db):
        members.add_without_card(db, Enrolment(member_id="M2", card="1001"), None, NOW)
    assert members.by_id(db, "M2") is not None and members.cards_of(db, "M2") == ()
    found = members.by_card(db, "1001")
    assert found is not None and found.member_id == "M1"
    assert uuid_of(1) is not None


def test_what_a_member_bought_is_one_sum_by_facts_and_by_sales(shop: Shop) -> None:
    for n in range(5):
        shop.sell(f"s{n}", complete=n != 1)
    shop.till.void("s2", VoidRequest(), "void")
    shop.till.cancel("s1", CancelRequest(), "cancel")
    shop.sell("s5", complete=False)
    shop.till.complete("s1", CompleteRequest(), "late")
    key = {"member": MEMBER, "seq": 0}
    by_facts, by_sales = (
        shop.db.execute(select, key).fetchone() for select in (members.OWN_SALES_SELECT, members.ALL_SALES_SELECT)
    )
    assert by_facts == by_sales == (4, 4 * 27_000)
