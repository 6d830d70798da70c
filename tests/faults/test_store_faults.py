"""A full disk, a disk that fails, and kill -9: what was acknowledged stands once, what was not stands once or not at all."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pos_loyalty.errors import StoreError
from pos_loyalty.store import ledger
from pos_loyalty.store.db import Connection, open_store, own, was_full
from pos_loyalty.store.verify import verify
from tests.faults.disk import fill
from tests.unit.store_facts import NOW, sell, till_store, uuid_of

ROOT = Path(__file__).parents[2]
KILLS = 40
SEED = 20261121
WRITER = [sys.executable, "-m", "tests.faults.store_writer"]
PATIENCE_S = 120
HOLDER = """
import sys, time
from pathlib import Path
from pos_loyalty.store.db import own
lock = own(Path(sys.argv[1]))
print("up", flush=True)
time.sleep(60)
"""


def _numbers(said: str, word: str) -> list[int]:
    return [int(n) for n in re.findall(rf"^{word} (\d+)$", said, re.M)]


def _stored(db: Connection) -> list[int]:
    return [int(row[0].removeprefix("sale-")) for row in db.execute("SELECT sale_id FROM sale ORDER BY authorised_ms, sale_id")]


def _said_when(path: Path, words: int) -> None:
    """Wait until the writer has said so many lines."""
    deadline = time.monotonic() + PATIENCE_S
    while path.read_text().count("\n") < words:
        assert time.monotonic() < deadline, "the writer says nothing"
        time.sleep(0.001)


def test_kill_9_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    path, said = tmp_path / "till.db", tmp_path / "said"
    till_store(path).close()
    moments = random.Random(SEED)
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        with said.open("wb") as out:
            writer = subprocess.Popen([*WRITER, str(path), "10000"], stdout=out, cwd=ROOT)
        try:
            _said_when(said, 1)
            time.sleep(moments.uniform(0, 0.04))
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        acknowledged |= set(_numbers(said.read_text(), "ACK"))
        tried = max(_numbers(said.read_text(), "TRY"))
        db = till_store(path)
        stored = _stored(db)
        assert sorted(stored) == list(range(1, len(stored) + 1)), "one of each, none left out"
        assert acknowledged <= set(stored) and len(stored) <= tried
        assert ledger.head(db).seq == len(stored)
        db.close()
    db = till_store(path)
    assert verify(db) == ()
    assert len(acknowledged) >= KILLS // 2, "the writer was killed before it could sell"
    db.close()


def test_the_lock_of_a_killed_till_is_free(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None and holder.stdout.readline() == b"up\n"
    with pytest.raises(StoreError) as refusal:
        own(path)
    assert str(holder.pid) in str(refusal.value)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    own(path).close()


@pytest.mark.parametrize("sync", [12, 17, 23])
def test_a_commit_whose_sync_failed_is_looked_up_after_reopening(tmp_path: Path, sync: int) -> None:
    path, said = tmp_path / "till.db", tmp_path / "said"
    till_store(path).close()
    strace = ["strace", "-f", "-o", "/dev/null", "-e", f"inject=fsync,fdatasync:error=EIO:when={sync}"]
    with said.open("wb") as out:
        done = subprocess.run([*strace, *WRITER, str(path), "30"], stdout=out, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    if b"ptrace" in done.stderr.lower():
        pytest.skip("no right to trace a process on this machine")
    words = said.read_text()
    assert done.returncode == 0, done.stderr
    assert len(_numbers(words, "UNKNOWN")) == 1, words
    db = till_store(path)
    assert _stored(db) == list(range(1, 31))
    assert set(_numbers(words, "ACK")) | set(_numbers(words, "GHOST")) == set(range(1, 31))
    assert verify(db) == ()
    db.close()


def _sell_until_full(db: Connection) -> tuple[int, StoreError]:
    number = ledger.head(db).seq
    while True:
        try:
            sell(db, number + 1, "M1", lines=20)
        except StoreError as error:
            return number, error
        number += 1


def test_a_full_disk_loses_nothing_and_selling_goes_on_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "till.db"
    db = open_store(path, role="till", owner="T1", now=NOW)
    sell(db, 1, "M1")
    filler = fill(small_disk)
    sold, error = _sell_until_full(db)
    assert was_full(error) and "disk is full" in str(error) and "\n" not in str(error)
    assert ledger.head(db).seq == sold, "the open connection still reads"
    db.close()
    db = till_store(path)
    assert ledger.by_id(db, uuid_of(sold + 1)) is None and ledger.head(db).seq == sold
    assert verify(db) == ()
    filler.unlink()
    fact = sell(db, sold + 1, "M1", lines=20)
    assert fact.seq == sold + 1 and verify(db) == ()
    db.close()


def test_a_disk_too_full_for_a_new_file_is_one_sentence(small_disk: Path) -> None:
    filler = fill(small_disk)
    with pytest.raises(StoreError) as refusal:
        till_store(small_disk / "till.db")
    assert was_full(refusal.value) and "\n" not in str(refusal.value)
    filler.unlink()
    db = till_store(small_disk / "till.db")
    sell(db, 1)
    db.close()
