"""What the benches share: figures of a series, the machine they were taken on, and printing them for people or machines."""

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

NS_PER_MS = 1_000_000
PACE_ROUNDS = 2_000


@dataclass(frozen=True, kw_only=True)
class Series:
    """Milliseconds of one thing, measured many times."""

    median: float
    p99: float
    p999: float
    count: int


def series(times_ns: Sequence[int]) -> Series:
    """The figures of at least one measurement."""
    ordered = sorted(times_ns)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / NS_PER_MS, 3)

    return Series(median=at(0.5), p99=at(0.99), p999=at(0.999), count=len(ordered))


def machine() -> dict[str, str]:
    """Where and on what the figures were taken."""
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.2f}",
        "pace": f"json.loads of a 20-line basket in {pace():.3f} ms",
    }


def pace() -> float:
    """CPU milliseconds of a small known task now, to compare runs of a machine that changes its speed."""
    lines = [{"line": n, "sku": f"S{n:05}", "cat": "C01", "brand": "B001", "qty": 2, "price": 14_999} for n in range(20)]
    text = json.dumps({"id": "1", "store": 1, "ts": "2026-11-21T12:00:00", "member": 1, "tier": 0, "lines": lines})
    times = []
    for _ in range(PACE_ROUNDS):
        before = time.process_time_ns()
        json.loads(text)
        times.append(time.process_time_ns() - before)
    return series(times).median


def finish(name: str, figures: dict[str, object], passed: bool, *, as_json: bool) -> int:
    """Print what was measured; the value is the exit status."""
    shown = {name: {key: asdict(value) if isinstance(value, Series) else value for key, value in figures.items()}}
    if as_json:
        print(json.dumps(shown | {"machine": machine(), "passed": passed}, sort_keys=True))
        return 0 if passed else 1
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in machine().items()))
    for key, value in figures.items():
        words = f"median {value.median} ms, p99 {value.p99}, p99.9 {value.p999}" if isinstance(value, Series) else value
        print(f"  {key}: {words}")
    print("  passed" if passed else "  FAILED")
    return 0 if passed else 1


def void(name: str, reason: str) -> int:
    """A bench that measured nothing worth knowing."""
    print(f"{name}: void: {reason}", file=sys.stderr)
    return 1


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
