"""Quotes that the till holds between asking and paying: its own figures, never the host's."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from pos_loyalty.engine.model import Member, Quote, State
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import Points, Value

HELD_MAX = 512


class Held(Value):
    """A quote with what it answered, so that it can be asked again."""

    request: QuoteRequest
    quote: Quote
    expires_at: datetime
    online: bool
    """Whether head office answered when the rights were counted."""
    owed_centi: Points
    """What the member owed then."""
    member: Member | None
    state: State
    """What was known of the member and the rules' uses."""
    seq: int
    """The last fact of the log then: while none has come since, nothing of this is older than it was."""


class HeldQuotes:
    """The last quotes, oldest forgotten first. They live in memory: after a restart the host asks again."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._sold: dict[str, str] = {}

    def put(self, quote_id: str, held: Held) -> None:
        """Hold a quote."""
        self._held[quote_id] = held
        while len(self._held) > HELD_MAX:
            self._sold.pop(self._held.popitem(last=False)[0], None)

    def sold(self, quote_id: str, sale_id: str) -> None:
        """Note which sale a quote became."""
        self._sold[quote_id] = sale_id

    def sold_as(self, quote_id: str) -> str | None:
        """The sale that a quote became; None when it is still to be sold."""
        return self._sold.get(quote_id)

    def get(self, quote_id: str) -> Held | None:
        """The held quote, run out or not; None when it was never held or is forgotten."""
        return self._held.get(quote_id)
