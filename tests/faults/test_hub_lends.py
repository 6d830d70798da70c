"""Gift cards and unique codes in a store whose hub is a process, over HTTP: what one till sold or issued is good at the next one
while head office is away, whatever is killed; no card pays more than was sold on it, and no code pays twice.

Two tills behind the hub and one of another store, each a daemon and a checkout; ``make bank`` is the long form.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import ConflictError, InputError, NotFoundError, StoreBusyError
from pos_loyalty.till.gift_card_model import GiftCardRequest
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.values import Minor, Thousandths
from tests.faults import bank
from tests.faults.chain import QUIET_S, SEED, Chain
from tests.faults.namespaces import LOOPBACK
from tests.faults.nodes import Shopfloor, rows
from tests.simulation.coupons import COUPONS

pytestmark = pytest.mark.timeout(3600)
ROUNDS = int(os.environ.get("LENDING_ROUNDS", "1"))
ACTS = 8
"""In a round of the bad lines; a hub is killed once in a round of the cut line."""
LENT = '\n[gift_cards]\noffline = "escrow"\n[coupons]\noffline = "escrow"\n'
FACE, CHEAP, DEAR = 10_000, 3_000, 5_000
"""What a card is sold for; a sale that brings no code, and one that brings one."""
AGAIN_S = 2.2
"""What was asked for in vain is asked for again after that; a scan before it counts as one of a card that nobody knows."""
OWN = "SELECT debit_acct, credit_acct, amount FROM entry AS e JOIN txn AS t ON t.id = e.txn WHERE t.till = '{till}'"
USES = """SELECT u.code, s.till || '/' || s.sale_id FROM coupon_use AS u
JOIN sale AS s ON (s.till, s.sale_id) = (u.till, u.sale_id) WHERE s.state IN ('authorised', 'completed') ORDER BY 1, 2"""
ON_CARDS = "SELECT account, amount FROM balance WHERE account GLOB 'gift:*' AND amount <> 0"


class Checkout:
    """A till of the store, as its host calls it."""

    def __init__(self, floor: Shopfloor) -> None:
        self.floor, self.name = floor, floor.name
        self.till = wiring.open_till(floor.config)
        self._n = 0

    def sold_card(self) -> str:
        """The code of a new card."""
        code = self.sell("GC", FACE).gift_cards[0].code
        assert code is not None
        return code

    def given(self) -> str:
        """The code of a coupon that a sale brought."""
        (coupon,) = [each for each in self.sell("1", DEAR).coupons if each.code != "SUMMER"]
        return coupon.code

    def pay(self, code: str, minor: int) -> SaleAnswer:
        """Goods are paid by card alone."""
        return self.sell("1", minor, Tender(kind="gift", amount_minor=Minor(minor), card=code))

    def sell(self, sku: str, price_minor: int, *tenders: Tender, coupons: tuple[str, ...] = ()) -> SaleAnswer:
        """One piece; what the tenders do not pay comes in cash. While the daemon holds the file for long: again."""
        self._n += 1
        sale_id = f"{self.name}-{self._n}"
        basket = self._basket(sku, price_minor, coupons)
        while True:
            with suppress(StoreBusyError):
                quote = self.till.quote(QuoteRequest(basket=basket))
                rest = quote.due_minor - sum(tender.amount_minor for tender in tenders)
                paid = (*tenders, Tender(kind="cash", amount_minor=Minor(rest))) if rest else tenders
                request = SaleRequest(
                    sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=paid, complete=True
                )
                return self.till.authorise(request, f"sell {sale_id} {quote.quote_id}")

    def holds(self, code: str) -> int:
        """What this till may take of a card that is presented."""
        with suppress(NotFoundError):
            return self.till.gift_card(GiftCardRequest(card=code)).balance_minor
        return 0

    def redeems(self, code: str) -> bool:
        """Sells for a coupon that is presented, when the till takes it; else nothing is sold."""
        if not self.till.quote(QuoteRequest(basket=self._basket("1", CHEAP, (code,)))).coupons:
            return False
        return bool(self.sell("1", CHEAP, coupons=(code,)).quote.coupons)

    def _basket(self, sku: str, price_minor: int, coupons: tuple[str, ...]) -> Basket:
        line = Line(line_id="1", sku=sku, quantity_milli=Thousandths(1_000), price_minor=Minor(price_minor))
        return Basket(
            basket_id=self.name, store=self.till._desk.config.store.id, till=self.name, opened_at=utc_now(), currency="RUB",
            lines=(line,), coupons=coupons,
        )  # fmt: skip


class Trade:
    """The chain with its checkouts, what was sold there, and the laws."""

    def __init__(self, folder: Path) -> None:
        self.chain = Chain(folder, LOOPBACK, ("T1", "T2", "T9"), behind=("T1", "T2"), abroad=("T9",))
        self.chain.office.prepare(COUPONS, ())
        for floor in self.chain.tills:
            floor.config.write_text(floor.config.read_text(encoding="utf-8") + LENT, encoding="utf-8")
        self.checkouts: dict[str, Checkout] = {}

    def open(self) -> None:
        """All runs, and each checkout can sell."""
        self.chain.open()
        self.checkouts = {floor.name: Checkout(floor) for floor in self.chain.tills}

    def close(self) -> None:
        """End all."""
        self._close_checkouts()
        self.chain.close()

    def _close_checkouts(self) -> None:
        for checkout in self.checkouts.values():
            checkout.till.close()

    def check(self) -> None:
        """When all have heard of all: by the tills' own logs no card paid more than was sold on it and no code twice, head office
        has booked just that, and nothing went to suspense."""
        chain, office = self.chain, self.chain.office.database
        assert chain.hub is not None
        self._close_checkouts()
        chain.end()
        left, uses = Counter[str](), []
        for floor in chain.tills:
            log = bank.LOG.format(till=floor.name)
            assert rows(floor.database, log) == rows(office, log)
            for debit, credit, amount in rows(floor.database, OWN.format(till=floor.name)):
                assert isinstance(amount, int)
                left[str(debit)] -= amount
                left[str(credit)] += amount
            uses += [row for row in rows(floor.database, USES) if str(row[1]).startswith(floor.name)]
        on_cards = {account: amount for account, amount in left.items() if account.startswith("gift:") and amount}
        assert all(0 < amount <= FACE for amount in on_cards.values()), on_cards
        assert dict(rows(office, ON_CARDS)) == on_cards
        assert sorted(uses) == rows(office, USES) and len({code for code, _ in uses}) == len(uses) > 0
        assert rows(office, "SELECT till, seq, reason FROM suspense_case") == []
        for path in (*(floor.database for floor in chain.tills), chain.hub.database, office):
            assert wiring.verify(path) == (), path


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Trade]:
    made = Trade(tmp_path)
    yield made
    made.close()


def seen(is_so: Callable[[], bool], otherwise: str, patience_s: float = QUIET_S) -> float:
    """It is presented again and again; after how many seconds it was good."""
    began = time.monotonic()
    wait_s = 0.3
    while not is_so():
        assert time.monotonic() - began < patience_s, otherwise
        time.sleep(wait_s)
        wait_s = AGAIN_S
    return time.monotonic() - began


def test_cards_and_codes_go_from_till_to_till_by_a_hub_that_is_killed(trade: Trade) -> None:
    """Head office is away. When it is back a till of another store gets what is left on a card that rests at the hub."""
    trade.open()
    chain, (first, second, third) = trade.chain, trade.checkouts.values()
    assert chain.hub is not None
    chain.office.process.kill()
    waits = []
    for _ in range(ROUNDS):
        code, coupon = first.sold_card(), first.given()
        waits.append(seen(lambda code=code: second.holds(code) == FACE, "the card does not come"))  # type: ignore[misc]
        second.pay(code, FACE - CHEAP)
        assert first.holds(code) == 0
        with pytest.raises(ConflictError):
            first.pay(code, FACE)
        seen(lambda coupon=coupon: second.redeems(coupon), "the coupon does not come")  # type: ignore[misc]
        assert not first.redeems(coupon)
        chain.hub.process.kill()
        chain.hub.process.start()
        seen(lambda code=code: first.holds(code) == CHEAP, "the rest does not come back")  # type: ignore[misc]
        first.pay(code, CHEAP)
        with pytest.raises(ConflictError):
            second.pay(code, 1)
    rest = first.sold_card()
    chain.office.process.start()
    seen(lambda: third.holds(rest) == FACE, "the other store is lent nothing")
    third.pay(rest, FACE)
    trade.check()
    print(f"a card that was sold at one till was good at the next after {sorted(waits)} s")


def test_no_card_and_no_code_pays_twice_over_bad_lines(trade: Trade) -> None:
    """Cards and codes, and copies of them, are presented at any till; every line is bad, hub and daemons are killed."""
    trade.open()
    chain, checkouts, chance = trade.chain, list(trade.checkouts.values()), Random(SEED)
    assert chain.hub is not None
    chain.roughen()
    cards, codes, done = list[str](), list[str](), Counter[str]()
    for number in range(ROUNDS * ACTS):
        at = chance.choice(checkouts)
        if number % 4 == 0:
            cards.append(at.sold_card())
            codes.append(at.given())
        victim = chance.choice([chain.hub.process, chain.office.process, *(floor.daemon for floor in chain.tills)])
        if number % 3 == 0:
            victim.kill()
            victim.start()
        card, code = chance.choice(cards[-3:]), chance.choice(codes[-3:])
        for checkout in chance.sample(checkouts, 3):
            checkout.holds(card)
            with suppress(ConflictError, NotFoundError):
                sold = checkout.pay(card, chance.choice((FACE, FACE // 2, CHEAP)))
                done[f"paid at {checkout.name}"] += 1
                if chance.random() < 0.3:
                    checkout.till.void(sold.sale_id, VoidRequest(), f"void {sold.sale_id}")
                    done["voided"] += 1
            with suppress(InputError):
                done[f"redeemed at {checkout.name}"] += checkout.redeems(code)
        time.sleep(chance.random())
    chain.calm()
    for floor in chain.tills:  # one that heard nothing for long may wait for minutes
        floor.daemon.kill()
        floor.daemon.start()
    last = checkouts[0].sold_card()
    for checkout in checkouts[1:]:
        seen(lambda checkout=checkout: checkout.holds(last) > 0, f"{checkout.name} is lent nothing any more")  # type: ignore[misc]
        checkout.pay(last, FACE // 2)
    trade.check()
    print(dict(done), dict(chain.fates.most_common()))
