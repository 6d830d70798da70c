"""``python -m tests.simulation --seeds 1000`` runs worlds, ``--seed N`` one of them again, told step by step: docs/testing.md."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from tests.simulation.running import Outcome, run, shrink
from tests.simulation.world import plan


def main() -> int:
    """1 when a law broke."""
    asked = argparse.ArgumentParser(prog="make sim", description="worlds of tills and head office under faults")
    asked.add_argument("--seed", type=int, help="one world, told step by step")
    asked.add_argument("--seeds", type=int, default=100, help="so many worlds")
    asked.add_argument("--start", type=int, default=None, help="the first seed; of chance when not given")
    asked.add_argument("--no-shrink", action="store_true")
    args = asked.parse_args()
    if args.seed is not None:
        return _one(args.seed, not args.no_shrink)
    start = random.SystemRandom().randrange(10**9) if args.start is None else args.start
    return _many(range(start, start + args.seeds))


def _one(seed: int, shrinks: bool) -> int:
    outcome = run(seed, plan(seed), says=print)
    print(f"seed {seed}: {outcome.events} events, trace {outcome.trace}")
    if outcome.error is None:
        return 0
    traceback.print_exception(outcome.error)
    if shrinks:
        left = shrink(seed, plan(seed), outcome)
        print(f"{len(left)} steps are enough:", *(f"{step.number} {step.kind}" for step in left), sep="\n  ")
    return 1


def _many(seeds: range) -> int:
    began_s, cpu_s = time.monotonic(), time.process_time()
    failed: list[Outcome] = []
    events = messages = 0
    for seed in seeds:
        outcome = run(seed, plan(seed))
        events, messages = events + outcome.events, messages + outcome.messages
        if outcome.error is not None:
            failed.append(outcome)
            where = traceback.extract_tb(outcome.error.__traceback__)[-1]
            said = f"{type(outcome.error).__name__}: {str(outcome.error)[:400]}"
            print(f"seed {seed}, step {outcome.step}: {said} ({where.name}, line {where.lineno})", flush=True)
    took_s, worked_s = time.monotonic() - began_s, time.process_time() - cpu_s
    rates = f"{len(seeds) / worked_s:.1f} worlds/s, {(events + messages) / worked_s:.0f} events/s"
    print(f"{len(seeds)} worlds from seed {seeds.start}: {len(failed)} failed; {events} steps, {messages} messages")
    print(f"{took_s:.1f} s, {worked_s:.1f} s of CPU: {rates}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
