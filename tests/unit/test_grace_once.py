"""Points have a grace once, whichever of a chain's tills gives it and whoever they go over to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import from_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import CancelRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.till.staff_model import MergeRequest
from tests.shop import CARD, MEMBER, NOW, OPENING_CENTI, OTHER_CARD, Shop
from tests.unit.test_returns_elsewhere import Chain
from tests.unit.test_till_returns import COUNTED, goods

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
OTHER = "member-2"
GRACE_DAYS = 10
EVER = COUNTED.replace("version = 2", "version = 3").replace("[points]", f"[points]\ngrace_days = {GRACE_DAYS}")
END = NOW + timedelta(days=365)
"""Of the points that the members begin with."""


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    shop.add_member(OTHER, OTHER_CARD, 7_000)
    made = Chain(tmp_path, shop)
    for till in (made.first, made.second):
        till.publish(EVER)
        for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
            staff.add(till.db, person.person, role, person.pin, till.till._desk.secrets.pepper)  # type: ignore[arg-type]
    yield made
    made.second.close()
    made.office.db.close()


def all_hear(chain: Chain) -> None:
    for shop in (chain.first, chain.second):
        chain.push(shop)
    for shop in (chain.first, chain.second):
        chain.pull(shop)


def later(chain: Chain, days: int) -> None:
    for shop in (chain.first, chain.second):
        shop.now += timedelta(days=days)


def begin_and_cancel(shop: Shop, name: str, card: str = CARD) -> int:
    """A sale that would be paid with all points; answers how many it set aside."""
    sale_id = f"{name} at {shop.till._desk.config.till.id}".replace(" ", "-")
    basket = replace(goods(("cap", 300_000, "1"), redeem="max"), till=shop.till._desk.config.till.id)
    sold = shop.till.authorise(replace(shop.ask(basket, card), sale_id=sale_id), f"key {sale_id}")
    shop.till.cancel(sale_id, CancelRequest(), f"cancel {sale_id}")
    return sold.quote.redemption.centi


def ends(db: Connection) -> list[datetime]:
    """Of what members hold."""
    return [from_ms(at) for (at,) in db.execute("SELECT expires_at FROM lot WHERE remaining > 0")]


@pytest.mark.parametrize("seed", range(6))
def test_the_end_moves_once_whichever_till_cancels(chain: Chain, seed: int) -> None:
    """Sales are begun and cancelled at both tills, before the end and after it, now and then with a merge in between."""
    chance = Random(f"grace {seed}")
    later(chain, 357)
    last = None
    is_one = False
    for n in range(10):
        all_hear(chain)
        shop = chance.choice((chain.first, chain.second))
        if n > 1 and not is_one and chance.randrange(3) == 0:
            shop.till.merge(OTHER, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), f"m{n}")
            is_one = True
            all_hear(chain)
        had = {card: begin_and_cancel(shop, f"{n} {card}", card) for card in (CARD, OTHER_CARD)}
        if last is None:
            assert had[CARD] == OPENING_CENTI and had[OTHER_CARD] == 7_000
            last = shop.now + timedelta(days=GRACE_DAYS)
        all_hear(chain)
        for db in (chain.first.db, chain.second.db, chain.office.db):
            assert max(ends(db)) <= last <= END + timedelta(days=GRACE_DAYS)
        later(chain, chance.randrange(1, 4))
    assert begin_and_cancel(chain.first, "in the end") == begin_and_cancel(chain.second, "in the end") == 0, "they have run out"
    assert chain.cases() == []
    assert [verify(db) for db in (chain.first.db, chain.second.db, chain.office.db)] == [(), (), ()]


@pytest.mark.parametrize("till", ["first", "second"])
def test_goods_that_come_back_bring_no_second_grace(chain: Chain, till: str) -> None:
    """A sale is cancelled at the first till near the end; what it moved on pays at the second, and comes back at either."""
    later(chain, 360)
    all_hear(chain)
    begin_and_cancel(chain.first, "one")
    last = chain.first.now + timedelta(days=GRACE_DAYS)
    all_hear(chain)
    later(chain, 5)
    basket = replace(goods(("cap", 300_000, "1"), redeem="max"), till="T2", opened_at=chain.second.now)
    sold = chain.second.till.authorise(replace(chain.second.ask(basket), sale_id="two", complete=True), "two")
    assert sold.quote.redemption.centi == OPENING_CENTI
    all_hear(chain)
    later(chain, 6)
    back = ReturnRequest(return_id="back", receipt="PL1|T2|two", all=True, cashier="C7")
    assert getattr(chain, till).till.return_by_receipt(back, "back").restored_centi == OPENING_CENTI
    all_hear(chain)
    for db in (chain.first.db, chain.second.db, chain.office.db):
        assert max(ends(db)) == last < chain.first.now, "what came back had ended"
        assert verify(db) == ()
