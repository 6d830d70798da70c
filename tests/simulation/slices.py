"""The worlds of ``make test``, cut into slices with a file for each, so that every worker of pytest plays some of them."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.simulation import twin
from tests.simulation.running import GC_EVERY, run
from tests.simulation.world import plan

FIXED, FRESH = int(os.environ.get("WORLDS_FIXED", "300")), int(os.environ.get("WORLDS_FRESH", "100"))
SLICES, TOGETHER = 4, 5
CLOSE = 16
"""Every so many worlds the laws that cost as much as a world are asked too."""


def fixed_worlds(number: int) -> Callable[[int], None]:
    """The same seeds each time, as many as fall to this slice."""
    mine = range(number * FIXED // SLICES, (number + 1) * FIXED // SLICES)

    @pytest.mark.parametrize("place", range(0, len(mine), TOGETHER))
    def worlds(place: int) -> None:
        _hold(mine[place : place + TOGETHER])

    return worlds


def fresh_worlds(number: int) -> Callable[[int], None]:
    """Seeds of chance, other ones each time, which a failure names."""
    first = random.SystemRandom().randrange(10**6, 10**9)
    mine = range((number + 1) * FRESH // SLICES - number * FRESH // SLICES)

    @pytest.mark.parametrize("start", mine[::TOGETHER])
    def worlds(start: int) -> None:
        seeds = range(first + start, first + min(mine.stop, start + TOGETHER))
        print(f"make sim START={seeds.start} SEEDS={len(seeds)}")
        _hold(seeds)

    return worlds


@pytest.fixture(autouse=True)
def seldom_collected() -> Iterator[None]:
    """As ``make sim`` plays them; the rest of the tests goes on as before."""
    before = gc.get_threshold()
    gc.set_threshold(GC_EVERY)
    yield
    gc.set_threshold(*before)


def _hold(seeds: Sequence[int]) -> None:
    failed = []
    for seed in seeds:
        outcome = run(seed, plan(seed), also=twin.look_closely if seed % CLOSE == 0 else None)
        if outcome.error is not None:
            failed.append(f"make sim SEED={seed}: step {outcome.step}: {type(outcome.error).__name__}: {outcome.error}")
    assert not failed, "\n".join(failed)
