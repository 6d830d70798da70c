"""What comes wrong to a store's hub, by HTTP to a real process: each bad upload, wrong stamps, questions caught and asked again,
broken JSON, bombs, and chance. Never a 5xx, and both files of the hub hold what they held before."""

from __future__ import annotations

import base64
import gzip
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import requests

from pos_loyalty import wiring
from tests.faults import bank
from tests.faults.independent import Client, Json, canonical
from tests.faults.namespaces import LOOPBACK
from tests.faults.nodes import Hub, all_rows, rows, until
from tests.faults.test_bad_uploads import CASES, MIB, PROBLEM, Desk
from tests.ports import free_port

QUESTIONS = int(os.environ.get("HUB_QUESTIONS", "400"))
SEED = 20261123
MEMBER = "member-far"
LOG, RIGHTS, SALES = "/v1/tills/T1/log", "/v1/tills/T1/rights", "/v1/sales"
CHANGES = "/v1/tills/T1/changes?protocol=1&schema=0"
PLACES = (("POST", LOG), ("POST", RIGHTS), ("GET", f"{CHANGES}&since=0"), ("GET", f"{SALES}?till=T1&sale_id=x"))
NO_PLACES = ("/v1/tills/T2/log", "/v1/tills/S1-HUB/log", "/v1/tills/T1/log/", "/v1/tills//log", "/v2/tills/T1/log", "/v1/enrol")
BAD_SINCE = (
    "", "since=-1", "since=x", "since=9e9", f"since={'9' * 40}", "since=0&mark=zz", "since=0&hub_life=x&hub_n=1", "since=%00",
)  # fmt: skip
ODD_SALES = ("till=%00&sale_id=%FF", "till=T1", "x", "fn=1&i=2&fp=3", "sale_id=" + "s" * 65, "till=T1&sale_id=none", "what=1")
HEAD = {"epoch": 1, "seq": 3, "hash": "0" * 64}
BAD_RIGHTS: tuple[Json, ...] = (
    {"ask_id": "x"}, {"ask_id": 7}, {"head": None}, {"head": {**HEAD, "seq": -1}}, {"head": {**HEAD, "seq": 2**70}}, {"more": 1},
    {"head": {**HEAD, "hash": "é"}}, {"wants": [{"member_id": "M7", "much": "most"}]}, {"wants": "M7"}, {"gifts": ["x"]},
    {"wants": [{"member_id": "", "much": "all"}]}, {"wants": [{"member_id": "M7", "much": "all"}] * 501},
    {"coupons": ["A"] * 21}, {"hub_seen": {"hub": 1, "head": HEAD}}, {"seen": {**HEAD, "epoch": 2**63}},
)  # fmt: skip
NO_JSON: tuple[bytes, ...] = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 200_000, b'{"ask_id":' + b"9" * MIB + b"}", b"{}", gzip.compress(b"{}"),
)  # fmt: skip
NO_HTTP: tuple[bytes, ...] = (
    b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" * 20, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/tills/T1/log HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"GET /v1/tills/%ff%00/changes HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/tills/T1/log HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\nshort",
    b"POST /v1/tills/T1/rights HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
)  # fmt: skip


class Store(Desk):
    """A hub that has brought its till's three facts to head office, and holds the store's points. Then head office is away: what
    changes in the hub's files is the till's doing alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.office.prepare(bank.PROGRAMME, [(MEMBER, "2200000000316", 40_000)])
        self.abroad = Client(self.office.url, "T5", store="S2")
        self.session = requests.Session()
        at = ("127.0.0.1", free_port())
        self.url = f"http://127.0.0.1:{at[1]}"
        self.hub = Hub(self.office, folder / "hub", self.office.url, LOOPBACK, at, inside="hub")

    def open(self) -> None:
        """The hub runs, has something to lose, and is cut off."""
        self.abroad.enrol(self.office.code("T5"))
        self.hub.enrol(self.office.code(self.hub.name))
        self.hub.process.start()
        until(lambda: self._answers("state") == "ok", "the hub does not come up")
        assert self.ask("POST", LOG, self.till.batch(1, 3)).status_code == 200
        until(lambda: self._answers("waiting_facts") == 0, "the hub brings nothing")
        held = "SELECT 1 FROM right_grant WHERE till = 'S1-HUB'"
        assert self.ask("GET", f"{CHANGES}&since=0").status_code == 200
        until(lambda: self.rights(MEMBER) != [] and rows(self.hub.database, held) != [], "the hub gives nothing")
        self.office.process.kill()

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str | bytes | None) -> requests.Response:
        """A question, stamped by T1; ``asked``: another stamp, None for no stamp."""
        shown = {"Content-Encoding": "gzip", "Pos-Loyalty-Asked": stamp(self.till, method, target, body)}
        shown |= {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if headers.get("Pos_Loyalty_Asked", "") is None:
            del shown["Pos-Loyalty-Asked"]
        return self.send(method, target, body, shown)

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str | bytes]) -> requests.Response:
        """The question with the target as it is: requests would mend it."""
        question = requests.Request(method, self.url, data=body, headers=headers).prepare()
        question.url = self.url + target
        return self.session.send(question, timeout=60)

    def rights(self, member: str) -> Json:
        """What the hub gives of a member who stands at T1."""
        return self.ask("POST", RIGHTS, wanting(self.till, member=member)).json()["grants"]

    def files(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows of both files, but for what the hub's own line notes of its questions, and the sums of all tables."""
        found = {}
        for path in (self.hub.database, self.hub.relay):
            of_file = all_rows(path, but=("witness", "sync_state"))
            found |= {f"{path.name} {name}": table for name, table in of_file.items()}
        return found

    def _answers(self, name: str) -> Json:
        try:
            return requests.get(f"{self.url}/healthz", timeout=60).json()[name]
        except requests.ConnectionError:
            return None


def stamp(till: Client, method: str, target: str, body: bytes, **other: Json) -> str:
    """A question's header, by docs/sync.md."""
    nonce = sha256(os.urandom(16)).hexdigest()[:32]
    said = f"pos-loyalty ask 1\n{method}\n{target}\n{sha256(body).hexdigest()}\n{nonce}".encode()
    made = {"credential": till.said["credential"], "nonce": nonce, "signature": till.key.sign(said).hex()}
    return base64.b64encode(canonical(made | other)).decode()


def wanting(till: Client, *, member: str = MEMBER, **other: Json) -> bytes:
    """A question about rights to a member's points; ``other``: fields to say otherwise."""
    head = {"epoch": 1, "seq": 3, "hash": till.hashes[3].hex()}
    return canonical({"ask_id": "7" * 32, "head": head, "wants": [{"member_id": member, "much": "all"}], **other})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    try:
        made.open()
        yield made
    finally:
        made.session.close()
        made.hub.process.kill()
        made.office.process.kill()


@pytest.mark.parametrize("name", CASES)
def test_a_bad_upload_changes_nothing_at_the_hub_either(store: Store, name: str) -> None:
    make, status, kind, _ = CASES[name]
    before = store.files()
    answer = store.ask("POST", LOG, make(store))
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), answer.text[:500]
    assert answer.json()["type"] == f"urn:pos-loyalty:sync:{kind}"
    assert store.files() == before


def test_nobody_speaks_but_who_signed_this_very_question(store: Store) -> None:
    """By another's key, for another body, place or verb, with a credential of its own, cut short, endless, or not at all."""
    till, good = store.till, store.next()
    stranger = Client(store.url, "T1")
    own = Client(store.url, "T1")
    own.said = {"credential": {**till.said["credential"], "public_key": own.key.public_key().public_bytes_raw().hex()}}
    stranger.said = till.said
    right = stamp(till, "POST", LOG, good)
    stamps = [
        None, "", "x", "é".encode(), "=" * 100, right[:-8], right + "AAAA", "A" * 5_000, base64.b64encode(b"{}").decode(),
        base64.b64encode(b"[" * 3_000).decode(), stamp(stranger, "POST", LOG, good), stamp(own, "POST", LOG, good),
        stamp(till, "GET", LOG, good), stamp(till, "POST", RIGHTS, good), stamp(till, "POST", LOG, b""),
        stamp(till, "POST", LOG, good, nonce="0" * 31), stamp(till, "POST", LOG, good, nonce="0" * 32),
        stamp(till, "POST", LOG, good, signature="0" * 128), stamp(till, "POST", LOG, good, more=1),
        stamp(till, "POST", LOG, good, credential=store.hub.name),
    ]  # fmt: skip
    before = store.files()
    for each in stamps:
        answer = store.ask("POST", LOG, good, Pos_Loyalty_Asked=each)
        assert answer.status_code in (400, 401), (each, answer.text)
    for method, target in PLACES:
        for asked in (None, right, stamp(stranger, method, target, b""), stamp(store.abroad, method, target, b"")):
            assert store.ask(method, target, Pos_Loyalty_Asked=asked).status_code == 401, (method, target)
    for path in NO_PLACES:
        assert store.ask("POST", path, good).status_code in (401, 404, 405), path
    assert store.files() == before


def test_a_question_that_is_caught_and_asked_again_changes_nothing(store: Store) -> None:
    """The same bytes under the same stamp: a batch that is kept, and rights that were given."""
    before = store.files()
    for target, body in ((LOG, store.till.batch(1, 3)), (RIGHTS, wanting(store.till))):
        caught = stamp(store.till, "POST", target, body)
        first, again = (store.ask("POST", target, body, Pos_Loyalty_Asked=caught) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json().get("grants") == again.json().get("grants")
    assert store.files() == before
    assert rows(store.hub.database, "SELECT COUNT(*) FROM right_grant WHERE till = 'T1'") == [(1,)]


def test_broken_questions_are_told_what_is_wrong(store: Store) -> None:
    """About rights, changes and sales: JSON that is none, figures that nobody counts, names that nobody has, endless lists."""
    before = store.files()
    for body in (*NO_JSON, *(wanting(store.till, **other) for other in BAD_RIGHTS)):
        answer = store.ask("POST", RIGHTS, body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, PROBLEM), (body[:200], answer.text[:300])
    for query in BAD_SINCE:
        answer = store.ask("GET", f"{CHANGES}&{query}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, PROBLEM), (query, answer.text[:300])
    for query in ODD_SALES:
        assert store.ask("GET", f"{SALES}?{query}").status_code in (200, 422), query
    assert store.ask("POST", RIGHTS, b"0" * 6 * MIB).status_code == 413
    assert store.files() == before


def test_what_is_no_http_is_no_trouble(store: Store) -> None:
    before = store.files()
    host, port = store.url.removeprefix("http://").split(":")
    for raw in NO_HTTP:
        with socket.create_connection((host, int(port)), timeout=60) as line:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            assert not line.recv(100).startswith(b"HTTP/1.1 5"), raw[:60]
    assert store.files() == before


def test_whatever_chance_asks_nothing_fails_and_nothing_changes(store: Store) -> None:
    """Good questions with bytes changed, cut or repeated, in body, place and stamp; most bear the till's own good stamp."""
    random, before, told = Random(SEED), store.files(), Counter[int]()
    bodies = (store.till.batch(1, 3), wanting(store.till), wanting(store.till, member="nobody"), b"")
    for _ in range(QUESTIONS):
        method, target = random.choice(PLACES)
        body = spoiled(random.choice(bodies), random)
        if random.random() < 0.3:
            target = "/" + spoiled_text(target[1:], random)
        asked = stamp(store.till, method, target, body)
        if random.random() < 0.3:
            asked = spoiled_text(asked, random)
        headers = {"Content-Encoding": random.choice(("gzip", "gzip", "br")), "Pos-Loyalty-Asked": asked}
        answer = store.send(method, target, body, headers)
        assert answer.status_code < 500, (method, target, body[:300], answer.text[:300])
        told[answer.status_code] += 1
    print(dict(told))
    assert told[200] and told[401] and told[422]
    assert store.files() == before


def spoiled(data: bytes, random: Random) -> bytes:
    """As it is, or with a byte changed, cut short, doubled, or followed by something."""
    at = random.randrange(len(data) + 1)
    match random.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 2:
            return data[:at] + data[at : at + 20] * 2 + data[at + 20 :]
        case 3:
            return data + random.randbytes(9)
        case _:
            return data


def spoiled_text(text: str, random: Random) -> str:
    """Such as may stand in a request line or a header."""
    return "".join(chr(sign) for sign in spoiled(text.encode(), random) if 32 < sign < 127 and chr(sign) != "#")


def test_the_hub_is_whole_after_all_that(store: Store) -> None:
    assert wiring.verify(store.hub.database) == ()
    answer = store.ask("POST", LOG, store.next())
    assert (answer.status_code, answer.json()["applied_seq"]) == (200, 4)
    assert "Traceback" not in store.hub.process.said
