"""The programme that the till sells by: the one in force by trusted time, compiled once, kept until another is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from pos_loyalty import log
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import ConflictError, NotFoundError, ProgrammeError
from pos_loyalty.store import programmes, publications
from pos_loyalty.store.db import Connection, write
from pos_loyalty.till.wants import Wants, wants_of


class ProgrammeShelf:
    """Holds the compiled programme. A faulty newcomer leaves the old one in force and is named in ``fault``; ``file_fault``
    is why the till's own programme file is not."""

    def __init__(self, currency: str, time: Callable[[], datetime]) -> None:
        self._currency = currency
        self._time = time
        self._seen: bytes | None = None
        self._current: Programme | None = None
        self._wants: Wants | None = None
        self._held: Programme | None = None
        self.fault: str | None = None
        self.file_fault: str | None = None

    def current(self, db: Connection) -> Programme:
        """The programme in force. Raises NotFoundError when there is none to sell by."""
        if self._held is not None:
            return self._held
        now = self._time()
        mark = publications.in_force(db, now)
        if mark is not None and mark != self._seen:
            self._seen = mark
            self._take(db, now)
        if self._current is None:
            raise NotFoundError(self.fault or "This till has no programme yet: run the sync, or name a file in till.programme.")
        return self._current

    @contextmanager
    def held(self, db: Connection) -> Iterator[None]:
        """Inside a write transaction, where nobody publishes meanwhile: the programme is looked for once and stays the same."""
        with suppress(NotFoundError):
            self._held = self.current(db)
        try:
            yield
        finally:
            self._held = None

    def wants(self, db: Connection) -> Wants:
        """What the programme in force asks of the till. Raises NotFoundError as ``current`` does."""
        return self.in_force(db)[1]

    def in_force(self, db: Connection) -> tuple[Programme, Wants]:
        """The programme in force with its own wants: between two questions another may come. Raises NotFoundError."""
        programme = self.current(db)
        if self._wants is None:
            self._wants = wants_of(programme)
        return programme, self._wants

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

    def _take(self, db: Connection, now: datetime) -> None:
        """Put the first sound programme in force, the one that is there included."""
        self.fault = None
        for body in publications.bodies_in_force(db, now):
            try:
                programme = load_programme(body)
                if programme.currency != self._currency:
                    raise ProgrammeError("currency", f'"{programme.currency}" is not the store\'s "{self._currency}"')
            except ProgrammeError as error:
                self.fault = self.fault or f"The newest programme is faulty, the one before stays in force: {error}"
                continue
            self._current, self._wants = programme, None
            return


def store_file(db: Connection, path: Path, now: datetime, currency: str) -> str | None:
    """At a till that stands alone: take the programme file when it is newer than what is here; answers why it was not taken.

    A till that has nothing to sell by raises ProgrammeError, NotFoundError, ConflictError; any other goes on by what it has.
    """
    try:
        put_newer(db, _bytes_of(path), now, currency)
    except (ProgrammeError, NotFoundError, ConflictError) as error:
        if programmes.newest_sha(db) is None:
            raise
        log.warning("programme.file_refused", path=str(path), reason=str(error))
        return f"The programme file {path} is not in force: {error}"
    return None


def seed_file(db: Connection, path: Path, now: datetime, currency: str) -> None:
    """At a till that has a head office: sell by the file until any programme is here; after that it is looked at no more."""
    newest = programmes.newest_sha(db)
    if newest is None:
        store_file(db, path, now, currency)
    elif not path.is_file() or sha256(path.read_bytes()).digest() != newest:
        log.info("programme.file_is_seed", path=str(path))


def put_newer(db: Connection, body: bytes, now: datetime, currency: str) -> str:
    """Put a programme in force at a till that stands alone; answers its name. The one in force again changes nothing.

    Raises ProgrammeError, and ConflictError with the mend when its version was here already or is lower than one that was.
    """
    if programmes.newest_sha(db) == sha256(body).digest():
        return load_programme(body).name
    programme = load_programme(body)
    if programme.currency != currency:
        raise ProgrammeError("currency", f'"{programme.currency}" is not the store\'s "{currency}"')
    with write(db):
        highest = programmes.highest_version(db, programme.id)
        if highest is not None and programme.version <= highest:
            what = "with other words" if programme.version == highest else f"and the file has version {programme.version}"
            raise ConflictError(
                f"this till has version {highest} of {programme.id} already, {what}: raise its version to {highest + 1}, "
                "then start the till anew or publish it here."
            )
        programmes.add(db, programme.id, programme.version, body, now)
    return programme.name


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"till.programme: {path} cannot be read: {error.strerror}") from error
