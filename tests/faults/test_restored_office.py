"""Head office is restored from an old backup while five tills sell: nothing is lost, nothing doubled, nobody overdrawn.

Real processes and HTTP. The backup is taken after the first acts; what came after it, rights that were given too, is forgotten.
Nothing is granted until every till has said hello, and all logs are heard again. ``make bank`` is the long form.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import bank
from tests.faults.namespaces import LOOPBACK
from tests.faults.nodes import rows, until
from tests.faults.test_bank import Chain

ACTS = int(os.environ.get("RESTORE_ACTS", "12"))
RESTORES = int(os.environ.get("RESTORES", "1"))
TILLS = ("T1", "T2", "T3", "T4", "T5")
SENT = "SELECT COUNT(*) FROM txn WHERE till GLOB 'T*'"
GRANTED = "SELECT COUNT(*) FROM txn WHERE kind = 'rights.granted'"


@pytest.mark.timeout(3600)
def test_nothing_is_lost_when_head_office_is_restored_from_yesterday(tmp_path: Path) -> None:
    chain = Chain(tmp_path, LOOPBACK, TILLS)
    forgot = []
    try:
        chain.open()
        for till in chain.tills:
            till.daemon.start()
            till.seller.start("7", "1", str(ACTS))
        for number in range(RESTORES):
            _wait(chain, ACTS * (2 * number + 1) // (3 * RESTORES))
            saved = tmp_path / f"night-{number}.db"
            chain.office.back_up(saved)
            held = rows(saved, SENT), rows(saved, GRANTED)
            _wait(chain, ACTS * (2 * number + 2) // (3 * RESTORES))
            chain.office.process.kill()
            forgot.append((rows(chain.office.database, SENT), rows(chain.office.database, GRANTED), held))
            chain.office.restore(saved)
            chain.office.process.start()
        for till in chain.tills:
            until(lambda till=till: till.seller.is_done, f"{till.name}: {till.seller.said[-2000:]}", 600)  # type: ignore[misc]
            assert f"ACK {ACTS} " in till.seller.said, till.seller.said[-2000:]
        chain.settle()
        figures = bank.check(chain.office, chain.tills)
    finally:
        chain.close()
    print(f"restored {RESTORES} times, (sent, granted) before and in the backup: {forgot}; {dict(figures)}")
    assert all(sent > saved_sent for (sent, _, (saved_sent, _)) in forgot), "head office forgot nothing"


def _wait(chain: Chain, number: int) -> None:
    """Until every till has done so many acts, and head office heard of some."""
    number = max(1, number)
    before = rows(chain.office.database, SENT)
    for till in chain.tills:
        until(lambda till=till: f"ACK {number} " in till.seller.said, till.seller.said[-2000:])  # type: ignore[misc]
    until(lambda: rows(chain.office.database, SENT) > before, "nobody sends anything")
