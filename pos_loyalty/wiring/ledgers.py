"""Where head office keeps its tables: a SQLite file, or a PostgreSQL database that is named by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pos_loyalty.clock import utc_now
from pos_loyalty.config import Secrets
from pos_loyalty.errors import ConfigError
from pos_loyalty.store.db import open_store
from pos_loyalty.wiring.files import made_folder

if TYPE_CHECKING:
    from sync.server.snapshots import Copied
    from sync.server.sqlite import SqliteLedgerStore
    from sync.server.sqlite_rights import Policy

HEAD_OFFICE: Final = "head-office"
SCHEMES: Final = ("postgresql://", "postgres://")
Database = Path | str
"""A file, or the URL of a PostgreSQL database."""


def is_url(text: str) -> bool:
    """Whether it names a PostgreSQL database."""
    return text.startswith(SCHEMES)


def shown(database: Database) -> str:
    """For a person or a log: without a password."""
    if isinstance(database, Path):
        return str(database)
    parts = urlsplit(database)
    return f"postgresql://{parts.hostname or ''}{parts.path}"


def open_ledger(database: Database, keys: Secrets, policy: Policy = "escrow") -> SqliteLedgerStore:
    """Head office's ledger, made when it is not there. Raises StoreError, ConfigError when PostgreSQL's library is missing."""
    from sync.server.sqlite import SqliteLedgerStore

    master_key = bytes.fromhex(keys.master_key)
    if isinstance(database, Path):
        db = open_store(made_folder(database), role="head_office", owner=HEAD_OFFICE, now=utc_now())
        return SqliteLedgerStore(db, master_key, policy=policy)
    _need_library()
    from sync.server import postgres

    return postgres.open_ledger(database, master_key, HEAD_OFFICE, utc_now(), policy)


@contextmanager
def as_file(database: Database) -> Iterator[Path]:
    """The tables as a SQLite file to read: of a PostgreSQL database a copy of this instant, gone afterwards."""
    if isinstance(database, Path):
        yield database
        return
    with TemporaryDirectory(prefix="pos-loyalty-") as folder:
        target = Path(folder) / "head_office.db"
        copy(database, target)
        yield target


def readable(database: Database) -> Path | Copied:
    """What a snapshot is built from."""
    if isinstance(database, Path):
        return database
    _need_library()
    from sync.server.postgres_copy import copied
    from sync.server.snapshots import Copied

    return Copied(database, copied)


def copy(url: str, target: Path) -> None:
    """Copy a PostgreSQL head office to a new SQLite file, while it works. Raises StoreError."""
    _need_library()
    from sync.server.postgres_copy import copied

    copied(url, target, utc_now())


def _need_library() -> None:
    try:
        import psycopg  # noqa: F401  # loaded to see that it is there
    except ImportError as error:
        raise ConfigError("--database", "is a PostgreSQL database, which needs: pip install 'pos-loyalty[postgres]'") from error
