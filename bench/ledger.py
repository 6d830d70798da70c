"""The ledger at size: ``python -m bench.ledger [--members 1000000] [--entries 1000000] [--only look-up|verify] [--json]``.

Look-up: a member by card with balance, lots by date and next expiry (``Till.identify``), in files of 10⁴ to 10⁶ members and of
10⁴ to 3·10⁶ entries that are open at once and take turns. Bound: the slowest median of CPU ≤ 5 × the fastest; the clock beside it
shows the disk too, where memory does not hold all files.
``--members 10000000`` adds the largest file: some 8.5 GB in all where temporary files go (TMPDIR). Verify: the whole check of a
file with so many entries, in a process of its own. Bound for 1,000,000 entries: ≤ 60 s of CPU and ≤ 150 MB of memory at the peak;
other counts are held to the same CPU an entry.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import ledger_data, ledger_lean
from bench.common import Series, finish, series, void
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.till.till import Till
from pos_loyalty.wiring import open_till

SIZES = ((10_000, 10_000), (10_000, 1_000_000), (10_000, 3_000_000), (100_000, 300_000), (1_000_000, 3_000_000))
"""Members and entries of a file."""
FACTOR = 5
LOOK_UPS, WARM_UP = 1_000, 100
CPU_S_PER_MILLION, MEMORY_MB = 60.0, 150.0
MILLION = 1_000_000
CHILD = """import json, sys, time
from pathlib import Path
from pos_loyalty.wiring import verify
found = len(verify(Path(sys.argv[1])))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([found, time.process_time(), int(status["VmHWM"].split()[0]) / 1024]))
"""
"""The peak is the kernel's own of this very process: getrusage would count what started it."""
Size = tuple[int, int]


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=MILLION, help="the largest file of the look-ups (1000000)")
    parser.add_argument("--entries", type=int, default=MILLION, help="entries of the file that is verified (1000000)")
    parser.add_argument("--only", choices=("look-up", "verify"), help="one of the two")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    figures: dict[str, object] = {}
    passed = True
    if args.only != "verify":
        with tempfile.TemporaryDirectory() as name:
            sizes = [size for size in SIZES if size[0] <= args.members]
            if args.members > SIZES[-1][0]:
                sizes.append((args.members, 3_000_000))
            paths = {size: _made(Path(name), size, figures) for size in sizes}
            wrong = ledger_lean.differences(paths[sizes[0]].with_name("till.db"))
            if wrong:
                return void("ledger", wrong[0])
            passed &= _look_ups(paths, figures)
    if args.only != "look-up":
        with tempfile.TemporaryDirectory() as name:
            passed &= _verify(Path(name), args.entries, figures)
    return finish("ledger", figures, passed, as_json=args.json)


def _made(folder: Path, size: Size, figures: dict[str, object]) -> Path:
    """The config over a new file of that size."""
    members, entries = size
    place = folder / f"{members}-{entries}"
    place.mkdir()
    config = ledger_data.write_config(place)
    began, cpu = time.monotonic(), time.process_time()
    ledger_lean.write_lean(place / "till.db", members, entries)
    spent = f"{time.process_time() - cpu:.0f} s of CPU ({time.monotonic() - began:.0f} s)"
    figures[f"file of {members:,} members and {entries:,} entries"] = (
        f"made in {spent}, {(place / 'till.db').stat().st_size / 1e6:.0f} MB"
    )
    return config


def _look_ups(paths: dict[Size, Path], figures: dict[str, object]) -> bool:
    with ExitStack() as stack:
        tills = {size: stack.enter_context(_opened(config)) for size, config in paths.items()}
        cpu, clock = _take_turns(tills)
    for (members, entries), found in cpu.items():
        figures[f"look-up among {members:,} members, {entries:,} entries: CPU"] = found
        figures[f"look-up among {members:,} members, {entries:,} entries: by the clock"] = clock[members, entries]
    growth, growth_by_clock = (_growth(taken) for taken in (cpu, clock))
    figures["growth of the look-up"] = f"{growth:.2f} x of CPU; allowed are {FACTOR} x; by the clock {growth_by_clock:.2f} x"
    return growth <= FACTOR


def _growth(taken: dict[Size, Series]) -> float:
    medians = [found.median for found in taken.values()]
    return max(medians) / min(medians)


class _opened:
    """A till that closes itself."""

    def __init__(self, config: Path) -> None:
        self._till = open_till(config)

    def __enter__(self) -> Till:
        return self._till

    def __exit__(self, *_: object) -> None:
        self._till.close()


def _take_turns(tills: dict[Size, Till]) -> tuple[dict[Size, Series], dict[Size, Series]]:
    """CPU and clock of each file's look-ups. Only members who bought are asked for, anywhere in the file."""
    rng = random.Random(20261121)
    cpu: dict[Size, list[int]] = {size: [] for size in tills}
    clock: dict[Size, list[int]] = {size: [] for size in tills}
    for n in range(LOOK_UPS + WARM_UP):
        for size, till in tills.items():
            member = ledger_lean.buyer_of(rng.randrange(ledger_lean.buyers(*size)), *size)
            request = IdentifyRequest(card=ledger_data.card_of(member))
            began, spent = time.monotonic_ns(), time.process_time_ns()
            till.identify(request)
            spent, took = time.process_time_ns() - spent, time.monotonic_ns() - began
            if n >= WARM_UP:
                cpu[size].append(spent)
                clock[size].append(took)
    return {size: series(found) for size, found in cpu.items()}, {size: series(found) for size, found in clock.items()}


def _verify(folder: Path, entries: int, figures: dict[str, object]) -> bool:
    path = folder / "whole.db"
    began = time.process_time()
    sales = ledger_data.write_whole(path, max(1, entries // 20), entries)
    figures["file to verify"] = (
        f"{entries:,} entries in {sales:,} sales of two lines, {path.stat().st_size / 1e6:.0f} MB,"
        f" made in {time.process_time() - began:.0f} s of CPU"
    )
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    differences, cpu_s, memory_mb = json.loads(done.stdout)
    allowed_s = CPU_S_PER_MILLION * entries / MILLION
    figures["verify"] = f"{cpu_s:.1f} s of CPU of {allowed_s:.1f} allowed, {memory_mb:.0f} MB at the peak of {MEMORY_MB:.0f}"
    figures["differences found"] = differences
    return cpu_s <= allowed_s and memory_mb <= MEMORY_MB and differences == 0


if __name__ == "__main__":
    sys.exit(main())
