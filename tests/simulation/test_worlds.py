"""The simulator itself: a seed is one world, whoever plays it; a failure is cut down; every world is as large as we say."""

from __future__ import annotations

import multiprocessing

from tests.simulation import books
from tests.simulation.running import begin, play, run, shrink
from tests.simulation.world import plan


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
