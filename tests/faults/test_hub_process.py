"""A store of two tills, a hub and a head office as processes of their own, by the commands that a shop uses; the hub is killed in
the midst of its work again and again, and the outside line is cut."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import requests

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.store.db import open_reader
from pos_loyalty.store.verify import verify
from pos_loyalty.till import Till
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, QuoteRequest, SaleRequest
from pos_loyalty.values import Minor, Thousandths
from tests.ports import free_port
from tests.simulation.escrow import PROGRAMME

KILLS = 3
NUMBERS = count(1)
PATIENCE_S = 120.0
CONFIG = """
secrets = "{keys}"
[store]
id = "S1"
name = "Проба"
[till]
id = "{till}"
database = "{till}/till.db"
identity = "{till}/identity.json"
port = 0
[head_office]
url = "http://127.0.0.1:{office}"
timeout_s = 2.0
[server]
database = "office/head_office.db"
identity = "office/identity.json"
port = {office}
[hub]
{hub}
[[card]]
prefix = "22"
length = 13
"""


def until(holds: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


class Store:
    """Its machines, all on this one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.office_port, self.hub_port = folder, free_port(), free_port()
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.configs = {}
        for till, hub in {
            "T1": f'serve = true\nid = "S1-HUB"\nhost = "127.0.0.1"\nport = {self.hub_port}\n'
            'database = "hub/hub.db"\nidentity = "hub/identity.json"',
            "T2": f'url = "http://127.0.0.1:{self.hub_port}"',
        }.items():
            path = folder / f"{till}.toml"
            text = CONFIG.format(keys="secrets.toml", till=till, office=self.office_port, hub=hub)
            path.write_text(text, encoding="utf-8")
            self.configs[till] = path
        wiring.make_secrets(self.configs["T1"])
        (folder / "programme.toml").write_text(PROGRAMME, encoding="utf-8")

    def run(self, *command: str, till: str = "T1") -> str:
        done = subprocess.run(self._line(command, till), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, *command: str, till: str = "T1") -> None:
        log = (self.folder / f"{name}.log").open("a", encoding="utf-8")
        self.running[name] = subprocess.Popen(self._line(command, till), stdout=log, stderr=log, text=True)
        log.close()

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(60)

    def start_office(self) -> None:
        self.start("office", "head-office")
        until(lambda: self.answers(self.office_port))

    def start_hub(self) -> None:
        self.start("hub", "hub")
        until(lambda: self.answers(self.hub_port))

    def enrol(self, till: str, *command: str, config: str = "T1") -> None:
        said = self.run("keys", "code", "--till", till)
        code = re.search(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){7}", said)
        assert code is not None, said
        self.run(*command, "--enrol", code[0], till=config)

    def answers(self, port: int) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def waiting(self) -> int:
        try:
            return int(requests.get(f"http://127.0.0.1:{self.hub_port}/healthz", timeout=2).json()["waiting_facts"])
        except requests.RequestException:
            return -1

    def close(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def _line(self, command: tuple[str, ...], till: str) -> list[str]:
        return [sys.executable, "-m", "pos_loyalty.cli.main", *command, "--config", str(self.configs[till])]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def sell(till: Till, name: str, member_id: str, redeem: str | None) -> int:
    """Sell something for 40.00 to a member; what they redeemed, in hundredths."""
    line = Line(line_id="1", sku="1", quantity_milli=Thousandths(1_000), price_minor=Minor(4_000))
    sale_id = f"{name}-{next(NUMBERS)}"
    basket = Basket(
        basket_id=sale_id, store="S1", till=name, opened_at=utc_now(), currency="RUB", lines=(line,), redeem=redeem
    )  # fmt: skip
    quote = till.quote(QuoteRequest(basket=basket, member_id=member_id))
    tenders = (Tender(kind="cash", amount_minor=quote.due_minor),)
    request = SaleRequest(
        sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=tenders, complete=True
    )
    till.authorise(request, sale_id)
    return quote.redemption.centi if quote.redemption is not None else 0


def log_of(path: Path, till: str) -> list[bytes]:
    db = open_reader(path)
    try:
        return [bytes(hash_) for (hash_,) in db.execute("SELECT hash FROM txn WHERE till = ? ORDER BY epoch, seq", (till,))]
    finally:
        db.close()


def test_a_store_as_processes(store: Store) -> None:
    """Points of one till redeem at the next while head office is away; the hub is killed all along; nothing is lost, or twice."""
    store.start_office()
    store.run("programme", "publish", str(store.folder / "programme.toml"))
    store.enrol("T1", "sync")
    store.enrol("T2", "sync", config="T2")
    store.enrol("S1-HUB", "hub")
    store.start_hub()
    for till in ("T1", "T2"):
        store.start(till, "sync", "--follow", till=till)
    tills = {name: wiring.open_till(path) for name, path in store.configs.items()}
    try:
        until(lambda: tills["T2"].health().programme is not None and tills["T1"].health().programme is not None)
        member = tills["T1"].enrol(EnrolRequest(card="2200000000019"), "enrol").member_id
        until(lambda: knows(tills["T2"], "2200000000019"))
        store.kill("office")
        waits = [earn_and_redeem(tills, member) for _ in range(3)]
        print(f"points of one till redeemed at the next after {sorted(waits)} s")
        for n in range(KILLS):
            for name, till in tills.items():
                sell(till, name, member, "max" if n % 2 else None)
            store.kill("hub")
            time.sleep(0.05 * (n % 5))
            store.start_hub()
        store.start_office()
        until(lambda: all(till.health().unsent_facts == 0 for till in tills.values()))
        until(lambda: store.waiting() == 0)
    finally:
        for till in tills.values():
            till.close()
    store.close()
    office = store.folder / "office" / "head_office.db"
    for name in tills:
        assert log_of(office, name) == log_of(store.folder / name / "till.db", name)
    db = open_reader(office)
    assert db.execute("SELECT till, seq, reason FROM suspense_case").fetchall() == [] and verify(db) == ()
    db.close()


def knows(till: Till, card: str) -> bool:
    try:
        till.identify(IdentifyRequest(card=card))
    except LoyaltyError:  # not here yet
        return False
    return True


def earn_and_redeem(tills: dict[str, Till], member: str) -> float:
    """Seconds from a sale at one till until its points redeem at the other."""
    before = tills["T1"].identify(IdentifyRequest(card="2200000000019")).usable_centi
    sell(tills["T1"], "T1", member, None)

    def is_there() -> bool:
        told = tills["T2"].identify(IdentifyRequest(card="2200000000019"))
        return told.redeemable_centi > 0 and told.usable_centi > 0

    waited = until(is_there)
    assert sell(tills["T2"], "T2", member, "max") > 0 and before >= 0
    return waited
