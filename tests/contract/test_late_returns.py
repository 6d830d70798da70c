"""Returns of two tills that did not know of each other: head office evens them out the same in every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pos_loyalty.store.db import Connection, open_reader
from pos_loyalty.store.verify import verify
from sync.server import steps
from sync.server.expiry import expire_due
from sync.server.postgres import open_ledger
from sync.server.postgres_copy import copied
from sync.wire import Reply
from tests.postgres import Server
from tests.shop import Shop
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE_PUBLIC
from tests.unit.test_returns_elsewhere import Chain, Office
from tests.unit.test_returns_two_tills import SHORT, USED_CENTI, bring_back, sell, told

WORDS = ("a", "asU", "asu")
"""As in test_returns_two_tills.py."""
ENTRIES = """SELECT t.kind, e.n, e.kind, e.debit_acct, e.credit_acct, e.amount, e.lot
FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE t.till = 'head-office' ORDER BY t.epoch, t.seq, e.n"""
LOTS = "SELECT id, member, amount, remaining FROM lot ORDER BY id"


class Listening(Office):
    """Keeps what came in."""

    heard: tuple[tuple[str, bytes], ...] = ()

    def push(self, till: str, batch: bytes, now: datetime = NOW) -> Reply:
        self.heard += ((till, batch),)
        return super().push(till, batch, now)


@pytest.fixture(params=WORDS)
def chain(shop: Shop, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    monkeypatch.setattr("tests.unit.test_returns_elsewhere.Office", Listening)
    made = Chain(tmp_path, shop)
    for till in (made.first, made.second):
        till.publish(SHORT)
    told(made)
    sell(made.first, "T1")
    told(made)
    sell(made.second, "T2", redeem=USED_CENTI)
    told(made)
    for till in (made.first, made.second):
        till.now += timedelta(days=8)
    for act in request.param:
        told(made) if act == "s" else bring_back(made, act)
    told(made)
    yield made
    made.second.close()
    made.office.db.close()


def test_postgresql_books_what_sqlite_books(chain: Chain, postgres: Server, tmp_path: Path) -> None:
    url = postgres.new_database()
    store = open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW, "allowance")
    assert isinstance(chain.office, Listening)
    for till, batch in chain.office.heard:
        steps.receive(store, till, batch, NOW, OFFICE_PUBLIC)
    for each in (store, chain.office.store):
        expire_due(each, NOW.replace(year=2029))
    store.close()
    copied(url, tmp_path / "copy.db", NOW)
    copy = open_reader(tmp_path / "copy.db", master_key=HEAD_OFFICE_KEY.hex())
    assert "points.settled" in {row[0] for row in rows(copy, ENTRIES)}
    assert rows(copy, ENTRIES) == rows(chain.office.db, ENTRIES)
    assert rows(copy, LOTS) == rows(chain.office.db, LOTS)
    assert verify(copy) == () == verify(chain.office.db)
    copy.close()


def rows(db: Connection, select: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.execute(select)]
