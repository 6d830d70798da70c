"""Tries the devices that a config names, harmlessly: scanners and displays here. Nothing is written to them, and nothing is read.

A port that another process has open is not opened: opening it anew would set its speed, and empty what waits in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from drivers.finding import lasting_name
from drivers.holders import holders, is_hardware
from drivers.probes import Cause, Probe, Subject, cause_of, group_of
from pos_loyalty.config import ScannerConfig

SERIAL_BAUD = 9600
EV_KEY, KEY_1, KEY_ENTER = 1, 2, 28
"""**Source:** linux/input-event-codes.h."""
CODES: dict[Cause, str] = {
    "absent": "port.absent", "busy": "port.busy", "strange": "port.strange", "package": "package.hid",
}  # fmt: skip


def scanner(config: ScannerConfig, seller: int | None) -> Probe:
    """A scanner's port opens and is what the config says. ``seller``: the process of the running till."""
    subject = Subject(part="scanner", name=config.name, where=config.path)
    taken = held(subject, config.path, seller, shares=config.kind == "hid")
    if taken is not None:
        return taken
    if config.kind == "hid":
        return tried(subject, config.path, seller, lambda: _keyboard(subject, config.path))
    return tried(subject, config.path, seller, lambda: _serial(subject, config.path, config.baud, "scanner.opens"))


def display(name: str, path: str, seller: int | None, baud: int = SERIAL_BAUD) -> Probe:
    """A customer display's port opens. It cannot answer, so that it shows nothing is all that can be known."""
    subject = Subject(part="display", name=name, where=path)
    taken = held(subject, path, seller)
    return taken or tried(subject, path, seller, lambda: _serial(subject, path, baud, "display.opens"))


def held(subject: Subject, path: str, seller: int | None, *, shares: bool = False) -> Probe | None:
    """The row for a port that somebody has open already; None when nobody is seen. ``shares``: a device that others may have
    open beside us, so that only the till counts."""
    if not is_hardware(path):
        return None
    found = holders(path)
    if any(each.pid == seller for each in found):
        return subject.probe("in_use", "port.till")
    if not found or shares:
        return None
    return subject.probe("fault", "port.held", program=found[0].program, pid=found[0].pid)


def tried(subject: Subject, path: str, seller: int | None, look: Callable[[], Probe]) -> Probe:
    """What a look says, or why it could not be taken."""
    try:
        return look()
    except (OSError, ImportError, ValueError) as error:
        return failed(subject, path, seller, error)


def failed(subject: Subject, path: str, seller: int | None, error: BaseException) -> Probe:
    """The row for a port that does not open."""
    cause = cause_of(error)
    if cause == "busy" and seller is not None:
        return subject.probe("in_use", "port.till")
    if cause == "rights":
        return no_rights(subject, path)
    return subject.probe("fault", CODES.get(cause, "port.strange"), path=path)


def no_rights(subject: Subject, path: str) -> Probe:
    """The row for a device that this user may not use, with the group that may."""
    try:
        group = group_of(path)
    except OSError:
        group = ""
    return subject.probe("fault", "port.rights" if group else "port.rights_alone", path=path, group=group)


def _serial(subject: Subject, path: str, baud: int, code: str) -> Probe:
    """Open as the driver does, for this program alone, and let go."""
    import serial

    try:
        port = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
    except ValueError:
        return subject.probe("fault", "port.baud", baud=baud)
    port.close()
    return _named(subject, path, code)


def _keyboard(subject: Subject, path: str) -> Probe:
    """It has the keys of a keyboard. It is not grabbed: a key that somebody holds down just now would stick."""
    if stat.S_ISFIFO(os.stat(path).st_mode):
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))
        return subject.probe("works", "scanner.opens")
    import evdev

    device = evdev.InputDevice(path)
    keys = set(device.capabilities().get(EV_KEY, ()))
    device.close()
    if not {KEY_1, KEY_ENTER} <= keys:
        return subject.probe("fault", "hid.strange")
    return _named(subject, path, "scanner.opens")


def _named(subject: Subject, path: str, code: str) -> Probe:
    lasting = lasting_name(path) if Path(path).exists() else None
    if lasting is not None:
        return subject.probe("doubt", "port.name", lasting=lasting)
    return subject.probe("works" if subject.part == "scanner" else "unproven", code)
