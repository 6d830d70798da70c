"""Tills and head offices of this version and of the one before, either way: what they say is recorded bytes of that time."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.errors import PeerError, WireError
from pos_loyalty.store import outbox
from pos_loyalty.store.db import open_store
from pos_loyalty.store.verify import verify
from pos_loyalty.values import decode, encode
from sync import pull, push
from sync.daemon import Pace, Syncer
from sync.local import Here
from sync.protocols import PROTOCOL
from sync.server import steps
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import ChangesRequest, Reply, deflate, read_ack
from tests.simulation.shop import NOW, OFFICE, OFFICE_PUBLIC, half, signer_of
from tests.versions.before_files import MASTER_KEY, put, read
from tests.versions.recorded import HeadOfficeBefore
from tests.versions.test_files_before import opened

PACE = Pace(interval_s=60, batch_facts_max=500, wants=None)
HERE = Here(till="T1", master_key=MASTER_KEY, signer=signer_of("T1"), head_office_key=OFFICE_PUBLIC)


def without_mark(page: bytes) -> dict[str, object]:
    """The mark is of chance."""
    return {key: value for key, value in json.loads(page).items() if key != "mark"}


def test_a_till_of_before_hears_from_this_head_office_what_it_heard_from_its_own(tmp_path: Path) -> None:
    db = opened(put("office.db", tmp_path), "office.db")
    store = SqliteLedgerStore(db, MASTER_KEY)
    ack = encode(steps.receive(store, "T1", deflate(read("batch.ndjson")), NOW, OFFICE_PUBLIC))
    assert ack == read("ack.json")
    asked = decode(read("question.json"), ChangesRequest)
    page = encode(steps.changes(store, asked, NOW, OFFICE.private_key))
    assert without_mark(page) == without_mark(read("page.json"))
    assert list(json.loads(page)) == list(json.loads(read("page.json"))), "fields that a till of then does not know"
    assert verify(db) == ()
    store.close()


def test_its_whole_log_is_taken_by_a_new_head_office_byte_for_byte(tmp_path: Path) -> None:
    db = open_store(tmp_path / "new.db", role="head_office", owner="head-office", now=NOW, master_key=MASTER_KEY.hex())
    store = SqliteLedgerStore(db, MASTER_KEY)
    log = read("log.ndjson.gz")
    assert encode(steps.receive(store, "T1", deflate(log), NOW, OFFICE_PUBLIC)) == read("log_ack.json")
    header, *payloads = log.splitlines()
    held = [payload for (payload,) in db.execute("SELECT payload FROM txn WHERE till = 'T1' ORDER BY seq")]
    assert held == payloads and json.loads(header)["count"] == len(held)
    assert verify(db) == ()
    store.close()


def test_a_till_of_this_version_syncs_with_a_head_office_of_before(tmp_path: Path) -> None:
    db = opened(put("till.db", tmp_path), "till.db")
    office = HeadOfficeBefore()
    report = Syncer(db, HERE, PACE, office, half).once(lambda: NOW)
    assert office.refused == 2, "each of sending and fetching asks in its own words first, once"
    assert office.taken == [read("batch.ndjson")]
    assert office.asked == [read("question.json")]
    assert (report.unsent_facts, report.sent_facts, report.needs_person) == (0, 1, False)
    assert outbox.state(db).trouble is None
    assert outbox.state(db).pulled_version == json.loads(read("page.json"))["version"]
    assert verify(db) == ()
    db.close()


def test_it_asks_again_in_the_words_that_were_understood(tmp_path: Path) -> None:
    db = opened(put("till.db", tmp_path), "till.db")
    office = HeadOfficeBefore()
    syncer = Syncer(db, HERE, PACE, office, half)
    syncer.once(lambda: NOW)
    syncer.once(lambda: NOW + timedelta(hours=1))
    assert office.refused == 2 and len(office.asked) == 2
    db.close()


def test_it_asks_in_its_own_words_again_after_some_hours_for_head_office_may_have_been_brought_up(tmp_path: Path) -> None:
    db = opened(put("till.db", tmp_path), "till.db")
    office = HeadOfficeBefore()
    syncer = Syncer(db, HERE, PACE, office, half)
    for hours in (0, 5, 7, 8):
        syncer.once(lambda hours=hours: NOW + timedelta(hours=hours))
    assert office.refused == 3, "sending once, fetching once and again with the fetch after the sixth hour"
    assert len(office.asked) == 4
    db.close()


def refusal(kind: str) -> Reply:
    body = f'{{"type":"urn:pos-loyalty:sync:{kind}","title":"","status":422,"detail":"no","expected_seq":null}}'
    return Reply(status=422, content_type="application/problem+json", body=body.encode())


@pytest.mark.parametrize("kind", ["wire", "peer"])
def test_a_head_office_that_understands_neither_is_not_asked_again_for_long(kind: str) -> None:
    first = push.received(push.begin(0, 500, NOW), refusal(kind), NOW, half).state
    assert (first.protocol, first.wake_at, first.trouble) == (0, NOW, None)
    second = push.received(first, refusal(kind), NOW, half).state
    assert (second.protocol, second.trouble, second.is_stopped) == (PROTOCOL, "no", False)
    assert second.wake_at - NOW == timedelta(minutes=15)
    asked = pull.received(pull.begin(0, None, NOW), refusal(kind), NOW, 60, half).state
    assert (asked.protocol, asked.wake_at, asked.trouble) == (0, NOW, None)
    asked = pull.received(asked, refusal(kind), NOW, 60, half).state
    assert (asked.protocol, asked.trouble, asked.wake_at - NOW) == (PROTOCOL, "no", timedelta(minutes=15))


def test_what_is_refused_after_it_was_understood_has_another_cause() -> None:
    ack = Reply(status=200, content_type="application/json", body=read("ack.json"))
    state = push.received(push.begin(46, 500, NOW), ack, NOW, half).state
    assert state.is_understood
    state = push.received(state, refusal("wire"), NOW, half).state
    assert (state.protocol, state.trouble, state.wake_at - NOW) == (PROTOCOL, "no", timedelta(minutes=15))


def test_a_token_that_is_not_good_is_no_matter_of_versions() -> None:
    state = push.received(push.begin(0, 500, NOW), refusal("token"), NOW, half).state
    assert (state.protocol, state.trouble) == (PROTOCOL, "no")


def test_a_refusal_of_the_version_is_named_as_one() -> None:
    with pytest.raises(PeerError):
        read_ack(refusal("peer"))
    with pytest.raises(WireError):
        read_ack(refusal("of-a-kind-to-come"))
