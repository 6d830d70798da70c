"""What the peers in Python share: they run in interpreters of their own, so nothing of ours is imported here.

A peer reads a workload file (rules, baskets, quotes, warm_up), answers each basket in turn and prints its CPU times as JSON.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Work = dict[str, Any]


def read_work() -> Work:
    """The workload named as the first argument."""
    work: Work = json.loads(Path(sys.argv[1]).read_text())
    return work


def total_of(basket: dict[str, Any]) -> int:
    """Minor units of a basket before any discount."""
    return sum(line["price"] * line["qty"] for line in basket["lines"])


def report(version: str, work: Work, asked: Sequence[Any], answer: Callable[[Any], int]) -> None:
    """Ask each in turn; ``answer`` says how many rules hit. Prints version, CPU times, hits a quote and memory."""
    for number in range(work["warm_up"]):
        answer(asked[number % len(asked)])
    gc.collect()
    times, hits = [], 0
    for number in range(work["quotes"]):
        one = asked[number % len(asked)]
        before = time.process_time_ns()
        found = answer(one)
        times.append(time.process_time_ns() - before)
        hits += found
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    print(json.dumps({"version": version, "times_ns": times, "hits": hits / work["quotes"], "rss_mb": rss_mb}))
