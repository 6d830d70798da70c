"""A shop in which every verb has something to do, and the image of its files from which each trial of a verb begins."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.errors import StoreError
from pos_loyalty.store.db import Connection, open_store
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import EnrolRequest
from pos_loyalty.values import decode, encode
from sync.daemon import Pace, Syncer, SyncReport
from sync.identity import Holder
from sync.local import Here
from sync.rights import RightsRequest
from sync.server import rights as granting
from sync.server import steps
from sync.server.calls import Calls
from sync.server.desk import Desk as OfficeDesk
from sync.server.ledger_store import LedgerStore
from sync.server.rights import Granting, RightTerms
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import ChangesRequest, Reply, problem
from tests.gifts import GIFT_PROGRAMME, basket_of, gift, line, sell
from tests.shop import CONFIG, NOW, OTHER_CARD, Shop
from tests.simulation.shop import OFFICE, OFFICE_PUBLIC, signer_of

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
HERS = "member-2"
PHONE = "+7 900 123-45-67"
PRINTER = '[printer]\nkind = "file"\npath = "paper.bin"\ndrawer = true\n'
FILES = ("till.db", "office.db")
PROGRAMME = (
    GIFT_PROGRAMME.replace('id = "all"', 'id = "all"\nwhen = [{ is = "coupon", series = "spring" }]').replace(
        "[points]", "[points]\nclaim_days = 14\ngrace_days = 14"
    )
    + """
[returns]
days = 30
without_receipt = "approved"
[tiers]
months = 12
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "500.00"
[[coupon]]
id = "flyer"
[[coupon]]
id = "spring"
code = "SPRING"
[[rule]]
id = "flyer-coupon"
stage = "order"
when = [{ is = "coupon", series = "flyer" }]
then = [{ do = "amount", amount = "20.00" }]
[[rule]]
id = "cups"
limits = { total = 100 }
when = [{ is = "customer", member = true }]
then = [{ do = "counter_add", key = "cups" }]
[[rule]]
id = "review"
stage = "act"
act = "review"
then = [{ do = "points", fixed = "25" }]
"""
)


class Office:
    """Head office in this process, behind the desk that its application has."""

    def __init__(self, path: Path, master_key: bytes) -> None:
        self.desk = OfficeDesk(lambda: SqliteLedgerStore(_office_store(path), master_key))

    def push(self, batch: bytes) -> Reply:
        """As over HTTP: a failing disk is a 503."""
        return self._answer(lambda store: encode(steps.receive(store, "T1", batch, NOW, OFFICE_PUBLIC)))

    def changes(self, question: bytes) -> Reply:
        """The same."""
        asked = decode(question, ChangesRequest)
        return self._answer(lambda store: encode(steps.changes(store, asked, NOW, OFFICE.private_key)))

    def rights(self, question: bytes) -> Reply:
        """The same."""
        asked, holder = decode(question, RightsRequest), Holder(till="T1", epoch=1)
        grants = Granting(RightTerms(), Calls())
        return self._answer(lambda store: encode(granting.answer(store, holder, asked, grants, new_id, NOW)))

    def close(self) -> None:
        """Let go of the file."""
        self.desk._forget()

    def _answer(self, step: Callable[[LedgerStore], bytes]) -> Reply:
        try:
            body = self.desk._run(step)
        except StoreError as error:
            return Reply(status=503, content_type="application/problem+json", body=encode(problem("busy", 503, str(error))))
        return Reply(status=200, content_type="application/json", body=body)


def _office_store(path: Path) -> Connection:
    return open_store(path, role="head_office", owner="head-office", now=NOW)


class World(Shop):
    """That shop, with names for what stands in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CONFIG + PRINTER, PROGRAMME)
        self.answers: dict[str, object] = {}
        """What the verbs of one trial were asked and answered, by name."""
        self._fill()
        self._image = folder / "image"
        self._image.mkdir()
        self.master_key = bytes.fromhex(self.till._desk.secrets.master_key)
        self.office = Office(folder / "office.db", self.master_key)
        self.sync()
        self.sell("after")  # what head office does not know yet
        self.office.close()
        self._made_before = self._made
        for name in FILES:  # while the till is open: as after a crash, with what stands in the WAL alone
            for path in folder.glob(f"{name}*"):
                shutil.copy(path, self._image)
        self.till.close()

    def _fill(self) -> None:
        pepper = self.till._desk.secrets.pepper
        staff.add(self.db, ANNA.person, "cashier", ANNA.pin, pepper)
        staff.add(self.db, BORIS.person, "senior", BORIS.pin, pepper)
        self.add_member(HERS, OTHER_CARD, 7_000)
        request = EnrolRequest(card="2200000000033", name="Anna", phone=PHONE, consents=("data",))
        self.erased = self.till.enrol(request, "enrol").member_id
        self.sell("open", redeem=5_000, complete=False)
        self.sell("open-2", redeem=3_000, complete=False)
        self.sell("sold")
        self.sell("whole", redeem=2_000)
        self.till.authorise(replace(self.ask(card=None), sale_id="bare", complete=True), "key bare")
        cards = sell(self, basket_of(line("1", "GC", 100_000), line("2", "GC", 50_000)), "cards").gift_cards
        self.card, self.card_2 = cards
        sell(self, basket_of(line("1", "4601", 50_000)), "held", (gift(50_000, self.card.code),), complete=False)

    def fresh(self) -> None:
        """The files as the image has them, and the till open over them."""
        self.restore()
        self.open()
        self.office = Office(self.folder / "office.db", self.master_key)

    def restore(self) -> None:
        """The files as the image has them."""
        for name in FILES:
            for path in self.folder.glob(f"{name}*"):
                if not path.name.endswith(".lock"):
                    path.unlink()
        for path in self._image.iterdir():
            shutil.copy(path, self.folder)
        self.answers.clear()
        self.now = NOW + timedelta(minutes=1)
        self._made = self._made_before

    def shut(self) -> None:
        """Let go of both files."""
        self.till.close()
        self.office.close()

    def sync(self) -> SyncReport:
        """One go of the daemon, over a connection of its own."""
        db = open_store(self.folder / "till.db", role="till", owner="T1", now=NOW)
        try:
            here = Here(till="T1", master_key=self.master_key, signer=signer_of("T1"), head_office_key=OFFICE_PUBLIC)
            syncer = Syncer(db, here, Pace(interval_s=60, batch_facts_max=7), self.office, lambda: 0.5)
            return syncer.once(lambda: self.now)
        finally:
            db.close()
