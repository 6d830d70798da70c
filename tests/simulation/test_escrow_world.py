"""Real tills under escrow. Laws, in words of their own: no lot is ever overdrawn; what all tills hold is there, and both sides say
the same; every file verifies; sums are equal everywhere; when all goods came back, nothing of the sales is left.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from tests.simulation.escrow import MEMBERS, OPENING_CENTI, World

SEEDS = range(40)
EVENTS = 120


def run(folder: Path, seed: int, events: int = EVENTS) -> World:
    """A world after so many events, at quiet."""
    world = World(folder, seed)
    for _ in range(events):
        world.step()
    world.quiet()
    return world


def check(world: World) -> None:
    """What holds at quiet."""
    assert [case for case in world.cases() if "owed.settled_twice" not in str(case[2])] == []
    assert verify(world.office.db) == ()
    lots = dict(world.office.rows("SELECT id, remaining FROM lot"))
    held: defaultdict[str, int] = defaultdict(int)
    for counter in world.counters.values():
        assert verify(counter.db) == ()
        assert balances(counter.db) == balances(world.office.db)
        told = holdings(counter.db, counter.name)
        assert all(centi >= 0 for centi in told.values()), "nobody holds less than nothing"
        assert told == holdings(world.office.db, counter.name), "both sides say the same"
        for lot, centi in told.items():
            held[lot] += centi
    for lot, centi in held.items():
        assert centi <= int(str(lots[lot])), "what tills hold is there"


def balances(db: Connection) -> dict[str, int]:
    return dict(db.execute("SELECT member, SUM(remaining) FROM lot WHERE remaining > 0 GROUP BY member ORDER BY member"))


def debts(db: Connection) -> dict[str, int]:
    rows = db.execute("SELECT account, amount FROM balance WHERE account GLOB 'owed:*'")
    return {account.removeprefix("owed:"): -amount for account, amount in rows}


def holdings(db: Connection, till: str) -> dict[str, int]:
    """What a till holds of each lot, read out of its log by hand; a grant counts from when it is given."""
    sums: defaultdict[str, int] = defaultdict(int)
    given: set[str] = set()
    epoch = max(row[0] for row in db.execute("SELECT epoch FROM txn WHERE till = ?", (till,)))
    for payload, whose, whose_epoch in db.execute("SELECT payload, till, epoch FROM txn"):
        fact = json.loads(payload)
        if (whose, whose_epoch) == (till, epoch):
            for entry in fact.get("entries") or ():
                if entry.get("lot_id") is not None:
                    moved = entry["credit"].startswith("member:") - entry["debit"].startswith("member:")
                    sums[entry["lot_id"]] += moved * entry["amount"]
            for line in (fact.get("give_back") or {}).get("lines", ()):
                sums[line["lot_id"]] -= line["centi"]
        grant = fact.get("grant")
        if grant is not None and (grant["till"], grant["epoch"]) == (till, epoch) and grant["grant_id"] not in given:
            given.add(grant["grant_id"])
            for line in grant["lines"]:
                sums[line["lot_id"]] += line["centi"]
    return {lot: centi for lot, centi in sums.items() if centi}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_lot_is_ever_overdrawn_and_all_sides_agree(tmp_path: Path, seed: int) -> None:
    world = run(tmp_path, seed)
    check(world)
    world.take_all_back()
    world.quiet()
    check(world)
    have, owe = balances(world.office.db), debts(world.office.db)
    for member_id in MEMBERS:
        assert have.get(member_id, 0) - owe.get(member_id, 0) == OPENING_CENTI, "all came back: nothing of the sales is left"
    world.close()
