"""A doubt: what a person should see about a fact that was accepted all the same."""

from __future__ import annotations

from pos_loyalty.values import Value


class Doubt(Value):
    """A contradiction between a fact and what is known, for a person to settle. ``reason`` is a constant."""

    reason: str
    detail: str
