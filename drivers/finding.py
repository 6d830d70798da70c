"""What hangs on this machine, by the names that the system gives: nothing is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from drivers.probes import Part

PRINTER_CLASS = "07"
SERIAL_NAMES = ("ttyUSB*", "ttyACM*", "ttyAMA*", "rfcomm*")
FOUND_MAX = 64


class Found(NamedTuple):
    """A device: what it may be, the name to write into the config, what it calls itself, and where it really is."""

    part: Part
    where: str
    about: str
    real: str


def on_this_machine(root: Path = Path("/")) -> tuple[Found, ...]:
    """Serial ports, keyboards, cameras and USB printers; one row for a device, by its lasting name where it has one."""
    rows = (*_serial(root), *_keyboards(root), *_cameras(root), *_usb_printers(root))
    return rows[:FOUND_MAX]


def lasting_name(path: str, root: Path = Path("/")) -> str | None:
    """The by-id name of a device that was named otherwise; None when it has none, or is named so already."""
    if "/by-id/" in path or "/by-path/" in path:
        return None
    real = os.path.realpath(path)
    folders = (root / "dev/serial/by-id", root / "dev/input/by-id", root / "dev/v4l/by-id")
    links = (link for folder in folders for link in _sorted(folder, "*"))
    return next((str(link) for link in links if os.path.realpath(link) == real), None)


def _serial(root: Path) -> list[Found]:
    linked = [Found("port", str(link), "", os.path.realpath(link)) for link in _sorted(root / "dev/serial/by-id", "*")]
    known = {each.real for each in linked}
    plain = [path for name in SERIAL_NAMES for path in _sorted(root / "dev", name) if os.path.realpath(path) not in known]
    rest = [Found("port", str(path), "", os.path.realpath(path)) for path in plain]
    known |= {each.real for each in rest}
    return linked + rest + [each for each in _listed(root) if each.real not in known]


def _listed(root: Path) -> list[Found]:
    """Built-in ports, and those of systems without /dev: pyserial knows which of them have a chip behind them."""
    if root != Path("/"):
        return []
    from serial.tools import list_ports

    return [Found("port", port.device, _about(port.description), os.path.realpath(port.device)) for port in list_ports.comports()]


def _about(description: str | None) -> str:
    """pyserial writes "n/a" for a port that says nothing of itself."""
    return "" if description in (None, "n/a") else str(description)


def _keyboards(root: Path) -> list[Found]:
    links = _sorted(root / "dev/input/by-id", "*-event-kbd")
    return [Found("keyboard", str(link), "", os.path.realpath(link)) for link in links]


def _cameras(root: Path) -> list[Found]:
    """A camera shows itself twice, for pictures and for what goes with them; the first has index 0."""
    links = {os.path.realpath(link): str(link) for link in _sorted(root / "dev/v4l/by-id", "*")}
    found = []
    for path in _sorted(root / "dev", "video*"):
        about = root / "sys/class/video4linux" / path.name
        if _read(about / "index") in ("", "0"):
            real = os.path.realpath(path)
            found.append(Found("camera", links.get(real, str(path)), _read(about / "name"), real))
    return found


def _usb_printers(root: Path) -> list[Found]:
    found = []
    for interface in _sorted(root / "sys/bus/usb/devices", "*:*"):
        if _read(interface / "bInterfaceClass") != PRINTER_CLASS:
            continue
        device = interface.with_name(interface.name.partition(":")[0])
        ids = f"{_read(device / 'idVendor')}:{_read(device / 'idProduct')}"
        about = f"{ids} {_read(device / 'product')}".strip()
        path = next((root / "dev/usb" / lp.name for lp in _sorted(interface / "usbmisc", "lp*")), None)
        real = ids if path is None else os.path.realpath(path)
        found.append(Found("printer", ids if path is None else str(path), about, real))
    known = {each.real for each in found}
    loose = (path for path in _sorted(root / "dev/usb", "lp*") if os.path.realpath(path) not in known)
    return found + [Found("printer", str(path), "", os.path.realpath(path)) for path in loose]


def _sorted(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
