"""The doctor: which looks a config asks for, over devices, files and peers. Each is harmless, and none waits for another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drivers.finding import Found, on_this_machine
from drivers.probes import Probe, Subject
from pos_loyalty.config import Language, PrinterConfig
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.salvage import Salvage, salvage
from pos_loyalty.store.guard import seller_of
from pos_loyalty.till.self_test import SLIP
from pos_loyalty.values import Value
from pos_loyalty.wiring.at_once import Look, look_at
from pos_loyalty.wiring.doctor_shop import shop_looks
from pos_loyalty.wiring.files import Settings
from pos_loyalty.wiring.printers import transport_of

DEADLINE_S = 15.0
PRINT_DEADLINE_S = 20.0
"""A self-test page may be slow to print, and is asked for."""
TIMEOUT_MAX_S = 2.0
DEVICE_PARTS = ("scanner", "camera", "printer", "display")


class Diagnosis(Value):
    """All rows. ``is_stuck``: a look hangs still. ``printed``: rows about self-test pages, empty when none was asked for."""

    probes: tuple[Probe, ...]
    found: tuple[Probe, ...]
    printed: tuple[Probe, ...] = ()
    is_stuck: bool = False

    @property
    def has_fault(self) -> bool:
        """Something that is configured does not work."""
        return any(probe.state == "fault" for probe in (*self.probes, *self.printed))

    @property
    def has_devices(self) -> bool:
        """A device stands in the config, as far as that could be read, or hangs on this machine."""
        return bool(self.found) or any(probe.part in DEVICE_PARTS or probe.code == "config.fault" for probe in self.probes)


def diagnose(path: Path, *, deadline_s: float = DEADLINE_S, root: Path = Path("/")) -> Diagnosis:
    """Look at everything that a till stands on. Raises nothing for what is wrong: that is the answer."""
    known = salvage(path)
    at = Settings(config=known.config, path=path.absolute())
    seller = None if "till" in known.lost else seller_of(at.till_database)
    looks, clashes = _apart(_device_looks(known, at, seller))
    looked = look_at([*looks, *shop_looks(known, at, seller)], deadline_s)
    configured = {_real(probe.where) for probe in (*looked.probes, *clashes)}
    found = tuple(_found(each) for each in on_this_machine(root) if not {each.real, *each.about.split()} & configured)
    ours = tuple(probe for probe in looked.probes if probe.part in DEVICE_PARTS)
    rest = tuple(probe for probe in looked.probes if probe.part not in DEVICE_PARTS)
    return Diagnosis(probes=(*ours, *clashes, *rest), found=found, is_stuck=looked.is_stuck)


def print_pages(path: Path, language: Language | None, before: Diagnosis, *, deadline_s: float = PRINT_DEADLINE_S) -> Diagnosis:
    """Print the self-test page of each printer that does not stand in its own way: by the running till where there is one."""
    known = salvage(path)
    at = Settings(config=known.config, path=path.absolute())
    well = {(probe.name, probe.where) for probe in before.probes if probe.part == "printer" and probe.state != "fault"}
    looks = [look for look in _page_looks(at, language) if (look.subject.name, look.subject.where) in well]
    looked = look_at(looks, deadline_s)
    return replace(before, printed=looked.probes, is_stuck=before.is_stuck or looked.is_stuck)


def printers_of(known: Settings) -> tuple[PrinterConfig, ...]:
    """The printer of the config and its fallback, each by itself, with whole paths and short waits."""
    found: list[PrinterConfig] = []
    config = known.config.printer
    while config is not None:
        path = str(known.file(config.path)) if config.path else ""
        short = min(config.timeout_s, TIMEOUT_MAX_S)
        found.append(replace(config, path=path, timeout_s=short, fallback=None))
        config = config.fallback
    return tuple(found)


def _device_looks(known: Salvage, at: Settings, seller: int | None) -> Iterator[Look]:
    from drivers import doctor

    for scanner in at.config.scanner:
        yield _look("scanner", scanner.name, scanner.path, partial(_alone, doctor.scanner, scanner, seller))
    camera = at.config.camera
    if camera is not None:
        if camera.kind != "v4l":
            camera = replace(camera, path=str(at.file(camera.path)))
        from drivers import doctor_camera

        yield _look("camera", camera.name, camera.path, partial(_alone, doctor_camera.camera, camera, seller))
    from drivers.doctor_printer import where_of

    for printer in printers_of(at):
        look = _printing(known, at, printer, seller)
        yield _look("printer", printer.name, where_of(printer), look)
    display = known.table.get("display")
    if isinstance(display, dict) and isinstance(display.get("path"), str) and display["path"]:
        name, path, baud = str(display.get("name", "display")), display["path"], display.get("baud")
        speed = baud if isinstance(baud, int) else doctor.SERIAL_BAUD
        yield _look("display", name, path, partial(_alone, doctor.display, name, path, seller, speed))


def _printing(known: Salvage, at: Settings, config: PrinterConfig, seller: int | None) -> Callable[[], Sequence[Probe]]:
    def look() -> Sequence[Probe]:
        from drivers.doctor_printer import printer, where_of
        from receipts.self_test import LIKELY_SLOTS

        if seller is not None and _is_printing(at):
            return (Subject(part="printer", name=config.name, where=where_of(config)).probe("in_use", "printer.printing"),)
        is_cyrillic = at.config.receipt.language == "ru"
        return (printer(config, lambda: transport_of(config), seller, LIKELY_SLOTS[config.page], is_cyrillic=is_cyrillic),)

    return look


def _is_printing(at: Settings) -> bool:
    """The running till has a job on the wire: its printer is left alone."""
    from contextlib import closing

    from pos_loyalty.store import prints
    from pos_loyalty.store.db import open_reader

    try:
        with closing(open_reader(at.till_database)) as db:
            return prints.in_hand(db) > 0
    except LoyaltyError:
        return False


def _page_looks(at: Settings, language: Language | None) -> Iterator[Look]:
    from drivers.doctor_printer import print_page, where_of
    from receipts.self_test import self_test_bytes

    tongue = language or at.config.receipt.language
    if seller_of(at.till_database) is not None:
        for printer in printers_of(at)[:1]:
            yield _look("printer", printer.name, where_of(printer), partial(_alone, _queued, at, printer, tongue))
        return
    for printer in printers_of(at):
        page = self_test_bytes(columns=printer.columns, page=printer.page, slot=printer.slot, language=tongue)
        look = partial(_alone, print_page, printer, partial(transport_of, printer), page)
        yield _look("printer", printer.name, where_of(printer), look)


def _queued(at: Settings, printer: PrinterConfig, language: Language) -> Probe:
    from drivers.doctor_printer import where_of
    from pos_loyalty.wiring.till import print_self_test

    answer = print_self_test(at.path, language)
    subject = Subject(part="printer", name=printer.name, where=where_of(printer))
    if answer.state != "queued":
        return subject.probe("fault", "print.refused", note=answer.note or SLIP)
    return subject.probe("works", "print.queued", receipt=answer.receipt_no)


def _alone(take: Callable[..., Probe], *arguments: object) -> tuple[Probe, ...]:
    return (take(*arguments),)


def _apart(looks: Iterator[Look]) -> tuple[list[Look], list[Probe]]:
    """Two devices on one port are never tried: the second would find it taken by the first."""
    kept: list[Look] = []
    clashes: list[Probe] = []
    seen: dict[str, str] = {}
    for look in looks:
        where = _real(look.subject.where)
        if where in seen:
            clashes.append(look.subject.probe("fault", "port.shared", other=seen[where]))
        else:
            seen[where] = look.subject.name
            kept.append(look)
    return kept, clashes


def _found(each: Found) -> Probe:
    has_rights = ":" in each.where.rpartition("/")[2] or os.access(each.where, os.R_OK | os.W_OK)
    subject = Subject(part=each.part, name=each.about or Path(each.where).name, where=each.where)
    if has_rights or not Path(each.where).exists():
        return subject.probe("found", f"found.{each.part}")
    from drivers.probes import group_of

    group = group_of(each.where)
    return subject.probe("found", "found.rights" if group else "port.rights_alone", path=each.where, group=group)


def _real(where: str) -> str:
    return os.path.realpath(where) if where.startswith("/") else where


def _look(part: Any, name: str, where: str, take: Callable[[], Sequence[Probe]]) -> Look:
    return Look(Subject(part=part, name=name, where=where), take)
