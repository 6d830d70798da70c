"""Worlds in which what is rare happens often: they find in an hour what others find in a day. ``make sim RARE=1``.

Rule: it is a search, no measure: a shop in which head office is put back each hour is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.simulation.world import Step, plan

OFTEN: Mapping[str, int] = {
    "restore office": 8, "new machine": 5, "revoke": 2, "save": 3, "lose hub": 4, "save hub": 2, "call lost": 3,
    "cut hub power": 2, "merge": 2, "erase": 2,
}  # fmt: skip
"""So many times as often as in other worlds."""
LENGTHS = (24, 30, 40, 60)


def rare(seed: int) -> list[Step]:
    """What will happen in such a world, of the kind that its seed has else."""
    return plan(seed, Random(f"rare {seed}").choice(LENGTHS), often=OFTEN)
