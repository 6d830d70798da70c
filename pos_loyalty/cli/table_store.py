"""Where tables are imported to and exported from: head office's file, or that of a till that stands alone."""

from __future__ import annotations

from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.store.db import Connection, meta, open_reader, open_store
from pos_loyalty.values import Value


class Place(Value):
    """A store that may be written to."""

    path: Path
    is_office: bool


def place_of(known: wiring.Settings, database: Path | None) -> Place:
    """The named file, or head office's where the config has a head office, or the till's. Raises InputError.

    Members of a chain come from head office: at a till of one an import is refused.
    """
    url = known.config.head_office.url
    if database is None:
        if url is None:
            return Place(path=known.till_database, is_office=False)
        if not known.server_database.is_file():
            raise InputError("--database", _not_here(url))
        database = known.server_database
    if not database.is_file():
        raise NotFoundError(f"There is no database at {database}.")
    is_office = _is_office(database)
    if url is not None and not is_office:
        raise InputError("--database", _not_here(url))
    return Place(path=database, is_office=is_office)


def opened(known: wiring.Settings, place: Place) -> Connection:
    """The file, to write to; a till's is made when there is none."""
    key = wiring.secrets_of(known).master_key
    if place.is_office:
        return open_store(place.path, role="head_office", owner=wiring.HEAD_OFFICE, now=utc_now(), master_key=key)
    return open_store(place.path, role="till", owner=known.config.till.id, now=utc_now(), master_key=key)


def to_read(known: wiring.Settings, database: Path | None) -> Connection:
    """Any file of ours, beside whoever works on it: the named one, head office's where there is one, or the till's."""
    if database is None:
        has_office = known.config.head_office.url is not None and known.server_database.is_file()
        database = known.server_database if has_office else known.till_database
    return open_reader(database)


def _is_office(path: Path) -> bool:
    db = open_reader(path)
    try:
        return meta(db, "role") == "head_office"
    finally:
        db.close()


def _not_here(url: str) -> str:
    return f"this till has a head office ({url}), and its members come from there; run the import there, on head office's file"
