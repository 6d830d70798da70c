"""Snapshots over real HTTP: bad bytes, cuts, restarts, kills. A till takes all of it or goes on later."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import uvicorn
from msgspec.structs import replace

from pos_loyalty.store import outbox, snapshot_state
from pos_loyalty.store.db import open_store
from pos_loyalty.store.verify import verify
from pos_loyalty.values import decode, encode
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer, SyncReport
from sync.server import steps
from sync.server.app import head_office_app
from sync.server.desk import Beside
from sync.server.snapshots import SnapshotShelf, build
from sync.server.sqlite import SqliteLedgerStore
from sync.snapshot_wire import Manifest, signed
from sync.wire import CardChange, LotChange, MemberChange
from tests.simulation.shop import HEAD_OFFICE_KEY, KEY, NOW, OFFICE, Till, half, token_of
from tests.simulation.spoiling import Proxy

MEMBERS = 260
CHANGES_MAX = 100
PACE = Pace(interval_s=0.05, batch_facts_max=50)
BEARER = {"Authorization": f"Bearer {token_of('T1')}"}


class Served:
    """Head office with a shelf of snapshots, on a port that stays when it starts again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = 0
        self.shelf = SnapshotShelf(path, OFFICE.private_key)
        self.start()

    def start(self) -> None:
        app = head_office_app(self.open, OFFICE, lambda: NOW, Beside(shelf=self.shelf, changes_max=CHANGES_MAX))
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", self.port))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()
        until(lambda: self.server.started)

    def open(self) -> SqliteLedgerStore:
        return opened(self.path)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()


def opened(path: Path) -> SqliteLedgerStore:
    return SqliteLedgerStore(open_store(path, role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def imported(first: int, count: int) -> list[MemberChange]:
    return [
        MemberChange(
            member_id=f"m{n:05d}",
            cards=(CardChange(number=f"22{n:011d}"),),
            lots=(LotChange(lot_id=f"L{n}", centi=1000 + n, amount_centi=1000 + n),),  # type: ignore[arg-type]
        )
        for n in range(first, first + count)
    ]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr("sync.taking.PORTION", 50)
    path = tmp_path / "head_office.db"
    store = opened(path)
    steps.import_members(store, imported(0, MEMBERS), NOW)
    store.close()
    build(path, SnapshotShelf(path, OFFICE.private_key).folder, OFFICE.private_key, NOW)
    server = Served(path)
    yield server
    server.stop()


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path, "T1")


def synced(till: Till, url: str, *, later_h: int = 0, timeout_s: float = 5.0) -> SyncReport:
    """One go of a daemon that has just started."""
    office = HttpHeadOffice(url, "T1", token_of("T1"), timeout_s)
    try:
        return Syncer(till.db, till.here, PACE, office, half).once(lambda: NOW + timedelta(hours=later_h))
    finally:
        office.close()


def is_whole(till: Till) -> bool:
    rows = till.db.execute("SELECT COUNT(*), SUM(remaining) FROM lot").fetchone()
    return (
        rows == (MEMBERS, sum(1000 + n for n in range(MEMBERS)))
        and outbox.state(till.db).heard_ms is not None
        and snapshot_state.standing(till.db) is None
        and verify(till.db) == ()
        and not list(till.path.parent.glob("*.snapshot"))
    )


@pytest.fixture
def proxy(served: Served) -> Iterator[Proxy]:
    made = Proxy(served.url)
    yield made
    made.close()


def of_chunk(path: str) -> bool:
    return path.startswith("/v1/snapshot/")


def test_a_new_till_takes_a_snapshot_and_goes_on_by_changes(served: Served, till: Till) -> None:
    till.sell("S1")
    report = synced(till, served.url)
    assert (report.trouble, report.fetched_members, report.unsent_facts) == (None, MEMBERS, 0)
    assert is_whole(till)
    store = served.open()
    steps.import_members(store, imported(900, 2), NOW)
    store.close()
    assert synced(till, served.url).fetched_members == 2


def test_a_small_office_is_told_by_changes_alone(tmp_path: Path, till: Till) -> None:
    server = Served(tmp_path / "head_office.db")
    try:
        store = server.open()
        steps.import_members(store, imported(0, CHANGES_MAX), NOW)
        store.close()
        assert synced(till, server.url).fetched_members == CHANGES_MAX
        assert not server.shelf.folder.exists()
    finally:
        server.stop()


def test_one_is_built_when_none_is_of_use(tmp_path: Path, till: Till) -> None:
    """Also when the one that is there is of a past that was lost, or too far behind."""
    server = Served(tmp_path / "head_office.db")
    try:
        store = server.open()
        steps.import_members(store, imported(0, MEMBERS), NOW)
        store.close()
        first = synced(till, server.url)
        assert first.trouble is not None and not first.needs_person
        until(lambda: server.shelf.newest() is not None)
        until(lambda: synced(till, server.url, later_h=1).trouble is None)
        assert is_whole(till)
        store = server.open()
        steps.import_members(store, imported(900, CHANGES_MAX + 1), NOW)
        store.close()
        until(lambda: synced(till, server.url, later_h=2).trouble is None)
        newest = server.shelf.newest()
        assert newest is not None and newest.members == MEMBERS + CHANGES_MAX + 1
    finally:
        server.stop()


def test_two_newer_ones_let_a_snapshot_go(served: Served) -> None:
    names = []
    for _ in range(3):
        newest = served.shelf.newest()
        assert newest is not None
        names.append(newest.id)
        served.shelf.build(NOW)
    status = [requests.get(f"{served.url}/v1/snapshot/{name}/0", headers=BEARER, timeout=60).status_code for name in names]
    assert status == [404, 404, 200]


@pytest.mark.parametrize("fault", ["one byte", "cut short", "longer", "other chunk", "not gzip"])
def test_a_damaged_chunk_is_fetched_again(till: Till, proxy: Proxy, fault: str) -> None:
    spoilt: list[str] = []

    def spoil(path: str, answer: requests.Response) -> tuple[int, dict[str, str], bytes] | None:
        if not path.endswith("/2") or spoilt:
            return None
        spoilt.append(path)
        body = answer.content
        match fault:
            case "one byte":
                body = body[:100] + bytes([body[100] ^ 1]) + body[101:]
            case "cut short":
                return 206, {"Content-Length": str(len(body))}, body[: len(body) // 2]
            case "longer":
                body += b"x"
            case "other chunk":
                body = gzip.compress(b'{"member_id":"evil"}\n').ljust(len(body), b"\0")[: len(body)]
            case _:
                body = b"<html>".ljust(len(body))
        return 206, {}, body

    proxy.spoil = spoil
    first = synced(till, proxy.url)
    assert first.trouble is not None and not first.needs_person
    assert till.db.execute("SELECT COUNT(*) FROM member").fetchone() == (0,)
    assert synced(till, proxy.url, later_h=1).trouble is None
    assert is_whole(till)
    if fault == "cut short":
        ranges = [asked for path, asked in proxy.seen if path.endswith("/2")]
        assert ranges[0] == "bytes=0-" and ranges[1] not in (None, "bytes=0-"), "it goes on where it was cut"


@pytest.mark.parametrize("fault", ["signature", "other office", "version", "chunk"])
def test_a_manifest_that_head_office_did_not_sign_is_refused(till: Till, proxy: Proxy, fault: str) -> None:
    def spoil(path: str, answer: requests.Response) -> tuple[int, dict[str, str], bytes] | None:
        if path != "/v1/snapshot":
            return None
        manifest = decode(answer.content, Manifest)
        match fault:
            case "signature":
                manifest = replace(manifest, signature="0" * 128)
            case "other office":
                manifest = signed(manifest, "0c" * 32)
            case "version":
                manifest = replace(manifest, version=manifest.version + 1)
            case _:
                manifest = replace(manifest, chunks=(*manifest.chunks[:-1], replace(manifest.chunks[-1], sha256="0" * 64)))
        return 200, {}, encode(manifest)

    proxy.spoil = spoil
    report = synced(till, proxy.url)
    assert report.trouble is not None and "signed" in report.trouble
    assert outbox.state(till.db).trouble is not None, "a person should know"
    assert till.db.execute("SELECT COUNT(*) FROM member").fetchone() == (0,)
    assert snapshot_state.standing(till.db) is None


def test_a_snapshot_that_is_gone_is_begun_anew(served: Served, till: Till, proxy: Proxy) -> None:
    gone: list[str] = []

    def spoil(path: str, answer: requests.Response) -> tuple[int, dict[str, str], bytes] | None:
        if path.endswith("/2") and not gone:
            gone.append(path)
            for _ in range(2):
                build(served.path, served.shelf.folder, OFFICE.private_key, NOW)
            served.shelf._let_go()
            body = requests.get(proxy.target + path, headers=BEARER, timeout=60)
            return body.status_code, {"Content-Type": body.headers["Content-Type"]}, body.content
        return None

    proxy.spoil = spoil
    first = synced(till, proxy.url)
    assert first.trouble is not None and "not keep" in first.trouble
    assert synced(till, proxy.url, later_h=1).trouble is None
    assert is_whole(till)
    assert len({path.split("/")[3] for path, _ in proxy.seen if of_chunk(path)}) == 2


def test_head_office_may_start_again_between_chunks(served: Served, till: Till, proxy: Proxy) -> None:
    seen: list[str] = []

    def spoil(path: str, answer: requests.Response) -> tuple[int, dict[str, str], bytes] | None:
        if path.endswith("/1") and not seen:
            seen.append(path)
            served.stop()
            served.start()
        return None

    proxy.spoil = spoil
    assert synced(till, proxy.url).trouble is None
    assert is_whole(till)


def test_a_slow_answer_is_given_up_and_goes_on_where_it_was(till: Till, proxy: Proxy) -> None:
    proxy.drip_s = 0.02
    first = HttpHeadOffice(proxy.url, "T1", token_of("T1"), 2.0, whole_factor=0)
    report = Syncer(till.db, till.here, PACE, first, half).once(lambda: NOW)
    first.close()
    assert report.trouble is not None and not report.needs_person
    proxy.drip_s = 0.0
    assert synced(till, proxy.url, later_h=1).trouble is None
    assert is_whole(till)


def test_ranges(served: Served) -> None:
    manifest = served.shelf.newest()
    assert manifest is not None
    chunk = manifest.chunks[2]
    url = f"{served.url}/v1/snapshot/{manifest.id}/2"

    def ask(**headers: str) -> requests.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(url, headers=BEARER | {"Accept-Encoding": "identity"} | given, timeout=60)

    whole = ask()
    assert (whole.status_code, len(whole.content), whole.headers["ETag"]) == (200, chunk.bytes, f'"{chunk.sha256}"')
    for start in (0, 1, chunk.bytes - 1):
        part = ask(Range=f"bytes={start}-")
        assert (part.status_code, part.content) == (206, whole.content[start:])
        assert part.headers["Content-Range"] == f"bytes {start}-{chunk.bytes - 1}/{chunk.bytes}"
    for start in (chunk.bytes, chunk.bytes + 1, 10**8):
        assert ask(Range=f"bytes={start}-").status_code == 416
    for odd in ("bytes=-5", "bytes=5-9", "lines=1-", "bytes=x-", "bytes=1-,3-", "bytes=" + "9" * 40 + "-", "bytes=٣-"):
        assert ask(Range=odd.encode().decode("latin-1")).status_code == 200, odd
    assert ask(Range="bytes=5-", If_Range='"other"').status_code == 200


def test_other_names_are_not_there(served: Served) -> None:
    manifest = served.shelf.newest()
    assert manifest is not None
    for path in ("0/0", "x/0", "%2e%2e/0", "{id}/99", "{id}/-1", "{id}/x", "{id}/manifest.json", "{id}/٣", "building/0", "*/0"):
        url = f"{served.url}/v1/snapshot/{path.format(id=manifest.id)}"
        assert requests.get(url, headers=BEARER, timeout=60).status_code == 404, path


def test_nobody_without_a_token_reads_members(served: Served) -> None:
    manifest = served.shelf.newest()
    assert manifest is not None
    for path in ("snapshot", f"snapshot/{manifest.id}/2"):
        assert requests.get(f"{served.url}/v1/{path}", timeout=60).status_code == 401


CHILD = """
import sys
from pathlib import Path
from sync import taking
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer
from tests.simulation.shop import NOW, Till, half, token_of
taking.PORTION = 5
till = Till(Path(sys.argv[1]), "T1")
office = HttpHeadOffice(sys.argv[2], "T1", token_of("T1"), 5.0)
print("begun", flush=True)
Syncer(till.db, till.here, Pace(interval_s=1, batch_facts_max=50), office, half).once(lambda: NOW)
"""


def test_a_kill_at_any_instruction_goes_on(served: Served, tmp_path: Path, proxy: Proxy) -> None:
    """The daemon is killed again and again, at other instants, while another process sells from the same file."""
    till = Till(tmp_path, "T1")
    till.sell("S0")
    kills = 0
    for wait_ms in (0, 10, 30, 60, 100, 150):
        command = [sys.executable, "-c", CHILD, str(tmp_path), proxy.url]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path.cwd())})
        assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        time.sleep(wait_ms / 1000)
        till.sell(f"S{wait_ms + 1}")
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        kills += 1
        assert verify(till.db) == ()
        if outbox.state(till.db).heard_ms is not None:
            break
    assert synced(till, served.url, later_h=1).trouble is None
    assert is_whole(till)
    assert kills > 1 and KEY
