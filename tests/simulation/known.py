"""``python -m tests.simulation.known``: the first world that notices each planted fault, as that test keeps them.

To be asked anew when worlds have changed: it prints the table of ``test_planted_faults.py``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from functools import cache

from tests.simulation.planted import AROUND, FAULTS, planted
from tests.simulation.running import begin, run
from tests.simulation.world import Step, brief, plan

WORLDS, START, LOOK_EVERY = 300, 5_000, 5


def is_noticed(fault: str, seed: int) -> bool:
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


def first_world(fault: str) -> tuple[str, int | None]:
    """How far from START the first world lies that notices it; None: nobody in WORLDS does."""
    return fault, next((n for n in range(WORLDS) if is_noticed(fault, START + n)), None)


def main() -> int:
    """1 when a fault is not noticed."""
    asked = argparse.ArgumentParser(description="the first world that notices each planted fault")
    asked.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    missed = 0
    print("KNOWN = {")
    with multiprocessing.get_context("spawn").Pool(asked.parse_args().jobs, begin) as pool:
        for fault, n in pool.imap(first_world, FAULTS):
            missed += n is None
            if n != 0:
                print(f'    "{fault}": {n},', flush=True)
    print("}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
