"""A sale that was paid in part, elsewhere than where it was sold: claimed later, returned at two tills, judged by head office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.model import Tender
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import CompleteRequest
from pos_loyalty.till.returns_model import ReturnAnswer
from pos_loyalty.till.staff_model import ClaimRequest
from pos_loyalty.values import Minor
from sync.server.recompute import Recomputed, Sold, recomputed
from tests.shop import CARD, MEMBER, OPENING_CENTI, PROGRAMME, Shop
from tests.unit.test_returns_elsewhere import Chain
from tests.unit.test_till_returns import back, goods, take

BORIS = Approval(person="S1", pin="998877")
GOODS = goods(("book", 20_000, "1"), ("pen", 10_000, "1"), ("bag", 6_000, "1"))
PAID = 18_000
"""Of 360.00: 5 % of it are 9 points, half of what the quote said."""


def sell_short(shop: Shop, card: str | None = CARD) -> None:
    tender = Tender(kind="cash", amount_minor=Minor(PAID))
    shop.till.authorise(replace(shop.ask(GOODS, card), complete=False), "authorise")
    shop.till.complete("sale-1", CompleteRequest(tenders=(tender,)), "complete")


# --- a forgotten card


@pytest.mark.parametrize(("returned", "centi"), [((), 900), (("pen",), 650), (("book",), 400)])
def test_a_claim_brings_the_paid_part_of_what_is_kept(shop: Shop, returned: tuple[str, ...], centi: int) -> None:
    shop.publish(PROGRAMME.replace("version = 1", "version = 2").replace("[points]", "[points]\nclaim_days = 14"))
    staff.add(shop.db, BORIS.person, "senior", BORIS.pin, shop.till._desk.secrets.pepper)
    sell_short(shop, card=None)
    for sku in returned:
        take(shop, f"r-{sku}", (sku, "1"))
    claimed = shop.till.claim("sale-1", ClaimRequest(member_id=MEMBER, by="C7", approval=BORIS), "claim")
    assert claimed.accrued_centi == centi
    assert take(shop, "rest", all=True).taken_back_centi == centi
    assert shop.usable_centi() == OPENING_CENTI
    assert verify(shop.db) == ()


# --- two tills


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path, shop)
    yield made
    made.second.close()
    made.office.db.close()


def told(chain: Chain) -> None:
    for _ in range(2):
        for shop in (chain.first, chain.second):
            chain.push(shop)
        for shop in (chain.first, chain.second):
            chain.pull(shop)


def at_second(chain: Chain, sku: str) -> ReturnAnswer:
    return chain.second.till.return_by_receipt(replace(back(f"r-{sku}", (sku, "1")), receipt="PL1|T1|sale-1"), sku)


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize(("there", "here"), [("book", "pen"), ("pen", "book")])
def test_points_go_with_the_goods_at_whichever_till(chain: Chain, there: str, here: str, knows: bool) -> None:
    """Cut off from each other each till takes what was never paid off its own money back: it is too little then, never too
    much, and head office has a case that says so. The points come out right by themselves."""
    sell_short(chain.first)
    told(chain)
    first = at_second(chain, there)
    if knows:
        told(chain)
    else:
        chain.office.is_silent = True
    second = take(chain.first, f"r-{here}", (here, "1"))
    assert first.taken_back_centi + second.taken_back_centi == 750
    chain.office.is_silent = False
    told(chain)
    for shop in (chain.first, chain.second):
        assert shop.usable_centi() == OPENING_CENTI + 150, "what the bag brought, which is kept"
    for db in (chain.office.db, chain.first.db, chain.second.db):
        assert verify(db) == ()
    paid_back, due_back = first.refund_minor + second.refund_minor, PAID - 6_000  # the bag is paid for
    said = [str(detail) for (detail,) in chain.office.rows("SELECT detail FROM suspense_case WHERE reason = 'return.differs'")]
    if knows:
        assert paid_back == due_back and said == []
    else:
        assert paid_back < due_back and len(said) == 1
        assert f"were {due_back - second.refund_minor}" in said[0], "head office heard of the second one first"


# --- head office


def facts_of(shop: Shop) -> list[Fact]:
    return [fact_of(payload) for (payload,) in shop.db.execute("SELECT payload FROM txn ORDER BY seq")]


def judged(shop: Shop, factor: int) -> Recomputed:
    """Head office's word on the completion, its accrued points multiplied."""
    begun = next(fact.sale for fact in facts_of(shop) if fact.sale is not None)
    end = next(fact for fact in facts_of(shop) if fact.end is not None)
    entries = tuple(replace(each, amount=each.amount * factor) if each.kind == "accrue" else each for each in end.entries)
    sold = Sold(fact=replace(end, entries=entries), begun=begun, stopped=(), member=None)
    return recomputed(sold, load_programme(PROGRAMME.encode()))


def test_head_office_knows_what_the_paid_part_brings(shop: Shop) -> None:
    """A till that says why a sale is strange brings nobody more points by saying so."""
    sell_short(shop)
    assert judged(shop, 1).verdict == "agreed"
    assert judged(shop, 2).verdict == "differs"
    assert shop.usable_centi() == OPENING_CENTI + 900
