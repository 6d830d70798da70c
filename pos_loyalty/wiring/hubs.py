"""Builds the store's hub: one of head office's tills by its identity and its file, that sells nothing and serves the others."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import utc_now
from pos_loyalty.config import HubConfig
from pos_loyalty.errors import ConfigError, LoyaltyError
from pos_loyalty.store.db import own
from pos_loyalty.wiring.files import Settings, made_folder, secrets_of, till_store
from pos_loyalty.wiring.identities import identity_of
from pos_loyalty.wiring.till import Ready

if TYPE_CHECKING:
    from sync.hub.keeping import Hub
    from sync.hub.line import Line, Work
    from sync.hub.node import HubNode

REST_EVERY_S = 5.0
"""So often the hub speaks to head office when no till sent anything."""


def as_hub(known: Settings) -> Settings:
    """The settings of this machine's hub: those of a till with the hub's name, file and identity, and no hub of its own."""
    config, hub = known.config, known.config.hub
    if not hub.serve:
        raise ConfigError("hub.serve", "is not true: this machine is not its store's hub")
    if config.head_office.url is None:
        raise ConfigError("head_office.url", "is missing: a hub passes on to head office")
    till = replace(config.till, id=hub.id, database=hub.database, identity=hub.identity)
    return replace(known, config=replace(config, till=till, hub=HubConfig()))


def relay_file(known: Settings) -> Path:
    """Where the hub keeps what its tills sent: beside its own file, and it may be lost."""
    path = known.till_database
    return path.with_name(path.name + ".relay")


def mark_file(known: Settings) -> Path:
    """Where it stands how far the hub's own log was told: beside its file, and in no backup."""
    path = known.till_database
    return path.with_name(path.name + ".mark")


def node_of(known: Settings, lease_days: int) -> HubNode:
    """The hub over connections of its own; ``known`` as ``as_hub`` gives it. Raises TokenError when it was not enrolled."""
    from pos_loyalty.store.relay import open_relay
    from sync.hub.node import HubNode
    from sync.server.right_desk import FileMark

    hub = _hub_of(known)
    with contextlib.ExitStack() as undo:
        db = till_store(known, utc_now)
        undo.callback(db.close)
        relay_db = open_relay(relay_file(known))
        undo.pop_all()
    return HubNode(hub, db, relay_db, FileMark(mark_file(known)), lease_days)


def line_of(known: Settings) -> Line:
    """The hub's line to head office, over connections of its own."""
    from pos_loyalty.store.relay import open_relay, waiting_count
    from pos_loyalty.store.relay_drops import unbrought
    from pos_loyalty.wiring.offices import AsHub, syncer_of
    from sync.client import HttpHeadOffice
    from sync.hub.granting import note_called
    from sync.hub.heads import Heads
    from sync.hub.line import Line
    from sync.hub.telling import note_page
    from sync.server.right_desk import FileMark

    url = known.config.head_office.url
    assert url is not None
    relay_db = open_relay(relay_file(known))
    heads = Heads(FileMark(mark_file(known)), known.config.till.id)
    side = AsHub(
        told=lambda page: note_page(relay_db, page),
        waiting=lambda: waiting_count(relay_db),
        called=lambda lots: note_called(relay_db, lots, utc_now()),
        sending=heads.note,
        unbrought=lambda till, epoch: unbrought(relay_db, till, epoch),
    )
    syncer, close_syncer = syncer_of(known, hub=side)
    office = HttpHeadOffice(url, known.config.till.id, identity_of(known).token, known.config.head_office.timeout_s)

    def close() -> None:
        office.close()
        relay_db.close()
        close_syncer()

    return Line(_hub_of(known), relay_db, syncer, office, close)


def run_hub(here: Settings, *, port: int | None, ready: Ready) -> None:
    """The hub process: HTTP for the tills of the store, and the line to head office; until told to stop.

    Raises StoreBusyError when it runs already.
    """
    from pos_loyalty.web.serve import listen, serve
    from sync.hub.app import hub_app
    from sync.hub.line import Work

    known = as_hub(here)
    signer = identity_of(known, command="hub").signer
    stop, work = threading.Event(), Work()
    with own(made_folder(known.till_database)):
        node_of(known, here.config.hub.lease_days).close()
        listener = listen(here.config.hub.host, here.config.hub.port if port is None else port)
        line = threading.Thread(target=_follow, args=(lambda: line_of(known), stop, work), name="line")
        line.start()
        try:
            bound = listener.getsockname()[1]
            ready(f"hub {known.config.till.id}", f"http://{here.config.hub.host}:{bound}")
            serve(hub_app(lambda: node_of(known, here.config.hub.lease_days), signer, utc_now, work), listener)
        finally:
            stop.set()
            work.came()
            line.join()


def _follow(open_line: Callable[[], Line], stop: threading.Event, work: Work) -> None:
    """Bring and fetch until ``stop``; after an unforeseen failure with files opened anew."""
    while not stop.is_set():
        try:
            line = open_line()
            try:
                while not stop.is_set():
                    report = line.go(utc_now, work.take())
                    line.rest(utc_now())
                    work.wait(REST_EVERY_S)
                    if report.trouble is not None:
                        stop.wait(REST_EVERY_S / 2)
            finally:
                line.close()
        except LoyaltyError as error:
            log.error("hub.line_failed", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the line outlives everything, and says so
            log.error("hub.line_crashed", kind=type(error).__name__, reason=str(error))
        stop.wait(REST_EVERY_S)


def _hub_of(known: Settings) -> Hub:
    from sync.hub.keeping import Hub

    identity = identity_of(known)
    return Hub(
        credential=identity.signer.credential,
        master_key=bytes.fromhex(secrets_of(known).master_key),
        head_office_key=identity.head_office_key,
    )
