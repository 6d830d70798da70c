"""Builds a till, a daemon, a head office from the config. The only file that names concrete classes."""

from __future__ import annotations

import contextlib
import os
import secrets as randomness
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty.clock import Clock, NewId, new_id, utc_now
from pos_loyalty.config import SECRETS_MODE, Config, Secrets, load_config, load_secrets
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ConfigError, NotFoundError
from pos_loyalty.store import programmes
from pos_loyalty.store.db import Connection, open_reader, open_store, own
from pos_loyalty.store.db import backup as backup_store
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.programmes import store_file
from pos_loyalty.till.till import Devices, NoDevices, Till
from pos_loyalty.values import Value, decode

if TYPE_CHECKING:
    from drivers.ports import Printer, Scanner
    from pos_loyalty.store.code_book import CodeBook
    from pos_loyalty.till.spool import Spool
    from pos_loyalty.web.verbs import Product, Shop
    from sync.daemon import Syncer, SyncReport

Ready = Callable[[str, str], None]
"""Told the process's name and its URL, once it answers."""
HEAD_OFFICE = "head-office"


class Settings(Value):
    """The config with its folder, so that relative paths have a start."""

    config: Config
    path: Path

    def file(self, name: str) -> Path:
        """A path of the config, from the config's folder."""
        return self.path.parent / name

    @property
    def till_database(self) -> Path:
        """The till's file."""
        return self.file(self.config.till.database)

    @property
    def server_database(self) -> Path:
        """Head office's file."""
        return self.file(self.config.server.database)


def settings(path: Path) -> Settings:
    """Read config.toml. Raises ConfigError with the place."""
    return Settings(config=load_config(path), path=path.absolute())


def secrets_of(known: Settings) -> Secrets:
    """Read the key file. Raises ConfigError, with the mend when there is none."""
    path = known.file(known.config.secrets)
    if not path.exists():
        raise ConfigError(str(path), f"there is no key file; make one with: pos-loyalty config secrets --config {known.path}")
    return load_secrets(path)


def check_files(known: Settings) -> None:
    """All that the config names must be there and be right. Raises ConfigError, ProgrammeError."""
    secrets_of(known)
    if known.config.till.programme is not None:
        path = known.file(known.config.till.programme)
        if not path.is_file():
            raise ConfigError("till.programme", f"there is no file {path}")
        load_programme(path.read_bytes())
    _products(known)
    font = known.config.receipt.font
    if font is not None and not known.file(font).is_file():
        raise ConfigError("receipt.font", f"there is no file {font}")


def make_secrets(path: Path) -> Path:
    """Make a key file of random keys, mode 0600; one that stands already is kept."""
    known = settings(path)
    target = known.file(known.config.secrets)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f'{name} = "{randomness.token_hex(32)}"\n' for name in ("pepper", "master_key", "token"))
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRETS_MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("# Keys of this installation. Copy them to every till and to head office; show them to nobody.\n" + text)
    load_secrets(target)
    return target


# --- the till


def open_till(
    path: str | Path,
    *,
    clock: Clock = utc_now,
    ids: NewId = new_id,
    devices: Devices | None = None,
) -> Till:
    """A till in this process, over its own database: the plugin for a POS in Python. Close it when done.

    Raises ConfigError for a faulty config, StoreBusyError when another process runs this till, StoreSchemaError for a file that
    is not this till's.
    """
    known = settings(Path(path))
    lock = own(_made_folder(known.till_database))
    try:
        desk = Desk(
            config=known.config,
            secrets=secrets_of(known),
            folder=known.till_database.parent,
            open_db=lambda: _till_store(known, clock),
            clock=clock,
            new_id=ids,
        )
        if known.config.till.programme is not None:
            store_file(desk.db, known.file(known.config.till.programme), clock())
    except BaseException:
        lock.close()
        raise
    return Till(desk, devices or NoDevices(), lock.close)


@contextlib.contextmanager
def till_to_look_at(path: Path) -> Iterator[Till]:
    """A till that only reads, beside the one that sells: ``identify``, ``sale``, ``health``. Writing raises StoreError."""
    known = settings(path)
    desk = Desk(
        config=known.config,
        secrets=secrets_of(known),
        folder=known.till_database.parent,
        open_db=lambda: open_reader(known.till_database),
        clock=utc_now,
        new_id=new_id,
    )
    till = Till(desk, NoDevices(), lambda: None)
    try:
        yield till
    finally:
        till.close()


@contextlib.contextmanager
def till_in_process(path: Path) -> Iterator[Till]:
    """``open_till`` for one command."""
    till = open_till(path)
    try:
        yield till
    finally:
        till.close()


def run_till(known: Settings, ready: Ready) -> None:
    """The till process: HTTP, scanners, print spool; until told to stop."""
    from pos_loyalty.till.devices import TillDevices

    spool = None if known.config.printer is None else _spool(known)
    devices = TillDevices(spool, _scanners(known.config), known.config.card)
    till = open_till(known.path, devices=devices)
    try:
        till.health()
        from pos_loyalty.web.app import application
        from pos_loyalty.web.page import Names
        from pos_loyalty.web.scans import Scan, ScanBoard
        from pos_loyalty.web.serve import listen, serve

        board = ScanBoard()

        def publish(code: str, symbology: str, device: str) -> None:
            board.publish(Scan(code=code, symbology=symbology, device=device))

        names = Names(tiers=lambda: till.programme().tier_titles)
        hosts = _hosts(known.config)
        app = application(till, _shop(known), scans=board, titles=till.rule_titles, names=names, allowed_hosts=hosts)
        listener = listen(known.config.till.host, known.config.till.port)
        devices.start(publish)
        host, port = listener.getsockname()[:2]
        ready(f"till {known.config.till.id}", f"http://{host}:{port}")
        serve(app, listener, leaving=board.close)
    finally:
        devices.close()
        till.close()


def _shop(known: Settings) -> Shop:
    from pos_loyalty.web.verbs import Shop

    config = known.config
    return Shop(
        store=config.store.id,
        till=config.till.id,
        name=config.store.name,
        currency=config.store.currency,
        languages=config.store.languages,
        timezone=config.store.timezone,
        cards=config.card,
        products=_products(known),
    )


def _hosts(config: Config) -> tuple[str, ...]:
    from pos_loyalty.web.guard import LOCAL_HOSTS

    return tuple(dict.fromkeys((*LOCAL_HOSTS, config.till.host)))


def programme_in_force(known: Settings) -> str:
    """The newest programme in the till's file, as it was published. Raises NotFoundError."""
    db = open_reader(known.till_database)
    try:
        body = programmes.newest(db)
    finally:
        db.close()
    if body is None:
        raise NotFoundError("This till has no programme yet: run the sync, or name a file in till.programme.")
    return body.decode("utf-8")


def _till_store(known: Settings, clock: Clock) -> Connection:
    return open_store(known.till_database, role="till", owner=known.config.till.id, now=clock())


def _made_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _spool(known: Settings) -> Spool:
    from pos_loyalty.till.spool import Spool

    config = known.config.printer
    assert config is not None
    return Spool(_printer(known), lambda: _till_store(known, utc_now), clock=utc_now, job_life_s=config.job_life_s)


def _printer(known: Settings) -> Printer:
    from msgspec.structs import replace

    from drivers.printer import FilePrinter, TcpPrinter

    config = known.config.printer
    assert config is not None
    if config.kind == "tcp":
        return TcpPrinter(config)
    return FilePrinter(replace(config, path=str(known.file(config.path))))


def _scanners(config: Config) -> list[Scanner]:
    from drivers.scanner_serial import SerialScanner

    return [SerialScanner(scanner) for scanner in config.scanner]


def _products(known: Settings) -> tuple[Product, ...]:
    from pos_loyalty.web.verbs import Product

    name = known.config.till.catalogue
    if name is None:
        return ()
    path = known.file(name)
    try:
        return decode(path.read_bytes(), tuple[Product, ...], place=str(path))
    except OSError as error:
        raise ConfigError("till.catalogue", f"{path} cannot be read: {error.strerror}") from error


# --- sync and head office


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

    from sync.client import HttpHeadOffice
    from sync.daemon import Pace, Syncer
    from sync.local import Here

    config = known.config
    if config.head_office.url is None:
        raise ConfigError("head_office.url", "is missing: this till stands alone and has nothing to sync")
    keys = secrets_of(known)
    head_office = HttpHeadOffice(config.head_office.url, config.till.id, keys.token, config.head_office.timeout_s)
    db = _till_store(known, utc_now)
    here = Here(till=config.till.id, master_key=bytes.fromhex(keys.master_key))
    pace = Pace(interval_s=config.head_office.interval_s, batch_facts_max=config.head_office.batch_facts_max)

    def close() -> None:
        head_office.close()
        db.close()

    return Syncer(db, here, pace, head_office, SystemRandom().random), close


def run_head_office(known: Settings, *, database: Path | None, port: int | None, ready: Ready) -> None:
    """The head office process: HTTP over its own database, until told to stop."""
    from pos_loyalty.store.db import build
    from pos_loyalty.web.serve import listen, serve
    from sync.server.app import head_office_app
    from sync.server.sqlite import SqliteLedgerStore

    keys = secrets_of(known)
    path = _made_folder(database or known.server_database)
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

    store = SqliteLedgerStore(_head_office_store(_made_folder(database)), bytes.fromhex(keys.master_key))
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
        return opened(_till_store(known, utc_now), known.config.store.id, utc_now, new_id)
    return opened(_head_office_store(database), HEAD_OFFICE, utc_now, new_id)


# --- any database


def verify(database: Path) -> tuple[str, ...]:
    """Read a till's or head office's file and name every difference."""
    from pos_loyalty.store.verify import verify as verify_store

    db = open_reader(database)
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
