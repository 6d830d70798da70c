"""What comes wrong to head office's upload, by HTTP to a real process: never a 5xx, an answer that names what is wrong and where,
and nothing changed: every table is compared. Numbers: see docs/testing.md."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pos_loyalty import wiring
from pos_loyalty.wiring import offices
from tests.faults.independent import Client, Json, canonical
from tests.faults.nodes import Office, all_rows, rows, until
from tests.faults.test_independent import add_member, enrolled, points
from tests.ports import free_port

PROBLEM = "application/problem+json"
MIB = 1024 * 1024


class Desk:
    """Head office, and a till of which it holds three facts."""

    def __init__(self, folder: Path) -> None:
        self.office = Office(folder / "office", free_port())
        self.office.process.start()
        until(lambda: self.office.is_up, "head office does not come up")
        self.till = enrolled(self.office, "T1")
        add_member(self.till, "M7", "2200000000019")
        for n in range(2):
            self.till.write(points(self.till, "M7", 1000, f"L{n}"))
        self.till.send(1, 3)

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows, but for how far head office has asked sales again in a quiet moment, and the sums of all tables."""
        return all_rows(self.office.database, but=("recompute_mark", "witness"))

    def next(self, change: Callable[[bytes], bytes] = bytes, **header: Json) -> bytes:
        """A batch of one more fact, changed, chained and signed as if it were right; it does not enter the till's log."""
        payload = change(points(self.till, "M7", 1000, "more"))
        assert change is bytes or payload != points(self.till, "M7", 1000, "more"), "the change changes something"
        return self.of([payload], **header)

    def of(self, payloads: list[bytes], **header: Json) -> bytes:
        """A batch of such facts after the three."""
        copy = Client(self.till.url, "T1", peer=self.till.peer)
        copy.key, copy.said = self.till.key, self.till.said
        copy.log, copy.hashes = list(self.till.log), list(self.till.hashes)
        for payload in payloads:
            copy.write(payload)
        return copy.batch(4, 3 + len(payloads), **header)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    yield made
    made.office.process.kill()


def swap(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda payload: payload.replace(old.encode(), new.encode("utf-8", "surrogatepass"), 1)


def two(desk: Desk, change: Callable[[bytes], bytes]) -> bytes:
    """A good fact, and a bad one after it."""
    good = points(desk.till, "M7", 10, "good")
    later = good.replace(b'"seq":4', b'"seq":5').replace(b'"hlc":1004', b'"hlc":1005').replace(b"T1/good", b"T1/late")
    return desk.of([good, change(later.replace(b'"id":"', b'"id":"0', 1).replace(b'","store"', b'"store"', 1))])


CASES: dict[str, tuple[Callable[[Desk], bytes], int, str, str]] = {
    "4 gap": (lambda d: d.till.batch(3, 3, first_seq=9), 422, "wire", "signed"),
    "5 swapped": (lambda d: swapped(d), 409, "log-gap", "up to 3"),
    "25 bomb": (lambda d: gzip.compress(b"0" * 300 * MIB, 1), 422, "wire", "inflates to more than 8388608"),
    "25 bomb in a header": (lambda d: d.next(member_keys={"M7": "A" * 9 * MIB}), 422, "wire", "inflates to more"),
    "25 cut short": (lambda d: d.next()[:-9], 422, "wire", "cut short"),
    "25 more after it": (lambda d: d.next() + b"x", 422, "wire", "more after the gzip"),
    "25 no gzip": (lambda d: b"\x00" * 50, 422, "wire", "not gzip"),
    "25 too large": (lambda d: b"\x00" * 5 * MIB, 413, "too-large", "at most"),
    "25 empty": (lambda d: b"", 422, "wire", "cut short"),
    "26 NaN": (lambda d: d.next(swap('"amount":1000', '"amount":NaN')), 422, "wire", "fact 4"),
    "26 1e400": (lambda d: d.next(swap('"amount":1000', '"amount":1e400')), 422, "wire", "fact 4"),
    "26 -0": (lambda d: d.next(swap('"mono_ns":4', '"mono_ns":-0')), 422, "wire", "canonical"),
    "26 doubled key": (lambda d: d.next(swap('"mono_ns":4', '"mono_ns":4,"mono_ns":4')), 422, "wire", "canonical"),
    "26 lone surrogate": (lambda d: d.next(swap("a late", "\ud800 late")), 422, "wire", "fact 4"),
    "26 escaped surrogate": (lambda d: d.next(swap("a late", "\\ud800 late")), 422, "wire", "fact 4"),
    "26 NUL": (lambda d: d.next(swap("a late", "\x00 late")), 422, "wire", "fact 4"),
    "26 a line of 5 MB": (lambda d: d.next(swap("a late", "a" * 5 * MIB)), 422, "wire", "fact 4 is larger than"),
    "26 deep nesting": (lambda d: d.next(swap('"adjustment":{', '"x":' + "[" * 200_000)), 422, "wire", "fact 4"),
    "26 deep header": (lambda d: gzip.compress(b"[" * MIB + b"\n{}\n"), 422, "wire", "header"),
    "27 2^63": (lambda d: d.next(swap('"amount":1000', f'"amount":{2**63}')), 422, "wire", r"entries[0].amount"),
    "27 negative": (lambda d: d.next(swap('"amount":1000', '"amount":-1000')), 422, "wire", r"entries[0].amount"),
    "27 fraction": (lambda d: d.next(swap('"amount":1000', '"amount":1000.5')), 422, "wire", r"entries[0].amount"),
    "27 foreign digits": (lambda d: d.next(swap('"amount":1000', '"amount":١٢')), 422, "wire", "fact 4"),
    "27 beyond adding up": (lambda d: d.next(swap('"owed_centi":0', f'"owed_centi":{10**15}')), 422, "wire", "owed_centi"),
    "27 as text": (lambda d: d.next(swap('"amount":1000', '"amount":"1000"')), 422, "wire", r"entries[0].amount"),
    "28 protocol": (lambda d: d.next(protocol=99), 422, "peer", "protocol 99 is not spoken"),
    "28 schema": (lambda d: d.next(schema=99), 422, "peer", "facts of schema 99"),
    "28 schema of a fact": (lambda d: d.next(swap('"schema":0', '"schema":99')), 422, "wire", "schema 99"),
    "28 unknown kind": (lambda d: d.next(swap("points.adjusted", "points.doubled")), 422, "wire", "kind"),
    "28 unknown field": (lambda d: d.next(swap('"mono_ns":4', '"mono_ns":4,"more":1')), 422, "wire", "more"),
    "29 signature": (lambda d: d.next(signature="0" * 128), 422, "wire", "not signed by the key"),
    "29 another's key": (lambda d: by_another_key(d), 422, "wire", "not signed by the key"),
    "29 a credential of its own": (lambda d: own_credential(d), 422, "wire", "not this head office's"),
    "30 card of 400 signs": (lambda d: enrolling(d, '"card":"' + "2" * 400 + '"'), 422, "wire", "enrolment.card"),
    "30 card too short": (lambda d: enrolling(d, '"card":"1"'), 422, "wire", "enrolment.card"),
    "36 half a batch": (lambda d: two(d, swap('"amount":10', '"amount":0')), 422, "wire", "fact 5"),
    "of another till": (lambda d: d.next(swap('"till":"T1"', '"till":"T2"')), 422, "wire", "calls itself"),
    "of head office": (lambda d: d.next(swap("points.adjusted", "till.revoked")), 422, "wire", "only head office"),
    "of another member": (lambda d: enrolling(d, '"card":"2200000000033"', '"member":"M8"'), 422, "wire", "another member"),
    "between members": (lambda d: d.next(swap('"debit":"adjustment"', '"debit":"member:M8"')), 422, "wire", "fact 4"),
    "another sum": (lambda d: d.next(swap('"centi":1000', '"centi":2000')), 422, "wire", "adjustment.centi"),
    "an instant without an offset": (lambda d: d.next(swap('00:00Z","expires', '00:00","expires')), 422, "wire", "usable_from"),
    "no facts": (lambda d: gzip.compress(b"{}\n"), 422, "wire", "header"),
    "501 facts": (lambda d: gzip.compress(b"{}\n" * 502), 422, "wire", "1 to 500 facts"),
    "another count": (lambda d: d.next(count=2), 422, "wire", "2 facts, 1 came"),
    "another chain": (lambda d: d.next(head_hash="1" * 64), 422, "wire", "not signed"),
}  # fmt: skip


def swapped(desk: Desk) -> bytes:
    good = points(desk.till, "M7", 10, "good")
    later = good.replace(b'"seq":4', b'"seq":5').replace(b'"hlc":1004', b'"hlc":1005')
    copy = Client(desk.till.url, "T1", peer=desk.till.peer)
    copy.key, copy.said = desk.till.key, desk.till.said
    copy.log, copy.hashes = list(desk.till.log), list(desk.till.hashes)
    copy.write(good)
    copy.write(later)
    return copy.batch(5, 5)


def by_another_key(desk: Desk) -> bytes:
    kept, desk.till.key = desk.till.key, Ed25519PrivateKey.generate()
    try:
        return desk.next()
    finally:
        desk.till.key = kept


def own_credential(desk: Desk) -> bytes:
    key = Ed25519PrivateKey.generate()
    made = {**desk.till.said["credential"], "public_key": key.public_key().public_bytes_raw().hex(), "signature": "0" * 128}
    made["signature"] = key.sign(b"pos-loyalty credential 1\n" + canonical(made)).hex()
    return desk.next(credential=made)


def enrolling(desk: Desk, card: str, member: str = '"member":"M9"') -> bytes:
    copy = Client(desk.till.url, "T1", peer=desk.till.peer)
    copy.log = list(desk.till.log)
    add_member(copy, "M9", "CARD")
    return desk.of([copy.log[-1].replace(b'"card":"CARD"', card.encode()).replace(b'"member":"M9"', member.encode())])


@pytest.mark.parametrize("name", CASES)
def test_a_bad_upload_is_told_what_is_wrong_and_changes_nothing(desk: Desk, name: str) -> None:
    make, status, kind, words = CASES[name]
    before = desk.dump()
    answer = desk.till.post(make(desk))
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), answer.text[:500]
    said = answer.json()
    assert said["type"] == f"urn:pos-loyalty:sync:{kind}"
    assert words in said["detail"] and len(said["detail"]) < 1000, said["detail"][:600]
    assert desk.dump() == before


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    """1 and 6: a batch comes again, whole and in part."""
    before = desk.dump()
    for first, last in ((1, 3), (2, 3), (1, 1)):
        assert desk.till.send(first, last)["applied_seq"] == 3
    assert {name: table for name, table in desk.dump().items() if name != "till"} == {
        name: table for name, table in before.items() if name != "till"
    }


@pytest.mark.parametrize(
    "path", ["/v1/tills/T2/log", "/v1/tills/T1/nothing", "/v1/tills/T1/log/", "/v2/tills/T1/log", "/v1/tills//log"]
)
def test_another_place_is_refused(desk: Desk, path: str) -> None:
    before = desk.dump()
    answer = desk.till.post(desk.next(), path)
    assert answer.status_code in (401, 404, 405) and answer.headers["Content-Type"] == PROBLEM
    assert desk.dump() == before


@pytest.mark.parametrize("token", ["", "x", "." * 5, "VDE.1.AAAA", "VDE.99999999999999999999.AAAA", "é.1.x", "Щ" * 5000])
def test_no_token_of_this_head_office(desk: Desk, token: str) -> None:
    before = desk.dump()
    answer = desk.till.post(desk.next(), Authorization=f"Bearer {token}".encode())  # type: ignore[arg-type]
    assert answer.status_code in (400, 401)
    assert desk.dump() == before


def test_a_fork_freezes_its_till_alone(desk: Desk) -> None:
    """2 and 3: the same number, or the same id, with another content; then nothing more of this till is taken."""
    for number, till in (("2", enrolled(desk.office, "T-id")), ("3", enrolled(desk.office, "T-seq"))):
        add_member(till, f"F{number}", f"22000000001{number}0")
        till.write(points(till, f"F{number}", 500, "once"))
        till.send(1, 2)
        before = desk.dump()
        if number == "2":
            twice = json.loads(points(till, f"F{number}", 900, "twice")) | {"id": json.loads(till.log[1])["id"]}
            till.write(canonical(twice))
            answer = till.post(till.batch(3, 3))
        else:
            till.log[1] = till.log[1].replace(b"500", b"900")
            till.hashes[2] = sha256(till.hashes[1] + till.log[1]).digest()
            answer = till.post(till.batch(2, 2))
        assert (answer.status_code, answer.json()["type"][-8:]) == (409, "log-fork")
        after = desk.dump()
        changed = {name for name in after if after[name] != before[name]}
        assert changed <= {"till", "row_witness"}, changed
    assert desk.till.send(1, 3)["applied_seq"] == 3


def test_what_contradicts_goes_to_suspense(desk: Desk) -> None:
    """32 and 33: points of a member whom nobody knows are booked, and a person gets a case."""
    till = enrolled(desk.office, "T-sus")
    till.write(points(till, "nobody", 700, "lost"))
    assert till.send(1, 1)["suspense"] == [{"seq": 1, "reason": "member.unknown"}]
    cases = rows(desk.office.database, "SELECT till, seq, reason FROM suspense_case WHERE till = 'T-sus'")
    assert cases == [("T-sus", 1, "member.unknown")]


def test_a_revoked_till_is_not_heard(desk: Desk) -> None:
    """29: its batches are as good as ever, and nobody takes them."""
    till = enrolled(desk.office, "T-gone")
    add_member(till, "G1", "2200000000200")
    offices.revoke_till(wiring.settings(desk.office.config), None, "T-gone", "M9")
    before = desk.dump()
    answer = till.post(till.batch(1, 1))
    assert (answer.status_code, answer.json()["type"][-5:]) == (401, "token")
    assert desk.dump() == before


def test_a_thousand_silent_lines_do_not_keep_a_till_out(desk: Desk) -> None:
    host, port = desk.office.url.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port)), timeout=60) for _ in range(1000)]
    try:
        for _ in range(3):
            assert desk.till.send(1, 3)["applied_seq"] == 3
    finally:
        for line in silent:
            line.close()


def test_head_office_is_whole_after_all_that(desk: Desk) -> None:
    assert wiring.verify(desk.office.database) == ()
    desk.till.write(points(desk.till, "M7", 1000, "after"))
    desk.till.sync()
    assert "Traceback" not in desk.office.process.said
