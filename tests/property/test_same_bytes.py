"""The same question gives the same bytes: in another process, with another hash seed, time zone and locale of the machine, and
whatever the order of lines and rules. LAWS=long asks 1,000 receipts in each of eight processes, else 120 in five."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

from tests.property.seeded_worlds import effort

ROOT = Path(__file__).parents[2]
COUNT = effort(few=30, some=120, many=1_000)
MACHINES: tuple[tuple[int, dict[str, str]], ...] = (
    (0, {"PYTHONHASHSEED": "0", "TZ": "UTC"}),
    (0, {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Apia", "LC_ALL": "ru_RU.UTF-8", "PYTHONTZPATH": "/nowhere"}),
    (1, {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONOPTIMIZE": "1"}),
    (2, {"PYTHONHASHSEED": "77", "LC_ALL": "tr_TR.UTF-8"}),
    (3, {"PYTHONHASHSEED": "31337"}),
    (0, {"PYTHONHASHSEED": "0", "TZ": "UTC"}),
    (4, {"PYTHONHASHSEED": "1000003"}),
    (5, {"PYTHONHASHSEED": "random"}),
)


def digests(shuffle: int, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.property.busy_shop", str(COUNT), str(shuffle)],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_machine_process_and_order_of_lines_and_rules_do_not_matter() -> None:
    chosen = MACHINES if os.environ.get("LAWS") == "long" else MACHINES[:5]
    first = digests(*chosen[0])
    assert len(first) == COUNT + 1
    assert sum(line.split()[-1] != "0" for line in first) > COUNT // 2, "most receipts must have something off"
    for shuffle, environment in chosen[1:]:
        for was, now in zip_longest(first, digests(shuffle, environment)):
            assert was == now, f"shuffle {shuffle}, {environment}"
