"""Laws of worlds that have something rare: papers, people who become one or are erased; and which cases such a world may open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.simulation import papers, people, policies
from tests.simulation.books import fold, read
from tests.simulation.chronicle import OFFICE, Row

if TYPE_CHECKING:
    from tests.simulation.world import World

ALLOWED: Mapping[str, set[str]] = {"people": people.ALLOWED, "allowance": policies.ALLOWED, "refuse": policies.ALLOWED}
"""Cases, by the kind of world."""


def look(world: World) -> None:
    """What holds at every moment, when all are up."""
    if world.kind.name == "papers":
        papers.codes_pay_once(world)


def look_at_quiet(world: World, held: list[Row], *, exact: bool) -> None:
    """What holds besides when the faults have ended. ``exact``: no case stands, so all was booked as it was told."""
    if world.kind.name == "papers" and exact:
        papers.cards_pay_what_was_sold(world, fold([read(row.id, row.payload) for row in held], OFFICE))
    if world.kind.name == "people":
        people.look_at_quiet(world, held)
