"""A display of two lines on a serial port. Rule: at most five frames in any second, the newest wins, and the last one arrives.

One that is pulled out, switched off or hangs is opened anew; nothing here raises for it, and ``show`` never waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from drivers.display_commands import TABLES, frame_of, opening_of
from drivers.ports import Transport
from drivers.transport_port import SerialTransport
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig
from pos_loyalty.config_display import DisplayConfig
from pos_loyalty.errors import DeviceGoneError

NS_PER_S = 1_000_000_000
PERIOD_NS = NS_PER_S // 5 + 1
"""A nanosecond more than a fifth, so that the first and the sixth frame are more than a second apart."""
SAME_AGAIN_NS = 2 * NS_PER_S
"""The same frame again while nothing changes: who was plugged in or switched on meanwhile shows it too."""
OPEN_AGAIN_NS = 60 * NS_PER_S
"""For displays that hear of pages only at their opening."""
WRITE_NS = NS_PER_S // 2
PAUSE_FIRST_NS, PAUSE_MAX_NS = NS_PER_S // 4, 2 * NS_PER_S
BITS_PER_BYTE = 10
BLANK = ("", "")

OpenPort = Callable[[], Transport]


class SerialDisplay:
    """Implements Display. ``show`` and ``clear`` may come from any thread; ``refresh`` and ``close`` belong to one."""

    def __init__(
        self, config: DisplayConfig, *, now_ns: Callable[[], int] = monotonic_ns, open_port: OpenPort | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:  # fmt: skip
        self._config = config
        self._now_ns = now_ns
        self._wait = wait or threading.Event().wait
        self._open_port = open_port or (lambda: _port_of(config))
        self._port: Transport | None = None
        self._wanted: tuple[str, str] | None = None
        self._shown: tuple[str, str] | None = None
        self._opened_ns = 0
        self._next_ns = self._again_ns = now_ns()
        self._pause_ns = PAUSE_FIRST_NS
        self._problem: str | None = None

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    @property
    def problem(self) -> str | None:
        """Why nothing is shown, as a sentence; None when the last frame was taken."""
        return self._problem

    def show(self, line1: str, line2: str) -> None:
        """These are to be seen; what was to be seen before and is not yet is dropped."""
        self._wanted = (line1, line2)

    def clear(self) -> None:
        """Nothing is to be seen."""
        self._wanted = BLANK

    def refresh(self) -> float:
        """Send what is to be seen when its time has come. Answers after how many seconds to come again."""
        now_ns = self._now_ns()
        wanted = self._wanted
        if wanted is None:
            return SAME_AGAIN_NS / NS_PER_S
        due_ns = self._next_ns if wanted != self._shown else max(self._next_ns, self._again_ns)
        if now_ns >= due_ns:
            self._send(wanted, now_ns)
            due_ns = self._again_ns if self._shown == wanted else self._next_ns
        return max(due_ns - now_ns, 1) / NS_PER_S

    def close(self) -> None:
        """Let go of the port, with an empty display where it still listens. May be called twice."""
        if self._port is not None:
            self._wait(max(self._next_ns - self._now_ns(), 0) / NS_PER_S)
            self._send(BLANK, self._now_ns())
        if self._port is not None:
            self._port.finish(monotonic_ns() + WRITE_NS)
        self._drop()

    def _send(self, wanted: tuple[str, str], now_ns: int) -> None:
        try:
            port, is_new = self._opened(now_ns)
        except DeviceGoneError as error:
            self._gone(str(error), now_ns)
            return
        frame = frame_of(self._config, *wanted)
        data = opening_of(self._config) + frame if is_new else frame
        self._next_ns = now_ns + max(PERIOD_NS, len(data) * BITS_PER_BYTE * NS_PER_S // self._config.baud)
        if port.write(data, monotonic_ns() + WRITE_NS) < len(data):
            self._gone(f"{self.device}: the display takes nothing; check its cable and its power", now_ns)
            return
        self._shown, self._problem, self._pause_ns = wanted, None, PAUSE_FIRST_NS
        self._again_ns = now_ns + SAME_AGAIN_NS

    def _opened(self, now_ns: int) -> tuple[Transport, bool]:
        """The open port, and whether the display has to be begun with anew."""
        if self._port is None:
            self._port, self._opened_ns = self._open_port(), now_ns
            return self._port, True
        is_old = not TABLES[self._config.kind].hears_pages and now_ns - self._opened_ns >= OPEN_AGAIN_NS
        if is_old:
            self._opened_ns = now_ns
        return self._port, is_old

    def _gone(self, reason: str, now_ns: int) -> None:
        """Close before any reopening, or the port comes back under another name; try again after a growing pause."""
        self._drop()
        self._problem = reason
        self._next_ns = max(self._next_ns, now_ns + self._pause_ns)
        self._pause_ns = min(2 * self._pause_ns, PAUSE_MAX_NS)

    def _drop(self) -> None:
        port, self._port, self._shown = self._port, None, None
        if port is not None:
            port.close()


def _port_of(config: DisplayConfig) -> Transport:
    return SerialTransport(PrinterConfig(kind="serial", name=config.name, path=config.path, baud=config.baud))
