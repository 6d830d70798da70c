"""Two tills settle one debt while neither hears of the other: head office lets it be settled once; the member keeps the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.store import members
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import SaleAnswer, VoidRequest
from pos_loyalty.till.staff_model import AdjustRequest
from pos_loyalty.values import Points
from tests.shop import CARD, MEMBER, OPENING_CENTI, Shop
from tests.unit.test_returns_elsewhere import Chain
from tests.unit.test_till_returns import goods

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    """The member owes 10 points, and both tills know it."""
    made = Chain(tmp_path, shop)
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    shop.till.adjust(
        MEMBER,
        AdjustRequest(centi=Points(-OPENING_CENTI - 1_000), reason="by hand", by=ANNA, approval=BORIS, owe=True),
        "o",
    )
    made.push(made.first)
    made.pull(made.second)
    yield made
    made.second.close()
    made.office.db.close()


def buy(shop: Shop, sale_id: str, price_minor: int = 40_000) -> SaleAnswer:
    request = replace(shop.ask(replace(goods(("pen", price_minor, "1")), till=shop.till._desk.config.till.id), card=CARD))
    return shop.till.authorise(replace(request, sale_id=sale_id, complete=True), f"key {sale_id}")


def stands(db: Connection) -> tuple[int, int]:
    member = members.by_id(db, MEMBER)
    assert member is not None
    return sum(lot.centi for lot in member.lots), member.owed_centi


def test_one_till_settles_and_all_know_it(chain: Chain) -> None:
    assert buy(chain.second, "s1").settled_centi == 1_000
    chain.push(chain.second)
    chain.pull(chain.first)
    assert chain.cases() == []
    assert stands(chain.office.db) == stands(chain.first.db) == stands(chain.second.db) == (1_000, 0)
    assert [verify(each) for each in (chain.office.db, chain.first.db, chain.second.db)] == [(), (), ()]


def test_two_tills_settle_it_and_the_member_pays_once(chain: Chain) -> None:
    assert buy(chain.first, "s1").settled_centi == 1_000
    assert buy(chain.second, "s2", 30_000).settled_centi == 1_000
    assert stands(chain.second.db) == (500, 0)
    chain.push(chain.first)
    chain.push(chain.second)
    assert chain.cases() == ["owed.settled_twice"]
    assert stands(chain.office.db) == (1_000 + 1_500, 0), "20 and 15 points came, ten were owed"
    for shop in (chain.first, chain.second):
        chain.pull(shop)
        assert stands(shop.db) == (2_500, 0)
        assert verify(shop.db) == ()
    assert verify(chain.office.db) == ()
    assert chain.office.rows(f"SELECT 1 FROM balance WHERE account IN ('owed:{MEMBER}', 'suspense')") == []


def test_a_debt_that_was_settled_in_part_elsewhere_takes_only_the_rest(chain: Chain) -> None:
    buy(chain.first, "s1", 12_000)  # 6 of the 10
    buy(chain.second, "s2")
    chain.push(chain.first)
    chain.push(chain.second)
    assert chain.cases() == ["owed.settled_twice"]
    assert stands(chain.office.db) == (600 + 2_000 - 1_000, 0)
    chain.pull(chain.second)
    chain.second.till.void("s2", VoidRequest(), "v")
    chain.push(chain.second)
    assert stands(chain.office.db) == stands(chain.second.db) == (0, 1_000 - 600)
    assert (verify(chain.office.db), verify(chain.second.db)) == ((), ())


def test_a_settlement_undone_before_head_office_heard_of_it(chain: Chain) -> None:
    buy(chain.first, "s1")
    buy(chain.second, "s2")
    chain.second.till.void("s2", VoidRequest(), "v")
    assert stands(chain.second.db) == (0, 1_000)
    chain.push(chain.first)
    chain.push(chain.second)
    held, owed = stands(chain.office.db)
    assert held - owed == 2_000 - 1_000
    chain.pull(chain.second)
    assert stands(chain.second.db) == (held, owed)
    assert (verify(chain.office.db), verify(chain.second.db)) == ((), ())
