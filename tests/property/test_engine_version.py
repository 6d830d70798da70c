"""Answers may change only when ENGINE_VERSION grows: digests of many quotes stand in tests/golden/quotes.txt.

When an answer is meant to change: raise ENGINE_VERSION, then ``GOLDEN=write pytest tests/property/test_engine_version.py``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.engine.model import ENGINE_VERSION
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.values import encode
from tests.property.busy_shop import busy_world
from tests.property.hemmed_worlds import hemmed_world
from tests.property.seeded_worlds import World, ask, contested_world, judged_world, wild_world

KEPT = Path(__file__).parents[1] / "golden" / "quotes.txt"
BATCH = 10
WORLDS: dict[str, tuple[Callable[[int], World], int]] = {
    "busy": (busy_world, 40),
    "contested": (contested_world, 80),
    "hemmed": (hemmed_world, 160),
    "judged": (judged_world, 150),
    "wild": (wild_world, 150),
}


def digests() -> list[str]:
    """A digest for every ten worlds: short enough to be reviewed, long enough to say where to look."""
    lines = [f"engine {ENGINE_VERSION}"]
    for name, (make, count) in WORLDS.items():
        for first in range(0, count, BATCH):
            digest = hashlib.sha256(b"".join(_answer(make(seed)) for seed in range(first, first + BATCH)))
            lines.append(f"{name} {first} {digest.hexdigest()[:16]}")
    return lines


def _answer(world: World) -> bytes:
    try:
        return encode(replace(ask(world), programme=""))
    except LoyaltyError as error:
        return str(error).encode()


def test_answers_change_only_with_the_version_of_the_engine() -> None:
    now = digests()
    if os.environ.get("GOLDEN") == "write":
        KEPT.write_text("\n".join(now) + "\n", encoding="utf-8")
        return
    was = KEPT.read_text(encoding="utf-8").splitlines()
    changed = [line.rpartition(" ")[0] for line in now if line not in was]
    assert changed == [], "answers changed: raise ENGINE_VERSION and write the digests anew"
