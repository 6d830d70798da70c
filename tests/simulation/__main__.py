"""``python -m tests.simulation --seeds 1000`` runs worlds, ``--seed N`` one of them again, told step by step: docs/testing.md."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator

from tests.simulation.hub_acts import is_there
from tests.simulation.rare import rare
from tests.simulation.running import Played, begin, play, play_rare, run, shrink
from tests.simulation.world import Step, plan

Play = Callable[[int], Played]


def main() -> int:
    """1 when a law broke."""
    asked = argparse.ArgumentParser(prog="make sim", description="worlds of tills and head office under faults")
    asked.add_argument("--seed", type=int, help="one world, told step by step")
    asked.add_argument("--seeds", type=int, default=100, help="so many worlds")
    asked.add_argument("--start", type=int, default=None, help="the first seed; of chance when not given")
    asked.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="so many worlds at once; all cores")
    asked.add_argument("--rare", action="store_true", help="what is rare happens often: restores, new machines, lost hubs")
    asked.add_argument("--no-shrink", action="store_true")
    args = asked.parse_args()
    if args.seed is not None:
        return _one(args.seed, rare(args.seed) if args.rare else plan(args.seed), not args.no_shrink)
    start = random.SystemRandom().randrange(10**9) if args.start is None else args.start
    return _many(range(start, start + args.seeds), max(1, min(args.jobs, args.seeds)), play_rare if args.rare else play)


def _one(seed: int, steps: list[Step], shrinks: bool) -> int:
    outcome = run(seed, steps, says=print)
    print(f"seed {seed}: {outcome.events} events, trace {outcome.trace}")
    if outcome.error is None:
        return 0
    traceback.print_exception(outcome.error)
    if shrinks:
        left = shrink(seed, steps, outcome)
        print(f"{len(left)} steps are enough:", *(f"{step.number} {step.kind}" for step in left), sep="\n  ")
    return 1


def _many(seeds: range, jobs: int, play: Play) -> int:
    """In the order of the seeds, whoever played them."""
    began_s = time.monotonic()
    failed = steps = messages = with_hub = 0
    worked_s, hub_s, traces, fewest = 0.0, 0.0, 0, 10**9
    for played in _played(seeds, jobs, play):
        steps, messages, worked_s = steps + played.events, messages + played.messages, worked_s + played.worked_s
        fewest = min(fewest, played.events + played.messages)
        if is_there(played.seed):
            with_hub, hub_s = with_hub + 1, hub_s + played.worked_s
        traces ^= int(played.trace, 16)
        if played.failure:
            failed += 1
            print(played.failure, flush=True)
    took_s = time.monotonic() - began_s
    said = f"{steps} steps, {messages} messages, {fewest} of both in the shortest; traces {traces:016x}"
    print(f"{len(seeds)} worlds from seed {seeds.start}: {failed} failed; {said}")
    rates = f"{len(seeds) / worked_s:.2f} worlds/s, {(steps + messages) / worked_s:.0f} events/s of one core"
    print(f"{took_s:.1f} s, {worked_s:.1f} s of CPU: {rates}; {len(seeds) / took_s:.2f} worlds/s by the clock, {jobs} at once")
    if with_hub:
        print(f"{with_hub} of them with a hub: {with_hub / hub_s:.2f} worlds/s of one core")
    return 1 if failed else 0


def _played(seeds: range, jobs: int, play: Play) -> Iterator[Played]:
    if jobs == 1:
        begin()
        yield from map(play, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, begin) as pool:
        yield from pool.imap(play, seeds)


if __name__ == "__main__":
    sys.exit(main())
