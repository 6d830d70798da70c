"""Acts at head office: the same rows as at the till, and what contradicts becomes a case while every hundredth stays."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.by_hand import carry
from pos_loyalty.engine.model import Accrual, Entry
from pos_loyalty.store import follow, ledger, members
from pos_loyalty.store.db import write
from pos_loyalty.store.member_facts import MergeFact
from pos_loyalty.store.staff_facts import ClaimFact
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.member_model import ChangeRequest, SetSource
from pos_loyalty.till.model import EnrolRequest, VoidRequest
from pos_loyalty.till.staff_model import AdjustRequest, Approval, ClaimRequest, MergeRequest
from pos_loyalty.values import Points
from sync.local import Here
from tests.shop import CARD, MEMBER, PROGRAMME, Shop, make_basket
from tests.simulation.shop import NOW, OFFICE_PUBLIC, HeadOffice, Till, pull_all, push_all, signer_of

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
CLAIMS = PROGRAMME.replace("version = 1", "version = 2").replace("[points]", "[points]\nclaim_days = 14")
SAME = (
    "SELECT id, member, unit, usable_from, expires_at, amount, remaining FROM lot ORDER BY id",
    "SELECT account, unit, amount FROM balance ORDER BY account, unit",
    "SELECT till, sale_id, txn, member, centi FROM sale_claim ORDER BY till, sale_id",
    "SELECT id, state, merged_into, merged_seq FROM member ORDER BY id",
    "SELECT number, member, state FROM card ORDER BY number",
)


@pytest.fixture
def acting(shop: Shop) -> Shop:
    shop.publish(CLAIMS)
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    return shop


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


def as_till(shop: Shop) -> Any:
    return SimpleNamespace(
        name="T1",
        db=shop.db,
        here=Here(
            till="T1",
            master_key=bytes.fromhex(shop.till._desk.secrets.master_key),
            signer=signer_of("T1"),
            head_office_key=OFFICE_PUBLIC,
        ),
    )


def sums(office: HeadOffice) -> dict[str, int]:
    """Accounts by plain sums, those at nothing left out."""
    made: dict[str, int] = {}
    for debit, credit, amount in office.rows("SELECT debit_acct, credit_acct, amount FROM entry"):
        made[str(debit)] = made.get(str(debit), 0) - int(str(amount))
        made[str(credit)] = made.get(str(credit), 0) + int(str(amount))
    return {account: centi for account, centi in made.items() if centi}


def cases(office: HeadOffice) -> list[str]:
    return [str(reason) for (reason,) in office.rows("SELECT reason FROM suspense_case ORDER BY id")]


def test_head_office_has_the_rows_of_the_till(acting: Shop, office: HeadOffice, tmp_path: Path) -> None:
    other = acting.till.enrol(EnrolRequest(card="2200000000033"), "e").member_id
    by_hand = AdjustRequest(centi=Points(3_000), reason="till was down", by=ANNA, approval=BORIS)
    acting.till.adjust(other, by_hand, "a1")
    acting.till.adjust(other, replace(by_hand, centi=Points(-3_500), owe=True), "a2")
    acting.till.adjust(other, replace(by_hand, centi=Points(10_000)), "a3")
    request = replace(acting.ask(make_basket(), card=None), complete=True)
    acting.till.authorise(request, "k1")
    acting.till.claim("sale-1", ClaimRequest(member_id=other, by="C7", approval=BORIS), "c1")
    acting.till.merge(other, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), "m1")
    assert push_all(as_till(acting), office).trouble is None
    assert cases(office) == []
    for sql in SAME:
        assert office.rows(sql) == acting.db.execute(sql).fetchall(), sql
    assert (verify(office.db), verify(acting.db)) == ((), ())

    pull_all(as_till(acting), office)
    assert verify(acting.db) == ()
    second = Till(tmp_path, "T2")
    pull_all(second, office)
    member = members.by_card(second.db, "2200000000033")
    assert member is not None and member.member_id == MEMBER
    assert second.balance(MEMBER) == acting.usable_centi()
    assert verify(second.db) == ()


def test_a_void_after_the_merge_lands_with_the_one_who_stays(acting: Shop, office: HeadOffice) -> None:
    acting.till.authorise(replace(acting.ask(make_basket(), card=None), complete=True), "k1")
    other = acting.till.enrol(EnrolRequest(card="2200000000033"), "e").member_id
    acting.till.claim("sale-1", ClaimRequest(member_id=other, by="C7", approval=BORIS), "c1")
    acting.till.merge(other, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), "m1")
    before = acting.usable_centi()
    acting.till.void("sale-1", VoidRequest(), "v1")
    push_all(as_till(acting), office)
    assert f"owed:{MEMBER}" not in sums(office), "the points of the one who stays settle it at once"
    assert acting.usable_centi() == before - 1_350
    assert all(f"owed:{other}" != account for account in sums(office))
    assert verify(office.db) == verify(acting.db) == ()


def test_a_pull_before_head_office_knows_does_not_undo_a_merge(acting: Shop, office: HeadOffice) -> None:
    other = acting.till.enrol(EnrolRequest(card="2200000000033"), "e").member_id
    push_all(as_till(acting), office)
    acting.till.merge(other, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), "m1")
    pull_all(as_till(acting), office)
    assert acting.db.execute("SELECT state, merged_into FROM member WHERE id = ?", (other,)).fetchone() == ("merged", MEMBER)
    assert acting.db.execute("SELECT member FROM card WHERE number = '2200000000033'").fetchone() == (MEMBER,)
    assert verify(acting.db) == ()


def draft(till: Till, kind: str, body: object, entries: tuple[Entry, ...], member: str) -> None:
    """One fact of a till, as its own verbs would book it."""
    from uuid import UUID

    with write(till.db):
        seq = ledger.head(till.db).seq + 1
        id_ = UUID(int=int.from_bytes(till.name.encode(), "big") << 64 | 0x7 << 76 | seq)
        made = ledger.Draft(id=id_, kind=kind, store="S1", entries=entries, member=member, body=body)  # type: ignore[arg-type]
        follow.book(till.db, made, NOW)


def merge_at(till: Till, loser: str, winner: str) -> None:
    entries = carry(loser, winner, ledger.lots_of(till.db, loser), 0, f"{till.name}/merge")
    draft(till, "member.merged", MergeFact(member_id=loser, into=winner, by="C7", approved_by="S1"), entries, loser)


@pytest.fixture
def two(tmp_path: Path, office: HeadOffice) -> tuple[Till, Till]:
    office.give_points("A", "2000000000015", 700)
    office.give_points("B", "2000000000022", 300)
    tills = Till(tmp_path, "T1"), Till(tmp_path, "T2")
    for till in tills:
        pull_all(till, office)
    return tills


def test_a_into_b_and_b_into_a_is_a_case_and_nothing_is_lost(two: tuple[Till, Till], office: HeadOffice) -> None:
    merge_at(two[0], "A", "B")
    merge_at(two[1], "B", "A")
    for till in two:
        push_all(till, office)
    assert cases(office) == ["member.merged", "merge.contradicted"]
    assert office.rows("SELECT id, merged_into FROM member ORDER BY id") == [("A", "B"), ("B", None)]
    assert sum(centi for account, centi in sums(office).items() if account.startswith("member:")) == 1_000
    assert verify(office.db) == ()
    for till in two:
        pull_all(till, office)
        assert verify(till.db) == ()
        member = members.by_card(till.db, "2000000000015")
        assert member is not None and member.member_id == "B"


def test_a_into_b_and_a_into_c_leaves_the_first(two: tuple[Till, Till], office: HeadOffice) -> None:
    office.give_points("C", "2000000000039", 0)
    pull_all(two[1], office)
    merge_at(two[0], "A", "B")
    merge_at(two[1], "A", "C")
    for till in two:
        push_all(till, office)
    assert cases(office) == ["merge.short", "merge.contradicted"]
    assert office.rows("SELECT merged_into FROM member WHERE id = 'A'") == [("B",)]
    assert sum(sums(office).values()) == 0
    assert sums(office)["member:B"] == 1_000 and "suspense" not in sums(office), "nothing is lent to C"
    assert verify(office.db) == ()
    for till in two:
        pull_all(till, office)
        assert verify(till.db) == ()
        assert till.db.execute("SELECT merged_into FROM member WHERE id = 'A'").fetchone() == ("B",)


def test_a_sale_of_an_offline_till_that_names_the_old_member_is_a_case(two: tuple[Till, Till], office: HeadOffice) -> None:
    merge_at(two[0], "A", "B")
    two[1].sell("S1", "A", earn=50)
    for till in two:
        push_all(till, office)
    assert cases(office) == ["member.merged"]
    assert sums(office)["member:A"] == 50
    pull_all(two[0], office)
    entries = carry("A", "B", ledger.lots_of(two[0].db, "A"), 0, "T1/again")
    draft(two[0], "member.merged", MergeFact(member_id="A", into="B", by="C7", approved_by="S1"), entries, "A")
    push_all(two[0], office)
    assert cases(office) == ["member.merged"], "carrying over is no case"
    assert sums(office)["member:B"] == 1_050
    assert verify(office.db) == ()


def test_two_tills_that_claim_one_receipt_are_a_case(two: tuple[Till, Till], office: HeadOffice) -> None:
    two[0].sell("S1")
    accruals = (Accrual(rule="base", centi=Points(50), usable_from=NOW, expires_at=None),)
    for till, member in zip(two, ("A", "B"), strict=True):
        claim = ClaimFact(sale_till="T1", sale_id="S1", accruals=accruals, biz_day=20_778, by="C7", approved_by="S1")
        entry = Entry(
            kind="accrue",
            debit="programme:shop:issued",
            credit=f"member:{member}",
            amount=50,
            member_id=member,
            lot_id="T1/S1:base",
            rule="base",
        )
        draft(till, "sale.claimed", claim, (entry,), member)
        push_all(till, office)
    assert sorted(cases(office)) == ["claim.twice", "lot.taken"]
    assert office.rows("SELECT member FROM sale_claim") == [("A",)]
    assert (sums(office)["member:A"], sums(office)["member:B"], sums(office)["suspense"]) == (750, 300, 50)
    assert verify(office.db) == ()


def test_figures_of_both_reach_every_till_once(two: tuple[Till, Till], office: HeadOffice) -> None:
    two[0].sell("S1", "A")
    two[0].sell("S2", "B")
    push_all(two[0], office)
    pull_all(two[0], office)
    two[0].sell("S3", "A")
    merge_at(two[0], "A", "B")
    two[0].sell("S4", "B")
    expected = (4, 4 * 10_000)

    def figures(till: Till) -> tuple[int, int]:
        member = members.by_id(till.db, "B")
        assert member is not None and member.sales is not None
        return member.sales.count, member.sales.spent_minor

    assert figures(two[0]) == expected
    push_all(two[0], office)
    for till in two:
        pull_all(till, office)
        assert figures(till) == expected
    two[0].void("S3")
    assert figures(two[0]) == (3, 30_000)


def test_an_old_card_of_a_till_that_was_told_is_the_one_who_stays(two: tuple[Till, Till], office: HeadOffice) -> None:
    merge_at(two[0], "A", "B")
    push_all(two[0], office)
    pull_all(two[1], office)
    member = members.by_card(two[1].db, "2000000000015")
    assert member is not None and (member.member_id, sum(lot.centi for lot in member.lots)) == ("B", 1_000)
    assert CARD != "2000000000015"


def test_where_a_member_comes_from_is_known_where_it_was_written(acting: Shop, office: HeadOffice) -> None:
    """Head office tells no till of it, and its word takes nothing away."""
    change = ChangeRequest(changes=(SetSource(origin="web", drive="spring"),))
    acting.till.change(MEMBER, change, "source")
    till = as_till(acting)
    push_all(till, office)
    pull_all(till, office)
    assert acting.db.execute("SELECT origin, drive FROM member WHERE id = ?", (MEMBER,)).fetchone() == ("web", "spring")
    assert verify(acting.db) == verify(office.db) == ()
