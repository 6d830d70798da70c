"""A scanner that is a keyboard, read as key events: no layout, no focus, and nothing of it reaches the page or other programs."""

from __future__ import annotations

import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from drivers.hid_events import EVENT, KeyReader
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError

NS_PER_S = 1_000_000_000
MS_PER_S = 1000
SLICE_S = 0.25
REOPEN_FIRST_S, REOPEN_MAX_S = 0.05, 0.4
READ_BYTES = 256 * EVENT.size


class EventSource(Protocol):
    """Packed ``input_event`` structs, as the kernel gives them."""

    def read(self, timeout_s: float) -> bytes:
        """What came; empty when time is up. Raises OSError when the device is gone."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


OpenEvents = Callable[[str], EventSource]
"""Opens a path for this process alone. Raises OSError; ImportError when a package is missing."""


class HidScanner:
    """Implements Scanner. ``read`` belongs to one thread; ``close`` may come from another."""

    def __init__(self, config: ScannerConfig, open_events: OpenEvents | None = None) -> None:
        self._config = config
        self._open_events = open_events or open_source
        self._keys = KeyReader()
        self._codes: deque[str] = deque()
        self._source: EventSource | None = None
        self._pause_s = 0.0
        self._closing = threading.Event()
        self._in_use = threading.Lock()

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    @property
    def is_open(self) -> bool:
        """The device is open: codes are heard from now on."""
        return self._source is not None

    @property
    def refused(self) -> int:
        """How many codes were refused as broken since start."""
        return self._keys.refused

    def read(self, timeout_s: float) -> str | None:
        """Next code, or None when time is up or the scanner was closed. Raises DeviceGoneError when unplugged."""
        with self._in_use:
            if self._codes:
                return self._codes.popleft()
            deadline_ns = monotonic_ns() + int(timeout_s * NS_PER_S)
            source = self._source or self._open(timeout_s)
            while source is not None and not self._closing.is_set():
                self._hear(source, deadline_ns)
                if self._codes:
                    return self._codes.popleft()
                if monotonic_ns() >= deadline_ns:
                    return None
            return None

    def close(self) -> None:
        """Stop a waiting ``read``, within a slice, and let go of the device."""
        self._closing.set()
        with self._in_use:
            self._drop()

    def _hear(self, source: EventSource, deadline_ns: int) -> None:
        listens = self._config.suffix == "none" and self._keys.is_waiting
        wait_s = self._config.gap_ms / MS_PER_S if listens else min(max(deadline_ns - monotonic_ns(), 0) / NS_PER_S, SLICE_S)
        try:
            data = source.read(wait_s)
        except OSError as error:
            self._drop()
            raise DeviceGoneError(self.device, "the scanner was pulled out; plug it in again and repeat the scan") from error
        codes = self._keys.feed(data) if data or not listens else self._keys.silence()
        prefix = self._config.prefix
        self._codes.extend(code.removeprefix(prefix) for code in codes if code.startswith(prefix) and code != prefix)

    def _open(self, timeout_s: float) -> EventSource | None:
        if self._closing.wait(min(self._pause_s, timeout_s)):
            return None
        self._pause_s = min(max(self._pause_s * 2, REOPEN_FIRST_S), REOPEN_MAX_S)
        try:
            self._source = self._open_events(self._config.path)
        except ImportError as error:
            sentence = f"keyboard scanners cannot be read here: install pos-loyalty[hid] ({error.name} is missing)"
            raise DeviceGoneError(self.device, sentence) from error
        except OSError as error:
            raise DeviceGoneError(self.device, _why_closed(error, self._config.path)) from error
        self._pause_s = 0.0
        return self._source

    def _drop(self) -> None:
        """Close before any reopening; half a code is forgotten."""
        self._keys.reset()
        source, self._source = self._source, None
        if source is not None:
            source.close()


def open_source(path: str) -> EventSource:
    """An event device, or a pipe that an emulator writes. Raises OSError, ImportError."""
    return PipeSource(path) if stat.S_ISFIFO(os.stat(path).st_mode) else GrabbedSource(path)


class GrabbedSource:
    """Implements EventSource over /dev/input, grabbed: its keys reach nobody else."""

    def __init__(self, path: str) -> None:
        import evdev

        self._device: Any = evdev.InputDevice(path)
        try:
            self._device.grab()
        except OSError:
            self._device.close()
            raise

    def read(self, timeout_s: float) -> bytes:
        """What came; empty when time is up. Raises OSError when the device is gone."""
        return _read(self._device.fd, timeout_s)

    def close(self) -> None:
        """The kernel gives the keyboard back."""
        self._device.close()


class PipeSource:
    """Implements EventSource over a named pipe."""

    def __init__(self, path: str) -> None:
        self._descriptor: int | None = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self, timeout_s: float) -> bytes:
        """What came; empty when time is up. Raises OSError when the writer is gone."""
        if self._descriptor is None:
            raise OSError("closed")
        return _read(self._descriptor, timeout_s)

    def close(self) -> None:
        """Let go of the pipe."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _read(descriptor: int, timeout_s: float) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], timeout_s)
    if not ready:
        return b""
    data = os.read(descriptor, READ_BYTES)
    if not data:
        raise OSError("the device is gone")
    return data


def _why_closed(error: OSError, path: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no scanner at {path}; check the cable"
    if isinstance(error, PermissionError):
        return f"this user may not open {path}; add them to the group input"
    return f"{path} cannot be read alone: another program has it, or it is no keyboard ({error.strerror or error})"
