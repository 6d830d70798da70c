"""Head office takes points of a lot that ended for what its member owed; a till that has not heard of it takes its goods back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pos_loyalty.engine.model import Basket, Tender
from pos_loyalty.store import members
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import QuoteRequest, SaleRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest
from sync.server.expiry import expire_due
from tests.property.test_order_of_returns import KEPT, _line
from tests.property.test_returns_over_tills import HARMLESS, WHO, Tills, left
from tests.simulation.escrow import OPENING_CENTI, STORES

OWED_CENTI = 1_500
ANNA, BORIS = Approval(person="A1", pin="112233"), Approval(person="S1", pin="998877")


@pytest.fixture(params=["no grace", "grace"])
def tills(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tills]:
    text = KEPT.replace("[points]", "[points]\ngrace_days = 10") if request.param == "grace" else KEPT
    with closing(Tills(tmp_path, text)) as made:
        for counter in made.world.counters.values():
            for person in (ANNA, BORIS):
                staff.add(counter.db, person.person, "senior", person.pin, counter.till._desk.secrets.pepper)
        yield made


def sell(tills: Tills, till: str, sale_id: str, redeem: str | None = None) -> None:
    """Goods for 500.00."""
    basket = Basket(
        basket_id=sale_id, store=STORES[till], till=till, cashier="C7", opened_at=tills.world.now, currency="RUB",
        lines=(_line(2, 1, 50_000),), redeem=redeem,
    )  # fmt: skip
    at = tills.world.counters[till].till
    quote = at.quote(QuoteRequest(basket=basket, member_id=WHO))
    paid = (Tender(kind="cash", amount_minor=quote.due_minor),)
    request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=paid, complete=True)
    at.authorise(request, sale_id)


def bring_back(tills: Tills, till: str, sale_id: str) -> None:
    request = ReturnRequest(return_id=f"r{sale_id}", all=True, cashier="C7")
    tills.world.counters[till].till.return_goods(sale_id, request, f"back {sale_id}")


def owe_by_hand(tills: Tills) -> None:
    """The first till holds nothing of the member, so what it takes is owed."""
    request = AdjustRequest(centi=-OWED_CENTI, reason="a mistake", by=ANNA, approval=BORIS, owe=True)
    tills.world.counters["T1"].till.adjust(WHO, request, "by hand")


def owe_by_goods(tills: Tills) -> None:
    """The first till sold goods, took the points of them for others, and takes the first goods back."""
    sell(tills, "T1", "bought")
    sell(tills, "T1", "used", "max")
    bring_back(tills, "T1", "bought")


@pytest.mark.parametrize("owe", [owe_by_hand, owe_by_goods])
def test_what_was_owed_is_owed_again(tills: Tills, owe: Callable[[Tills], None]) -> None:
    sell(tills, "T2", "late")
    owe(tills)
    owed = members.owed_of(tills.world.counters["T1"].db, WHO)
    assert owed > 0
    tills.told()
    tills.later(14)
    tills.told("T1", "T2", "T3")
    for _ in range(2):
        expire_due(tills.world.office.store, tills.world.now)
    bring_back(tills, "T2", "late")
    for _ in range(2):
        tills.told()
        expire_due(tills.world.office.store, tills.world.now)
    assert {case[2] for case in tills.world.cases()} <= HARMLESS
    tills.later(60)
    for _ in range(2):
        tills.told()
        expire_due(tills.world.office.store, tills.world.now)
    assert left(tills.world.office) == (OPENING_CENTI - owed, 0)
