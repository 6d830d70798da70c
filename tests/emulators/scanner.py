"""A serial scanner on a pseudo-terminal under a stable link: it can be pulled out in the middle of a code and re-plugged.

``python -m tests.emulators.scanner --path /tmp/scanner`` sends each line of standard input to whoever reads the link.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
import tty
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.emulators.links import link_to, unlink
from tests.emulators.program import count, running

POLL_S = 0.002
BURST_WAIT_S = 60.0
SUFFIXES = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "etx": b"\x03", "none": b""}


class PtyScanner:
    """Plugged in when built. ``path`` is the link that a driver opens, as a /dev/serial/by-id name would be."""

    def __init__(self, link: Path) -> None:
        self.path = link
        self._wire: int | None = None
        self.plug()

    def __enter__(self) -> PtyScanner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._wire is not None:
            self.unplug()

    @property
    def is_plugged(self) -> bool:
        """The link stands."""
        return self._wire is not None

    def scan(self, code: str, *, suffix: bytes = b"\r") -> None:
        """Send a whole code in one piece."""
        self.send([code.encode() + suffix])

    def send(self, chunks: Sequence[bytes], *, pause_s: float = 0.0) -> None:
        """Send bytes as they are, one write for each chunk."""
        assert self._wire is not None, "the scanner is not plugged in"
        for number, chunk in enumerate(chunks):
            if number and pause_s:
                time.sleep(pause_s)
            while chunk:
                chunk = chunk[os.write(self._wire, chunk) :]

    def plug(self) -> None:
        """Appear under the link, with a new terminal behind it."""
        assert self._wire is None, "the scanner is plugged in already"
        self._wire, slave = os.openpty()
        tty.setraw(slave)
        self._name = os.ttyname(slave)
        os.close(slave)
        link_to(self._name, self.path)

    def unplug(self) -> None:
        """Vanish: the link goes, and whoever has the port open gets an error."""
        assert self._wire is not None, "the scanner is not plugged in"
        unlink(self.path, self._name)
        os.close(self._wire)
        self._wire = None

    def wait_open(self, timeout_s: float = 5.0) -> bool:
        """Wait until a driver has the port open, so that nothing is sent to nobody. False when the time is up.

        A driver empties its input while opening: a few milliseconds are left for that.
        """
        assert self._wire is not None, "the scanner is not plugged in"
        watch = select.poll()
        watch.register(self._wire, 0)
        for _ in range(max(1, round(timeout_s / POLL_S))):
            if not any(event & select.POLLHUP for _, event in watch.poll(0)):
                time.sleep(10 * POLL_S)
                return True
            time.sleep(POLL_S)
        return False


def main() -> None:
    """Send each line of standard input until it ends; ``!unplug`` and ``!plug`` do what they say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", required=True, type=Path, help='the link to make; set [[scanner]] path = "…" to it')
    parser.add_argument("--suffix", default="cr", choices=sorted(SUFFIXES), help="what ends a code")
    parser.add_argument("--burst", type=count, default=0, help="send so many numbered codes at once and end")
    args = parser.parse_args()
    suffix = SUFFIXES[args.suffix]
    with running(parser), PtyScanner(args.path) as scanner:
        if args.burst:
            scanner.wait_open(BURST_WAIT_S)
            scanner.send([f"X{number:07d}".encode() + suffix for number in range(args.burst)])
        for line in () if args.burst else sys.stdin:
            command = line.rstrip("\n")
            if command == "!unplug" and scanner.is_plugged:
                scanner.unplug()
            elif command == "!plug" and not scanner.is_plugged:
                scanner.plug()
            elif scanner.is_plugged:
                scanner.scan(command, suffix=suffix)


if __name__ == "__main__":
    main()
