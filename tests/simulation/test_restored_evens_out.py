"""A head office that was restored forgot what it had given back to lots that paid for goods; tills have redeemed it since."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.verify import verify
from pos_loyalty.till.returns_model import ReturnRequest
from sync.server import sqlite_rights
from tests.simulation.escrow import World

WHO = "M0"
BALANCES = "SELECT account, amount FROM balance WHERE account = 'suspense' OR account GLOB 'member:*' ORDER BY account"
GIVEN_BACK = """SELECT lot, SUM(amount) FROM entry JOIN txn ON txn.id = entry.txn
WHERE txn.kind = 'points.settled' AND debit_acct = 'adjustment' GROUP BY lot"""
REDEEMED = "SELECT DISTINCT till FROM entry JOIN txn ON txn.id = entry.txn WHERE entry.kind = 'redeem' AND lot = '{lot}'"


class Asked:
    """Head office, asked for a sale of another till."""

    def __init__(self, world: World) -> None:
        self._world = world

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        """It always answers."""
        return self.sold(name).after

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """As it stands there."""
        with self._world.office.store.write():
            return self._world.office.store.sold(name)


def test_what_tills_redeem_that_a_restored_head_office_gave_and_forgot_is_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tills hold rights to it, so each one's log waits for the other's."""
    monkeypatch.setattr(sqlite_rights, "WAITS_MAX", 2)
    world = World(tmp_path, 0)
    world.is_faulty = False
    one, two, three = world.counters.values()
    three.sell(WHO, 5_000, None, complete=True)
    world.now += timedelta(days=1)  # or one sale's points stand for the other's
    one.sell(WHO, 3_000, None, complete=True)
    world.quiet(2)
    one.till._desk.elsewhere = Asked(world)  # type: ignore[assignment]
    one.stand(WHO)
    two.stand(WHO)  # holds a part of the points of that sale, so others pay when its goods come back
    world.office.db.execute("VACUUM INTO ?", (str(tmp_path / "saved.db"),))
    goods = ReturnRequest(return_id="r", all=True, receipt=f"PL1|T3|{next(iter(three.sold))}")
    one.till.return_by_receipt(goods, "r")
    world.now += timedelta(days=11)  # what tills hold goes back
    world.quiet(3)
    ((lot, centi),) = world.office.rows(GIVEN_BACK)
    assert centi
    for counter in (one, two):
        counter.sell(WHO, 6_000, "max", complete=True)
    world.quiet(3)
    assert world.office.rows(REDEEMED.format(lot=lot)) == [("T1",), ("T2",)]
    before = world.office.rows(BALANCES)
    world.office.restore(tmp_path / "saved.db")
    world.quiet(8)
    assert world.cases() == []
    assert world.office.rows(BALANCES) == before
    assert verify(world.office.db) == ()
    world.close()


def came_back_while_it_waits(folder: Path, *, is_restored: bool) -> World:
    """Goods of T3 come back at T1, which holds a part of their points and pays the rest with others, though some are free; T3 has
    not said hello to a restored head office."""
    folder.mkdir()
    world = World(folder, 0)
    world.is_faulty = False
    one, two, three = world.counters.values()
    three.sell(WHO, 5_000, None, complete=True)
    world.now += timedelta(days=1)
    one.sell(WHO, 3_000, None, complete=True)
    world.quiet(2)
    one.till._desk.elsewhere = Asked(world)  # type: ignore[assignment]
    world.office.db.execute("VACUUM INTO ?", (str(folder / "saved.db"),))
    three.stand("M1")
    if is_restored:
        world.office.restore(folder / "saved.db")
    goods = ReturnRequest(return_id="r", all=True, receipt=f"PL1|T3|{next(iter(three.sold))}")
    one.till.return_by_receipt(goods, "r")
    for counter in (one, two):
        world.now += timedelta(minutes=2)
        counter.go()
    return world


def test_what_came_back_while_it_waited_is_evened_out_with_the_last_hello(tmp_path: Path) -> None:
    """As a head office has it that was never restored; before, it stayed so until another return, or the night the lots ended."""
    whole = came_back_while_it_waits(tmp_path / "a", is_restored=False)
    restored = came_back_while_it_waits(tmp_path / "b", is_restored=True)
    settled = "SELECT COUNT(*) FROM txn WHERE kind = 'points.settled'"
    assert restored.office.rows(settled) == [(0,)]
    assert restored.office.store.rights.waits_for() == ("T3",)
    for world in (whole, restored):
        world.now += timedelta(minutes=2)
        world.counters["T3"].go()
    assert restored.office.store.rights.waits_for() == ()
    assert whole.office.rows(settled) != [(0,)] != restored.office.rows(settled)
    assert restored.office.rows(BALANCES) == whole.office.rows(BALANCES)
    assert not restored.office.store.rights.is_to_even()
    for world in (whole, restored):
        world.quiet(3)
        assert world.cases() == [] and verify(world.office.db) == ()
        world.close()


def test_nothing_is_granted_before_all_that_was_put_off_is_evened_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part at a time, so that no question waits for all of it."""
    world = came_back_while_it_waits(tmp_path / "b", is_restored=True)
    monkeypatch.setattr(sqlite_rights, "EVEN_MAX", 0)
    for name in ("T3", "T2"):
        world.now += timedelta(minutes=2)
        world.counters[name].go()
    rights = world.office.store.rights
    assert (rights.waits_for(), rights.is_to_even()) == ((), True)
    grants = "SELECT COUNT(*) FROM right_grant"
    before = world.office.rows(grants)
    world.counters["T3"].stand("M2")
    assert world.office.rows(grants) == before
    monkeypatch.setattr(sqlite_rights, "EVEN_MAX", 1)
    world.quiet(3)
    world.counters["T3"].stand("M2")
    assert not rights.is_to_even() and world.office.rows(grants) > before
    assert world.cases() == [] and verify(world.office.db) == ()
    world.close()
