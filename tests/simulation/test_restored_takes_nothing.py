"""A head office that was restored takes nothing of a lot before the log of the till that holds it is there again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pos_loyalty.store.verify import verify
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Thousandths
from sync.server.expiry import expire_due
from tests.simulation.escrow import World

WHO = "M0"
BALANCES = "SELECT account, amount FROM balance WHERE account GLOB 'member:*' OR account GLOB 'owed:*' ORDER BY account"
TAKEN = """SELECT lot, amount FROM entry JOIN txn ON txn.id = entry.txn
WHERE txn.kind = 'points.settled' AND debit_acct GLOB 'member:*'"""


def sync(world: World, *names: str) -> None:
    """One after the other."""
    for name in names:
        counter = world.counters[name]
        world.now += timedelta(minutes=20)
        world.office.now = world.now
        counter._syncer = None
        counter.go()


def sell(world: World, name: str, price_minor: int, redeem: str | None = None) -> str:
    """Answers the sale's name."""
    counter = world.counters[name]
    counter.sell(WHO, price_minor, redeem, complete=True)
    return next(reversed(counter.sold))


def goods_back(world: World, name: str, sale_id: str, quantity_milli: int) -> None:
    """So much of a sale's only line."""
    part = (LineBack(line_id="1", quantity_milli=Thousandths(quantity_milli)),)
    world.counters[name].till.return_goods(sale_id, ReturnRequest(return_id="r", lines=part), f"return {sale_id}")


def test_what_the_rest_of_a_log_says_was_granted_pays_no_debt_before_it_is_heard(tmp_path: Path) -> None:
    """T2's log redeems points whose end was booked, so it is short; after that it took and redeemed those of a sale whose goods
    came back at T3, which held them no more. Then 1,600 are owed, and they are owed again when head office has heard all."""
    world = World(tmp_path, 0)
    world.is_faulty = False
    ending = sell(world, "T3", 1_000)
    world.now += timedelta(hours=1)
    sell(world, "T1", 1_100)
    first, _ = sell(world, "T2", 1_100), sell(world, "T2", 1_100)
    sync(world, "T1", "T2")
    goods_back(world, "T2", first, 1_000)  # so that it bears on what T2 redeems of that sale's points
    sync(world, "T2", "T3", "T3")
    world.office.db.execute("VACUUM INTO ?", (str(tmp_path / "saved.db"),))
    world.counters["T2"].stand(WHO)
    sync(world, "T2")
    sell(world, "T2", 2_000, "max")
    sync(world, "T2", "T1", "T3")
    world.now += timedelta(days=440)
    for name in ("T1", "T2"):
        sell(world, name, 1_100)
    returned = sell(world, "T3", 1_000)
    sync(world, "T1", "T2", "T3", "T3")
    world.counters["T2"].stand(WHO)
    sync(world, "T2")
    sell(world, "T2", 8_000, "max")
    goods_back(world, "T3", returned, 4_000)
    sync(world, "T3", "T2")
    before = world.office.rows(BALANCES)
    assert ("owed:M0", -1_600) in before
    world.office.restore(tmp_path / "saved.db")
    sync(world, "T1", "T3")
    expire_due(world.office.store, world.now)
    sync(world, "T1", "T3", "T2", "T2", "T1", "T3")
    assert [case[2:] for case in world.cases()] == [
        ("lot.overdrawn", f"1600 hundredths of a point short in lot T3/{ending}:base")
    ]
    assert world.office.rows(TAKEN) == []
    assert world.office.rows(BALANCES) == before
    assert verify(world.office.db) == ()
    world.close()
