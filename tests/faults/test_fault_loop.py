"""Every write and sync of the verbs fails once, for ever, and with the power: each verb stands whole and once, or not at all.

The short form takes one place in many of chosen verbs; ``make faults`` (``FAULTS=long``) takes every place of every verb, and all
of them again with the rollback journal of a library that WAL is not safe with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IS_LONG = os.environ.get("FAULTS") == "long"
CHOSEN = (
    "start,sell in one step,complete,return a part,exchange,adjust down,erase a member,pay by gift card,nightly,"
    "sync at the till,sync at head office"
)
WAL = ["--every", "1"] if IS_LONG else ["--every", "29", "--verbs", CHOSEN]
DELETE = ["--every", "1"] if IS_LONG else ["--every", "40", "--verbs", "sell in one step,return a part"]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("asked", [WAL, [*DELETE, "--journal", "delete"]], ids=["wal", "delete"])
def test_a_verb_stands_whole_and_once_or_not_at_all(tmp_path: Path, asked: list[str]) -> None:
    command = [sys.executable, "-m", "tests.faults.fault_loop", str(tmp_path), *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.stdout.count("\n") > 1, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["broken"], done.returncode) == ([], 0)
    kinds = {kind.split()[1] for kind in told["faults"]}
    assert {"write", "sync"} <= kinds and told["outcomes"]["refused, and there (ghost)"], "some faults came after the fact stood"
