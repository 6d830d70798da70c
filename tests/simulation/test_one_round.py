"""Two tills online within one round of the sync: under escrow they cannot redeem the same points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from pos_loyalty.store.verify import verify
from tests.simulation.escrow import OPENING_CENTI, STORES, World

WHO = "M0"
PRICE_MINOR = 20_000
"""Four pieces cost more than all points pay."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, 0)
    made.quiet(2)
    yield made
    made.close()


@pytest.mark.parametrize("order", list(permutations(STORES, 2)), ids="-".join)
@pytest.mark.parametrize("late_till_stands", [True, False])
def test_two_tills_redeem_no_more_than_there_is(world: World, order: tuple[str, str], late_till_stands: bool) -> None:
    one, other = (world.counters[name] for name in order)
    one.stand(WHO)
    if late_till_stands:
        other.stand(WHO)
    for counter in (one, other):  # neither has sent or asked since
        counter.sell(WHO, PRICE_MINOR, "max", complete=True)
    world.quiet(3)
    taken = "SELECT coalesce(SUM(amount), 0) FROM entry WHERE kind = 'redeem' AND lot = ? AND debit_acct = ?"
    redeemed = world.office.db.execute(taken, (f"opening:{WHO}", f"member:{WHO}")).fetchone()[0]
    assert 0 < redeemed <= OPENING_CENTI
    assert world.cases() == []
    assert world.office.rows("SELECT amount FROM balance WHERE account = 'suspense'") == []
    for db in (world.office.db, one.db, other.db):
        assert verify(db) == ()
