"""The emulated receipt printer on a serial line: a pseudo-terminal under a stable link that can be pulled out and plugged in."""

from __future__ import annotations

import os
import select
import threading
import tty
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.emulators.escpos import JudgeError
from tests.emulators.links import link_to, unlink
from tests.emulators.mechanism import Mechanism, Mode

RECEIVE_BYTES = 4096
JOIN_S = 5.0
POLL_S = 0.02


class SerialPrinter(Mechanism):
    """Plugged in when built. ``path`` is the link that a driver opens, as a /dev/serial/by-id name would be.

    A line that is reset is one that was pulled out: ``power_on`` plugs it in again.
    """

    def __init__(self, link: Path, *, columns: int = 48, slots: dict[int, str] | None = None, mode: Mode = "ok") -> None:
        super().__init__(columns=columns, slots=slots, mode=mode)
        self.path = link
        self._wire: int | None = None
        self._thread: threading.Thread | None = None
        self.power_on()

    def __enter__(self) -> SerialPrinter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.power_off()
        if kind is None and self.faults:
            raise JudgeError("; ".join(self.faults))

    def power_on(self) -> None:
        """Appear under the link, with a new terminal behind it. A kept slave end keeps the terminal alive between two jobs."""
        wire, slave = os.openpty()
        tty.setraw(slave)
        self._name = os.ttyname(slave)
        link_to(self._name, self.path)
        self._wire = wire
        self._thread = threading.Thread(target=self._serve, args=(wire, slave), daemon=True, name="serial-printer")
        self._thread.start()

    def power_off(self) -> None:
        """Vanish: the link goes, and whoever has the port open gets an error."""
        self._wire = None
        unlink(self.path, self._name)
        if self.mode == "slow":
            self.mode = "ok"
        self.lose_power()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    def power_cycle(self) -> None:
        """Off, and on again."""
        self.power_off()
        self.power_on()

    def _serve(self, wire: int, slave: int) -> None:
        def send(data: bytes) -> None:
            with suppress(OSError):
                os.write(wire, data)

        line = self.join(send)
        with suppress(OSError):
            while True:
                self.wait_to_read()
                if self._wire != wire:
                    break
                if not select.select([wire], [], [], POLL_S)[0]:
                    continue
                chunk = os.read(wire, RECEIVE_BYTES)
                if not self.receive(line, chunk):
                    unlink(self.path, self._name)
                    self._wire = None
                    break
        self.leave(line)
        os.close(slave)
        os.close(wire)
