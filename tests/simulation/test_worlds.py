"""Worlds of the simulator: fixed seeds and fresh ones. ``make sim`` runs more; ``make sim SEED=n`` tells one step by step."""

from __future__ import annotations

import multiprocessing
import os
import random

import pytest

from tests.simulation import books, twin
from tests.simulation.running import begin, play, run, shrink
from tests.simulation.world import plan

FIXED, FRESH = int(os.environ.get("WORLDS_FIXED", "20")), int(os.environ.get("WORLDS_FRESH", "5"))
TOGETHER = 5
START = random.SystemRandom().randrange(10**6, 10**9)
CLOSE = 8
"""Every so many worlds the laws that cost as much as a world are asked too."""


def _held(seeds: range) -> None:
    failed = []
    for seed in seeds:
        outcome = run(seed, plan(seed), also=twin.look_closely if seed % CLOSE == 0 else None)
        if outcome.error is not None:
            failed.append(f"make sim SEED={seed}: step {outcome.step}: {outcome.error}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("start", range(0, FIXED, TOGETHER))
def test_fixed_worlds(start: int) -> None:
    _held(range(start, min(FIXED, start + TOGETHER)))


@pytest.mark.parametrize("start", range(0, FRESH, TOGETHER))
def test_fresh_worlds(start: int) -> None:
    print(f"fresh worlds from seed {START + start}")
    _held(range(START + start, START + min(FRESH, start + TOGETHER)))


def test_a_seed_is_played_again_to_the_byte() -> None:
    first, again = run(3, plan(3)), run(3, plan(3))
    assert (first.trace, first.messages, first.error) == (again.trace, again.messages, None)
    with multiprocessing.get_context("spawn").Pool(1, begin) as pool:
        elsewhere = pool.apply(play, (3,))
    assert (elsewhere.trace, elsewhere.failure) == (first.trace, ""), "another process plays the same world"


def test_a_failure_is_shrunk_to_the_steps_that_it_needs() -> None:
    from tests.simulation.planted import FAULTS, planted

    with planted(FAULTS["rights_ignored"]):
        steps = plan(5000, 60)
        outcome = run(5000, steps, every=5)
        assert outcome.error is not None
        fewer = shrink(5000, steps, outcome, tries=25)
    assert len(fewer) < len(steps) // 2


def test_a_fact_of_the_same_id_that_says_something_else_is_read_anew() -> None:
    """As in a world that is played again without the fault that it was played with."""
    said = """{"entries":[{"amount":%d,"credit":"member:%s","debit":"adjustment","kind":"adjust","lot_id":"L"}],
    "epoch":1,"id":"00","kind":"points.adjusted","seq":1,"till":"T1","wall":"2026-11-21T12:00:00Z, and so on to the end"}"""
    told = [books.read(bytes(16), (said % each).encode()) for each in ((700, "M0"), (900, "M0"), (700, "M0"))]
    assert [fact.moves for fact in told] == [(("L", 700),), (("L", 900),), (("L", 700),)]
