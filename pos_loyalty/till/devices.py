"""What hangs on a till process: the print spool, a thread for each scanner, for the camera, for the buyer's display. What is
gone is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from drivers.ports import CardRead, Scanner, Watcher
from drivers.symbology import Code, Scan, scan_of, scan_of_read
from pos_loyalty import log
from pos_loyalty.config import CardConfig, CodeConfig
from pos_loyalty.errors import DeviceError
from pos_loyalty.till.buyer_display import BuyerDisplay
from pos_loyalty.till.spool import Spool
from pos_loyalty.till.watch import watch_always

SCAN_WAIT_S = 1.0
PAUSE_S = 0.1

Publish = Callable[[Scan, str], None]
"""Told what was scanned, and by which device."""


class TillDevices:
    """Implements Devices for a till process. Payment cards are refused here, and nothing of them is kept."""

    def __init__(
        self, spool: Spool | None, scanners: Sequence[Scanner], rules: Sequence[CodeConfig | CardConfig],
        camera: Watcher | None = None,
    ) -> None:  # fmt: skip
        self._spool = spool
        self._camera = camera
        self._scanners = scanners
        self._rules = rules
        self._display: BuyerDisplay | None = None
        self._gone: dict[str, str] = {}
        self._stop = threading.Event()
        self._readers: list[threading.Thread] = []

    def problems(self) -> tuple[str, ...]:
        """The printer's, then that of each scanner, camera and display that is gone."""
        printer = self._spool.problem if self._spool is not None else None
        display = self._display.problem if self._display is not None else None
        return (*(() if printer is None else (printer,)), *tuple(self._gone.values()), *(() if display is None else (display,)))

    def put_display(self, display: BuyerDisplay | None) -> None:
        """The buyer's display, before the start: it shows what this till tells."""
        self._display = display

    def wake_printer(self) -> None:
        """There may be something to print."""
        if self._spool is not None:
            self._spool.wake()

    def start(self, publish: Publish) -> None:
        """Begin to print, and to hand on every code."""
        if self._spool is not None:
            self._spool.start()
        if self._display is not None:
            self._display.start()
        for scanner in self._scanners:
            name = f"scanner {scanner.device}"
            self._readers.append(threading.Thread(target=self._read, args=(scanner, publish), name=name, daemon=True))
            self._readers[-1].start()
        if self._camera is not None:
            camera = self._camera

            def seen(read: CardRead) -> None:
                self._hand_on(scan_of_read(Code(text=read.card, symbology=read.symbology), self._rules), read.device, publish)

            watching = (camera, seen, self._gone, self._stop)
            self._readers.append(
                threading.Thread(target=watch_always, args=watching, name=f"camera {camera.device}", daemon=True)
            )
            self._readers[-1].start()

    def close(self) -> None:
        """Stop after the job and the code in hand."""
        self._stop.set()
        if self._camera is not None:
            self._camera.close()
        for reader in self._readers:
            reader.join()
        if self._display is not None:
            self._display.close()
        if self._spool is not None:
            self._spool.close()

    def _read(self, scanner: Scanner, publish: Publish) -> None:
        while not self._stop.is_set():
            try:
                raw = scanner.read(SCAN_WAIT_S)
            except DeviceError as error:
                if scanner.device not in self._gone:
                    log.warning("scanner.gone", device=scanner.device, reason=str(error))
                self._gone[scanner.device] = str(error)
                self._stop.wait(PAUSE_S)
                continue
            self._gone.pop(scanner.device, None)
            if raw is not None:
                self._hand_on(scan_of(raw, self._rules), scanner.device, publish)
        scanner.close()

    def _hand_on(self, scan: Scan, device: str, publish: Publish) -> None:
        if scan.kind == "payment":
            log.warning("scanner.payment_card_refused", device=device)
        else:
            publish(scan, device)
