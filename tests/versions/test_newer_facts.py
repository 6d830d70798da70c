"""A till that is a version ahead: what its facts say besides is kept in their bytes, and passed over when they are read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.store.facts import fact_of, is_canonical
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.verify import verify
from tests.refold import OF_THE_LOG
from tests.simulation.shop import HeadOffice
from tests.unit.test_sync_wire import body, good_payload
from tests.versions.before_files import read

NEXT = SCHEMA + 1


def newer(payload: bytes, change: Callable[[dict[str, Any]], None] = lambda fact: None) -> bytes:
    """The same fact as the next version might write it, with fields of its own in it."""
    fact = json.loads(payload)
    fact["schema"] = NEXT
    fact["mood"] = {"tags": ["é", "\u0007"], "count": 3}
    if "sale" in fact:
        fact["sale"]["basket"]["lines"][0]["weighed_by"] = "S7"
        fact["sale"]["quote"]["redemption"]["wallet"] = [1, {"x": None}]
    change(fact)
    return json.dumps(fact, separators=(",", ":"), ensure_ascii=False).encode().replace(b"\\u0007", b"\\u0007")


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


def rows(office: HeadOffice) -> dict[str, list[Any]]:
    """What followed from the log, without its bytes."""
    tables = {table: office.rows(f"SELECT * FROM {table} ORDER BY {key}") for table, key in OF_THE_LOG.items()}
    return {table: found for table, found in tables.items() if table not in ("txn", "meta", "till_key")}


def test_a_newer_fact_is_taken_with_its_bytes_and_books_the_same(office: HeadOffice, tmp_path: Path) -> None:
    good = good_payload(tmp_path)
    fact = newer(good)
    reply = office.push("T1", body([fact], schema=NEXT))
    assert reply.status == 200, reply.body
    assert office.rows("SELECT payload, hash FROM txn WHERE till = 'T1'") == [(fact, sha256(bytes(32) + fact).digest())]
    assert verify(office.db) == ()
    (tmp_path / "other").mkdir()
    other = HeadOffice(tmp_path / "other")
    assert other.push("T1", body([good])).status == 200
    assert rows(office) == rows(other)


def test_one_log_may_go_over_from_one_schema_to_the_next(office: HeadOffice, tmp_path: Path) -> None:
    good = good_payload(tmp_path)

    def second(fact: dict[str, Any]) -> None:
        fact |= {"seq": 2, "id": "0" * 31 + "2", "receipt_no": "T1-1-000002", "hlc": fact["hlc"] + 1}
        fact["sale"]["sale_id"] = "S2"

    assert office.push("T1", body([good, newer(good, second)], schema=NEXT)).status == 200
    assert verify(office.db) == ()


def test_every_kind_of_fact_can_be_read_with_fields_besides() -> None:
    for payload in read("log.ndjson.gz").splitlines()[1:]:
        known, fact = fact_of(payload), fact_of(newer(payload))
        assert (fact.kind, fact.entries, fact.sale, fact.end, fact.change) == (
            known.kind, known.entries, known.sale, known.end, known.change,
        )  # fmt: skip
        assert is_canonical(fact, newer(payload))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda fact: fact.update(kind="sale.split"), "peer"),
        (lambda fact: fact["sale"].update(offline_centi="many"), "peer"),
        (lambda fact: fact.pop("entries", None) or fact.pop("sale"), "wire"),
        (lambda fact: fact.update(schema=NEXT + 1), "wire"),
    ],
)
def test_what_cannot_be_read_waits_for_head_office_to_be_updated(
    office: HeadOffice, tmp_path: Path, change: Callable[[dict[str, Any]], None], kind: str
) -> None:
    reply = office.push("T1", body([newer(good_payload(tmp_path), change)], schema=NEXT))
    assert reply.status == 422
    assert json.loads(reply.body)["type"] == f"urn:pos-loyalty:sync:{kind}"
    assert ("update head office first" in json.loads(reply.body)["detail"]) is (kind == "peer")
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"mood":', b'"mood": '), (b'"mood":', b'"mood":1,"mood":'), (b'"count":3', b'"count":03'), (b'"count":3', b'"count":NaN')],
)
def test_its_bytes_are_one_way_to_write_it_all_the_same(office: HeadOffice, tmp_path: Path, old: bytes, new: bytes) -> None:
    fact = newer(good_payload(tmp_path))
    assert old in fact
    assert office.push("T1", body([fact.replace(old, new, 1)], schema=NEXT)).status == 422
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"schema": NEXT + 1}, "peer"),
        ({"protocol": 2}, "peer"),
        ({"protocol": 2, "relay": "hub"}, "peer"),
        ({"build": "0" * 64}, "peer"),
    ],
)
def test_a_till_too_far_ahead_or_behind_is_told_what_to_update(
    office: HeadOffice, tmp_path: Path, header: dict[str, object], kind: str
) -> None:
    reply = office.push("T1", body([good_payload(tmp_path)], **header))
    assert reply.status == 422
    assert json.loads(reply.body)["type"] == f"urn:pos-loyalty:sync:{kind}"
    assert json.loads(reply.body)["detail"].endswith("update head office first, then its tills")


def test_a_fact_of_this_schema_may_say_nothing_that_is_not_known(office: HeadOffice, tmp_path: Path) -> None:
    fact = newer(good_payload(tmp_path), lambda fact: fact.update(schema=SCHEMA))
    assert office.push("T1", body([fact])).status == 422
    assert office.push("T1", gzip.compress(b"")).status == 422
