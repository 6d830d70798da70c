"""The hub's two threads over what it keeps: one answers its tills, the other hears head office at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Entry
from pos_loyalty.errors import StoreBusyError
from pos_loyalty.store import relay, relay_drops
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Points, decode
from sync.hub import keeping, telling
from sync.local import begin_pull, next_question
from sync.wire import Changes, ChangesRequest, HubPlace
from tests.simulation.shop import NOW, HeadOffice, Till
from tests.unit.test_hub_relay import RelayHub, send, tills
from tests.unit.test_hub_relay import hub as hub
from tests.unit.test_hub_relay import office as office


@pytest.fixture
def line(hub: RelayHub) -> Iterator[Connection]:
    """The other thread's connection. It waits for nobody: it comes again."""
    db = relay.open_relay(hub.path)
    db.execute("PRAGMA busy_timeout = 0")
    yield db
    db.close()


def told(till: Till, hub: RelayHub, place: HubPlace | None = None) -> Changes:
    """A page of the hub's for this till."""
    state = replace(begin_pull(till.db, NOW), hub=place)
    question = next_question(till.db, till.here, state, NOW).send
    assert question is not None
    asked = decode(question, ChangesRequest)
    return telling.changes(hub.till.db, hub.relay, till.here.signer.credential, asked, NOW, telling.Line(silent_s=None))


@pytest.mark.parametrize("held", [4, 2])
def test_head_offices_word_that_comes_while_a_batch_is_taken_counts(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, line: Connection, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    """As much as it was sent, or less, after it was put back. Else the hub tells facts twice over, or lacks some of what it calls
    kept."""
    till = tills(tmp_path, office, "A")["A"]
    for n in range(4):
        till.sell(f"{n}")
    send(till, hub)
    hub.bring(office)
    (fact,) = office.rows(f"SELECT hash FROM txn WHERE till = 'A' AND seq = {held}")
    place = Place(epoch=1, seq=held, hash=fact[0].hex())
    keep, said = keeping.keep_batch, []

    def meanwhile(*args: Any) -> relay.Kept:
        with suppress(StoreBusyError):
            said.append(keeping.note_holds(line, [("A", place)]))
        return keep(*args)

    monkeypatch.setattr(keeping, "keep_batch", meanwhile)
    till.sell("more")
    send(till, hub)
    if not said:
        keeping.note_holds(line, [("A", place)])
    one = relay.kept(hub.relay, "A")
    assert one is not None and (one.counted, one.safe) == (place, place)
    kept = [seq for seq in range(held + 1, one.seq + 1) if relay.hash_at(hub.relay, "A", 1, seq) is not None]
    assert kept == list(range(held + 1, one.seq + 1)), "what it calls kept is here"


def test_who_is_told_anew_while_a_page_is_made_stands_on_the_next(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, line: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tills(tmp_path, office)
    shop["A"].enrol("M1", "2000000000019")
    send(shop["A"], hub)
    codes = relay.codes_since

    def meanwhile(*args: Any) -> list[tuple[str, int]]:
        monkeypatch.setattr(relay, "codes_since", codes)
        with write(line):
            relay_drops.tell_again(line, "A", 1)
        return codes(*args)

    monkeypatch.setattr(relay, "codes_since", meanwhile)
    page = told(shop["B"], hub)
    assert [member.member_id for member in page.members] == ["M1"] and page.hub
    page = told(shop["B"], hub, page.hub)
    assert [member.member_id for member in page.members] == ["M1"] and page.hub
    assert told(shop["B"], hub, page.hub).members == ()


def test_a_fact_about_more_than_a_page_holds_stops_nobody(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sale is about so many; a till that lies may send one."""
    shop = tills(tmp_path, office)
    monkeypatch.setattr(telling, "MEMBERS_MAX", 2)
    entries = tuple(
        Entry(kind="accrue", debit="adjustment", credit=f"member:{who}", amount=Points(1), member_id=who, lot_id=f"A/{who}")
        for who in ("M1", "M2", "M3")
    )
    with write(shop["A"].db):
        shop["A"]._append("points.adjusted", entries=entries)
    shop["A"].enrol("M4", "2000000000019")
    send(shop["A"], hub)
    place, named = None, set[str]()
    for _ in range(9):
        page = told(shop["B"], hub, place)
        place, named = page.hub or None, named | {member.member_id for member in page.members}
        if page.complete:
            break
    assert page.complete and "M4" in named
