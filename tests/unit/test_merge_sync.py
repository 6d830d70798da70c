"""Two tills make one person of the same two members while neither hears of the other: points and debt go over once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import members
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.member_model import ChangeRequest, LetInRequest, SetState
from pos_loyalty.till.staff_model import AdjustRequest, MergeRequest
from pos_loyalty.values import Points
from tests.shop import MEMBER, OPENING_CENTI, OTHER_CARD, Shop
from tests.unit.test_returns_elsewhere import Chain
from tests.unit.test_till_returns import goods

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
OTHER, THIRD, THIRD_CARD = "member-2", "member-3", "2000000000039"


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    """Two tills that know two members, the first of whom has 500 points."""
    shop.add_member(OTHER, OTHER_CARD, 7_000)
    made = Chain(tmp_path, shop)
    for till in (made.first, made.second):
        for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
            staff.add(till.db, person.person, role, person.pin, till.till._desk.secrets.pepper)  # type: ignore[arg-type]
    yield made
    made.second.close()
    made.office.db.close()


def take(chain: Chain, member_id: str, centi: int) -> None:
    """At the first till; the second one hears of it."""
    request = AdjustRequest(centi=Points(-centi), reason="by hand", by=ANNA, approval=BORIS, owe=True)
    chain.first.till.adjust(member_id, request, f"take {member_id}")
    chain.push(chain.first)
    chain.pull(chain.second)


def merge(shop: Shop, key: str) -> None:
    shop.till.merge(OTHER, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), key)


def stands(db: Connection) -> tuple[int, int]:
    member = members.by_id(db, MEMBER)
    assert member is not None
    return sum(lot.centi for lot in member.lots), member.owed_centi


def all_agree(chain: Chain) -> tuple[int, int]:
    """How the one who stays stands everywhere, once all was sent and heard."""
    for shop in (chain.first, chain.second):
        chain.push(shop)
    for shop in (chain.first, chain.second):
        chain.pull(shop)
    (figures,) = {stands(db) for db in (chain.first.db, chain.second.db, chain.office.db)}
    assert [verify(db) for db in (chain.first.db, chain.second.db, chain.office.db)] == [(), (), ()]
    between = chain.office.rows(f"SELECT amount FROM balance WHERE account IN ('merge:{OTHER}', 'suspense')")
    assert between == []
    return figures


def block(shop: Shop, member_id: str, key: str) -> None:
    shop.till.change(member_id, ChangeRequest(changes=(SetState(state="blocked"),), by=ANNA), key)


def test_a_blocked_member_is_not_merged_into_one_who_may_act(chain: Chain) -> None:
    block(chain.first, OTHER, "block")
    before = chain.first.rows()["txn"]
    with pytest.raises(ConflictError, match=r"blocked.*let them in first"):
        merge(chain.first, "m1")
    assert chain.first.rows()["txn"] == before
    chain.first.till.let_in(LetInRequest(card=OTHER_CARD, by=ANNA), "in")
    merge(chain.first, "m2")
    assert stands(chain.first.db)[0] == OPENING_CENTI + 7_000


def test_a_merge_of_one_whom_another_till_blocked_is_a_case(chain: Chain) -> None:
    block(chain.first, OTHER, "block")
    chain.push(chain.first)
    merge(chain.second, "m2")  # cut off: it has not heard
    chain.push(chain.second)
    assert [reason for (reason,) in chain.office.rows("SELECT reason FROM suspense_case")] == ["member.blocked"]
    assert verify(chain.office.db) == ()


def test_a_debt_goes_over_once(chain: Chain) -> None:
    take(chain, MEMBER, OPENING_CENTI)
    take(chain, OTHER, 7_000 + 1_000)
    merge(chain.first, "m1")
    merge(chain.second, "m2")
    assert all_agree(chain) == (0, 1_000)
    assert chain.cases() == ["merge.short"]


def test_the_card_of_one_who_goes_over_into_somebody_who_went_over_is_the_last_ones(chain: Chain) -> None:
    """The till that made the second merge had not heard of the first."""
    chain.first.add_member(THIRD, THIRD_CARD, 3_000)
    chain.push(chain.first)
    chain.pull(chain.second)
    merge(chain.first, "m1")
    chain.push(chain.first)
    into = MergeRequest(into=OTHER, reason="one person", by=ANNA, approval=BORIS)
    chain.second.till.merge(THIRD, into, "m2")
    for shop in (chain.second, chain.first, chain.second):
        chain.push(shop)
        chain.pull(shop)
    whose = [
        shop.db.execute("SELECT member FROM card WHERE number = ?", (THIRD_CARD,)).fetchone()
        for shop in (chain.office, chain.first)
    ]
    assert whose == [(MEMBER,), (MEMBER,)]
    for db in (chain.first.db, chain.second.db, chain.office.db):
        found = members.by_card(db, THIRD_CARD)
        assert found is not None and found.member_id == MEMBER
        assert verify(db) == ()


def test_points_go_over_once(chain: Chain) -> None:
    merge(chain.first, "m1")
    merge(chain.second, "m2")
    assert stands(chain.second.db) == (OPENING_CENTI + 7_000, 0)
    assert all_agree(chain) == (OPENING_CENTI + 7_000, 0)
    assert chain.cases() == ["merge.short"]


def test_a_debt_that_the_lots_of_the_other_settled_is_settled_once(chain: Chain) -> None:
    take(chain, OTHER, 7_000 + 1_000)
    merge(chain.first, "m1")
    merge(chain.second, "m2")
    assert all_agree(chain) == (OPENING_CENTI - 1_000, 0)
    assert set(chain.cases()) == {"merge.short", "owed.settled_twice"}


def test_what_was_redeemed_elsewhere_does_not_go_over(chain: Chain) -> None:
    basket = replace(goods(("pen", 20_000, "1"), redeem=5_000), till="T2")
    asked = chain.second.ask(basket, card=OTHER_CARD)
    assert chain.second.till.authorise(replace(asked, complete=True), "s").quote.redemption.centi == 5_000
    merge(chain.first, "m1")
    chain.push(chain.second)
    chain.push(chain.first)
    held, owed = stands(chain.office.db)
    assert (held, owed) == (OPENING_CENTI + 2_000, 0) and chain.cases() == ["merge.short"]
    assert verify(chain.office.db) == ()
