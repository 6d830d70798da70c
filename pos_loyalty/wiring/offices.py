"""Builds the daemon and head office, and what needs no till: verify, backup."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pos_loyalty import log
from pos_loyalty.clock import new_id, read, utc_now
from pos_loyalty.config import Config, Secrets
from pos_loyalty.errors import ConfigError, NotFoundError
from pos_loyalty.store.db import Connection, open_any, open_reader, open_store, own
from pos_loyalty.store.db import backup as backup_store
from pos_loyalty.wiring.files import Settings, made_folder, secrets_of, till_store
from pos_loyalty.wiring.identities import enrol, identity_of, office_of
from pos_loyalty.wiring.ledgers import HEAD_OFFICE, Database, as_file, copy, open_ledger, readable
from pos_loyalty.wiring.till import Ready

if TYPE_CHECKING:
    from datetime import datetime

    from pos_loyalty.store.code_book import CodeBook
    from pos_loyalty.store.till_facts import TillKeyFact
    from sync.beside import Answered
    from sync.daemon import HeadOffice, Syncer, SyncReport
    from sync.identity import Credential, Identity
    from sync.roads import Roads
    from sync.server.enrol import Loss
    from sync.server.sqlite import SqliteLedgerStore
    from sync.wire import Changes

FAILURES_MAX = 1_000
NEAR_FAILURES_MAX = 2
"""A hub, and a till with one, waits four seconds at most after a failure: the store goes on beside it."""
PHONES_IN_REST = 20
"""Imported phones that the daemon hashes between two goes: some seconds."""


def sync_once(known: Settings) -> SyncReport:
    """One go of the daemon. Raises StoreBusyError when another daemon of this till runs."""
    from sync.daemon import only_uploader

    with only_uploader(known.till_database):
        syncer, close = syncer_of(known)
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
        follow_on(lambda: syncer_of(known), utc_now, stop, interval_of(known.config))


class AsHub(NamedTuple):
    """What a hub does beside: it is told of each page before that is applied, says what it keeps for head office, hears which
    cards and codes head office would have, and notes how far its own log is about to be told. ``unbrought``: what of its tills'
    logs it is to bring."""

    told: Callable[[Changes], None]
    waiting: Callable[[], int]
    called: Callable[[Sequence[str]], None]
    sending: Callable[[Connection], None]
    unbrought: Callable[[str, int], int]


def syncer_of(known: Settings, timeout_s: float | None = None, hub: AsHub | None = None) -> tuple[Syncer, Callable[[], None]]:
    """What keeps this till and head office in step, and what closes it. ``timeout_s``: patience, where not the config's.

    ``hub``: this is a store's hub; it asks for the whole share of its store.
    """
    from random import SystemRandom

    from pos_loyalty.store.phone_hashes import hash_some
    from sync import local
    from sync.daemon import Beside, Pace, Syncer
    from sync.local import Here
    from sync.rights import Lends
    from sync.roads import Roads

    config = known.config
    if config.head_office.url is None:
        raise ConfigError("head_office.url", "is missing: this till stands alone and has nothing to sync")
    keys = secrets_of(known)
    identity = identity_of(known)
    db = till_store(known, utc_now)
    here = Here(
        till=config.till.id,
        master_key=bytes.fromhex(keys.master_key),
        signer=identity.signer,
        head_office_key=identity.head_office_key,
        is_hub=hub is not None,
        unbrought=hub.unbrought if hub else local.nothing_unbrought,
    )
    patience_s = timeout_s or config.head_office.timeout_s
    head_office, close_line = _road_of(known, identity, patience_s, lambda at: local.hear_time(db, at, read(utc_now)))
    pace = Pace(
        failures_max=NEAR_FAILURES_MAX if hub or config.hub.address is not None else FAILURES_MAX,
        interval_s=interval_of(config),
        batch_facts_max=config.head_office.batch_facts_max,
        wants=None if config.offline.policy != "escrow" or config.hub.address is not None else "store" if hub else "home",
        lends=Lends(
            gifts=config.gift_cards.offline == "escrow" or hub is not None,
            coupons=config.coupons.offline == "escrow" or hub is not None,
        ),
    )

    def close() -> None:
        close_line()
        db.close()

    def hash_phones() -> None:
        hash_some(db, (keys.pepper, keys.master_key), PHONES_IN_REST, utc_now(), new_id)

    beside = Beside(
        chores=hash_phones,
        told=hub.told if hub else Beside().told,
        go_straight=head_office.go_straight if isinstance(head_office, Roads) else Beside().go_straight,
        go_by_hub=head_office.go_by_hub if isinstance(head_office, Roads) else Beside().go_by_hub,
        road=(lambda: head_office.road) if isinstance(head_office, Roads) else Beside().road,
        waiting=hub.waiting if hub else Beside().waiting,
        sending=hub.sending if hub else Beside().sending,
        called=hub.called if hub else Beside().called,
        answered=(lambda: _answered(head_office)) if isinstance(head_office, Roads) else Beside().answered,
    )
    return Syncer(db, here, pace, head_office, SystemRandom().random, beside), close


def _answered(roads: Roads) -> Answered | None:
    from sync.beside import Answered

    state = roads.state
    return None if state.answered_by is None else Answered(by=state.answered_by, hub_at=state.hub_answered_at)


def interval_of(config: Config) -> float:
    """How often the till looks: a hub is near, and others' sales are there at once."""
    return config.head_office.interval_s if config.hub.address is None else config.hub.interval_s


def _road_of(
    known: Settings, identity: Identity, patience_s: float, heard: Callable[[datetime], None]
) -> tuple[HeadOffice, Callable[[], None]]:
    """Head office, by the store's hub where there is one; and what closes the line. ``heard``: as ``Roads`` has it."""
    from sync.client import HttpHeadOffice

    config = known.config
    assert config.head_office.url is not None
    straight = HttpHeadOffice(config.head_office.url, config.till.id, identity.token, patience_s)
    if config.hub.address is None:
        return straight, straight.close
    from sync.hub_client import TIMEOUT_S, HttpHub
    from sync.roads import Roads

    hub = HttpHub(config.hub.address, identity.signer, identity.head_office_key, min(TIMEOUT_S, patience_s))

    def close() -> None:
        hub.close()
        straight.close()

    return Roads(hub, straight, utc_now, heard), close


def run_head_office(known: Settings, *, database: Database | None, port: int | None, ready: Ready) -> None:
    """The head office process: HTTP over its own database, until told to stop."""
    from pos_loyalty.web.office import Pages, routes
    from pos_loyalty.web.office_door import password_of
    from pos_loyalty.web.serve import OFFICE_CONNECTIONS_MAX, listen, serve
    from sync.server.app import head_office_app
    from sync.server.desk import Beside
    from sync.server.right_desk import FileMark, RightDesk
    from sync.server.rights import RightTerms
    from sync.server.snapshots import SnapshotShelf

    keys, server = secrets_of(known), known.config.server
    place = database or known.server_database
    office = office_of(known)
    pages = Pages(shop=known.config.store, password=password_of(office.token_secret), offline=known.config.offline)
    marked = place if isinstance(place, Path) else known.file(server.identity)
    terms = RightTerms(share_bp=server.escrow_share_bp, lease_days=server.lease_days)
    shelf = SnapshotShelf(readable(place), office.private_key, marked.with_name(marked.name + ".snapshots"))
    beside = Beside(
        grants=RightDesk(terms, FileMark(marked.with_name(marked.name + ".mark"))),
        shelf=shelf,
        changes_max=server.changes_max,
        pages=lambda desk: routes(desk, pages, utc_now),
    )
    with own(made_folder(place)) if isinstance(place, Path) else contextlib.nullcontext():
        open_ledger(place, keys, known.config.offline.policy).close()

        def opened() -> SqliteLedgerStore:
            store = open_ledger(place, keys, known.config.offline.policy)
            store.snapshots = shelf.folder
            return store

        app = head_office_app(opened, office, utc_now, beside)
        listener = listen(known.config.server.host, known.config.server.port if port is None else port)
        host, bound = listener.getsockname()[:2]
        ready("head office", f"http://{host}:{bound}")
        serve(app, listener, connections_max=OFFICE_CONNECTIONS_MAX)


def enrol_till(known: Settings, code: str) -> Credential:
    """Become the till of a code. Raises as ``identities.enrol`` does."""
    from sync.client import HttpHeadOffice
    from sync.wire import read_enrolment

    config = known.config
    if config.head_office.url is None:
        raise ConfigError("head_office.url", "is missing: this till stands alone, and nobody could enrol it")
    client = HttpHeadOffice(config.head_office.url, config.till.id, "", config.head_office.timeout_s)
    try:
        return enrol(known, code, lambda asked: read_enrolment(client.enrol(asked))).signer.credential
    finally:
        client.close()


def enrolment_code(known: Settings, database: Database | None, till: str) -> str:
    """A code with which a machine becomes this till; told once."""
    from sync.server import enrol as office

    with ledger_of(known, database) as store:
        return office.make_code(store, till, utc_now())


def till_keys_of(known: Settings, database: Database | None) -> tuple[TillKeyFact, ...]:
    """Every key that head office enrolled."""
    with ledger_of(known, database) as store, store.write():
        return store.keys.all_keys()


def pages_password(known: Settings) -> str:
    """What a manager shows who looks at head office's pages from another machine. It follows from head office's key file."""
    from pos_loyalty.web.office_door import password_of

    return password_of(office_of(known).token_secret)


def revoke_till(known: Settings, database: Database | None, till: str, by: str) -> int:
    """Take nothing more from a till; answers the epoch that ended. Raises NotFoundError."""
    from sync.server import enrol as office

    with ledger_of(known, database) as store:
        return office.revoke(store, till, by, utc_now())


def lose_till(known: Settings, database: Database | None, till: str, epoch: int | None, by: str) -> Loss:
    """A till is gone for good. Raises NotFoundError, and ConflictError while it may still redeem by itself."""
    from sync.server import enrol as office

    with ledger_of(known, database) as store:
        return office.lose(store, till, epoch, by, utc_now())


def tills_waited_for(known: Settings, database: Database | None) -> tuple[str, ...]:
    """Tills that head office, restored, waits for before it grants rights; an empty name: any that it does not know."""
    with ledger_of(known, database) as store, store.write():
        return store.rights.waits_for()


def name_all_tills(known: Settings, database: Database | None, by: str) -> bool:
    """There are no tills but those that head office knows; answers whether it asked."""
    from sync.server import enrol as office

    with ledger_of(known, database) as store:
        is_asked = office.name_all(store)
    log.info("head_office.tills_named", by=by, asked=is_asked)
    return is_asked


@contextlib.contextmanager
def ledger_of(known: Settings, database: Database | None) -> Iterator[SqliteLedgerStore]:
    """Head office's ledger, beside a head office that runs. Raises NotFoundError for a file that was named and is not there."""
    if isinstance(database, Path) and not database.is_file():
        raise NotFoundError(f"There is no database at {database}.")
    store = open_ledger(database or known.server_database, secrets_of(known), known.config.offline.policy)
    try:
        yield store
    finally:
        store.close()


def publish(known: Settings, database: Database | None, body: bytes, effective_from: datetime | None = None) -> str:
    """Check a programme and publish it at head office, from an instant on or at once; returns its name.

    Raises ProgrammeError, and NotFoundError for a file that was named and is not there.
    """
    from sync.server.steps import publish_programme

    with ledger_of(known, database) as store:
        return publish_programme(store, body, utc_now(), effective_from)


def _head_office_store(path: Path) -> Connection:
    return open_store(path, role="head_office", owner=HEAD_OFFICE, now=utc_now())


def code_book(known: Settings, database: Path | None) -> contextlib.AbstractContextManager[CodeBook]:
    """Coupon codes of the till's file, beside a till that sells, or of head office's. Raises NotFoundError."""
    from pos_loyalty.store.code_book import opened

    if database is None:
        return opened(till_store(known, utc_now), known.config.store.id, utc_now, new_id)
    return opened(_head_office_store(database), HEAD_OFFICE, utc_now, new_id)


def verify(database: Database, keys: Secrets | None = None) -> tuple[str, ...]:
    """Read a till's or head office's database and name every difference. Without keys nothing sealed is compared."""
    from pos_loyalty.store.verify import verify as verify_store

    with as_file(database) as path:
        db = open_reader(path, master_key=None if keys is None else keys.master_key)
        try:
            return verify_store(db)
        finally:
            db.close()


def backup(database: Database, target: Path) -> None:
    """Copy a live database to a new file. A file of an older version is copied as it is."""
    if isinstance(database, str):
        copy(database, target)
        return
    db = open_any(database)
    try:
        backup_store(db, target)
    finally:
        db.close()
