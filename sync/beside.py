"""What the daemon of a till, or of a hub, does beside sending and fetching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event
from typing import Final, Literal, NamedTuple

from pos_loyalty.store.db import Connection
from sync.wire import Changes

Road = Literal["hub", "straight"]
"""By the store's hub, or straight to head office."""


class Answered(NamedTuple):
    """By which road the last answer came, and when the store's hub last answered; None: not since the start."""

    by: Road
    hub_at: datetime | None


class Beside(NamedTuple):
    """``chores``: between goes; ``told``: who hears of each page first, at a hub; ``waiting``: what a hub keeps that head office
    has not; ``go_straight``, ``go_by_hub``: how a till with a hub turns to head office, and to the hub again; ``road``: where its
    next question goes, ``answered``: by which road the last answer came; ``wait``: what happens while a hub gets what it lacks;
    ``called``: who hears at a hub which cards and codes head office would have; ``sending``: what is done before facts of this
    file's own log go out.
    """

    chores: Callable[[], None] = lambda: None
    told: Callable[[Changes], None] = lambda _: None
    go_straight: Callable[[], None] = lambda: None
    go_by_hub: Callable[[], None] = lambda: None
    road: Callable[[], Road] = lambda: "straight"
    waiting: Callable[[], int | None] = lambda: None
    answered: Callable[[], Answered | None] = lambda: None
    called: Callable[[Sequence[str]], None] = lambda _: None
    wait: Callable[[float], object] = lambda seconds: Event().wait(seconds)
    sending: Callable[[Connection], None] = lambda _: None


NOTHING: Final = Beside()
