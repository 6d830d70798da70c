"""Three real tills, each over its own files and with its own daemon, and a head office that grants rights; all in one thread.

Messages are lost, doubled and late; tills sell in the midst of an exchange and restart; head office is restored from any backup.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from pos_loyalty import wiring
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import (
    ConflictError,
    HeadOfficeGoneError,
    InputError,
    NotAllowedError,
    NotFoundError,
    TokenError,
    WireError,
)
from pos_loyalty.store import epochs
from pos_loyalty.store.db import Connection
from pos_loyalty.till import Till
from pos_loyalty.till.model import CancelRequest, CompleteRequest, QuoteRequest, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Thousandths, decode, encode
from sync import identity, right_round, rights
from sync.daemon import Pace, Syncer
from sync.identity import EnrolRequest, Holder, Signer
from sync.local import Here
from sync.rights import RightsAnswer, RightsRequest
from sync.server import enrol
from sync.server.expiry import expire_due
from sync.server.right_desk import FileMark, RightDesk
from sync.server.rights import RightTerms
from sync.server.steps import publish_programme
from sync.wire import Reply, problem
from tests.simulation.shop import NO_POWER_CUT, NOW, OFFICE, OFFICE_PUBLIC, HeadOffice, half, json_reply

PROGRAMME = """
format = 1
id = "test"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
title = { ru = "Проба", en = "Trial" }
[points]
value = "1.00"
lifetime_days = 400
[redeem]
limit = "90%"
[[rule]]
id = "base"
title = { ru = "Баллы", en = "Points" }
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "40%" }]
[[gift_card]]
id = "standard"
sku = "GC"
amounts = ["100"]
top_up = true
"""
CONFIG = """
secrets = "secrets.toml"
[store]
id = "{store}"
name = "Проба"
[till]
id = "{till}"
database = "till.db"
[head_office]
url = "http://127.0.0.1:1"
{more}
"""
STORES = {"T1": "S1", "T2": "S1", "T3": "S2"}
MEMBERS = {"M0": "2200000000019", "M1": "2200000000026", "M2": "2200000000033"}
OPENING_CENTI = 20_000
LOST = HeadOfficeGoneError("head office does not answer")


class Waiting:
    """Who asks head office, when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def wake(self, whom: str) -> bool:
        """Note it; once."""
        if whom in self.asked:
            return False
        self.asked.append(whom)
        return True

    def close(self) -> None:
        """Nothing to let go of."""


class GrantingOffice(HeadOffice):
    """Head office without HTTP, with its mark beside its file."""

    def __init__(self, folder: Path, terms: RightTerms) -> None:
        self.now = NOW
        self._made = 0
        self.desk = RightDesk(terms, FileMark(folder / "head_office.db.mark"))
        super().__init__(folder)

    def open(self) -> None:
        super().open()
        self.desk.opened(self.store, self.now)

    def new_id(self) -> UUID:
        """Of chance, as far as a seed goes: never again what a head office that forgot it gave."""
        self._made += 1
        return UUID(int=random.Random(f"{self._made}").getrandbits(128))

    def rights(self, till: str, epoch: int, question: bytes) -> Reply:
        try:
            asked = decode(question, RightsRequest)
            holder = Holder(till=till, epoch=epoch)
            return json_reply(200, encode(self.desk.answer(self.store, holder, asked, self.new_id, self.now)))
        except TokenError as error:
            return json_reply(401, encode(problem("token", 401, str(error))))
        except WireError as error:
            return json_reply(422, encode(problem("wire", 422, str(error))))


class Counter:
    """A real till of a store, and its daemon."""

    def __init__(self, world: World, name: str, more: str = "") -> None:
        self.world, self.name = world, name
        folder = world.folder / name
        folder.mkdir()
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(store=STORES[name], till=name, more=more), encoding="utf-8")
        wiring.make_secrets(self.config)
        self.n = 0
        self.open_sales: list[str] = []
        self.sold: dict[str, datetime] = {}
        self.late: list[RightsAnswer] = []
        self.signer: Signer | None = None
        self.open()
        self.enrol()

    def open(self) -> None:
        self.till: Till = wiring.open_till(self.config, clock=lambda: self.world.now, ids=self.new_id)
        self.db.execute(NO_POWER_CUT)
        self._syncer: Syncer | None = None

    def new_id(self) -> UUID:
        self.n += 1
        return UUID(int=int.from_bytes(self.name.encode(), "big") << 64 | self.n)

    @property
    def db(self) -> Connection:
        return self.till._desk.db

    @property
    def here(self) -> Here:
        assert self.signer is not None
        return Here(till=self.name, master_key=bytes(32), signer=self.signer, head_office_key=OFFICE_PUBLIC)

    @property
    def lends(self) -> rights.Lends:
        """By the config."""
        config = self.till._desk.config
        return rights.Lends(gifts=config.gift_cards.offline == "escrow", coupons=config.coupons.offline == "escrow")

    def enrol(self) -> None:
        office = self.world.office
        private_key = f"{ord(self.name[-1]) + self.n % 100:02x}" * 32
        asked = EnrolRequest(
            code=enrol.make_code(office.store, self.name, self.world.now),
            till=self.name,
            store=STORES[self.name],
            public_key=identity.public_of(private_key),
            head=epochs.place_of(self.db),
        )
        credential = enrol.enrol(office.store, asked, OFFICE, self.world.now).credential
        epochs.begin(
            self.db, credential.epoch, credential.continues, store=STORES[self.name], fact_id=self.new_id(), now=self.world.now
        )
        self.signer = Signer(credential=credential, private_key=private_key)

    def restart(self) -> None:
        self.till.close()
        self.open()

    def go(self) -> None:
        """One go of the daemon; a fresh one after each failure of the disk or of this process."""
        if self._syncer is None:
            pace = Pace(interval_s=1.0, batch_facts_max=3, lends=self.lends)
            self._syncer = Syncer(self.db, self.here, pace, Wire(self), half)
        self._syncer.once(lambda: self.world.now)

    def stand(self, member_id: str) -> None:
        """A member stands here: whatever is free is asked for, beside the daemon."""
        with suppress(HeadOfficeGoneError, WireError):
            right_round.ask_for(self.db, self.here, Wire(self), member_id, self.world.now)

    def sell(self, member_id: str, price_minor: int, redeem: int | str | None, *, complete: bool) -> None:
        self.n += 1
        sale_id = f"{self.name}-{self.n}"
        line = Line(line_id="1", sku="1", quantity_milli=Thousandths(4_000), price_minor=Minor(price_minor))
        basket = Basket(
            basket_id=sale_id, store=STORES[self.name], till=self.name, opened_at=self.world.now, currency="RUB", lines=(line,),
            redeem=redeem,  # type: ignore[arg-type]
        )  # fmt: skip
        quote = self.till.quote(QuoteRequest(basket=basket, member_id=member_id))
        if self.world.chance(0.1):
            self.go()  # the daemon comes between
        request = SaleRequest(
            sale_id=sale_id,
            quote_id=quote.quote_id or "",
            due_minor=quote.due_minor,
            tenders=(Tender(kind="cash", amount_minor=quote.due_minor),),
            complete=complete,
        )
        self.till.authorise(request, f"sell {sale_id}")
        if complete:
            self.sold[sale_id] = self.world.now
        else:
            self.open_sales.append(sale_id)

    def end_one(self) -> None:
        sale_id = self.open_sales.pop(self.world.rng.randrange(len(self.open_sales)))
        if self.world.chance(0.5):
            self.till.cancel(sale_id, CancelRequest(), f"cancel {sale_id}")
            return
        self.till.complete(sale_id, CompleteRequest(), f"complete {sale_id}")
        self.sold[sale_id] = self.world.now

    def take_back(self, sale_id: str, *, whole: bool) -> None:
        """Void it on its day, else as goods: all that is left or one of four."""
        self.n += 1
        is_today = (self.world.now - self.sold[sale_id]) < timedelta(hours=1)
        if whole and is_today and self.world.chance(0.5):
            with suppress(ConflictError, NotAllowedError):  # goods of it came back already, or it is of an earlier day
                self.till.void(sale_id, VoidRequest(), f"void {sale_id}")
                del self.sold[sale_id]
                return
        part = () if whole else (LineBack(line_id="1", quantity_milli=Thousandths(1_000)),)
        request = ReturnRequest(return_id=f"r{self.n}", all=whole, lines=part)
        with suppress(ConflictError, InputError):  # nothing is left of it
            self.till.return_goods(sale_id, request, f"return {self.n}")
        if whole:
            del self.sold[sale_id]


class Wire:
    """The line between a till and head office. While it is faulty, a question or its answer may go lost, come twice or late."""

    def __init__(self, counter: Counter) -> None:
        self.counter, self.world = counter, counter.world

    def push(self, batch: bytes) -> Reply:
        return self._through(lambda: self.world.office.push(self.counter.name, batch, self.world.now))

    def changes(self, question: bytes) -> Reply:
        return self._through(lambda: self.world.office.changes(question, self.world.now))

    def rights(self, question: bytes) -> Reply:
        epoch = self.counter.here.signer.credential.epoch
        reply = self._through(lambda: self.world.office.rights(self.counter.name, epoch, question))
        if reply.status == 200 and self.world.is_faulty and self.world.chance(0.3):
            self.counter.late.append(decode(reply.body, RightsAnswer))
            if self.world.chance(0.5):
                raise LOST
        return reply

    def _through(self, ask: Callable[[], Reply]) -> Reply:
        if self.world.is_faulty and self.world.chance(0.1):
            raise LOST
        if self.world.is_faulty and self.world.chance(0.1):
            ask()
        if self.world.is_faulty and self.world.chance(0.05):
            self.world.trade(self.counter)
        reply = ask()
        if self.world.is_faulty and self.world.chance(0.1):
            raise LOST
        return reply


class World:
    """All of it, driven by one random source."""

    def __init__(self, folder: Path, seed: int, more: str = "") -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.now = NOW
        self.is_faulty = False
        self.trading = False
        self.office = GrantingOffice(folder, RightTerms(share_bp=8_000, lease_days=10))
        for member_id, card in MEMBERS.items():
            self.office.give_points(member_id, card, OPENING_CENTI)
        publish_programme(self.office.store, PROGRAMME.encode(), NOW)
        self.counters = {name: self.make_counter(name, more) for name in STORES}
        self.backups: list[Path] = []
        self.quiet(1)
        self.is_faulty = True

    def make_counter(self, name: str, more: str) -> Counter:
        return Counter(self, name, more)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def step(self) -> None:
        self.now += timedelta(seconds=self.rng.randrange(60))
        self.office.now = self.now
        counter = self.rng.choice(list(self.counters.values()))
        match self.rng.randrange(20):
            case 0 | 1 | 2 | 3 | 4 | 5:
                self.trade(counter)
            case 6 | 7 if counter.open_sales:
                counter.end_one()
            case 8 | 9 if counter.sold:
                counter.take_back(self.rng.choice(sorted(counter.sold)), whole=self.chance(0.5))
            case 10 | 11 | 12:
                counter.go()
            case 13 | 14:
                counter.stand(self.rng.choice(sorted(MEMBERS)))
            case 15 if counter.late:
                late = counter.late.pop(self.rng.randrange(len(counter.late)))
                taker = rights.Taker(till=counter.name, store=STORES[counter.name])
                rights.take(counter.db, taker, late, counter.new_id, self.now)
            case 16 if self.chance(0.3):
                self.backups.append(self.folder / f"night{len(self.backups)}.db")
                self.office.db.execute("VACUUM INTO ?", (str(self.backups[-1]),))
            case 17 if self.backups and self.chance(0.3):
                self.office.restore(self.rng.choice(self.backups))
            case 18 if self.chance(0.2):
                counter.restart()
            case 19 if self.chance(0.2):
                self.now += timedelta(days=self.rng.choice([1, 4]))
                expire_due(self.office.store, self.now)
            case _:
                pass

    def trade(self, counter: Counter) -> None:
        """A sale, now and then one that redeems all it can."""
        if self.trading:
            return
        self.trading = True
        redeem = self.rng.choice([None, "max", "max", self.rng.randrange(1, 9_000)])
        try:
            with suppress(ConflictError, NotFoundError):  # the quote is stale, or the programme is not here yet
                member_id = self.rng.choice(sorted(MEMBERS))
                counter.sell(member_id, self.rng.randrange(500, 5_000), redeem, complete=self.chance(0.7))
        finally:
            self.trading = False

    def quiet(self, rounds: int = 6) -> None:
        """The faults end; every till syncs until nothing moves."""
        self.is_faulty = False
        for _ in range(rounds):
            for counter in self.counters.values():
                self.now += timedelta(minutes=20)
                self.office.now = self.now
                counter._syncer = None
                counter.go()

    def take_all_back(self) -> None:
        for counter in self.counters.values():
            while counter.open_sales:
                counter.end_one()
            for sale_id in sorted(counter.sold):
                counter.take_back(sale_id, whole=True)

    def cases(self) -> list[tuple[object, ...]]:
        return self.office.rows("SELECT till, seq, reason, detail FROM suspense_case")

    def close(self) -> None:
        for counter in self.counters.values():
            counter.till.close()
        self.office.db.close()
