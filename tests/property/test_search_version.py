"""What the search answers, its effort included, may change only on purpose: digests stand in tests/golden/packs.txt.

The effort is part of every quote's proof. When it is meant to change:
``GOLDEN=write pytest tests/property/test_search_version.py``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pos_loyalty.engine.packing import Effort, Kind, Offer, Packed, Solved
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from tests.oracles.problems import asked, beside, problem
from tests.property.seeded_worlds import effort

KEPT = Path(__file__).parents[1] / "golden" / "packs.txt"
BATCH, BATCHES = 20, effort(few=8, some=20, many=20)
FIRST = 100_000
UNITS = (6, 9, 12, 16)
EFFORTS = ((4_000, 2_000), (4_000, 8), (400, 40), (60, 20), (15, 3))


def digests() -> list[str]:
    """A digest for every twenty problems, each asked with more and with less effort, in priority order, and once more."""
    lines = []
    for first in range(FIRST, FIRST + BATCH * BATCHES, BATCH):
        text = "\n".join(line for seed in range(first, first + BATCH) for line in _answers(seed))
        lines.append(f"{first} {hashlib.sha256(text.encode()).hexdigest()[:16]}")
    return lines


def _answers(seed: int) -> Iterator[str]:
    told = problem(seed, UNITS[seed % len(UNITS)])
    kinds, offers = asked(beside(told, problem(seed + 1, 5)) if seed % 3 == 0 else told)
    efforts = EFFORTS if seed % 4 else EFFORTS[:1]
    for applications, nodes in efforts:
        packed = pack(kinds, offers, Effort(applications=applications, nodes=nodes))
        yield repr(packed)
    yield repr(pack_by_priority(kinds, offers))
    yield repr([alone(kinds, offer) for offer in offers])
    yield repr(_again(kinds, offers))


def _again(kinds: list[Kind], offers: list[Offer]) -> Packed:
    """The same with one unit more of the first kind, when the answer before is known."""
    usual = Effort(applications=EFFORTS[0][0], nodes=EFFORTS[0][1])
    before = Solved(kinds=kinds, offers=offers, packed=pack(kinds, offers, usual))
    first = Kind(price=kinds[0].price, room=kinds[0].room, count=kinds[0].count + 1)
    return pack([first, *kinds[1:]], offers, usual, before)


def test_the_search_answers_as_before_with_as_much_effort() -> None:
    now = digests()
    if os.environ.get("GOLDEN") == "write":
        KEPT.write_text("\n".join(now) + "\n", encoding="utf-8")
        return
    was = KEPT.read_text(encoding="utf-8").splitlines()
    changed = [line.partition(" ")[0] for line in now if line not in was]
    assert changed == [], "the search answers otherwise, or works more or less for it"
