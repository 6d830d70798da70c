"""The ledger at size: ``python -m bench.ledger [--members 1000000] [--entries 1000000] [--only look-up|verify] [--json]``.

Look-up: a member by card with balance, lots by date and next expiry (``Till.identify``), in files of 10⁴ to 10⁶ members and of
10⁴ to 3·10⁶ entries that are open at once and take turns, look-up by look-up. Bound: the slowest median ≤ 5 × the fastest.
``--members 10000000`` adds the largest file. Verify: the whole check of a file with so many entries, in a process of its own.
Bound for 1,000,000 entries: ≤ 60 s of CPU and ≤ 150 MB of memory at the peak; other counts are held to the same CPU an entry.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import ledger_data
from bench.common import Series, finish, series
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.till.till import Till
from pos_loyalty.wiring import open_till

SIZES = ((10_000, 10_000), (10_000, 1_000_000), (10_000, 3_000_000), (100_000, 300_000), (1_000_000, 3_000_000))
"""Members and entries of a file."""
FACTOR = 5
LOOK_UPS, WARM_UP = 1_000, 100
CPU_S_PER_MILLION, MEMORY_MB = 60.0, 150.0
MILLION = 1_000_000
CHILD = "import sys; from pathlib import Path; from pos_loyalty.wiring import verify; print(len(verify(Path(sys.argv[1]))))"


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="the largest file of the look-ups (1000000)")
    parser.add_argument("--entries", type=int, default=MILLION, help="entries of the file that is verified (1000000)")
    parser.add_argument("--only", choices=("look-up", "verify"), help="one of the two")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    figures: dict[str, object] = {}
    passed = True
    with tempfile.TemporaryDirectory() as name:
        if args.only != "verify":
            passed &= _look_ups(Path(name), args.members, figures)
        if args.only != "look-up":
            passed &= _verify(Path(name), args.entries, figures)
    return finish("ledger", figures, passed, as_json=args.json)


def _look_ups(folder: Path, members_max: int, figures: dict[str, object]) -> bool:
    sizes = [size for size in SIZES if size[0] <= members_max]
    if members_max > SIZES[-1][0]:
        sizes.append((members_max, 3_000_000))
    with ExitStack() as stack:
        tills: dict[tuple[int, int], Till] = {}
        for members, entries in sizes:
            place = folder / f"{members}-{entries}"
            place.mkdir()
            config = ledger_data.write_config(place)
            started = monotonic_ns()
            ledger_data.write_lean(place / "till.db", members, entries)
            made_s = (monotonic_ns() - started) / 1e9
            size_mb = (place / "till.db").stat().st_size / 1e6
            figures[f"file of {members:,} members and {entries:,} entries"] = f"made in {made_s:.0f} s, {size_mb:.0f} MB"
            tills[members, entries] = stack.enter_context(_opened(config))
        taken = _take_turns(tills)
    for (members, entries), found in taken.items():
        figures[f"look-up among {members:,} members, {entries:,} entries"] = found
    medians = [found.median for found in taken.values()]
    figures["growth of the look-up"] = f"{max(medians) / min(medians):.2f} x; allowed are {FACTOR} x"
    return max(medians) <= FACTOR * min(medians)


class _opened:
    """A till that closes itself."""

    def __init__(self, config: Path) -> None:
        self._till = open_till(config)

    def __enter__(self) -> Till:
        return self._till

    def __exit__(self, *_: object) -> None:
        self._till.close()


def _take_turns(tills: dict[tuple[int, int], Till]) -> dict[tuple[int, int], Series]:
    rng = random.Random(20261121)
    times: dict[tuple[int, int], list[int]] = {size: [] for size in tills}
    for n in range(LOOK_UPS + WARM_UP):
        for size, till in tills.items():
            card = ledger_data.card_of(rng.randrange(size[0]))
            start = monotonic_ns()
            till.identify(IdentifyRequest(card=card))
            if n >= WARM_UP:
                times[size].append(monotonic_ns() - start)
    return {size: series(found) for size, found in times.items()}


def _verify(folder: Path, entries: int, figures: dict[str, object]) -> bool:
    path = folder / "whole.db"
    started = monotonic_ns()
    sales = ledger_data.write_whole(path, max(1, entries // 20), entries)
    made_s = (monotonic_ns() - started) / 1e9
    figures["file to verify"] = (
        f"{entries:,} entries in {sales:,} sales of two lines, {path.stat().st_size / 1e6:.0f} MB, made in {made_s:.0f} s"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory_mb = after.ru_maxrss / 1024
    allowed_s = CPU_S_PER_MILLION * entries / MILLION
    differences = json.loads(done.stdout)
    figures["verify"] = f"{cpu_s:.1f} s of CPU of {allowed_s:.1f} allowed, {memory_mb:.0f} MB at the peak of {MEMORY_MB:.0f}"
    figures["differences found"] = differences
    return cpu_s <= allowed_s and memory_mb <= MEMORY_MB and differences == 0


if __name__ == "__main__":
    sys.exit(main())
