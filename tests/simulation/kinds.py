"""What kind of world a seed gives: who is there, which versions and rules, and what may happen in it.

Rule: most worlds are plain; each of the others has one thing that is rare, so that it costs them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from sync.daemon import Pace
from sync.rights import Lends
from tests.simulation import acts, hub_acts, late, of_before, papers, people, policies
from tests.simulation.of_before import OFFICE
from tests.simulation.template import PLAIN, STORES, Terms

SHARES = {"plain": 44, "old": 14, "papers": 14, "people": 12, "late": 8, "allowance": 4, "refuse": 4}
"""Of a hundred worlds."""


class Kind(NamedTuple):
    """Of a world."""

    name: str
    has_hub: bool
    terms: Terms = PLAIN
    old: tuple[str, ...] = ()
    """Machines of the version before, by name."""
    stays_old: bool = False
    """Those that nobody brought up meanwhile are of the version before to the end."""

    @property
    def is_escrow(self) -> bool:
        """Whether points are redeemed by rights."""
        return self.terms.policy == "escrow"

    def pace(self, interval_s: float, batch_max: int) -> Pace:
        """As the config of a till of this world makes it."""
        lends = Lends(gifts=self.name == "papers", coupons=self.name == "papers")
        return Pace(interval_s=interval_s, batch_facts_max=batch_max, wants="home" if self.is_escrow else None, lends=lends)


def of(seed: int) -> Kind:
    """The kind of this world."""
    chance, has_hub = Random(f"kind {seed}"), hub_acts.is_there(seed)
    name = chance.choices(list(SHARES), list(SHARES.values()))[0]
    match name:
        case "old":
            return Kind(name, has_hub, old=_old(chance, has_hub), stays_old=chance.random() < 0.5)
        case "papers":
            return Kind(name, has_hub, papers.TERMS)
        case "allowance" | "refuse":
            return Kind(name, False, policies.ALLOWANCE if name == "allowance" else policies.REFUSE)
    return Kind(name, has_hub)


def _old(chance: Random, has_hub: bool) -> tuple[str, ...]:
    """A hub is younger than the version before: neither head office nor the tills of its store are of before."""
    tills = [name for name in STORES if not (has_hub and name in hub_acts.with_hub())]
    if has_hub:
        return tuple(tills)
    return tuple(chance.choice((tills, tills[:1], tills[-1:], [OFFICE], [OFFICE, tills[0]])))


def planned(seed: int) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """How often what happens in this world, and what never stays out."""
    kind = of(seed)
    weights, never_without = hub_acts.planned(seed, kind.has_hub)
    match kind.name:
        case "old":
            return {**weights, **of_before.WEIGHTS}, (*never_without, *of_before.WEIGHTS)
        case "papers":
            return {**weights, **papers.WEIGHTS}, never_without
        case "people":
            return {**weights, **people.WEIGHTS}, (*never_without, "merge", "erase")
        case "late":
            return {**weights, **late.WEIGHTS}, (*never_without, *late.WEIGHTS)
    return weights, never_without


ACTS: Mapping[str, acts.Act] = {**acts.ACTS, **hub_acts.ACTS, **of_before.ACTS, **papers.ACTS, **people.ACTS, **late.ACTS}
