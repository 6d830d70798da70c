"""The engine: values and pure functions. No I/O, clock, random, database or log."""

from __future__ import annotations

from pos_loyalty.engine.ledger import expire, release, reserve, reverse, settle
from pos_loyalty.engine.programme import Programme, load_programme
from pos_loyalty.engine.quote import quote

__all__ = ["Programme", "expire", "load_programme", "quote", "release", "reserve", "reverse", "settle"]
