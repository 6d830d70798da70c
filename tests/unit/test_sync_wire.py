"""Bytes on the line: limits, damage, hostile JSON, strangers who answer in head office's place, and the waits."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pos_loyalty.errors import HeadOfficeGoneError, LogForkError, LogGapError, WireError
from pos_loyalty.store.facts import PAYLOAD_BYTES_MAX
from pos_loyalty.store.outbox import Row
from pos_loyalty.store.sold import NOTHING
from pos_loyalty.values import encode
from sync import backoff, push
from sync.identity import Holder
from sync.local import begin_push, next_batch
from sync.server import steps
from sync.server.app import BODY_BYTES_MAX
from sync.wire import (
    COMPRESSED_BYTES_MAX,
    PLAIN_BYTES_MAX,
    Peer,
    Reply,
    SaleQuestion,
    decode_batch,
    inflate,
    read_ack,
    read_sale,
    wait_of,
)
from tests.simulation.shop import NOW, HeadOffice, Till, half, pull_all, signer_of
from tests.unit.test_sync_identity import sync_fully

ZERO = "0" * 64
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signer_of("T1").private_key))
CREDENTIAL = json.loads(encode(signer_of("T1").credential))
PEER = Peer(till="T1")
PROBLEM = "application/problem+json"
GAP = b'{"type":"urn:pos-loyalty:sync:log-gap","title":"","status":409,"detail":"d","expected_seq":7}'


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


def header(payloads: list[bytes], **other: object) -> bytes:
    """A header written by hand, as another implementer would from docs/sync.md."""
    last = bytes(32)
    for payload in payloads:
        last = sha256(last + payload).digest()
    fields = {
        "protocol": 1, "schema": 0, "till": "T1", "epoch": 1, "first_seq": 1, "prev_hash": ZERO,
        "head_hash": last.hex(), "count": len(payloads), "member_keys": {}, "credential": CREDENTIAL,
    }  # fmt: skip
    fields |= other
    last_seq = int(str(fields["first_seq"])) + int(str(fields["count"])) - 1
    said = f"pos-loyalty log 1\n{fields['till']}\n{fields['epoch']}\n{last_seq}\n{fields['head_hash']}"
    return json.dumps({"signature": KEY.sign(said.encode()).hex()} | fields).encode()


def body(payloads: list[bytes], **other: object) -> bytes:
    return gzip.compress(b"\n".join([header(payloads, **other), *payloads, b""]))


def good_payload(tmp_path: Path) -> bytes:
    (tmp_path / "good").mkdir()
    till = Till(tmp_path / "good", "T1")
    till.sell("S1")
    (payload,) = till.db.execute("SELECT payload FROM txn").fetchone()
    return bytes(payload)


def test_a_batch_made_by_hand_is_taken(office: HeadOffice, tmp_path: Path) -> None:
    assert office.push("T1", body([good_payload(tmp_path)])).status == 200


def test_a_gzip_bomb_is_stopped_hard(office: HeadOffice) -> None:
    bomb = gzip.compress(b"0" * (64 * 1024 * 1024))
    assert len(bomb) < COMPRESSED_BYTES_MAX
    with pytest.raises(WireError, match="inflates to more than"):
        inflate(bomb, PLAIN_BYTES_MAX)
    assert office.push("T1", bomb).status == 422


def test_cut_short_at_any_byte_nothing_changes(office: HeadOffice, tmp_path: Path) -> None:
    whole = body([good_payload(tmp_path)])
    for end in range(0, len(whole), 7):
        assert office.push("T1", whole[:end]).status == 422
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]
    assert office.rows("SELECT COUNT(*) FROM till") == [(0,)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"<html>",
        zlib.compress(b"x"),
        gzip.compress(b"", mtime=0),
        gzip.compress(b"\n", mtime=0),
        gzip.compress(b"x", mtime=0) + b"more",
        gzip.compress(b"{}\n{}\n", mtime=0),
    ],
)
def test_what_is_no_batch_is_refused(office: HeadOffice, data: bytes) -> None:
    assert office.push("T1", data).status == 422


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"mono_ns":', b'"mono_ns":NaN,"x":'),
        (b'"mono_ns":', b'"mono_ns":1e400,"x":'),
        (b'"mono_ns":', b'"mono_ns":1,"mono_ns":'),
        (b'"mono_ns":', b'"mono_ns":9223372036854775808,"hlc":'),
        (b'"epoch":1', b'"epoch":-0'),
        (b'"epoch":1', b'"epoch":1.0'),
        (b'"seq":1', b'"seq":2'),
        (b'"seq":1', '"seq":١'.encode()),
        (b'"till":"T1"', b'"till":"T2"'),
        (b'"schema":0', b'"schema":1'),
        (b'"store":"S1"', b'"store":"\\ud800"'),
        (b'"store":"S1"', b'"store":"S\x00"'),
        (b'"store":"S1"', b'"store":' + b"[" * 100_000),
        (b'"store":"S1"', b'"store": "S1"'),
        (b'"price_minor":10000', b'"price_minor":9223372036854775808'),
        (b'"gross_minor":10000', b'"gross_minor":99999999999999999999'),
    ],
)
def test_a_hostile_payload_is_refused_and_changes_nothing(office: HeadOffice, tmp_path: Path, old: bytes, new: bytes) -> None:
    good = good_payload(tmp_path)
    assert old in good
    assert office.push("T1", body([good.replace(old, new, 1)])).status == 422
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]
    assert office.push("T1", body([good])).status == 200, "the till is not stopped for good"


@pytest.mark.parametrize(
    "other",
    [
        {"head_hash": "1" * 64},
        {"count": 2},
        {"till": "T2"},
        {"protocol": 0},
        {"protocol": 2},
        {"protocol": -1},
        {"schema": 2},
        {"schema": -1},
        {"build": ZERO},
        {"first_seq": 0},
        {"extra": 1},
    ],
)
def test_a_header_that_does_not_hold_is_refused(office: HeadOffice, tmp_path: Path, other: dict[str, object]) -> None:
    assert office.push("T1", body([good_payload(tmp_path)], **other)).status == 422
    assert office.rows("SELECT COUNT(*) FROM till") == [(0,)]


def test_too_many_facts_are_refused() -> None:
    with pytest.raises(WireError):
        decode_batch(body([b"{}"] * 501, count=500))


@pytest.mark.parametrize(
    ("status", "kind", "data", "error"),
    [
        (200, "text/html", b"<html>log in</html>", HeadOfficeGoneError),
        (200, "application/json", b"<html>", WireError),
        (200, "application/json", b"{}", WireError),
        (302, "text/html", b"", HeadOfficeGoneError),
        (403, "text/html", b"pay first", HeadOfficeGoneError),
        (404, "", b"", HeadOfficeGoneError),
        (429, "text/plain", b"", HeadOfficeGoneError),
        (503, PROBLEM, b"{}", HeadOfficeGoneError),
        (409, PROBLEM, GAP, LogGapError),
        (409, PROBLEM, b'{"type":"urn:pos-loyalty:sync:log-fork","title":"","status":409,"detail":"d"}', LogForkError),
        (401, PROBLEM, b'{"type":"urn:pos-loyalty:sync:token","title":"","status":401,"detail":"d"}', WireError),
    ],
)
def test_every_answer_has_its_meaning(status: int, kind: str, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_ack(Reply(status=status, content_type=kind, body=data))


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True), st.none() | st.integers(0, 900))
def test_a_wait_is_within_its_bounds(failures: int, chance: float, wished_s: int | None) -> None:
    wait_s = backoff.delay_s(failures, lambda: chance, wished_s)
    assert 1 <= wait_s <= 900
    assert wait_s <= max(2**failures, wished_s or 0)
    assert wait_s >= (wished_s or 0)


def test_only_seconds_are_read_from_retry_after() -> None:
    assert [wait_of(text) for text in ("5", "99999999999", "-1", "Wed, 21 Oct", "٣", None)] == [5, 900, None, None, None, None]


def test_large_facts_travel_in_smaller_batches() -> None:
    noise = random.Random(7)
    rows, last = [], bytes(32)
    for seq in range(1, 6):
        payload = noise.randbytes(400_000).hex().encode()
        head = sha256(last + payload).digest()
        rows.append(Row(epoch=1, seq=seq, payload=payload, prev_hash=last, hash=head))
        last = head
    step = push.outgoing(push.begin(0, 500, NOW), rows, PEER, signer_of("T1"), {}, NOW)
    assert step.send is not None
    assert len(step.send) <= COMPRESSED_BYTES_MAX
    assert decode_batch(step.send).header.count == 2


def test_one_fact_that_packs_badly_travels_alone() -> None:
    payload = random.Random(7).randbytes(2_000_000).hex().encode()
    rows = [Row(epoch=1, seq=1, payload=payload, prev_hash=bytes(32), hash=sha256(bytes(32) + payload).digest())]
    step = push.outgoing(push.begin(0, 500, NOW), rows, PEER, signer_of("T1"), {}, NOW)
    assert step.send is not None
    assert decode_batch(step.send).payloads == (payload,)


def rows_of(payloads: list[bytes]) -> list[Row]:
    rows, last = [], bytes(32)
    for seq, payload in enumerate(payloads, start=1):
        head = sha256(last + payload).digest()
        rows.append(Row(epoch=1, seq=seq, payload=payload, prev_hash=last, hash=head))
        last = head
    return rows


def test_any_fact_that_a_log_takes_travels_whatever_it_is_made_of() -> None:
    """Noise of all byte values packs worse than any JSON; the header holds the longest names and the key of its member."""
    noise = random.Random(7).randbytes(PAYLOAD_BYTES_MAX).replace(b"\n", b" ")
    peer, keys = Peer(till="Щ" * 64), {"Щ" * 64: bytes(64)}
    for payload in (noise, b"0" * PAYLOAD_BYTES_MAX):
        step = push.outgoing(push.begin(0, 500, NOW), rows_of([payload]), peer, signer_of("Щ" * 64, 2**31), keys, NOW)
        assert step.send is not None and len(step.send) <= BODY_BYTES_MAX
        assert decode_batch(step.send).payloads == (payload,)


@pytest.mark.parametrize("size", [PAYLOAD_BYTES_MAX, 3_000_000, 100_000, 30_000])
def test_facts_that_pack_well_stay_under_the_plain_limit(size: int) -> None:
    rows = rows_of([b"0" * size] * min(500, 2 * PLAIN_BYTES_MAX // size + 2))
    state, sent = push.begin(0, 500, NOW), 0
    while sent < len(rows):
        step = push.outgoing(push.resume(state, sent), rows[sent:], PEER, signer_of("T1"), {}, NOW)
        assert step.send is not None
        assert len(inflate(step.send, 10 * PLAIN_BYTES_MAX)) <= PLAIN_BYTES_MAX
        sent += decode_batch(step.send).header.count
        state = push.begin(sent, 500, NOW)


def test_a_fact_over_the_limit_is_told_and_never_sent() -> None:
    step = push.outgoing(push.begin(0, 500, NOW), rows_of([b"0" * PLAIN_BYTES_MAX]), PEER, signer_of("T1"), {}, NOW)
    assert step.send is None
    assert step.state.is_stopped and step.state.trouble == "fact 1 is too large to send"


def test_a_till_that_sends_such_a_fact_all_the_same_is_refused(office: HeadOffice, tmp_path: Path) -> None:
    good = good_payload(tmp_path)
    large = good.replace(b'"store":"S1"', b'"store":"' + b"S" * PAYLOAD_BYTES_MAX + b'"', 1)
    reply = office.push("T1", body([large]))
    assert reply.status == 422 and b"larger than" in reply.body


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=10)
    state = begin_push(till.db, 500, NOW)
    assert next_batch(till.db, till.here, state, NOW) == next_batch(till.db, till.here, state, NOW)


def test_a_gap_again_and_again_waits_longer(tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    till.sell("S1")
    state = begin_push(till.db, 500, NOW)
    first = push.failed(state, LogGapError("gap", 1), NOW, half).state
    second = push.failed(first, LogGapError("gap", 1), NOW, half).state
    assert first.wake_at == NOW < second.wake_at


def test_who_was_away_and_lacks_facts_gets_them_at_once() -> None:
    """Head office was restored and silent for long: its word on what it lacks ends the wait, unless it says the same again."""
    state = push.begin(7, 400, NOW)
    for _ in range(8):
        state = push.failed(state, HeadOfficeGoneError("gone"), NOW, half).state
    assert state.wake_at > NOW
    told = push.failed(state, LogGapError("gap", 4), NOW, half).state
    assert (told.seq, told.wake_at) == (3, NOW)
    again = push.failed(told, LogGapError("gap", 4), NOW, half).state
    assert (again.seq, again.wake_at > NOW) == (3, True)


def test_a_clock_that_was_set_back_waits_for_nothing() -> None:
    at = NOW + timedelta(seconds=15)
    assert not backoff.is_due(NOW, at, NOW)
    assert backoff.is_due(NOW, at, at)
    assert backoff.is_due(NOW, at, NOW - timedelta(milliseconds=1))


SELF_LIES: list[tuple[bytes, bytes, str]] = [
    (b'"units":1', b'"units":9007199254740992', r"lines\[0\]\.units"),
    (
        b'"issued":[]',
        b'"issued":[{"rule":"r","kind":"coupon","series":"s","count":9007199254740992,"usable_from":null,"expires_at":null}]',
        "issues 9007199254740992 coupons with 0 codes",
    ),
    (b'"lines":[{"line_id":"1","gross', b'"lines":[{"line_id":"2","gross', "sale.quote.lines are not of the same line ids"),
    (b'"at":"2026-11-21T12:00:00Z"', b'"at":"2026-11-21T12:00:00"', r"\.at"),
]


@pytest.mark.parametrize(("old", "new", "place"), SELF_LIES)
def test_a_fact_that_would_stop_head_office_is_refused(
    office: HeadOffice, tmp_path: Path, old: bytes, new: bytes, place: str
) -> None:
    good = good_payload(tmp_path)
    assert old in good
    reply = office.push("T1", body([good.replace(old, new)]))
    with pytest.raises(WireError, match=place):
        read_ack(reply)
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]


def test_a_logical_clock_that_stands_still_is_refused(office: HeadOffice, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    till = Till(tmp_path / "two", "T1")
    till.sell("S1")
    till.sell("S2")
    first, second = (bytes(payload) for (payload,) in till.db.execute("SELECT payload FROM txn ORDER BY seq").fetchall())
    still = second.replace(str(json.loads(second)["hlc"]).encode(), str(json.loads(first)["hlc"]).encode())
    for payloads in ([first, still], [first]):
        said = office.push("T1", body(payloads))
    assert said.status == 200
    alone = body([still], first_seq=2, prev_hash=sha256(bytes(32) + first).hexdigest(), head_hash=_after(first, still))
    for reply in (office.push("T1", body([first, still])), office.push("T1", alone)):
        assert reply.status == 422 and b"hlc" in reply.body
    assert office.rows("SELECT applied_seq FROM till") == [(1,)]


def _after(first: bytes, second: bytes) -> str:
    return sha256(sha256(bytes(32) + first).digest() + second).hexdigest()


@pytest.mark.parametrize("expires_at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_an_instant_at_the_end_of_the_calendar_stops_no_other_till(office: HeadOffice, tmp_path: Path, expires_at: str) -> None:
    (tmp_path / "far").mkdir()
    till = Till(tmp_path / "far", "T1")
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=100)
    enrolled, sold = (bytes(payload) for (payload,) in till.db.execute("SELECT payload FROM txn ORDER BY seq").fetchall())
    sold = sold.replace(b'"expires_at":"2027-11-21T12:00:00Z"', f'"expires_at":"{expires_at}"'.encode())
    assert expires_at.encode() in sold
    assert office.push("T1", body([enrolled, sold])).status == 200, "the sale happened"
    (page,) = pull_all(Till(tmp_path, "T2"), office)
    assert [lot.centi for member in page.members for lot in member.lots] == [100]


def test_an_answer_to_another_question_for_a_sale_is_none(office: HeadOffice, tmp_path: Path) -> None:
    """Goods would come back of another sale."""
    till = Till(tmp_path, "T1")
    till.sell("1")
    till.sell("2")
    sync_fully(till, office)

    def answer(question: SaleQuestion) -> Reply:
        body = encode(steps.sold(office.store, question, Holder(till="T1", epoch=1)))
        return Reply(status=200, content_type="application/json", body=body)

    one, two, none = (SaleQuestion(till="T1", sale_id=sale_id) for sale_id in "123")
    sale = read_sale(answer(one), one).sale
    assert sale is not None and sale.sale_id == "1"
    assert read_sale(answer(none), none) == NOTHING
    for question in (one, none, SaleQuestion(till="T2", sale_id="2")):
        with pytest.raises(HeadOfficeGoneError):
            read_sale(answer(two), question)
