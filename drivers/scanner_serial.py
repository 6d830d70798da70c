"""A reader on a serial port, or on USB that emulates one. Pulled out, it is closed, then reopened with growing pauses."""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

from drivers.frames import LineFramer
from drivers.stripe import read_swipe
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError

if TYPE_CHECKING:
    from serial import Serial

NS_PER_S = 1_000_000_000
MS_PER_S = 1000
SLICE_S = 0.25
"""The longest single wait inside the port, so that closing is noticed."""
REOPEN_FIRST_S = 0.05
REOPEN_MAX_S = 0.4
"""With these a re-plugged scanner is read again within a second."""


class SerialScanner:
    """Implements Scanner. ``read`` belongs to one thread; ``close`` may come from another."""

    def __init__(self, config: ScannerConfig) -> None:
        self._config = config
        self._framer = LineFramer(config.prefix, config.suffix)
        self._refused = 0
        self._codes: deque[str] = deque()
        self._port: Serial | None = None
        self._pause_s = 0.0
        self._closing = threading.Event()
        self._in_use = threading.Lock()

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    @property
    def is_open(self) -> bool:
        """The port is open: codes are heard from now on."""
        return self._port is not None

    @property
    def refused(self) -> int:
        """How many codes were refused since start: broken ones, and what a stripe reader sent that is no stripe."""
        return self._framer.refused + self._refused

    def read(self, timeout_s: float) -> str | None:
        """Next code, or None when time is up or the scanner was closed. Raises DeviceGoneError when unplugged.

        While it is gone, each call first waits out the pause (no longer than ``timeout_s``) and then tries to open once.
        """
        with self._in_use:
            if self._codes:
                return self._codes.popleft()
            deadline_ns = monotonic_ns() + int(timeout_s * NS_PER_S)
            port = self._port or self._open(timeout_s)
            while port is not None and not self._closing.is_set():
                self._hear(port, deadline_ns)
                if self._codes:
                    return self._codes.popleft()
                if monotonic_ns() >= deadline_ns:
                    return None
            return None

    def close(self) -> None:
        """Stop a waiting ``read``, within a slice, and let go of the port."""
        self._closing.set()
        with self._in_use:
            self._drop()

    def _open(self, timeout_s: float) -> Serial | None:
        import serial

        if self._closing.wait(min(self._pause_s, timeout_s)):
            return None
        self._pause_s = min(max(self._pause_s * 2, REOPEN_FIRST_S), REOPEN_MAX_S)
        try:
            self._port = serial.Serial(self._config.path, self._config.baud, timeout=SLICE_S, exclusive=True)
        except _port_errors() as error:
            raise DeviceGoneError(self.device, _why_closed(error, self._config.path)) from error
        except ValueError as error:
            raise DeviceGoneError(self.device, f"{self._config.path} cannot be set to {self._config.baud} baud") from error
        self._pause_s = 0.0
        return self._port

    def _hear(self, port: Serial, deadline_ns: int) -> None:
        """Wait for bytes, and take the codes out of them. Half a code of a scanner without a suffix waits one gap long."""
        listens = self._framer.ends_in_silence and self._framer.is_waiting
        wait_s = self._config.gap_ms / MS_PER_S if listens else min(max(deadline_ns - monotonic_ns(), 0) / NS_PER_S, SLICE_S)
        data = self._bytes(port, wait_s)
        codes = self._framer.feed(data) if data or not listens else self._framer.silence()
        wanted = [code for code in codes if self._config.kind != "stripe" or read_swipe(code) is not None]
        self._refused += len(codes) - len(wanted)
        self._codes.extend(wanted)

    def _bytes(self, port: Serial, wait_s: float) -> bytes:
        try:
            port.timeout = wait_s
            return port.read(port.in_waiting or 1)
        except _port_errors() as error:
            self._drop()
            raise DeviceGoneError(self.device, "the scanner was pulled out; plug it in again and repeat the scan") from error

    def _drop(self) -> None:
        """Close before any reopening, or the port comes back under another name; half a code is forgotten."""
        self._framer.reset()
        port, self._port = self._port, None
        if port is not None:
            port.close()


def _port_errors() -> tuple[type[Exception], ...]:
    """All that pyserial lets through when a port vanishes; its SerialException is an OSError, termios.error is not."""
    if os.name != "posix":
        return (OSError,)
    import termios

    return (OSError, termios.error)


def _why_closed(error: Exception, path: str) -> str:
    number = getattr(error, "errno", None) or getattr(error.__context__, "errno", None)
    if number in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY):
        return f"another program reads the port {path}"
    if number == errno.EACCES:
        return f"this user may not open the port {path}"
    return f"no scanner at {path}; check the cable"
