"""The print worker of a till as a process that kills itself (SIGKILL) at one named place: ``paper_worker CONFIG PLACE BYTES``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from drivers.ports import Delivery, Progress
from drivers.printer import EscposPrinter
from drivers.transport_tcp import TcpTransport
from pos_loyalty.clock import utc_now
from pos_loyalty.till.spool import Spool
from pos_loyalty.till.unmade import SlipMaker
from pos_loyalty.wiring import settings, till_store

PLACES = (
    "queued", "connected", "asked", "before sending", "sending", "some bytes", "all bytes", "awaiting_ack", "answered", "ended",
    "before fired", "fired", "kicked",
)  # fmt: skip
"""In the order in which a job and a kick go through them; ``BYTES`` counts for ``some bytes`` and ``asked``."""
STATUS_WAIT_S, ACK_WAIT_S = 0.5, 2.0
QUESTION_BYTES_MAX = 40


class KillingTransport(TcpTransport):
    """A connection that dies with the process: after so many bytes of one piece, or when nothing more is to come."""

    place, count = "", 0

    def write(self, data: bytes, deadline_ns: int) -> int:
        """The real write, cut short at the place."""
        is_job = len(data) > QUESTION_BYTES_MAX
        if is_job and self.place == "some bytes":
            super().write(data[: self.count], deadline_ns)
            die()
        sent = super().write(data, deadline_ns)
        is_kick = data.startswith(b"\x1bp")
        if (is_job and self.place == "all bytes") or (is_kick and self.place == "kicked") or (self.place == "asked"):
            die()
        return sent


class Watched:
    """Implements Progress around the spool's own, and dies beside it."""

    def __init__(self, progress: Progress, place: str) -> None:
        self._progress = progress
        self._place = place

    def sending(self) -> None:
        """Before and after the row says ``sending``."""
        die_at(self._place, "before sending")
        self._progress.sending()
        die_at(self._place, "sending")

    def awaiting_ack(self) -> None:
        """After the row says ``awaiting_ack``."""
        self._progress.awaiting_ack()
        die_at(self._place, "awaiting_ack")


class KillingPrinter(EscposPrinter):
    """The real driver; dies around what it tells."""

    place = ""

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Dies when the answer is there and not stored yet."""
        delivery = super().submit(job, Watched(progress, self.place))
        die_at(self.place, "answered")
        return delivery

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Dies before and after the row says ``fired``."""

        def watched() -> None:
            die_at(self.place, "before fired")
            fired()
            die_at(self.place, "fired")

        return super().pulse(watched)


def die_at(place: str, here: str) -> None:
    """Die if this is the place."""
    if place == here:
        die()


def die() -> None:
    """As by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: Path, place: str, count: int) -> None:
    """Print all that is queued, unless killed before."""
    known = settings(path)
    config = known.config.printer
    assert config is not None
    KillingTransport.place, KillingTransport.count, KillingPrinter.place = place, count, place
    die_at(place, "queued")

    def connect() -> TcpTransport:
        transport = KillingTransport(config)
        die_at(place, "connected")
        return transport

    printer = KillingPrinter(replace(config), connect, status_wait_s=STATUS_WAIT_S, ack_wait_s=ACK_WAIT_S)
    make = SlipMaker(known.config)
    spool = Spool(printer, lambda: till_store(known, utc_now), make=make, clock=utc_now, job_life_s=config.job_life_s)
    while spool.round() == 0.0:
        die_at(place, "ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
