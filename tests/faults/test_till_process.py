"""A real till process whose system calls fail or kill it: EIO, ENOSPC and SIGKILL at a sync or a write of its file, by strace.

After each the host starts the till again, without faults, and asks for the act that was not acknowledged once more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from pos_loyalty import wiring
from tests.faults.disk import fill
from tests.faults.seller import shop_of
from tests.faults.told import check_once, kinds_of, spoken

ROOT = Path(__file__).parents[2]
SEED = 20261121
SELLER = [sys.executable, "-m", "tests.faults.seller"]
IS_LONG = os.environ.get("FAULTS") == "long"
ROUNDS = 12
ACTS = 8
HITS = (
    ("fdatasync", "error=EIO", 30),
    ("pwrite64", "error=ENOSPC", 900),
    ("fdatasync", "signal=SIGKILL", 30),
    ("pwrite64", "error=EIO", 900),
    ("pwrite64", "signal=SIGKILL", 900),
)
"""A system call, what becomes of it, and how many calls a run of the seller makes about: one of them is hit."""
SHORT = 3
ROOM_BYTES = 400_000
"""Enough to start and to sell a little."""
STARTS = {"fdatasync": 4, "pwrite64": 120}
"""Calls before the first act: a till that cannot start has nothing to lose."""


def test_a_system_call_that_fails_or_kills_loses_and_doubles_nothing(tmp_path: Path) -> None:
    config, said, chance = str(shop_of(tmp_path)), tmp_path / "said", Random(SEED)
    hits, ended_badly = HITS * ROUNDS if IS_LONG else HITS[:SHORT], 0
    for call, what, about in hits:
        at = chance.randint(STARTS[call], about)
        strace = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:{what}:when={at}"]
        done = _sell(said, config, *strace)
        if b"ptrace" in done.stderr.lower():
            pytest.skip("no right to trace a process on this machine")
        ended_badly += done.returncode != 0
        assert _sell(said, config, acts=1).returncode == 0
    acked, _ = spoken(said)
    print(f"{len(hits)} hits, {ended_badly} runs ended by them, {len(acked)} acts acknowledged: {kinds_of(acked)}")
    check_once(tmp_path / "till.db", acked)
    assert wiring.verify(tmp_path / "till.db") == ()
    assert ended_badly


def test_a_full_disk_ends_no_fact_by_half(small_disk: Path, tmp_path: Path) -> None:
    config, said = str(shop_of(small_disk)), tmp_path / "said"
    filler = fill(small_disk)
    os.truncate(filler, filler.stat().st_size - ROOM_BYTES)
    ran = _sell(said, config, acts=200)
    assert ran.returncode != 0 and b"disk is full" in ran.stderr
    assert wiring.verify(small_disk / "till.db") == ()
    filler.unlink()
    assert _sell(said, config).returncode == 0
    acked, _ = spoken(said)
    check_once(small_disk / "till.db", acked)
    assert wiring.verify(small_disk / "till.db") == ()


def _sell(said: Path, config: str, *before: str, acts: int = ACTS) -> subprocess.CompletedProcess[bytes]:
    """Some acts, from the first on that is not acknowledged."""
    said.touch()
    acked, tried = spoken(said)
    first = tried if tried and tried not in acked else tried + 1
    with said.open("ab") as out:
        command = [*before, *SELLER, config, str(SEED), str(first), str(first + acts - 1)]
        return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, cwd=ROOT, check=False)
