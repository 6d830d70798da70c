"""The first document of a kind may be read by several threads at once, as at head office's start."""

from __future__ import annotations

import subprocess
import sys

TRIES = 6
READS = """
import sys, threading
from pos_loyalty.engine import load_programme
from tests.shop import PROGRAMME
sys.setswitchinterval(1e-6)
at_once = threading.Barrier(4)
names = []
def read():
    at_once.wait()
    names.append(load_programme(PROGRAMME.encode()).name)
threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(names) == 4 and len(set(names)) == 1
"""


def test_a_programme_is_read_by_four_threads_at_once() -> None:
    for _ in range(TRIES):
        told = subprocess.run([sys.executable, "-c", READS], check=False, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
