"""A display of two lines on a pseudo-terminal under a stable link, for whoever joins a POS to this till without one at hand.

``python -m tests.emulators.display --path /tmp/display --kind epson``; see docs/devices.md. While it runs, type ``ok``,
``silent``, ``slow``, ``unplug``, ``plug`` or ``cycle``.
"""

from __future__ import annotations

import argparse
import os
import select
import threading
import time
import tty
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from tests.emulators.links import link_to, unlink
from tests.emulators.panel import Kind, Panel
from tests.emulators.program import running, slot, typed

Mode = Literal["ok", "silent", "slow"]
MODES: tuple[Mode, ...] = ("ok", "silent", "slow")
RECEIVE_BYTES = 4096
POLL_S = 0.01
JOIN_S = 5.0
WAIT_S = 60.0


class PtyDisplay:
    """Plugged in when built. ``path`` is the link that a driver opens, as a /dev/serial/by-id name would be.

    ``silent``: it takes bytes and shows nothing. ``slow``: it does not read. A wrong page is one of other ``slots``.
    """

    def __init__(self, link: Path, kind: Kind = "epson", *, columns: int = 20, slots: Mapping[int, str] | None = None) -> None:
        self.path = link
        self.panel = Panel(kind, columns=columns, slots=slots)
        self.mode: Mode = "ok"
        self.chunks: list[bytes] = []
        self._wire: int | None = None
        self._slave = -1
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self.plug()

    def __enter__(self) -> PtyDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def lines(self) -> tuple[str, str]:
        """What is seen, without the spaces at the ends."""
        upper, lower = self.panel.lines
        return upper.rstrip(), lower.rstrip()

    def wait_for(self, wanted: Callable[[tuple[str, str]], bool], timeout_s: float = WAIT_S) -> bool:
        """Wait until what is seen is as wanted. False when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: wanted(self.lines), timeout_s)

    def plug(self) -> None:
        """Appear under the link with power, and with a new terminal behind it."""
        if self._wire is not None:
            return
        self.panel.switch_on()
        wire, self._slave = os.openpty()
        tty.setraw(self._slave)
        link_to(os.ttyname(self._slave), self.path)
        self._wire = wire
        self._thread = threading.Thread(target=self._serve, args=(wire,), daemon=True, name="display emulator")
        self._thread.start()

    def unplug(self) -> None:
        """Vanish, dark: whoever has the port open gets an error."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        unlink(self.path, os.ttyname(self._slave))
        if self._thread is not None:
            self._thread.join(JOIN_S)
        os.close(self._slave)
        os.close(wire)
        self.panel.switch_on()

    def power_cycle(self) -> None:
        """Its own power goes and comes back; the serial line stays."""
        with self._changed:
            self.panel.switch_on()
            self._changed.notify_all()

    def _serve(self, wire: int) -> None:
        with suppress(OSError):
            while self._wire == wire:
                if self.mode == "slow":
                    time.sleep(POLL_S)
                elif select.select([wire], [], [], POLL_S)[0]:
                    self._take(os.read(wire, RECEIVE_BYTES))

    def _take(self, data: bytes) -> None:
        with self._changed:
            self.chunks.append(data)
            if self.mode != "silent":
                self.panel.feed(data)
            self._changed.notify_all()


def obey(display: PtyDisplay, word: str) -> str:
    """Do what was typed; answers a sentence."""
    if word in MODES:
        display.mode = word
    elif word == "unplug":
        display.unplug()
    elif word == "plug":
        display.plug()
    elif word == "cycle":
        display.power_cycle()
    else:
        return f"type one of: {' '.join(MODES)}, unplug, plug, cycle"
    return f"{word}: done"


def main() -> None:
    """Show what is seen until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A display of two lines for the buyer.")
    parser.add_argument("--path", required=True, type=Path, help='the link to make; set [display] path = "…" to it')
    parser.add_argument("--kind", default="epson", choices=("epson", "cd5220"))
    parser.add_argument("--columns", type=int, default=20, choices=(16, 20))
    parser.add_argument(
        "--slot", action="append", type=slot, default=[], metavar="N=PAGE", help="code page, as 17=cp866; several"
    )
    args = parser.parse_args()
    slots = dict(args.slot) or None
    with running(parser), PtyDisplay(args.path, args.kind, columns=args.columns, slots=slots) as display:
        threading.Thread(target=_listen, args=(display,), daemon=True).start()
        _show(display)


def _listen(display: PtyDisplay) -> None:
    for line in typed():
        print(obey(display, line.strip()), flush=True)


def _show(display: PtyDisplay) -> None:
    seen, faults = ("", ""), 0
    edge = "+" + "-" * display.panel.columns + "+"
    while True:
        before = seen
        display.wait_for(lambda lines, before=before: lines != before, 1.0)  # type: ignore[misc]
        seen = display.lines
        if seen != before:
            rows = (f"|{line.ljust(display.panel.columns)}|" for line in seen)
            print("\n".join((edge, *rows, edge)), flush=True)
        for fault in display.panel.faults[faults:]:
            faults += 1
            print(f"not understood: {fault}", flush=True)


if __name__ == "__main__":
    main()
