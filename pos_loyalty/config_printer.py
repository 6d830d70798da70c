"""Receipt printers in config.toml: how each is reached, and what kinds of printers are known by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import asdict

from pos_loyalty.values import Value

Name = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")]
Words = Annotated[str, Meta(max_length=256)]
Seconds = Annotated[float, Meta(gt=0, le=60)]
Columns = Literal[32, 42, 48]
Page = Literal["cp866", "cp1251", "cp437", "cp858"]
Barrier = Literal["gs_r", "gs_h", "none"]
Baud = Annotated[int, Meta(ge=300, le=921_600)]
NUL = "\0"
BITS_PER_BYTE = 10
"""On a serial line: a start bit, eight of the byte, a stop bit."""


class Profile(Value):
    """What a kind of printer can do. The code page's name and slot belong together."""

    columns: Columns
    page: Page
    slot: Annotated[int, Meta(ge=0, le=255)]
    barrier: Barrier
    clear_after_error: bool
    """It may be told to forget its buffer after a fault (DLE ENQ 2)."""
    cutter: bool


PROFILES: Mapping[str, Profile] = {
    "generic": Profile(columns=48, page="cp866", slot=17, barrier="gs_r", clear_after_error=False, cutter=True),
    "epson-80mm": Profile(columns=48, page="cp866", slot=17, barrier="gs_h", clear_after_error=True, cutter=True),
    "epson-80mm-42": Profile(columns=42, page="cp866", slot=17, barrier="gs_h", clear_after_error=True, cutter=True),
    "epson-80mm-cp1251": Profile(columns=48, page="cp1251", slot=46, barrier="gs_h", clear_after_error=True, cutter=True),
    "slot-7": Profile(columns=48, page="cp866", slot=7, barrier="gs_r", clear_after_error=False, cutter=True),
    "slot-10": Profile(columns=48, page="cp866", slot=10, barrier="gs_r", clear_after_error=False, cutter=True),
    "pos-5890": Profile(columns=32, page="cp866", slot=59, barrier="none", clear_after_error=False, cutter=False),
    "58mm": Profile(columns=32, page="cp866", slot=17, barrier="gs_r", clear_after_error=False, cutter=False),
    "write-only": Profile(columns=48, page="cp866", slot=17, barrier="none", clear_after_error=False, cutter=True),
}
"""**Source** of slots: escpos-printer-db, where CP866 is slot 17 in 30 profiles, 7 and 10 in 5 each, 59 in 4; of ``gs_h``:
Epson's reference. None was tried on a printer: the self-test page shows which slot is right."""


class PrinterConfig(Value):
    """A receipt printer. ``profile`` gives the six keys of Profile; a key that stands beside it wins."""

    kind: Literal["tcp", "serial", "usb", "file", "spooler", "windows"]
    name: Name = "printer"
    profile: str = "generic"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 9100
    path: str = ""
    """Of a file, a serial port or ``/dev/usb/lp*``."""
    baud: Baud = 9600
    flow: Literal["none", "rts_cts", "dsr_dtr", "xon_xoff"] = "none"
    usb_id: Annotated[str, Meta(pattern=r"^([0-9a-f]{4}:[0-9a-f]{4}(:[!-~]{1,64})?)?$")] = ""
    """``vid:pid`` or ``vid:pid:serial``; empty for ``usb`` by path."""
    command: Annotated[tuple[Words, ...], Meta(min_length=1, max_length=16)] = ("lp", "-s", "-o", "raw")
    """For ``spooler``: the job goes to its standard input."""
    queue: Words = ""
    """For ``windows``: the printer's name there."""
    columns: Columns = 48
    page: Page = "cp866"
    slot: Annotated[int, Meta(ge=0, le=255)] = 17
    barrier: Barrier = "gs_r"
    """How it says that a receipt is printed; without meaning for a file, a spooler or Windows, which cannot answer."""
    macro: bool = True
    """It is asked whether it knows macros: then it cannot confirm a receipt in whose middle it lost its power."""
    clear_after_error: bool = False
    cutter: bool = True
    timeout_s: Seconds = 2.0
    job_life_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    drawer: bool = False
    """A cash drawer hangs on it."""
    drawer_at_cash: bool = True
    """It opens by itself when a sale is paid in cash."""
    fallback: PrinterConfig | None = None
    """Another printer, to which receipts go while this one takes none; with the same columns and page."""

    def carry_s(self, count: int) -> float:
        """Seconds that so many bytes take on the way: a serial line is slow."""
        return count * BITS_PER_BYTE / self.baud if self.kind == "serial" else 0.0


def with_profile(table: Mapping[str, object]) -> dict[str, object]:
    """A [printer] table with what its profile says put in. An unknown profile is left for ``fault_of`` to tell."""
    profile = PROFILES.get(str(table.get("profile", "")))
    filled = {**(asdict(profile) if profile is not None else {}), **table}
    fallback = table.get("fallback")
    if isinstance(fallback, Mapping):
        filled["fallback"] = with_profile(fallback)
    return filled


def fault_of(printer: PrinterConfig, place: str = "printer") -> tuple[str, str] | None:
    """The first thing that cannot be: its place and the sentence; None when all is well."""
    if printer.profile not in PROFILES:
        return f"{place}.profile", f'"{printer.profile}" is not known; take one of {", ".join(PROFILES)}'
    holder = next((key for key, value in asdict(printer).items() if _has_nul(value)), None)
    if holder is not None:
        return f"{place}.{holder}", "holds a sign (NUL) that no name, path or command may have"
    missing = _missing(printer)
    if missing is not None:
        return f"{place}.{missing[0]}", missing[1]
    fallback = printer.fallback
    if fallback is None:
        return None
    if fallback.fallback is not None:
        return f"{place}.fallback.fallback", "a fallback has no fallback of its own"
    if fallback.drawer:
        return f"{place}.fallback.drawer", "the drawer is opened through the printer itself; name that one first"
    if (fallback.columns, fallback.page) != (printer.columns, printer.page):
        sentence = f"receipts are made for {printer.columns} columns and {printer.page}; the fallback must print the same"
        return f"{place}.fallback.columns", sentence
    return fault_of(fallback, f"{place}.fallback")


def _has_nul(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_nul, value))
    return isinstance(value, str) and NUL in value


def _missing(printer: PrinterConfig) -> tuple[str, str] | None:
    """The key without which this kind of printer cannot be reached."""
    match printer.kind:
        case "file" | "serial" if not printer.path:
            return "path", f'a printer of kind "{printer.kind}" needs a path'
        case "usb" if bool(printer.path) == bool(printer.usb_id):
            return "usb_id", 'a printer of kind "usb" needs usb_id = "vid:pid", or a path such as /dev/usb/lp0'
        case "windows" if not printer.queue:
            return "queue", "a Windows printer needs its name there"
        case _:
            return None
