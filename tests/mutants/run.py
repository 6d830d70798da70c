"""Break the engine many times in a copy and see that its tests notice: ``python -m tests.mutants.run``.

The working tree is read once and never written, but for survivors.md when ``--write`` is given.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from random import Random

from tests.mutants.breaks import Break, breaks_of, broken
from tests.mutants.targets import ENGINE, JUDGES, SECONDS_MAX

ROOT = Path(__file__).parents[2]
COPIED = (
    "pos_loyalty",
    "drivers",
    "sync",
    "receipts",
    "tests",
    "demo",
    "docs",
    "bench",
    "setup.cfg",
    "config.toml",
    "pyproject.toml",
)
SURVIVORS = Path(__file__).with_name("survivors.md")
REASONS_TITLE = "## What is left and why\n"
"""From here on survivors.md is written by people and stays as it is."""
GOLDEN_TEST = "tests/property/test_engine_version.py"
SLACK = 3
"""A run so many times slower than without the break is stopped, and the break counts as noticed."""


@dataclass(frozen=True)
class Outcome:
    """What became of a break: ``survived``, or how it was noticed."""

    one: Break
    verdict: str
    seconds: float


def main() -> int:
    """Run as told on the command line; 0 when enough breaks were noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="modules, separated by commas")
    parser.add_argument("--least", type=float, default=90.0, help="per cent that must be noticed")
    parser.add_argument("--write", action="store_true", help="write survivors.md")
    told = parser.parse_args()
    only = set(told.only.split(",")) - {""} or set(JUDGES)
    chosen = choose(seed=told.seed, count=told.count, only=only)
    print(f"seed {told.seed}: {len(chosen)} breaks of {', '.join(sorted({one.module for one in chosen}))}", flush=True)
    outcomes = judge(chosen, jobs=told.jobs)
    survived = [each for each in outcomes if each.verdict == "survived"]
    share = 100 * (len(outcomes) - len(survived)) / max(1, len(outcomes))
    by_module = Counter(each.one.module for each in outcomes)
    lived = Counter(each.one.module for each in survived)
    for module, count in sorted(by_module.items()):
        print(f"  {module}: {count - lived[module]} of {count} noticed")
    for each in survived:
        print(f"  survived: {ENGINE}/{each.one.module}.py:{each.one.line} {each.one.change}")
    print(f"{len(outcomes) - len(survived)} of {len(outcomes)} noticed: {share:.1f} %")
    if told.write:
        write_survivors(survived, f"Seed {told.seed}: {len(outcomes) - len(survived)} of {len(outcomes)} noticed, {share:.1f} %.")
    return 0 if share >= told.least else 1


def choose(*, seed: int, count: int, only: set[str]) -> list[Break]:
    """So many breaks, drawn from all of the modules that exist."""
    found: list[Break] = []
    for module in sorted(only):
        path = ROOT / ENGINE / f"{module}.py"
        if path.exists():
            found += breaks_of(module, path.read_text(encoding="utf-8"))
    Random(seed).shuffle(found)
    return found[:count]


def judge(chosen: list[Break], *, jobs: int) -> list[Outcome]:
    """Every break in a copy of its own worker, in the order given."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        free: Queue[Path] = Queue()
        for number in range(jobs):
            free.put(_copied(Path(folder) / str(number)))
        if any(GOLDEN_TEST in JUDGES[one.module] for one in chosen):
            _write_golden(list(free.queue))
        limits = _limits({one.module for one in chosen}, Path(folder) / "0")

        def one_of(one: Break) -> Outcome:
            copy = free.get()
            try:
                outcome = _judged(one, copy, limits[one.module])
                print(json.dumps([outcome.verdict, round(outcome.seconds, 1), one.line, one.key]), file=sys.stderr, flush=True)
                return outcome
            finally:
                free.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one_of, chosen))


def _copied(target: Path) -> Path:
    target.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "out"))
        elif source.exists():
            shutil.copy(source, target / name)
    return target


def _write_golden(copies: list[Path]) -> None:
    """Digests of what the engine answers now, so that an answer that a break changes is noticed."""
    for copy in copies:
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", GOLDEN_TEST]
        subprocess.run(command, cwd=copy, env=_environment(copy) | {"GOLDEN": "write"}, check=True, stdout=subprocess.DEVNULL)


def _environment(copy: Path) -> dict[str, str]:
    own = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONPATH": str(copy), "LAWS": "judge"}
    return dict(os.environ) | own


def _limits(modules: set[str], copy: Path) -> dict[str, float]:
    """Seconds for each module; the tests must pass without a break and see one that cannot be missed."""
    limits: dict[str, float] = {}
    known: dict[tuple[str, ...], float] = {}
    for module in sorted(modules):
        tests = _tests(module, copy)
        if tests not in known:
            began = time.monotonic()
            done = _run(tests, copy, 10 * SECONDS_MAX)
            known[tests] = time.monotonic() - began
            if done != 0:
                raise SystemExit(f"{module}: its tests fail without a break: {' '.join(tests)}")
            if known[tests] > SECONDS_MAX:
                print(f"  {module}: its tests take {known[tests]:.1f} s, more than {SECONDS_MAX}", flush=True)
        limits[module] = SLACK * known[tests] + 2
    path = copy / ENGINE / f"{min(modules)}.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\nraise RuntimeError\n", encoding="utf-8")
    if _run(_tests(min(modules), copy), copy, 10 * SECONDS_MAX) == 0:
        raise SystemExit("the tests do not run in the copy")
    path.write_text(text, encoding="utf-8")
    return limits


def _tests(module: str, copy: Path) -> tuple[str, ...]:
    return tuple(test for test in JUDGES[module] if (copy / test.partition("::")[0]).exists())


def _judged(one: Break, copy: Path, limit: float) -> Outcome:
    path = copy / ENGINE / f"{one.module}.py"
    text = path.read_text(encoding="utf-8")
    began = time.monotonic()
    try:
        path.write_text(broken(one, text), encoding="utf-8")
        status = _run(_tests(one.module, copy), copy, limit)
    finally:
        path.write_text(text, encoding="utf-8")
    verdict = {0: "survived", None: "too slow"}.get(status, "noticed")
    return Outcome(one, verdict, time.monotonic() - began)


def _run(tests: tuple[str, ...], copy: Path, limit: float) -> int | None:
    """The exit status of pytest; None when it took too long."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", *tests]
    environment = _environment(copy)
    running = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return running.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, 9)
        running.wait()
        return None


def write_survivors(survived: list[Outcome], figure: str) -> None:
    """The list with the reasons that stand there already; a new one has none yet."""
    reasons: dict[str, str] = {}
    listed_before, title, kept = SURVIVORS.read_text(encoding="utf-8").partition(REASONS_TITLE)
    for line in listed_before.splitlines():
        key, _, reason = line.removeprefix("- ").partition(" — ")
        reasons[key] = reason
    listed = sorted({each.one.key for each in survived})
    text = f"# Breaks that no test noticed\n\n`make mutants`. {figure}\n\n"
    text += "".join(f"- {key} — {reasons.get(key, 'to be explained')}\n" for key in listed)
    SURVIVORS.write_text(f"{text}\n{title}{kept}" if title else text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
