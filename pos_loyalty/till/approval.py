"""A person's word in a request: a name and the PIN that shows it is them. ``till.staff`` checks it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty.values import Value

PIN_PATTERN = "^[0-9]{4,12}$"
Pin = Annotated[str, Meta(pattern=PIN_PATTERN)]


class Approval(Value):
    """A person and the PIN that shows it is them. The PIN is checked at this till; it is stored and logged nowhere."""

    person: Annotated[str, Meta(min_length=1, max_length=64)]
    pin: Pin
