"""Going through a table: read a row, judge it by the file and the store, write what is accepted in batches, report the rest.

Rule: a batch is one write. What a crash leaves half done is done by running again: a row that stands is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, Protocol, TypeVar

from pos_loyalty.errors import InputError
from pos_loyalty.payment_cards import DIGITS_MIN, PHONE_DIGITS_MAX, holds_number
from pos_loyalty.spreadsheet.model import Refused, RefusedError, Row
from pos_loyalty.values import PAYMENT_CARD, Value

BATCH_ROWS = 500
REFUSED_KEPT = 100
JUDGED = frozenset({"card", "number", "gift_card"})
"""Columns whose codes are judged by the shop's own rules, by which a payment card is none."""

T = TypeVar("T")


class Work(Protocol[T]):
    """What is done with the rows of one kind of table."""

    def read(self, row: Row) -> T:
        """The row as a value, by itself. Raises RefusedError."""
        ...

    def is_new(self, row: int, one: T) -> bool:
        """Whether it is to be written; False when it stands already. Raises RefusedError for what contradicts file or store."""
        ...

    def ready(self, one: T) -> T:
        """Asked before it is written, outside of the write: what takes long. Raises RefusedError."""
        ...

    def write(self, batch: Sequence[T]) -> None:
        """Store a batch, all of it or nothing."""
        ...


class Outcome(Value):
    """What became of the rows. ``refused`` holds the first of them."""

    rows: int = 0
    accepted: int = 0
    stood: int = 0
    wrong: int = 0
    twice: int = 0
    taken: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def refused_count(self) -> int:
        """Rows that were not taken."""
        return self.wrong + self.twice + self.taken


class Tally:
    """Counts while rows pass."""

    def __init__(self, on_refused: Callable[[Row, InputError], None]) -> None:
        self._on_refused = on_refused
        self._counts = dict.fromkeys(("rows", "accepted", "stood", "wrong", "twice", "taken"), 0)
        self._kept: list[Refused] = []

    def count(self, what: str) -> None:
        """One more."""
        self._counts[what] += 1

    def refuse(self, row: Row, error: InputError) -> None:
        """One row is not taken."""
        self.count(error.why if isinstance(error, RefusedError) else "wrong")
        if len(self._kept) < REFUSED_KEPT:
            self._kept.append(Refused(row=row.number, column=error.place, reason=error.message))
        self._on_refused(row, error)

    @property
    def outcome(self) -> Outcome:
        """All so far."""
        return Outcome(**self._counts, refused=tuple(self._kept))


class Ready(Generic[T]):
    """A row with its value."""

    def __init__(self, row: Row, one: T) -> None:
        self.row = row
        self.one = one


def look(rows: Iterable[Row], work: Work[T], tally: Tally) -> None:
    """Judge every row; nothing is written."""
    for row in rows:
        if _judged(row, work, tally) is not None:
            tally.count("accepted")


def take(rows: Iterable[Row], work: Work[T], tally: Tally, said: Callable[[int], None]) -> None:
    """Judge every row, and write those that are new, batch by batch. ``said`` is told how many rows are done."""
    done = 0
    for batch in _batches(rows):
        good = [judged for row in batch if (judged := _judged(row, work, tally)) is not None]
        ready = [one for judged in good if (one := _readied(judged, work, tally)) is not None]
        if ready:
            work.write(ready)
        for _ in ready:
            tally.count("accepted")
        done += len(batch)
        said(done)


def _judged(row: Row, work: Work[T], tally: Tally) -> Ready[T] | None:
    tally.count("rows")
    try:
        if row.over:
            raise RefusedError("", f"has {row.over} more cells than the heading; put a cell that holds the separator in quotes")
        _refuse_payment_cards(row)
        one = work.read(row)
        if work.is_new(row.number, one):
            return Ready(row, one)
        tally.count("stood")
    except InputError as error:
        tally.refuse(row, error)
    return None


def _refuse_payment_cards(row: Row) -> None:
    for name, cell in row.cells.items():
        if name not in JUDGED and holds_number(cell, fewest=PHONE_DIGITS_MAX if name == "phone" else DIGITS_MIN):
            raise RefusedError(name, PAYMENT_CARD)


def _readied(judged: Ready[T], work: Work[T], tally: Tally) -> T | None:
    try:
        return work.ready(judged.one)
    except InputError as error:
        tally.refuse(judged.row, error)
        return None


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH_ROWS)):
        yield batch
