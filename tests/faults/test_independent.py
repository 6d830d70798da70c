"""A till by another hand (``independent.py``, from docs/sync.md alone) and a real head office: they come to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pos_loyalty import wiring
from tests.faults.independent import Client, Json, RefusedError
from tests.faults.nodes import Office, rows, until
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "office", free_port())
    made.process.start()
    until(lambda: made.is_up, "head office does not come up")
    yield made
    made.process.kill()


def enrolled(office: Office, till: str) -> Client:
    client = Client(office.url, till)
    client.enrol(office.code(till))
    return client


def add_member(client: Client, member: str, card: str) -> None:
    body = {
        "member_id": member, "card": card, "tier": None, "referred_by": None, "personal": None, "consents": [], "origin": "",
        "drive": "", "segments": [], "joined_at": None,
    }  # fmt: skip
    client.write(client.fact("member.enrolled", member, [], enrolment=body))


def points(client: Client, member: str, centi: int, lot: str) -> bytes:
    entry: Json = {
        "kind": "accrue", "debit": "adjustment", "credit": f"member:{member}", "amount": centi, "unit": "point",
        "member_id": member, "lot_id": f"{client.till}/{lot}", "rule": None, "usable_from": "2026-11-21T12:00:00Z",
        "expires_at": None,
    }  # fmt: skip
    body = {"reason": "a late delivery", "by": "Anna", "approved_by": "", "centi": centi, "owed_centi": 0}
    return client.fact("points.adjusted", member, [entry], adjustment=body)


def test_the_client_is_by_another_hand_and_short() -> None:
    text = (ROOT / "tests/faults/independent.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "import pos_loyalty" not in text and "from pos_loyalty" not in text and "from sync" not in text


def test_a_log_of_another_hand_arrives_and_every_till_hears_of_it(office: Office) -> None:
    first, other = enrolled(office, "T1"), enrolled(office, "Т-2 Ж")
    add_member(first, "M7", "2200000000019")
    for n in range(40):
        first.write(points(first, "M7", 100 + n, f"by-hand-{n}"))
    with pytest.raises(RefusedError) as gap:
        first.send(3, 5)
    assert (gap.value.kind, gap.value.problem["expected_seq"]) == ("log-gap", 1)
    ack = first.send(1, 10)
    assert (ack["applied_seq"], ack["suspense"]) == (10, [])
    assert {**first.send(1, 10), "server_time": ""} == {**ack, "server_time": ""}, "sent again, answered again"
    first.acked = 17  # it believes that head office has more than it does
    first.sync(size=7)
    assert first.acked == len(first.log) == 41
    other.sync()
    add_member(other, "Ж7", "2200000000026")
    other.write(points(other, "M7", 5_000, "more"))
    other.sync()
    first.sync()
    total = sum(100 + n for n in range(40)) + 5_000
    for client in (first, other):
        assert sum(lot["centi"] for lot in client.members["M7"]["lots"]) == total
        assert client.members["Ж7"]["cards"] == [{"number": "2200000000026", "state": "active"}]
    kept = [bytes(payload) for (payload,) in rows(office.database, "SELECT payload FROM txn WHERE till = 'T1' ORDER BY seq")]
    assert kept == first.log, "byte for byte"
    assert wiring.verify(office.database) == ()
