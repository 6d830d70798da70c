"""Tries a receipt printer without a drop of ink: it is asked how it is (``DLE EOT``), and nothing else is sent.

Of its code page it tells nothing. So a slot that no known printer has for the page is doubted, and the self-test page is advised.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from drivers.doctor import failed, held, no_rights
from drivers.holders import holders
from drivers.ports import UNKNOWN, Delivery, Outcome, PrinterStatus, Transport
from drivers.printer import EscposPrinter
from drivers.probes import Probe, Subject, cause_of
from drivers.transport_port import DEVICES, MEMORY
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

TIMEOUT_MAX_S = 2.0
MEMORY_MAJOR = 1
"""**Source:** Linux, Documentation/admin-guide/devices.txt."""
CYRILLIC = ("cp866", "cp1251")
OBSTACLES: tuple[tuple[Callable[[PrinterStatus], bool], str], ...] = (
    (lambda status: status.cover == "open", "printer.cover"),
    (lambda status: status.paper == "out", "printer.paper_out"),
    (lambda status: status.error == "error", "printer.error"),
    (lambda status: status.online == "no", "printer.offline"),
    (lambda status: not status.is_ready, "printer.partial"),
)
"""The most useful cause first."""

OpenTransport = Callable[[], Transport]


def where_of(config: PrinterConfig) -> str:
    """How the printer is reached, as people write it."""
    match config.kind:
        case "tcp":
            return f"{config.host}:{config.port}"
        case "spooler":
            return " ".join(config.command)
        case "windows":
            return config.queue
        case _:
            return config.path or config.usb_id


def printer(
    config: PrinterConfig, open_transport: OpenTransport, seller: int | None, slots: Sequence[int], *, is_cyrillic: bool
) -> Probe:
    """Ask a printer how it is. ``slots``: where known printers have the page; ``is_cyrillic``: receipts need Cyrillic."""
    subject = Subject(part="printer", name=config.name, where=where_of(config))
    taken = held(subject, config.path, seller) if config.path and not _is_for_all(config) else None
    if taken is not None:
        return taken
    unreachable = _unreachable(subject, config)
    if unreachable is not None:
        return unreachable
    if config.kind in ("file", "spooler"):
        return _paged(subject.probe("unproven", "printer.mute"), config, slots, is_cyrillic=is_cyrillic)
    try:
        row = _asked(subject, config, open_transport)
    except DeviceGoneError as error:
        return _gone(subject, config, seller, error)
    return _paged(row, config, slots, is_cyrillic=is_cyrillic)


def print_page(config: PrinterConfig, open_transport: OpenTransport, page: bytes) -> Probe:
    """Print the self-test page, because somebody asked for it."""
    subject = Subject(part="printer", name=config.name, where=where_of(config))
    delivery = EscposPrinter(config, open_transport).submit(page, _Untold())
    return _delivered(subject, delivery)


class _Untold:
    """Implements Progress for a page that nobody keeps a record of."""

    def sending(self) -> None:
        """Nothing is noted."""

    def awaiting_ack(self) -> None:
        """Nothing is noted."""


def _delivered(subject: Subject, delivery: Delivery) -> Probe:
    match delivery.outcome:
        case Outcome.PRINTED:
            return subject.probe("works", "print.printed")
        case Outcome.UNCONFIRMED:
            return subject.probe("unproven", "print.unconfirmed")
        case Outcome.UNCERTAIN:
            return subject.probe("fault", "print.uncertain", note=delivery.note or "")
        case Outcome.REFUSED:
            return subject.probe("fault", "print.refused", note=delivery.note or "")


def _unreachable(subject: Subject, config: PrinterConfig) -> Probe | None:
    """What can be known without asking anything: a file must not be made by looking at it."""
    if config.kind == "spooler":
        program = config.command[0]
        return None if shutil.which(program) else subject.probe("fault", "printer.program", program=program)
    if config.kind != "file":
        return None
    path = Path(config.path)
    is_device = path.is_relative_to(DEVICES) and not path.is_relative_to(MEMORY)
    if not path.exists() and (is_device or not path.parent.is_dir()):
        return subject.probe("fault", "port.absent")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return no_rights(subject, str(path if path.exists() else path.parent))
    return _takes_nothing(subject, path) if path.exists() else None


def _takes_nothing(subject: Subject, path: Path) -> Probe | None:
    """The row for what is there and is no place for receipts."""
    kind = path.stat().st_mode
    if stat.S_ISFIFO(kind):
        return None if _is_read(path) else subject.probe("fault", "printer.pipe")
    return None if stat.S_ISREG(kind) or stat.S_ISCHR(kind) else subject.probe("fault", "printer.no_file")


def _is_read(pipe: Path) -> bool:
    """Who reads a pipe sees its end when a writer goes: it is opened only where nobody is seen to have it open."""
    if holders(str(pipe)):
        return True
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _is_for_all(config: PrinterConfig) -> bool:
    """A device without a machine behind it, such as /dev/null: every program may have it open."""
    try:
        return config.kind == "file" and os.major(Path(config.path).stat().st_rdev) == MEMORY_MAJOR
    except (OSError, ValueError, AttributeError):
        return False


def _asked(subject: Subject, config: PrinterConfig, open_transport: OpenTransport) -> Probe:
    config = replace(config, timeout_s=min(config.timeout_s, TIMEOUT_MAX_S))
    line = open_transport()
    try:
        if not line.is_bidirectional or config.barrier == "none":
            return subject.probe("unproven", "printer.mute")
        return _row_of(subject, EscposPrinter(config, lambda: line).status())
    finally:
        line.close()


def _row_of(subject: Subject, status: PrinterStatus) -> Probe:
    if status.is_strange:
        return subject.probe("fault", "printer.stranger")
    if status == UNKNOWN:
        return subject.probe("fault", "printer.silent")
    for stands_in_the_way, code in OBSTACLES:
        if stands_in_the_way(status):
            return subject.probe("fault", code)
    return subject.probe("doubt", "printer.near_end") if status.paper == "near_end" else subject.probe("works", "printer.works")


def _paged(row: Probe, config: PrinterConfig, slots: Sequence[int], *, is_cyrillic: bool) -> Probe:
    """A printer that is all right, with what is doubtful about its code page."""
    if row.state not in ("works", "unproven"):
        return row
    subject = Subject(part="printer", name=row.name, where=row.where)
    if is_cyrillic and config.page not in CYRILLIC:
        return subject.probe("doubt", "printer.page", page=config.page)
    if config.slot not in slots:
        return subject.probe("doubt", "printer.slot", slot=config.slot, page=config.page, slots=", ".join(map(str, slots)))
    return row


def _gone(subject: Subject, config: PrinterConfig, seller: int | None, error: DeviceGoneError) -> Probe:
    cause = cause_of(error)
    match config.kind:
        case "tcp":
            code = {"refused": "printer.refused", "name": "printer.host"}.get(cause, "printer.away")
            return subject.probe("fault", code, host=config.host)
        case "usb" if config.usb_id:
            if cause == "rights":
                return subject.probe("fault", "printer.usb_rights")
            if cause == "busy" and seller is not None:
                return subject.probe("in_use", "port.till")
            codes = {"package": "package.usb", "busy": "port.busy"}
            return subject.probe("fault", codes.get(cause, "printer.unplugged"))
        case "windows":
            return subject.probe("fault", "package.windows" if cause == "package" else "printer.no_queue")
        case _:
            return failed(subject, config.path, seller, error)
