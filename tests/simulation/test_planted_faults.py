"""Each planted fault is noticed by a law within 300 worlds. The world that noticed it last is tried first."""

from __future__ import annotations

from functools import cache

import pytest

from tests.simulation.planted import AROUND, FAULTS, planted
from tests.simulation.running import run
from tests.simulation.world import Step, brief, plan

WORLDS = 300
START = 5_000
LOOK_EVERY = 5
KNOWN = {
    "ack_not_compared": 1,
    "ack_when_sent": 5,
    "restore_not_heard": 3,
    "own_facts_forgotten": 19,
    "own_facts_twice": 2,
    "version_without_mark": 1,
    "hello_without_log": 1,
    "stranger_taken_for_known": 2,
    "receipt_before_commit": 10,
    "name_in_the_log": 10,
    "name_in_a_fact": 10,
    "stale_answer_taken": 3,
}
"""How far from START the first world lies that notices it, where it is not the first one. A change of what a world does may move
them: then the test takes longer, and the table is written anew."""


def _is_noticed(fault: str, seed: int) -> bool:
    """By a world that is clean without it."""
    act = AROUND.get(fault)
    with planted(FAULTS[fault]):
        outcome = run(seed, _steps(seed, act), every=LOOK_EVERY)
    return outcome.error is not None and _is_clean(seed, act)


@cache
def _is_clean(seed: int, act: str | None) -> bool:
    return run(seed, _steps(seed, act), every=LOOK_EVERY).error is None


def _steps(seed: int, act: str | None) -> list[Step]:
    return plan(seed) if act is None else brief(seed, act)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault: str) -> None:
    first = START + KNOWN.get(fault, 0)
    seeds = [first, *(seed for seed in range(START, START + WORLDS) if seed != first)]
    assert any(_is_noticed(fault, seed) for seed in seeds), f"nobody noticed {fault}"


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 25
