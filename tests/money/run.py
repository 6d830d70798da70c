"""Plant every fault and see that a money law notices: ``make test-money``; one alone: ``python -m tests.money.run NAME``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.money.fault import Fault
from tests.money.faults import FAULTS
from tests.money.planting import ROOT, GoneError, planted_texts

FOLDER = Path(__file__).parent
LAWS = tuple(str(path.relative_to(ROOT)) for path in sorted(FOLDER.glob("test_*.py")) if path.name != "test_planted.py")
"""All of the judging tests."""
JOBS = 2
SECONDS_MAX = 120
FAILED = 1
"""The status of pytest when a test ran and failed."""
SLIPS = {"NameError", "ImportError", "SyntaxError", "AttributeError", "TypeError", "FixtureLookupError"}
"""A test that fails by one of these met a fault that was planted badly, not a law that was broken."""
MEMORY = Path("/dev/shm")
"""The files of the planted runs are thrown away at once: where there is a file system in memory they lie there."""


@dataclass(frozen=True)
class Verdict:
    """What became of a fault. ``test``: the law that noticed it; None with the reason why none counts."""

    fault: str
    test: str | None
    why: str
    seconds: float
    by: str = ""
    """What the test failed by."""
    by_all: bool = False
    """The tests named for the fault passed, another law noticed."""

    def __str__(self) -> str:
        killer = f"killed by {self.test}: {self.by}" if self.test else self.why
        return f"{self.fault:40} {self.seconds:5.1f} s  {killer}{' (not by its own)' if self.by_all else ''}"


def verdicts(faults: Iterable[Fault], jobs: int = JOBS) -> Iterator[Verdict]:
    """Each fault judged, so many at a time, in the order given."""
    with _scratch() as folder, ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda fault: judged(fault, Path(folder)), faults)


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="money-", dir=MEMORY if MEMORY.is_dir() else None)


def judged(fault: Fault, folder: Path) -> Verdict:
    """The named tests first; when these pass, all laws."""
    began = time.monotonic()
    try:
        texts = planted_texts(fault)
    except GoneError as gone:
        return Verdict(fault.name, None, str(gone), 0.0)
    for by_all, tests in ((False, fault.judges), (True, LAWS)):
        said = run(texts, tests, folder / f"{fault.name}-{by_all}")
        why = _wrong(said, set(texts))
        seconds = time.monotonic() - began
        if why is not None:
            return Verdict(fault.name, None, f"{fault.name}: {why}", seconds)
        if said["test"] is not None:
            test = str(said["test"]).rpartition("/")[2]
            return Verdict(fault.name, test, "", seconds, by=str(said["by"]).partition(",")[0], by_all=by_all)
    return Verdict(fault.name, None, f"{fault.name}: no law noticed it; {fault.cost}", time.monotonic() - began)


def _wrong(said: dict[str, object], files: set[str]) -> str | None:
    """Why a run tells nothing; None when it does."""
    if said["status"] not in (0, FAILED) or (said["status"] == FAILED) != (said["test"] is not None):
        return f"the tests did not run, status {said['status']}: {said.get('said', said['by'])}"
    slips = SLIPS.intersection(str(said["by"]).split(","))
    if slips:
        return f"the fault breaks Python and not a law ({slips.pop()} in {said['test']}); plant it anew"
    if said["loaded"] != sorted(files):
        return f"only {said['loaded']} were imported with the fault in them"
    return None


def run(texts: dict[str, str], tests: tuple[str, ...], folder: Path) -> dict[str, object]:
    """What planting.py says, in a process of its own."""
    command = [sys.executable, "-m", "tests.money.planting", str(folder), *tests]
    own = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=kept | own, input=json.dumps(texts), capture_output=True, text=True, timeout=SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        return {"status": None, "test": None, "by": f"more than {SECONDS_MAX} s", "loaded": []}
    lines = done.stdout.splitlines()
    if not lines or not lines[-1].startswith("{"):
        return {"status": done.returncode, "test": None, "by": "", "loaded": [], "said": (done.stdout + done.stderr)[-600:]}
    said: dict[str, object] = json.loads(lines[-1])
    return said


def healthy() -> str | None:
    """Why the laws do not hold in the tree as it is, run the same way; None when they do."""
    with _scratch() as folder:
        said = run({}, LAWS, Path(folder) / "healthy")
    return None if said["status"] == 0 else f"the laws do not hold without a fault: {said}"


def main(names: list[str]) -> int:
    """Print a line for each fault; 0 when each was noticed."""
    chosen = [each for each in FAULTS if not names or each.name in names]
    began = time.monotonic()
    sick = healthy()
    if sick is not None:
        print(sick)
        return 1
    lived = 0
    for verdict in verdicts(chosen):
        lived += verdict.test is None
        print(verdict, flush=True)
    print(f"{len(chosen) - lived} of {len(chosen)} planted faults were noticed in {time.monotonic() - began:.0f} s")
    return 1 if lived or not chosen else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
