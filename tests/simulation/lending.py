"""The store with a hub of hub_world.py, where gift cards and unique codes are lent too; what was sold and paid, and the laws."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.errors import ConflictError, HeadOfficeGoneError, InputError, NotAllowedError, NotFoundError, WireError
from pos_loyalty.store import outbox, right_holds
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from sync.server.steps import publish_programme
from tests.simulation import coupons
from tests.simulation.coupons import COUPONS, given, imported, listen, printed, sell, used_once
from tests.simulation.escrow import Counter
from tests.simulation.hub_world import WITH_HUB, HubWorld, StoreCounter
from tests.simulation.test_gift_card_rights import FACE, pay, sold_card

LENT = '[gift_cards]\noffline = "escrow"\n[coupons]\noffline = "escrow"\n'
HUB = '[hub]\nurl = "http://127.0.0.1:1"\n'
OF_TWO_TILLS = {"owed.settled_twice", "given_back.twice"}
"""What two tills that are cut off settle or lift of one debt: of points, and no loss."""


class Lender(StoreCounter):
    """Whose codes are of chance: two tills never make one."""

    world: LendingWorld

    def wait(self, wait_s: float) -> None:
        self.world.let_go(self)

    def stand(self, whom: str) -> None:
        """The daemon's own steps: the hub, who holds it, head office itself."""
        with suppress(HeadOfficeGoneError, WireError):
            if self._syncer is None:
                self.go()
            assert self._syncer is not None
            self._syncer.reserve(whom, lambda: self.world.now)

    def new_id(self) -> UUID:
        self.n += 1
        return UUID(bytes=sha256(f"{self.name} {self.n}".encode()).digest()[:16])


class Elsewhere(Counter):
    """The till of another store, which speaks to head office itself."""

    def new_id(self) -> UUID:
        self.n += 1
        return UUID(bytes=sha256(f"{self.name} {self.n}".encode()).digest()[:16])


class LendingWorld(HubWorld):
    """T1 and T2 by the hub of S1, T3 in S2; cards and codes go from one to the other."""

    lends = True

    def __init__(self, folder: Path, seed: int) -> None:
        self.is_waiting = False
        self.cards: list[str] = []
        self.codes: list[str] = []
        self.paid: list[tuple[Counter, str]] = []
        super().__init__(folder, seed, LENT)
        self.is_faulty = False
        publish_programme(self.office.store, COUPONS.encode(), self.now)
        self.codes += [f"PAPER-{n}" for n in range(3)]
        imported(self, *self.codes)
        self.quiet(2)

    def counter_of(self, name: str, more: str) -> Counter:
        return Lender(self, name, more + HUB) if name in WITH_HUB else Elsewhere(self, name, more)

    def let_go(self, who: Counter) -> None:
        """While one waits for what the hub lacks, the hub's line and the other till of the store go on."""
        if self.is_waiting:
            return
        self.is_waiting = True
        try:
            self.pass_s(1)
            self.line_go()
            for name in WITH_HUB:
                if name != who.name:
                    self.counters[name].go()
        finally:
            self.is_waiting = False

    def pass_s(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.office.now = self.now

    def step(self) -> None:
        """What people do with cards and coupons, or what else there is."""
        counter = self.rng.choice(list(self.counters.values()))
        with suppress(ConflictError, InputError, NotAllowedError, NotFoundError):
            match self.rng.randrange(16):
                case 0 if len(self.cards) < 4:
                    self.cards.append(sold_card(counter))
                case 1 if len(self.codes) < 20:
                    self.codes.append(given(counter))
                case 2 | 3 | 4 if self.cards:
                    self.card_goes_round(self.rng.choice(self.cards))
                case 5 | 6 | 7 if self.codes:
                    self.code_goes_round(self.rng.choice(self.codes))
                case 8 if counter.open_sales:
                    counter.end_one()
                case 9 if self.paid:
                    at, sale_id = self.paid.pop(self.rng.randrange(len(self.paid)))
                    at.till.return_goods(sale_id, ReturnRequest(return_id=f"b{sale_id}", all=True), f"b{sale_id}")
                case 10 if counter.sold and self.chance(0.5):
                    sale_id = self.rng.choice(sorted(counter.sold))
                    counter.till.void(sale_id, VoidRequest(), f"void {sale_id}")
                    del counter.sold[sale_id]
                case 11 if self.chance(0.3) and len(self.codes) < 20:
                    self.codes += printed(counter, 1)
                case 12 if self.chance(0.5):
                    self.pass_s(self.rng.choice([1_000, 5_000]))
                case _:
                    super().step()

    def card_goes_round(self, code: str) -> None:
        """A card, or a copy of its code, is presented at one till and at the next one."""
        for counter in self.some():
            show_card(counter, code)
            with suppress(ConflictError, NotFoundError):
                complete = self.chance(0.8)
                sale = pay(counter, code, self.rng.choice([FACE, FACE // 2, self.rng.randrange(1, FACE)]), complete=complete)
                if complete:
                    self.paid.append((counter, sale.sale_id))
                else:
                    counter.open_sales.append(sale.sale_id)

    def code_goes_round(self, code: str) -> None:
        """The same with a coupon."""
        for counter in self.some():
            show_code(counter, code)
            with suppress(ConflictError, InputError):
                sell(counter, (code,), complete=self.chance(0.8))

    def some(self) -> list[Counter]:
        """One till, or one and then the next."""
        return self.rng.sample(list(self.counters.values()), self.rng.choice([1, 2, 2, 3]))


def show_card(counter: Counter, code: str) -> None:
    """It is presented, and asked for where this till lacks it."""
    counter.go()
    counter.stand("gift:" + sha256(code.encode()).hexdigest())
    listen(counter.world)


def show_code(counter: Counter, code: str) -> None:
    """The same with a coupon's code."""
    counter.go()
    counter.stand("coupon:" + code)
    listen(counter.world)


def on_cards(world: HubWorld) -> dict[str, int]:
    """What is left on each card by all that the tills themselves wrote."""
    sums: defaultdict[str, int] = defaultdict(int)
    for counter in world.counters.values():
        for debit, credit, amount in counter.db.execute(OWN_ENTRIES, (counter.name,)):
            sums[debit] -= amount
            sums[credit] += amount
    return {account: amount for account, amount in sums.items() if account.startswith("gift:")}


def check_now(world: HubWorld) -> None:
    """At any moment, by what was sold and paid, whatever anybody heard of it."""
    used_once(world)
    left = on_cards(world)
    assert all(0 <= amount <= FACE for amount in left.values()), f"a card pays what was sold on it: {left}"


def check_quiet(world: LendingWorld) -> None:
    """When all have heard of all."""
    check_now(world)
    coupons.check(world)
    assert {str(case[2]) for case in world.cases()} <= OF_TWO_TILLS, world.cases()
    assert verify(world.hub.node.db) == ()
    accounts = dict(world.office.rows("SELECT account, amount FROM balance WHERE account GLOB 'gift:*' AND amount <> 0"))
    assert accounts == {account: amount for account, amount in on_cards(world).items() if amount}, "no money is lost or made"
    for account, amount in on_cards(world).items():
        assert held(world, account) <= amount, "what all hold is on the card"
    for code in world.codes:
        assert held(world, f"coupon:{code}") <= 1
    for counter in world.counters.values():
        assert outbox.unsent_count(counter.db) == 0


def held(world: LendingWorld, lot: str) -> int:
    """By all, at head office; the hub says the same of itself."""
    found = right_holds.holders(world.office.db, lot)
    name, epoch = world.hub.name, world.hub.signer.credential.epoch
    own = right_holds.held(world.hub.node.db, name, epoch, (lot,), world.now).get(lot)
    assert found.get((name, epoch), 0) == (own.centi if own else 0), "the hub and head office say the same"
    return sum(found.values())


def held_by(db: Connection, counter: Counter, lot: str) -> int:
    """By a till, as it says itself."""
    epoch = counter.here.signer.credential.epoch
    own = right_holds.held(db, counter.name, epoch, (lot,), counter.world.now).get(lot)
    return own.usable_centi if own else 0


def account_of(counter: Counter, code: str) -> str:
    """The account of a card that this till sold."""
    mark = bytes.fromhex(sha256(code.encode()).hexdigest())
    return gift_account(counter.db.execute("SELECT id FROM gift_card WHERE code_hash = ?", (mark,)).fetchone()[0])


OWN_ENTRIES = """SELECT e.debit_acct, e.credit_acct, e.amount FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE t.till = ? AND (e.debit_acct GLOB 'gift:*' OR e.credit_acct GLOB 'gift:*')"""
