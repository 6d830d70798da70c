"""The drawer and the receipts of one print worker: a fault over the one stops the other never, and it opens once."""

from __future__ import annotations

import pytest

from drivers.fakes import WorkingPrinter
from pos_loyalty.errors import StoreFullError
from pos_loyalty.store import drawer
from pos_loyalty.store.db import write
from pos_loyalty.till.spool import BREAKS_MAX, Spool
from tests.unit.test_spool import LIFE_S, Shop, composed, drain
from tests.unit.test_spool_survives import Failing


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path / "till.db")
    yield shop
    shop.db.close()


UPDATE = 23  # SQLITE_UPDATE


def ask_for_the_drawer(shop):
    with write(shop.db):
        drawer.ask(shop.db, sale_id=None, cashier="C1", reason="", now=shop.clock())


@pytest.mark.parametrize("actions", [None, {UPDATE}], ids=["no read", "no write"])
def test_a_drawer_of_which_the_file_tells_nothing_stops_no_receipt_and_opens_once(shop, actions):
    file, printer = Failing(shop, "drawer_kick", actions), WorkingPrinter()
    spool = Spool(printer, file.open, make=composed, clock=shop.clock, job_life_s=LIFE_S)
    spool.round()
    ask_for_the_drawer(shop)
    file.fail()
    for number in (1, 2):
        shop.queue(number)
        for _ in range(BREAKS_MAX):
            spool.round()
    assert printer.jobs == [b"slip 1", b"slip 2"] and shop.states() == ["printed"] * 2
    assert printer.kicks == 0 and "drawer" in spool.problem and spool.round() > 0
    file.mend()
    drain(spool)
    spool.round()
    assert printer.kicks == 1 and spool.problem is None


@pytest.mark.parametrize("error", [MemoryError(), OSError(24, "x"), ValueError("x"), StoreFullError("The disk is full.")])
def test_whatever_breaks_while_the_drawer_is_looked_for_stops_no_receipt(shop, error, monkeypatch):
    def breaks(db):
        raise error

    monkeypatch.setattr(drawer, "next_asked", breaks)
    printer = WorkingPrinter()
    spool = shop.spool(printer)
    for number in (1, 2, 3):
        shop.queue(number)
        spool.round()
    assert printer.jobs == [b"slip 1", b"slip 2", b"slip 3"] and shop.states() == ["printed"] * 3
    assert "drawer" in spool.problem
    assert spool.round() > 0
