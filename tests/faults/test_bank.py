"""The bank test: tills that sell, redeem, take back, void and pay by gift card to one set of members, over lines that fail.

Real processes: head office, tills, their daemons, and a proxy of our own between them. The total stays, nothing is overdrawn,
each till shows what head office shows when all is quiet. ``make bank`` is the long form (``BANK_ACTS=n``).
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults import bank
from tests.faults.namespaces import Wire
from tests.faults.nodes import Office, Process, Shopfloor, until
from tests.ports import free_port

ACTS = int(os.environ.get("BANK_ACTS", "12"))
TILLS = ("T1", "T2", "T3")
SEED = 20261122
ESCROW = '\n[offline]\npolicy = "escrow"\n'


class Chain:
    """Head office, a bad line to it, and tills behind the line."""

    def __init__(self, folder: Path, wire: Wire, names: Sequence[str]) -> None:
        port, line_port = free_port(), free_port()
        self.calm = folder / "calm"
        self.calm.touch()
        self.office = Office(folder / "office", port, host=wire.office_host, inside=wire.inside_office)
        self.office.prepare(bank.PROGRAMME, bank.MEMBERS)
        line = (sys.executable, "-m", "tests.faults.bad_line", wire.till_host, str(line_port), wire.office_host, str(port))
        self.line = Process("line", folder, *wire.inside_tills, *line, str(SEED), str(self.calm))
        url = f"http://{wire.till_host}:{line_port}"
        self.tills = [Shopfloor(self.office, name, folder / name, url, inside=wire.inside_tills, more=ESCROW) for name in names]

    def open(self) -> None:
        """All runs, every till is enrolled and has heard everything."""
        self.office.process.start()
        self.line.start()
        for till in self.tills:
            till.enrol(self.office.code(till.name))
            till.sync_to_the_end()

    def sell(self, acts: int) -> None:
        """Everybody sells so much, the first few acts over a good line: then head office knows who visits here."""
        for till in self.tills:
            till.daemon.start()
            till.seller.start(str(SEED), "1", str(acts))
        for till in self.tills:
            until(lambda till=till: "ACK 3 " in till.seller.said, till.seller.said[-2000:])  # type: ignore[misc]
        self.calm.unlink()
        for till in self.tills:
            until(lambda till=till: till.seller.is_done, f"{till.name}: {till.seller.said[-2000:]}", 600)  # type: ignore[misc]
            assert f"ACK {acts} " in till.seller.said, till.seller.said[-2000:]

    def settle(self) -> None:
        """The line is mended, and all send and fetch until nothing is left; twice, for what the others sent meanwhile."""
        self.calm.touch()
        for till in self.tills:
            till.daemon.kill()
        for _ in range(2):
            for till in self.tills:
                till.sync_to_the_end()

    def close(self) -> None:
        """End all."""
        for process in (self.line, self.office.process):
            process.kill()
        for till in self.tills:
            till.kill()


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    made = Wire.made()
    yield made
    made.close()


@pytest.mark.timeout(1800)
def test_the_bank_holds_over_a_bad_line(tmp_path: Path, wire: Wire) -> None:
    chain = Chain(tmp_path, wire, TILLS)
    try:
        chain.open()
        chain.sell(ACTS)
        chain.settle()
        figures = bank.check(chain.office, chain.tills)
    finally:
        chain.close()
    fates = Counter(chain.line.said.splitlines())
    print(f"{wire.words}: {dict(figures)}, {sum(fates.values())} requests: {dict(fates.most_common())}")
    assert len(fates) > 5, "the line was hardly bad"
