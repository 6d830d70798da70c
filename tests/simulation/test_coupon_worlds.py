"""Random worlds with coupons whose codes one till at a time may redeem; the laws stand in coupons.py."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from pos_loyalty.store import right_holds
from pos_loyalty.till.model import VoidRequest
from sync.server.sqlite_rights import SqliteRightStore
from tests.simulation.coupons import check, given, imported, made, printed, sell, stand, takes, used_by_all, used_once
from tests.simulation.escrow import Counter, World

SEEDS = range(8)


def step(world: World, codes: list[str]) -> None:
    """What people and the line do next."""
    counter = world.rng.choice(list(world.counters.values()))
    with suppress(ConflictError, InputError, NotAllowedError, NotFoundError):  # a strange code may look like a payment card
        match world.rng.randrange(14):
            case 0 | 1 if len(codes) < 20:
                codes.append(given(counter))
            case 2 | 3 | 4 if codes:
                sell(counter, {world.rng.choice(codes), world.rng.choice(codes)}, complete=world.chance(0.7))
            case 5 | 6 | 7 if codes:
                code = world.rng.choice(codes)
                for each in world.rng.sample(list(world.counters.values()), world.rng.choice([1, 2])):  # there is a copy of it
                    stand(each, code)
                    sell(each, (code,), complete=world.chance(0.8))
            case 8 if counter.open_sales:
                counter.end_one()
            case 9 if counter.sold:
                sale_id = world.rng.choice(sorted(counter.sold))
                counter.till.void(sale_id, VoidRequest(), f"void {sale_id}")
                del counter.sold[sale_id]
            case 10:
                world.now += timedelta(minutes=20)
                for each in world.counters.values():
                    each.go()
            case 11 if world.chance(0.5) and len(codes) < 20:
                codes += printed(counter, 1)
            case 12 if world.chance(0.15):
                enrolled_anew(counter)
            case _:
                world.step()


def enrolled_anew(counter: Counter) -> None:
    """The machine got a new code; a person says that nothing comes of its former epoch any more, once its leases ended."""
    world = counter.world
    for _ in range(3):  # all of its log is at head office: else the end that it goes on from is not
        world.is_faulty = False
        counter._syncer = None
        counter.go()
    counter.enrol()
    world.is_faulty = True
    counter.late.clear()
    counter._syncer = None


def run(folder: Path, seed: int, steps: int = 150) -> tuple[World, list[str]]:
    world, codes = made(folder, seed), [f"PAPER-{n}" for n in range(3)]
    imported(world, *codes)
    world.is_faulty = True
    for _ in range(steps):
        step(world, codes)
        used_once(world)
    return world, codes


@pytest.mark.parametrize("seed", SEEDS)
def test_no_code_pays_twice_whatever_happens_on_the_way(tmp_path: Path, seed: int) -> None:
    world, codes = run(tmp_path, seed)
    world.quiet(8)
    check(world)
    world.now = world.office.now = world.now + timedelta(days=12)  # every lease has ended
    world.quiet(3)
    check(world)
    used, at = used_by_all(world), world.counters["T2"]
    for code in sorted(set(codes) - used.keys()):
        if is_good(world, code) and not is_of_a_former_machine(world, code):
            stand(at, code)
            assert takes(at, code), "what nobody used is not lost"
    world.quiet(2)
    check(world)
    world.close()


def is_good(world: World, code: str) -> bool:
    """By head office: it was taken in or printed, or its sale stands with all its goods."""
    back = "SELECT 1 FROM sale_return AS r WHERE (r.sale_till, r.sale_id) = (s.till, s.sale_id)"
    stands = f"s.state = 'completed' AND NOT EXISTS ({back})"
    sold = f"SELECT 1 FROM issue AS i JOIN sale AS s ON s.txn = i.txn WHERE i.code = ? AND {stands}"
    taken_in = "SELECT 1 FROM coupon_code WHERE code = ?"
    return any(world.office.db.execute(sql, (code,)).fetchone() for sql in (sold, taken_in))


def is_of_a_former_machine(world: World, code: str) -> bool:
    """Held in an epoch that is over: a person has to say that it is lost."""
    newest = {name: counter.signer.credential.epoch for name, counter in world.counters.items() if counter.signer is not None}
    return any(epoch < newest[till] for till, epoch in right_holds.holders(world.office.db, f"coupon:{code}"))


def test_granting_twice_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head office that looks at sales alone, and not at who holds the code."""

    def grants_twice(self: SqliteRightStore, code: str, now: object) -> bool:
        found = self._db.execute("SELECT 1 FROM coupon_use WHERE code = ?", (code,)).fetchone()
        return found is None

    monkeypatch.setattr(SqliteRightStore, "is_code_free", grants_twice)
    noticed = 0
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            run(folder, seed)[0].close()
        except AssertionError as error:
            assert "a code pays once" in str(error)
            noticed += 1
    assert noticed
