"""The names of a programme that its other places may refer to, and the zones that were looked up for it."""

from __future__ import annotations

from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.effects import CounterAdd
from pos_loyalty.engine.rules import ProgrammeText
from pos_loyalty.engine.zones import zone


class Known:
    """What one file names. Sets, so that a file of any size is checked in the time it takes to read it."""

    def __init__(self, text: ProgrammeText) -> None:
        self.tier_order = tuple(tier.id for tier in text.tier)
        self.tiers = frozenset(self.tier_order)
        self.series = frozenset(series.id for series in text.coupon)
        self.groups = frozenset(group.id for group in text.group)
        self.plans = frozenset(plan.id for plan in text.plan)
        self.counters = frozenset(effect.key for rule in text.rule for effect in rule.then if isinstance(effect, CounterAdd))
        """Keys of counters that some rule adds to."""
        self.exponent = EXPONENTS.get(text.currency, 2)
        self._zones: dict[str, str | None] = {}

    def zone_fault(self, name: str) -> str | None:
        """A sentence when there is no such zone; each zone is looked up once."""
        if name not in self._zones:
            try:
                zone(name)
                self._zones[name] = None
            except ValueError as error:
                self._zones[name] = str(error)
        return self._zones[name]
