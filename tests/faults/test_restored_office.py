"""Head office is restored from an old backup while five tills sell: nothing is lost, nothing doubled, nobody overdrawn.

Real processes and HTTP; two of the tills have a hub.
The backup is taken after the first acts; what came after it, rights that were given too, is forgotten.
Nothing is granted until every till has said hello, and all logs are heard again. ``make bank`` is the long form.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import bank
from tests.faults.chain import Chain
from tests.faults.namespaces import LOOPBACK
from tests.faults.nodes import rows, until

ACTS = int(os.environ.get("RESTORE_ACTS", "12"))
RESTORES = int(os.environ.get("RESTORES", "1"))
TILLS, BEHIND = ("T1", "T2", "T3", "T4", "T5"), ("T1", "T2")
SENT = "SELECT COUNT(*) FROM txn WHERE till GLOB 'T*'"
GRANTED = "SELECT COUNT(*) FROM txn WHERE kind = 'rights.granted'"


@pytest.mark.timeout(3600)
def test_nothing_is_lost_when_head_office_is_restored_from_yesterday(tmp_path: Path) -> None:
    chain = Chain(tmp_path, LOOPBACK, TILLS, behind=BEHIND)
    forgot = []
    try:
        chain.open()
        chain.sell(ACTS)
        for number in range(RESTORES):
            wait(chain, ACTS * (2 * number + 1) // (3 * RESTORES))
            saved = tmp_path / f"night-{number}.db"
            chain.office.back_up(saved)
            held = rows(saved, SENT), rows(saved, GRANTED)
            wait(chain, ACTS * (2 * number + 2) // (3 * RESTORES))
            chain.office.process.kill()
            forgot.append((rows(chain.office.database, SENT), rows(chain.office.database, GRANTED), held))
            chain.office.restore(saved)
            chain.office.process.start()
        chain.wait(ACTS)
        chain.settle()
        figures = bank.check(chain)
    finally:
        chain.close()
    print(f"restored {RESTORES} times, (sent, granted) before and in the backup: {forgot}; {dict(figures)}")
    assert all(sent > saved_sent for (sent, _, (saved_sent, _)) in forgot), "head office forgot nothing"


def wait(chain: Chain, number: int) -> None:
    """Until every till has done so many acts, and head office heard of some."""
    before = rows(chain.office.database, SENT)
    chain.wait(max(1, number))
    until(lambda: rows(chain.office.database, SENT) > before, "nobody sends anything")
