"""The doctor's looks at what is no device: files, rights, SQLite, clock, programme, peers, packages, the print queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from drivers.probes import Part, Probe, State, Subject
from pos_loyalty.clock import read, utc_now
from pos_loyalty.errors import ConfigError, HeadOfficeGoneError, InputError, LoyaltyError
from pos_loyalty.salvage import Salvage
from pos_loyalty.wiring.at_once import Look
from pos_loyalty.wiring.files import Settings, products_of, secrets_of, with_places
from pos_loyalty.wiring.receipts import check_receipts

MB = 1024 * 1024
HEAD_OFFICE_WAIT_S = 3.0
HUB_WAIT_S = 2.0
TILL_WAIT_S = 2.0
CLOCKS_AGREE_S = 300
EXTRAS = {
    "web": ("starlette", "uvicorn", "jinja2"), "camera": ("cv2", "zxingcpp"), "hid": ("evdev",), "usb": ("usb",),
    "spreadsheet": ("openpyxl",), "analytics": ("ibis", "duckdb"),
}  # fmt: skip
"""By extra: modules that it brings and that are imported by these names."""


def shop_looks(known: Salvage, at: Settings, seller: int | None) -> tuple[Look, ...]:
    """The looks, in the order of the table."""

    def look(part: Part, name: str, where: str, take: Iterator[Probe]) -> Look:
        return Look(Subject(part=part, name=name, where=where), lambda: tuple(take))

    url, database = at.config.head_office.url, str(at.till_database)
    return (
        look("config", "config", str(at.path), _config(known, at)),
        look("keys", "keys", str(at.file(at.config.secrets)), _keys(at)),
        look("till", "till", at.config.till.id, _till(known, at, seller)),
        look("database", "database", database, _database(known, at)),
        look("disk", "disk", "", _disk(at)),
        look("sqlite", "SQLite", "", _sqlite()),
        look("head_office", "head office", url or "", _head_office(at)),
        look("head_office", "hub", at.config.hub.address or "", _hub(at)),
        look("catalogue", "catalogue", at.config.till.catalogue or "", _catalogue(known, at)),
        look("receipt", "receipts", "", _receipts(known, at)),
        look("package", "packages", "", _packages(known, at)),
    )


def _config(known: Salvage, at: Settings) -> Iterator[Probe]:
    subject = Subject(part="config", name="config", where=str(at.path))
    if not known.faults:
        yield subject.probe("works", "config.works", store=at.config.store.id, till=at.config.till.id)
    for fault in known.faults:
        yield subject.probe("fault", "config.fault", fault=fault.removeprefix(f"{at.path}: "))


def _keys(at: Settings) -> Iterator[Probe]:
    path = at.file(at.config.secrets)
    subject = Subject(part="keys", name="keys", where=str(path))
    if not path.exists():
        yield subject.probe("fault", "keys.absent", config=at.path)
        return
    try:
        secrets_of(at)
    except ConfigError as error:
        yield subject.probe("fault", "keys.fault", fault=error.message)
        return
    yield subject.probe("works", "keys.works")


def _till(known: Salvage, at: Settings, seller: int | None) -> Iterator[Probe]:
    """The running till, and what it says of itself: of devices that it holds nobody else can tell."""
    config = at.config.till
    where = f"{config.host}:{config.port}" if config.port else ""
    subject = Subject(part="till", name="till", where=where)
    if "till" in known.lost:
        return
    if seller is None:
        yield subject.probe("unused", "till.off")
    elif not config.port:
        yield subject.probe("works", "till.runs", pid=seller)
    else:
        yield _asked(subject, f"http://{where}", seller)


def _asked(subject: Subject, url: str, seller: int) -> Probe:
    from pos_loyalty.till.model import Health
    from pos_loyalty.values import decode
    from sync.reach import reach

    try:
        health = decode(reach(url, TILL_WAIT_S).body, Health)
    except (HeadOfficeGoneError, InputError):
        return subject.probe("fault", "till.mute", pid=seller)
    if health.problems:
        return subject.probe("doubt", "till.problems", problems=" ".join(health.problems))
    return subject.probe("works", "till.runs", pid=seller)


def _database(known: Salvage, at: Settings) -> Iterator[Probe]:
    """The till's file, and what it says; before its first start, what will be in it."""
    from pos_loyalty.store.db import open_reader
    from pos_loyalty.store.guard import check_local
    from pos_loyalty.till.examined import clock, examined, file_programme

    path, clocks = at.till_database, read(utc_now)
    subject = Subject(part="database", name="database", where=str(path))
    if "till" in known.lost:
        yield clock(None, clocks)
        return
    try:
        check_local(path)
        if path.is_file():
            with closing(open_reader(path)) as db:
                yield subject.probe("works", "database.works", size=f"{path.stat().st_size / MB:.1f}")
                yield from examined(db, at.config, clocks)
            return
    except LoyaltyError as error:
        yield subject.probe("fault", "database.fault", fault=error)
        yield clock(None, clocks)
        return
    yield _unmade(subject, path)
    yield clock(None, clocks)
    if at.config.till.programme is not None:
        yield file_programme(at.file(at.config.till.programme))
    else:
        yield Subject(part="programme", name="programme").probe("doubt", "programme.absent")


def _unmade(subject: Subject, path: Path) -> Probe:
    folder = next(each for each in path.absolute().parents if each.exists())
    return subject.probe("unused", "database.unmade") if os.access(folder, os.W_OK) else subject.probe("fault", "database.rights")


def _disk(at: Settings) -> Iterator[Probe]:
    from pos_loyalty.till.health import DISK_FLOOR_MB

    folder = next(each for each in at.till_database.absolute().parents if each.exists())
    free_mb = shutil.disk_usage(folder).free // MB
    subject = Subject(part="disk", name="disk", where=str(folder))
    if free_mb < DISK_FLOOR_MB:
        yield subject.probe("fault", "disk.low", free=free_mb, floor=DISK_FLOOR_MB)
    else:
        yield subject.probe("works", "disk.works", free=free_mb)


def _sqlite() -> Iterator[Probe]:
    from pos_loyalty.store.db import sqlite_in_use, wal_is_safe

    version = sqlite_in_use()
    subject = Subject(part="sqlite", name="SQLite", where=".".join(map(str, version)))
    yield subject.probe("works", "sqlite.works") if wal_is_safe(version) else subject.probe("doubt", "sqlite.wal_bug")


def _head_office(at: Settings) -> Iterator[Probe]:
    from sync.reach import reach

    config = at.config.head_office
    subject = Subject(part="head_office", name="head office", where=config.url or "")
    if config.url is None:
        yield subject.probe("unused", "office.none")
        return
    try:
        answer = reach(config.url, min(config.timeout_s, HEAD_OFFICE_WAIT_S))
    except HeadOfficeGoneError:
        yield subject.probe("fault", "office.silent")
        return
    if answer.status != 200:
        yield subject.probe("fault", "office.strange", status=answer.status)
        return
    off_s = 0 if answer.at is None else int((utc_now() - answer.at).total_seconds())
    if abs(off_s) > CLOCKS_AGREE_S:
        yield subject.probe("doubt", "office.clock", minutes=abs(off_s) // 60)
    else:
        yield subject.probe("works", "office.works")


def _hub(at: Settings) -> Iterator[Probe]:
    """Of a till whose store has a hub: whether it answers, and by which road the till was answered."""
    from pos_loyalty.store import roads
    from pos_loyalty.store.db import open_reader
    from sync.reach import reach

    address = at.config.hub.address
    if address is None:
        return
    subject = Subject(part="head_office", name="hub", where=address)
    try:
        status = reach(address, HUB_WAIT_S).status
    except HeadOfficeGoneError:
        yield subject.probe("fault", "hub.silent")
    else:
        yield subject.probe("works", "hub.works") if status == 200 else subject.probe("fault", "hub.strange", status=status)
    try:
        with closing(open_reader(at.till_database)) as db:
            seen = roads.seen(db)
    except LoyaltyError:
        return
    if seen is not None:
        road = Subject(part="head_office", name="road", where="")
        since = f"{seen.since:%Y-%m-%d %H:%M}"
        heard = "–" if seen.hub_at is None else f"{seen.hub_at:%Y-%m-%d %H:%M}"
        state: State = "works" if seen.road == "hub" else "doubt"
        yield road.probe(state, f"road.{seen.road}", since=since, heard=heard)


def _catalogue(known: Salvage, at: Settings) -> Iterator[Probe]:
    name = at.config.till.catalogue
    if name is None or "till" in known.lost:
        return
    subject = Subject(part="catalogue", name="catalogue", where=str(at.file(name)))
    try:
        yield subject.probe("works", "catalogue.works", count=len(products_of(at)))
    except InputError as error:
        yield subject.probe("fault", "catalogue.fault", fault=error)


def _receipts(known: Salvage, at: Settings) -> Iterator[Probe]:
    """The template can be printed, and drawn as a picture."""
    from receipts.png import font_path

    subject = Subject(part="receipt", name="receipts", where="[receipt]")
    config = with_places(at)
    try:
        check_receipts(config)
        yield subject.probe("works", "receipt.works")
    except InputError as error:
        yield subject.probe("fault", "receipt.fault", fault=error)
    font = Subject(part="font", name="font", where=config.receipt.font or "DejaVu Sans Mono")
    try:
        font_path(config.receipt.font)
        yield font.probe("works", "font.works")
    except LoyaltyError:
        yield font.probe("fault" if config.receipt.font else "doubt", "font.absent")


def _packages(known: Salvage, at: Settings) -> Iterator[Probe]:
    needed = _needed(at)
    missing = {extra: [module for module in modules if find_spec(module) is None] for extra, modules in EXTRAS.items()}
    there = [extra for extra, modules in missing.items() if not modules]
    yield Subject(part="package", name="packages", where=", ".join(there)).probe("works", "package.works")
    for extra, modules in missing.items():
        subject = Subject(part="package", name=f"[{extra}]", where=", ".join(modules))
        if modules and extra in needed:
            yield subject.probe("fault", "package.absent", extra=extra)
        elif modules:
            yield subject.probe("unused", "package.unused", extra=extra)


def _needed(at: Settings) -> Sequence[str]:
    """Extras that the config asks for. What a device lacks its own row tells too."""
    config = at.config
    wanted = {
        "web": True,
        "camera": config.camera is not None,
        "hid": any(scanner.kind == "hid" for scanner in config.scanner),
        "usb": config.printer is not None and bool(config.printer.usb_id),
    }
    return tuple(extra for extra, is_wanted in wanted.items() if is_wanted)
