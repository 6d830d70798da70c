"""Several looks at once, each in a thread of its own, none longer than a deadline: a driver that hangs keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from drivers.probes import Probe, Subject
from pos_loyalty.clock import monotonic_ns

NS_PER_S = 1_000_000_000


class Look(NamedTuple):
    """One thing and how it is looked at. A look that does not come back gives a row with ``subject``'s name."""

    subject: Subject
    take: Callable[[], Sequence[Probe]]


class Looked(NamedTuple):
    """All rows, in the order of the looks; ``is_stuck``: a thread hangs still, and the process must be left without it."""

    probes: tuple[Probe, ...]
    is_stuck: bool


def look_at(looks: Sequence[Look], deadline_s: float) -> Looked:
    """Take all looks side by side and wait for them, for so long in all."""
    found: dict[int, Sequence[Probe]] = {}
    threads = [
        threading.Thread(target=_take, args=(number, look, found), daemon=True, name=f"look {look.subject.name}")
        for number, look in enumerate(looks)
    ]
    for thread in threads:
        thread.start()
    until_ns = monotonic_ns() + int(deadline_s * NS_PER_S)
    for thread in threads:
        thread.join(max(until_ns - monotonic_ns(), 0) / NS_PER_S)
    late = {number: (look.subject.probe("fault", "stuck", seconds=f"{deadline_s:g}"),) for number, look in enumerate(looks)}
    rows = late | found
    return Looked(tuple(row for number in range(len(looks)) for row in rows[number]), len(found) < len(looks))


def _take(number: int, look: Look, found: dict[int, Sequence[Probe]]) -> None:
    try:
        rows = look.take()
    except Exception as error:  # noqa: BLE001 - one thing that cannot be looked at may not hide the others, and says why
        rows = (look.subject.probe("fault", "failed", fault=error),)
    found[number] = rows
