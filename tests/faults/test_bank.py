"""The bank test: tills that sell, redeem, take back, void and pay by gift card to one set of members, over lines that fail.

Real processes in network namespaces: head office, tills, their daemons, a store's hub, and a proxy of our own on every line. The
total stays, nothing is overdrawn, tills, hub and head office show the same when all is quiet. ``make bank`` is the long form
(``BANK_ACTS=n``; with a hub ``HUB_ROUNDS=n`` of ``HUB_KILLS=n`` each).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.faults import bank
from tests.faults.bad_line import FATES, OVERTAKEN
from tests.faults.chain import ABROAD, HUB, LAN, OFFICE, OTHER, OUTSIDE, SEED, TILLS, Chain
from tests.faults.namespaces import Wires
from tests.faults.nodes import Shopfloor, rows, until

ACTS = int(os.environ.get("BANK_ACTS", "12"))
ROUNDS = int(os.environ.get("HUB_ROUNDS", "1"))
KILLS = int(os.environ.get("HUB_KILLS", "2"))
BAD = {*FATES, OVERTAKEN}
BEHIND = ("T1", "T2")
LINES = ((TILLS, HUB), (HUB, OFFICE), (OTHER, OFFICE), (TILLS, OFFICE))
PAUSE_S = float(os.environ.get("BANK_PAUSE_S", "0.4"))
"""Between two acts of a seller: time for the others to tell each other."""


@pytest.mark.timeout(3600)
def test_the_bank_holds_over_a_bad_line(tmp_path: Path) -> None:
    wires = Wires.made((OFFICE, TILLS))
    chain = Chain(tmp_path, wires, ("T1", "T2", "T3"))
    try:
        chain.open()
        chain.sell(pause_s=PAUSE_S)
        chain.wait(3)
        chain.roughen()
        chain.wait(ACTS)
        until(lambda: chain.fates.keys() >= BAD, f"the line was hardly bad: {chain.fates}")
        chain.settle()
        figures = bank.check(chain)
    finally:
        chain.close()
        wires.close()
    print(f"{wires.words}: {dict(figures)}, {told(chain.fates)}")


@pytest.mark.timeout(7200)
def test_the_bank_holds_in_a_store_with_a_hub(tmp_path: Path) -> None:
    """All lines are bad, each side is killed, the outside line is cut, and the store's own; the long form does it often.

    While the outside line is cut a new member gets points at one till and redeems them at the next.
    """
    wires = Wires.made(*OUTSIDE, *LAN, *ABROAD)
    chain = Chain(tmp_path, wires, (*BEHIND, "T9"), behind=BEHIND, abroad=("T9",))
    random, killed = Random(SEED), Counter[str]()
    try:
        chain.open()
        chain.sell(pause_s=PAUSE_S)
        chain.wait(3)
        for number in range(ROUNDS):
            chain.roughen((HUB, OFFICE), (TILLS, OFFICE), (OTHER, OFFICE))
            chain.wait_for_more(3)
            wires.pull(*OUTSIDE)
            meet(chain, number)
            wires.plug(*OUTSIDE)
            chain.roughen((TILLS, HUB))
            killed += chain.kill_each(KILLS, random, PAUSE_S)
            until(lambda: chain.fates.keys() >= BAD, f"the lines were hardly bad: {chain.fates}")
            wires.pull(*LAN)
            pass_the_hub_by(chain)
            wires.plug(*LAN)
            chain.calm((TILLS, HUB))
        chain.settle()
        figures = bank.check(chain, earned=ROUNDS)
    finally:
        chain.close()
        wires.close()
    print(f"{wires.words}: killed {dict(killed)}, {dict(figures)}, {told(chain.fates)}")
    print({" to ".join(line): told(chain.fates_on(line)) for line in LINES})
    assert ROUNDS < 2 or [line for line in LINES if not chain.fates_on(line).keys() >= BAD] == []
    assert {side for side, times in killed.items() if times >= KILLS * ROUNDS} == {"office", "hub", "seller", "daemon"}


def meet(chain: Chain, number: int) -> None:
    """Points of the first till are redeemed at the second one; head office hears of nobody in the store meanwhile."""
    first, second = chain.behind
    obeyed(first, f"earn {number}")
    held = rows(chain.office.database, HELD_OF_STORE)
    obeyed(second, f"meet {number}")
    assert f"MET {number} {bank.EARNED_CENTI}" in second.seller.said
    assert rows(chain.office.database, HELD_OF_STORE) == held, "head office was not cut off"


def pass_the_hub_by(chain: Chain) -> None:
    """Each till of the store comes to head office without its hub."""
    for till in chain.behind:
        of_till = f"SELECT COUNT(*) FROM txn WHERE till = '{till.name}'"
        before = rows(chain.office.database, of_till)
        until(lambda: rows(chain.office.database, of_till) != before, f"{till.name} finds no way")  # noqa: B023


def obeyed(till: Shopfloor, words: str) -> None:
    """The seller does what it is told before its next act."""
    till.order(words)
    until(lambda: not (till.folder / "order").exists(), f"{till.name} does not {words}: {till.seller.said[-2000:]}")


HELD_OF_STORE = "SELECT COUNT(*) FROM txn WHERE till IN ('T1', 'T2', 'S1-HUB')"


def told(fates: Counter[str]) -> str:
    """For people."""
    return f"{fates.total() - fates[OVERTAKEN]} requests: {dict(fates.most_common())}"
