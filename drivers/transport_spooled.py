"""Ways to a printer through another program's queue: the spooler's command (CUPS ``lp``), Windows. Nothing is heard back."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from drivers.descriptors import left_s
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

SOME = 1
"""It is not known how much went out: it may be some."""


class CommandTransport:
    """Implements Transport by a command that takes the job on its standard input. It is run without a shell."""

    def __init__(self, config: PrinterConfig) -> None:
        program = shutil.which(config.command[0])
        if program is None:
            raise DeviceGoneError(config.name, f"there is no program {config.command[0]} here to hand receipts to")
        self._command = (program, *config.command[1:])

    @property
    def is_bidirectional(self) -> bool:
        """A queue says nothing of paper."""
        return False

    def write(self, data: bytes, deadline_ns: int) -> int:
        """All, when the command ends well. When it fails, is late or cannot say, some may be in the queue."""
        try:
            done = subprocess.run(
                self._command,
                input=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=left_s(deadline_ns),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return SOME
        except OSError:
            return 0
        return len(data) if done.returncode == 0 else SOME

    def read(self, count: int, deadline_ns: int) -> bytes:
        """Nothing comes."""
        return b""

    def finish(self, deadline_ns: int) -> bool:
        """The queue has it."""
        return True

    def close(self) -> None:
        """Nothing is held."""


class WindowsTransport:
    """Implements Transport over the Windows print service, raw. Never tried on Windows: it rests on pywin32's documentation."""

    def __init__(self, config: PrinterConfig) -> None:
        try:
            import pywintypes
            import win32print
        except ImportError as error:
            raise DeviceGoneError(config.name, "Windows printers need pywin32 (pos-loyalty[windows]) on Windows") from error
        self._service: Any = win32print
        self._gone: type[Exception] = pywintypes.error
        try:
            self._printer: Any = win32print.OpenPrinter(config.queue)
        except self._gone as error:
            raise DeviceGoneError(config.name, f'Windows has no printer "{config.queue}"') from error

    @property
    def is_bidirectional(self) -> bool:
        """The service does not hand answers on."""
        return False

    def write(self, data: bytes, deadline_ns: int) -> int:
        """All, when the service took the document."""
        try:
            self._service.StartDocPrinter(self._printer, 1, ("receipt", None, "RAW"))
        except self._gone:
            return 0
        try:
            self._service.StartPagePrinter(self._printer)
            written = int(self._service.WritePrinter(self._printer, data))
            self._service.EndPagePrinter(self._printer)
            self._service.EndDocPrinter(self._printer)
        except self._gone:
            return SOME
        return max(SOME, written)

    def read(self, count: int, deadline_ns: int) -> bytes:
        """Nothing comes."""
        return b""

    def finish(self, deadline_ns: int) -> bool:
        """The service has it."""
        return True

    def close(self) -> None:
        """Let go of the printer."""
        printer, self._printer = self._printer, None
        if printer is not None:
            self._service.ClosePrinter(printer)
