"""Builds a till: in this process, to look at, or as a process of its own with HTTP, scanners and a printer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty.clock import Clock, NewId, ReadClocks, new_id, read, utc_now
from pos_loyalty.config import Config, Language, has_table
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import publications, trusted_time
from pos_loyalty.store.db import Connection, open_reader, own, write
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.elsewhere import Elsewhere, Nowhere
from pos_loyalty.till.nightly_model import NightReport
from pos_loyalty.till.programmes import put_newer, seed_file, store_file
from pos_loyalty.till.sender import CodeSender
from pos_loyalty.till.till import Devices, NoDevices, Till
from pos_loyalty.till.unfinished import Unfinished
from pos_loyalty.wiring import camera, displays
from pos_loyalty.wiring.files import Settings, made_folder, products_of, secrets_of, settings, till_store, with_places
from pos_loyalty.wiring.identities import identity_of
from pos_loyalty.wiring.printers import spool_of

if TYPE_CHECKING:
    from drivers.ports import Scanner
    from drivers.symbology import Scan
    from pos_loyalty.till.model import PrintAnswer
    from pos_loyalty.till.reserving import Reserver
    from pos_loyalty.web.verbs import Shop
    from sync.hub_client import HttpHub
    from sync.reserving import Asker

Ready = Callable[[str, str], None]
"""Told the process's name and its URL, once it answers."""


def open_till(
    path: str | Path,
    *,
    clock: Clock = utc_now,
    ids: NewId = new_id,
    devices: Devices | None = None,
    elsewhere: Elsewhere | None = None,
    clocks: ReadClocks | None = None,
) -> Till:
    """A till in this process, over its own database: the plugin for a POS in Python. Close it when done.

    ``elsewhere``: who knows the sales of other tills; head office when None. ``clocks``: wall clock and uptime in one
    reading, when they are not the machine's; by ``clock`` when not given.

    Raises ConfigError for a faulty config, StoreBusyError when another process runs this till, StoreSchemaError for a file that
    is not this till's.
    """
    known = settings(Path(path))
    with contextlib.ExitStack() as undo:
        lock = own(made_folder(known.till_database))
        undo.callback(lock.close)
        desk = desk_of(known, clock, ids)
        undo.callback(desk.close)
        desk.clocks = clocks or desk.clocks
        desk.begin()
        desk.sender = _sender(known)
        desk.reserver = _reserver(known)
        desk.elsewhere = elsewhere or _elsewhere(known)
        if known.config.till.programme is not None:
            _take_file(desk, known.file(known.config.till.programme), clock)
        if known.config.printer is not None:
            desk.logo()  # before the first sale, which need not wait for it
        undo.pop_all()
    return Till(desk, devices or NoDevices(), lock.close)


def _take_file(desk: Desk, path: Path, clock: Clock) -> None:
    """The till's own programme file: in force where nobody else gives programmes, else only what it starts with."""
    currency = desk.config.store.currency
    if desk.config.head_office.url is None:
        desk.shelf.file_fault = store_file(desk.db, path, clock(), currency)
    else:
        seed_file(desk.db, path, clock(), currency)


def _reserver(known: Settings) -> Reserver | None:
    """Made at once, opened at the first member who stands here."""
    from pos_loyalty.till import coupon_rights, gift_rights
    from pos_loyalty.till.holdings import is_escrow

    if not any(asks(known.config) for asks in (is_escrow, gift_rights.is_lending, coupon_rights.is_lending)):
        return None
    from pos_loyalty.till.reserving import AGAIN_AFTER_NS, AGAIN_AT_HUB_NS, Reserver

    asker: list[Asker] = []

    def ask(whom: str) -> None:
        from pos_loyalty.wiring.offices import syncer_of
        from sync.reserving import WAIT_S, Asker

        if not asker:
            asker.append(Asker(lambda: syncer_of(known, min(WAIT_S, known.config.head_office.timeout_s)), utc_now))
        asker[0].ask(whom)

    again_ns = AGAIN_AFTER_NS if known.config.hub.address is None else AGAIN_AT_HUB_NS
    return Reserver(ask, lambda: asker[0].close() if asker else None, again_ns)


def _sender(known: Settings) -> CodeSender | None:
    from drivers.gateway import HttpGateway

    gateway, token = known.config.phone.gateway, secrets_of(known).gateway_token
    return None if gateway is None else CodeSender(lambda: HttpGateway(gateway, token))


@contextlib.contextmanager
def till_to_look_at(path: Path) -> Iterator[Till]:
    """A till that only reads, beside the one that sells: ``identify``, ``sale``, ``health``. Writing raises StoreError."""
    known = settings(path)
    desk = desk_of(known, open_db=lambda: open_reader(known.till_database))
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


def nightly(known: Settings) -> NightReport:
    """The nightly jobs once, beside a till that sells or without one. Raises StoreBusyError when they run already."""
    from pos_loyalty.till.nightly import run

    path = known.till_database
    with own(path.with_name(path.name + ".night")), contextlib.closing(desk_of(known)) as desk:
        return NightReport(jobs=run(desk))


def run_till(known: Settings, ready: Ready, tell: Callable[[Unfinished], None]) -> None:
    """The till process: HTTP, scanners, print spool, nightly jobs; until told to stop. ``tell``: what was left unfinished."""
    from pos_loyalty.till.devices import TillDevices

    watcher = None if known.config.camera is None else camera.watcher(known, secrets_of(known))
    devices = TillDevices(spool_of(known), _scanners(known.config), known.config.nomenclature, watcher)
    till = open_till(known.path, devices=devices)
    try:
        till.health()
        devices.put_display(displays.display_of(known.config, till.buyer))
        from pos_loyalty.till.nightly import night_watch
        from pos_loyalty.web.app import application
        from pos_loyalty.web.page import Names
        from pos_loyalty.web.scans import ScanBoard, scan_told
        from pos_loyalty.web.serve import listen, serve
        from pos_loyalty.web.terms import terms_of

        seen = watcher if known.config.camera is not None and known.config.camera.view else None
        board = ScanBoard(known.config.nomenclature, seen)

        def publish(scan: Scan, device: str) -> None:
            board.publish(scan_told(scan, device))

        names = Names(tiers=lambda: till.programme().tier_titles, terms=lambda: terms_of(till.programme()))
        hosts = _hosts(known.config)
        app = application(till, _shop(known), scans=board, titles=till.rule_titles, names=names, allowed_hosts=hosts)
        listener = listen(known.config.till.host, known.config.till.port)
        devices.start(publish)
        host, port = listener.getsockname()[:2]
        tell(till.unfinished())
        ready(f"till {known.config.till.id}", f"http://{host}:{port}")
        with night_watch(desk_of(known)):
            serve(app, listener, leaving=board.close)
    finally:
        devices.close()
        till.close()


def desk_of(
    known: Settings, clock: Clock = utc_now, ids: NewId = new_id, open_db: Callable[[], Connection] | None = None
) -> Desk:
    """A desk over the till's own file, through a connection of its own."""
    return Desk(
        config=with_places(known),
        secrets=secrets_of(known),
        folder=known.till_database.parent,
        open_db=open_db or (lambda: till_store(known, clock)),
        clock=clock,
        new_id=ids,
    )


def _elsewhere(known: Settings) -> Elsewhere:
    if known.config.head_office.url is None:
        return Nowhere()
    from sync.elsewhere import HeadOfficeSales, HubSales

    office = HeadOfficeSales(known.config.head_office.url, known.config.till.id, lambda: identity_of(known).token)
    address = known.config.hub.address
    return office if address is None else HubSales(office, lambda: _hub_client(known, address))


def _hub_client(known: Settings, address: str) -> HttpHub:
    from sync.hub_client import HttpHub

    identity = identity_of(known)
    return HttpHub(address, identity.signer, identity.head_office_key)


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
        products=products_of(known),
        verifies_phones=config.phone.gateway is not None,
        has_view=config.camera is not None and config.camera.view,
        greetings=displays.greetings_of(config),
    )


def _hosts(config: Config) -> tuple[str, ...]:
    from pos_loyalty.web.guard import LOCAL_HOSTS

    return tuple(dict.fromkeys((*LOCAL_HOSTS, config.till.host)))


def programme_in_force(known: Settings) -> str:
    """The programme in force in the till's file, as it was published. Raises NotFoundError."""
    db = open_reader(known.till_database)
    try:
        body = publications.body_in_force(db, trusted_time.now(db, read(utc_now)).at)
    finally:
        db.close()
    if body is None:
        raise NotFoundError("This till has no programme yet: run the sync, or name a file in till.programme.")
    return body.decode("utf-8")


def shift_text(path: Path, day: date | None, language: Language | None) -> str:
    """The shift report of this till as text, also while it sells."""
    from pos_loyalty.till import shift

    known = settings(path)
    with contextlib.closing(desk_of(known, open_db=lambda: open_reader(known.till_database))) as desk:
        return shift.text_of(desk, day, language)


def print_shift(path: Path, day: date | None, language: Language | None) -> PrintAnswer:
    """Lay the shift report into the spool, also while the till sells. Raises ConflictError without a printer."""
    from pos_loyalty.till import shift

    with contextlib.closing(desk_of(settings(path))) as desk, write(desk.db):
        return shift.queue(desk, day, language)


def print_self_test(path: Path, language: Language | None) -> PrintAnswer:
    """Lay the printer's self-test page into the spool, also while the till sells. Raises ConflictError without a printer."""
    from pos_loyalty.till import self_test

    with contextlib.closing(desk_of(settings(path))) as desk, write(desk.db):
        return self_test.queue(desk, language)


def stands_alone(known: Settings) -> bool:
    """Whether programmes are put in force at this machine's till itself: it has no head office, elsewhere or here.

    Before anything was started here, a config with a table [server] is head office's, and one without it a till's.
    """
    if known.config.head_office.url is not None or known.server_database.is_file():
        return False
    return known.till_database.is_file() or not has_table(known.path, "server")


def publish_here(known: Settings, body: bytes) -> str:
    """Put a programme in force at a till that stands alone, also while it sells. Raises ProgrammeError, ConflictError."""
    with contextlib.closing(till_store(known, utc_now)) as db:
        return put_newer(db, body, utc_now(), known.config.store.currency)


@contextlib.contextmanager
def beside_till(path: Path) -> Iterator[Connection]:
    """The till's file, to write what is private to it, also while the till sells."""
    with contextlib.closing(till_store(settings(path), utc_now)) as db:
        yield db


def _scanners(config: Config) -> list[Scanner]:
    from drivers.scanner_hid import HidScanner
    from drivers.scanner_serial import SerialScanner

    return [HidScanner(scanner) if scanner.kind == "hid" else SerialScanner(scanner) for scanner in config.scanner]
