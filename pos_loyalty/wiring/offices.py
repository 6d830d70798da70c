"""Builds the daemon and head office, and what needs no till: verify, backup."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.config import Secrets
from pos_loyalty.errors import ConfigError
from pos_loyalty.store.db import Connection, open_reader, open_store, own
from pos_loyalty.store.db import backup as backup_store
from pos_loyalty.wiring.files import Settings, made_folder, secrets_of, till_store
from pos_loyalty.wiring.till import Ready

if TYPE_CHECKING:
    from pos_loyalty.store.code_book import CodeBook
    from sync.daemon import Syncer, SyncReport

HEAD_OFFICE = "head-office"
PHONES_IN_REST = 20
"""Imported phones that the daemon hashes between two goes: some seconds."""


def sync_once(known: Settings) -> SyncReport:
    """One go of the daemon. Raises StoreBusyError when another daemon of this till runs."""
    from sync.daemon import only_uploader

    with only_uploader(known.till_database):
        syncer, close = _syncer(known)
        try:
            return syncer.once(utc_now)
        finally:
            close()


def follow(known: Settings) -> None:
    """The daemon: until SIGINT or SIGTERM."""
    from sync.daemon import follow as follow_on
    from sync.daemon import only_uploader

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with only_uploader(known.till_database):
        follow_on(lambda: _syncer(known), utc_now, stop, known.config.head_office.interval_s)


def _syncer(known: Settings) -> tuple[Syncer, Callable[[], None]]:
    from random import SystemRandom

    from pos_loyalty.store.phone_hashes import hash_some
    from sync.client import HttpHeadOffice
    from sync.daemon import Pace, Syncer
    from sync.local import Here

    config = known.config
    if config.head_office.url is None:
        raise ConfigError("head_office.url", "is missing: this till stands alone and has nothing to sync")
    keys = secrets_of(known)
    head_office = HttpHeadOffice(config.head_office.url, config.till.id, keys.token, config.head_office.timeout_s)
    db = till_store(known, utc_now)
    here = Here(till=config.till.id, master_key=bytes.fromhex(keys.master_key))
    pace = Pace(interval_s=config.head_office.interval_s, batch_facts_max=config.head_office.batch_facts_max)

    def close() -> None:
        head_office.close()
        db.close()

    def hash_phones() -> None:
        hash_some(db, (keys.pepper, keys.master_key), PHONES_IN_REST, utc_now(), new_id)

    return Syncer(db, here, pace, head_office, SystemRandom().random, hash_phones), close


def run_head_office(known: Settings, *, database: Path | None, port: int | None, ready: Ready) -> None:
    """The head office process: HTTP over its own database, until told to stop."""
    from pos_loyalty.store.db import build
    from pos_loyalty.web.serve import listen, serve
    from sync.server.app import head_office_app
    from sync.server.sqlite import SqliteLedgerStore

    keys = secrets_of(known)
    path = made_folder(database or known.server_database)
    with own(path):

        def open_ledger() -> SqliteLedgerStore:
            return SqliteLedgerStore(_head_office_store(path), bytes.fromhex(keys.master_key))

        open_ledger().close()
        app = head_office_app(open_ledger, keys.token, build(), utc_now)
        listener = listen(known.config.server.host, known.config.server.port if port is None else port)
        host, bound = listener.getsockname()[:2]
        ready("head office", f"http://{host}:{bound}")
        serve(app, listener)


def publish(database: Path, keys: Secrets, body: bytes) -> str:
    """Check a programme and store it at head office. Raises ProgrammeError; returns the programme's name."""
    from sync.server.sqlite import SqliteLedgerStore
    from sync.server.steps import publish_programme

    store = SqliteLedgerStore(_head_office_store(made_folder(database)), bytes.fromhex(keys.master_key))
    try:
        return publish_programme(store, body, utc_now())
    finally:
        store.close()


def _head_office_store(path: Path) -> Connection:
    return open_store(path, role="head_office", owner=HEAD_OFFICE, now=utc_now())


def code_book(known: Settings, database: Path | None) -> contextlib.AbstractContextManager[CodeBook]:
    """Coupon codes of the till's file, beside a till that sells, or of head office's. Raises NotFoundError."""
    from pos_loyalty.store.code_book import opened

    if database is None:
        return opened(till_store(known, utc_now), known.config.store.id, utc_now, new_id)
    return opened(_head_office_store(database), HEAD_OFFICE, utc_now, new_id)


def verify(database: Path, keys: Secrets | None = None) -> tuple[str, ...]:
    """Read a till's or head office's file and name every difference. Without keys nothing sealed is compared."""
    from pos_loyalty.store.verify import verify as verify_store

    db = open_reader(database, master_key=None if keys is None else keys.master_key)
    try:
        return verify_store(db)
    finally:
        db.close()


def backup(database: Path, target: Path) -> None:
    """Copy a live file."""
    db = open_reader(database)
    try:
        backup_store(db, target)
    finally:
        db.close()
