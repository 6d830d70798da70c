"""Head office's HTTP and the till's client, over loopback; and the daemon around them."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from pos_loyalty.clock import new_id
from pos_loyalty.errors import HeadOfficeGoneError, StoreBusyError, StoreError
from pos_loyalty.store import outbox, programmes
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Points
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer, follow, only_uploader
from sync.identity import Holder
from sync.rights import RightsRequest, Want
from sync.server.app import BODY_BYTES_MAX, head_office_app
from sync.server.ledger_store import TillHold
from sync.server.right_desk import FileMark, RightDesk
from sync.server.rights import RightTerms
from sync.server.sqlite import SqliteLedgerStore
from sync.server.steps import import_members
from sync.wire import CardChange, LotChange, MemberChange
from tests.served import Served, until
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE, Till, half, log_of, token_of

TOKEN = token_of("T1")
PACE = Pace(interval_s=0.05, batch_facts_max=2)
PROBLEM = "application/problem+json"
PEER = "protocol=1&schema=0"


class ServedOffice(Served):
    """Head office."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(head_office_app(self.open, OFFICE, lambda: NOW))

    def open(self) -> SqliteLedgerStore:
        return SqliteLedgerStore(open_store(self.path, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedOffice]:
    server = ServedOffice(tmp_path / "head_office.db")
    yield server
    server.close()


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path, "T1")


def client(url: str, token: str = TOKEN, timeout_s: float = 60.0) -> HttpHeadOffice:
    return HttpHeadOffice(url, "T1", token, timeout_s)


def test_a_sync_brings_both_sides_together(served: ServedOffice, till: Till, tmp_path: Path) -> None:
    till.enrol("M1", "2000000000015")
    for n in range(4):
        till.sell(f"S{n}", "M1", earn=100)
    office = client(served.url)
    report = Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW)
    office.close()
    assert (report.sent_facts, report.fetched_members, report.unsent_facts, report.trouble) == (5, 1, 0, None)
    db = open_store(served.path, role="head_office", owner="head-office", now=NOW)
    assert log_of(db, "T1") == log_of(till.db, "T1")
    db.close()
    state = outbox.state(till.db)
    assert state.heard_ms is not None
    assert state.acked_seq == 5


def test_a_published_programme_arrives(served: ServedOffice, till: Till) -> None:
    store = served.open()
    body = b"format = 1"
    db = open_store(served.path, role="head_office", owner="head-office", now=NOW)
    with write(db):
        programmes.add(db, "shop", 1, body, NOW)
    office = client(served.url)
    report = Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW)
    office.close()
    assert report.trouble is None, "a programme with a fault is left out, and the rest is taken"
    assert programmes.newest(till.db) is None
    store.close()
    db.close()


def test_head_office_that_is_away_is_a_sentence(till: Till) -> None:
    till.sell("S1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # held, and nobody listens: no other program can answer there
        office = client(f"http://127.0.0.1:{free.getsockname()[1]}")
        report = Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW)
        office.close()
    assert report.trouble == "head office does not answer (ConnectionError)"
    assert report.unsent_facts == 1
    assert report.wake_at > NOW
    assert outbox.state(till.db).heard_ms is None


def test_a_wrong_token_is_refused(served: ServedOffice, till: Till) -> None:
    till.sell("S1")
    office = client(served.url, "x" * 40)
    report = Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW)
    office.close()
    assert report.trouble is not None and "token" in report.trouble
    assert requests.get(f"{served.url}/healthz", timeout=60).json() == {"state": "ok", "version": 0}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 422),
        (b"{}", {"Content-Encoding": "gzip"}, 422),
        (gzip.compress(b"0" * 50_000_000), {"Content-Encoding": "gzip"}, 422),
        (b"0" * (BODY_BYTES_MAX + 1), {"Content-Encoding": "gzip"}, 413),
    ],
)
def test_bad_bytes_are_never_5xx(served: ServedOffice, body: bytes, headers: dict[str, str], status: int) -> None:
    shown = {"Authorization": f"Bearer {TOKEN}"} | headers
    reply = requests.post(f"{served.url}/v1/tills/T1/log", data=body, headers=shown, timeout=60)
    assert (reply.status_code, reply.headers["content-type"]) == (status, PROBLEM)
    assert reply.json()["detail"]


BAD_QUESTIONS = ["", "since=x", "since=-1", "since=1&protocol=0&schema=0", f"since=٣&{PEER}"]


@pytest.mark.parametrize("query", BAD_QUESTIONS)
def test_a_bad_question_is_a_problem_document(served: ServedOffice, query: str) -> None:
    reply = requests.get(f"{served.url}/v1/tills/T1/changes?{query}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert (reply.status_code, reply.headers["content-type"]) == (422, PROBLEM)


class Portal(BaseHTTPRequestHandler):
    """Somebody else in head office's place."""

    answer: ClassVar[tuple[int, dict[str, str], bytes]]

    def do_GET(self) -> None:
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html", "Content-Length": "8"}, b"<log in>"),
        (302, {"Location": "http://127.0.0.1:9/", "Content-Length": "0"}, b""),
        (200, {"Content-Type": "application/json", "Content-Length": "500"}, b'{"applied_seq":1'),
        (200, {"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": "2"}, b"{}"),
        (200, {"Content-Type": "application/json", "Content-Length": "2"}, b"{}"),
    ],
)
def test_a_stranger_acknowledges_nothing(till: Till, answer: tuple[int, dict[str, str], bytes]) -> None:
    till.sell("S1")
    handler = type("Handler", (Portal,), {"answer": answer})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        office = client(f"http://127.0.0.1:{server.server_port}", timeout_s=60.0)
        report = Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW)
        office.close()
        server.shutdown()
        thread.join()
    assert report.trouble is not None
    assert report.unsent_facts == 1
    assert outbox.state(till.db).heard_ms is None


def test_a_redirect_is_not_followed(till: Till) -> None:
    till.sell("S1")
    handler = type("Handler", (Portal,), {"answer": (307, {"Location": "/elsewhere", "Content-Length": "0"}, b"")})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        office = client(f"http://127.0.0.1:{server.server_port}", timeout_s=60.0)
        assert office.push(b"x").status == 307
        office.close()
        server.shutdown()
        thread.join()


def test_one_daemon_a_till(till: Till) -> None:
    with only_uploader(till.path), pytest.raises(StoreBusyError, match="another sync"), only_uploader(till.path):
        raise AssertionError
    with only_uploader(till.path):
        pass


def test_the_daemon_outlives_what_it_did_not_foresee(served: ServedOffice, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.daemon.AFTER_CRASH_S", 0.01)
    till.sell("S1")
    tries: list[int] = []
    stop = threading.Event()

    def open_syncer() -> tuple[Syncer, Callable[[], None]]:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError
        db = open_store(till.path, role="till", owner="T1", now=NOW)
        office = client(served.url)

        def close() -> None:
            office.close()
            db.close()

        return Syncer(db, till.here, PACE, office, half), close

    daemon = threading.Thread(target=follow, args=(open_syncer, lambda: NOW, stop, 0.02))
    daemon.start()
    until(lambda: outbox.unsent_count(till.db) == 0)
    till.sell("S2")
    until(lambda: outbox.unsent_count(till.db) == 0)
    stop.set()
    daemon.join(60)
    assert not daemon.is_alive()


def test_the_client_names_no_whole_answer(served: ServedOffice) -> None:
    office = client("http://127.0.0.1:1")
    with pytest.raises(HeadOfficeGoneError):
        office.push(b"x")
    office.close()


def test_rights_by_bytes_of_our_own(served: ServedOffice, till: Till) -> None:
    """Asked, granted on disk, told again, and no answer for another till or for what is no question."""
    store = served.open()
    lot = LotChange(lot_id="L1", centi=Points(900), amount_centi=Points(900))
    import_members(store, [MemberChange(member_id="M1", cards=(CardChange(number="2200000000019"),), lots=(lot,))], NOW)
    store.close()
    url, head = f"{served.url}/v1/tills/T1/rights", '{"epoch":1,"seq":0,"hash":"' + "0" * 64 + '"}'
    body = '{"ask_id":"' + "7" * 32 + '","head":' + head + ',"seen":null,"wants":[{"member_id":"M1","much":"all"}]}'
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    answers = [requests.post(url, data=body, headers=bearer, timeout=60) for _ in range(2)]
    told = [answer.json() for answer in answers]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert told[0]["ask_id"] == "7" * 32 and told[0]["held_back"] == "" and told[0]["back"] == []
    grants = told[0]["grants"]
    assert [(grant["till"], grant["epoch"], grant["lines"]) for grant in grants] == [
        ("T1", 1, [{"lot_id": "L1", "member_id": "M1", "centi": 900}])
    ]
    assert told[1]["grants"] == grants and told[1]["head"] == told[0]["head"], "told again, and nothing more"
    ahead = body.replace('"seq":0', '"seq":5')
    assert requests.post(url, data=ahead, headers=bearer, timeout=60).json()["held_back"] == "log"
    refused = {
        url: [
            ("{}", bearer, 422),
            (body.replace("all", "most"), bearer, 422),
            (body, {}, 401),
            (body[:-1] + ',"x":1}', bearer, 422),
        ],
        url.replace("T1", "T2"): [(body, bearer, 401)],
    }
    for place, tries in refused.items():
        for sent, headers, status in tries:
            answer = requests.post(place, data=sent, headers=headers, timeout=60)
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)


def test_a_restored_head_office_finds_out_by_the_mark_beside_its_file(tmp_path: Path) -> None:
    path = tmp_path / "head_office.db"
    desk = RightDesk(RightTerms(), FileMark(tmp_path / "mark"))
    asked = RightsRequest(ask_id="7" * 32, head=Place(epoch=1, seq=0, hash="0" * 64), wants=(Want(member_id="M1", much="all"),))

    def opened() -> SqliteLedgerStore:
        store = SqliteLedgerStore(open_store(path, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)
        assert desk.opened(store, NOW) is store
        return store

    store = opened()
    lot = LotChange(lot_id="L1", centi=Points(900), amount_centi=Points(900))
    import_members(store, [MemberChange(member_id="M1", cards=(CardChange(number="2200000000019"),), lots=(lot,))], NOW)
    with store.write():
        store.asked("T2", NOW)
        store.hold(TillHold(till="T2", epoch=1, applied_seq=0, applied_hash=bytes(32)), NOW)
    store._db.execute("VACUUM INTO ?", (str(tmp_path / "night.db"),))
    first = desk.answer(store, Holder(till="T1", epoch=1), asked, new_id, NOW)
    assert first.grants and first.head.epoch == 1
    store.close()
    opened().close()
    path.write_bytes((tmp_path / "night.db").read_bytes())
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    store = opened()
    again = desk.answer(store, Holder(till="T1", epoch=1), asked, new_id, NOW)
    assert (again.grants, again.held_back, again.head.epoch) == ((), "hello", 2), "T2 may hold what nobody here knows of"
    store.close()
    (tmp_path / "mark").write_bytes(b"{}")
    with pytest.raises(StoreError, match="cannot be read"):
        opened()
