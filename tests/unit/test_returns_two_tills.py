"""Goods come back at two tills after points ran out: in any order the member has what they had. See docs/returns.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor, quantity
from sync.server.expiry import expire_due
from tests.shop import MEMBER, OPENING_CENTI, PROGRAMME, Shop
from tests.unit.test_returns_elsewhere import Chain

SENIOR = Approval(person="S1", pin="998877")
SHORT = PROGRAMME.replace("lifetime_days = 180", "lifetime_days = 5").replace("version = 1", "version = 3")
PROGRAMMES = {
    "no grace": SHORT,
    "grace": SHORT.replace("[points]", "[points]\ngrace_days = 10"),
    "forgives": SHORT.replace("[points]", '[points]\nowed = "forgive"'),
}
USED_CENTI = 3_000
ACTS = {"a": ("T1", "first"), "A": ("T1", "second"), "u": ("T2", "second"), "U": ("T2", "first")}
"""What comes back, by the till that sold it, and where. ``s`` in a word: all tills send and ask."""
WORDS = [
    "".join(word)
    for bought in "aA"
    for used in "uU"
    for pair in permutations((bought, used))
    for word in (pair, (pair[0], "s", pair[1]))
]
OF = {"T1": "bought", "T2": "used"}


@pytest.fixture(params=PROGRAMMES)
def chain(shop: Shop, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Chain]:
    """Bought at the first till, 30.00 of its points used at the second, all told; then the points of both sales run out."""
    made = Chain(tmp_path, shop)
    for till in (made.first, made.second):
        till.publish(PROGRAMMES[request.param])
        staff.add(till.db, SENIOR.person, "senior", SENIOR.pin, till.till._desk.secrets.pepper)
    told(made)
    sell(made.first, "T1")
    told(made)
    sell(made.second, "T2", redeem=USED_CENTI)
    told(made)
    for till in (made.first, made.second):
        till.now += timedelta(days=8)
    yield made
    made.second.close()
    made.office.db.close()


def sell(shop: Shop, till: str, redeem: int | None = None) -> None:
    line = Line(line_id="1", sku="tea", quantity_milli=quantity("1"), price_minor=Minor(100_000))
    basket = Basket(
        basket_id=OF[till], store="S1", till=till, cashier="C7", opened_at=shop.now, currency="RUB", lines=(line,), redeem=redeem
    )
    shop.till.authorise(replace(shop.ask(basket), sale_id=OF[till], complete=True), OF[till])


def told(chain: Chain) -> None:
    for _ in range(2):
        for shop in (chain.first, chain.second):
            chain.push(shop)
        for shop in (chain.first, chain.second):
            chain.pull(shop)


def bring_back(chain: Chain, act: str) -> None:
    till, where = ACTS[act]
    shop: Shop = getattr(chain, where)
    request = ReturnRequest(return_id=f"r{act}", receipt=f"PL1|{till}|{OF[till]}", all=True, cashier="C7")
    shop.till.return_by_receipt(request, f"r{act}")


def alive_centi(shop: Shop, now: datetime) -> int:
    rows = shop.db.execute("SELECT remaining, expires_at FROM lot WHERE member = ?", (MEMBER,)).fetchall()
    return sum(centi for centi, ends in rows if ends is None or ends > now.timestamp() * 1000)


def check_all_is_as_before(chain: Chain) -> None:
    told(chain)
    assert [alive_centi(shop, chain.first.now) for shop in (chain.first, chain.second)] == [OPENING_CENTI] * 2
    named = {account for (account,) in chain.office.rows("SELECT account FROM balance WHERE unit = 'point' AND amount <> 0")}
    assert named == {f"member:{MEMBER}", "programme:test:issued"}, "nothing is owed, forgiven, or of nobody"
    assert chain.cases() == []
    for db in (chain.first.db, chain.second.db, chain.office.db):
        assert verify(db) == ()


@pytest.mark.parametrize("word", WORDS)
def test_who_brings_all_back_at_any_till_has_what_they_had(chain: Chain, word: str) -> None:
    for act in word:
        if act == "s":
            told(chain)
        else:
            bring_back(chain, act)
    check_all_is_as_before(chain)
    booked = chain.office.rows("SELECT COUNT(*) FROM txn WHERE till = 'head-office'")
    told(chain)
    assert chain.office.rows("SELECT COUNT(*) FROM txn WHERE till = 'head-office'") == booked, "asked again it books nothing"


def test_a_void_is_as_a_return(chain: Chain) -> None:
    chain.second.till.void("used", VoidRequest(cashier="C7", approval=SENIOR), "void")
    told(chain)
    chain.first.till.void("bought", VoidRequest(cashier="C7", approval=SENIOR), "void")
    check_all_is_as_before(chain)


def test_what_ran_out_at_head_office_meanwhile_is_given_back(chain: Chain) -> None:
    """A silent till took other points for the used ones; these came back at another till, and head office booked their end."""
    bring_back(chain, "A")
    bring_back(chain, "U")
    chain.push(chain.first)
    expire_due(chain.office.store, chain.first.now + timedelta(days=40))
    chain.push(chain.second)
    told(chain)
    accounts = dict(chain.office.rows("SELECT account, amount FROM balance WHERE unit = 'point'"))
    assert accounts.get(f"owed:{MEMBER}", 0) == 0
    assert alive_centi(chain.first, chain.first.now) == OPENING_CENTI


def test_a_return_alone_takes_what_another_till_knows_was_used(chain: Chain) -> None:
    """The points of the goods were used: the till that takes the goods back does not see it, head office does."""
    bring_back(chain, "a")
    told(chain)
    assert alive_centi(chain.second, chain.second.now) == OPENING_CENTI - USED_CENTI
    assert chain.office.rows("SELECT kind, member FROM txn WHERE till = 'head-office' AND member IS NOT NULL") == [
        ("points.settled", MEMBER)
    ]
