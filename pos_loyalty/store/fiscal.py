"""What the fiscal device said of a document; kept with sales and returns."""

from __future__ import annotations

from pos_loyalty.engine.model import Instant
from pos_loyalty.values import Value


class Fiscal(Value):
    """The numbers that the fiscal device gave: drive, document, sign, instant."""

    fn: str = ""
    fd: str = ""
    fp: str = ""
    at: Instant | None = None
