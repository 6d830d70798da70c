"""Which world notices each planted fault: ``python -m tests.simulation.known`` looks for it anew and writes ``known.json``.

A change of what a world does moves them: the tests hold all the same, and take minutes longer until the table is written again.
A world of the table stays while it notices its fault, so a cheaper one may be written there by hand.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.simulation.planted import AROUND, FARTHER, FAULTS, planted
from tests.simulation.running import begin, run
from tests.simulation.world import Step, brief, plan

WORLDS = 300
START = 5_000
LOOK_EVERY = 5
ALL = {**FAULTS, **FARTHER}
TABLE = Path(__file__).with_name("known.json")


def seeds_for(fault: str) -> Iterator[int]:
    """The world that noticed it last, then all of them; for a fault of ``FARTHER`` that world alone."""
    first = json.loads(TABLE.read_text(encoding="utf-8")).get(fault, START)
    yield first
    if fault in FAULTS:
        yield from (seed for seed in range(START, START + WORLDS) if seed != first)


def is_noticed(fault: str, seed: int) -> bool:
    """By a world that is clean without it."""
    act = AROUND.get(fault)
    with planted(ALL[fault]):
        outcome = run(seed, _steps(seed, act), every=LOOK_EVERY)
    return outcome.error is not None and _is_clean(seed, act)


@cache
def _is_clean(seed: int, act: str | None) -> bool:
    return run(seed, _steps(seed, act), every=LOOK_EVERY).error is None


def _steps(seed: int, act: str | None) -> list[Step]:
    return plan(seed) if act is None else brief(seed, act)


def _first(fault: str) -> tuple[str, int | None]:
    return fault, next((seed for seed in seeds_for(fault) if is_noticed(fault, seed)), None)


def main() -> None:
    """Where the world of the table still notices it, it stays."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), begin) as pool:
        found = dict(pool.imap_unordered(_first, ALL, chunksize=1))
    for fault in (fault for fault, seed in found.items() if seed is None):
        print(f"nobody noticed {fault}")
    known = {fault: seed for fault, seed in sorted(found.items()) if seed is not None}
    TABLE.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(f"{len(known)} of {len(ALL)} faults have their world")


if __name__ == "__main__":
    main()
