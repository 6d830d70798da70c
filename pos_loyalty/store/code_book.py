"""The codes of a programme's series over one file: taken in from outside, or made for print. A till's file or head office's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.clock import RANDOM_BITS, Clock, NewId, random_bits
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.coupons import Series, codes_possible, printed_code
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.zones import end_of, start_of
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.store import publications
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.coupon_import import Row, Sorted, Terms, add_codes, made_codes, sort_codes
from pos_loyalty.store.db import Connection
from pos_loyalty.store.ledger import Draft

SPARE = 100
"""A series has at least so many codes for each one that is made: whoever tries codes finds few."""
Days = tuple[date | None, date | None]
"""First and last day on which codes are good, in the programme's zone."""


@contextmanager
def opened(db: Connection, store: str, clock: Clock, ids: NewId) -> Iterator[CodeBook]:
    """The book over a connection, which is closed in the end. Raises NotFoundError when the file has no programme."""
    try:
        body = publications.body_in_force(db, clock())
        if body is None:
            raise NotFoundError("There is no programme in this file yet; codes belong to the series of one.")
        yield CodeBook(db, load_programme(body), store, clock, ids)
    finally:
        db.close()


class CodeBook:
    """An open file, the programme in force, and under which store's name facts are written."""

    def __init__(self, db: Connection, programme: Programme, store: str, clock: Clock, ids: NewId) -> None:
        self._db = db
        self._programme = programme
        self._store = store
        self._clock = clock
        self._ids = ids

    def take_in(self, series: str, rows: Sequence[Row], days: Days, *, dry_run: bool) -> Sorted:
        """Sort rows, and unless it is only looked at, add the new ones. Raises InputError for a series that has no own codes."""
        own, terms = self._series(series), self._terms(days)
        found, codes = sort_codes(self._db, own, self._programme.codes, rows, terms)
        if dry_run:
            return found
        return replace(found, added=self._add(own, codes, terms, "imported"))

    def new_codes(self, series: str, count: int) -> list[str]:
        """Random codes that nobody has. Raises InputError when the series has too few."""
        own = self._series(series)
        if codes_possible(own) < count * SPARE:
            raise InputError("--count", f"{count} codes of {series} would be soon guessed; give the series more digits")
        return list(made_codes(self._db, own, count, lambda: printed_code(own, self._random())))

    def add_made(self, series: str, codes: Sequence[str], days: Days) -> int:
        """Add codes that were made; answers how many."""
        return self._add(self._series(series), codes, self._terms(days), "made")

    def _add(self, series: Series, codes: Sequence[str], terms: Terms, origin: Literal["imported", "made"]) -> int:
        body = CouponsFact(
            series=series.id,
            codes=(),
            origin=origin,
            usable_from=terms.usable_from,
            expires_at=terms.expires_at,
        )
        draft = Draft(id=UUID(int=0), kind="coupons.added", store=self._store, programme=self._programme.name)
        return add_codes(self._db, draft, body, codes, self._clock, self._ids)

    def _series(self, name: str) -> Series:
        series = self._programme.series.get(name)
        if series is None:
            known = ", ".join(self._programme.series) or "none"
            raise InputError("--series", f'"{name}" is not a [[coupon]] series of the programme in force; there are: {known}')
        if series.code is not None:
            raise InputError("--series", f"all coupons of {name} share the code {series.code}")
        if not series.unique:
            raise InputError("--series", f"codes of {name} are good whoever makes them (unique = false); nobody looks them up")
        return series

    def _terms(self, days: Days) -> Terms:
        since, until = days
        if since is not None and until is not None and until < since:
            raise InputError("--until", f"{until} is before {since}")
        zone = self._programme.zone
        return Terms(
            usable_from=None if since is None else start_of(since, zone),
            expires_at=None if until is None else end_of(until, zone),
        )

    def _random(self) -> int:
        """128 random bits, out of two ids."""
        return (random_bits(self._ids()) << RANDOM_BITS) | random_bits(self._ids())
