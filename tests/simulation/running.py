"""Running a world from its seed, again to the byte, and finding the steps that a failure needs."""

from __future__ import annotations

import gc
import time
import traceback
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import template
from tests.simulation.disk import DiedError
from tests.simulation.rare import rare
from tests.simulation.world import LOOK_EVERY, Step, World, plan

GC_EVERY = 50_000
"""A world makes values that hold no cycles: who looks for some each 700 finds none."""


@dataclass
class Outcome:
    """What came of a world. ``step``: the last one that was taken; ``trace``: a sum of all that was said."""

    seed: int
    step: int
    events: int
    messages: int
    kinds: Tally[str]
    trace: str
    error: BaseException | None

    @property
    def law(self) -> str:
        """Which failure it is: two of the same kind are one."""
        return "" if self.error is None else f"{type(self.error).__name__} {str(self.error)[:3]}"


@dataclass(frozen=True)
class Played:
    """A world, as much of it as goes from process to process. ``failure``: a sentence; ``worked_s``: of CPU."""

    seed: int
    events: int
    messages: int
    trace: str
    failure: str
    worked_s: float


def run(
    seed: int,
    steps: list[Step],
    *,
    says: Callable[[str], None] | None = None,
    every: int = LOOK_EVERY,
    also: Callable[[World], None] | None = None,
) -> Outcome:
    """One world. What it raises is in the outcome. ``also``: a law that is asked at quiet besides."""
    world = World(template.scratch("world"), seed, says)
    world.also = also
    error: BaseException | None = None
    try:
        world.run(steps, every=every)
    except (Exception, DiedError) as raised:  # noqa: BLE001 - whatever it is, it is what the world found
        error = raised
    finally:
        world.throw_away()
    taken = sum(world.events.values())
    return Outcome(seed, taken, taken, world.net.moved, world.events, world.trace.hexdigest()[:16], error)


def shrink(seed: int, steps: list[Step], outcome: Outcome, tries: int = 300) -> list[Step]:
    """Fewer steps that still fail in the same way: halves are dropped, then quarters, and so on to single ones."""
    size = max(1, len(steps) // 2)
    while tries > 0:
        at, dropped = 0, False
        while at < len(steps) and tries > 0:
            fewer = steps[:at] + steps[at + size :]
            tries -= 1
            if run(seed, fewer, every=5).law == outcome.law:
                steps, dropped = fewer, True
            else:
                at += size
        gc.collect()
        if size == 1 and not dropped:
            break
        size = max(1, size // 2)
    return steps


def begin() -> None:
    """What there is stays; the first world of a process is not slower than the others by it."""
    gc.freeze()
    gc.set_threshold(GC_EVERY)


def play(seed: int) -> Played:
    """One world of many."""
    return _played(seed, plan(seed))


def play_rare(seed: int) -> Played:
    """The same of worlds in which what is rare happens often."""
    return _played(seed, rare(seed))


def _played(seed: int, steps: list[Step]) -> Played:
    began_s = time.process_time()
    outcome = run(seed, steps)
    failure = "" if outcome.error is None else _said(outcome, outcome.error)
    return Played(seed, outcome.events, outcome.messages, outcome.trace, failure, time.process_time() - began_s)


def _said(outcome: Outcome, error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {str(error)[:400]}"
    return f"seed {outcome.seed}, step {outcome.step}: {said} ({where.name}, line {where.lineno})"
