"""Facts that no till of ours makes, signed by one: each is refused and leaves no trace, or booked, and no other till is harmed.

The short form runs here; ``make fuzz`` is the long one (``FORGED=n`` worlds).
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.errors import LogForkError, LogGapError, WireError
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.verify import verify
from pos_loyalty.values import decode, encode
from sync.identity import Holder
from sync.rights import RightsAnswer, RightsRequest, Want
from sync.server import expiry, nightly, steps
from sync.server.right_desk import NoMark, RightDesk
from sync.server.rights import RightTerms
from sync.server.truth import Recomputer, recompute_all
from sync.wire import Changes, ChangesRequest, Peer
from tests.faults.forging import forged, placed, signed, words_of
from tests.faults.rich import ISSUING, RichWorld
from tests.faults.world import PROGRAMME
from tests.simulation.shop import NOW, OFFICE, OFFICE_PUBLIC, HeadOffice

WORLDS = int(os.environ.get("FORGED", "2"))
FACTS = 220
LOOK_EVERY = 20
GRANTS = RightDesk(RightTerms(), NoMark())
ON_ACCOUNTS = """SELECT
  (SELECT coalesce(SUM(amount), 0) FROM entry WHERE credit_acct GLOB 'member:*')
  - (SELECT coalesce(SUM(amount), 0) FROM entry WHERE debit_acct GLOB 'member:*')"""
IN_LOTS = "SELECT coalesce(SUM(remaining), 0) FROM lot"
BEYOND = "SELECT COUNT(*) FROM lot WHERE remaining < 0 OR remaining > amount"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Nearly every kind of fact that a till writes."""
    world = RichWorld(tmp_path_factory.mktemp("rich"))
    rows = world.till_db.execute("SELECT payload FROM txn WHERE till = 'T1' ORDER BY seq").fetchall()
    world.shut()
    return [json.loads(payload) for (payload,) in rows]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_till_that_lies_harms_nobody_else(tmp_path: Path, facts: list[Any], seed: int) -> None:
    random, words = Random(seed), words_of(facts)
    office = HeadOffice(tmp_path)
    steps.publish_programme(office.store, (PROGRAMME.replace("version = 1", "version = 2") + ISSUING).encode(), NOW)
    office.give_points("member-far", "2200000000316", 900)
    seq, prev_hash, at, taken = 1, bytes(32), 0, 0
    for number in range(FACTS):
        is_good = random.random() < 0.35
        fact = facts[at % len(facts)] if is_good else forged(facts[at % len(facts)], random, words)
        at += is_good or random.random() < 0.3
        payload = placed(fact, seq, random)
        batch, head = signed(payload, seq, prev_hash, random)
        before = _dump(office) if number % 5 == 0 else None
        try:
            assert steps.receive(office.store, "T1", batch, NOW, OFFICE_PUBLIC).applied_seq == seq
            seq, prev_hash, taken = seq + 1, head, taken + 1
        except WireError as error:
            assert len(str(error)) > 10
            assert before is None or _dump(office) == before, "refused, and something changed"
        except (LogForkError, LogGapError) as error:
            raise AssertionError(f"the chain is whole: {error}") from error
        if number % LOOK_EVERY == 0:
            _others_go_on(office, random)
    _others_go_on(office, random)
    assert taken > FACTS // 3, "most is taken: what a till says happened"
    office.db.close()


def _others_go_on(office: HeadOffice, random: Random) -> None:
    """What head office does for all tills works on, whatever one of them said; and no point is made or lost between accounts."""
    since, mark, is_complete = 0, None, False
    while not is_complete:
        asked = ChangesRequest(peer=Peer(till="T2"), since=since, mark=mark)
        page = steps.changes(office.store, asked, NOW, OFFICE.private_key)
        read = decode(encode(page), Changes)
        since, mark, is_complete = read.version, read.mark, read.complete
    wants = tuple(Want(member_id=member, much=random.choice(("home", "all"))) for member in ("member-1", "member-far", "x"))
    question = RightsRequest(ask_id="7" * 32, head=Place(epoch=1, seq=0, hash="0" * 64), wants=wants)
    decode(encode(GRANTS.answer(office.store, Holder(till="T2", epoch=1), question, new_id, NOW)), RightsAnswer)
    expiry.expire_due(office.store, NOW + timedelta(days=random.choice((0, 1, 400))))
    nightly.move_tiers(office.store, NOW)
    recompute_all(office.store, Recomputer())
    with office.store.write():
        office.store.truth.all_cases(100)
    list(verify(office.db))  # it may name what contradicts itself in the log; it never stumbles over it
    assert office.rows(ON_ACCOUNTS) == office.rows(IN_LOTS)
    assert office.rows(BEYOND) == [(0,)]


def _dump(office: HeadOffice) -> dict[str, list[tuple[object, ...]]]:
    names = [str(name) for (name,) in office.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    return {name: sorted(office.rows(f"SELECT * FROM {name}"), key=repr) for name in names}
