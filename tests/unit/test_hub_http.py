"""The hub over real HTTP on loopback: who may speak, the two roads of a till, and that a stranger is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from msgspec.structs import replace

from pos_loyalty.clock import Clock, new_id, read
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store import ledger, outbox, relay, relay_drops, right_holds, trusted_time
from pos_loyalty.store.db import open_store
from pos_loyalty.values import encode
from sync import hub_wire, identity, local, rights
from sync.client import HttpHeadOffice
from sync.daemon import Beside, Pace, Syncer
from sync.hub.app import hub_app
from sync.hub.keeping import Hub
from sync.hub.line import Line, Work
from sync.hub.node import HubNode
from sync.hub.telling import note_page
from sync.hub_client import HttpHub
from sync.roads import Roads, RoadState
from sync.server import enrol
from sync.server.app import head_office_app
from sync.server.right_desk import FileMark
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import SaleQuestion, read_sale
from tests.served import Served
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE, OFFICE_PUBLIC, HeadOffice, Till, half, log_of
from tests.unit.test_sync_identity import enrolled

MASTER = bytes(range(32))


class Shop:
    """Head office and the hub of one store, each served; tills that speak by either road."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = HeadOffice(folder)
        self.hub_till = Till(folder, "HUB")
        self.tills = {name: Till(folder, name) for name in "AB"}
        self.tokens = {}
        for n, till in enumerate((self.hub_till, *self.tills.values())):
            self.tokens[till.name] = enrolled(self.office, till, f"{n + 40:02x}" * 32).token
        self.clock: Clock = lambda: NOW
        self.served_office = Served(head_office_app(self.open_office, OFFICE, self.clock))
        self.served_hub = Served(hub_app(self.node, self.hub_till.here.signer, self.clock, Work()))

    def open_office(self) -> SqliteLedgerStore:
        db = open_store(self.office.path, role="head_office", owner="head-office", now=NOW)
        return SqliteLedgerStore(db, HEAD_OFFICE_KEY)

    def hub(self) -> Hub:
        credential = self.hub_till.here.signer.credential
        return Hub(credential=credential, master_key=MASTER, head_office_key=OFFICE_PUBLIC)

    def node(self) -> HubNode:
        db = open_store(self.folder / "HUB.db", role="till", owner="HUB", now=NOW)
        return HubNode(self.hub(), db, relay.open_relay(self.folder / "HUB.relay"), FileMark(self.folder / "HUB.mark"))

    def straight(self, name: str) -> HttpHeadOffice:
        return HttpHeadOffice(self.served_office.url, name, self.tokens[name], 10.0)

    def hub_client(self, name: str, url: str | None = None) -> HttpHub:
        return HttpHub(url or self.served_hub.url, self.tills[name].here.signer, OFFICE_PUBLIC, 10.0)

    def syncer(self, name: str) -> tuple[Syncer, Roads]:
        roads = Roads(self.hub_client(name), self.straight(name), self.clock)
        pace = Pace(interval_s=1.0, batch_facts_max=3, wants=None)
        roads.state = RoadState(visited_at=NOW)
        return Syncer(self.tills[name].db, self.tills[name].here, pace, roads, half), roads

    def line(self) -> Line:
        office = self.straight("HUB")
        db = open_store(self.folder / "HUB.db", role="till", owner="HUB", now=NOW)
        relay_db = relay.open_relay(self.folder / "HUB.relay")
        pace = Pace(interval_s=1.0, batch_facts_max=500, wants="store")
        beside = Beside(told=lambda page: note_page(relay_db, page))
        syncer = Syncer(
            db,
            replace(self.hub_till.here, is_hub=True, unbrought=lambda till, epoch: relay_drops.unbrought(relay_db, till, epoch)),
            pace,
            office,
            half,
            beside,
        )
        return Line(self.hub(), relay_db, syncer, office, db.close)

    def close(self) -> None:
        self.served_hub.close()
        self.served_office.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


def test_two_tills_log_by_the_hub_and_head_office_has_all(shop: Shop) -> None:
    for name, till in shop.tills.items():
        for n in range(5):
            till.sell(f"{n}")
        shop.syncer(name)[0]._send(shop.clock)
        assert outbox.unsent_count(till.db) == 5
    report = shop.line().go(shop.clock)
    assert (report.batches, report.trouble) == (4, None)
    for name, till in shop.tills.items():
        assert log_of(shop.office.db, name) == log_of(till.db, name)
    health = requests.get(f"{shop.served_hub.url}/healthz", timeout=60).json()
    assert (health["hub"], health["tills"], health["waiting_facts"]) == ("HUB", ["A", "B"], 0)


def test_a_silent_hub_is_passed_by_and_found_again(shop: Shop) -> None:
    syncer, roads = shop.syncer("A")
    till = shop.tills["A"]
    till.sell("1")
    syncer._send(shop.clock)
    assert (roads.road, outbox.unsent_count(till.db)) == ("hub", 1)
    shop.served_hub.close()
    for n in range(2, 6):
        till.sell(f"{n}")
    syncer._send(shop.clock)
    assert (roads.road, outbox.unsent_count(till.db)) == ("straight", 0)
    assert log_of(shop.office.db, "A") == log_of(till.db, "A")
    shop.served_hub = Served(hub_app(shop.node, shop.hub_till.here.signer, shop.clock, Work()))
    syncer, roads = shop.syncer("A")
    till.sell("6")
    syncer._send(shop.clock)
    assert roads.road == "hub"
    shop.line().go(shop.clock)
    assert log_of(shop.office.db, "A") == log_of(till.db, "A")


def test_nobody_is_believed_in_the_hubs_place(shop: Shop) -> None:
    impostor = identity.Signer(
        credential=identity.certify(shop.hub_till.here.signer.credential, "13" * 32), private_key="13" * 32
    )
    stranger = Served(hub_app(shop.node, impostor, shop.clock, Work()))
    try:
        with pytest.raises(HeadOfficeGoneError, match="in the hub's place"):
            shop.hub_client("A", stranger.url).push(b"")
        with pytest.raises(HeadOfficeGoneError, match="in the hub's place"):
            shop.hub_client("A", shop.served_office.url).push(b"")
    finally:
        stranger.close()


def test_the_hub_answers_tills_of_its_store_alone(shop: Shop) -> None:
    url = f"{shop.served_hub.url}/v1/tills/A/log"
    assert requests.post(url, data=b"x", timeout=60).status_code == 401
    signer = shop.tills["B"].here.signer
    stamp = hub_wire.stamp_question(signer, "POST", "/v1/tills/A/log", b"x")
    assert requests.post(url, data=b"x", headers={hub_wire.ASKED: stamp}, timeout=60).status_code == 401
    stamp = hub_wire.stamp_question(shop.tills["A"].here.signer, "POST", "/v1/tills/A/log", b"x")
    refused = requests.post(url, data=b"x", headers={hub_wire.ASKED: stamp}, timeout=60)
    assert refused.status_code == 422 and hub_wire.ANSWERED in refused.headers
    assert requests.post(url, data=b"y", headers={hub_wire.ASKED: stamp}, timeout=60).status_code == 401


def test_a_till_hears_the_time_from_head_office_itself_and_not_from_its_hub(shop: Shop) -> None:
    """The hub's clock is two days ahead, head office's an hour."""
    till, hub_at, office_at = shop.tills["A"], NOW + timedelta(days=2), NOW + timedelta(hours=1)
    for served in (shop.served_hub, shop.served_office):
        served.close()
    shop.served_office = Served(head_office_app(shop.open_office, OFFICE, lambda: office_at))
    shop.served_hub = Served(hub_app(shop.node, shop.hub_till.here.signer, lambda: hub_at, Work()))
    heard: list[datetime] = []
    roads = Roads(shop.hub_client("A"), shop.straight("A"), shop.clock, heard.append)
    pace = Pace(interval_s=1.0, batch_facts_max=3, wants=None)
    till.sell("1")
    report = Syncer(till.db, till.here, pace, roads, half).once(shop.clock)
    assert (report.trouble, roads.road) == (None, "hub")
    assert heard == [office_at]
    assert trusted_time.kept(till.db) is None, "the hub's page moves no clock"
    local.hear_time(till.db, office_at, read(shop.clock))
    assert trusted_time.now(till.db, read(shop.clock)).at == office_at


def test_what_one_till_gave_the_next_one_has_over_the_hub(shop: Shop) -> None:
    """The members, rights and sales of a store over real HTTP, while head office is not there."""
    shop.office.give_points("M1", "2000000000015", 1_000)
    shop.line().go(shop.clock)
    for name in "AB":
        shop.straight(name)
        shop.syncer(name)[0].once(shop.clock)
    shop.served_office.close()
    first, second = shop.tills["A"], shop.tills["B"]
    first.enrol("M2", "2000000000022")
    first.sell("1", "M2", earn=70)
    shop.syncer("A")[0].once(shop.clock)
    assert second.balance("M2") == 0
    shop.syncer("B")[0].reserve("M2", shop.clock)
    epoch = second.here.signer.credential.epoch
    held = right_holds.held(second.db, "B", epoch, tuple(lot.lot_id for lot in ledger.lots_of(second.db, "M2")), NOW)
    assert second.balance("M2") == 70 and sum(one.usable_centi for one in held.values()) == 70
    question = SaleQuestion(till="A", sale_id="1")
    found = read_sale(shop.hub_client("B").sale(question), question).sale
    assert found is not None and (found.state, found.till, found.quote.member_id) == ("completed", "A", "M2")
    assert outbox.unsent_count(first.db) > 0 and outbox.state(first.db).trouble is None
    shop.served_office = Served(head_office_app(shop.open_office, OFFICE, shop.clock))


def test_a_machine_that_was_let_go_gets_nothing_of_the_hub_either(shop: Shop) -> None:
    """It sends no log that head office could refuse. Another machine that becomes that till is served."""
    for till in shop.tills.values():
        till.sell("1")
        shop.syncer(till.name)[0]._send(shop.clock)
    shop.line().go(shop.clock)
    enrol.revoke(shop.office.store, "A", "M9", NOW)
    shop.line().go(shop.clock)

    def answers(name: str) -> set[int]:
        here = shop.tills[name]
        client = shop.hub_client(name)
        question = local.next_question(here.db, here.here, local.begin_pull(here.db, NOW), NOW).send
        asked = encode(rights.question(here.db, new_id(), rights.Asks(wants=(rights.Want(member_id="M1", much="all"),))))
        return {reply.status for reply in (client.changes(question or b""), client.rights(asked))}

    with pytest.raises(HeadOfficeGoneError):
        answers("A")
    assert answers("B") == {200}
    stamp = hub_wire.stamp_question(shop.tills["A"].here.signer, "POST", "/v1/tills/A/rights", b"{}")
    url = f"{shop.served_hub.url}/v1/tills/A/rights"
    refused = requests.post(url, data=b"{}", headers={hub_wire.ASKED: stamp}, timeout=60)
    assert (refused.status_code, "was revoked" in refused.json()["detail"]) == (401, True)
    folder = shop.folder / "another"
    folder.mkdir()
    another, stolen = Till(folder, "A"), shop.tills["A"]
    shop.tokens["A"] = enrolled(shop.office, another, "77" * 32).token
    shop.line().go(shop.clock)
    with pytest.raises(HeadOfficeGoneError):
        answers("A")
    shop.tills["A"] = another
    assert answers("A") == {200} and stolen.here.signer.credential.epoch == 1
