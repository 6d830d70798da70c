"""The programme that the till sells by: the newest stored one, compiled once, kept until another arrives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import NotFoundError, ProgrammeError
from pos_loyalty.store import programmes
from pos_loyalty.store.db import Connection, write
from pos_loyalty.till.wants import Wants, wants_of


class ProgrammeShelf:
    """Holds the compiled programme. A faulty newcomer leaves the old one in force and is named in ``fault``."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._seen: bytes | None = None
        self._current: Programme | None = None
        self._wants: Wants | None = None
        self.fault: str | None = None

    def current(self, db: Connection) -> Programme:
        """The programme in force. Raises NotFoundError when there is none to sell by."""
        mark = programmes.newest_sha(db)
        if mark is not None and mark != self._seen:
            self._seen = mark
            self._take(db)
        if self._current is None:
            raise NotFoundError(self.fault or "This till has no programme yet: run the sync, or name a file in till.programme.")
        return self._current

    def wants(self, db: Connection) -> Wants:
        """What the programme in force asks of the till. Raises NotFoundError as ``current`` does."""
        programme = self.current(db)
        if self._wants is None:
            self._wants = wants_of(programme)
        return self._wants

    def series(self, db: Connection) -> Mapping[str, Series]:
        """Coupon series in force, by id; none when there is no programme."""
        try:
            return self.current(db).series
        except NotFoundError:
            return {}

    def grace_days(self, db: Connection) -> int | None:
        """For how long points that come back to a dead lot stay usable; None without such a term, or without a programme."""
        try:
            return self.current(db).points.grace_days
        except NotFoundError:
            return None

    def _take(self, db: Connection) -> None:
        """Put the newest sound programme in force, the one that is there included."""
        self.fault = None
        for body in programmes.newest_first(db):
            try:
                programme = load_programme(body)
                if programme.currency != self._currency:
                    raise ProgrammeError("currency", f'"{programme.currency}" is not the store\'s "{self._currency}"')
            except ProgrammeError as error:
                self.fault = self.fault or f"The newest programme is faulty, the one before stays in force: {error}"
                continue
            self._current, self._wants = programme, None
            return


def store_file(db: Connection, path: Path, now: datetime) -> None:
    """Store a programme file, when the database has no programme at all. Raises ProgrammeError, NotFoundError."""
    if programmes.newest_sha(db) is not None:
        return
    try:
        body = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"till.programme: {path} cannot be read: {error.strerror}") from error
    programme = load_programme(body)
    with write(db):
        programmes.add(db, programme.id, programme.version, body, now)
